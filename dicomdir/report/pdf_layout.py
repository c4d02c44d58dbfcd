"""A plain text laid out as a PDF by fpdf2: who it is about on every page, "page n of m" below.

Runs in `worker`. No letter is left out or shown as an empty box without a word: what neither the
main font nor a fallback has is refused by name, and so are scripts that need shaping, which is
not done here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fpdf import FPDF
from fpdf.bidi import BidiParagraph
from fpdf.enums import TextDirection

from dicomdir.report.errors import ReportTextError
from dicomdir.report.fonts import add_fonts
from dicomdir.report.shaping import placed, wrapped

MAX_CHARACTERS: Final = 500_000
MAX_PAGES: Final = 300
# First and last letter of scripts whose letters change form or place beside each other.
_SHAPED: Final = (
    (0x0600, 0x07FF), (0x0840, 0x0E7F), (0x0E80, 0x109F), (0x1780, 0x18AF), (0xFB50, 0xFDFF),
    (0xFE70, 0xFEFC), (0xA800, 0xABFF), (0x11000, 0x11FFF),
)  # fmt: skip
_MARGIN_MM: Final = 18.0
_LINE_MM: Final = 5.0
_BODY_PT: Final = 10.5
_MONO_PT: Final = 9.0  # 80 columns fit between the margins
_SMALL_PT: Final = 8.5
_TAB: Final = 8


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands around the text.

    Attributes:
        facts: Names and values for the head of every page, such as ("Patient", "Jane Doe").
        notice: Above the text and on every page, such as "PRELIMINARY REPORT"; "" for none.
        paper: "a4" or "letter".
        created_at: ISO 8601, for the document's properties; the same text gives the same bytes.
    """

    title: str
    institution: str = ""
    facts: Sequence[Sequence[str]] = ()
    notice: str = ""
    paper: str = "a4"
    created_at: str = ""


def lay_out_text(text: str, out: Path, sheet: Sheet) -> int:
    """Write the PDF; returns its number of pages.

    Raises:
        ReportTextError: Too long, or in letters that cannot be shown.
    """
    if len(text) > MAX_CHARACTERS:
        raise ReportTextError(f"it is longer than {MAX_CHARACTERS} characters")
    pages = [_cleaned(part) for part in text.split("\f")]
    around = [
        sheet.title,
        sheet.institution,
        sheet.notice,
        *(v for row in sheet.facts for v in row),
    ]
    everything = {c for part in (*pages, *map(_cleaned, around)) for c in part} - {"\n"}
    _refuse_shaped(everything)
    pdf = _Report(sheet)
    pdf.take_fonts(everything)
    pdf.write_pages(pages)
    pdf.output(str(out))
    return pdf.page_no()


