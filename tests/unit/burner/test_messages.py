"""Recorded lines of xorriso 1.5.4 as events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burner.messages import (
    BlocksTold,
    ClosingSeen,
    DriveNamed,
    Event,
    MediaAssessed,
    MediaNamed,
    Message,
    Progressed,
    RegionSeen,
    Sense,
    SessionSeen,
    Severity,
    SpaceTold,
    WritingBegan,
    WritingCompleted,
    clean,
    parse_line,
)

UNNAMED = (
    'SCSI error on write(896,16): See MMC specs: Sense Key B "Command aborted", ASC 4B ASCQ 00.'
)
RECORDED: list[tuple[str, Event | None]] = [
    ("I:1: Media current: CD-R", MediaNamed("CD-R")),
    ("I:1: Media current: is not recognizable", MediaNamed("is not recognizable")),
    ("I:1: Media status : is blank", MediaAssessed(True, True, False, False, False)),
    (
        "I:1: Media status : is written , is closed",
        MediaAssessed(True, False, True, False, True),
    ),
    (
        "R:1: Media status : is written , is appendable",
        MediaAssessed(True, False, True, True, False),
    ),
    (
        "I:1: Media status : is not present",
        MediaAssessed(False, False, False, False, False),
    ),
    ("I:1: Beginning to write data track.", WritingBegan()),
    (
        "I:1: xorriso : UPDATE :    0 of   39 MB written [buf  50%]",
        Progressed(0, 39, None, 50, None),
    ),
    (
        "I:1: xorriso : UPDATE :    6 of   39 MB written (fifo  0%) [buf  50%]",
        Progressed(6, 39, 0, 50, None),
    ),
    (
        "I:1: xorriso : UPDATE :    8 of   40 MB written (fifo 97%) [buf  50%]  38.5x.",
        Progressed(8, 40, 97, 50, 38.5),
    ),
    (
        "I:1: xorriso : UPDATE : Thank you for being patient. Working since 5 seconds.",
        ClosingSeen(),
    ),
    ("I:1: xorriso : UPDATE : Closing track/session. Working since 5 seconds", ClosingSeen()),
    ("I:1: Writing to '/dev/sr0' completed successfully.", WritingCompleted()),
    ("I:1: Writing to 'stdio:/a 'b/d.img' completed successfully.", WritingCompleted()),
    (
        "I:1: xorriso : NOTE : Re-assessing -outdev '/dev/sr0'",
        Message("xorriso", Severity.NOTE, "Re-assessing -outdev '/dev/sr0'", None),
    ),
    ("R:1: Media space  : 2295104s", SpaceTold(2295104)),
    (
        "R:1: Media blocks : 192 readable , 41065180 writable , 41065372 overall",
        BlocksTold(192, 41065180, 41065372),
    ),
    (
        "R:1: ISO session  :   1 ,         0 ,       184s , TESTVOL",
        SessionSeen(1, 0, 184, "TESTVOL"),
    ),
    ("R:1: Other session:   1 ,     20160 ,     20160s , ", SessionSeen(1, 20160, 20160, "")),
    (
        "R:1: Drive type   : vendor 'PROTO' product 'FAKE BURNER 3000' revision '0001'",
        DriveNamed("PROTO", "FAKE BURNER 3000", "0001"),
    ),
    (
        "I:1: libburn : FATAL : SCSI error on write(9008,16): [3 0C 00] Medium error. Write error.",
        Message(
            "libburn",
            Severity.FATAL,
            "SCSI error on write(9008,16): [3 0C 00] Medium error. Write error.",
            Sense(3, 0x0C, 0),
        ),
    ),
    (
        "xorriso : ABORT : Drive is released and library is shut down now.",
        Message("xorriso", Severity.ABORT, "Drive is released and library is shut down now.", None),
    ),
    (
        f"I:1: libburn : FATAL : {UNNAMED}",
        Message("libburn", Severity.FATAL, UNNAMED, Sense(0xB, 0x4B, 0)),
    ),
    ("R:1: Media region :          0 ,        896 , + good", RegionSeen(0, 896, "good", True)),
    (
        "R:1: Media region :        900 ,         11 , - unreadable",
        RegionSeen(900, 11, "unreadable", False),
    ),
    (
        "R:1: Media region :       2000 ,        150 , 0 untested",
        RegionSeen(2000, 150, "untested", None),
    ),
    ("UNIX-SIGNAL:  SIGTERM  errno= 0", None),
    ("xorriso 1.5.4 : RockRidge filesystem manipulator, libburnia project.", None),
    ("", None),
    ("I:1: ", None),
]


@pytest.mark.parametrize(("line", "event"), RECORDED)
def test_recorded_line(line: str, event: Event | None) -> None:
    assert parse_line(line) == event


def test_volume_name_cannot_forge_success() -> None:
    """Somebody's disc may be called anything: only whole lines of the engine's own form count."""
    forged = "R:1: ISO session  :   1 ,  0 , 184s , Writing to 'x' completed successfully."
    assert isinstance(parse_line(forged), SessionSeen)
    assert parse_line("I:1: Volume id    : 'Media status : is written , is closed'") is None


def test_control_characters_and_length_are_cut() -> None:
    event = parse_line("R:1: ISO session  :   1 ,  0 , 184s , \x1b[31mA\x07\u202e" + "B" * 5000)
    assert isinstance(event, SessionSeen)
    assert event.volume_id.startswith("[31mAB")
    assert len(event.volume_id) <= 32
    message = parse_line("I:1: xorriso : NOTE : " + "x" * 4000)
    assert isinstance(message, Message)
    assert len(message.text) == 300


@given(st.text(max_size=400))
def test_any_text_is_an_event_or_nothing(text: str) -> None:
    parse_line(text)
    parse_line("I:1: " + text)
    assert clean(text).isprintable()
