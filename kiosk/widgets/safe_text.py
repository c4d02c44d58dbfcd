"""The one way by which text of other people's reaches a screen.

Neither Textual nor the terminal neutralise control sequences, and Textual's markup can be broken
and abused by a name. So: no markup, no control, format, private or unassigned characters, no piles
of combining marks, no endless lines.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from rich.cells import cell_len, get_character_cell_size
from textual.content import Content

_MAX_CHARACTERS: Final = 1024  # looked at; a field of DICOM or HL7 that we show has at most 324
_MAX_MARKS: Final = 2  # on one base character; enough for Vietnamese and pointed Hebrew
_DROPPED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_ELLIPSIS: Final = "…"


def safe_text(value: object, max_cells: int = 64) -> str:
    """Make text fit to be shown.

    Args:
        value: Anything; its str is taken.
        max_cells: Width on the screen; longer text ends in an ellipsis.
    Returns:
        NFC text of one line without characters of the categories Cc, Cf, Cs, Co, Cn, Zl and Zp,
        every space a plain one, at most two combining marks a character, none at the beginning.
    """
    text = _drop(unicodedata.normalize("NFC", str(value)[:_MAX_CHARACTERS]))
    # What stood between them is gone: marks may meet new base characters, so compose once more.
    text = _drop(unicodedata.normalize("NFC", text))
    return _cut(text, max_cells)


def safe_content(value: object, max_cells: int = 64) -> Content:
    """`safe_text` as Textual content: never read as markup, brackets stay brackets."""
    return Content(safe_text(value, max_cells))


def _drop(text: str) -> str:
    kept: list[str] = []
    marks = _MAX_MARKS  # nothing to sit on yet
    for character in text:
        category = unicodedata.category(character)
        if category in _DROPPED:
            continue
        if category.startswith("M"):
            marks += 1
            if marks > _MAX_MARKS:
                continue
        else:
            marks = 0
        if category == "Zs":
            character = " "
        kept.append(character)
    return "".join(kept)


def _cut(text: str, max_cells: int) -> str:
    if cell_len(text) <= max_cells:
        return text
    room = max(0, max_cells - 1)
    kept = ""
    for character in text:
        room -= get_character_cell_size(character)
        if room < 0:
            break
        kept += character
    return (kept + _ELLIPSIS)[: max(0, max_cells)]
