"""Which of the installed fonts show a text: for PDFs by fpdf2, and as files for other uses.

One main font, and fallbacks for letters that it lacks. They come with the program (`typefaces/`,
each with its licence); what those lack is looked for among Debian's.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from fontTools.ttLib import TTFont
from fpdf import FPDF

from dicomdir.report.errors import ReportTextError

_OURS: Final = Path(__file__).parent / "typefaces"
_NOTO_CJK: Final = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")  # fonts-noto-cjk
_FALLBACKS: Final = (
    _OURS / "DroidSansFallbackFull.ttf",  # Chinese, Japanese
    _OURS / "NotoSansKR-Hangul.otf",
    _NOTO_CJK,
    Path("/usr/share/fonts/truetype/noto/NotoSansArmenian-Regular.ttf"),  # fonts-noto-core
    Path("/usr/share/fonts/truetype/noto/NotoSansGeorgian-Regular.ttf"),
    Path("/usr/share/fonts/truetype/freefont/FreeSans.ttf"),  # fonts-freefont-ttf
)
_HAN: Final = {"ja": 0, "ko": 1, "zh": 2}  # in Noto's collection: one letter differs by language


@dataclass(frozen=True, slots=True)
class Face:
    """A font file, and which one of a collection."""

    path: Path
    number: int = 0


MAIN: Final = Face(_OURS / "DejaVuSans.ttf")
BOLD: Final = Face(_OURS / "DejaVuSans-Bold.ttf")
MONO: Final = Face(_OURS / "DejaVuSansMono.ttf")


@lru_cache(maxsize=16)
def letters(face: Face) -> frozenset[str]:
    """All characters that a font has a picture of."""
    with TTFont(face.path, lazy=True, fontNumber=face.number) as font:
        return frozenset(map(chr, font.getBestCmap() or {}))


def faces_for(characters: Collection[str], language: str = "") -> tuple[list[Face], set[str]]:
    """The main font, the fallbacks that these characters need, and those that no font has.

    Args:
        language: ISO 639-1, for ideographs; "" as in Japanese.
    Raises:
        ReportTextError: The main font is missing.
    """
    if not MAIN.path.is_file() or not BOLD.path.is_file() or not MONO.path.is_file():
        raise ReportTextError("the font DejaVu is missing: the program is not installed whole")
    faces, missing = [MAIN], set(characters) - letters(MAIN)
    for path in _FALLBACKS:
        if not missing or not path.is_file():
            continue
        face = Face(path, _HAN.get(language, 0) if path == _NOTO_CJK else 0)
        if has := missing & letters(face):
            faces.append(face)
            missing = missing - has
    return faces, missing


def add_fonts(pdf: FPDF, characters: Collection[str], language: str = "") -> set[str]:
    """Give the PDF the families "text" (also bold) and "mono", and fallbacks behind them.

    Returns:
        Characters that no font here has.
    Raises:
        ReportTextError: The main font is missing.
    """
    faces, missing = faces_for(characters, language)
    pdf.add_font("text", "", MAIN.path)
    pdf.add_font("text", "B", BOLD.path)
    pdf.add_font("mono", "", MONO.path)
    names = []
    for face in faces[1:]:
        names.append(face.path.stem.lower())
        pdf.add_font(names[-1], "", face.path, collection_font_number=face.number)
    # The main font too: the monospaced and the bold one have fewer letters.
    pdf.set_fallback_fonts(["text", *names], exact_match=False)
    return missing
