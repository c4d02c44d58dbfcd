"""Is this the same person? One pure function asked at every hop, standard library only.

The rules refuse when in doubt: a disc with another patient's study is the worst thing that can
happen, a visit to the desk is not. Names only ever confirm what a Patient ID says; no phonetics, no
edit distance.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final, Literal

from kiosk.domain.model import PatientIdentity

DateOrder = Literal["DMY", "MDY", "YMD"]

# PN allows 64 characters a component group (PS3.5 6.2); longer texts are not names and are not
# folded.
MAX_NAME_CHARACTERS: Final = 256
MAX_ID_CHARACTERS: Final = 256

_GROUPS: Final = ("alphabetic", "ideographic", "phonetic")  # PS3.5 6.2.1.1
_LETTERS: Final = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ı": "i",
    }
)
# The other way to write the same letters; tried second, on both sides.
_SPELLED_OUT: Final = re.compile("[aou]\u0308|[øå]|a\u030a")
_APOSTROPHES: Final = frozenset("'’‘ʼʻ`´′")
_DATE_PARTS: Final = re.compile(r"(\d{1,4})[ ./-]+(\d{1,2})[ ./-]+(\d{1,4})", re.ASCII)


class Verdict(Enum):
    """What comparing two identities says."""

    SAME = "same"
    WEAK = "weak"  # ID and name agree, a birth date is missing
    DIFFERENT = "different"
    UNDECIDABLE = "undecidable"  # something needed is missing or unreadable: hold


@dataclass(frozen=True, slots=True)
class Match:
    """Verdict and why.

    Attributes:
        reasons: Codes such as "patient_id", "issuer", "birth_date", "name.family", "name.given",
            "name.ideographic", "encoding"; empty for SAME. No patient data.
    """

    verdict: Verdict
    reasons: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        return self.verdict in (Verdict.SAME, Verdict.WEAK)


def match(verified: PatientIdentity, seen: PatientIdentity) -> Match:
    """Compare who was verified with who an order, answer, object or medium says it is of.

    SAME needs equal Patient ID (and issuer, where both say one), equal birth date and agreeing
    name; a birth date missing on one side makes it WEAK. Everything else is refused: DIFFERENT when
    something contradicts, UNDECIDABLE when something cannot be compared.
    """
    if not (_is_readable(verified) and _is_readable(seen)):
        return Match(Verdict.UNDECIDABLE, ("encoding",))
    found: list[tuple[Verdict, str]] = [
        *_compare_ids(verified, seen),
        *_compare_birth_dates(verified.birth_date, seen.birth_date),
        *_compare_names(verified.name, seen.name),
    ]
    for verdict in (Verdict.DIFFERENT, Verdict.UNDECIDABLE, Verdict.WEAK):
        if reasons := tuple(reason for its, reason in found if its is verdict):
            return Match(verdict, reasons)
    return Match(Verdict.SAME, ())


def same_name(one: str, other: str) -> bool:
    """Whether two DICOM names agree by the rules of `match`: used to find namesakes, never to
    release.
    """
    if is_damaged(one) or is_damaged(other):
        return False
    return not _compare_names(one, other)


def same_birth_date(one: str | date | None, other: str | date | None) -> bool:
    """Whether both are the same real calendar date; texts are YYYYMMDD. Missing or unreal is never
    the same.
    """
    first, second = (
        it if it is None or isinstance(it, date) else parse_birth_date(it, "YMD")
        for it in (one, other)
    )
    return first is not None and first == second


def parse_birth_date(text: str, locale_order: DateOrder) -> date | None:
    """Read a date of birth as typed or stored; None unless it is a real calendar date from 1850 on.

    Args:
        text: Eight digits, or three numbers parted by space, dot, slash or hyphen, the year in four
            digits.
            A year that stands first is read as year, month, day whatever the order asked for.
        locale_order: How the numbers follow each other where the text itself does not say.
    """
    text = text.strip()
    if len(text) > 16:
        return None
    if parts := _DATE_PARTS.fullmatch(text):
        one, two, three = parts.groups()
        if len(one) == 4:
            year, month, day = one, two, three
        elif locale_order == "YMD":
            return None
        else:
            day, month, year = (one, two, three) if locale_order == "DMY" else (two, one, three)
    elif len(text) == 8 and text.isascii() and text.isdigit():
        if locale_order == "YMD":
            year, month, day = text[:4], text[4:6], text[6:]
        elif locale_order == "DMY":
            day, month, year = text[:2], text[2:4], text[4:]
        else:
            month, day, year = text[:2], text[2:4], text[4:]
    else:
        return None
    if len(year) != 4 or int(year) < 1850:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def fold(text: str) -> str:
    """Letters and digits of a name without case, marks and punctuation: O'Brien and OBRIEN are one.

    Marks are dropped where they decorate a letter (Latin, Greek, Cyrillic, Hebrew, Arabic); the
    vowel signs of Indic scripts and the voicing marks of kana make other names and stay.
    """
    text = unicodedata.normalize("NFKD", _decomposed(text).translate(_LETTERS))
    return "".join(c for c in text if c.isalnum() or _is_kept_mark(c))


# --------------------------------------------------------------------------------------------------


def _compare_ids(verified: PatientIdentity, seen: PatientIdentity) -> list[tuple[Verdict, str]]:
    found = []
    one, other = verified.patient_id.strip(" "), seen.patient_id.strip(" ")
    if not one or not other:
        found.append((Verdict.UNDECIDABLE, "patient_id"))
    elif one != other:  # case and leading zeros count
        found.append((Verdict.DIFFERENT, "patient_id"))
    issuer, other_issuer = verified.issuer.strip(" "), seen.issuer.strip(" ")
    if issuer and other_issuer and issuer != other_issuer:
        found.append((Verdict.DIFFERENT, "issuer"))
    return found


def _compare_birth_dates(verified: str, seen: str) -> list[tuple[Verdict, str]]:
    verified, seen = verified.strip(" "), seen.strip(" ")
    dates = [parse_birth_date(text, "YMD") for text in (verified, seen) if text]
    if None in dates:  # there is something, but it is no day of the calendar
        return [(Verdict.UNDECIDABLE, "birth_date")]
    if len(dates) < 2:
        return [(Verdict.WEAK, "birth_date")]
    return [] if dates[0] == dates[1] else [(Verdict.DIFFERENT, "birth_date")]


def _compare_names(verified: str, seen: str) -> list[tuple[Verdict, str]]:
    """Each component group with its own kind only; at least one kind must be on both sides."""
    found: list[tuple[Verdict, str]] = []
    compared = False
    pairs = zip(_GROUPS, _groups_of(verified), _groups_of(seen), strict=True)
    for kind, one, other in pairs:
        if not fold(one) or not fold(other):
            continue
        compared = True
        if kind == "alphabetic":
            found += _compare_alphabetic(one, other)
        elif not _agree_exactly(one, other):
            found.append((Verdict.DIFFERENT, f"name.{kind}"))
    return found if compared else [(Verdict.UNDECIDABLE, "name")]


def _compare_alphabetic(verified: str, seen: str) -> list[tuple[Verdict, str]]:
    family, given = _family_and_given(verified)
    other_family, other_given = _family_and_given(seen)
    found = []
    if not fold(family) or not fold(other_family):
        found.append((Verdict.UNDECIDABLE, "name.family"))
    elif not same_word(family, other_family):
        found.append((Verdict.DIFFERENT, "name.family"))
    if not _same_given(given, other_given):
        found.append((Verdict.DIFFERENT, "name.given"))
    return found


def _same_given(one: str, other: str) -> bool:
    """First names equal, one the initial of the other, or one absent; written together or apart is
    the same.
    """
    words, other_words = words_of(one), words_of(other)
    if not words or not other_words:
        return True
    first, second = words[0], other_words[0]
    if same_word(first, second) or same_word(one, other):
        return True
    short, long = sorted((fold(first), fold(second)), key=len)
    # A single ideograph is a whole name; only letters that have a case are written as initials.
    return len(short) == 1 and short.upper() != short and long.startswith(short)


def same_word(one: str, other: str) -> bool:
    return fold(one) == fold(other) or fold(_spell_out(one)) == fold(_spell_out(other))


def _agree_exactly(one: str, other: str) -> bool:
    """Ideographic and phonetic groups: nothing is an initial, nothing may be dropped but
    punctuation.
    """
    family, given = _family_and_given(one)
    other_family, other_given = _family_and_given(other)
    return fold(family) == fold(other_family) and (
        not fold(given) or not fold(other_given) or fold(given) == fold(other_given)
    )


def _groups_of(name: str) -> list[str]:
    groups = name.split("=")[:3]
    return groups + [""] * (3 - len(groups))


def _family_and_given(group: str) -> tuple[str, str]:
    components = group.split("^")
    return components[0], components[1] if len(components) > 1 else ""


def words_of(text: str) -> list[str]:
    kept = (c if c.isalnum() or c in _APOSTROPHES or _is_mark(c) else " " for c in text)
    return [word for word in "".join(kept).split() if fold(word)]


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())


def _spell_out(text: str) -> str:
    """Write MÜLLER as MUELLER: the German, Danish and Swedish way without the letters."""

    def spelled(found: re.Match[str]) -> str:
        letter = found.group()
        return {"ø": "oe", "å": "aa", "a\u030a": "aa"}.get(letter, letter[0] + "e")

    return _SPELLED_OUT.sub(spelled, _decomposed(text))


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _is_kept_mark(character: str) -> bool:
    order = unicodedata.combining(character)
    # Canonical combining classes: 10-36 are Hebrew and Arabic points, 200 and up the marks over and
    # under letters.
    return _is_mark(character) and not (10 <= order <= 36 or order >= 200)


def _is_readable(identity: PatientIdentity) -> bool:
    texts = (identity.patient_id, identity.issuer, identity.name)
    return not any(is_damaged(text) for text in texts) and len(identity.birth_date) <= 32


def is_damaged(text: str) -> bool:
    """Whether decoding failed or never happened: replacement characters, lone surrogates, escape
    sequences.
    """
    if len(text) > max(MAX_NAME_CHARACTERS, MAX_ID_CHARACTERS):
        return True
    return any(c == "\ufffd" or unicodedata.category(c) in ("Cc", "Cs") for c in text)
