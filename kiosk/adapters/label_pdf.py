"""Labels of discs and tags of sticks as PDF by fpdf2, black on white, in any script.

The same label gives the same bytes. Where its lines stand is `kiosk.domain.label_layout`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import qrcode
from fpdf import FPDF

from dicomdir.report.errors import ReportTextError
from dicomdir.report.fonts import BOLD, add_fonts, letters
from kiosk.adapters.label_measure import FontMeasure
from kiosk.domain.label import LabelText
from kiosk.domain.label_layout import Ring, Tag, lay_out_disc, lay_out_tag
from kiosk.domain.label_lines import Box
from kiosk.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a disc lies on in the printer, in mm; 120 by 120 is the disc itself.

    Attributes:
        shift_x_mm, shift_y_mm: Of the disc's centre from the sheet's, right and down.
    """

    width_mm: float = 120.0
    height_mm: float = 120.0
    shift_x_mm: float = 0.0
    shift_y_mm: float = 0.0


def render_disc(
    text: LabelText, *, made_at: datetime, ring: Ring | None = None, sheet: Sheet | None = None
) -> bytes:
    """A page with one disc's label, and nothing outside of its printable ring.

    Args:
        made_at: For the document's properties.
    Raises:
        ConfigError: The main font is missing.
    """
    sheet = sheet or Sheet()
    centre = sheet.width_mm / 2 + sheet.shift_x_mm, sheet.height_mm / 2 + sheet.shift_y_mm
    size = sheet.width_mm, sheet.height_mm
    return _render(text, size, centre, made_at, disc_boxes(text, ring))


def render_tag(text: LabelText, *, made_at: datetime, tag: Tag | None = None) -> bytes:
    """A page of the tag's size. Raises ConfigError."""
    tag = tag or Tag()
    size = tag.width_mm, tag.height_mm
    return _render(text, size, (0.0, 0.0), made_at, tag_boxes(text, tag))


def disc_boxes(text: LabelText, ring: Ring | None = None) -> tuple[Box, ...]:
    """Where everything stands. Raises ConfigError."""
    return lay_out_disc(text, _measure(text), ring)


def tag_boxes(text: LabelText, tag: Tag | None = None) -> tuple[Box, ...]:
    """Likewise of a tag."""
    return lay_out_tag(text, _measure(text), tag)


def _measure(text: LabelText) -> FontMeasure:
    return FontMeasure(text.lines(), language=text.language, is_rtl=text.is_rtl)


def _render(
    text: LabelText,
    size: tuple[float, float],
    origin: tuple[float, float],
    made_at: datetime,
    boxes: tuple[Box, ...],
) -> bytes:
    try:
        page = _Page(text, size, made_at)
    except ReportTextError as error:
        raise ConfigError(f"labels cannot be drawn: {error}") from error
    for box in boxes:
        page.draw(box, *origin)
    return bytes(page.output())


class _Page(FPDF):
    def __init__(self, text: LabelText, size: tuple[float, float], made_at: datetime) -> None:
        wide, high = size
        super().__init__(
            orientation="landscape" if wide > high else "portrait",
            unit="mm",
            format=(min(size), max(size)),
        )
        self.str_alias_nb_pages = ""  # a name may be "{nb}"
        self.set_margins(0, 0, 0)
        self.c_margin = 0
        self.set_auto_page_break(auto=False)
        self.set_lang(text.language)
        self.set_title(text.title)  # the serial number; nobody's name
        self.set_producer("sendhome")
        self.set_creation_date(made_at.astimezone(UTC).replace(microsecond=0))
        self._measure = _measure(text)
        add_fonts(self, self._measure.letters - self._measure.missing, text.language)
        self.add_page()

    def draw(self, box: Box, x: float, y: float) -> None:
        if box.style == "code":
            self._code(box, x, y)
            return
        self._font(box.size_pt, box.style)
        shown = self._measure.shown(box.text)
        is_thin = box.style == "B" and not set(shown) <= letters(BOLD)
        with self.local_context(
            # Fallbacks have no bold letters: their edges are drawn, too.
            text_mode="FILL_STROKE" if is_thin else "FILL",
            line_width=box.size_pt * 0.008,
        ):
            self.set_xy(x + box.x, y + box.y)  # `text` knows no fallback fonts, `cell` does
            self.cell(box.width, box.height, shown, align="L")

    def _code(self, box: Box, x: float, y: float) -> None:
        code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=4)
        code.add_data(box.text)
        code.make(fit=True)
        matrix = code.get_matrix()
        step = box.width / len(matrix)
        for row, cells in enumerate(matrix):
            for column, is_dark in enumerate(cells):
                if is_dark:  # a hair larger, so that no white line shows between two
                    left, top = x + box.x + column * step, y + box.y + row * step
                    self.rect(left, top, step * 1.02, step * 1.02, style="F")

    def _font(self, size_pt: float, style: str) -> None:
        if style == "mono":
            self.set_font("mono", "", size_pt)
        else:
            self.set_font("text", style, size_pt)
