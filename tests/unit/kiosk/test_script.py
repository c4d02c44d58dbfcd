"""Arabic as a terminal that shapes nothing has to get it; large letters of blocks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from kiosk.widgets import script, words
from kiosk.widgets.blocks import LETTER_ROWS, block_text


@pytest.fixture(autouse=True)
def _usual() -> Iterator[None]:
    yield
    script.let_terminal_shape(False)


def test_letters_are_joined_and_turned_round() -> None:
    # "Disc" in Arabic, Alef Lam Qaf Reh Sad: from the left Sad isolated, Reh final, Qaf medial …
    shown = script.visual("القرص", is_right_to_left=True)
    assert shown == "\ufeb9\ufeae\ufed8\ufedf\ufe8d"


def test_a_name_with_the_name_of_god_has_only_letters_that_fonts_have() -> None:
    shown = script.visual("عبد الله", is_right_to_left=True)
    assert "\ufdf2" not in shown  # a box in DejaVu Sans Mono: half of all Abdullahs would see it
    assert shown == "\ufeea\ufee0\ufedf\ufe8d \ufeaa\ufe92\ufecb"


def test_numbers_and_latin_words_stay_as_they_are() -> None:
    shown = script.visual("القرص (CD) 12", is_right_to_left=True)
    assert shown.startswith("12 (CD) ")
    assert script.visual("Fatima (فاطمة) 3", is_right_to_left=False).endswith(" 3")


@pytest.mark.parametrize(
    "code",
    [
        "4539-KXYZ-1234-99XA",  # a password: its first group was read last
        "9876-5432",
        "+1 (555) 010-0142",
        "555 0142 33",
        "1234 0b9c 9993 7a98",
        "12/03/1961",
        "-1.50",
        "US$",
        "a.b@example.org",
        "www.example.org/help",
    ],
)
def test_a_code_behind_arabic_words_is_read_from_the_left(code: str) -> None:
    shown = script.visual(f"القرص: {code}", is_right_to_left=True)
    assert shown.startswith(f"{code} :")
    assert (
        script.visual(f"القرص {code} القرص", is_right_to_left=True)
        .split(" ", 1)[1]
        .startswith(f"{code} ")
    )


def test_an_amount_stands_before_its_currency() -> None:
    assert script.visual("القرص: 6.00 US$", is_right_to_left=True).startswith("US$ 6.00 :")
    assert script.visual("القرص: -1.00 US$", is_right_to_left=True).startswith("US$ -1.00 :")
    assert script.visual("القرص 2026 - 2:05 م", is_right_to_left=True)[2:].startswith(
        "2:05 - 2026 "
    )


def test_marks_of_direction_steer_nothing() -> None:
    plain = script.visual("القرص AB-12", is_right_to_left=True)
    assert script.visual("\u2067القرص\u2069 \u202aAB-12\u200f", is_right_to_left=True) == plain


def test_at_the_right_edge_it_stays_there() -> None:
    words.use_language("ar")
    shown = script.visual_strip(Strip([Segment("    لا أحد")])).text
    assert len(shown) == 10
    assert not shown.endswith(" ")


def test_a_line_keeps_its_width_and_style() -> None:
    words.use_language("ar")
    style = Style(bold=True)
    line = Strip([Segment("   ", Style()), Segment("لا أحد", style), Segment("    ", Style())])
    shown = script.visual_strip(line)
    assert shown.cell_length == line.cell_length == len(shown.text)
    assert next(iter(shown)).style == style
    assert not any("\u0622" <= character <= "\u064a" for character in shown.text)
    assert 2 <= len(shown.text) - len(shown.text.lstrip(" ")) <= 4


def test_a_terminal_that_shapes_gets_the_words_as_they_are() -> None:
    script.let_terminal_shape(True)
    line = Strip([Segment("القرص")])
    assert script.visual_strip(line) is line


def test_what_has_no_such_letters_is_not_touched() -> None:
    line = Strip([Segment("Fête 中文 →")])
    assert script.visual_strip(line) is line


def test_large_letters_where_there_is_room() -> None:
    text = block_text("Is this you?", 78, LETTER_ROWS)
    rows = text.split("\n")
    assert len(rows) == LETTER_ROWS
    assert max(map(len, rows)) <= 78
    assert set(text) <= set(" ▀▄█\n")
    assert "█" in text
    assert block_text("¿Es usted?", 78, LETTER_ROWS)
    assert len(block_text("When were you born?", 78, 2 * LETTER_ROWS).split("\n")) == 12


@pytest.mark.parametrize("text", ["When were you born?", "هل هذا أنت؟", "这是您吗？", "W" * 40])
def test_no_large_letters_where_there_is_none_or_the_font_has_none(text: str) -> None:
    assert block_text(text, 78, LETTER_ROWS) == ""
