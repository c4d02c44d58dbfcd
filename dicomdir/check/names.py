"""Whether two names of one medium contradict each other (PDI-85): family and given names, kind by
kind.

More lenient than any rule by which objects are let onto a medium, and the same whichever object
gave the record its name: who compares each object with a third name (an order's) may put MULLER,
MUELLER and Müller side by side, or an alphabetic group beside an ideographic one. Patient ID and
birth date are compared apart from this.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from dicomdir.charset import decode
from dicomdir.errors import InstanceError
from dicomdir.values import conform

_GROUPS: Final = 3  # alphabetic, ideographic, phonetic (PS3.5 6.2.1.1)
_LETTERS: Final = str.maketrans({
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i",
})  # fmt: skip
# Umlauts and the like are written with a second letter or without: both become one.
_SPELLED_OUT: Final = re.compile(r"(a)[ae]+|([ou])e+")
_GUESSES: Final = (b"ISO_IR 192", b"ISO_IR 100")
_NAME: Final = re.compile(r"[^\s.,\-\u2010]+")
_UNKNOWN: Final = "?"  # a record's, for what nobody can read (PDI-68)


def contradict(record: bytes, record_charset: bytes, value: bytes, charset: bytes) -> bool:
    """Whether an object's name is another one than its PATIENT record's.

    Args:
        record: The record's raw value.
        record_charset: Of the record; `charset` of the object; b"" if absent.
        value: The object's raw value.
    """
    record, value = record.strip(b" \0"), value.strip(b" \0")
    if record == value:
        return False
    try:
        mine = decode(record, record_charset, is_name=True)
        decode(value, charset, is_name=True)
        other = decode(conform("PN", value, charset), charset, is_name=True)
    except InstanceError:
        return _contradict_unread(record, record_charset, value)
    return _differ(mine, other)


def _contradict_unread(record: bytes, charset: bytes, value: bytes) -> bool:
    """Where nobody can read one of them: unlike all that it may be is another name."""
    if not _differ(_plain(record), _plain(value)):
        return False
    try:
        mine = decode(record, charset, is_name=True)
    except InstanceError:
        return True
    for guess in _GUESSES:
        try:
            if not _differ(mine, decode(value, guess, is_name=True)):
                return False
        except InstanceError:
            continue
    return True


def _plain(value: bytes) -> str:
    """The letters that every character set has."""
    return bytes(byte for byte in value if byte < 0x80).replace(b"?", b"").decode("ascii")


def _differ(one: str, other: str) -> bool:
    """A name of a kind that both have is another; no kind in common is no contradiction."""
    pairs = zip(one.split("=")[:_GROUPS], other.split("=")[:_GROUPS], strict=False)
    return any(_is_other(mine, theirs) for mine, theirs in pairs)


def _is_other(one: str, other: str) -> bool:
    family, _, given = one.partition("^")
    other_family, _, other_given = other.partition("^")
    if not _agree(family, other_family):
        return True
    return not _agree_given(given.split("^")[0], other_given.split("^")[0])


def _agree_given(one: str, other: str) -> bool:
    """One name in common, or one the initial of another: who has several uses one or other."""
    if _agree(one, other):
        return True
    return any(
        _agree(mine, theirs) or _is_initial(mine, theirs) or _is_initial(theirs, mine)
        for mine in _NAME.findall(one)
        for theirs in _NAME.findall(other)
    )


def _is_initial(short: str, long: str) -> bool:
    short, long = _folded(short), _folded(long)
    # A single ideograph is a whole name; only letters that have a case are written as initials.
    return len(short) == 1 and short.upper() != short and long.startswith(short)


def _agree(one: str, other: str) -> bool:
    if not _folded(one) or not _folded(other):
        return True
    if _UNKNOWN in one:
        return _pattern(one).fullmatch(_folded(other)) is not None
    if _UNKNOWN in other:
        return _pattern(other).fullmatch(_folded(one)) is not None
    return _folded(one) == _folded(other)


def _pattern(text: str) -> re.Pattern[str]:
    """For a name of which some letters are not known; at most one gap costs no time to match."""
    first, *rest = re.split(r"\?+", text)
    if not rest:
        return re.compile(re.escape(_folded(first)))
    return re.compile(re.escape(_folded(first)) + ".*" + re.escape(_folded(rest[-1])), re.DOTALL)


def _folded(text: str) -> str:
    """Letters without case, marks and punctuation; umlauts spelled out or not are one."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text[:256]).casefold())
    text = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    kept = "".join(letter for letter in text if letter.isalnum() or _is_kept_mark(letter))
    return _SPELLED_OUT.sub(lambda found: found[1] or found[2], kept)


def _is_kept_mark(letter: str) -> bool:
    """Vowel signs and voicing marks make other names; Hebrew and Arabic points (classes 10-36) and
    marks over and under letters (200 and up) do not.
    """
    order = unicodedata.combining(letter)
    is_mark = unicodedata.category(letter).startswith("M")
    return is_mark and not (10 <= order <= 36 or order >= 200)
