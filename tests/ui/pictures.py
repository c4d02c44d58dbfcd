"""Screens as small SVG pictures, compared with those that were looked at and accepted.

A picture is made of what the screen sends to a terminal: backgrounds as paths, words as text whose
length is set to that of its cells, whatever font the viewer has. Arabic stands in it as on a
terminal, from left to right and shaped, so nothing may turn it round again.
"""

from __future__ import annotations

import difflib
import html
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.strip import Strip

ACCEPTED: Final = Path(__file__).parent / "__snapshots__"
ACCEPT: Final = "SENDHOME_ACCEPT"
_CELL: Final = (12, 23)  # pixels; DejaVu Sans Mono's at 20 pixels, so that frames close
_BASE: Final = 18  # of the letters, below the top of their cell
_STYLE: Final = (
    "text{font:20px 'DejaVu Sans Mono',monospace;white-space:pre;direction:ltr;"
    "unicode-bidi:bidi-override}.b{font-weight:700}.u{text-decoration:underline}"
)
_MOST_LINES: Final = 40  # of a message; the page has all


def picture(strips: Sequence[Strip]) -> str:
    """An SVG of a screen, a text element a row and style; the same for the same screen."""
    columns = max(strip.cell_length for strip in strips)
    width, height = columns * _CELL[0], len(strips) * _CELL[1]
    grounds = _grounds(strips)
    usual = Counter(dict.fromkeys(grounds, 0))
    for colour, boxes in grounds.items():
        usual[colour] = sum(wide * high for _x, _y, wide, high in boxes)
    ground = usual.most_common(1)[0][0]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
        f"<style>{_STYLE}</style>",
        f'<path fill="{ground}" d="M0 0h{width}v{height}H0z"/>',
    ]
    for colour, boxes in grounds.items():
        if colour != ground:
            way = "".join(_box(*box) for box in boxes)
            lines.append(f'<path fill="{colour}" shape-rendering="crispEdges" d="{way}"/>')
    for row, strip in enumerate(strips):
        lines += _words(strip, row * _CELL[1] + _BASE)
    return "\n".join([*lines, "</svg>\n"])


def _box(x: int, y: int, wide: int, high: int) -> str:
    across, down = wide * _CELL[0], high * _CELL[1]
    return f"M{x * _CELL[0]} {y * _CELL[1]}h{across}v{down}h-{across}z"


def _grounds(strips: Sequence[Strip]) -> dict[str, list[tuple[int, int, int, int]]]:
    """Colour to boxes (x, y, width, height in cells); rows that are alike are one box."""
    found: dict[str, list[tuple[int, int, int, int]]] = {}
    open_boxes: dict[tuple[int, int, str], int] = {}  # x, width, colour: index of the row above's
    for y, strip in enumerate(strips):
        still_open: dict[tuple[int, int, str], int] = {}
        for x, wide, colour in _ground_runs(strip):
            boxes = found.setdefault(colour, [])
            at = open_boxes.get((x, wide, colour))
            if at is None:
                at = len(boxes)
                boxes.append((x, y, wide, 1))
            else:
                boxes[at] = (*boxes[at][:3], boxes[at][3] + 1)
            still_open[x, wide, colour] = at
        open_boxes = still_open
    return found


def _ground_runs(strip: Strip) -> list[tuple[int, int, str]]:
    runs: list[tuple[int, int, str]] = []
    at = 0
    for segment in strip:
        wide, colour = segment.cell_length, _colour(segment, of_ground=True)
        if runs and runs[-1][2] == colour:
            runs[-1] = (runs[-1][0], runs[-1][1] + wide, colour)
        else:
            runs.append((at, wide, colour))
        at += wide
    return [run for run in runs if run[1]]


def _words(strip: Strip, base: int) -> Iterator[str]:
    runs: list[tuple[int, str, str]] = []  # first cell, text, how it looks
    at = 0
    for segment in strip:
        # Blanks belong to what stands before them.
        how = _look(segment) if segment.text.strip() or not runs else runs[-1][2]
        if runs and runs[-1][2] == how:
            runs[-1] = (runs[-1][0], runs[-1][1] + segment.text, how)
        else:
            runs.append((at, segment.text, how))
        at += segment.cell_length
    for start, text, how in runs:
        shown = text.strip()
        if shown:
            x = (start + cell_len(text[: text.index(shown)])) * _CELL[0]
            wide = cell_len(shown) * _CELL[0]
            yield f'<text x="{x}" y="{base}" textLength="{wide}"{how}>{escape(shown)}</text>'


