"""What stands on the desk: drives, sticks and readers, plugged in and out of a `Bed`.

Each act does what udev was seen to tell, and returns the events that have to come of it. The
expected facts are written down here by hand, not taken from the code that is tested.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from burner.devices import (
    Disc,
    DiscStatus,
    DriveAdded,
    DriveRemoved,
    EjectAsked,
    Event,
    MediumChanged,
    MediumIn,
    MediumOut,
    OpticalDrive,
    Stick,
    StickChanged,
    StickIn,
    StickOut,
    Volume,
)
from tests.integration.udev.bed import Bed

NONE = Disc(DiscStatus.NONE)
M = "ID_CDROM_MEDIA_"
DISCS: dict[Disc, dict[str, str]] = {
    NONE: {},
    Disc(DiscStatus.BLANK, "CD-R"): {M + "CD_R": "1", M + "STATE": "blank"},
    Disc(DiscStatus.APPENDABLE, "CD-R"): {M + "CD_R": "1", M + "STATE": "appendable"},
    Disc(DiscStatus.COMPLETE, "DVD+R"): {M + "DVD_PLUS_R": "1", M + "STATE": "complete"},
    Disc(DiscStatus.BLANK, "BD-R"): {M + "BD_R": "1", M + "BD_R_SRM": "1", M + "STATE": "blank"},
    Disc(DiscStatus.PRESSED, "CD-ROM"): {M + "CD": "1"},
    Disc(DiscStatus.UNKNOWN, "DVD-R"): {M + "DVD_R": "1", M + "STATE": "other"},
}


@dataclass
class DriveOnDesk:
    """A recorder on a port of its own; `letter` tells several apart."""

    bed: Bed
    letter: str
    number: int
    drive: OpticalDrive | None = None

    @property
    def path(self) -> str:
        return f"/devices/pci0000:00/ata{self.letter}/host/target/block/sr{self.number}"

    def _properties(self, disc: Disc) -> dict[str, str]:
        found = DISCS[disc]
        return {
            "DEVNAME": f"/dev/sr{self.number}",
            "DEVTYPE": "disk",
            "DEVLINKS": f"/dev/cdrom /dev/disk/by-path/pci-ata-{self.letter}"
            f" /dev/disk/by-id/ata-BURNER_{self.letter} /dev/disk/by-label/DOE",
            "ID_CDROM": "1",
            "ID_CDROM_CD_R": "1",
            "ID_CDROM_DVD_PLUS_R": "1",
            "ID_VENDOR": "TEST",
            "ID_MODEL": "FAST_BURNER",
            **({"ID_CDROM_MEDIA": "1"} if disc != NONE else {}),
            **found,
        }

    def _facts(self, disc: Disc) -> OpticalDrive:
        return OpticalDrive(
            sys_path="/sys" + self.path,
            node=f"/dev/sr{self.number}",
            links=(
                f"/dev/disk/by-id/ata-BURNER_{self.letter}",
                f"/dev/disk/by-path/pci-ata-{self.letter}",
            ),
            name="TEST FAST BURNER",
            writes=("CD-R", "DVD+R"),
            disc=disc,
        )

    def plug(self, disc: Disc = NONE) -> list[Event]:
        self.drive = self._facts(disc)
        self.bed.add(self.path, self._properties(disc), {"size": "0", "removable": "1"})
        return [DriveAdded(self.drive)]

    def unplug(self) -> list[Event]:
        assert self.drive is not None
        was, self.drive = self.drive, None
        self.bed.remove(self.path)
        return [DriveRemoved(was)]

    def load(self, disc: Disc) -> list[Event]:
        """What the drive holds now; the same disc again is another one of its kind."""
        assert self.drive is not None
        was = self.drive.disc
        self.drive = self._facts(disc)
        self.bed.change(self.path, {**self._properties(disc), "DISK_MEDIA_CHANGE": "1"})
        if disc == NONE:
            return [] if was == NONE else [MediumOut(self.drive, was)]
        return [MediumIn(self.drive) if was == NONE else MediumChanged(self.drive, was)]

    def look_again(self) -> list[Event]:
        """As `udevadm trigger` does."""
        assert self.drive is not None
        self.bed.change(self.path, self._properties(self.drive.disc))
        return []

    def press(self) -> list[Event]:
        """The button, at which udev opens the drive."""
        return [*self.ask_to_eject(), *self.load(NONE)]

    def ask_to_eject(self) -> list[Event]:
        """udev asks the drive nothing then, neither what it can do nor what is in it."""
        assert self.drive is not None
        told = {
            key: value
            for key, value in self._properties(NONE).items()
            if not key.startswith("ID_CDROM_")
        }
        self.bed.change(self.path, {**told, "DISK_EJECT_REQUEST": "1"})
        return [EjectAsked(self.drive)]


@dataclass
class StickOnDesk:
    """A stick, or a card reader (`is_reader`), at a port of its own."""

    bed: Bed
    letter: str
    is_reader: bool = False
    volumes: dict[int, Volume] = field(default_factory=dict)
    is_plugged: bool = False
    sectors: int = 0

    @property
    def port(self) -> str:
        return f"/devices/pci0000:00/usb1/1-{self.letter}"

    @property
    def path(self) -> str:
        return f"{self.port}/1-{self.letter}:1.0/host/block/sd{self.letter}"

    @property
    def has_medium(self) -> bool:
        return self.is_plugged and self.sectors > 0

    def _properties(self) -> dict[str, str]:
        return {
            "DEVNAME": f"/dev/sd{self.letter}",
            "DEVTYPE": "disk",
            "DEVLINKS": f"/dev/disk/by-id/usb-STICK_{self.letter}"
            f" /dev/disk/by-path/pci-usb-{self.letter}",
            "ID_BUS": "usb",
            "ID_VENDOR": "Good",
            "ID_MODEL": "Stick",
            **({"ID_PART_TABLE_TYPE": "dos"} if self.sectors else {}),
        }

    def facts(self) -> Stick:
        return Stick(
            sys_path="/sys" + self.path,
            node=f"/dev/sd{self.letter}",
            links=(
                f"/dev/disk/by-path/pci-usb-{self.letter}",
                f"/dev/disk/by-id/usb-STICK_{self.letter}",
            ),
            name="Good Stick",
            size_bytes=self.sectors * 512,
            is_removable=True,
            is_read_only=False,
            table="dos",
            volumes=tuple(self.volumes[number] for number in sorted(self.volumes)),
        )

    def plug(self, sectors: int) -> list[Event]:
        self.is_plugged, self.sectors = True, sectors
        self.bed.add(
            self.port, {"DEVTYPE": "usb_device"}, {"removable": "removable"}, subsystem="usb"
        )
        self.bed.add(
            self.path, self._properties(), {"size": str(sectors), "removable": "1", "ro": "0"}
        )
        return [StickIn(self.facts())] if sectors else []

    def set_card(self, sectors: int) -> list[Event]:
        """Into or out of a reader that stays plugged in."""
        was = self.facts() if self.sectors else None
        events: list[Event] = []
        for number in sorted(self.volumes):
            events += self.drop(number)
        if was is not None:
            was = self.facts()
        self.sectors = sectors
        told = {**self._properties(), "DISK_MEDIA_CHANGE": "1"}
        self.bed.change(self.path, told, {"size": str(sectors)})
        if sectors == 0:
            return [*events, StickOut(was)] if was is not None else events
        return [*events, StickIn(self.facts()) if was is None else StickChanged(self.facts())]

    def part(self, number: int, file_system: str = "vfat") -> list[Event]:
        """A partition of it is found."""
        name = f"sd{self.letter}{number}"
        version = "FAT32" if file_system == "vfat" else ""
        self.volumes[number] = Volume(
            f"/dev/{name}",
            (f"/dev/disk/by-path/pci-usb-{self.letter}-part{number}",),
            number,
            file_system,
            version,
            1000 * number * 512,
        )
        told = {
            "DEVNAME": f"/dev/{name}",
            "DEVTYPE": "partition",
            "DEVLINKS": f"/dev/disk/by-path/pci-usb-{self.letter}-part{number}",
            "PARTN": str(number),
            "ID_BUS": "usb",
            "ID_FS_TYPE": file_system,
            "ID_FS_VERSION": version,
            "ID_FS_LABEL": "JOHN DOE",
        }
        self.bed.add(f"{self.path}/{name}", told, {"size": str(1000 * number), "partition": "1"})
        return [StickChanged(self.facts())]

    def drop(self, number: int) -> list[Event]:
        """A partition goes."""
        del self.volumes[number]
        self.bed.remove(f"{self.path}/sd{self.letter}{number}")
        return [StickChanged(self.facts())]

    def unplug(self) -> list[Event]:
        events: list[Event] = []
        for number in sorted(self.volumes):
            events += self.drop(number)
        was = replace(self.facts())
        is_out = self.has_medium
        self.is_plugged, self.sectors = False, 0
        self.bed.remove(self.path)
        self.bed.remove(self.port)
        return [*events, StickOut(was)] if is_out else events
