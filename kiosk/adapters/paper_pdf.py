"""A paper as a PDF by fpdf2: any of the languages, from left or from right, with page numbers.

The same paper gives the same bytes. What is typed by people is drawn letter by letter and never
left out: one that no font here has stands as its number, such as <U+0915>.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

import qrcode
from fpdf import FPDF

from dicomdir.report.errors import ReportTextError
from dicomdir.report.fonts import add_fonts, faces_for
from dicomdir.report.shaping import drawn, unshaped, wrapped
from kiosk.domain.paper import (
    Amount,
    Code,
    Fact,
    Heading,
    Paper,
    Paragraph,
    Strokes,
)
from kiosk.errors import ConfigError

_MARGIN_MM: Final = 16.0
_FOOT_MM: Final = 11.0
_TITLE_PT, _PART_PT, _BODY_PT, _SMALL_PT = 16.0, 11.0, 9.5, 8.0
LARGE: Final = 1.9
"""Scale of large print: 18 points."""

_SHEET_SCALES: Final = (1.25, 1.15, 1.05, 0.95, 0.85, 0.75)

_LINE: Final = 0.45  # mm a point
_GAP_MM: Final = 2.4
_NAME_MM: Final = 50.0  # of a fact
_SIGN_MM: Final = (75.0, 25.0)  # the largest box of a drawing
_KEPT_MM: Final = 42.0  # what is kept on one page with its heading is not higher
_CODE_MM: Final = 38.0


def render(
    paper: Paper, *, size: str = "a4", made_at: datetime, author: str = "", scale: float = 1.0
) -> tuple[bytes, int]:
    """The PDF, and its number of pages.

    Args:
        size: "a4" or "letter".
        scale: Of all letters; `LARGE` for large print.
        made_at: For the document's properties.
        author: Likewise; not a patient.
    Raises:
        ConfigError: The main font is missing.
    """
    try:
        pdf = _Pdf(paper, size, made_at, author, scale)
        pdf.write_blocks()
        return bytes(pdf.output()), pdf.page_no()
    except ReportTextError as error:
        raise ConfigError(f"papers cannot be laid out: {error}") from error


def render_on_one_page(
    paper: Paper, *, size: str = "a4", made_at: datetime, author: str = ""
) -> bytes:
    """A sheet: as large as it can be set so that it is one page. Raises ConfigError.

    Whatever does not fit in the smallest letters goes on a second page rather than away.
    """
    for scale in _SHEET_SCALES:
        data, pages = render(paper, size=size, made_at=made_at, author=author, scale=scale)
        if pages == 1:
            break
    return data


class _Pdf(FPDF):
    def __init__(
        self, paper: Paper, size: str, made_at: datetime, author: str, scale: float
    ) -> None:
        super().__init__(orientation="portrait", unit="mm", format=size)
        self._paper = paper
        self._body = _BODY_PT * scale
        self._scale = scale
        self._names = min(_NAME_MM * scale, 75.0)  # of facts
        self.str_alias_nb_pages = ""  # a name may be "{nb}"
        self.set_margins(_MARGIN_MM, _MARGIN_MM, _MARGIN_MM)
        self.set_auto_page_break(auto=False)
        self.set_lang(paper.language)
        self.set_title(paper.title)
        self.set_author(author)
        self.set_producer("sendhome")
        self.set_creation_date(made_at.astimezone(UTC).replace(microsecond=0))
        everything = {c for text in _texts(paper) for c in drawn(text, is_rtl=paper.is_rtl)}
        everything |= set("<U+0123456789ABCDEF>/-. ")
        _, self._missing = faces_for(everything, paper.language)
        add_fonts(self, everything - self._missing, paper.language)

    def write_blocks(self) -> None:
        self.add_page()
        for block in self._paper.blocks:
            match block:
                case Heading():
                    self._heading(block)
                case Paragraph(text, is_strong):
                    self._text(text, "B" if is_strong else "", self._body)
                    self.ln(0.8)
                case Fact(name, value):
                    self._fact(name, value)
                case Amount(name, value, is_total):
                    self._amount(name, value, is_total)
                case Strokes():
                    self._strokes(block)
                case Code(text):
                    self._code(text)
        if self._paper.foot:
            self._feet()

    # --- blocks

    def _heading(self, heading: Heading) -> None:
        level = heading.level
        size = (_TITLE_PT if level == 1 else _PART_PT) * self._scale
        self.ln(0 if level == 1 else _GAP_MM)
        below = _KEPT_MM if heading.is_kept else 2 * self._body * _LINE
        self._room(size * _LINE + below)  # not alone at the foot of a page
        self._text(heading.text, "B", size)
        if level == 2:
            self.set_draw_color(150)
            self.line(_MARGIN_MM, self.get_y(), self.w - _MARGIN_MM, self.get_y())
            self.set_draw_color(0)
        self.ln(1.2)

    def _text(self, text: str, style: str, size: float) -> None:
        self.set_font("text", style, size)
        for line in self._broken(text, self.epw):
            self._room(size * _LINE)
            self._cell(line, _MARGIN_MM, self.epw, size)
            self.ln(size * _LINE)

    def _fact(self, name: str, value: str) -> None:
        """The name in a column of its own, at the side where reading begins."""
        self.set_font("text", "", self._body)
        names = self._broken(name, self._names - 3)
        self.set_font("text", "B", self._body)
        values = self._broken(value, self.epw - self._names)
        rtl = self._paper.is_rtl
        for number in range(max(len(names), len(values))):
            self._room(self._body * _LINE)
            if number < len(names):
                self.set_font("text", "", self._body)
                left = self.w - _MARGIN_MM - self._names if rtl else _MARGIN_MM
                self._cell(names[number], left, self._names, self._body)
            if number < len(values):
                self.set_font("text", "B", self._body)
                left = _MARGIN_MM if rtl else _MARGIN_MM + self._names
                self._cell(values[number], left, self.epw - self._names, self._body)
            self.ln(self._body * _LINE)
        self.ln(0.4)

    def _amount(self, name: str, value: str, is_total: bool) -> None:
        style = "B" if is_total else ""
        self.set_font("text", style, self._body)
        names = self._broken(name, self.epw - 40 * self._scale) or [""]
        for number, line in enumerate(names):
            self._room(self._body * _LINE)
            if is_total and not number:
                self.line(_MARGIN_MM, self.get_y() + 0.3, self.w - _MARGIN_MM, self.get_y() + 0.3)
                self.ln(0.8)
            self._cell(line, _MARGIN_MM, self.epw, self._body)
            if number == len(names) - 1:
                self._cell(self._shown(value), _MARGIN_MM, self.epw, self._body, is_end=True)
            self.ln(self._body * _LINE)

    def _strokes(self, strokes: Strokes) -> None:
        wide = min(_SIGN_MM[0], _SIGN_MM[1] * strokes.ratio)
        high = wide / strokes.ratio
        self._room(high + 2)
        left = self.w - _MARGIN_MM - wide if self._paper.is_rtl else _MARGIN_MM
        top = self.get_y() + 1
        self.set_draw_color(170)
        self.rect(left, top, wide, high)
        self.set_draw_color(0)
        self.set_line_width(0.45)
        for line in strokes.lines:
            points = [(left + x * wide, top + y * high) for x, y in line]
            if len(points) == 1:
                points *= 2
            for (x1, y1), (x2, y2) in pairwise(points):
                self.line(x1, y1, x2, y2)
        self.set_line_width(0.2)
        self.set_y(top + high + 2)

    def _code(self, text: str) -> None:
        code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=4)
        code.add_data(text)
        code.make(fit=True)
        matrix = code.get_matrix()
        self._room(_CODE_MM + 2)
        left, top, step = (self.w - _CODE_MM) / 2, self.get_y() + 1, _CODE_MM / len(matrix)
        for y, row in enumerate(matrix):
            for x, is_dark in enumerate(row):
                if is_dark:  # a hair larger, so that no white line shows between two
                    self.rect(left + x * step, top + y * step, step * 1.02, step * 1.02, style="F")
        self.set_y(top + _CODE_MM + 1)

    def _feet(self) -> None:
        """When all pages are there: only now is it known how many."""
        pages = self.page
        for number in range(1, pages + 1):
            self.page = number
            self.set_font("mono", "", _SMALL_PT)  # or fpdf2 thinks the page has the font already
            self.set_font("text", "", _SMALL_PT)
            foot = self._paper.foot.replace("{page}", str(number)).replace("{pages}", str(pages))
            self.set_y(self.h - _FOOT_MM)
            self._cell(self._shown(foot), _MARGIN_MM, self.epw, _SMALL_PT)
        self.page = pages

    # --- lines

    def _room(self, height: float) -> None:
        if self.get_y() + height > self.h - _FOOT_MM - 4:
            self.add_page()
            self.set_y(_MARGIN_MM)

    def _shown(self, text: str) -> str:
        """Without what cannot be seen; letters that cannot be drawn as their numbers."""
        kept = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cs"))
        bad = self._missing | unshaped(kept)
        return "".join(f"<U+{ord(c):04X}>" if c in bad else c for c in kept)

    def _broken(self, text: str, width: float) -> list[str]:
        def width_of(piece: str) -> float:
            return self.get_string_width(drawn(piece, is_rtl=self._paper.is_rtl))

        return list(wrapped(self._shown(text), width, width_of))

    def _cell(
        self, line: str, left: float, width: float, size: float, *, is_end: bool = False
    ) -> None:
        """A line of a paragraph; `is_end`: at the side where lines end."""
        is_right = self._paper.is_rtl is not is_end
        self.set_x(left)
        # No line is wider than its cell: `_broken` has seen to it.
        text = drawn(line, is_rtl=self._paper.is_rtl)
        self.c_margin = 0
        y = self.get_y()
        self.cell(width, size * _LINE, text, align="R" if is_right else "L")
        self.set_y(y)


def _texts(paper: Paper) -> list[str]:
    texts = [paper.foot]
    for block in paper.blocks:
        match block:
            case Heading(text) | Paragraph(text):
                texts.append(text)
            case Fact(name, value) | Amount(name, value):
                texts += [name, value]
            case Code() | Strokes():
                continue
    return texts
