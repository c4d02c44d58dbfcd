"""Which sticks may be written at all: on USB, removable, and nothing of this machine on them.

Asked of sysfs and of the tables of mounts and swap, not of udev: the last look, at the opened node
itself, has to hold where no udev runs.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from burner.devices.model import Stick
from burner.errors import DriveError

PROC, SYS = Path("/proc"), Path("/sys")
_PEOPLES: Final = ("/media/", "/run/media/", "/mnt/")
"""Where sticks are mounted for people; whatever is mounted elsewhere is the machine's."""
_MAX_DEPTH = 8  # of mappings and arrays on one another


class Refusal(Enum):
    """Why a stick cannot be used; those of `burner.errors.UnsuitableStickError`, and ours."""

    NOT_REMOVABLE = "not_removable"
    SYSTEM_DISK = "system_disk"
    IN_USE = "in_use"
    READ_ONLY = "read_only"
    NO_FILE_SYSTEM = "no_file_system"
    OTHER_FILE_SYSTEM = "other_file_system"

    @property
    def text(self) -> str:
        return _TEXTS[self]


_TEXTS: Final = {
    Refusal.NOT_REMOVABLE: "a disk that is built in, or cannot be told from one: never written to",
    Refusal.SYSTEM_DISK: "this machine has file systems or swap on it: never written to",
    Refusal.IN_USE: "it is mounted or part of something: take it out of use, and switch off what"
    " mounts sticks by itself",
    Refusal.READ_ONLY: "it is write-protected",
    Refusal.NO_FILE_SYSTEM: "it has no file system: format it as FAT32",
    Refusal.OTHER_FILE_SYSTEM: "its first partition is not FAT16 or FAT32",
}


@dataclass(frozen=True, slots=True)
class DisksInUse:
    """Disks by their real place in sysfs, and what is mounted of them ("swap" for swap)."""

    mounts: dict[str, frozenset[str]]

    def of(self, sys_path: str) -> frozenset[str]:
        return self.mounts.get(sys_path, frozenset())


def disks_in_use(proc: Path = PROC, sys: Path = SYS) -> DisksInUse:
    """What is mounted and swapped to, down to whole disks, through mappings and arrays.

    Raises:
        DriveError: The table of mounts cannot be read: then nothing may be written.
    """
    found: dict[str, set[str]] = {}
    for number, where in [*_mounts(proc), *_swaps(proc)]:
        for disk in _disks_below(sys, number, 0):
            found.setdefault(disk, set()).add(where)
    return DisksInUse({disk: frozenset(places) for disk, places in found.items()})


def refusal(stick: Stick, in_use: DisksInUse, sys: Path = SYS) -> Refusal | None:
    """What speaks against a stick, by what is known without opening it; None if nothing does.

    What is on its file system is judged when it is opened (`burner.stick`).
    """
    places = in_use.of(stick.sys_path)
    if any(not f"{place}/".startswith(_PEOPLES) for place in places):
        return Refusal.SYSTEM_DISK
    if not stick.is_removable:
        return Refusal.NOT_REMOVABLE
    if places or _has_holders(_below(sys, stick.sys_path)):
        return Refusal.IN_USE
    if stick.is_read_only:
        return Refusal.READ_ONLY
    if not stick.volumes:
        return Refusal.NO_FILE_SYSTEM
    first = stick.volumes[0]
    if first.file_system == "":
        return Refusal.NO_FILE_SYSTEM
    return None if first.file_system == "vfat" else Refusal.OTHER_FILE_SYSTEM


def require_stick(descriptor: int) -> None:
    """The last look before anything is written: is the opened node a stick's?

    A configured node may be another disk's after re-plugging. A regular file passes.

    Raises:
        DriveError: As `require_stick_number`, or it is no disk.
    """
    facts = os.fstat(descriptor)
    if stat.S_ISREG(facts.st_mode):
        return
    if not stat.S_ISBLK(facts.st_mode):
        raise DriveError("the configured node is no disk")
    require_stick_number(facts.st_rdev)


