"""Text and codes as black and white pictures, one printer line wide.

Letters come from the fonts of the PDFs; Arabic is joined and turned by us, so Pillow lays out
nothing itself, whatever it was built with.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Final

import qrcode
from PIL import Image, ImageDraw, ImageFont

from dicomdir.report.errors import ReportTextError
from dicomdir.report.fonts import BOLD, Face, faces_for, letters
from dicomdir.report.shaping import drawn, unshaped, wrapped
from kiosk.errors import ConfigError

BODY_PX: Final = 24
TITLE_PX: Final = 34
_LINE: Final = 1.3  # height of a line over that of its letters
_DARK: Final = 150  # of 255: what is darker becomes a dot
_MAX_MODULE: Final = 6  # dots; 0.75 mm
_QUIET: Final = 4  # modules around a code (ISO/IEC 18004)


class Type:
    """Letters of one size and language.

    Raises:
        ConfigError: The main font is missing.
    """

    def __init__(self, text: str, *, language: str, size: int, is_bold: bool = False) -> None:
        try:
            faces, self._missing = faces_for(set(text) | set("<U+0123456789ABCDEF>"), language)
        except ReportTextError as error:
            raise ConfigError(f"papers cannot be laid out: {error}") from error
        self._faces = [BOLD, *faces] if is_bold else faces
        self.size = size

    def shown(self, text: str) -> str:
        """Letters that cannot be drawn as their numbers."""
        kept = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cs"))
        bad = self._missing | unshaped(kept)
        return "".join(f"<U+{ord(c):04X}>" if c in bad else c for c in kept)

    def runs(self, line: str) -> Iterable[tuple[ImageFont.FreeTypeFont, str]]:
        """Neighbours that one font has; `line` in the order of drawing."""
        held, face = "", self._faces[0]
        for character in line:
            own = next((it for it in self._faces if character in letters(it)), face)
            if own != face and held:
                yield _font(face, self.size), held
                held = ""
            face = own
            held += character
        if held:
            yield _font(face, self.size), held

    def width_of(self, line: str) -> float:
        return sum(font.getlength(text) for font, text in self.runs(line))


@cache
def _font(face: Face, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(
        str(face.path), size, index=face.number, layout_engine=ImageFont.Layout.BASIC
    )


def text_picture(
    text: str,
    width: int,
    *,
    language: str,
    is_rtl: bool = False,
    size: int = BODY_PX,
    is_bold: bool = False,
    align: str = "start",
    end: str = "",
) -> Image.Image:
    """A paragraph, broken to the width.

    Args:
        width: Dots; the picture is as wide.
        align: "start" (the side where reading begins) or "centre".
        end: Stands on the last line at the other side, such as an amount.
    Returns:
        Mode "1", black letters on white.
    """
    visual_end = drawn(end, is_rtl=is_rtl)
    kind = Type(
        drawn(text, is_rtl=is_rtl) + visual_end, language=language, size=size, is_bold=is_bold
    )
    taken = kind.width_of(visual_end) + size if end else 0

    def width_of(piece: str) -> float:
        return kind.width_of(drawn(piece, is_rtl=is_rtl))

    lines = [drawn(line, is_rtl=is_rtl) for line in _broken(kind, text, width - taken, width_of)]
    high = round(size * _LINE)
    picture = Image.new("L", (width, high * max(1, len(lines))), 255)
    draw = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        free = width - kind.width_of(line)
        left = free / 2 if align == "centre" else free if is_rtl else 0
        _draw(draw, kind, line, left, number * high)
    if end:
        left = 0 if is_rtl else width - kind.width_of(visual_end)
        _draw(draw, kind, visual_end, left, (len(lines) - 1) * high)
    return picture.point(lambda value: 255 if value > _DARK else 0).convert("1")


def _broken(kind: Type, text: str, width: float, width_of: object) -> list[str]:
    assert callable(width_of)
    return list(wrapped(kind.shown(text), width, width_of)) or [""]


def _draw(draw: ImageDraw.ImageDraw, kind: Type, line: str, left: float, top: int) -> None:
    baseline = top + round(kind.size * 1.02)
    for font, text in kind.runs(line):
        draw.text((left, baseline), text, font=font, fill=0, anchor="ls")
        left += font.getlength(text)


def code_picture(text: str, width: int) -> Image.Image:
    """A QR code in the middle of the line, its quiet zone in it. Mode "1"."""
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=_QUIET)
    code.add_data(text)
    code.make(fit=True)
    matrix = code.get_matrix()
    step = max(1, min(_MAX_MODULE, width // len(matrix)))
    picture = Image.new("1", (width, step * len(matrix)), 1)
    draw = ImageDraw.Draw(picture)
    left = (width - step * len(matrix)) // 2
    for y, row in enumerate(matrix):
        for x, is_dark in enumerate(row):
            if is_dark:
                at = (left + x * step, y * step)
                draw.rectangle((*at, at[0] + step - 1, at[1] + step - 1), fill=0)
    return picture
