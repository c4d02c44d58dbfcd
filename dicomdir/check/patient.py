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
        for name, patient_id, birth_date, accession in self._seen:
            parts = _WORD.findall((name or b"").split(b"=")[0].lower()[:1024])[:8]
            if any((a, b) in pairs or (b, a) in pairs for a in parts for b in parts if a != b):
                return "name"
            for value in (patient_id, accession):
                own = b" ".join(_WORD.findall((value or b"").lower()[:1024]))
                if len(own) >= _LONG_ID and _within(own, joined):
                    return "ID"
            digits = (birth_date or b"").strip(b" \0")
            if len(digits) == 8 and digits.isdigit() and _dates(digits) & (there | _triples(words)):
                return "birth date"
        return ""


def _within(own: bytes, joined: bytes) -> bool:
    return b" " + own + b" " in b" " + joined + b" "


def _dates(digits: bytes) -> set[bytes]:
    year, month, day = digits[:4], digits[4:6], digits[6:]
    return {digits, *(b" ".join(it) for it in ((year, month, day), (day, month, year),
                                               (month, day, year)))}  # fmt: skip


def _triples(words: list[bytes]) -> set[bytes]:
    return {b" ".join(it) for it in zip(words, words[1:], words[2:], strict=False)}
