"""A stick is switched off through udisks2: on a bus of the real dbus-daemon, with a double of
udisks2 itself.
"""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from burner.errors import DriveError
from burner.stick import Stick
from burner.stick_power import power_off
from kiosk.adapters.media_stick import StickWriter
from tests.udisks import UdisksDouble, is_available, private_bus

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not is_available(), reason="needs dbus-daemon"),
]
NOT_AUTHORISED = "org.freedesktop.UDisks2.Error.NotAuthorized"


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    with private_bus(tmp_path) as address:
        yield address


@pytest.fixture
def node(tmp_path: Path) -> Path:
    path = tmp_path / "sdb"
    path.touch()
    return path


@pytest.fixture
def udisks(bus: str, node: Path) -> Iterator[Callable[..., UdisksDouble]]:
    started: list[UdisksDouble] = []

    def start(**properties: Any) -> UdisksDouble:
        started.append(UdisksDouble(bus, node, **properties))
        started[-1].start()
        return started[-1]

    yield start
    for double in started:
        double.stop()


def test_a_stick_is_switched_off_without_asking_anybody(
    bus: str, node: Path, tmp_path: Path, udisks: Callable[..., UdisksDouble]
) -> None:
    double = udisks()
    link = tmp_path / "usb-Stick"
    link.symlink_to(node)
    power_off(link, bus=bus)
    assert double.switched_off == [{"auth.no_user_interaction": ("b", True)}]


@pytest.mark.parametrize(
    ("properties", "text"),
    [
        ({"HintSystem": True}, "a disk of the system"),
        ({"ConnectionBus": "sata"}, "a USB stick"),
        ({"CanPowerOff": False}, "cannot be switched off"),
        ({"refusal": NOT_AUTHORISED}, f"udisks2 refuses: {NOT_AUTHORISED}"),
    ],
)
def test_nothing_else_is_switched_off(
    bus: str,
    node: Path,
    udisks: Callable[..., UdisksDouble],
    properties: dict[str, Any],
    text: str,
) -> None:
    double = udisks(**properties)
    with pytest.raises(DriveError, match=text):
        power_off(node, bus=bus)
    assert double.switched_off == []


def test_a_stick_that_udisks_does_not_know(
    bus: str, tmp_path: Path, udisks: Callable[..., UdisksDouble]
) -> None:
    udisks()
    with pytest.raises(DriveError, match="does not know"):
        power_off(tmp_path / "sdc", bus=bus)


def test_no_udisks_and_no_bus(bus: str, node: Path, tmp_path: Path) -> None:
    with pytest.raises(DriveError, match=r"udisks2 refuses: org\.freedesktop\.DBus\.Error"):
        power_off(node, bus=bus)
    with pytest.raises(DriveError, match="bus cannot be reached"):
        power_off(node, bus=f"unix:path={tmp_path}/nothing")
    with pytest.raises(DriveError, match="bus cannot be reached"):
        power_off(node, bus="nonsense")


def write_one(writer: StickWriter, folder: Path, *, verifies: bool) -> None:
    """An image of three files onto the stick."""
    tree = folder / "tree"
    tree.mkdir()
    for name in ("DICOMDIR", "README.TXT"):
        (tree / name).write_bytes(name.encode() * 999)
    image = folder / "image.iso"
    argv = ["genisoimage", "-quiet", "-iso-level", "1", "-V", "SH0001", "-o", image, tree]
    subprocess.run(argv, check=True)
    writer.write(image, on_progress=lambda at: None, is_cancelled=lambda: False)
    if verifies:
        digest = hashlib.sha256(image.read_bytes()).hexdigest()
        writer.verify(image.stat().st_size, digest, on_progress=lambda at: None)


@pytest.mark.parametrize("verifies", [True, False], ids=["read back", "not read back"])
@pytest.mark.parametrize("refusal", ["", NOT_AUTHORISED], ids=["obeys", "refuses"])
def test_a_good_stick_goes_off_when_it_is_handed_over(
    bus: str,
    node: Path,
    tmp_path: Path,
    udisks: Callable[..., UdisksDouble],
    caplog: pytest.LogCaptureFixture,
    verifies: bool,
    refusal: str,
) -> None:
    """One that is not good stays on; one that cannot be switched off may be pulled all the same."""
    caplog.set_level(logging.INFO)
    os.truncate(node, 64 * 1024 * 1024)
    subprocess.run(["mkfs.vfat", "-F", "32", node], check=True, stdout=subprocess.DEVNULL)
    double = udisks(refusal=refusal)
    stick = Stick(node, lock_folder=tmp_path)
    writer = StickWriter(stick, staging=tmp_path, power_off=lambda: power_off(node, bus=bus))
    write_one(writer, tmp_path, verifies=verifies)
    writer.eject()
    assert len(double.switched_off) == (verifies and not refusal)
    assert ("not switched off" in caplog.text) == (verifies and bool(refusal))
    marked = "SENDHOME.TMP" in subprocess.check_output(["mdir", "-b", "-i", node, "::/"], text=True)
    assert marked != verifies
