"""udev's words as facts: every row of the table, and what no device may do by its names."""

from __future__ import annotations

from pathlib import Path

import pytest

from burner.devices import Disc, DiscStatus
from burner.devices.model import OpticalDrive, Stick, is_at, stable_name
from burner.devices.properties import KINDS, RawDevice, disc_of, drive_of, stick_of, volume_of

STATES = {
    "blank": DiscStatus.BLANK,
    "appendable": DiscStatus.APPENDABLE,
    "complete": DiscStatus.COMPLETE,
    "other": DiscStatus.UNKNOWN,
    "": DiscStatus.UNKNOWN,
}
# What cdrom_id sets for one medium, all flags of it.
FLAGS = {
    "CD-R": ["CD_R"],
    "CD-RW": ["CD_RW"],
    "DVD-R": ["DVD_R"],
    "DVD-R DL": ["DVD_R_DL", "DVD_R_DL_SEQ", "DVD_R"],
    "DVD-RW": ["DVD_RW", "DVD_RW_RO"],
    "DVD-RAM": ["DVD_RAM"],
    "DVD+R": ["DVD_PLUS_R"],
    "DVD+R DL": ["DVD_PLUS_R_DL"],
    "DVD+RW": ["DVD_PLUS_RW"],
    "DVD+RW DL": ["DVD_PLUS_RW_DL"],
    "BD-R": ["BD_R", "BD_R_SRM"],
    "BD-RE": ["BD_RE"],
    "HD DVD-R": ["HDDVD_R"],
    "HD DVD-R DL": ["HDDVD_R_DL"],
    "HD DVD-RW": ["HDDVD_RW"],
    "HD DVD-RW DL": ["HDDVD_RW_DL"],
    "HD DVD-RAM": ["HDDVD_RAM"],
    "MO": ["MO"],
}
ONCE = {"CD-R", "DVD-R", "DVD-R DL", "DVD+R", "DVD+R DL", "BD-R", "HD DVD-R", "HD DVD-R DL"}
PRESSED = {"CD-ROM": "CD", "DVD-ROM": "DVD", "BD-ROM": "BD", "HD DVD-ROM": "HDDVD"}


def media(*flags: str, state: str = "") -> dict[str, str]:
    told = {f"ID_CDROM_MEDIA_{flag}": "1" for flag in flags}
    return {"ID_CDROM_MEDIA": "1", **told, **({"ID_CDROM_MEDIA_STATE": state} if state else {})}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", FLAGS)
def test_every_medium_in_every_state(kind: str, state: str) -> None:
    disc = disc_of(media(*FLAGS[kind], state=state))
    assert disc == Disc(STATES[state], kind)
    assert disc.is_rewritable == (kind not in ONCE)
    assert disc.is_recordable == (kind in ONCE and state == "blank")


@pytest.mark.parametrize("kind", PRESSED)
@pytest.mark.parametrize("state", ["", "complete", "blank"])
def test_pressed_media_are_pressed_whatever_they_say(kind: str, state: str) -> None:
    disc = disc_of(media(PRESSED[kind], state=state))
    assert disc == Disc(DiscStatus.PRESSED, kind)
    assert not disc.is_recordable


def test_every_row_of_the_table_is_reached() -> None:
    assert {kind for _flag, kind in KINDS} == set(FLAGS) | set(PRESSED)
    for flag, kind in KINDS:
        assert disc_of(media(flag, state="complete")).kind == kind


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({}, DiscStatus.NONE),
        ({"ID_CDROM_MEDIA": "0"}, DiscStatus.NONE),
        ({"ID_CDROM_MEDIA_CD_R": "1"}, DiscStatus.NONE),
        (media(), DiscStatus.UNKNOWN),
        (media(state="blank"), DiscStatus.UNKNOWN),
        (media("SOMETHING_NEW", state="blank"), DiscStatus.UNKNOWN),
        (media("CD_R", state="blank\n"), DiscStatus.UNKNOWN),
    ],
)
def test_in_doubt_a_disc_is_not_recordable(told: dict[str, str], status: DiscStatus) -> None:
    disc = disc_of(told)
    assert disc.status is status
    assert not disc.is_recordable


DRIVE = {"DEVNAME": "/dev/sr0", "DEVTYPE": "disk", "ID_CDROM": "1"}
STICK = {"DEVNAME": "/dev/sdb", "DEVTYPE": "disk", "ID_BUS": "usb"}


def a_drive(**told: str) -> OpticalDrive:
    found = drive_of(RawDevice("/sys/devices/x/block/sr0", properties={**DRIVE, **told}))
    assert found is not None
    return found


def a_stick(**told: str) -> Stick:
    raw = RawDevice(
        "/sys/devices/x/block/sdb", properties={**STICK, **told}, sectors=8, is_removable=True
    )
    found = stick_of(raw)
    assert found is not None
    return found


