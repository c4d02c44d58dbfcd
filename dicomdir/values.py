"""Values as their VR wants them (PS3.5 6.2; PDI-84): old forms converted, others mended."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from dicomdir.charset import decode, encode, needs_charset
from dicomdir.elements import MAX_VALUE_BYTES, element, elements, item
from dicomdir.errors import InstanceError

TEXT_LENGTHS: Final = {  # characters
    "SH": 16,
    "LO": 64,
    "ST": 1024,
    "LT": 10240,
    "UC": MAX_VALUE_BYTES,
    "UT": MAX_VALUE_BYTES,
}
TEXT_VRS: Final = frozenset({*TEXT_LENGTHS, "PN"})
# Image Type, Performing Physician's Name, Specific Character Set
MANY_VALUED: Final = frozenset({0x00080008, 0x00081050, 0x00080005})
_GROUP_LENGTH: Final = 64  # of each component group of a PN

_DA = re.compile(rb"(\d{4})[.\-/]?(\d\d)[.\-/]?(\d\d)")
_TM = re.compile(rb"([01]\d|2[0-3])(?::?([0-5]\d)(?::?([0-5]\d|60)(?:\.(\d{1,6})\d*)?)?)?")
_DT = re.compile(
    rb"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d(?:\d\d(?:\d\d(?:\.\d{1,6})?)?)?))?)?)?"
    rb"([+-](?:0\d|1[0-4])[0-5]\d)?"
)
_IS = re.compile(rb"[+-]?\d{1,12}")
_DS = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_UI = re.compile(rb"[0-9.]{1,64}")
_CS = re.compile(rb"[A-Z0-9_ ]{0,16}")
_CS_FOREIGN = re.compile(rb"[^A-Z0-9_ ]")
# Line and page breaks, tabs: in longer texts only (PS3.5 6.2). ESC is left to `charset`.
_BREAKS = re.compile(rb"[\t\n\f\r]+")
_LINES: Final = frozenset({"LO", "PN", "SH"})
_UPPER_CONTROL = re.compile("[\x80-\x9f]")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")


def conform(vr: str, value: bytes, charset: bytes, *, many: bool = False) -> bytes:
    """The value in a legal form, without padding; b"" if there is none.

    Args:
        charset: Specific Character Set that governs it, b"" for the default repertoire.
        many: Backslashes part several values of CS, LO, PN and SH, as of the keys `MANY_VALUED`;
            else there may be one alone (PS3.6 6).
    """
    if vr in ("US", "UL"):
        return value if len(value) == (2 if vr == "US" else 4) else b""
    trimmed = value.strip(b" \0")
    if not trimmed:
        return b""
    if vr == "CS":
        if b"\\" not in trimmed and _CS.fullmatch(trimmed) is not None:
            return trimmed
        if not many:
            return _code_string(trimmed)
        return b"\\".join(_code_string(part) for part in trimmed.split(b"\\"))
    if vr in TEXT_VRS:
        return _text(vr, trimmed, charset, many=many)
    return _SIMPLE[vr](trimmed)


def conform_sequence(value: bytes, charset: bytes) -> bytes:
    """A kept sequence with the text in it readable by `charset`; else as it is."""
    if value.isascii() and b"\x1b" not in value:
        return value
    out = []
    for content in items_of(value):
        inner = []
        for tag, vr, raw in elements(content):
            if vr == "SQ":
                raw = conform_sequence(raw, charset)
            elif vr in TEXT_VRS and needs_charset(raw):
                raw = conform(vr, raw, charset, many=True)
            inner.append(element(tag, vr, raw))
        out.append(item(b"".join(inner)))
    return b"".join(out)


def loses_letters(vr: str, value: bytes, formed: bytes, charset: bytes) -> bool:
    """Whether `conform` could not but write "?" for letters of a text."""
    if formed == value or not needs_charset(value):
        return False
    try:
        text = decode(value, charset, is_name=vr == "PN")
    except InstanceError:
        return True
    return formed.count(b"?") > text.count("?")


def date_digits(value: bytes) -> bytes:
    """Eight digits of a date in either form, a real day or not (19610000 tells people apart too);
    b"" if it is none.
    """
    match = _DA.fullmatch(value.strip(b" \0"))
    return b"".join(match.groups()) if match is not None else b""


def is_legal_id(value: bytes, charset: bytes) -> bool:
    """A Patient ID that a record may have as it is. Mended, it could be another patient's."""
    return conform("LO", value, charset) == value.strip(b" \0")


