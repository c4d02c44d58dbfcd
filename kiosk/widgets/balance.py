"""Centred sentences that wrap: lines of about one length, never a word or a full stop by itself.

A terminal fills each line and leaves the rest to the last. Here the same number of lines is made as
even as it goes. Chinese may be broken after every character but not before a closing mark, nor
after an opening one (the core of Unicode UAX #14).
"""

from __future__ import annotations

import functools
import itertools
import re
from typing import Final

from rich.cells import cell_len
from textual.content import Content
from textual.css.styles import RulesMap
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual

_OPENING: Final = "（「『《“‘"
_CLOSING: Final = "。，、：；！？）」』》”’…"
_CHINESE: Final = "\u2e80-\u2fdf\u3001-\u30ff\u3400-\u9fff\uff00-\uffef"
_COUNTED: Final = "年月日个张份项位"  # behind a number
# What stays together: a Chinese character with its marks; or a word with marks and blanks behind
# it, and a number before it.
_PIECE: Final = re.compile(
    f"[{_OPENING}]*(?:[{_CHINESE}]|(?:[0-9]+ )?[^ {_CHINESE}]+[{_COUNTED}]?)[{_CLOSING}]* *"
    f"|[{_OPENING}{_CLOSING}]+ *| +"
)
_BEGINNING: Final = re.compile(r"[.!?؟] +[^ ]+ +$")
_ENDS: Final = (".", "!", "?", "。", "！", "？", "؟")


class Balanced(Visual):
    """Content of which each paragraph that does not fit is broken evenly if it is centred."""

    def __init__(self, content: Content) -> None:
        self.content = content

    def __str__(self) -> str:
        return self.content.plain

    def render_strips(
        self, width: int, height: int | None, style: Style, options: RenderOptions
    ) -> list[Strip]:
        return self._broken(options.rules, width).render_strips(width, height, style, options)

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        return self.content.get_optimal_width(rules, container_width)

    def get_minimal_width(self, rules: RulesMap) -> int:
        return self.content.get_minimal_width(rules)

    def get_height(self, rules: RulesMap, width: int) -> int:
        return self._broken(rules, width).get_height(rules, width)

    def _broken(self, rules: RulesMap, width: int) -> Content:
        if rules.get("text_align") != "center":
            return self.content
        paragraphs = self.content.split("\n", allow_blank=True)
        lines = [
            line
            for paragraph in paragraphs
            for line in paragraph.divide(even_breaks(paragraph.plain, width))
        ]
        if len(lines) == len(paragraphs):
            return self.content
        return Content("\n").join(line.rstrip() for line in lines)


@functools.lru_cache(maxsize=512)
def even_breaks(text: str, width: int) -> tuple[int, ...]:
    """Where the lines after the first begin; () if it fits, or if a piece of it is too wide.

    Args:
        text: Without line breaks.
        width: Of the room, in cells.
    """
    if cell_len(text.rstrip()) <= width:
        return ()
    pieces = [it[0] for it in _PIECE.finditer(text)]
    best = _breaks(pieces, width)
    if not best:
        return ()
    if len(best) == 1 and (sentences := _between_sentences(text, pieces, width)):
        return (sentences,)
    narrow = max(cell_len(it.rstrip()) for it in pieces)
    kept = _kept_whole(text, best)
    for less in range(width - 1, narrow - 1, -1):
        found = _breaks(pieces, less)
        if len(found) > len(best):
            break
        if (keeps := _kept_whole(text, found)) >= kept:
            best, kept = found, keeps
    return tuple(best)


def _kept_whole(text: str, breaks: list[int]) -> int:
    """Breaks between two sentences, less those behind the first word of one."""
    before = [text[:at] for at in breaks]
    between = sum(it.rstrip().endswith(_ENDS) for it in before)
    return between - sum(_BEGINNING.search(it) is not None for it in before)


def _between_sentences(text: str, pieces: list[str], width: int) -> int:
    """The place between two sentences that makes two lines nearest to each other; 0 for none."""
    found: dict[int, int] = {}
    for at in itertools.accumulate(map(len, pieces)):
        before, after = text[:at].rstrip(), text[at:].rstrip()
        longest = max(cell_len(before), cell_len(after))
        if after and before.endswith(_ENDS) and longest <= width:
            found[at] = longest
    return min(found, key=found.__getitem__, default=0)


def _breaks(pieces: list[str], width: int) -> list[int]:
    """Each line as full as it goes; [] if a piece is wider than that."""
    breaks: list[int] = []
    at = taken = 0
    for piece in pieces:
        wide = cell_len(piece.rstrip())
        if wide > width:
            return []
        if taken + wide > width:
            breaks.append(at)
            taken = 0
        taken += cell_len(piece)
        at += len(piece)
    return breaks
