"""The real engine on the simulated drive: every fault ends in its class, and never in a success."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from burner.drive import MediaStatus
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
from burner.simulated import DiscStatus, Faults, SimulatedDrive
from burner.verify import Verification
from kiosk.services.write import ImageFacts
from tests.fakes.media import make_image

pytestmark = pytest.mark.integration


@pytest.fixture
def image(tmp_path: Path) -> ImageFacts:
    return make_image(tmp_path / "image.iso", "SH_TEST", blocks=600)


@pytest.fixture
def drive(tmp_path: Path) -> SimulatedDrive:
    drive = SimulatedDrive(tmp_path / "drive")
    drive.add_blanks(3)
    drive.insert()
    return drive


def nothing(done: int, total: int) -> None:
    """Nobody looks."""


def burn(drive: SimulatedDrive, image: ImageFacts) -> Verification:
    return record_and_verify(
        drive, image.path, image.sha256, on_progress=nothing, on_verify_progress=nothing
    )


def test_disc_from_stack_to_hand(drive: SimulatedDrive, image: ImageFacts) -> None:
    assert burn(drive, image).sha256 == image.sha256
    state = drive.inspect()
    assert (state.status, state.kind, state.volume_id) == (MediaStatus.CLOSED, "CD-R", "SH_TEST")
    assert drive.take() is None  # the tray is closed
    drive.eject()
    assert drive.inspect().is_tray_open
    taken = drive.take()
    assert taken is not None
    assert taken.read_bytes()[: image.size_bytes] == image.path.read_bytes()
    padding = taken.read_bytes()[image.size_bytes : image.size_bytes + 150 * 2048]
    assert padding == bytes(150 * 2048)
    assert drive.inspect().is_tray_open
    assert drive.take() is None


def test_another_process_sees_the_same_drive(drive: SimulatedDrive, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from burner.simulated import SimulatedDrive;"
        "d = SimulatedDrive(Path(sys.argv[1])); d.eject(); d.take(); print(d.insert())"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "drive")],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    ).stdout
    assert said.strip() == "disc-0002"
    assert drive.look().in_tray is not None
    assert drive.look().in_tray.name == "disc-0002"  # type: ignore[union-attr]  # asserted above


@pytest.mark.parametrize("kind", ["CD-R", "DVD-R", "DVD+R", "BD-R"])
def test_every_kind_of_blank(drive: SimulatedDrive, image: ImageFacts, kind: str) -> None:
    drive.eject()
    drive.insert_blank(kind)
    assert drive.inspect().kind == kind
    assert burn(drive, image).sha256 == image.sha256


REFUSED: list[tuple[str, type[BurnerError]]] = [
    ("open", NoMediumError),
    ("empty", NoMediumError),
    ("written", UnsuitableMediumError),
    ("rewritable", UnsuitableMediumError),
    ("small", MediumTooSmallError),
    ("gone", DriveError),
    ("image missing", EngineError),
    ("image empty", EngineError),
    ("image ragged", EngineError),
]


@pytest.mark.parametrize(("case", "error"), REFUSED)
def test_refused_before_the_laser(
    drive: SimulatedDrive, image: ImageFacts, case: str, error: type[BurnerError]
) -> None:
    match case:
        case "open":
            drive.press_button()
        case "empty":
            drive.eject()
            drive.take()
            drive.press_button()
        case "written":
            burn(drive, image)
        case "rewritable":
            drive.eject()
            drive.insert_blank("CD-RW")
        case "small":
            drive.eject()
            drive.insert_blank(capacity_blocks=600 + 181)
        case "gone":
            drive.set_faults(Faults(is_gone=True))
        case "image missing":
            image.path.unlink()
        case "image empty":
            image.path.write_bytes(b"")
        case "image ragged":
            image.path.write_bytes(bytes(3000))
    before = drive.look()
    with pytest.raises(error) as caught:
        burn(drive, image)
    assert type(caught.value) is error
    assert drive.look() == before


@pytest.mark.parametrize("percent", [0, 1, 50, 99])
def test_write_error_spoils_this_disc_only(
    drive: SimulatedDrive, image: ImageFacts, percent: int
) -> None:
    drive.set_faults(Faults(write_error_percent=percent))
    with pytest.raises(SpoiledMediumError):
        burn(drive, image)
    assert drive.look().in_tray.status is DiscStatus.SPOILED  # type: ignore[union-attr]  # it is in
    with pytest.raises(UnsuitableMediumError):  # for ever
        burn(drive, image)
    drive.eject()
    drive.take()
    drive.insert()
    assert burn(drive, image).sha256 == image.sha256


def test_flipped_byte_is_found(drive: SimulatedDrive, image: ImageFacts) -> None:
    drive.set_faults(Faults(flip_byte=image.size_bytes - 1))
    with pytest.raises(VerificationError):
        burn(drive, image)


def test_flipped_byte_in_the_padding_does_not_matter(
    drive: SimulatedDrive, image: ImageFacts
) -> None:
    drive.set_faults(Faults(flip_byte=image.size_bytes))
    assert burn(drive, image).sha256 == image.sha256


def test_unreadable_sector(drive: SimulatedDrive, image: ImageFacts) -> None:
    drive.set_faults(Faults(unreadable_block=321))
    with pytest.raises(VerificationError, match="unreadable at block"):
        burn(drive, image)


def test_jammed_tray(drive: SimulatedDrive) -> None:
    drive.set_faults(Faults(is_jammed=True))
    with pytest.raises(DriveError):
        drive.eject()


def test_cancel_midway_spoils(drive: SimulatedDrive, image: ImageFacts) -> None:
    drive.set_faults(Faults(speed=1))
    seen: list[int] = []
    with pytest.raises(CancelledError) as caught:
        record(
            drive,
            image.path,
            on_progress=lambda done, total: seen.append(done),
            is_cancelled=lambda: bool(seen),
        )
    assert caught.value.spoiled
    assert drive.look().in_tray.status is DiscStatus.SPOILED  # type: ignore[union-attr]  # it is in


def test_cancel_before_leaves_a_blank_disc(drive: SimulatedDrive, image: ImageFacts) -> None:
    """The lock is held by somebody else; the wish to cancel comes while waiting for it."""
    other = SimulatedDrive(drive._folder)
    cancelled = threading.Event()
    state = drive.inspect()
    with other._writer_lock.hold():
        cancelled.set()
        with pytest.raises(CancelledError) as caught:
            drive.burn(
                image.path, state, on_event=lambda event: None, is_cancelled=cancelled.is_set
            )
    assert not caught.value.spoiled
    assert drive.inspect().status is MediaStatus.BLANK


def test_button_does_nothing_while_writing(drive: SimulatedDrive, image: ImageFacts) -> None:
    drive.set_faults(Faults(speed=1))
    presses: list[bool] = []

    def press_once(done: int, total: int) -> None:
        if not presses:
            drive.press_button()
            presses.append(drive.look().is_open)

    record(drive, image.path, on_progress=press_once)
    assert presses == [False]
    drive.press_button()
    assert drive.look().is_open


def test_exception_of_the_listener_stops_the_writer(
    drive: SimulatedDrive, image: ImageFacts
) -> None:
    drive.set_faults(Faults(speed=1))

    def fail(done: int, total: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        record(drive, image.path, on_progress=fail)
    assert (
        drive.inspect().status is MediaStatus.APPENDABLE
    )  # the writer has let go, the disc is spoiled


def test_engine_not_installed(tmp_path: Path, image: ImageFacts) -> None:
    drive = SimulatedDrive(tmp_path / "other", engine=Engine(program="no-such-program"))
    drive.insert_blank()
    with pytest.raises(EngineError, match="not installed"):
        burn(drive, image)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"version": 2}', b'{"version": 1}'])
def test_damaged_state_is_a_drive_fault(drive: SimulatedDrive, damage: bytes) -> None:
    (drive._folder / "drive.json").write_bytes(damage)
    with pytest.raises(DriveError):
        drive.inspect()
