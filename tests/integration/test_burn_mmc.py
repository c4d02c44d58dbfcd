"""The real engine on an emulated writer, below an attempt: tray, links, locks. The cases of media
and faults are in `test_mmc_cases`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from burner.drive import Drive, MediaState, MediaStatus, Tray
from burner.engine import Engine
from burner.errors import (
    DriveError,
    EngineError,
    NoMediumError,
    SpoiledMediumError,
    UnsuitableMediumError,
)
from burner.record import record, record_and_verify
from burner.verify import Verification
from kiosk.services.write import ImageFacts
from tests.fakes.media import make_image
from tests.integration.mmc.double import MmcDouble, is_available

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not is_available(), reason="needs umockdev, gir1.2-umockdev-1.0 and python3-gi"
    ),
]

BLOCKS = 2000
BLANKS = {"CD-R": 359_844, "DVD-R": 2_298_496, "DVD+R": 2_295_104, "BD-R": 12_219_392}


@pytest.fixture
def double(tmp_path: Path) -> Iterator[MmcDouble]:
    with MmcDouble(tmp_path) as double:
        yield double


@pytest.fixture
def image(tmp_path: Path) -> ImageFacts:
    return make_image(tmp_path / "image.iso", "SH_TEST", blocks=BLOCKS)


def nothing(done: int, total: int) -> None:
    """Nobody looks."""


def burn(double: MmcDouble, image: ImageFacts) -> Verification:
    return record_and_verify(
        double.drive(),
        image.path,
        image.sha256,
        on_progress=nothing,
        on_verify_progress=nothing,
    )


def test_open_tray_stays_open(double: MmcDouble, image: ImageFacts) -> None:
    double.order("insert", kind="CD-R", blocks=359_844)
    double.drive().eject()
    assert double.order("look")["is_open"]
    assert double.drive().inspect().is_tray_open
    with pytest.raises(NoMediumError):
        burn(double, image)
    assert double.order("look")["is_open"]


@pytest.mark.parametrize("kind", ["CD-RW", "DVD-RW"])
def test_a_rewritable_disc_to_try_a_drive_with(
    double: MmcDouble, image: ImageFacts, kind: str
) -> None:
    """Asked for by whoever tries a drive; no caller of the product asks."""
    double.order("insert", kind=kind, blocks=359_844)
    drive = double.drive()
    with pytest.raises(UnsuitableMediumError, match="rewritable"):
        record(drive, image.path, on_progress=nothing)
    record(drive, image.path, on_progress=nothing, takes_rewritable=True)
    assert drive.inspect().status is MediaStatus.CLOSED
    assert double.disc_path.read_bytes()[: image.size_bytes] == image.path.read_bytes()
    with pytest.raises(UnsuitableMediumError, match="not blank"):
        record(drive, image.path, on_progress=nothing, takes_rewritable=True)


def test_smaller_than_it_said(double: MmcDouble, image: ImageFacts) -> None:
    """Changed between our look and the engine's: the engine refuses by itself."""
    double.order("insert", kind="CD-R", blocks=BLOCKS + 100)
    drive = double.drive()
    run = drive.burn(
        image.path,
        MediaState(MediaStatus.BLANK, "CD-R", 359_844),
        on_event=lambda event: None,
        is_cancelled=lambda: False,
    )
    assert run.exit_code != 0
    assert not run.has_begun
    assert double.order("look")["blocks_taken"] == 0


def test_tray_that_does_not_load_itself(double: MmcDouble, image: ImageFacts) -> None:
    double.order("insert", kind="CD-R", blocks=359_844)
    double.order("set", loads_itself=False)
    with pytest.raises(NoMediumError):
        burn(double, image)
    assert double.order("look")["state"] == "closed"  # it was written all the same


@pytest.mark.parametrize("kind", ["CD-R", "DVD+R"])
def test_drive_unplugged_while_writing(double: MmcDouble, image: ImageFacts, kind: str) -> None:
    """The engine ends by itself; then the drive is gone, and once back it holds a torso."""
    double.order("insert", kind=kind, blocks=BLANKS[kind])
    double.order("set", unplug_at=700)
    drive = double.drive()
    with pytest.raises((SpoiledMediumError, DriveError)):
        record(drive, image.path, on_progress=nothing)
    with pytest.raises(DriveError):
        drive.inspect()
    double.order("set", unplug_at=None, is_unplugged=False, is_changed=True)
    assert drive.inspect().status in (MediaStatus.APPENDABLE, MediaStatus.UNKNOWN)
    with pytest.raises(UnsuitableMediumError):
        burn(double, image)


def test_drive_that_is_found_again_by_its_link(
    double: MmcDouble, image: ImageFacts, tmp_path: Path
) -> None:
    link = tmp_path / "usb-BURNER"
    link.symlink_to("/dev/sr7")
    drive = Drive(
        link,
        engine=Engine(extra_environment=double.environment),
        lock_folder=tmp_path,
        probe=lambda node: Tray.DISC,
    )
    double.order("insert", kind="CD-R", blocks=BLANKS["CD-R"])
    with pytest.raises((DriveError, EngineError)):
        drive.inspect()
    link.unlink()
    link.symlink_to("/dev/sr0")
    assert drive.inspect().status is MediaStatus.BLANK