def require_stick_number(number: int, *, proc: Path = PROC, sys: Path = SYS) -> None:
    """Of a disk or partition by its device number. Whatever is mounted of it counts, wherever: a
    stick that was opened exclusively is not mounted.

    Raises:
        DriveError: Not on USB, built in, or this machine has something on it.
    """
    place = disk_place(sys, number)
    if place is None:
        raise DriveError("the system does not say what the configured node is")
    disk = _disk_of(place)
    if disks_in_use(proc, sys).of(_name(sys, disk)) or _has_holders(disk):
        raise DriveError("this machine uses the configured disk: never written to")
    if not _is_removable_usb(disk):
        raise DriveError("the configured node is no removable USB stick: never written to")


def _is_removable_usb(disk: Path) -> bool:
    port = ""
    is_usb = False
    for above in disk.parents:
        if re.fullmatch(r"usb[0-9]+", above.name):
            is_usb = True
        if not port and (above / "idVendor").exists():  # the USB device itself, its hubs above it
            port = read_attribute(above / "removable")
    return (
        is_usb
        and port != "fixed"
        and (read_attribute(disk / "removable") == "1" or port == "removable")
    )


def _mounts(proc: Path) -> Iterator[tuple[int, str]]:
    """Device numbers and where they are mounted, proc(5) of mountinfo."""
    try:
        text = (proc / "self" / "mountinfo").read_text(errors="surrogateescape")
    except OSError as error:
        raise DriveError(f"what is mounted cannot be read: {error.strerror}") from error
    for line in text.splitlines():
        fields, _dash, rest = line.partition(" - ")
        words, sources = fields.split(" "), rest.split(" ")
        if len(words) < 5 or len(sources) < 2:
            continue
        where = words[4]
        major, _colon, minor = words[2].partition(":")
        if major.isdecimal() and minor.isdecimal():
            yield os.makedev(int(major), int(minor)), where
        # btrfs and others have a number of their own: what they lie on is named
        yield from _numbers(sources[1], where)


def _swaps(proc: Path) -> Iterator[tuple[int, str]]:
    """Swap partitions. The table is hidden from our own service; there a swap partition is known
    by its kind, and a swap file lies on what is mounted.
    """
    with contextlib.suppress(OSError):
        for line in (proc / "swaps").read_text(errors="surrogateescape").splitlines()[1:]:
            yield from _numbers(line.split(" ")[0].split("\t")[0], "swap")


def _numbers(node: str, where: str) -> Iterator[tuple[int, str]]:
    if not node.startswith("/"):
        return
    with contextlib.suppress(OSError, ValueError):
        facts = Path(node).stat()
        if stat.S_ISBLK(facts.st_mode):
            yield facts.st_rdev, where


def _disks_below(sys: Path, number: int, depth: int) -> Iterator[str]:
    """Whole disks that a device lies on: itself, or what a mapping or an array is made of."""
    place = disk_place(sys, number)
    if place is None or depth > _MAX_DEPTH:
        return
    disk = _disk_of(place)
    yield _name(sys, disk)
    for slave in _entries(disk / "slaves"):
        major, _colon, minor = read_attribute(slave / "dev").partition(":")
        if major.isdecimal() and minor.isdecimal():
            yield from _disks_below(sys, os.makedev(int(major), int(minor)), depth + 1)


def disk_place(sys: Path, number: int) -> Path | None:
    """Where sysfs has a disk or partition, by its device number."""
    link = sys / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}"
    return Path(os.path.realpath(link)) if link.exists() else None


def _disk_of(place: Path) -> Path:
    return place.parent if (place / "partition").exists() else place


def _name(sys: Path, place: Path) -> str:
    """As udev calls it, wherever sysfs is."""
    return "/sys" + str(place).removeprefix(os.path.realpath(sys))


def _below(sys: Path, sys_path: str) -> Path:
    return sys / sys_path.removeprefix("/sys/")


def _has_holders(disk: Path) -> bool:
    """Whether a mapping or an array lies on the disk, or on a partition of it."""
    parts = [it for it in _entries(disk) if (it / "partition").exists()]
    return any(any(_entries(it / "holders")) for it in (disk, *parts))


def _entries(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from sorted(folder.iterdir())


def read_attribute(file: Path) -> str:
    """Of sysfs, "" if it is not there."""
    try:
        return file.read_text(errors="replace")[:64].strip()
    except OSError:
        return ""