def _look(segment: Segment) -> str:
    """Attributes of its text, "" for a blank."""
    style = segment.style
    assert style is not None, segment.text
    if not segment.text.strip():
        return ""
    for has in (style.dim, style.italic, style.strike):
        assert not has, f"cannot be drawn: {segment.text}"
    names = " ".join(name for name, has in (("b", style.bold), ("u", style.underline)) if has)
    named = f' class="{names}"' if names else ""
    return f' fill="{_colour(segment, of_ground=False)}"{named}'


def _colour(segment: Segment, *, of_ground: bool) -> str:
    style = segment.style
    assert style is not None, segment.text
    colour = style.bgcolor if of_ground != bool(style.reverse) else style.color
    assert colour is not None, segment.text
    return Color.from_rich_color(colour).hex.lower()


# --- comparing ------------------------------------------------------------------------------------


def compare(folder: str, pictures: Mapping[str, str], scratch: Path) -> None:
    """With the accepted pictures of a language and size, which are these and no others.

    With SENDHOME_ACCEPT=1 in the environment they are written anew instead.

    Args:
        folder: Below `ACCEPTED`.
        scratch: Gets the new pictures that differ, and differences.html to look at them.
    Raises:
        AssertionError: Says which differ, which lines, and where to look.
    """
    accepted = {path.stem: path for path in sorted((ACCEPTED / folder).glob("*.svg"))}
    before = {name: path.read_text(encoding="utf-8") for name, path in accepted.items()}
    if os.environ.get(ACCEPT):
        _accept(ACCEPTED / folder, before, pictures)
        return
    changed = sorted(
        name for name in {*before, *pictures} if before.get(name) != pictures.get(name)
    )
    if not changed:
        return
    page = scratch / "differences.html"
    page.write_text(_page(folder, changed, before, pictures), encoding="utf-8")
    for name in changed:
        if name in pictures:
            (scratch / f"{name}.svg").write_text(pictures[name], encoding="utf-8")
    lines = [line for name in changed for line in _changes(name, before, pictures)]
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES:] = [f"… {len(lines) - _MOST_LINES} lines more"]
    which = f"{len(changed)} pictures of {folder} are not the accepted ones: {', '.join(changed)}"
    where = f"open {page} and look; if they are right, run again with {ACCEPT}=1"
    raise AssertionError("\n".join([which, where, *lines]))


def _accept(folder: Path, before: Mapping[str, str], pictures: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in before.keys() - pictures.keys():
        (folder / f"{name}.svg").unlink()
    for name, text in pictures.items():
        if before.get(name) != text:
            (folder / f"{name}.svg").write_text(text, encoding="utf-8")


def _changes(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What is read there, as lines of a diff; the names alone if it is the same."""
    old, new = (spoken_rows(it.get(name, "")) for it in (before, after))
    changes = [it for it in difflib.unified_diff(old, new, lineterm="", n=0) if it[:2] != "@@"]
    return [f"=== {name}", *(changes[2:] or ["the same words in other colours or places"])]


def spoken_rows(svg: str) -> list[str]:
    """The words of a picture, a line a row."""
    rows: dict[int, list[str]] = {}
    for y, text in re.findall(r'<text [^>]*y="(\d+)"[^>]*>([^<]*)</text>', svg):
        rows.setdefault(int(y), []).append(html.unescape(text))
    return ["  ".join(parts) for _y, parts in sorted(rows.items())]


_HEAD: Final = """<!DOCTYPE html><meta charset="utf-8"><title>Differences</title>
<style>body{font:16px sans-serif}.row{display:flex;gap:8px}.row>div{flex:1}svg{width:100%}
.both{position:relative}.both svg+svg{position:absolute;left:0;top:0;mix-blend-mode:difference}
</style>"""


def _page(
    folder: str, changed: Sequence[str], before: Mapping[str, str], after: Mapping[str, str]
) -> str:
    """Accepted, now, and black where both agree."""
    parts = [_HEAD, f"<h1>{html.escape(folder)}: accepted, now, the difference</h1>"]
    for name in changed:
        old, new = before.get(name, ""), after.get(name, "")
        parts.append(
            f'<h2>{html.escape(name)}</h2><div class="row"><div>{old or "none"}</div>'
            f'<div>{new or "none"}</div><div class="both">{old}{new}</div></div>'
        )
    return "\n".join(parts)
