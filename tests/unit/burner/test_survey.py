"""What a survey of a bad disc says, in one line for the log."""

from __future__ import annotations

import pytest

from burner.messages import RegionSeen
from burner.survey import Survey, read_survey

GOOD = RegionSeen(0, 896, "good", True)
PARTIAL = RegionSeen(896, 4, "partial", True)
BAD = RegionSeen(900, 11, "unreadable", False)
TEXT = (
    "11 of 1000 blocks cannot be read; 89 not looked at; blocks 896-899 partial, 900-910 unreadable"
)
REST = RegionSeen(911, 1239, "untested", None)


def test_only_the_blocks_asked_for_count() -> None:
    survey = read_survey([GOOD, PARTIAL, BAD, REST], 800, 1000)
    assert [(it.first_block, it.blocks) for it in survey.regions] == [
        (800, 96),
        (896, 4),
        (900, 11),
        (911, 89),
    ]
    assert (survey.unreadable_blocks, survey.untested_blocks) == (11, 89)


@pytest.mark.parametrize(
    ("events", "text"),
    [
        (
            [GOOD, PARTIAL, BAD, REST],
            TEXT,
        ),
        (
            [RegionSeen(0, 2000, "good", True)],
            "0 of 1000 blocks cannot be read; the drive gives other bytes and reports no error",
        ),
        (
            [RegionSeen(0, 10, "slow", True), RegionSeen(10, 990, "good", True)],
            "0 of 1000 blocks cannot be read; blocks 0-9 slow",
        ),
        (
            [RegionSeen(0, 1000, "untested", None)],
            "0 of 1000 blocks cannot be read; 1000 not looked at",
        ),
        ([], "no block was looked at"),
    ],
)
def test_text(events: list[RegionSeen], text: str) -> None:
    assert read_survey(events, 0, 1000).text == text


def test_a_long_list_is_cut() -> None:
    survey = read_survey([RegionSeen(n * 2, 1, "unreadable", False) for n in range(9)], 0, 100)
    assert survey.text.endswith("8-8 unreadable, and 4 more")
    assert Survey(()).unreadable_blocks == 0
