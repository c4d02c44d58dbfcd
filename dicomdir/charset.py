"""Specific Character Set: bytes of an object to text and back (PS3.3 C.12.1.1.2, PS3.5 6.1)."""

from __future__ import annotations

import functools
import re
from typing import Final

from dicomdir.errors import InstanceError

# Single-byte sets without code extensions: defined term to codec; G0 is ASCII in all.
_SINGLE: Final = {
    "": "ascii", "ISO_IR 6": "ascii", "ISO_IR 100": "latin_1", "ISO_IR 101": "iso8859_2",
    "ISO_IR 109": "iso8859_3",
    "ISO_IR 110": "iso8859_4", "ISO_IR 144": "iso8859_5", "ISO_IR 127": "iso8859_6",
    "ISO_IR 126": "iso8859_7",
    "ISO_IR 138": "iso8859_8", "ISO_IR 148": "iso8859_9", "ISO_IR 203": "iso8859_15",
    "ISO_IR 13": "shift_jis",
    "ISO_IR 166": "iso8859_11",
}  # fmt: skip
# Multi-byte sets that allow no code extension.
_WHOLE: Final = {"ISO_IR 192": "utf_8", "GB18030": "gb18030", "GBK": "gbk"}
# Escape sequence (without ESC) to (is G1, codec). G0 multi-byte codes are EUC without the high bit.
_ESCAPES: Final = {
    b"(B": (False, "ascii"), b"(J": (False, "ascii"), b")I": (True, "shift_jis"), b"-A": (True,
    "latin_1"),
    b"-B": (True, "iso8859_2"), b"-C": (True, "iso8859_3"), b"-D": (True, "iso8859_4"),
    b"-L": (True, "iso8859_5"),
    b"-G": (True, "iso8859_6"), b"-F": (True, "iso8859_7"), b"-H": (True, "iso8859_8"),
    b"-M": (True, "iso8859_9"),
    b"-b": (True, "iso8859_15"), b"-T": (True, "iso8859_11"), b"$B": (False, "jis0208"),
    b"$(D": (False, "jis0212"),
    b"$)C": (True, "euc_kr"), b"$)A": (True, "gb2312"),
}  # fmt: skip
# Sets that are reached by an escape sequence alone.
_EXTENSION_TERMS: Final = frozenset({"ISO_IR 87", "ISO_IR 159", "ISO_IR 149", "ISO_IR 58"})
# Defined terms as they are written by mistake; none of these can mean anything else.
_ALIAS = re.compile(
    r"(?P<extended>ISO[ _.-]?2022[ _.-]?IR)[ _.-]?(?P<of>\d{1,3})"
    r"|ISO[ _.-]?IR[ _.-]?(?P<ir>\d{1,3})"
    r"|ISO[ _-]?8859[ _-]?(?P<part>\d{1,2})|(?P<utf>UTF[ _-]?8)|(?P<latin>LATIN[ _-]?1)"
    r"|(?P<gb>GB[ _-]?18030)|(?P<gbk>GBK)"
)
_PARTS: Final = {
    codec.removeprefix("iso8859_"): term
    for term, codec in _SINGLE.items()
    if codec.startswith("iso8859_")
} | {"1": "ISO_IR 100"}
_EXTENSION: Final = re.compile(rb"\x1b(\$[()].|\$.|[()\-].)", re.DOTALL)
_RUNS: Final = re.compile(rb"[\x00-\x7f]+|[\x80-\xff]+")


def needs_charset(value: bytes) -> bool:
    """The value goes beyond the default repertoire (ASCII without escape sequences)."""
    return b"\x1b" in value or not value.isascii()


@functools.lru_cache(maxsize=256)
def defined(charset: bytes) -> bytes:
    """Specific Character Set in defined terms, without padding, where it says one in another way.

    ISO-IR 100, iso_ir 100 and UTF-8 leave no doubt what is meant; what does is left as it is.
    """
    return b"\\".join(_defined(part) for part in charset.strip(b" \0").split(b"\\"))


