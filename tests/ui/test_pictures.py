"""A picture of every screen, in every language, at every size: looked at before it is accepted.

They are SVG files in __snapshots__, a folder a language and size. Where one differs the test says
which words changed and writes a page with before, after and the difference. After looking at it:

    SENDHOME_ACCEPT=1 python -m pytest tests/ui/test_pictures.py

writes all anew, and takes away those of screens that are no more. On the same walk nothing may be
cut, small, hidden or pale.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.screen import Screen
from textual.strip import Strip

from kiosk.lobby.comfort import Comfort
from kiosk.widgets.words import LANGUAGES
from tests.fakes.lobby import Hall
from tests.ui import pictures
from tests.ui.measure import findings
from tests.ui.walk import WARNING, Size, names, walk

SIZES: Final = ((80, 24), (64, 20))
WIDE: Final = (120, 36)  # once: the small sizes are the hard ones
# Arabic letters as they are stored: on the screen they have the shapes of their places in a word.
# Hamza has one shape only; the help sign shows the bare letter Ain to everybody.
UNSHAPED: Final = re.compile("[\u0622-\u0638\u063a\u0641-\u064a]")


@pytest.mark.parametrize(
    "language",
    [pytest.param(it, marks=() if it == "en" else pytest.mark.sampled(3)) for it in LANGUAGES],
)
async def test_every_screen_in_every_language(hall: Hall, language: str, tmp_path: Path) -> None:
    sizes = (*SIZES, WIDE) if language == "en" else SIZES
    drawn: dict[Size, dict[str, str]] = {size: {} for size in sizes}
    found: list[str] = []

    def look(name: str, size: Size, screen: Screen[None]) -> None:
        strips = screen.app.screen._compositor.render_strips()
        drawn[size][name] = pictures.picture(strips)
        assert [(it.cell_length, len(strips)) for it in strips] == [size] * size[1], name
        where = f"{name} at {size[0]}x{size[1]}"
        if name != WARNING:  # what is behind it is pale on purpose; test_layout looks at its box
            found.extend(f"{where}: {it}" for it in findings(screen.app, screen))
        for loose in UNSHAPED.findall("".join(strip.text for strip in strips)):
            found.append(f"{where}: letters are not joined: {loose}")

    await walk(hall, Comfort(language), sizes, look)
    assert found == []
    assert [list(it) for it in drawn.values()] == [names()] * len(sizes)
    for (columns, rows), those in drawn.items():
        pictures.compare(f"{language}-{columns}x{rows}", those, tmp_path)


def test_no_picture_is_of_nothing() -> None:
    sizes = [*((it, size) for it in LANGUAGES for size in SIZES), ("en", WIDE)]
    folders = {f"{language}-{columns}x{rows}" for language, (columns, rows) in sizes}
    folders |= {f"wall-{it}-{columns}x{rows}" for it in LANGUAGES for columns, rows in SIZES}
    assert {it.name for it in pictures.ACCEPTED.iterdir()} == folders


def _strips(text: str, ground: str = "#ffffff") -> list[Strip]:
    return [Strip([Segment(text, Style(color="#000000", bgcolor=ground))])]


def test_a_picture_that_differs_says_what_and_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "ACCEPTED", tmp_path / "accepted")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    before = {
        "same": pictures.picture(_strips("Yes & no ")),
        "words": pictures.picture(_strips("Take it")),
        "colour": pictures.picture(_strips("Stop")),
        "gone": pictures.picture(_strips("Bye")),
    }
    with monkeypatch.context() as accepting:
        accepting.setenv(pictures.ACCEPT, "1")
        pictures.compare("en", before, scratch)
    monkeypatch.delenv(pictures.ACCEPT, raising=False)
    pictures.compare("en", before, scratch)
    assert not list(scratch.iterdir())
    after = {
        "same": before["same"],
        "words": pictures.picture(_strips("Keep it")),
        "colour": pictures.picture(_strips("Stop", ground="#ff0000")),
        "new": pictures.picture(_strips("New <b>")),
    }
    with pytest.raises(AssertionError) as raised:
        pictures.compare("en", after, scratch)
    said = str(raised.value).split("\n")
    assert said[0] == "4 pictures of en are not the accepted ones: colour, gone, new, words"
    assert str(scratch / "differences.html") in said[1]
    assert said[2:] == [
        *("=== colour", "the same words in other colours or places"),
        *("=== gone", "-Bye", "=== new", "+New <b>", "=== words", "-Take it", "+Keep it"),
    ]
    page = (scratch / "differences.html").read_text(encoding="utf-8")
    assert before["words"] in page
    assert after["words"] in page
    assert before["same"] not in page
    assert sorted(it.name for it in scratch.glob("*.svg")) == ["colour.svg", "new.svg", "words.svg"]
    monkeypatch.setenv(pictures.ACCEPT, "1")
    pictures.compare("en", after, scratch)
    assert {it.stem for it in (tmp_path / "accepted" / "en").iterdir()} == set(after)


def test_letters_stand_in_their_cells() -> None:
    style = Style(color="#000000", bgcolor="#ffffff")
    bold = style + Style(bold=True, color="#ff0000")
    drawn = pictures.picture([Strip([Segment("  文字 ", style), Segment("b", bold)])])
    assert 'viewBox="0 0 96 23"' in drawn
    assert '<text x="24" y="18" textLength="48" fill="#000000">文字</text>' in drawn
    assert '<text x="84" y="18" textLength="12" fill="#ff0000" class="b">b</text>' in drawn
