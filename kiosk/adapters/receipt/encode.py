"""A paper as ESC/POS bytes, by python-escpos.

Lines that the printer's code page has go as text, in its own sharp font; all others as pictures,
and so does everything that is read from right to left. No letter is ever replaced by "?".
"""

from __future__ import annotations

from typing import Final

from escpos.printer import Dummy
from PIL import Image

from kiosk.adapters.receipt.raster import BODY_PX, TITLE_PX, code_picture, text_picture
from kiosk.domain.paper import (
    Amount,
    Code,
    Fact,
    Heading,
    Paper,
    Paragraph,
    Strokes,
    amount_lines,
    wrapped,
)

# What printers' code pages lack and typewriters never had.
_PLAIN: Final = str.maketrans("\u00a0\u202f\u2009’‘“”–—", "   ''\"\"--")


def encode(paper: Paper, *, columns: int, dots: int, code_page: str) -> bytes:
    """The bytes, from the printer's reset to the cut.

    Args:
        columns: Letters a line in the printer's first font.
        dots: Width of a picture.
        code_page: python-escpos' and Python's name for it, such as CP858.
    Raises:
        ConfigError: The main font is missing.
    """
    return _Slip(paper, columns, dots, code_page).bytes()


class _Slip:
    def __init__(self, paper: Paper, columns: int, dots: int, code_page: str) -> None:
        self._paper, self._columns, self._dots = paper, columns, dots
        self._code_page = code_page
        self._done = b""
        self._printer = Dummy()
        self._printer.hw("INIT")
        self._printer.charcode(code_page)

    def bytes(self) -> bytes:
        for block in self._paper.blocks:
            match block:
                case Heading(text, 1):
                    self._heading(text)
                case Heading(text):
                    self._printer.ln()
                    self._lines(text, is_bold=True)
                case Paragraph(text, is_strong):
                    self._lines(text, is_bold=is_strong)
                case Fact(name, value):
                    self._lines(f"{name}: {value}")
                case Amount(name, value, is_total):
                    self._amount(name, value, is_total)
                case Code(text):
                    self._picture(code_picture(text, self._dots))
                case Strokes():
                    continue  # signatures are not printed on slips
        self._printer.cut()
        return self._done + bytes(self._printer.output)

    def _heading(self, text: str) -> None:
        if self._is_plain(text):
            self._printer.set(align="center", bold=True, double_height=True)
            for line in wrapped(text, self._columns):
                self._printer.textln(_plain(line))
            self._printer.set(align="left", bold=False, normal_textsize=True)
        else:
            self._draw(text, size=TITLE_PX, is_bold=True, align="centre")

    def _lines(self, text: str, *, is_bold: bool = False) -> None:
        if not self._is_plain(text):
            self._draw(text, is_bold=is_bold)
            return
        self._printer.set(bold=is_bold)
        for line in wrapped(text, self._columns):
            self._printer.textln(_plain(line))
        self._printer.set(bold=False)

    def _amount(self, name: str, value: str, is_total: bool) -> None:
        if not self._is_plain(name + value):
            self._draw(name, is_bold=is_total, end=value)
            return
        self._printer.set(bold=is_total)
        for line in amount_lines(name, value, self._columns):
            self._printer.textln(_plain(line))
        self._printer.set(bold=False)

    def _draw(
        self,
        text: str,
        *,
        size: int = BODY_PX,
        is_bold: bool = False,
        align: str = "start",
        end: str = "",
    ) -> None:
        paper = self._paper
        self._picture(
            text_picture(
                text,
                self._dots,
                language=paper.language,
                is_rtl=paper.is_rtl,
                size=size,
                is_bold=is_bold,
                align=align,
                end=end,
            )
        )

    def _picture(self, picture: Image.Image) -> None:
        """GS v 0. Not the library's: that one prints warnings over whatever the terminal shows."""
        self._done += bytes(self._printer.output)
        self._printer.clear()
        width, height = picture.width // 8, picture.height
        self._done += b"\x1dv0\0" + width.to_bytes(2, "little") + height.to_bytes(2, "little")
        self._done += bytes(255 - byte for byte in picture.tobytes())  # 1 is black on paper

    def _is_plain(self, text: str) -> bool:
        if self._paper.is_rtl:
            return False
        try:
            _plain(text).encode(self._code_page)
        except UnicodeEncodeError:
            return False
        return all(c.isprintable() for c in _plain(text))


def _plain(text: str) -> str:
    return text.translate(_PLAIN)
