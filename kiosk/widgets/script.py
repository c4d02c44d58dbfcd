"""Arabic on terminals that only put one letter beside the other.

Most terminals neither join Arabic letters nor write from right to left. Then each finished line of
the screen is given in the shapes that its letters have in their words (arabic-reshaper) and in the
order in which they stand from left to right (python-bidi, UAX #9). It is done per line, after
wrapping: a paragraph turned round before it is wrapped would be read from its end.
"""

from __future__ import annotations

import functools
import re
from typing import Final

from arabic_reshaper import ArabicReshaper
from bidi.algorithm import get_display  # the one that mirrors brackets
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from kiosk.widgets.words import is_right_to_left

_RIGHT_TO_LEFT: Final = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_PIECE: Final = r"[A-Za-z0-9]+(?:[-./:@_&+'][A-Za-z0-9]+)*"
_NUMBER: Final = rf"(?=[A-Za-z]*\d){_PIECE}"
# Brackets; and what is read from the left whatever stands before it: a number or a code of several
# groups, an amount below zero, and a word with the signs that belong to it.
_MARKED: Final = re.compile(
    rf"(?P<number>[+(]?{_NUMBER}(?:(?: |\) ?| \(){_NUMBER})+|(?<![\w-])-\d[\d.,]*)"
    rf"|(?P<word>[+#@$€£]?(?:(?=[0-9]*[A-Za-z]){_PIECE}|[0-9]+[-/][-/0-9A-Za-z]*\w)[$€£%]?)"
    r"|(?P<bracket>[()\[\]{}])"
)
_CONTROLS: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LRM, _RLM = "\u200e", "\u200f"
# Fonts of terminals have the forms of letters and of Lam with Alef, but DejaVu Sans Mono no single
# sign for the name of God, which is in many people's names (Abdullah).
_RESHAPER: Final = ArabicReshaper(
    {"delete_harakat": True, "support_ligatures": True, "ARABIC LIGATURE ALLAH": False}
)
HELD: Final = "\xa0"  # a blank that is turned round with its line even at the end of it
_terminal_shapes = False


def let_terminal_shape(it_does: bool) -> None:
    """Whether the terminal joins letters and turns lines round by itself; then we must not."""
    global _terminal_shapes
    _terminal_shapes = it_does


def has_right_to_left(text: str) -> bool:
    """Whether there are letters in it that are written from right to left."""
    return _RIGHT_TO_LEFT.search(text) is not None


@functools.lru_cache(maxsize=1024)
def visual(line: str, *, is_right_to_left: bool) -> str:
    """One line, without line breaks, as its characters stand from left to right.

    Args:
        is_right_to_left: Of the paragraph; in a left-to-right one only the words are turned.
    References:
        Unicode UAX #9.
    """
    base = _RLM if is_right_to_left else _LRM

    def marked(found: re.Match[str]) -> str:
        # Our library knows no pairs of brackets (UAX #9, N0): a mark outside of each says that they
        # belong to the paragraph, not to the word in them.
        if found["bracket"]:
            return f"{base}{found[0]}{base}"
        # Digits behind Arabic letters count as Arabic numbers (W2), and what parts them turns: a
        # password 4539-KXYZ would be read as KXYZ-4539, and somebody write it down so.
        return f"{_LRM}{found[0]}{_LRM}{base if found['number'] else ''}"

    shaped = _RESHAPER.reshape(_CONTROLS.sub("", line))
    turned = get_display(_MARKED.sub(marked, shaped), base_dir="R" if is_right_to_left else "L")
    return _CONTROLS.sub("", str(turned))


def visual_strip(strip: Strip) -> Strip:
    """A line of a widget; as wide as before, what a ligature saves becomes space around it.

    Before it alone where the line ends at the right edge.
    """
    text = strip.text
    turns = not _terminal_shapes and has_right_to_left(text)
    if not turns and HELD not in text:
        return strip
    words = text.strip(" ")
    lead = len(text) - len(text.lstrip(" "))
    shown = visual(words, is_right_to_left=is_right_to_left()) if turns else words
    spare = cell_len(words) - cell_len(shown)
    trail = len(text) - lead - len(words)
    behind = spare - spare // 2 if trail or not lead else 0
    before = " " * (lead + spare - behind)
    after = " " * (trail + behind)
    style = _style_at(strip, lead)
    return Strip([Segment(before + shown.replace(HELD, " ") + after, style)], strip.cell_length)


def _style_at(strip: Strip, index: int) -> Style | None:
    """Of the first letter: our lines have one style each."""
    at = 0
    for segment in strip:
        at += len(segment.text)
        if at > index:
            return segment.style
    return None
