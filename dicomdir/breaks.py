"""Where a long word may be broken, so that a page fits a phone.

There is no style sheet (PDI-11) and XHTML Basic has no `wbr`: what is left is U+200B, zero width
space (Unicode Standard Annex 14, class ZW). It shows nothing; who copies a UID copies it too, so it
stands in long words alone, and not where text is to be typed elsewhere.
"""

from __future__ import annotations

import re
from typing import Final

BREAK: Final = "&#8203;"
_MAX_WORD: Final = 24  # characters that fit beside a second column at 360 px
_PART: Final = 12
_AFTER: Final = frozenset(".,:;-_/+")
_CHARACTER: Final = re.compile(r"&[#A-Za-z0-9]+;|.", re.DOTALL)
_BLANKS: Final = frozenset((" ", "\n", "&#160;"))
_LONG: Final = re.compile(rf"[^ \n]{{{_MAX_WORD + 1}}}")


def with_breaks(markup: str) -> str:
    """Escaped text, without elements, whose long words can be broken.

    Only between ASCII letters, digits and punctuation: other scripts have their own rules, and
    letters that join (Arabic) or combine would be torn.
    """
    if _LONG.search(markup) is None:  # nearly always
        return markup
    out: list[str] = []
    word: list[str] = []
    for found in _CHARACTER.finditer(markup):
        character = found.group()
        if character in _BLANKS:
            out += [*_broken(word), character]
            word = []
        else:
            word.append(character)
    return "".join([*out, *_broken(word)])


def _broken(word: list[str]) -> list[str]:
    if len(word) <= _MAX_WORD:
        return word
    out: list[str] = []
    length = 0
    for character, following in zip(word, [*word[1:], ""], strict=True):
        out.append(character)
        length += 1
        is_good = character in _AFTER and length >= _PART // 2
        if (is_good or length >= _PART) and len(character) == len(following) == 1:
            out.append(BREAK)
            length = 0
    return out
