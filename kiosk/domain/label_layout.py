"""Where a label's texts stand: on the printable ring of a disc, or on a tag for a stick.

Pure geometry in millimetres: y grows downwards, a disc's origin is its centre, a tag's its upper
left corner. Lines are stacked, each as wide as the ring is at its height, so that nothing leaves it
and nothing overlaps; what does not fit is set smaller, then said shorter, then left out by rule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from kiosk.domain.label import Candidates, LabelText, template_of
from kiosk.domain.label_lines import (
    GAP_MM,
    LINE_MM,
    MIN_PT,
    SPACE,
    Box,
    Free,
    Item,
    Measure,
    centred,
    fitted,
    stacked,
)
from kiosk.errors import InvalidValueError

_SAFE_MM: Final = 1.5  # printers miss a disc by a millimetre
_CODE_MM: Final = 20.6  # with its quiet zone: modules of 0.7 mm, of 21 and 8
_ROW_SIZES: Final = {3: (9.5, 8.5, 7.5), 5: (8.5, 7.5, 7.0), 10: (7.0, 6.5, 6.0)}


@dataclass(frozen=True, slots=True)
class Ring:
    """What of a disc can be printed on: its diameters in mm."""

    inner_mm: float = 22.0
    outer_mm: float = 118.0

    def __post_init__(self) -> None:
        if not (15 <= self.inner_mm <= 50 and 110 <= self.outer_mm <= 120):
            raise InvalidValueError("a ring is 15 to 50 mm inside and 110 to 120 mm outside")


@dataclass(frozen=True, slots=True)
class Tag:
    """A label or tag for a stick, in mm."""

    width_mm: float = 62.0
    height_mm: float = 40.0

    def __post_init__(self) -> None:
        if not (40 <= self.width_mm <= 120 and 20 <= self.height_mm <= 100):
            raise InvalidValueError("a tag is 40 to 120 mm wide and 20 to 100 mm high")


def lay_out_disc(text: LabelText, measure: Measure, ring: Ring | None = None) -> tuple[Box, ...]:
    """Above the hole who and where from, beside it the code and which disc, below it the studies.

    Boxes lie within the ring, `_SAFE_MM` away from its edges, and do not overlap.
    """
    ring = ring or Ring()
    far, near = ring.outer_mm / 2 - _SAFE_MM, ring.inner_mm / 2 + _SAFE_MM

    def chord(top: float, bottom: float) -> tuple[float, float]:
        half = math.sqrt(max(0.0, far**2 - max(abs(top), abs(bottom)) ** 2))
        return -half, 2 * half

    begin = -math.sqrt(far**2 - 17**2)  # from where 34 mm are free
    head = fitted(_head(text, measure), chord, begin, -near, measure)
    slack = -near - max(box.y + box.height for box in head)
    head = [replace(box, y=box.y + min(slack, 4.0)) for box in head]  # wider there: still inside
    # Beside the hole the ring is as wide as at the upper and lower edge of this band.
    edge = math.sqrt(far**2 - near**2)

    def right(_top: float, _bottom: float) -> tuple[float, float]:
        return near, edge - near

    def left(_top: float, _bottom: float) -> tuple[float, float]:
        return -edge, edge - near

    side = centred(fitted(_side(text), right, -near, near, measure), -near, near)
    room = min(_CODE_MM, 2 * near - 4.0, edge - near)
    top = -(room + 8.0 * LINE_MM) / 2
    code = Box("code", -(near + edge + room) / 2, top, room, room, text.serial, style="code")
    serial = Item("serial", (text.serial,), (8.0, 7.0, 6.0), "mono")
    below = fitted([serial], left, top + room, near, measure)
    foot = _foot(text, chord, near + GAP_MM, math.sqrt(far**2 - 20**2), measure)
    return (*head, code, *below, *side, *foot)


def _head(text: LabelText, measure: Measure) -> list[Item]:
    items = [Item("institution", text.institution, (8.5, 8.0, 7.5, 7.0), lines=2, gap=0.0)]
    items.append(Item("phone", text.phone, (8.5, 8.0, 7.5, 7.0)))
    items += _names(text, measure, (15.0, 13.5, 12.0, 10.5, 9.5, 8.5), (10.5, 9.0, 8.0))
    items += [_identifier(it, (10.0, 9.0, 8.0, 7.0)) for it in _identifiers(text, measure)]
    items.append(Item("contents", text.contents, (8.0, 7.5, 7.0)))
    items.append(Item("protection", text.protection, (8.0, 7.5, 7.0), lines=2))
    return items


def _side(text: LabelText) -> list[Item]:
    items = [Item("place", text.place, (14.0, 12.0, 10.0), "B", 2)] if text.place else []
    return [*items, Item("made", text.made, (8.5, 8.0, 7.0), lines=2)]


def _names(
    text: LabelText, measure: Measure, sizes: tuple[float, ...], others: tuple[float, ...]
) -> list[Item]:
    drawn = [it for it in text.names if measure.can_draw(it[0])]
    if not drawn:
        return [Item("name", (text.nameless,), others, "B", 2)]
    first = Item("name", drawn[0], sizes, "B", 3)
    return [first, *(Item("name2", it, others, "B") for it in drawn[1:2])]


def _identifiers(text: LabelText, measure: Measure) -> tuple[Candidates, ...]:
    """All there are where the name says nothing."""
    has_name = any(measure.can_draw(it[0]) for it in text.names)
    return text.identifiers if has_name else text.all_identifiers


def _identifier(candidates: Candidates, sizes: tuple[float, ...]) -> Item:
    """A birth date has a shorter form; a Patient ID is broken anywhere rather than cut: half a
    number is another number.
    """
    if len(candidates) > 1:
        return Item("identifier", candidates, sizes, "B")
    return Item("identifier", candidates, sizes, "B", lines=6, breaks_anywhere=True)


def _foot(text: LabelText, free: Free, top: float, bottom: float, measure: Measure) -> list[Box]:
    """As many studies as the template has and the ring takes; then how many are left."""
    if not text.studies:
        return []
    size = template_of(text.total)
    heading = Item("heading", text.heading, (8.0, 7.0))
    notice = Item("notice", text.notice, (6.5, 6.0), lines=4)
    boxes: list[Box] = []
    for shown in range(min(size, len(text.studies)), -1, -1):
        sizes = _ROW_SIZES[size]
        rows = [Item("study", it, sizes, gap=GAP_MM / 3) for it in text.studies[:shown]]
        items = [heading, *rows]
        if more := text.more_than(shown):
            items.append(Item("more", (more,), sizes, "B"))
        for tried in ([*items, SPACE, notice], items):
            boxes = stacked(tried, free, top, measure, 1.0)
            is_whole = "\u2026" not in boxes[-1].text or tried is items
            if boxes[-1].y + boxes[-1].height <= bottom and is_whole:
                return boxes
    return boxes


def lay_out_tag(text: LabelText, measure: Measure, tag: Tag | None = None) -> tuple[Box, ...]:
    """The same facts on a small rectangle: lines at the side where reading begins, the code at the
    other; fewer studies where there is no room.
    """
    tag = tag or Tag()
    edge = _SAFE_MM
    room = min(_CODE_MM, tag.height_mm - 2 * edge - 7.5, tag.width_mm / 3)
    code_x = edge if text.is_rtl else tag.width_mm - edge - room
    width = tag.width_mm - 3 * edge - room
    left = 2 * edge + room if text.is_rtl else edge

    def free(_top: float, _bottom: float) -> tuple[float, float]:
        return left, width

    def under(_top: float, _bottom: float) -> tuple[float, float]:
        return code_x, room

    bottom = tag.height_mm - edge
    lines: list[Box] = []
    for may_cut in (False, True):  # rather fewer studies than half of a name
        for shown in range(min(3, len(text.studies)), -1, -1):
            items = _tag_items(text, measure, shown)
            lines = fitted(items, free, edge, bottom, measure, is_start=True, is_rtl=text.is_rtl)
            kept = [box.text for box in lines if box.role in ("name", "contents")]
            is_whole = may_cut or not any("\u2026" in it for it in kept)
            if is_whole and min(box.size_pt for box in lines) >= 6.0:
                break
        else:
            continue
        break
    items = [Item("serial", (text.serial,), (7.0, 6.0, MIN_PT), "mono")]
    if text.place:
        items.append(Item("place", text.place, (8.0, 7.0, 6.0), "B"))
    code = Box("code", code_x, edge, room, room, text.serial, style="code")
    below = fitted(items, under, edge + room + 0.3, bottom, measure)
    return (*lines, code, *below)


def _tag_items(text: LabelText, measure: Measure, shown: int) -> list[Item]:
    items = _names(text, measure, (11.0, 10.0, 9.0, 8.0, 7.0), (8.0, 7.0))
    items += [_identifier(it, (8.0, 7.0, 6.5, 6.0)) for it in _identifiers(text, measure)]
    items += [Item("study", it[1:] or it, (7.5, 7.0, 6.5)) for it in text.studies[:shown]]
    more = text.more_than(shown)
    if more and shown:
        items.append(Item("more", (more,), (7.0, 6.5)))
    elif more:
        items.append(Item("more", (f"{text.heading[0]}: {text.total}",), (7.0, 6.5)))
    said = tuple(f"{text.contents[-1]} \u00b7 {it}" for it in text.protection[-1:])
    items.append(Item("contents", said, (7.0, 6.5, 6.0), lines=2))
    items.append(Item("made", text.made, (7.0, 6.5, 6.0)))
    items.append(Item("institution", text.maker, (7.0, 6.5, 6.0)))
    return items
