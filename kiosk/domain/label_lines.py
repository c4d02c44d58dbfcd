"""Lines of a label, stacked: each as large and as long as there is room at its height.

What does not fit is set smaller, then said shorter, then cut with a sign. Pure geometry in
millimetres, y downwards.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from kiosk.domain.label import Candidates
from kiosk.domain.label_names import cut_to

LINE_MM: Final = 0.43
"""Height of a line for each point of its size: ascent and descent of the main font and a little."""

MIN_PT: Final = 5.5
GAP_MM: Final = 0.6
_SCALES: Final = (1.0, 0.92, 0.84, 0.76, 0.68, 0.6, 0.52)
_ONE_LINE: Final = 0.7  # rather one line this much smaller than two


class Measure(Protocol):
    """What the fonts say."""

    def width_mm(self, text: str, size_pt: float, style: str) -> float:
        """Of a line as it will be drawn; `style` is "", "B" or "mono"."""
        ...

    def can_draw(self, text: str) -> bool:
        """Whether a font here has all its letters, and they may stand side by side."""
        ...


@dataclass(frozen=True, slots=True)
class Box:
    """One line of text, or the code, with all that it covers.

    Attributes:
        role: What it says, such as "name" or "study".
        text: In reading order; of the code, what it holds.
        style: "", "B", "mono" or "code".
    """

    role: str
    x: float
    y: float
    width: float
    height: float
    text: str
    size_pt: float = 0.0
    style: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    role: str
    candidates: Candidates
    sizes: tuple[float, ...]
    style: str = ""
    lines: int = 1
    gap: float = GAP_MM
    breaks_anywhere: bool = False
    breaks_words: bool = False  # such as are wider than a line


Free = Callable[[float, float], tuple[float, float]]
"""Left edge and width that is free between two heights."""

SPACE: Final = Item("space", (" ",), (5.0,))


def fitted(
    items: Sequence[Item],
    free: Free,
    top: float,
    bottom: float,
    measure: Measure,
    *,
    is_start: bool = False,
    is_rtl: bool = False,
) -> list[Box]:
    """Stacked from `top`; all smaller, then each on one line, until `bottom` is not passed."""
    boxes: list[Box] = []
    single = [it if it.breaks_anywhere else replace(it, lines=1) for it in items]
    for tried in (items, single):
        for scale in _SCALES:
            boxes = stacked(tried, free, top, measure, scale, is_start=is_start, is_rtl=is_rtl)
            if boxes[-1].y + boxes[-1].height <= bottom:
                return boxes
    while len(boxes) > 1 and boxes[-1].y + boxes[-1].height > bottom:
        boxes.pop()
    return boxes


def stacked(
    items: Sequence[Item],
    free: Free,
    top: float,
    measure: Measure,
    scale: float,
    *,
    is_start: bool = False,
    is_rtl: bool = False,
) -> list[Box]:
    boxes: list[Box] = []
    begin = top
    for item in items:
        if not any(item.candidates):
            continue
        if item is SPACE:
            top += 2.0
            continue
        for line, size in _lines(item, free, top, measure, scale):
            height = size * LINE_MM
            width = measure.width_mm(line, size, item.style)
            left, room = free(top, top + height)
            shift = (room - width) / 2
            if is_start:
                shift = room - width if is_rtl else 0.0
            boxes.append(Box(item.role, left + shift, top, width, height, line, size, item.style))
            top += height
        top += item.gap * scale
    rows = {box.size_pt for box in boxes if box.role == "study"}
    if len(rows) > 1:  # a list is set in one size
        even = (min(rows) / scale,)
        items = [replace(it, sizes=even) if it.role == "study" else it for it in items]
        return stacked(items, free, begin, measure, scale, is_start=is_start, is_rtl=is_rtl)
    return boxes


def _lines(
    item: Item, free: Free, top: float, measure: Measure, scale: float
) -> list[tuple[str, float]]:
    """The lines of an item with their size: the longest words at the largest size that fit."""
    sizes = [max(MIN_PT, size * scale) for size in item.sizes]
    one = replace(item, lines=1)
    least = 0.0 if item.breaks_anywhere else sizes[0] * _ONE_LINE
    ways = [(one, size) for size in sizes if size >= least] + [(item, size) for size in sizes]
    whole = [it for it in item.candidates if "\u2026" not in it]
    cut = [it for it in item.candidates if "\u2026" in it]
    hard = replace(item, breaks_words=True)
    tries = [(it, *way) for it in whole for way in ways]
    if item.lines > 1:  # rather a long word in two pieces than one that is cut
        tries += [(it, hard, size) for it in whole for size in sizes]
    for candidate, way, size in [*tries, *((it, *way) for it in cut for way in ways)]:
        found = _broken(candidate, way, size, free, top, measure)
        if found is not None:
            return [(line, size) for line in found]
    last, size = item.candidates[-1], sizes[-1]
    found, low, high = [last[:1]], 0, len(last) - 1  # at least a letter, whatever it covers
    while low < high:  # the most letters that fit
        middle = (low + high + 1) // 2
        lines = _broken(cut_to(last, middle), item, size, free, top, measure)
        if lines is None:
            high = middle - 1
        else:
            found, low = lines, middle
    return [(line, size) for line in found]


def _broken(
    text: str, item: Item, size: float, free: Free, top: float, measure: Measure
) -> list[str] | None:
    """In at most `item.lines` lines, each as wide as there is room at its height; None if not."""
    height = size * LINE_MM
    lines: list[str] = []
    held = ""
    pieces = list(_letters(text) if item.breaks_anywhere and item.lines > 1 else _words(text))
    pieces.reverse()
    while pieces:
        word = pieces.pop()
        at = top + len(lines) * height
        room = free(at, at + height)[1]
        if measure.width_mm((held + word).strip(), size, item.style) <= room:
            held += word
            continue
        if item.breaks_words and measure.width_mm(word.strip(), size, item.style) > room:
            letters = list(_letters(word))
            if len(letters) > 1:
                pieces += reversed(letters)
                continue
        if not held.strip() or len(lines) + 1 == item.lines:
            return None
        lines.append(held.strip())
        held = ""
        pieces.append(word)
    return [*lines, held.strip()] if held.strip() else lines or None


def _letters(text: str) -> Iterator[str]:
    """One by one, each with its accents."""
    held = ""
    for character in text:
        if held and unicodedata.category(character) not in ("Mn", "Mc", "Me"):
            yield held
            held = ""
        held += character
    if held:
        yield held


def _words(text: str) -> Iterator[str]:
    """Words with the blank behind them; ideographs one by one."""
    held = ""
    for character in text:
        ends = held[-1:] == " " or (held and unicodedata.east_asian_width(held[-1]) in "WF")
        sticks = character == " " or unicodedata.category(character) in ("Mn", "Po", "Pe")
        if ends and not sticks:
            yield held
            held = ""
        held += character
    if held:
        yield held


def centred(boxes: list[Box], top: float, bottom: float) -> list[Box]:
    shift = (top + bottom - boxes[0].y - boxes[-1].y - boxes[-1].height) / 2
    return [replace(box, y=box.y + shift) for box in boxes]
