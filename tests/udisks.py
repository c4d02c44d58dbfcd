"""A bus of one's own, by the real dbus-daemon, and on it as much of udisks2 as switching a stick
off needs.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BLOCK = "/org/freedesktop/UDisks2/block_devices/sdb"
DRIVE = "/org/freedesktop/UDisks2/drives/Stick_1"


def is_available() -> bool:
    return shutil.which("dbus-daemon") is not None


@contextlib.contextmanager
def private_bus(folder: Path) -> Iterator[str]:
    """Its address."""
    argv = ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1"]
    socket = f"--address=unix:path={folder}/bus"
    with subprocess.Popen([*argv, socket], stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        try:
            yield daemon.stdout.readline().strip()
        finally:
            daemon.terminate()


class UdisksDouble(threading.Thread):
    """Owns udisks2's name on a bus. What it was asked to switch off stands in `switched_off`.

    Args:
        refusal: D-Bus error name for PowerOff, "" to obey.
        properties: Of the block device and its drive, in place of a stick's.
    """

    def __init__(self, bus: str, node: Path, *, refusal: str = "", **properties: Any) -> None:
        super().__init__(daemon=True)
        from jeepney.bus_messages import message_bus
        from jeepney.io.blocking import Proxy, open_dbus_connection

        self.switched_off: list[dict[str, Any]] = []
        self._node, self._refusal = os.path.realpath(node), refusal
        self._properties: dict[str, tuple[str, Any]] = {
            "HintSystem": ("b", False),
            "Drive": ("o", DRIVE),
            "ConnectionBus": ("s", "usb"),
            "CanPowerOff": ("b", True),
        }
        for name, value in properties.items():
            self._properties[name] = (self._properties[name][0], value)
        self._connection = open_dbus_connection(bus=bus)
        Proxy(message_bus, self._connection).RequestName("org.freedesktop.UDisks2", 4)

    def stop(self) -> None:
        self._connection.sock.shutdown(socket.SHUT_RDWR)
        self.join(10)
        self._connection.close()

    def run(self) -> None:
        with contextlib.suppress(OSError, EOFError):  # until it is stopped
            while True:
                self._answer(self._connection.receive())

    def _answer(self, message: Any) -> None:
        from jeepney import HeaderFields, MessageType, new_error, new_method_return

        if message.header.message_type is not MessageType.method_call:
            return
        fields = message.header.fields
        path, member = fields[HeaderFields.path], fields[HeaderFields.member]
        match member:
            case "ResolveDevice":
                found = [BLOCK] if message.body[0]["path"] == ("s", self._node) else []
                answer = new_method_return(message, "ao", (found,))
            case "Get":
                assert path == (BLOCK if message.body[0].endswith(".Block") else DRIVE)
                answer = new_method_return(message, "v", (self._properties[message.body[1]],))
            case "PowerOff" if self._refusal:
                answer = new_error(message, self._refusal, "s", ("no",))
            case "PowerOff":
                assert path == DRIVE
                self.switched_off.append(message.body[0])
                answer = new_method_return(message)
            case _:
                answer = new_error(message, "org.freedesktop.DBus.Error.UnknownMethod")
        self._connection.send(answer)
