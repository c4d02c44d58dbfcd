"""Devices as staff see them: what there is, whether it could be used, what is wrong with the
configured ones.
"""

from __future__ import annotations

import getpass
import grp
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from burner.devices import Devices, DeviceStream, DiscStatus, OpticalDrive, Stick, list_devices
from burner.devices.model import Event, device_of, is_at, stable_name
from burner.devices.policy import DisksInUse, disks_in_use, refusal
from burner.errors import DriveError, NoUdevError
from kiosk.domain.unfit import Unfit
from kiosk.errors import DriveFaultError, MissingProgramError

_CHANGING: Final = re.compile(r"/dev/(sr[0-9]+|sd[a-z]+[0-9]*|cdrom|dvd)")
_AUTOMOUNTERS: Final = {  # by the kernel's name of the process, 15 characters
    "gvfs-udisks2-vo": "the desktop (gvfs)",
    "udiskie": "udiskie",
    "devmon": "devmon (udevil)",
    "automount": "autofs",
    "kded5": "the desktop (KDE)",
    "kded6": "the desktop (KDE)",
}
_USBMOUNT: Final = ("etc/udev/rules.d", "lib/udev/rules.d", "usr/lib/udev/rules.d")


@dataclass(frozen=True, slots=True)
class ShownDevice:
    """One drive or stick.

    Attributes:
        kind: "drive" or "stick".
        device: What to configure.
        holds: A disc's kind and state, or a stick's size and file systems; no label.
        reason: Why it cannot be written now, a stable word; "" if it can.
        text: The same in a sentence.
    """

    kind: str
    device: str
    node: str
    name: str
    holds: str
    reason: str
    text: str


def shown_devices() -> list[ShownDevice]:
    """What there is now, drives first. Raises MissingProgramError: no udev."""
    try:
        return shown(list_devices())
    except NoUdevError as error:
        raise _no_udev(error) from error


def shown(devices: Devices) -> list[ShownDevice]:
    in_use = _in_use()
    found: list[OpticalDrive | Stick] = [*devices.drives, *devices.sticks]
    return [_show(device, found, in_use) for device in found]


@contextmanager
def followed() -> Iterator[tuple[list[ShownDevice], Iterator[tuple[str, ShownDevice]]]]:
    """What there is, and then an event's word and its device as it is then, without end.

    Raises:
        MissingProgramError: No udev.
    """
    try:
        stream = DeviceStream()
    except NoUdevError as error:
        raise _no_udev(error) from error
    with stream:
        yield shown(stream.devices()), (_told(event, stream) for event in stream.follow())


def _told(event: Event, stream: DeviceStream) -> tuple[str, ShownDevice]:
    devices = stream.devices()
    others: list[OpticalDrive | Stick] = [*devices.drives, *devices.sticks]
    return event.word, _show(device_of(event), others, _in_use())


def _no_udev(error: NoUdevError) -> MissingProgramError:
    return MissingProgramError(
        f"{error}: what is plugged in cannot be told. The Debian package is udev; a container has "
        "none, there give the device's node in the configuration"
    )


def _in_use() -> DisksInUse | None:
    try:
        return disks_in_use()
    except DriveError:
        return None  # then no stick is offered


def _show(
    device: OpticalDrive | Stick,
    others: Sequence[OpticalDrive | Stick],
    in_use: DisksInUse | None,
) -> ShownDevice:
    # By place: an event shows a device as it was when it was told of.
    others = [it for it in others if it.sys_path != device.sys_path]
    device_name = stable_name(device, others)
    if isinstance(device, OpticalDrive):
        reason, text = _why_no_disc(device)
        disc = device.disc
        holds = "nothing" if disc.status is DiscStatus.NONE else f"{disc.kind} {disc.status.value}"
        kind = "drive"
    else:
        reason, text = _why_no_stick(device, in_use)
        systems = [it.version or it.file_system or "?" for it in device.volumes]
        holds = f"{device.size_bytes / 1e9:.1f} GB, {', '.join(systems) or 'no file system'}"
        kind = "stick"
    return ShownDevice(kind, device_name, device.node, device.name, holds.strip(), reason, text)


