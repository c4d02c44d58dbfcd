"""Lines of text as they are drawn: broken to a width, Arabic letters joined, right to left turned.

Arabic is written with Unicode's presentation forms, which the main font has: neither fpdf2 nor
Pillow has to know the script. Indic, Thai and other scripts that need more are not done here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

from arabic_reshaper import ArabicReshaper
from fpdf.bidi import BidiCharacter, BidiParagraph
from fpdf.enums import TextDirection

# Blanks, words, and single letters of scripts that break lines anywhere; a closing mark stays with
# what is before it.
_ANYWHERE: Final = r"\u3000-\u9fff\uf900-\ufaff\uff00-\uffef"
_CLOSING: Final = "\u3001\u3002\u300b\u300d\u300f\uff01\uff09\uff0c\uff1a\uff1b\uff1f"
_BLANK: Final = r"[^\S\u00a0\u202f]"  # a blank that lines may be broken at
_WORDS: Final = re.compile(
    rf"{_BLANK}+|[{_ANYWHERE}][{_CLOSING}]*|(?:(?!{_BLANK})[^{_ANYWHERE}])+[{_CLOSING}]*"
)
_MIRRORED: Final = dict(zip("()[]{}<>«»", ")(][}{><»«", strict=True))
_RIGHT: Final = ("R", "AL", "AN")
# First and last letter of scripts whose letters change form or place and are not joined here.
_UNSHAPED: Final = (
    (0x0700, 0x074F), (0x0780, 0x07FF), (0x0840, 0x089F), (0x0900, 0x0E7F), (0x0E80, 0x109F),
    (0x1780, 0x18AF), (0xA800, 0xABFF), (0x11000, 0x11FFF),
)  # fmt: skip


def wrapped(line: str, limit: float, width_of: Callable[[str], float]) -> Iterator[str]:
    """A line broken at blanks, and inside of words that are wider than the limit.

    Args:
        width_of: Of a piece as it will be drawn, in the unit of `limit`.
    """
    held, wide = "", 0.0
    for word in _WORDS.findall(line):
        width = width_of(word)
        if wide + width <= limit or (word.isspace() and held):
            held, wide = held + word, wide + width
            continue
        if held.strip():
            yield held.rstrip()
        held, wide = "", 0.0
        if width <= limit:
            held, wide = word.lstrip(), 0.0 if word.isspace() else width
            continue
        for letter in word.lstrip():
            width = width_of(letter)
            if wide + width > limit and held:
                yield held
                held, wide = "", 0.0
            held, wide = held + letter, wide + width
    if held.strip():
        yield held.rstrip()


def drawn(line: str, *, is_rtl: bool = False) -> str:
    """A line of one paragraph in the order of drawing, letters joined.

    Args:
        is_rtl: The text around is read from right to left; else the line is, if it begins so.
    """
    if is_rtl or any(unicodedata.bidirectional(c) in _RIGHT for c in line):
        base = TextDirection.RTL if is_rtl else None
        paragraph = BidiParagraph(str(_reshaper().reshape(line)), base_direction=base)
        line = "".join(map(placed, paragraph.get_reordered_characters()))
    return "".join(c for c in line if unicodedata.category(c) != "Cf")  # they have done their work


def joined(line: str) -> str:
    """The same letters in reading order: as wide as `drawn`, and much quicker."""
    if any(unicodedata.bidirectional(c) == "AL" for c in line):
        line = str(_reshaper().reshape(line))
    return "".join(c for c in line if unicodedata.category(c) != "Cf")


def placed(it: BidiCharacter) -> str:
    """One character of a line in the order of drawing: brackets open the other way there."""
    return _MIRRORED.get(it.character, it.character) if it.embedding_level % 2 else it.character


def unshaped(text: str) -> set[str]:
    """Letters of it that would stand side by side as they must not."""
    return {c for c in text if any(first <= ord(c) <= last for first, last in _UNSHAPED)}


@cache
def _reshaper() -> ArabicReshaper:
    # The one ligature that must be is lam with alef; the main font lacks the others.
    return ArabicReshaper({"delete_harakat": False, "ARABIC LIGATURE ALLAH": False})
