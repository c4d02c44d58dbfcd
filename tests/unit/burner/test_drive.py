"""Media states out of recorded queries, and the look before the laser."""

from __future__ import annotations

from pathlib import Path

import pytest

from burner.drive import (
    Drive,
    MediaState,
    MediaStatus,
    Tray,
    is_finished,
    read_state,
    require_writable,
    speed_for,
)
from burner.engine import EngineRun
from burner.errors import (
    BurnerError,
    DriveError,
    EngineError,
    MediumTooSmallError,
    NoMediumError,
    UnsuitableMediumError,
)
from burner.messages import MediaAssessed, Message, Severity, parse_line


def state_of(*lines: str) -> MediaState:
    events = [event for line in lines if (event := parse_line(line)) is not None]
    assessed = [event for event in events if isinstance(event, MediaAssessed)]
    problems = tuple(
        event for event in events if isinstance(event, Message) and event.severity >= Severity.SORRY
    )
    last = assessed[-1] if assessed else None
    return read_state(EngineRun(0, False, False, False, last, problems), events)


def test_blank_dvd() -> None:
    assert state_of(
        "R:1: Drive type   : vendor 'PROTO' product 'FAKE BURNER 3000' revision '0001'",
        "R:1: Media current: DVD+R",
        "R:1: Media status : is blank",
        "R:1: Media blocks : 0 readable , 2295104 writable , 2295104 overall",
        "R:1: Media space  : 2295104s",
    ) == MediaState(MediaStatus.BLANK, "DVD+R", 2295104)


def test_no_disc() -> None:
    assert state_of(
        "I:1: Media current: is not recognizable", "I:1: Media status : is not present"
    ) == MediaState(MediaStatus.NONE)


def test_closed_disc() -> None:
    assert state_of(
        "R:1: Media current: CD-R",
        "R:1: Media status : is written , is closed",
        "R:1: Media blocks : 20814 readable , 0 writable , 20814 overall",
        "R:1: ISO session  :   1 ,         0 ,     20664s , SH0001",
        "R:1: Media space  : 0s",
    ) == MediaState(MediaStatus.CLOSED, "CD-R", 0, 20814, "SH0001")


def test_appendable_disc() -> None:
    state = state_of(
        "R:1: Media current: CD-R",
        "R:1: Media status : is written , is appendable",
        "R:1: Media blocks : 192 readable , 300000 writable , 300192 overall",
        "R:1: Media space  : 300000s",
    )
    assert state.status is MediaStatus.APPENDABLE


def test_no_drive() -> None:
    with pytest.raises(DriveError):
        state_of("I:1: libburn : FAILURE : Cannot access '/dev/sr7' as SG_IO CDROM drive")


def test_silence() -> None:
    with pytest.raises(EngineError):
        state_of("xorriso 1.5.4 : RockRidge filesystem manipulator, libburnia project.")


CD = MediaState(MediaStatus.BLANK, "CD-R", 1000)


@pytest.mark.parametrize(
    ("state", "blocks", "error"),
    [
        (MediaState(MediaStatus.NONE), 1, NoMediumError),
        (MediaState(MediaStatus.NONE, is_tray_open=True), 1, NoMediumError),
        (MediaState(MediaStatus.CLOSED, "CD-R"), 1, UnsuitableMediumError),
        (MediaState(MediaStatus.APPENDABLE, "CD-R", 1000), 1, UnsuitableMediumError),
        (MediaState(MediaStatus.UNKNOWN, "x", 1000), 1, UnsuitableMediumError),
        (MediaState(MediaStatus.BLANK, "CD-RW", 1000), 1, UnsuitableMediumError),
        (MediaState(MediaStatus.BLANK, "DVD+RW", 1000), 1, UnsuitableMediumError),
        (MediaState(MediaStatus.BLANK, "BD-RE", 1000), 1, UnsuitableMediumError),
        (MediaState(MediaStatus.BLANK, "DVD-RAM", 1000), 1, UnsuitableMediumError),
        (CD, 819, MediumTooSmallError),
    ],
)
def test_refused_before_the_laser(state: MediaState, blocks: int, error: type[BurnerError]) -> None:
    with pytest.raises(error) as caught:
        require_writable(state, blocks)
    assert type(caught.value) is error


def test_room_to_the_last_block() -> None:
    require_writable(CD, 818)  # 150 blocks of padding, 32 for rounding


@pytest.mark.parametrize(
    ("kind", "is_tried"),
    [("CD-R", False), ("CD-RW", False), ("DVD+R", False), ("DVD+RW", True), ("BD-RE", True),
     ("DVD-RW sequential recording", False), ("DVD-RW restricted overwrite", True)],
)  # fmt: skip
def test_what_cannot_be_closed_is_finished_for_trying_a_drive_alone(
    kind: str, is_tried: bool
) -> None:
    appendable = MediaState(MediaStatus.APPENDABLE, kind, written_blocks=1000)
    assert not is_finished(appendable)
    assert is_finished(appendable, takes_rewritable=True) == is_tried
    assert is_finished(MediaState(MediaStatus.CLOSED, kind))
    assert not is_finished(MediaState(MediaStatus.BLANK, kind), takes_rewritable=True)


@pytest.mark.parametrize(
    ("kind", "speed"), [("CD-R", 16), ("DVD+R", 8), ("BD-R sequential", 4), ("stdio file", 0)]
)
def test_speed_by_kind(kind: str, speed: int) -> None:
    assert speed_for(kind) == speed


def test_open_tray_is_left_open(tmp_path: Path) -> None:
    """The engine would close it; asking the kernel does not."""
    drive = Drive(tmp_path / "sr0", lock_folder=tmp_path, probe=lambda node: Tray.OPEN)
    assert drive.inspect() == MediaState(MediaStatus.NONE, is_tray_open=True)


def test_missing_node(tmp_path: Path) -> None:
    with pytest.raises(DriveError):
        Drive(tmp_path / "sr7", lock_folder=tmp_path).inspect()