def has_foreign_text(vr: str, value: bytes) -> bool:
    """The value, or one inside it, cannot be read without Specific Character Set."""
    if vr != "SQ":
        return vr in TEXT_VRS and needs_charset(value)
    if value.isascii() and b"\x1b" not in value:
        return False
    return any(
        has_foreign_text(inner, raw)
        for content in items_of(value)
        for _, inner, raw in elements(content)
    )


def items_of(sequence: bytes) -> list[bytes]:
    """Contents of the items of a sequence as this package writes them."""
    found = []
    at = 0
    while at + 8 <= len(sequence):
        length = int.from_bytes(sequence[at + 4 : at + 8], "little")
        found.append(sequence[at + 8 : at + 8 + length])
        at += 8 + length
    return found


def _code_string(part: bytes) -> bytes:
    return _CS_FOREIGN.sub(b"_", part.strip(b" \0").upper())[:16].rstrip(b" ")


def _date(value: bytes) -> bytes:
    digits = date_digits(value)
    return digits if digits and _is_day(digits[:4], digits[4:6], digits[6:]) else b""


def _is_day(year: bytes, month: bytes, day: bytes) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _time(value: bytes) -> bytes:
    match = _TM.fullmatch(value)
    if match is None:
        return b""
    hours, minutes, seconds, fraction = match.groups()
    return b"".join((hours, minutes or b"", seconds or b"", b"." + fraction if fraction else b""))


def _date_time(value: bytes) -> bytes:
    match = _DT.fullmatch(value)
    if match is None:
        return b""
    year, month, day, time, _ = match.groups()
    is_real = _is_day(year, month or b"01", day or b"01") and (not time or _time(time) == time)
    return value if is_real else b""


def _integer(value: bytes) -> bytes:
    if _IS.fullmatch(value) is None or not -(1 << 31) <= int(value) < 1 << 31:
        return b""
    return value


def _decimals(value: bytes) -> bytes:
    parts = []
    for part in value.split(b"\\"):
        part = part.strip(b" \0")
        if part and _DS.fullmatch(part) is None:
            return b""
        if len(part) > 16:
            number = float(part)
            if number - number != 0:  # infinite
                return b""
            part = _shorter(number)
        parts.append(part)
    return b"\\".join(parts)


def _shorter(number: float) -> bytes:
    """At most 16 characters, as exact as they allow (PS3.5 6.2, DS)."""
    for digits in range(16, 0, -1):
        text = f"{number:.{digits}g}"
        if len(text) <= 16:
            return text.encode("ascii")
    return b"0"


def _uid(value: bytes) -> bytes:
    return value if _UI.fullmatch(value) is not None else b""


_SIMPLE: Final = {
    "DA": _date,
    "TM": _time,
    "DT": _date_time,
    "IS": _integer,
    "DS": _decimals,
    "UI": _uid,
}


def _text(vr: str, value: bytes, charset: bytes, *, many: bool) -> bytes:
    value = _CONTROL.sub(b"", value).strip(b" ")
    is_line = vr in _LINES
    if is_line:
        value = _BREAKS.sub(b" ", value).strip(b" ")
    is_one = is_line and not many
    if not needs_charset(value):
        return _shortened(vr, _mended(value.decode("ascii"), is_one)).encode("ascii")
    try:
        text = decode(value, charset, is_name=vr == "PN")
    except InstanceError:
        # Nobody can read it: better a "?" than a record that breaks its character set (PDI-68).
        plain = bytes(byte if byte < 0x80 and byte != 0x1B else 0x3F for byte in value)
        return _shortened(vr, _mended(plain.decode("ascii"), is_one)).encode("ascii")
    shortened = _shortened(vr, _mended(text, is_one))
    if shortened == text:
        return value  # its own bytes, whatever escape sequences they hold
    return encode(shortened, charset)


def _mended(text: str, is_one: bool) -> str:
    """Without control characters of the upper half, and of one value if it may have no more."""
    return _UPPER_CONTROL.sub("", text.replace("\\", "/") if is_one else text)


def _shortened(vr: str, text: str) -> str:
    if vr == "PN":
        groups = text.split("=")[:3]
        return "=".join(group[:_GROUP_LENGTH] for group in groups)
    return text[: TEXT_LENGTHS[vr]].rstrip(" ")