def test_names_are_cut_and_printable() -> None:
    drive = a_drive(ID_VENDOR="\x1b[2J\u202eEVIL" * 1000, ID_MODEL="A_B\n" + "é" * 1000)
    assert drive.name.isprintable()
    assert len(drive.name) <= 129
    stick = a_stick(ID_PART_TABLE_TYPE="dos\x07" * 1000)
    assert stick.table.isprintable()
    assert len(stick.table) <= 64


@pytest.mark.parametrize(
    "node", ["", "sr0", "/dev/", "/dev/../etc/passwd", "/etc/passwd", "/dev/a b", "/dev/sr0\n",
             "/dev/" + "x" * 99, "/dev/disk/by-id/x"],
)  # fmt: skip
def test_a_node_that_is_none_is_no_device(node: str) -> None:
    told = {"DEVNAME": node}
    assert drive_of(RawDevice("/sys/x", properties={**DRIVE, **told})) is None
    assert stick_of(RawDevice("/sys/x", properties={**STICK, **told}, sectors=8)) is None
    assert volume_of(RawDevice("/sys/x", properties=told, sectors=8)) is None


def test_links_are_known_folders_only_limited_and_never_cut() -> None:
    many = " ".join(f"/dev/disk/by-id/{number:0200}" for number in range(1000))
    links = a_drive(DEVLINKS=many).links
    assert len(links) == 32
    assert all(len(link) == len("/dev/disk/by-id/") + 200 for link in links)
    odd = "/dev/cdrom /dev/disk/by-label/DOE /dev/disk/by-id/a/../b /dev/disk/by-id/é /dev/sda"
    assert a_drive(DEVLINKS=odd).links == ()


@pytest.mark.parametrize(
    ("told", "sectors"),
    [
        ({"ID_BUS": "ata"}, 8),
        ({"ID_BUS": ""}, 8),
        ({"ID_CDROM": "1"}, 8),
        ({"DEVTYPE": "partition"}, 8),
        ({}, 0),
    ],
    ids=["ata", "no bus", "a drive", "a partition", "no card"],
)
def test_what_is_no_stick(told: dict[str, str], sectors: int) -> None:
    assert stick_of(RawDevice("/sys/x", properties={**STICK, **told}, sectors=sectors)) is None


@pytest.mark.parametrize(
    ("is_removable", "port", "expected"),
    [
        (True, "removable", True),
        (True, "unknown", True),
        (True, "", True),
        (False, "removable", True),  # sticks that call themselves fixed disks
        (False, "unknown", False),
        (False, "", False),
        (True, "fixed", False),  # soldered in
        (False, "fixed", False),
    ],
)
def test_removable_by_the_medium_or_by_the_port(
    is_removable: bool, port: str, expected: bool
) -> None:
    raw = RawDevice("/sys/x", properties=STICK, sectors=8, is_removable=is_removable, port=port)
    stick = stick_of(raw)
    assert stick is not None
    assert stick.is_removable is expected


def test_a_stick_without_partitions_is_one_volume() -> None:
    assert a_stick().volumes == ()
    (volume,) = a_stick(ID_FS_TYPE="vfat", ID_FS_VERSION="FAT16").volumes
    assert (volume.number, volume.file_system, volume.version) == (0, "vfat", "FAT16")


BY_ID, BY_PATH = "/dev/disk/by-id/usb-B_1", "/dev/disk/by-path/pci-usb-1"
LINKS = f"/dev/cdrom {BY_PATH} {BY_ID}"


def test_a_drive_is_named_by_its_serial_and_a_stick_by_its_port() -> None:
    drive, stick = a_drive(DEVLINKS=LINKS), a_stick(DEVLINKS=LINKS)
    assert stable_name(drive) == BY_ID
    assert stable_name(stick) == BY_PATH
    assert stable_name(a_drive()) == "/dev/sr0"


def test_two_drives_of_one_serial_are_named_by_their_ports() -> None:
    other = a_drive(DEVLINKS=f"{BY_ID} /dev/disk/by-path/pci-usb-2", DEVNAME="/dev/sr1")
    drive = a_drive(DEVLINKS=LINKS)
    assert stable_name(drive, [drive, other]) == BY_PATH
    assert stable_name(other, [drive, other]) == "/dev/disk/by-path/pci-usb-2"


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("/dev/sdb", True), ("/dev/sdb1", True), ("/dev/sdb12", True), (BY_PATH, True),
        (f"{BY_PATH}-part1", True), (BY_ID, True),
        ("/dev/sdc", False), ("/dev/sdbc", False), ("/dev/sd", False),
        ("/dev/disk/by-path/pci", False),
        (f"{BY_PATH}-part", False),
    ],
)  # fmt: skip
def test_a_configured_place_is_a_sticks_or_a_partitions_of_it(place: str, expected: bool) -> None:
    assert is_at(a_stick(DEVLINKS=LINKS), Path(place)) is expected


def test_a_drive_has_no_partitions() -> None:
    assert is_at(a_drive(), Path("/dev/sr0"))
    assert not is_at(a_drive(), Path("/dev/sr01"))
