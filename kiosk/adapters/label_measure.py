"""How wide a line of a label is, by the fonts' own tables: a label is laid out without a page.

The numbers are those that fpdf2 draws with: whole thousandths of the size, no kerning.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Final

from fontTools.ttLib import TTFont

from dicomdir.report.errors import ReportTextError
from dicomdir.report.fonts import BOLD, MAIN, MONO, Face, faces_for
from dicomdir.report.shaping import drawn, joined, unshaped
from kiosk.errors import ConfigError

_MM_A_POINT: Final = 25.4 / 72


class FontMeasure:
    """Keeps `kiosk.domain.label_lines.Measure`.

    Args:
        lines: All that may be drawn.
    Raises:
        ConfigError: The main font is missing.
    """

    def __init__(self, lines: Collection[str], *, language: str, is_rtl: bool) -> None:
        self._is_rtl = is_rtl
        self._known: dict[tuple[str, str], int] = {}
        # Brackets open the other way in words from right to left.
        self.letters = {c for line in lines for c in joined(line)} | set("?\u2026()[]{}<>«»")
        try:
            self._faces, self._missing = faces_for(self.letters, language)
        except ReportTextError as error:
            raise ConfigError(f"labels cannot be drawn: {error}") from error
        self._bad = self._missing | unshaped("".join({c for line in lines for c in line}))

    @property
    def missing(self) -> frozenset[str]:
        """Letters that no font here has."""
        return frozenset(self._missing)

    def drawn(self, line: str) -> str:
        """In the order of drawing, letters joined."""
        return drawn(line, is_rtl=self._is_rtl)

    def shown(self, line: str) -> str:
        """Likewise; a letter that cannot be drawn as a sign that one is there."""
        return self.drawn(self._whole(line))

    def width_mm(self, text: str, size_pt: float, style: str) -> float:
        known = self._known.get((text, style))
        if known is None:  # the same is tried in many sizes
            main = {"B": BOLD, "mono": MONO}.get(style, MAIN)
            plain = text if text.isascii() else joined(self._whole(text))
            known = sum(self._advance(character, main) for character in plain)
            self._known[text, style] = known
        return known / 1000 * size_pt * _MM_A_POINT

    def can_draw(self, text: str) -> bool:
        return not self._bad.intersection((*text, *joined(text)))

    def _whole(self, line: str) -> str:
        return "".join("?" if c in self._bad else c for c in line) if self._bad else line

    def _advance(self, character: str, main: Face) -> int:
        for face in (main, *self._faces):
            if (found := _advances(face).get(character)) is not None:
                return found
        return 0


@lru_cache(maxsize=16)
def _advances(face: Face) -> dict[str, int]:
    """Of each letter that a font has, in thousandths of its size."""
    with TTFont(face.path, fontNumber=face.number) as font:
        names, widths = font.getBestCmap() or {}, font["hmtx"].metrics
        scale = 1000 / font["head"].unitsPerEm
        return {chr(code): round(scale * widths[name][0]) for code, name in names.items()}
