"""Names and addresses as people type them, in any script: checked once, here.

What is typed is hostile until then: it may hold control characters, marks that turn the direction
of what follows, or towers of accents. The texts of errors say what is wrong, never what was typed.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from kiosk.errors import InvalidValueError

MAX_NAME: Final = 120  # characters
MAX_LINE: Final = 80  # of an address
MAX_LINES: Final = 6
_MAX_RAW: Final = 1000  # longer is not looked at
_MAX_MARKS: Final = 4  # accents on one letter; Vietnamese and Hebrew need up to three
# Zero width (non-)joiner: Persian and Indic names are misspelled without. The other unseen ones
# (direction, tags) are refused.
_JOINERS: Final = "\u200c\u200d"


def clean_line(text: str, *, limit: int = MAX_LINE) -> str:
    """One line: composed (NFC), blanks made single, without blanks around; "" if nothing is left.

    Raises:
        InvalidValueError: Too long, or a character that nobody types on purpose.
    """
    if len(text) > _MAX_RAW:
        raise InvalidValueError(f"longer than {limit} characters")
    for character in text:
        category = unicodedata.category(character)
        if category in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp") or (
            category == "Cf" and character not in _JOINERS
        ):
            raise InvalidValueError("a control character, or one that cannot be shown")
    line = " ".join(unicodedata.normalize("NFC", text).split()).strip(_JOINERS)
    if len(line) > limit:
        raise InvalidValueError(f"longer than {limit} characters")
    marks = 0
    for character in line:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks > _MAX_MARKS:
            raise InvalidValueError("more accents on one letter than any script has")
    return line


def clean_name(text: str) -> str:
    """A person's or a practice's name.

    Raises:
        InvalidValueError: As `clean_line`, or without a letter.
    """
    line = clean_line(text, limit=MAX_NAME)
    if not any(unicodedata.category(character).startswith("L") for character in line):
        raise InvalidValueError("a name has letters")
    return line


def clean_address(lines: str | tuple[str, ...]) -> tuple[str, ...]:
    """Where something is sent: 1 to `MAX_LINES` lines, of street or of e-mail; blank ones go.

    Raises:
        InvalidValueError: As `clean_line`, too many lines, or nothing that is a letter or digit.
    """
    parts = tuple(lines.split("\n")) if isinstance(lines, str) else lines
    if len(parts) > MAX_LINES * 2:
        raise InvalidValueError(f"an address has at most {MAX_LINES} lines")
    cleaned = tuple(line for line in map(clean_line, parts) if line)
    if len(cleaned) > MAX_LINES:
        raise InvalidValueError(f"an address has at most {MAX_LINES} lines")
    if not any(character.isalnum() for line in cleaned for character in line):
        raise InvalidValueError("an address has letters or digits")
    return cleaned
