"""Who can mend it: the engine's recorded last words as errors."""

from __future__ import annotations

import pytest

from burner.engine import EngineRun, classify
from burner.errors import (
    BurnerError,
    CancelledError,
    DriveError,
    EngineError,
    MediumTooSmallError,
    NoMediumError,
    SpoiledMediumError,
    UnsuitableMediumError,
)
from burner.messages import Message, Severity, parse_line
from burner.record import judge

AFTERMATH = "I:1: xorriso : FAILURE : -as cdrecord: Job could not be performed properly."


def run(
    *lines: str, exit_code: int = 5, has_begun: bool = False, was_stopped: bool = False
) -> EngineRun:
    problems = []
    for line in (*lines, AFTERMATH):
        message = parse_line(line)
        assert isinstance(message, Message)
        assert message.severity >= Severity.SORRY
        problems.append(message)
    return EngineRun(exit_code, was_stopped, has_begun, False, None, tuple(problems))


BEFORE_THE_LASER: list[tuple[str, type[BurnerError]]] = [
    ("xorriso : FAILURE : No media detected in drive", NoMediumError),
    (
        "xorriso : FAILURE : Closed media with data detected. Need blank or appendable media.",
        UnsuitableMediumError,
    ),
    ("xorriso : FAILURE : Cannot set write type SAO for this medium.", UnsuitableMediumError),
    (
        "xorriso : FAILURE : Image size 20814s exceeds free space on media 10000s",
        MediumTooSmallError,
    ),
    ("libburn : FATAL : SCSI error: [2 3A 00] Drive not ready. Medium not present.", NoMediumError),
    ("libburn : FATAL : SCSI error: [2 04 01] Drive not ready. Becoming ready.", NoMediumError),
    ("libburn : FATAL : SCSI error: [5 30 05] Cannot write medium.", UnsuitableMediumError),
    ("libburn : FATAL : SCSI error: [7 27 00] Data protect.", UnsuitableMediumError),
    (
        "libburn : FATAL : x [3 73 03] Medium error. Power calibration area error.",
        SpoiledMediumError,
    ),
    ("libburn : FATAL : x [4 44 00] Drive error. Internal target failure.", DriveError),
    ("libburn : FATAL : x [B 08 00] Aborted command.", DriveError),
    ("libburn : FATAL : x [5 20 00] Illegal request.", EngineError),
    ("libburn : FAILURE : Cannot access '/dev/sr7' as SG_IO CDROM drive", DriveError),
    ("libburn : SORRY : Neither stdio-path nor its directory exist", DriveError),
    ("xorriso : FAILURE : Could not open data source 'a.iso' : No such file", EngineError),
    ("xorriso : FAILURE : Something never heard of", EngineError),
]


@pytest.mark.parametrize(("line", "expected"), BEFORE_THE_LASER)
def test_before_the_laser(line: str, expected: type[BurnerError]) -> None:
    assert type(classify(run(line))) is expected


WHILE_WRITING: list[tuple[str, type[BurnerError]]] = [
    (
        "libburn : FATAL : SCSI error on write(9008,16): [3 0C 00] Medium error. Write error.",
        SpoiledMediumError,
    ),
    (
        "libburn : FATAL : x [2 3A 00] Drive not ready. Medium not present.",
        SpoiledMediumError,
    ),
    ("libburn : FATAL : x [4 44 00] Drive error. Internal target failure.", DriveError),
    ("libburn : FATAL : x [5 21 02] Illegal request. Invalid address.", EngineError),
    (
        "libburn : FAILURE : Premature end of input encountered. Missing: 32663936 bytes",
        SpoiledMediumError,
    ),
    (
        "libburn : SORRY : Cannot write desired amount of 32768 bytes. write(2) returned -1.",
        SpoiledMediumError,
    ),
]


@pytest.mark.parametrize(("line", "expected"), WHILE_WRITING)
def test_while_writing(line: str, expected: type[BurnerError]) -> None:
    assert type(classify(run(line, has_begun=True))) is expected


def test_first_sense_names_the_cause() -> None:
    error = classify(
        run(
            "libburn : FATAL : x [3 0C 00] Medium error. Write error.",
            "libburn : FATAL : x [5 2C 00] Illegal request. Command sequence error.",
            has_begun=True,
        )
    )
    assert type(error) is SpoiledMediumError
    assert "3/0C/00" in str(error)


@pytest.mark.parametrize("has_begun", [False, True])
def test_stopped_on_request(has_begun: bool) -> None:
    error = classify(run(exit_code=1, has_begun=has_begun, was_stopped=True))
    assert isinstance(error, CancelledError)
    assert error.spoiled is has_begun


def test_silent_death_while_writing_is_a_spoiled_disc() -> None:
    assert type(classify(EngineRun(-9, False, True, False, None, ()))) is SpoiledMediumError


def test_silent_death_before_is_our_fault() -> None:
    assert type(classify(EngineRun(-9, False, False, False, None, ()))) is EngineError


WRITTEN = parse_line("I:1: Media status : is written , is closed")
BLANK = parse_line("I:1: Media status : is blank")


def test_three_signs_of_the_engine() -> None:
    good = EngineRun(0, False, True, True, WRITTEN, ())  # type: ignore[arg-type]  # an Event
    judge(good)


@pytest.mark.parametrize(
    "bad",
    [
        EngineRun(1, False, True, True, WRITTEN, ()),  # type: ignore[arg-type]  # an Event
        EngineRun(0, False, True, False, WRITTEN, ()),  # type: ignore[arg-type]  # an Event
        EngineRun(0, False, True, True, BLANK, ()),  # type: ignore[arg-type]  # an Event
        EngineRun(0, False, True, True, None, ()),
    ],
)
def test_any_sign_that_lacks_spoils(bad: EngineRun) -> None:
    with pytest.raises(SpoiledMediumError):
        judge(bad)


@pytest.mark.parametrize("exit_code", [0, 1, -15])
def test_stop_that_came_too_late_changes_nothing(exit_code: int) -> None:
    judge(EngineRun(exit_code, True, True, True, WRITTEN, ()))  # type: ignore[arg-type]  # an Event


@pytest.mark.parametrize(
    "bad",
    [
        EngineRun(1, True, True, False, WRITTEN, ()),  # type: ignore[arg-type]  # an Event
        EngineRun(1, True, True, True, None, ()),
    ],
)
def test_stop_in_time_ends_it(bad: EngineRun) -> None:
    with pytest.raises(CancelledError):
        judge(bad)
