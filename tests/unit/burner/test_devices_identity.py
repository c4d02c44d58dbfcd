"""What a stick is called before everything on it is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from burner.devices.identity import identity_of, identity_of_number
from burner.errors import DriveError

HOST = "devices/pci0000:00/usb1"
NUMBER = os.makedev(8, 16)


def stick(sys: Path, **attributes: str) -> Path:
    """A disk on a port of a hub; the hub has words of its own."""
    for device, name in ((sys / HOST, "Linux"), (sys / HOST / "1-2", "Stick")):
        (device).mkdir(parents=True)
        (device / "idVendor").write_text("0781\n")
        if name == "Linux":
            (device / "product").write_text("xHCI Host Controller\n")
            (device / "serial").write_text("0000:00:14.0\n")
    for key, value in attributes.items():
        (sys / HOST / "1-2" / key).write_text(value + "\n")
    disk = sys / HOST / "1-2/1-2:1.0/host5/block/sdb"
    disk.mkdir(parents=True)
    links = sys / "dev" / "block"
    links.mkdir(parents=True)
    (links / "8:16").symlink_to(disk)
    return disk


def test_by_its_maker_s_words(tmp_path: Path) -> None:
    stick(tmp_path, manufacturer="SanDisk", product="Ultra  Fit", serial="4C530001")
    found = identity_of_number(NUMBER, sys=tmp_path)
    assert (found.model, found.serial) == ("SanDisk Ultra Fit", "4C530001")
    assert found.text == "SanDisk Ultra Fit 4C530001"


def test_words_of_the_stick_are_not_to_be_trusted(tmp_path: Path) -> None:
    stick(tmp_path, product="\x1b[2JUltra\u202e" + "A" * 300, serial="1")
    found = identity_of_number(NUMBER, sys=tmp_path)
    assert found.text.isprintable()
    assert len(found.model) <= 64


def test_one_without_any_words_cannot_be_agreed_to(tmp_path: Path) -> None:
    """The words of the hub that it hangs on are not its own."""
    stick(tmp_path)
    with pytest.raises(DriveError, match="cannot be named"):
        identity_of_number(NUMBER, sys=tmp_path)


def test_a_partition_is_no_stick(tmp_path: Path) -> None:
    (stick(tmp_path, product="Ultra", serial="1") / "partition").write_text("1\n")
    with pytest.raises(DriveError, match="whole stick"):
        identity_of_number(NUMBER, sys=tmp_path)


def test_what_sysfs_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(DriveError):
        identity_of_number(NUMBER, sys=tmp_path)


def test_a_file_is_called_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "stick.img"
    file.touch()
    descriptor = os.open(file, os.O_RDONLY)
    try:
        assert identity_of(descriptor).text == "image file stick.img"
    finally:
        os.close(descriptor)
    descriptor = os.open("/dev/null", os.O_RDONLY)
    try:
        with pytest.raises(DriveError):
            identity_of(descriptor)
    finally:
        os.close(descriptor)
