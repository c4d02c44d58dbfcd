"""What is wrong with a screen that is shown: cut words, small targets, overlaps, weak contrast."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from textual.app import App
from textual.color import Color
from textual.screen import Screen
from textual.strip import Strip

from kiosk.widgets.buttons import FOCUS_MARK, Key, LowButton, LowToggle, TouchButton
from kiosk.widgets.script import has_right_to_left
from kiosk.widgets.shown import Shown

# Box drawing, the bar, shades and blocks are shapes, not text (WCAG 1.4.11 asks 3:1 of shapes).
SHAPES = set("─│╭╮╯╰═║╔╗╝╚┏┓┛┗━┃█▏▎▍▌▋▊▉▕░▀▄")
_LAM_ALEF = re.compile("\u0644[\u0622\u0623\u0625\u0627]")  # two letters that are one sign
ONE_LINE = ("typed", "people", "bar", "steps", "head", "welcomes")


def contrast(one: Color, other: Color) -> float:
    """WCAG 2 contrast ratio."""

    def luminance(color: Color) -> float:
        parts = [value / 255 for value in color.rgb]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def worst_contrast(strips: Sequence[Strip]) -> tuple[float, str]:
    """Over every character that the screen paints."""
    worst, where = 21.0, ""
    for line in strips:
        for segment in line:
            text = "".join(c for c in segment.text if not c.isspace() and c not in SHAPES)
            if not text or segment.style is None or segment.style.color is None:
                continue
            assert segment.style.bgcolor is not None, segment.text
            assert not segment.style.dim, segment.text
            ratio = contrast(
                Color.from_rich_color(segment.style.color),
                Color.from_rich_color(segment.style.bgcolor),
            )
            if ratio < worst:
                worst, where = ratio, text
    return worst, where


def painted(app: App[Any]) -> str:
    """Every line of the screen as it is sent to the terminal."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def _least(button: TouchButton) -> tuple[int, int]:
    if isinstance(button, Key):
        return 6, 3
    return (20, 3) if isinstance(button, LowButton | LowToggle) else (20, 5)


def _is_whole(strips: Sequence[Strip], widget: Shown | TouchButton) -> bool:
    """Whether every word of it is on the screen: nothing was cut off for want of room."""
    region = widget.content_region
    seen = "".join(
        strip.crop(region.x, region.right).text for strip in strips[region.y : region.bottom]
    )
    is_button = isinstance(widget, TouchButton)
    wanted = widget.label + widget.note if is_button else str(widget.render())
    if has_right_to_left(wanted):  # letters are joined, and lines turned round: only their number
        squeezed = [c for c in seen if not c.isspace()]
        joined = len(_LAM_ALEF.findall(wanted))
        return len(squeezed) >= len([c for c in wanted if not c.isspace()]) * 0.8 - joined
    return "".join(wanted.split()) in "".join(seen.split()).replace(FOCUS_MARK, "")


def findings(app: App[Any], screen: Screen[Any], *, least_contrast: float = 4.5) -> list[str]:
    """Each a sentence; [] of a good screen."""
    found: list[str] = []
    strips = app.screen._compositor.render_strips()
    room, taken = screen.region, []
    for button in screen.query(TouchButton):
        if not button.display or not button.region:
            found.append(f"button {button.id} is not there: {button.region}")
            continue
        region, (columns, rows) = button.region, _least(button)
        if region.width < columns or region.height < rows:
            found.append(f"button {button.id} is too small: {region}")
        if not room.contains_region(region):
            found.append(f"button {button.id} is outside: {region}")
        if any(other.overlaps(region) for other in taken):
            found.append(f"button {button.id} overlaps another")
        if not _is_whole(strips, button):
            found.append(f"button {button.id} is cut: {button.label!r} {button.note!r}")
        taken.append(region)
    for text in screen.query(Shown):
        words = str(text.render())
        if not words.strip() or not text.display:
            continue
        if not room.contains_region(text.region) or not text.region:
            found.append(f"text {text.id} is outside: {text.region} {words[:30]!r}")
            continue
        if any(region.overlaps(text.region) for region in taken):
            found.append(f"text {text.id} is under a button: {words[:30]!r}")
        widest = max(map(cell_len, words.split("\n")))
        if text.id in ONE_LINE and widest > text.content_size.width:
            found.append(f"text {text.id} wraps: {widest} cells in {text.content_size.width}")
        if not _is_whole(strips, text):
            found.append(f"text {text.id} is cut: {words[:70]!r}")
    ratio, where = worst_contrast(strips)
    if ratio < least_contrast:
        found.append(f"contrast {ratio:.2f} of {where!r}")
    return found
