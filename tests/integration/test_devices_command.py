"""`sendhome devices` and the engine's watch, as processes of their own on mocked devices."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from burner.devices import Disc, DiscStatus
from tests.integration.mmc.double import is_available
from tests.integration.udev.bed import HERE, ROOT, Bed
from tests.integration.udev.machine import NONE, DriveOnDesk, StickOnDesk

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not is_available(), reason="needs umockdev, gir1.2-umockdev-1.0 and python3-gi"
    ),
]
COMMAND = [sys.executable, "-P", "-m", "kiosk.cli.main", "devices"]
BLANK = Disc(DiscStatus.BLANK, "CD-R")


@pytest.fixture
def bed() -> Iterator[Bed]:
    with Bed() as bed:
        told = {"DEVNAME": "/dev/sda", "DEVTYPE": "disk", "ID_BUS": "ata"}
        bed.add("/devices/pci0000:00/ata1/block/sda", told, {"size": "1000000", "removable": "0"})
        yield bed


def start(bed: Bed, argv: list[str]) -> subprocess.Popen[str]:
    heeding = ["env", "--default-signal=INT"]  # what a shell's background ignores
    return subprocess.Popen(
        [*heeding, *argv],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **bed.environment, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def output(bed: Bed, *words: str) -> str:
    process = start(bed, [*COMMAND, *words])
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    return out


def test_what_there_is(bed: Bed) -> None:
    drive, stick = DriveOnDesk(bed, "A", 0), StickOnDesk(bed, "b")
    drive.plug(BLANK)
    DriveOnDesk(bed, "B", 1).plug(Disc(DiscStatus.COMPLETE, "DVD+R"))
    stick.plug(31_250_000)
    stick.part(1)
    StickOnDesk(bed, "c").plug(1_953_125)
    lines = output(bed).splitlines()
    assert lines[0].split() == ["kind", "device", "node", "name", "holds", "text"]
    assert [line.split()[1:3] for line in lines[1:]] == [
        ["/dev/disk/by-id/ata-BURNER_A", "/dev/sr0"],
        ["/dev/disk/by-id/ata-BURNER_B", "/dev/sr1"],
        ["/dev/disk/by-path/pci-usb-b", "/dev/sdb"],
        ["/dev/disk/by-path/pci-usb-c", "/dev/sdc"],
    ]
    found = json.loads(output(bed, "--json"))
    assert [(row["holds"], row["reason"]) for row in found] == [
        ("CD-R blank", ""),
        ("DVD+R complete", "not_blank"),
        ("16.0 GB, FAT32", ""),
        ("1.0 GB, no file system", "no_file_system"),
    ]
    assert "DOE" not in json.dumps(found)


def test_nothing_plugged_in(bed: Bed) -> None:
    assert output(bed) == "no drive and no stick\n"
    assert json.loads(output(bed, "--json")) == []


def test_without_udev_it_says_so() -> None:
    """A machine whose devices nobody describes."""
    with Bed() as bare:
        bare.add("/devices/virtual/block/loop0", {"DEVNAME": "/dev/loop0", "DEVTYPE": "disk"})
        process = start(bare, COMMAND)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (66, "")
    assert "no udev runs here" in err


@pytest.mark.parametrize("is_json", [False, True])
def test_follow(bed: Bed, is_json: bool) -> None:
    drive, stick = DriveOnDesk(bed, "A", 0), StickOnDesk(bed, "b")
    drive.plug()
    process = start(bed, [*COMMAND, "--follow", *(["--json"] if is_json else [])])
    assert process.stdout is not None
    first = process.stdout.readline()
    if not is_json:
        assert "FAST BURNER" in process.stdout.readline()
    drive.load(BLANK)
    stick.plug(1000)
    stick.part(1)
    lines = [process.stdout.readline() for _ in range(3)]
    stick.unplug()
    drive.press()
    lines += [process.stdout.readline() for _ in range(4)]
    words = ["medium.in", "stick.in", "stick.changed", "stick.changed", "stick.out", "eject.asked",
             "medium.out"]  # fmt: skip
    if is_json:
        assert json.loads(first)["event"] == "there"
        assert [json.loads(line)["event"] for line in lines] == words
        assert json.loads(lines[2])["holds"].endswith("FAT32")
    else:
        assert [line.split()[0] for line in lines] == words
        assert "CD-R blank; can be written" in lines[0]
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "sendhome: stopped\n")


def test_the_watch_is_woken_by_its_own_drive_alone(bed: Bed) -> None:
    other, drive, stick = DriveOnDesk(bed, "B", 1), DriveOnDesk(bed, "A", 0), StickOnDesk(bed, "b")
    place = "/dev/disk/by-id/ata-BURNER_A"
    process = start(bed, [sys.executable, "-P", str(HERE / "watch.py"), "disc1", place])
    assert process.stdout is not None
    assert process.stdout.readline() == "READY\n"
    seen = 0
    other.plug()
    stick.plug(1000)
    for act in (drive.plug, lambda: drive.load(BLANK), lambda: drive.load(NONE), drive.unplug):
        act()
        other.load(BLANK)
        drive.drive and drive.look_again()
        seen += 1
        assert process.stdout.readline() == f"{seen}\n"
    drive.number = 3  # back under another node
    drive.plug()
    assert process.stdout.readline() == f"{seen + 1}\n"
    out, err = process.communicate(timeout=20)
    assert (out, err) == ("ENDED\n", "")
    assert process.returncode == 0


def test_a_button_is_answered_once_for_its_own_drive(bed: Bed) -> None:
    drive, other = DriveOnDesk(bed, "A", 0), DriveOnDesk(bed, "B", 1)
    place = "/dev/disk/by-id/ata-BURNER_A"
    process = start(bed, [sys.executable, "-P", str(HERE / "watch.py"), "disc1", place])
    assert process.stdout is not None
    assert process.stdout.readline() == "READY\n"
    drive.plug(BLANK)
    other.plug(BLANK)
    assert process.stdout.readline() == "1\n"
    for _ in range(2):
        other.ask_to_eject()
        drive.ask_to_eject()
        assert process.stdout.readline() == "button disc1\n"
    drive.load(NONE)
    assert process.stdout.readline() == "2\n"  # a wish wakes nobody
    out, err = process.communicate(timeout=20)
    assert out == "ENDED\n"
    assert err.splitlines() == ["disc1: its button was not answered: ValueError"] * 2


def test_a_look_at_a_stick_does_not_wake_its_own_job(bed: Bed) -> None:
    """udev reads the partitions again after each opening for writing."""
    stick = StickOnDesk(bed, "b")
    place = "/dev/disk/by-path/pci-usb-b-part1"
    process = start(bed, [sys.executable, "-P", str(HERE / "watch.py"), "usb1", place])
    assert process.stdout is not None
    assert process.stdout.readline() == "READY\n"
    stick.plug(1000)
    assert process.stdout.readline() == "1\n"
    for _ in range(2):  # the mocked socket holds ten messages
        stick.part(1)
        stick.drop(1)
    stick.part(1)
    stick.unplug()
    assert process.stdout.readline() == "2\n"
    out, _ = process.communicate(timeout=20)
    assert out == "ENDED\n"


def test_without_udev_the_watch_only_sleeps() -> None:
    with Bed() as bare:
        bare.add("/devices/virtual/block/loop0", {"DEVNAME": "/dev/loop0", "DEVTYPE": "disk"})
        process = start(bare, [sys.executable, "-P", str(HERE / "watch.py"), "disc1", "/dev/sr0"])
        out, err = process.communicate(timeout=20)
    assert (out, err, process.returncode) == ("READY\nENDED\n", "", 0)