def _defined(part: bytes) -> bytes:
    text = part.strip(b" \0").decode("ascii", "replace")
    found = _ALIAS.fullmatch(text.upper())
    if found is None:
        return part
    if number := found["of"] or found["ir"]:
        plain = f"ISO_IR {number}"
        if plain not in _SINGLE and plain not in _WHOLE and plain not in _EXTENSION_TERMS:
            return part
        term = f"ISO 2022 IR {number}" if found["extended"] else plain
    elif found["part"]:
        term = _PARTS.get(found["part"], text)
    elif found["utf"]:
        term = "ISO_IR 192"
    elif found["latin"]:
        term = "ISO_IR 100"
    else:
        term = "GB18030" if found["gb"] else "GBK"
    return term.encode("ascii")


def decode(value: bytes, charset: bytes, *, is_name: bool = False) -> str:
    """Text of a value of VR LO, LT, PN, SH, ST, UC or UT.

    Args:
        charset: Raw value of (0008,0005) that governs it, b"" if absent; read as `defined`.
        is_name: VR PN, in which "^" and "=" also end a code extension.
    Raises:
        InstanceError: Unknown character set, or bytes that it does not have.
    """
    if value.isascii() and b"\x1b" not in value:
        return value.decode("ascii")
    terms = [it.strip(" \0") for it in defined(charset).decode("ascii", "replace").split("\\")]
    first = terms[0]
    try:
        if len(terms) == 1 and first in _WHOLE:
            return value.decode(_WHOLE[first])
        if len(terms) == 1 and first in _SINGLE:
            if b"\x1b" in value:
                raise InstanceError("escape sequence without code extensions")
            return value.decode(_SINGLE[first])
        initial = first.replace("ISO 2022 IR", "ISO_IR")
        if initial not in _SINGLE:
            if initial not in _EXTENSION_TERMS:
                raise InstanceError("unknown Specific Character Set")
            initial = ""  # multi-byte sets begin with an escape sequence
        return _decode_extended(value, _SINGLE[initial], is_name=is_name)
    except UnicodeDecodeError:
        raise InstanceError("text does not fit its Specific Character Set") from None


def _decode_extended(value: bytes, initial: str, *, is_name: bool) -> str:
    """ISO 2022 code extensions: each delimiter brings the initial sets back (PS3.5 6.1.2.5.3)."""
    delimiters = b"\\\r\n\f\t^=" if is_name else b"\\\r\n\f\t"
    out = []
    g0, g1 = "ascii", initial
    at = 0
    while at < len(value):
        escape = _EXTENSION.match(value, at)
        if escape is not None:
            try:
                is_g1, codec = _ESCAPES[escape[1]]
            except KeyError:
                raise InstanceError("unknown escape sequence") from None
            if is_g1:
                g1 = codec
            else:
                g0 = codec
            at = escape.end()
            continue
        if value[at] == 0x1B:
            raise InstanceError("unknown escape sequence")
        end = value.find(b"\x1b", at)
        part = value[at:] if end < 0 else value[at:end]
        at = len(value) if end < 0 else end
        for run in _RUNS.findall(part):
            if run[0] >= 0x80:
                out.append(run.decode(g1))
            elif g0 == "ascii":
                out.append(run.decode("ascii"))
                if any(byte in delimiters for byte in run):
                    g1 = initial
            else:
                high = bytes(byte | 0x80 for byte in run)
                if g0 == "jis0212":
                    high = b"".join(b"\x8f" + high[i : i + 2] for i in range(0, len(high), 2))
                out.append(high.decode("euc_jp"))
    return "".join(out)


def encode(text: str, charset: bytes) -> bytes:
    """The reverse for sets without code extensions; what does not fit becomes "?"."""
    term = defined(charset).decode("ascii", "replace")
    return text.encode(_WHOLE.get(term) or _SINGLE.get(term, "ascii"), "replace")
