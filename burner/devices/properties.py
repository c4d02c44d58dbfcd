"""udev's properties as the model. Everything in them is input from outside: a device chooses its
names itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from burner.devices.model import NO_DISC, Disc, DiscStatus, OpticalDrive, Stick, Volume
from burner.messages import clean

SECTOR_BYTES = 512  # of sysfs' `size`, whatever the device's own sectors are
MAX_TEXT = 64
MAX_LINKS = 32
MAX_LINKS_TEXT = 8192

PREFIX = "ID_CDROM_MEDIA_"

# By udev's cdrom_id; the special before the general, because several are set at once.
KINDS: tuple[tuple[str, str], ...] = (
    ("DVD_R_DL_SEQ", "DVD-R DL"),
    ("DVD_R_DL_JR", "DVD-R DL"),
    ("DVD_R_DL", "DVD-R DL"),
    ("DVD_PLUS_R_DL", "DVD+R DL"),
    ("DVD_PLUS_RW_DL", "DVD+RW DL"),
    ("DVD_RW_RO", "DVD-RW"),
    ("DVD_RW_SEQ", "DVD-RW"),
    ("DVD_RW", "DVD-RW"),
    ("DVD_PLUS_RW", "DVD+RW"),
    ("DVD_RAM", "DVD-RAM"),
    ("DVD_PLUS_R", "DVD+R"),
    ("DVD_R", "DVD-R"),
    ("BD_RE", "BD-RE"),
    ("BD_R_SRM", "BD-R"),
    ("BD_R_RRM", "BD-R"),
    ("BD_R", "BD-R"),
    ("HDDVD_RW_DL", "HD DVD-RW DL"),
    ("HDDVD_R_DL", "HD DVD-R DL"),
    ("HDDVD_RW", "HD DVD-RW"),
    ("HDDVD_RAM", "HD DVD-RAM"),
    ("HDDVD_R", "HD DVD-R"),
    ("CD_RW", "CD-RW"),
    ("CD_R", "CD-R"),
    ("MO", "MO"),
    ("HDDVD", "HD DVD-ROM"),
    ("BD", "BD-ROM"),
    ("DVD", "DVD-ROM"),
    ("CD", "CD-ROM"),
)
_STATES = {
    "blank": DiscStatus.BLANK,
    "appendable": DiscStatus.APPENDABLE,
    "complete": DiscStatus.COMPLETE,
}
_WRITES = (
    ("CD_R", "CD-R"),
    ("DVD_R", "DVD-R"),
    ("DVD_PLUS_R", "DVD+R"),
    ("DVD_R_DL", "DVD-R DL"),
    ("DVD_PLUS_R_DL", "DVD+R DL"),
    ("BD_R", "BD-R"),
)

KEYS: frozenset[str] = frozenset(
    {
        "DEVNAME", "DEVTYPE", "DEVLINKS", "DISK_MEDIA_CHANGE", "DISK_EJECT_REQUEST", "ID_BUS",
        "ID_CDROM", "ID_CDROM_MEDIA", f"{PREFIX}STATE", "ID_FS_TYPE", "ID_FS_VERSION", "ID_MODEL",
        "ID_PART_TABLE_TYPE", "ID_VENDOR", "PARTN", "ID_PART_ENTRY_NUMBER",
    }
    | {PREFIX + name for name, _kind in KINDS}
    | {f"ID_CDROM_{name}" for name, _kind in _WRITES}
)  # fmt: skip
"""All that is read of a device, besides its place."""

_NODE = re.compile(r"/dev/[A-Za-z0-9_.:+-]{1,64}")
# udev writes whatever else as \x20
_LINK = re.compile(r"/dev/disk/by-(?:id|path)/[A-Za-z0-9_.:+=@%,~#\\-]{1,200}")


@dataclass(frozen=True, slots=True)
class RawDevice:
    """A block device as udev tells of it, in the database or in a message.

    Attributes:
        action: Of the message, such as "add" or "change"; "" out of the database.
        number: Of the message, counted by the kernel; 0 out of the database.
        properties: Those of KEYS that it has.
        sectors: 0 if it has no medium, or has gone already.
        is_removable, is_read_only: By sysfs; of a partition the disk's.
        port: What sysfs says of the USB device's port: "removable", "fixed", "unknown" or "".
    """

    sys_path: str
    action: str = ""
    number: int = 0
    properties: Mapping[str, str] = field(default_factory=dict)
    sectors: int = 0
    is_removable: bool = False
    is_read_only: bool = False
    port: str = ""

    @property
    def is_gone(self) -> bool:
        return self.action in ("remove", "offline")

    @property
    def is_partition(self) -> bool:
        return self.properties.get("DEVTYPE") == "partition"

    @property
    def asks_to_eject(self) -> bool:
        return self.properties.get("DISK_EJECT_REQUEST") == "1"

    @property
    def is_media_change(self) -> bool:
        return self.properties.get("DISK_MEDIA_CHANGE") == "1"


def disc_of(properties: Mapping[str, str]) -> Disc:
    """What is in a drive."""
    if properties.get("ID_CDROM_MEDIA") != "1":
        return NO_DISC
    kind = next((kind for name, kind in KINDS if properties.get(PREFIX + name) == "1"), "")
    if kind.endswith("-ROM"):  # cdrom_id tells no state of a CD-ROM
        return Disc(DiscStatus.PRESSED, kind)
    state = properties.get(f"{PREFIX}STATE", "")
    return Disc(_STATES.get(state, DiscStatus.UNKNOWN) if kind else DiscStatus.UNKNOWN, kind)


def drive_of(raw: RawDevice) -> OpticalDrive | None:
    """None if it is no drive for discs, or has no node that could be opened."""
    properties = raw.properties
    node = _node(properties)
    if properties.get("ID_CDROM") != "1" or raw.is_partition or node is None:
        return None
    return OpticalDrive(
        sys_path=raw.sys_path,
        node=node,
        links=_links(properties, first="by-id"),
        name=_name(properties),
        writes=tuple(kind for name, kind in _WRITES if properties.get(f"ID_CDROM_{name}") == "1"),
        disc=disc_of(properties),
    )


def stick_of(raw: RawDevice) -> Stick | None:
    """Without its partitions. None if it is none, or a reader without a card."""
    properties = raw.properties
    node = _node(properties)
    if (
        properties.get("ID_BUS") != "usb"
        or properties.get("ID_CDROM") == "1"
        or raw.is_partition
        or node is None
        or raw.sectors == 0
    ):
        return None
    whole = volume_of(raw)
    return Stick(
        sys_path=raw.sys_path,
        node=node,
        links=_links(properties, first="by-path"),
        name=_name(properties),
        size_bytes=raw.sectors * SECTOR_BYTES,
        is_removable=raw.port != "fixed" and (raw.is_removable or raw.port == "removable"),
        is_read_only=raw.is_read_only,
        table=clean(properties.get("ID_PART_TABLE_TYPE", ""), MAX_TEXT),
        volumes=(whole,) if whole is not None and whole.file_system else (),
    )


def volume_of(raw: RawDevice) -> Volume | None:
    """A partition, or a whole disk as one. None if it has no node that could be opened."""
    properties = raw.properties
    node = _node(properties)
    if node is None:
        return None
    number = properties.get("PARTN") or properties.get("ID_PART_ENTRY_NUMBER") or "0"
    return Volume(
        node=node,
        links=_links(properties, first="by-path"),
        number=int(number) if re.fullmatch(r"[0-9]{1,4}", number) and raw.is_partition else 0,
        file_system=clean(properties.get("ID_FS_TYPE", ""), MAX_TEXT),
        version=clean(properties.get("ID_FS_VERSION", ""), MAX_TEXT),
        size_bytes=raw.sectors * SECTOR_BYTES,
    )


def _node(properties: Mapping[str, str]) -> str | None:
    node = properties.get("DEVNAME", "")
    return node if _NODE.fullmatch(node) and ".." not in node else None


def _links(properties: Mapping[str, str], *, first: str) -> tuple[str, ...]:
    """Sorted, those by `first` before the others; a name that is odd is none."""
    text = properties.get("DEVLINKS", "")
    words = text[:MAX_LINKS_TEXT].split(" ")
    if len(text) > MAX_LINKS_TEXT:
        words.pop()  # cut, and another name than was told
    sound = sorted({word for word in words if _LINK.fullmatch(word)})[:MAX_LINKS]
    return tuple(sorted(sound, key=lambda link: (f"/{first}/" not in link, link)))


def _name(properties: Mapping[str, str]) -> str:
    words = [clean(properties.get(key, ""), MAX_TEXT) for key in ("ID_VENDOR", "ID_MODEL")]
    return " ".join(word.replace("_", " ").strip() for word in words if word)
