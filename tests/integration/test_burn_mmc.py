"""The real engine on an emulated writer: every medium and every fault, by the drive's own sense
codes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from burner.drive import Drive, MediaState, MediaStatus, Tray
from burner.engine import Engine
from burner.errors import (
    BurnerError,
    CancelledError,
    DriveError,
    EngineError,
    MediumTooSmallError,
    NoMediumError,
    SpoiledMediumError,
    UnsuitableMediumError,
    VerificationError,
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


@pytest.mark.parametrize("kind", BLANKS)
def test_success_on_every_medium(double: MmcDouble, image: ImageFacts, kind: str) -> None:
    double.order("insert", kind=kind, blocks=BLANKS[kind])
    before = double.drive().inspect()
    assert before.status is MediaStatus.BLANK
    assert before.kind.startswith(kind)
    assert 0 < before.capacity_blocks <= BLANKS[kind]
    assert burn(double, image).sha256 == image.sha256
    content = double.disc_path.read_bytes()
    assert content[: image.size_bytes] == image.path.read_bytes()
    assert len(content) >= image.size_bytes + 150 * 2048
    assert not any(content[image.size_bytes :])
    after = double.drive().inspect()
    assert after.status is MediaStatus.CLOSED
    assert not double.order("look")["is_locked"]


def test_no_medium(double: MmcDouble, image: ImageFacts) -> None:
    assert double.drive().inspect() == MediaState(MediaStatus.NONE)
    with pytest.raises(NoMediumError):
        burn(double, image)


def test_open_tray_stays_open(double: MmcDouble, image: ImageFacts) -> None:
    double.order("insert", kind="CD-R", blocks=359_844)
    double.drive().eject()
    assert double.order("look")["is_open"]
    assert double.drive().inspect().is_tray_open
    with pytest.raises(NoMediumError):
        burn(double, image)
    assert double.order("look")["is_open"]


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("CD-R", "closed"),
        ("CD-R", "appendable"),
        ("DVD-R", "closed"),
        ("DVD+R", "appendable"),
        ("DVD+R", "closed"),
        ("CD-ROM", "pressed"),
        ("DVD-ROM", "pressed"),
    ],
)
def test_used_media(
    double: MmcDouble, image: ImageFacts, tmp_path: Path, kind: str, state: str
) -> None:
    old = make_image(tmp_path / "old.iso", "OLD", blocks=400, seed=9)
    double.order("insert", kind=kind, blocks=359_844, state=state, data=str(old.path))
    with pytest.raises(UnsuitableMediumError):
        burn(double, image)
    seen = double.order("look")
    assert seen["blocks_taken"] == 0
    assert double.disc_path.read_bytes() == old.path.read_bytes()


def test_rewritable(double: MmcDouble, image: ImageFacts) -> None:
    double.order("insert", kind="CD-RW", blocks=359_844)
    with pytest.raises(UnsuitableMediumError, match="rewritable"):
        burn(double, image)
    assert double.order("look")["blocks_taken"] == 0


def test_too_small(double: MmcDouble, image: ImageFacts) -> None:
    double.order("insert", kind="CD-R", blocks=BLOCKS + 100)
    with pytest.raises(MediumTooSmallError):
        burn(double, image)
    assert double.order("look")["blocks_taken"] == 0


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


WRITE_FAULTS: list[tuple[str, list[int], type[BurnerError]]] = [
    ("medium error", [3, 0x0C, 0x00], SpoiledMediumError),
    ("write error, recovery needed", [3, 0x0C, 0x07], SpoiledMediumError),
    ("power calibration", [3, 0x73, 0x03], SpoiledMediumError),
    ("hardware fault", [4, 0x44, 0x00], DriveError),
    ("tracking servo", [4, 0x09, 0x01], DriveError),
]


@pytest.mark.parametrize("kind", ["CD-R", "DVD+R"])
@pytest.mark.parametrize(
    ("sense", "error"), [case[1:] for case in WRITE_FAULTS], ids=[case[0] for case in WRITE_FAULTS]
)
def test_write_faults(
    double: MmcDouble,
    image: ImageFacts,
    kind: str,
    sense: list[int],
    error: type[BurnerError],
) -> None:
    double.order("insert", kind=kind, blocks=BLANKS[kind])
    double.order("set", fail_write=[900, sense])
    with pytest.raises(error) as caught:
        burn(double, image)
    assert type(caught.value) is error
    key, asc, ascq = sense
    assert f"{key:X}/{asc:02X}/{ascq:02X}" in str(caught.value)
    double.order("set", fail_write=None)
    with pytest.raises(UnsuitableMediumError):
        burn(double, image)  # the torso is not written on


def test_medium_pulled_out_while_writing(double: MmcDouble, image: ImageFacts) -> None:
    double.order("insert", kind="CD-R", blocks=359_844)
    double.order("set", remove_at=700)
    with pytest.raises(SpoiledMediumError):
        burn(double, image)


@pytest.mark.parametrize("kind", ["CD-R", "DVD+R"])
def test_cancel_midway(double: MmcDouble, image: ImageFacts, kind: str) -> None:
    double.order("insert", kind=kind, blocks=BLANKS[kind])
    double.order("set", kb_per_s=1000)
    with pytest.raises(CancelledError) as caught:
        record(
            double.drive(),
            image.path,
            on_progress=nothing,
            is_cancelled=lambda: double.order("look")["written"] > 300,
        )
    assert caught.value.spoiled
    seen = double.order("look")
    assert 300 < seen["written"] < BLOCKS
    assert not seen["is_locked"]  # the engine was let go of the drive by itself


def test_drive_that_lies(double: MmcDouble, image: ImageFacts) -> None:
    double.order("insert", kind="CD-R", blocks=359_844)
    record(double.drive(), image.path, on_progress=nothing)
    double.order("flip", offset=1_234_567)
    from burner.verify import verify

    with double.drive().open_reader() as reader, pytest.raises(VerificationError):
        verify(reader, image.size_bytes, image.sha256, on_progress=nothing)


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
