"""Large text on a terminal, which has letters of one size: the question in letters made of blocks.

Six rows high, for scripts that Pillow's bitmap font has (Latin-1); where the screen has no room for
them, and in Arabic and Chinese, the question stays as it was. Everything else can only grow with
the terminal's own font: `kiosk/lobby/zoom.py`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont
from textual.containers import Container

from kiosk.widgets.shown import Shown

LETTER_ROWS: Final = 6
_PIXEL_ROWS: Final = 12
_GAP_PIXELS: Final = 5  # between words
_HALVES: Final = " ▀▄█"


class Headline(Shown, inherit_bindings=False):
    """A screen's question. In the large mode it grows when the body below leaves room for it."""

    def __init__(self, text: str, *, id: str) -> None:  # noqa: A002  # Textual's own name
        super().__init__(text, spoken=text, id=id)
        self._text = text

    def on_mount(self) -> None:
        if self.app.has_class("-large"):
            self.call_after_refresh(self.grow)

    def fit_again(self) -> None:
        """The screen has another size: what was large there may have no room here."""
        if self.is_attached and self.app.has_class("-large"):
            self.show(self._text, spoken=self._text)
            self.call_after_refresh(self.grow)

    def grow(self) -> None:
        """Again, when its screen comes to the front: behind another it has no size yet."""
        if not self.is_attached or not self.app.has_class("-large"):
            return
        body = self.screen.query_one("#body", Container)
        regions = [child.virtual_region_with_margin for child in body.children]
        taken = max(it.bottom for it in regions) - min(it.y for it in regions) if regions else 0
        free = self.size.height + body.size.height - taken - 1
        if text := block_text(self._text, self.size.width, free):
            self.show(text, spoken=self._text)


def block_text(text: str, columns: int, rows: int) -> str:
    """The text in letters of blocks, centred lines below one another; "" if there is no room.

    Args:
        columns, rows: At most.
    """
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return ""
    lines = _wrapped(text, columns)
    if not lines or len(lines) * LETTER_ROWS > rows:
        return ""
    return "\n".join(row for line in lines for row in _drawn(_picture(line)))


def _wrapped(text: str, pixels: int) -> list[str]:
    """[] if a word alone is too wide."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _picture(longer).width <= pixels:
            lines[-1] = longer
        elif _picture(word).width <= pixels:
            lines.append(word)
        else:
            return []
    return lines


@lru_cache(maxsize=64)
def _picture(line: str) -> Image.Image:
    """Black and white, 12 pixels high, one pixel of air after each letter of the font."""
    font = ImageFont.load_default_imagefont()
    words = line.split(" ")
    widths = [int(font.getbbox(word)[2]) for word in words]
    picture = Image.new("1", (sum(widths) + _GAP_PIXELS * (len(words) - 1), _PIXEL_ROWS))
    at = 0
    for word, width in zip(words, widths, strict=True):
        ImageDraw.Draw(picture).text((at, 0), word, font=font, fill=1)
        at += width + _GAP_PIXELS
    return picture


def _drawn(picture: Image.Image) -> list[str]:
    """Two pixels, one above the other, make a character: nearly square on a terminal."""

    def is_set(x: int, y: int) -> bool:
        return bool(picture.getpixel((x, y)))

    return [
        "".join(_HALVES[is_set(x, y) + 2 * is_set(x, y + 1)] for x in range(picture.width))
        for y in range(0, _PIXEL_ROWS, 2)
    ]
