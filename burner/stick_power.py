"""Switching a stick off, so that its light says that it may be pulled: udisks2 over D-Bus.

Not needed for the data: they are on the stick, by fsync and read back. Afterwards the node is gone,
so nobody can see any more whether the stick was taken.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from burner.errors import DriveError
from burner.messages import clean

SYSTEM_BUS: Final = "SYSTEM"
PATIENCE_S: Final = 30.0  # udisks2 writes out, then stops the stick, then removes it

_SERVICE: Final = "org.freedesktop.UDisks2"
_MANAGER: Final = "/org/freedesktop/UDisks2/Manager"
_QUIETLY: Final = {"auth.no_user_interaction": ("b", True)}  # nobody is there to type a password


def power_off(node: Path, *, bus: str = SYSTEM_BUS) -> None:
    """Switch off the stick behind `node`, a disk or partition that nobody uses.

    Args:
        bus: SYSTEM, or the address of another bus.
    Raises:
        DriveError: No udisks2, not allowed, still in use, or no stick: it is as it was.
    """
    from jeepney.io.blocking import open_dbus_connection
    from jeepney.wrappers import DBusErrorResponse

    try:
        with open_dbus_connection(bus=bus) as connection:
            _power_off(connection, os.path.realpath(node))
    except DBusErrorResponse as error:
        raise DriveError(f"udisks2 refuses: {clean(str(error.name), 80)}") from error
    except TimeoutError as error:
        raise DriveError("udisks2 does not answer") from error
    except (OSError, EOFError, ValueError, RuntimeError) as error:
        # jeepney's own errors of addresses and authentication are of the last two kinds
        raise DriveError(f"the system bus cannot be reached: {type(error).__name__}") from error


def _power_off(connection: Any, node: str) -> None:
    """The calls, one after the other. What udisks2 answers is believed only for a stick."""
    blocks = _call(
        connection,
        _MANAGER,
        "org.freedesktop.UDisks2.Manager",
        "ResolveDevice",
        "a{sv}a{sv}",
        ({"path": ("s", node)}, {}),
    )
    if len(blocks) != 1:
        raise DriveError("udisks2 does not know the stick")
    block = blocks[0]
    if _get(connection, block, f"{_SERVICE}.Block", "HintSystem"):
        raise DriveError("udisks2 takes it for a disk of the system")
    drive = _get(connection, block, f"{_SERVICE}.Block", "Drive")
    if _get(connection, drive, f"{_SERVICE}.Drive", "ConnectionBus") != "usb":
        raise DriveError("udisks2 does not take it for a USB stick")
    if not _get(connection, drive, f"{_SERVICE}.Drive", "CanPowerOff"):
        raise DriveError("the stick cannot be switched off")
    _call(connection, drive, f"{_SERVICE}.Drive", "PowerOff", "a{sv}", (_QUIETLY,))


def _get(connection: Any, path: str, interface: str, name: str) -> Any:
    """A property without its signature."""
    arguments = (interface, name)
    value = _call(connection, path, "org.freedesktop.DBus.Properties", "Get", "ss", arguments)
    return value[1]


def _call(
    connection: Any,
    path: str,
    interface: str,
    method: str,
    signature: str,
    arguments: tuple[Any, ...],
) -> Any:
    """The first value of the answer, None if it has none.

    Raises DBusErrorResponse, TimeoutError.
    """
    from jeepney import DBusAddress, new_method_call
    from jeepney.wrappers import unwrap_msg

    address = DBusAddress(path, bus_name=_SERVICE, interface=interface)
    message = new_method_call(address, method, signature, arguments)
    body = unwrap_msg(connection.send_and_get_reply(message, timeout=PATIENCE_S))
    return body[0] if body else None
