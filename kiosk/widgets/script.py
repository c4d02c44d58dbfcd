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
_OPENING: Final = re.compile(r"[(\[{]")
_CLOSING: Final = re.compile(r"[)\]}]")
_RESHAPER: Final = ArabicReshaper({"delete_harakat": True, "support_ligatures": True})
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
    mark = "\u200f" if is_right_to_left else "\u200e"
    shaped = _RESHAPER.reshape(line)
    # Our library knows no pairs of brackets (UAX #9, N0): a mark outside of each says that they
    # belong to the paragraph, not to the word in them.
    marked = _CLOSING.sub(rf"\g<0>{mark}", _OPENING.sub(rf"{mark}\g<0>", shaped))
    turned = get_display(marked, base_dir="R" if is_right_to_left else "L")
    return str(turned).replace(mark, "")


def visual_strip(strip: Strip) -> Strip:
    """A line of a widget; as wide as before, what a ligature saves becomes space around it."""
    text = strip.text
    if _terminal_shapes or not has_right_to_left(text):
        return strip
    words = text.strip(" ")
    lead = len(text) - len(text.lstrip(" "))
    shown = visual(words, is_right_to_left=is_right_to_left())
    spare = cell_len(words) - cell_len(shown)
    before = " " * (lead + spare // 2)
    after = " " * (len(text) - lead - len(words) + spare - spare // 2)
    style = _style_at(strip, lead)
    return Strip([Segment(before + shown + after, style)], strip.cell_length)


def _style_at(strip: Strip, index: int) -> Style | None:
    """Of the first letter: our lines have one style each."""
    at = 0
    for segment in strip:
        at += len(segment.text)
        if at > index:
            return segment.style
    return None
