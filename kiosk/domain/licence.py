"""A driver's licence or ID card as its PDF417 barcode reads: AAMVA DL/ID Card Design Standard D.12.

The text is a stranger's: it is read by a table of elements, nothing is guessed, and whatever can be
read in two ways is not read at all. Of the card only name, birth date and expiry are kept, for the
time of one claim. Standard library only.

Scanners are keyboards, so the control characters between the elements arrive as they are, as
visible substitutes, or not at all. Substitutes show in the header, "@ LF RS CR ANSI ". Where all
were swallowed, the elements are told apart by their names and proven by the length in the header:
it counts one character more for each of them.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from kiosk.domain.identity import DateOrder, fold, parse_birth_date, same_birth_date, same_name
from kiosk.domain.model import PatientIdentity

MAX_LICENCE_CHARACTERS: Final = 2000  # a PDF417 symbol holds 1850 (ISO/IEC 15438)

_HEADER: Final = re.compile(
    # Issuer, version, jurisdiction's version (none before version 02), number of subfiles (D.12.3).
    r"(?:ANSI |AAMVA)[0-9]{6}[0-9]{2}(?:[0-9]{2})?(?P<entries>0[1-9])"
    r"(?P<type>DL|ID)(?P<offset>[0-9]{4})(?P<length>[0-9]{4})"
)
_DESIGNATOR: Final = re.compile(r"[A-Z]{2}[0-9]{8}")
_CONTROLS: Final = frozenset(
    map(chr, (*range(32), 127, *range(0x80, 0xA0), *range(0x2400, 0x2427)))
)
_NOT_SEPARATORS: Final = frozenset(" -'’.,/@")  # may stand in values

# D.12.5 and earlier versions, all that a subfile DL or ID may hold; `_KEPT` is what is looked at.
_ELEMENTS: Final = frozenset(
    group + letter
    for group, letters in (
        ("DA", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        ("DB", "ABCDEFGHIJKLMNOPQRS"),
        ("DC", "ABCDEFGHIJKLMNOPQRSTU"),
        ("DD", "ABCDEFGHIJKL"),
        ("PA", "ABCDEF"),
        ("PB", "ABCD"),
    )
    for letter in letters
)
_KEPT: Final = {
    "DAQ": 25,  # number of the card: it has one, or it is none; not kept any longer
    "DCS": 40,  # family name
    "DAC": 40,  # first name
    "DCT": 80,  # first and middle names, versions 02 and 03
    "DAA": 125,  # FAMILY,FIRST,MIDDLE, version 01
    "DBB": 8,  # birth date
    "DBA": 8,  # expiry
    "DCG": 3,  # country
    "DDE": 1,  # family name: T truncated, N not, U unknown
    "DDF": 1,  # the same of the first name
}
_EMPTY: Final = frozenset({"NONE", "UNAVL", "UNAVAIL", "N/A", "NA"})
_MAX_SURPLUS: Final = 3  # with the next: 40 names found at the most have 10,000 ways to be read
_MAX_FOUND: Final = 40
_MIN_CUT_LETTERS: Final = 12  # a name that was cut is long; else a flag alone would match many
_DATE_ORDERS: Final[dict[str, tuple[DateOrder, ...]]] = {
    "CAN": ("YMD", "MDY"),
    "USA": ("MDY", "YMD"),  # South Carolina's sample has the year first
}


@dataclass(frozen=True, slots=True)
class Licence:
    """Whose card it is, as it says itself. Anybody can print one: it finds, it never releases.

    Attributes:
        is_family_cut, is_given_cut: The card has room for a part of the name only.
    """

    family: str = field(repr=False)
    given: str = field(repr=False)
    birth_date: date = field(repr=False)
    expires_on: date = field(repr=False)
    is_family_cut: bool = False
    is_given_cut: bool = False

    def is_expired(self, today: date) -> bool:
        return self.expires_on < today


def looks_like_licence(text: str) -> bool:
    """Whether a scan means to be one, readable or not: it must not be taken for anything else."""
    return text.startswith("@") and ("ANSI " in text[:24] or "AAMVA" in text[:24])


def parse_licence(text: str) -> Licence | None:
    """Read a scan; None if it is no licence, or cannot be read in exactly one way.

    Args:
        text: At most `MAX_LICENCE_CHARACTERS`, as the scanner typed it.
    """
    if len(text) > MAX_LICENCE_CHARACTERS or not looks_like_licence(text):
        return None
    header = _HEADER.search(text, 1, 64)
    if header is None:
        return None
    separators = _separators(text[1 : header.start()])
    if separators is None:
        return None
    body = text[header.end() :]
    for _ in range(int(header["entries"]) - 1):
        if not _DESIGNATOR.match(body):
            return None
        body = body[10:]
    if not body.startswith(header["type"]):
        return None
    if separators:
        elements = _parted(body[2:], separators)
    else:
        elements = _unparted(body, int(header["length"]))
    return None if elements is None else _licence(elements)


def is_of(licence: Licence, patient: PatientIdentity) -> bool:
    """Whether the card's name and birth date are those of an order's patient.

    By the rules of `domain.identity`; a name that was cut off agrees if each of its words begins
    the patient's (annex A.7.7 takes letters from the end of words, never a word's first).
    """
    if not same_birth_date(patient.birth_date, licence.birth_date):
        return False
    if same_name(patient.name, f"{licence.family}^{licence.given}"):
        return True
    components = patient.name.partition("=")[0].split("^")
    family, given = components[0], components[1] if len(components) > 1 else ""
    if licence.is_family_cut and _begins(licence.family, family):
        if same_name(patient.name, f"{family}^{licence.given}"):
            return True
    else:
        family = licence.family
    return (
        licence.is_given_cut
        and _begins(licence.given, given)
        and same_name(patient.name, f"{family}^{given}")
    )


# --------------------------------------------------------------------------------------------------


def _separators(lead: str) -> tuple[str, ...] | None:
    """What parts the elements, by what stands where LF RS CR should; () if all were swallowed.

    None if it could also be part of a name.
    """
    if not lead:
        return ()
    third, rest = divmod(len(lead), 3)
    tokens = {lead[i : i + third] for i in range(0, len(lead), third)} if not rest else set(lead)
    for token in tokens:
        if token[0] in _NOT_SEPARATORS or token[0].isalnum() or len(token) > 8:
            return None
    return tuple(sorted(tokens, key=lambda it: (-len(it), it)))


def _parted(body: str, separators: tuple[str, ...]) -> dict[str, str] | None:
    """Elements between separators; those of other subfiles are not of ours."""
    for separator in separators:
        body = body.replace(separator, "\n")
    body = "".join("\n" if it in _CONTROLS else it for it in body)
    elements: dict[str, str] = {}
    for piece in body.split("\n"):
        name, value = piece[:3], piece[3:].strip()
        if name not in _ELEMENTS:
            continue
        if name in _KEPT and elements.setdefault(name, value) != value:
            return None
    return elements


def _unparted(body: str, length: int) -> dict[str, str] | None:
    """Elements that follow each other without anything between.

    Values may hold an element's name (LINDAHL holds DAH), or make one with the next (class D before
    DCB reads DDC). The header's length says how many elements there are: the card is read if there
    is one way to leave out so many of the names found, none of the rest overlapping or twice.
    """
    if any(it in _CONTROLS for it in body):
        return None
    following = re.search(r"(Z[A-Z])(?=\1[A-Z])", body)
    subfile = body[: following.start()] if following else body
    found = [i for i in range(2, len(subfile)) if subfile[i : i + 3] in _ELEMENTS]
    surplus = len(found) - (length - len(subfile))
    if not (0 <= surplus <= _MAX_SURPLUS and len(found) <= _MAX_FOUND and found[:1] == [2]):
        return None
    ways: list[dict[str, str]] = []
    for left_out in itertools.combinations(found[1:], surplus):
        starts = [it for it in found if it not in left_out]
        elements = _cut_at(subfile, starts)
        if elements is not None and elements not in ways:
            ways.append(elements)
            if len(ways) > 1:
                return None
    return ways[0] if ways else None


def _cut_at(subfile: str, starts: list[int]) -> dict[str, str] | None:
    """What is kept of the elements that begin there; None if two overlap or are the same."""
    names = [subfile[start : start + 3] for start in starts]
    ends = [*starts[1:], len(subfile)]
    if len(set(names)) < len(names) or any(
        end - start < 3 for start, end in zip(starts, ends, strict=True)
    ):
        return None
    return {
        name: subfile[start + 3 : end].strip()
        for name, start, end in zip(names, starts, ends, strict=True)
        if name in _KEPT
    }


def _licence(elements: dict[str, str]) -> Licence | None:
    kept = {name: elements.get(name, "") for name in _KEPT}
    for name, longest in _KEPT.items():
        value = kept[name]
        if len(value) > longest:
            return None
        if value.upper() in _EMPTY:
            kept[name] = ""
    family, given = kept["DCS"], kept["DAC"] or re.split("[, ]", kept["DCT"])[0]
    if not family and kept["DAA"]:
        family, _, rest = kept["DAA"].partition(",")
        given = rest.partition(",")[0].strip()
    orders = _DATE_ORDERS.get(kept["DCG"].upper(), _DATE_ORDERS["USA"])
    birth_date, expires_on = _date(kept["DBB"], orders), _date(kept["DBA"], orders)
    if not (kept["DAQ"] and fold(family) and fold(given)) or birth_date is None:
        return None
    if expires_on is None or any(it in "^=\\" for it in family + given):
        return None
    return Licence(
        family=family,
        given=given,
        birth_date=birth_date,
        expires_on=expires_on,
        is_family_cut=kept["DDE"].upper() == "T",
        is_given_cut=kept["DDF"].upper() == "T",
    )


def _date(text: str, orders: tuple[DateOrder, ...]) -> date | None:
    """Eight digits; no eight digits are a day from 1850 on in both orders."""
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        return None
    found = (parse_birth_date(text, order) for order in orders)
    return next((day for day in found if day is not None), None)


def _begins(cut: str, whole: str) -> bool:
    """Whether each word of a name that was cut begins the same word of the whole name."""
    words = [fold(it) for it in re.split("[ -]+", cut.strip()) if fold(it)]
    others = [fold(it) for it in re.split("[ -]+", whole.strip()) if fold(it)]
    return (
        sum(map(len, words)) >= _MIN_CUT_LETTERS
        and len(words) == len(others)
        and all(other.startswith(word) for word, other in zip(words, others, strict=True))
    )
