"""A patient's name as a label writes it, and how it becomes shorter where there is no room.

Shortened by rule, not by chance: middle names to initials, then without them, then further given
names to initials, then without, and only at last is a family name cut, with a sign that it was.
Family name and the first given name always stay in sight.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_MAX_COMPONENT: Final = 64  # PS3.5 6.2: of a component group, in all
_MAX_MARKS: Final = 2  # accents above one letter; more are a drawing
_DROPPED: Final = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_CUT: Final = "\u2026"


def clean(text: str, limit: int = 200) -> str:
    """One line of what people typed: composed, without control characters and piles of accents."""
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text[: limit * 4]):
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if category in _DROPPED:
            kept.append(" ")
        elif marks <= _MAX_MARKS and not (marks and not kept):
            kept.append(character)
    return " ".join("".join(kept).split())[:limit]


def name_forms(name: str) -> tuple[tuple[str, ...], ...]:
    """The ways a DICOM name is written (PS3.5 6.2.1.1), alphabetic before ideographic; each from
    whole to short.

    The phonetic group is taken only if there is no other. Nothing at all gives none.
    """
    groups = name.split("=")[:3]
    written = [forms for group in groups if (forms := _forms(group))]
    if len(groups) == 3 and _forms(groups[2]) and len(written) > 1:
        written = written[:-1]
    return tuple(written)


def _forms(group: str) -> tuple[str, ...]:
    parts = [clean(part, _MAX_COMPONENT) for part in group.split("^")]
    family, given, middle, _prefix, suffix = [*parts, "", "", "", "", ""][:5]
    if not family:
        family, given = given or middle, "" if not given else middle
        middle = ""
    if not family:
        return ()
    first, *further = given.split() or [""]
    firsts = [
        _spaced(given, middle, suffix),
        _spaced(given, _initials(middle.split()), suffix),
        given,
        _spaced(first, _initials(further)),
        first,
    ]
    found = [_joined(family, it) for it in firsts]
    short = _cut(first, 14)
    for length in range(len(family) - 1, 3, -1):
        found.append(_joined(_cut(family, length), short))
    if first:
        found.append(_joined(_cut(family, 8), _initials([first])))
    return tuple(dict.fromkeys(found))


def _spaced(*parts: str) -> str:
    return " ".join(filter(None, parts))


def _joined(family: str, given: str) -> str:
    if not given:
        return family
    if _is_dense(family + given):
        return family + given
    is_arabic = any(unicodedata.bidirectional(c) == "AL" for c in family)
    return f"{family}\u060c {given}" if is_arabic else f"{family}, {given}"


def _is_dense(text: str) -> bool:
    """Written without blanks: ideographs, kana, Korean."""
    return all(unicodedata.east_asian_width(c) in "WF" for c in text if not c.isspace())


def _initials(names: list[str]) -> str:
    return " ".join(f"{_letters(name, 1)}." for name in names)


def _letters(text: str, count: int) -> str:
    """The first so many, each with its accents."""
    at = 0
    for character in text:
        if unicodedata.category(character) not in ("Mn", "Mc", "Me"):
            count -= 1
            if count < 0:
                break
        at += 1
    return text[:at]


def _cut(text: str, length: int) -> str:
    short = _letters(text, length).rstrip()
    return text if short == text else short + _CUT


def cut_to(text: str, length: int) -> str:
    """For texts that know no shorter form: the beginning, and a sign that more was there."""
    return _cut(text, length)