def _why_no_disc(drive: OpticalDrive) -> tuple[str, str]:
    if not drive.writes:
        return "reader", "it writes no discs"
    if drive.disc.is_recordable:
        return "", "can be written"
    if drive.disc.status is DiscStatus.NONE:
        return "empty", "put a blank disc in"
    if drive.disc.status is DiscStatus.UNKNOWN:
        unfit = Unfit.UNKNOWN_DISC
    else:
        unfit = Unfit.REWRITABLE if drive.disc.is_rewritable else Unfit.NOT_BLANK
    return unfit.value, unfit.text


def _why_no_stick(stick: Stick, in_use: DisksInUse | None) -> tuple[str, str]:
    if in_use is None:
        return "system_disk", "what this machine has mounted cannot be read: no stick is written to"
    found = refusal(stick, in_use)
    return ("", "can be written") if found is None else (found.value, found.text)


# --- the configured ones


def look_at_drive(place: Path) -> str:
    """What speaks against the configured drive as a place, "" if nothing does.

    Raises:
        DriveFaultError: It is not there, or not ours to use; and what to do.
    """
    devices = _known()
    found = None
    if devices is not None:
        found = next((it for it in devices.drives if is_at(it, place)), None)
        if found is None and place.exists():
            raise DriveFaultError(f"{place} is not a drive for discs{_there(devices)}")
    if not place.exists():
        raise DriveFaultError(f"{place} is not there{_there(devices)}")
    _require_access(place)
    if found is not None and devices is not None:
        return _changing(place, found, devices.drives)
    return ""


def look_at_port(place: Path) -> str:
    """The same of a port for sticks. That none is in it is no fault."""
    devices = _known()
    if not place.exists():
        hint = f"; {_PORT_HINT}" if _CHANGING.fullmatch(str(place)) else ""
        return f"no stick in {place}{hint}"
    _require_access(place)
    if devices is None:
        return ""
    found = next((it for it in devices.sticks if is_at(it, place)), None)
    if found is None:
        raise DriveFaultError(f"{place} is not on USB: never written to")
    reason, text = _why_no_stick(found, _in_use())
    if reason in ("system_disk", "not_removable"):
        raise DriveFaultError(f"{place}: {text}")
    return "; ".join(filter(None, [reason and text, _changing(place, found, devices.sticks)]))


_PORT_HINT: Final = (
    "a stick gets whatever name is free: put one in and configure the port's name that "
    "sendhome devices shows"
)


def _known() -> Devices | None:
    try:
        return list_devices()
    except NoUdevError:
        return None


def _there(devices: Devices | None) -> str:
    if devices is None:
        return ", and no udev runs here that could say what is; a container has to be given it"
    named = [f"{stable_name(it, devices.drives)} ({it.name or it.node})" for it in devices.drives]
    return f"; drives that are there: {', '.join(named)}" if named else "; no drive is plugged in"


def _changing(
    place: Path, found: OpticalDrive | Stick, others: Sequence[OpticalDrive | Stick]
) -> str:
    stable = stable_name(found, [it for it in others if it is not found])
    if not _CHANGING.fullmatch(str(place)) or stable == found.node:
        return ""
    return f"{place} may be another one after re-plugging; configure device = {stable}"


def _require_access(place: Path) -> None:
    if os.access(place, os.R_OK | os.W_OK):
        return
    try:
        group = grp.getgrgid(place.stat().st_gid).gr_name
    except (KeyError, OSError):
        group = "cdrom"
    user = getpass.getuser()
    raise DriveFaultError(
        f"no permission for {place}: as an administrator, usermod -aG {group} {user}, then sign in "
        "again (sticks: install systemd/70-sendhome.rules, which gives them to group cdrom)"
    )


def automounters(root: Path = Path("/")) -> list[str]:
    """Programs that are running or installed and take every stick that is put in."""
    found = set()
    for comm in (root / "proc").glob("[0-9]*/comm"):
        try:
            name = comm.read_text(errors="replace")[:64].strip()
        except OSError:
            continue  # it has just ended
        if name in _AUTOMOUNTERS:
            found.add(_AUTOMOUNTERS[name])
    if any(next((root / folder).glob("*usbmount*"), None) for folder in _USBMOUNT):
        found.add("usbmount")
    return sorted(found)
