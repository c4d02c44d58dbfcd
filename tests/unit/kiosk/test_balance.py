"""Sentences that wrap: even lines, nothing by itself."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from textual.content import Content

from kiosk.widgets.balance import Balanced, even_breaks


def lines(text: str, width: int) -> list[str]:
    breaks = even_breaks(text, width)
    return [text[at:to].rstrip() for at, to in zip((0, *breaks), (*breaks, None), strict=True)]


def test_what_fits_is_not_broken() -> None:
    assert lines("Please take your disc", 21) == ["Please take your disc"]


def test_no_word_stands_by_itself() -> None:
    text = "Lay it in the tray, printed side up, and push the tray gently until it closes"
    assert lines(text, 72) == [
        "Lay it in the tray, printed side up, and",
        "push the tray gently until it closes",
    ]


def test_a_sentence_a_line_where_both_fit() -> None:
    text = "We read it back. Your images are complete, and all of them can be opened."
    assert lines(text, 60) == [
        "We read it back.",
        "Your images are complete, and all of them can be opened.",
    ]


def test_no_line_ends_with_the_first_word_of_a_sentence() -> None:
    text = (
        "It is the last one. Keep them all: they belong together. 1 video could not be put on the "
        "disc. A list there names it. Please ask at the desk for it."
    )
    assert lines(text, 60) == [
        "It is the last one. Keep them all: they belong together.",
        "1 video could not be put on the disc. A list there names it.",
        "Please ask at the desk for it.",
    ]


@pytest.mark.parametrize("width", range(15, 60))
def test_a_number_stays_with_what_it_counts(width: int) -> None:
    found = lines("Impossible de copier sur le disque : 1 vidéo et 12 images.", width)
    assert all(cell_len(it) <= width for it in found)
    assert not any(it.endswith(("1", "12")) for it in found)


@pytest.mark.parametrize("width", range(8, 60))
def test_chinese_breaks_between_characters_but_not_before_a_mark(width: int) -> None:
    text = "有一份报告还不是最终报告。完成后，您可以（在2026年3月12日）再领一份带报告的副本。"
    found = lines(text, width)
    assert "".join(found) == text
    assert all(cell_len(it) <= width for it in found)
    assert not any(it.startswith(("。", "，", "）", "年", "月", "日")) for it in found)
    assert not any(it.endswith("（") for it in found)


def test_no_more_lines_than_there_have_to_be() -> None:
    text = "one two three four five six seven eight nine ten"
    for width in range(6, 50):
        found = lines(text, width)
        assert " ".join(found) == text
        filled = Content(text).get_height({}, width)
        assert len(found) == filled, (width, found)


def test_a_word_that_is_too_wide_is_left_to_the_terminal() -> None:
    assert lines("x" * 30, 20) == ["x" * 30]


def test_only_what_is_centred() -> None:
    text = Balanced(Content("Copies for parents are given out there."))
    assert text.get_height({}, 38) == text.get_height({"text_align": "center"}, 38) == 2
    assert str(text) == "Copies for parents are given out there."