class _Report(FPDF):
    def __init__(self, sheet: Sheet) -> None:
        super().__init__(orientation="portrait", unit="mm", format=sheet.paper)
        self._sheet = sheet
        self._total = 0
        self.str_alias_nb_pages = ""  # a report may say "{nb}"
        self.set_margins(_MARGIN_MM, _MARGIN_MM, _MARGIN_MM)
        self.set_auto_page_break(auto=False)
        self.set_title(_cleaned(sheet.title))
        self.set_author(_cleaned(sheet.institution))
        self.set_producer("sendhome")
        made = datetime.fromisoformat(sheet.created_at) if sheet.created_at else _EPOCH
        self.set_creation_date(made)

    def take_fonts(self, everything: set[str]) -> None:
        """The main fonts, and a fallback for letters that they lack.

        Raises:
            ReportTextError: A font is not installed, or no font here has a letter.
        """
        missing = add_fonts(self, everything)
        if missing:
            kinds = sorted({unicodedata.name(c, f"U+{ord(c):04X}") for c in missing})
            raise ReportTextError(
                f"no font here has {len(missing)} of its letters, such as {', '.join(kinds[:3])};"
                " hand in a PDF, or install a font (see the handbook)"
            )

    def write_pages(self, pages: Sequence[str]) -> None:
        """All lines are broken before the first page is begun: "page n of m" needs to know."""
        is_table = any("   " in line.strip() for part in pages for line in part.split("\n"))
        self._font(is_table)
        broken = [self._broken(part) for part in pages]
        top = _MARGIN_MM + self._head_mm()
        room = max(1, int((self.h - _MARGIN_MM - 8 - top) / _LINE_MM))
        sheets = [
            lines[at : at + room] for lines in broken for at in range(0, max(1, len(lines)), room)
        ]
        if len(sheets) > MAX_PAGES:
            raise ReportTextError(f"it is longer than {MAX_PAGES} pages")
        self._total = len(sheets)
        for lines in sheets:
            self.add_page()
            self._font(is_table)
            for number, line in enumerate(lines):
                self.set_xy(_MARGIN_MM, top + number * _LINE_MM)
                self._line(line)

    def header(self) -> None:
        """Called by fpdf2 at the top of each page."""
        sheet = self._sheet
        self.set_y(_MARGIN_MM)
        for style, size, text in (
            ("", _SMALL_PT, sheet.institution),
            ("B", 14, sheet.title),
            ("B", _BODY_PT, sheet.notice),
        ):
            if text:
                self.set_font("text", style, size)
                self._line(_cleaned(text), height=size * 0.55)
                self.ln(size * 0.55)
        self.set_font("text", "", _SMALL_PT)
        for name, value in sheet.facts:
            self.set_x(_MARGIN_MM)
            self.cell(32, 4.4, f"{name}:")
            self._line(_cleaned(value), height=4.4, indent=32)
            self.ln(4.4)
        y = self.get_y() + 1.5
        self.line(_MARGIN_MM, y, self.w - _MARGIN_MM, y)

    def footer(self) -> None:
        """Called by fpdf2 at the end of each page."""
        self.set_xy(_MARGIN_MM, self.h - _MARGIN_MM + 2)
        self.set_font("text", "", _SMALL_PT)
        self.cell(0, 4, f"Page {self.page_no()} of {self._total}", align="C")

    def _head_mm(self) -> float:
        sheet = self._sheet
        sizes = [(_SMALL_PT, sheet.institution), (14, sheet.title), (_BODY_PT, sheet.notice)]
        return sum(size * 0.55 for size, text in sizes if text) + 4.4 * len(sheet.facts) + 5

    def _font(self, is_table: bool) -> None:
        self.set_font("mono" if is_table else "text", "", _MONO_PT if is_table else _BODY_PT)

    def _broken(self, part: str) -> list[str]:
        lines: list[str] = []
        for line in part.rstrip().split("\n"):
            if not line.strip():
                lines.append("")
                continue
            lines += self._wrapped(line)
            if len(lines) > MAX_PAGES * 60:
                raise ReportTextError(f"it is longer than {MAX_PAGES} pages")
        return lines

    def _wrapped(self, line: str) -> Iterator[str]:
        """A line broken at blanks, and inside words that are wider than the page."""
        return wrapped(line, self.epw, self.get_string_width)

    def _line(self, line: str, *, height: float = _LINE_MM, indent: float = 0) -> None:
        """One line, in the order it is read (UAX 9); cut at the margin by nothing but `_broken`."""
        if not line:
            return
        align = "L"
        if any(unicodedata.bidirectional(c) in ("R", "AL", "RLE", "RLO", "RLI") for c in line):
            paragraph = BidiParagraph(line)
            if paragraph.base_direction is TextDirection.RTL and not indent:
                align = "R"
            line = "".join(map(placed, paragraph.get_reordered_characters()))
        self.set_x(_MARGIN_MM + indent)
        wide = self.get_string_width(line)
        if wide > self.epw - indent:  # a fact of the head
            while line and self.get_string_width(line + "...") > self.epw - indent:
                line = line[:-1]
            line += "..."
        self.cell(self.epw - indent, height, line, align=align)


_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)


def _cleaned(text: str) -> str:
    """Composed letters, tabs as blanks, no control characters and none that cannot be seen."""
    lines = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = (
        c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") else ""
        for c in lines.expandtabs(_TAB).replace("\xa0", " ").replace("\u2011", "-")
    )
    return "".join(kept)


def _refuse_shaped(everything: set[str]) -> None:
    for first, last in _SHAPED:
        for character in everything:
            if first <= ord(character) <= last:
                script = unicodedata.name(character, "").partition(" ")[0].capitalize()
                raise ReportTextError(
                    f"it holds {script} letters, which are not laid out here; hand in a PDF"
                )
