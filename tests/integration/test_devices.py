"""What udev tells becomes what a process of ours knows: unmodified libudev and pyudev, on mocked
devices.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from burner.devices import (
    Devices,
    Disc,
    DiscStatus,
    DriveAdded,
    DriveChanged,
    DriveRemoved,
    Event,
    StickIn,
    StickOut,
)
from burner.devices.model import device_of
from burner.devices.properties import disc_of
from tests.integration.mmc.double import MmcDouble, is_available
from tests.integration.udev.bed import ROOT, Bed, Follower
from tests.integration.udev.machine import DISCS, NONE, DriveOnDesk, StickOnDesk

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not is_available(), reason="needs umockdev, gir1.2-umockdev-1.0 and python3-gi"
    ),
]


@pytest.fixture
def bed() -> Iterator[Bed]:
    with Bed() as bed:
        # Never told of: internal, and proof that a udev runs.
        told = {"DEVNAME": "/dev/sda", "DEVTYPE": "disk", "ID_BUS": "ata"}
        bed.add("/devices/pci0000:00/ata1/block/sda", told, {"size": "1000000", "removable": "0"})
        yield bed


@pytest.fixture
def follower(bed: Bed) -> Iterator[Follower]:
    with Follower(bed) as follower:
        assert follower.start() == Devices()
        yield follower


def test_every_change_of_medium(bed: Bed, follower: Follower) -> None:
    drive = DriveOnDesk(bed, "A", 0)
    expected = drive.plug()
    for first in DISCS:
        for second in DISCS:
            expected += drive.load(first)
            expected += drive.load(second)
            expected += drive.look_again()
    assert follower.tell() == expected


def test_the_button_of_a_locked_drive(bed: Bed, follower: Follower) -> None:
    disc = list(DISCS)[1]
    drive = DriveOnDesk(bed, "A", 0)
    expected = [*drive.plug(disc), *drive.press()]
    assert follower.tell() == expected
    assert [event.word for event in expected] == ["drive.added", "eject.asked", "medium.out"]


def test_several_drives_and_sticks_at_once(bed: Bed, follower: Follower) -> None:
    drives = [DriveOnDesk(bed, letter, number) for number, letter in enumerate("ABC")]
    sticks = [StickOnDesk(bed, letter) for letter in "bcd"]
    expected: list[Event] = []
    for drive, stick in zip(drives, sticks, strict=True):
        expected += drive.plug()
        expected += stick.plug(8_000_000)
    for disc, drive, stick in zip(list(DISCS)[1:], drives, sticks, strict=False):
        expected += drive.load(disc)
        expected += stick.part(1)
        expected += stick.part(2, "ntfs")
    assert follower.tell() == expected
    expected = [event for stick in sticks for event in stick.unplug()]
    expected += [event for drive in drives for event in drive.unplug()]
    assert follower.tell() == expected


def test_a_drive_comes_back_under_another_node_and_is_the_same(
    bed: Bed, follower: Follower
) -> None:
    drive = DriveOnDesk(bed, "A", 0)
    drive.plug()
    drive.unplug()
    drive.number = 1
    drive.plug()
    first, _, last = follower.tell()
    assert isinstance(first, DriveAdded)
    assert isinstance(last, DriveAdded)
    assert first.drive.node != last.drive.node
    assert first.drive.links == last.drive.links


def test_a_reader_is_told_of_when_a_card_is_in_it(bed: Bed, follower: Follower) -> None:
    reader = StickOnDesk(bed, "b", is_reader=True)
    assert reader.plug(0) == []
    assert follower.tell() == []
    expected = [*reader.set_card(5000), *reader.part(1)]
    assert follower.tell() == expected
    expected = reader.set_card(0)
    assert follower.tell() == expected
    assert [event.word for event in expected] == ["stick.changed", "stick.out"]
    expected = reader.set_card(7000)
    assert follower.tell() == expected
    expected = reader.unplug()
    assert follower.tell() == expected


def test_what_is_no_stick_is_not_told_of(bed: Bed, follower: Follower) -> None:
    phone = {"DEVTYPE": "usb_device", "ID_MTP_DEVICE": "1", "ID_GPHOTO2": "1"}
    bed.add("/devices/pci0000:00/usb1/1-9", phone, subsystem="usb")
    loop = {"DEVNAME": "/dev/loop7", "DEVTYPE": "disk"}
    bed.add("/devices/virtual/block/loop7", loop, {"size": "1000"})
    nvme = {"DEVNAME": "/dev/nvme0n1", "DEVTYPE": "disk", "ID_BUS": "nvme"}
    bed.add("/devices/pci0000:00/nvme/block/nvme0n1", nvme, {"size": "1000", "removable": "0"})
    assert follower.tell() == []


def test_a_disc_image_of_a_modem_is_a_drive_that_cannot_write(bed: Bed, follower: Follower) -> None:
    told = {"DEVNAME": "/dev/sr5", "DEVTYPE": "disk", "ID_BUS": "usb", "ID_CDROM": "1",
            "ID_CDROM_MEDIA": "1", "ID_CDROM_MEDIA_CD": "1"}  # fmt: skip
    bed.add("/devices/pci0000:00/usb1/1-8/block/sr5", told, {"size": "1000", "removable": "1"})
    (event,) = follower.tell()
    assert isinstance(event, DriveAdded)
    assert event.drive.writes == ()


def test_hostile_words_reach_nobody(bed: Bed, follower: Follower) -> None:
    evil = "\x1b[2J" + "A" * 300 + "\u202e"
    links = " ".join(["/dev/disk/by-id/../../sda", "/etc/shadow", "/dev/disk/by-id/" + "x" * 300,
                      "/dev/disk/by-id/\x1b]0;x", "/dev/disk/by-id/good"]
                     + [f"/dev/disk/by-path/n{number}" for number in range(40)])  # fmt: skip
    told = {"DEVNAME": "/dev/sdq", "DEVTYPE": "disk", "ID_BUS": "usb", "ID_VENDOR": evil,
            "ID_MODEL": evil, "ID_PART_TABLE_TYPE": evil, "DEVLINKS": links}  # fmt: skip
    path = "/devices/pci0000:00/usb1/1-7/block/sdq"
    bed.add(path, told, {"size": "9" * 30, "removable": "1"})
    bed.change(path, told, {"size": "2048", "removable": "1"})
    (event,) = follower.tell()
    assert isinstance(event, StickIn)
    stick = event.stick
    assert len(stick.name) <= 200
    assert stick.name.isprintable()
    assert len(stick.table) <= 64
    assert stick.table.isprintable()
    assert len(stick.links) <= 32
    assert all(link.startswith("/dev/disk/by-") and ".." not in link for link in stick.links)
    bed.add("/devices/x/block/odd", {**told, "DEVNAME": "/dev/../etc/shadow"}, {"size": "2048"})
    assert follower.tell() == []


def test_what_was_queued_before_the_snapshot_is_not_told_twice(bed: Bed) -> None:
    drive, stick = DriveOnDesk(bed, "A", 0), StickOnDesk(bed, "b")
    drive.plug()
    with Follower(bed) as follower:
        follower.ask("listen")
        for disc in list(DISCS)[1:6]:  # the mocked socket holds ten messages
            drive.load(disc)
        stick.plug(1000)
        stick.part(1)
        found = follower.start()
        assert (found.drives, found.sticks) == ((drive.drive,), (stick.facts(),))
        assert follower.tell() == []
        expected = [*drive.load(NONE), *stick.unplug()]
        assert follower.tell() == expected


def test_lost_messages_cost_no_state(bed: Bed, follower: Follower) -> None:
    drive, gone, stick = DriveOnDesk(bed, "A", 0), DriveOnDesk(bed, "B", 1), StickOnDesk(bed, "b")
    for event in [*drive.plug(), *gone.plug()]:
        assert isinstance(event, DriveAdded)
    follower.tell()
    follower.ask("lose 4")
    was = gone.drive
    disc = list(DISCS)[1]
    gone.unplug()
    drive.load(list(DISCS)[3])
    drive.load(disc)
    stick.plug(1000)
    stick.part(1)
    events = follower.tell()
    assert DriveRemoved(was) in events  # type: ignore[arg-type]
    assert [e for e in events if device_of(e) == drive.drive]
    assert len([e for e in events if isinstance(e, StickIn)]) == 1
    expected = drive.load(NONE)
    assert follower.tell() == expected


def test_the_sockets_own_overflow() -> None:
    """Ten thousand messages at a kernel socket that nobody reads, then what is told."""
    mount = "mount -t tmpfs none /run && exec "
    script = ROOT / "tests" / "integration" / "udev" / "flood.py"
    argv = ["unshare", "-rnm", "sh", "-c", f'{mount} "$0" -P "$1"', sys.executable, str(script)]
    if subprocess.run([*argv[:4], mount + "true"], capture_output=True).returncode != 0:
        pytest.skip("no namespaces of one's own here")
    done = subprocess.run(
        argv, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.stdout.startswith("OK "), done.stderr


CDROM_ID = Path("/usr/lib/udev/cdrom_id")
SEEN = [
    ("CD-R", "blank", DiscStatus.BLANK),
    ("CD-R", "appendable", DiscStatus.APPENDABLE),
    ("CD-R", "closed", DiscStatus.COMPLETE),
    ("CD-RW", "blank", DiscStatus.BLANK),
    ("CD-ROM", "pressed", DiscStatus.PRESSED),
    ("DVD-ROM", "pressed", DiscStatus.PRESSED),
    ("DVD-R", "blank", DiscStatus.BLANK),
    ("DVD-R", "closed", DiscStatus.COMPLETE),
    ("DVD+R", "blank", DiscStatus.BLANK),
    ("DVD+R", "appendable", DiscStatus.APPENDABLE),
    ("DVD+RW", "closed", DiscStatus.COMPLETE),
    ("BD-R", "blank", DiscStatus.BLANK),
    ("BD-R", "closed", DiscStatus.COMPLETE),
]


@pytest.mark.skipif(not CDROM_ID.exists(), reason="needs the program of the package udev")
def test_what_udevs_own_program_says_of_media(tmp_path: Path) -> None:
    """The real cdrom_id in front of the emulated writer."""

    def look() -> Disc:
        done = subprocess.run(
            [CDROM_ID, "/dev/sr0"],
            env={**os.environ, **double.environment}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return disc_of(dict(line.split("=", 1) for line in done.stdout.splitlines()))

    content = tmp_path / "content"
    content.write_bytes(b"\1" * 2048 * 400)  # of a DVD+RW it looks at sectors, too
    with MmcDouble(tmp_path) as double:
        assert look() == NONE
        for kind, state, status in SEEN:
            data = {} if state == "blank" else {"data": str(content)}
            double.order("insert", kind=kind, blocks=359_844, state=state, **data)
            double.order("set", is_changed=False)
            assert look() == Disc(status, kind), (kind, state)
        double.order("remove")
        double.order("set", is_changed=False)
        assert look() == NONE


def test_a_drive_first_seen_right_after_its_button_was_pressed(bed: Bed) -> None:
    """udev asked it nothing then; what it can do is told when it was asked again."""
    drive = DriveOnDesk(bed, "A", 0)
    drive.plug(list(DISCS)[1])
    drive.ask_to_eject()
    with Follower(bed) as follower:
        (seen,) = follower.start().drives
        assert (seen.writes, seen.disc) == ((), NONE)
        drive.load(NONE)
        assert drive.drive is not None
        assert drive.drive.writes
        assert follower.tell() == [DriveChanged(drive.drive)]


class Desk:
    """Acts at random, and what has to be told of them."""

    def __init__(self, bed: Bed, chance: random.Random, barrier: Callable[[], None]) -> None:
        self.drives = [DriveOnDesk(bed, letter, number) for number, letter in enumerate("ABC")]
        self.sticks = [StickOnDesk(bed, letter) for letter in "bcd"]
        self.reader = StickOnDesk(bed, "e", is_reader=True)
        self._chance = chance
        self._barrier = barrier

    def act(self) -> list[Event]:
        if self._chance.random() < 0.6:
            return self._act_drive(self._chance.choice(self.drives))
        if self._chance.random() < 0.3:
            return self._act_reader()
        return self._act_stick(self._chance.choice(self.sticks))

    def _act_drive(self, drive: DriveOnDesk) -> list[Event]:
        if drive.drive is None:
            return drive.plug(self._chance.choice(list(DISCS)))
        match self._chance.choice("uplllll?"):
            case "u":
                return drive.unplug()
            case "p":
                return drive.press()
            case "?":
                return drive.look_again()
        return drive.load(self._chance.choice(list(DISCS)))

    def _act_stick(self, stick: StickOnDesk) -> list[Event]:
        if not stick.is_plugged:
            return stick.plug(self._chance.randrange(1, 1 << 30))
        # sysfs is read when a message is: a stick that is pulled before was never looked at
        self._barrier()
        free = {1, 2, 3} - set(stick.volumes)
        match self._chance.choice("upppd"):
            case "p" if free:
                kind = self._chance.choice(["vfat", "ntfs", "exfat", "ext4"])
                return stick.part(min(free), kind)
            case "d" if stick.volumes:
                return stick.drop(self._chance.choice(sorted(stick.volumes)))
        return stick.unplug()

    def _act_reader(self) -> list[Event]:
        if not self.reader.is_plugged:
            return self.reader.plug(0)
        self._barrier()
        if self._chance.random() < 0.2:
            return self.reader.unplug()
        return self.reader.set_card(self._chance.choice([0, 5000, 6000]))

    def devices(self) -> Devices:
        sticks = [stick for stick in [*self.sticks, self.reader] if stick.has_medium]
        return Devices(
            tuple(it.drive for it in self.drives if it.drive is not None),
            tuple(stick.facts() for stick in sticks),
        )


def fold(begin: Devices, events: list[Event]) -> Devices:
    """What somebody knows who only follows."""
    drives = {it.sys_path: it for it in begin.drives}
    sticks = {it.sys_path: it for it in begin.sticks}
    for event in events:
        device = device_of(event)
        if isinstance(event, DriveRemoved):
            del drives[device.sys_path]
        elif isinstance(event, StickOut):
            del sticks[device.sys_path]
        elif isinstance(event, StickIn) or hasattr(event, "stick"):
            sticks[device.sys_path] = device  # type: ignore[assignment]
        else:
            drives[device.sys_path] = device  # type: ignore[assignment]
    return Devices(
        tuple(sorted(drives.values(), key=lambda it: it.node)),
        tuple(sorted(sticks.values(), key=lambda it: it.node)),
    )


SEQUENCES = 200


def test_random_sequences(bed: Bed) -> None:
    """None lost, none doubled, and at the end what a fresh look finds. In every fifth messages are
    lost: then what is told adds up all the same.
    """
    seed = int(os.environ.get("SENDHOME_DEVICES_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed {seed}")
    chance = random.Random(seed)
    with Follower(bed) as follower:
        desk = Desk(bed, chance, lambda: follower.ask("wait"))
        for number in range(SEQUENCES):
            begin = follower.start()
            assert begin == desk.devices(), number
            is_lossy = number % 5 == 4
            expected: list[Event] = []
            for _ in range(chance.randrange(1, 7)):
                if is_lossy and chance.random() < 0.4:
                    follower.ask(f"lose {chance.randrange(1, 4)}")
                expected += desk.act()
            told = follower.tell()
            if not is_lossy:
                assert told == expected, number
            assert fold(begin, told) == desk.devices(), number
