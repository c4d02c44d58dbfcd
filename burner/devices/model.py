"""What is told of devices: plain facts, comparable, without a word that somebody else chose for a
medium. Labels are left out: a stick or disc may be named after a person.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import ClassVar

_REWRITABLE = ("CD-RW", "DVD-RW", "DVD+RW", "DVD-RAM", "BD-RE", "HD DVD-RW", "HD DVD-RAM", "MO")
_PART = re.compile(r"-part[0-9]+$")


class DiscStatus(Enum):
    """What udev says of what is in a drive."""

    NONE = "none"  # nothing, or an open tray
    BLANK = "blank"
    APPENDABLE = "appendable"
    COMPLETE = "complete"
    PRESSED = "pressed"
    UNKNOWN = "unknown"  # something that it does not know, or knows no state of


@dataclass(frozen=True, slots=True)
class Disc:
    """What is in a drive.

    Attributes:
        kind: Such as "CD-R" or "DVD+R DL"; "" if there is none, or it is not known.
    """

    status: DiscStatus
    kind: str = ""

    @property
    def is_rewritable(self) -> bool:
        return self.kind.startswith(_REWRITABLE)

    @property
    def is_recordable(self) -> bool:
        """Blank and of a kind that is written once; the recording program has the last word."""
        is_once = self.kind.startswith(("CD-R", "DVD-R", "DVD+R", "BD-R", "HD DVD-R"))
        return self.status is DiscStatus.BLANK and is_once and not self.is_rewritable


NO_DISC = Disc(DiscStatus.NONE)


@dataclass(frozen=True, slots=True)
class OpticalDrive:
    """A drive for discs.

    Attributes:
        sys_path: Its place in sysfs; tells one device from another as long as it is plugged in.
        node: Such as /dev/sr0; may be another one after re-plugging.
        links: Names that stay the same, /dev/disk/by-id (the drive's serial number) before
            /dev/disk/by-path (the port).
        name: Maker and model.
        writes: Kinds of discs that it writes, such as "CD-R"; () for a reader.
    """

    sys_path: str
    node: str
    links: tuple[str, ...]
    name: str
    writes: tuple[str, ...]
    disc: Disc


@dataclass(frozen=True, slots=True)
class Volume:
    """One partition of a stick, or a stick without partitions.

    Attributes:
        number: Of the partition, 0 for a stick without.
        file_system: As udev names it, such as "vfat"; "" if it knows none.
        version: Such as "FAT32"; "".
    """

    node: str
    links: tuple[str, ...]
    number: int
    file_system: str
    version: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Stick:
    """A disk on USB, with what is on it; also one that may not be written (`policy.refusal`).

    Attributes:
        sys_path, links: As a drive's, but /dev/disk/by-path comes first: any stick in that port.
        is_removable: The disk says so, or its USB port can be unplugged.
        table: "dos", "gpt" or "" for none.
        volumes: By number.
    """

    sys_path: str
    node: str
    links: tuple[str, ...]
    name: str
    size_bytes: int
    is_removable: bool
    is_read_only: bool
    table: str
    volumes: tuple[Volume, ...] = ()


def stable_name(device: OpticalDrive | Stick, others: Sequence[OpticalDrive | Stick] = ()) -> str:
    """What to configure: a link that no other device has as well, its node if there is none."""
    taken = {link for other in others if other is not device for link in other.links}
    return next((link for link in device.links if link not in taken), device.node)


def is_at(device: OpticalDrive | Stick, place: Path) -> bool:
    """Whether the configured node or link is this device's, or a partition's of it."""
    path = str(place)
    known = {device.node, *device.links}
    if path in known or _PART.sub("", path) in known:
        return True
    if not isinstance(device, Stick):
        return False
    suffix = path.removeprefix(device.node)
    return suffix != path and re.fullmatch(r"p?[0-9]+", suffix) is not None


@dataclass(frozen=True, slots=True)
class Devices:
    """All of them, by node."""

    drives: tuple[OpticalDrive, ...] = ()
    sticks: tuple[Stick, ...] = ()


# --- events: what happened, and the device as it is now (as it was last, of one that is gone)


@dataclass(frozen=True, slots=True)
class DriveAdded:
    """A drive was plugged in, perhaps with a disc in it."""

    word: ClassVar[str] = "drive.added"
    drive: OpticalDrive


@dataclass(frozen=True, slots=True)
class DriveRemoved:
    """A drive was unplugged."""

    word: ClassVar[str] = "drive.removed"
    drive: OpticalDrive


@dataclass(frozen=True, slots=True)
class DriveChanged:
    """Its names, or what it writes: udev knows neither right after the button was pressed."""

    word: ClassVar[str] = "drive.changed"
    drive: OpticalDrive


@dataclass(frozen=True, slots=True)
class MediumIn:
    """A drive that was empty or open holds a disc."""

    word: ClassVar[str] = "medium.in"
    drive: OpticalDrive


@dataclass(frozen=True, slots=True)
class MediumOut:
    """A drive holds nothing any more, or its tray is open."""

    word: ClassVar[str] = "medium.out"
    drive: OpticalDrive
    was: Disc


@dataclass(frozen=True, slots=True)
class MediumChanged:
    """Another disc, or the same one in another state; `was` may be equal to what is there now."""

    word: ClassVar[str] = "medium.changed"
    drive: OpticalDrive
    was: Disc


@dataclass(frozen=True, slots=True)
class EjectAsked:
    """The drive's button was pressed while its tray is locked."""

    word: ClassVar[str] = "eject.asked"
    drive: OpticalDrive


@dataclass(frozen=True, slots=True)
class StickIn:
    """A stick, or a card in a reader. Its partitions may follow as `StickChanged`."""

    word: ClassVar[str] = "stick.in"
    stick: Stick


@dataclass(frozen=True, slots=True)
class StickOut:
    """A stick was pulled, or a card taken out of its reader."""

    word: ClassVar[str] = "stick.out"
    stick: Stick


@dataclass(frozen=True, slots=True)
class StickChanged:
    """What is on it, or whether it may be written."""

    word: ClassVar[str] = "stick.changed"
    stick: Stick


DriveEvent = (
    DriveAdded | DriveRemoved | DriveChanged | MediumIn | MediumOut | MediumChanged | EjectAsked
)
StickEvent = StickIn | StickOut | StickChanged
Event = DriveEvent | StickEvent


def device_of(event: Event) -> OpticalDrive | Stick:
    return event.stick if isinstance(event, StickIn | StickOut | StickChanged) else event.drive
