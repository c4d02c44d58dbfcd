"""Whose medium it is, as its objects say, to find that where nobody may read it (PDI-06, 26, 99).

Holds patient data in memory only; what is found names the place, never the value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Final

_NAME, _PATIENT_ID, _BIRTH_DATE = 0x00100010, 0x00100020, 0x00100030
_ACCESSION: Final = 0x00080050
_TAGS: Final = (_NAME, _PATIENT_ID, _BIRTH_DATE, _ACCESSION)
_TOKEN = re.compile(rb"[A-Z0-9]{4,}")  # shorter ones are in file names by chance
_WORD = re.compile(rb"[a-z0-9\x80-\xff]+")
_MAX_SEEN: Final = 1000
_MAX_TOKENS: Final = 10_000
_LONG_ID: Final = 6  # shorter ones are in addresses and telephone numbers by chance
_ORDINAL = re.compile(rb"(\d{1,2})(?:st|nd|rd|th|er|o)")
_YEAR_OF_TWO = re.compile(rb"(?<![\w./-])(\d{1,2})[./-](\d{1,2})[./-](\d{2})(?![\w/-]|\.\d)")
# As far as ASCII spells them: English, German, French, Spanish, Italian, Portuguese, Dutch.
_MONTHS: Final = tuple(
    frozenset(names.encode("ascii").split())
    for names in (
        "january januar janvier enero gennaio janeiro januari jan",
        "february februar fevrier febrero febbraio fevereiro februari feb",
        "march maerz marz mars marzo marco maart mar",
        "april avril abril aprile apr",
        "may mai mayo maggio maio mei",
        "june juni juin junio giugno junho jun",
        "july juli juillet julio luglio julho jul",
        "august aout agosto augustus aug",
        "september septembre septiembre settembre setembro sep sept",
        "october oktober octobre octubre ottobre outubro oct okt",
        "november novembre noviembre novembro nov",
        "december dezember decembre diciembre dicembre dezembro dec dez",
    )
)
_LINKING: Final = frozenset((b"de", b"di", b"of"))  # 3 de marzo de 1961


class Telling:
    """What would tell about the patient if it stood in clear."""

    def __init__(self) -> None:
        self._seen: set[tuple[bytes | None, ...]] = set()
        self._tokens: set[bytes] = set()

    def add(self, values: Mapping[int, bytes]) -> None:
        """One object's raw values by tag."""
        mine = tuple(map(values.get, _TAGS))
        if mine in self._seen or len(self._seen) >= _MAX_SEEN:
            return
        self._seen.add(mine)
        for value in (mine[0], mine[1], mine[3]):
            if value and len(self._tokens) < _MAX_TOKENS:
                self._tokens.update(_TOKEN.findall(value[:1024].upper())[:_MAX_TOKENS])

    def names(self, component: str) -> bool:
        """A name on the medium is, or has before or behind a dot, an ID or a part of the name."""
        return any(
            part.encode("ascii", "replace") in self._tokens for part in component.upper().split(".")
        )

    def is_in(self, text: bytes) -> str:
        """What of the patient a text for everybody holds: "" if nothing.

        A name counts if two of its parts stand side by side: one alone is in addresses by chance.
        """
        words = _WORD.findall(text.lower())
        pairs = set(pairwise(words))
        joined, there = b" ".join(words), set(words)
        days = [_ORDINAL.sub(rb"\1", word) for word in words if word not in _LINKING]
        for name, patient_id, birth_date, accession in self._seen:
            parts = _parts(name)
            if any((a, b) in pairs or (b, a) in pairs for a in parts for b in parts if a != b):
                return "name"
            for value in (patient_id, accession):
                own = b" ".join(_WORD.findall((value or b"").lower()[:1024]))
                if len(own) >= _LONG_ID and _within(own, joined):
                    return "ID"
            digits = (birth_date or b"").strip(b" \0")
            if len(digits) == 8 and digits.isdigit() and _dates(digits) & (there | _triples(days)):
                return "birth date"
        return ""

    def may_be_in(self, text: bytes) -> str:
        """What of the patient a text may hold, or something else by chance: "" if nothing.

        An initial beside a part of the name, or a date with a year of two digits.
        """
        pairs = set(pairwise(_WORD.findall(text.lower())))
        dates = {tuple(map(int, it)) for it in _YEAR_OF_TWO.findall(text)}
        for name, _, birth_date, _ in self._seen:
            parts = _parts(name)
            if any(
                (a[:1], b) in pairs or (b, a[:1]) in pairs
                for a in parts
                for b in parts
                if a != b and len(b) > 1
            ):
                return "name"
            digits = (birth_date or b"").strip(b" \0")
            if len(digits) == 8 and digits.isdigit():
                year, month, day = int(digits[2:4]), int(digits[4:6]), int(digits[6:])
                if {(day, month, year), (month, day, year), (year, month, day)} & dates:
                    return "birth date"
        return ""


def _parts(name: bytes | None) -> list[bytes]:
    return _WORD.findall((name or b"").split(b"=")[0].lower()[:1024])[:8]


def _within(own: bytes, joined: bytes) -> bool:
    return b" " + own + b" " in b" " + joined + b" "


def _dates(digits: bytes) -> set[bytes]:
    """As words with a blank between: in figures with and without zeros, and with the month's name.

    Args:
        digits: Eight.
    """
    year, month, day = digits[:4], digits[4:6], digits[6:]
    found = {digits, day + month + year}
    names = _MONTHS[int(month) - 1] if 1 <= int(month) <= 12 else frozenset()
    for one in {day, day.lstrip(b"0")}:
        for other in {month, month.lstrip(b"0"), *names}:
            for it in ((year, other, one), (one, other, year), (other, one, year)):
                found.add(b" ".join(it))
    return found


def _triples(words: list[bytes]) -> set[bytes]:
    return {b" ".join(it) for it in zip(words, words[1:], words[2:], strict=False)}
