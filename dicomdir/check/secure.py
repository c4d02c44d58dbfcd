"""Secure DICOM files, as far as they can be told without the password (PDI-86 to PDI-94).

What stands outside of the encrypted part of the CMS envelope (RFC 5652) is read as DER or BER.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dicomdir.check.tree import Collector, Tree, read_or_find
from dicomdir.pdi import DICOMDIR, EXTRA_FOLDER, INDEX, README, VIEWER_FOLDER, WEB_FOLDER

_HEAD_BYTES: Final = 8 << 10
_MAX_DEPTH: Final = 12
_MAX_VALUES: Final = 500


def _oid(text: str) -> bytes:
    first, second, *rest = (int(part) for part in text.split("."))
    out = bytearray([first * 40 + second])
    for number in rest:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(number & 0x7F | 0x80)
        out += bytes(reversed(groups))
    return bytes(out)


_ENVELOPED: Final = _oid("1.2.840.113549.1.7.3")
_INNER: Final = {_oid("1.2.840.113549.1.7.2"), _oid("1.2.840.113549.1.7.5")}
_AES: Final = _oid("2.16.840.1.101.3.4.1")
_CIPHERS: Final = {_oid("1.2.840.113549.3.7"), *(_AES + bytes([n]) for n in (2, 22, 42))}
_RSA: Final = _oid("1.2.840.113549.1.1.1")
_PBKDF2: Final = _oid("1.2.840.113549.1.5.12")
_COUNTED = re.compile(r"([A-Z_]{1,7})([0-9]{1,7})(\.[A-Z0-9]{1,3})?")
_REPORTS: Final = frozenset(("PDF", "RTF", "DOC", "DOCX", "ODT", "TXT", "XPS"))
_DOCUMENTS: Final = _REPORTS | frozenset((
    "HTM", "HTML", "XML", "CSV", "JPG", "JPEG", "PNG", "GIF", "TIF", "BMP",
))  # fmt: skip
# What programs bring along as well.
_PROGRAMS_OWN: Final = (".TXT", ".HTM", ".HTML", ".XML", ".CSV")
_AUTH_ENVELOPED: Final = _oid("1.2.840.113549.1.9.16.1.23")
_ENOUGH_ROUNDS: Final = 600_000  # OWASP's number for PBKDF2-HMAC-SHA256
_ENOUGH_SALT: Final = 8
_PICTURES: Final = (
    b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF", b"\0\0\0\x0cjP",
)  # fmt: skip
_TEXTS: Final = (b"%PDF", b"{\\rtf", b"\xd0\xcf\x11\xe0", b"<!DOCTYPE", b"<?xml", b"<html")
# A data set without its preamble begins with group 2 or 8: VR, or a short length.
_DATA_SET = re.compile(rb"[\x02\x08]\0.\0(?:[A-Z]{2}|[\x02-\x40]\0\0\0)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Value:
    """One TLV: its tag byte, where its content begins, its end (the outer one's if indefinite)."""

    tag: int
    start: int
    end: int
    is_whole: bool = True  # ends where or before what it is in ends


def is_report(path: str) -> bool:
    """What may be a report that is none of DICOM, by its extension."""
    return _extension(path) in _REPORTS


def _extension(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[2].rpartition(".")[2].upper()


def is_secure(head: bytes) -> bool:
    """A CMS EnvelopedData begins here."""
    return head[:1] == b"\x30" and _ENVELOPED in head[:32]


def envelope_fault(head: bytes, size_bytes: int) -> tuple[str, str]:
    """What is wrong with an envelope, as rule and reason; "" and "" if nothing can be told.

    Args:
        head: Its first bytes.
        size_bytes: Of the whole file.
    """
    values = list(_walk(head, 0, _outer_end(head, size_bytes), 0))
    oids = [head[v.start : v.end] for v in values if v.tag == 0x06]
    if not oids or oids[0] != _ENVELOPED:
        return "PDI-86", "it is no EnvelopedData"
    if not all(it.is_whole for it in (next(_walk(head, 0, size_bytes, 0)), *values)):
        return "PDI-87", "the envelope is cut: it says more than the file has"
    if not any(oid in (_RSA, _PBKDF2) for oid in oids):
        return "PDI-88", "neither an RSA key nor a password (PBKDF2) opens it"
    ciphers = [oid for oid in oids if oid in _CIPHERS]
    if not ciphers:
        return "PDI-88", "its cipher is neither AES nor Triple-DES"
    if not any(oid in _INNER for oid in oids):
        return "PDI-87", "what is in the envelope is neither digested nor signed data"
    return "", ""


def _outer_end(head: bytes, size_bytes: int) -> int:
    return next((value.end for value in _walk(head, 0, size_bytes, 0)), 0)


def _weakness(head: bytes, size_bytes: int) -> str:
    """Why a password is easily guessed (PDI-89); "" if nothing speaks for it."""
    values = _walk(head, 0, _outer_end(head, size_bytes), 0)
    for value in values:
        if value.tag == 0x06 and head[value.start : value.end] == _PBKDF2:
            break
    salt = b""
    for value in values:
        content = head[value.start : value.end]
        if value.tag == 0x04 and not salt:
            salt = content
        elif value.tag == 0x02:
            rounds = int.from_bytes(content[:9], "big", signed=True)
            if rounds < _ENOUGH_ROUNDS:
                return f"the password's key is derived in {rounds} rounds, not {_ENOUGH_ROUNDS}"
            return "" if len(salt) >= _ENOUGH_SALT else "the password's salt is too short"
    return ""


def check_secure(tree: Tree, found: Collector) -> None:
    """A medium with an encrypted DICOMDIR."""
    weak: dict[str, int] = {}
    for file in tree.files:
        path, size = file.path, file.size_bytes
        top, _, below = path.partition("/")
        if top == WEB_FOLDER and below:
            found.warn("PDI-92", path, "web pages beside encrypted objects")
            continue
        head = read_or_find(tree, found, "PDI-86", path, 0, _HEAD_BYTES)
        if head[128:132] == b"DICM":
            found.error("PDI-86", path, "a DICOM file in clear beside an encrypted DICOMDIR")
        elif is_secure(head):
            rule, reason = envelope_fault(head, size)
            if rule:
                found.error(rule, path, reason)
            else:
                _check_end(tree, found, path, head, size)
                reason = _weakness(head, size)
                if reason:
                    weak[reason] = weak.get(reason, 0) + 1
        elif path == DICOMDIR or path in (README, INDEX) or _is_authenticated(head):
            continue
        else:
            _check_clear(found, path, head, size)
    for reason, count in weak.items():
        found.warn("PDI-89", "", f"in {count} files {reason}")
    _check_numbers(tree, found)
    if any(path.split("/")[0] == "IHE_XDM" for path in tree.folders):
        found.error("PDI-94", "IHE_XDM", "an encrypted medium may not be an XDM medium")


def _check_end(tree: Tree, found: Collector, path: str, head: bytes, size: int) -> None:
    """Nothing is missing behind an envelope of no stated length, nothing follows one of a stated.

    What follows would stand in clear.
    """
    end = _outer_end(head, size)
    if head[1:2] == b"\x80":
        at = max(0, size - 2)
        if read_or_find(tree, found, "PDI-86", path, at, 2) != b"\0\0":
            found.error("PDI-87", path, "the envelope is cut: its end is missing")
    elif end + 1 < size or (
        end < size and read_or_find(tree, found, "PDI-86", path, end, 1) != b"\0"
    ):
        found.warn("PDI-87", path, f"{size - end} bytes follow the envelope")


def _check_clear(found: Collector, path: str, head: bytes, size: int) -> None:
    """A file that is not encrypted, beside encrypted objects (PDI-92)."""
    top = path.partition("/")[0]
    is_picture = head.startswith(_PICTURES)
    if _DATA_SET.match(head):
        found.error("PDI-86", path, "a data set in clear beside an encrypted DICOMDIR")
    elif top == VIEWER_FOLDER:
        if is_picture or (
            _extension(path) in _DOCUMENTS and not path.upper().endswith(_PROGRAMS_OWN)
        ):  # its own, or of the patient: only a person can tell
            found.warn("PDI-92", path, "a picture or document in clear: does it show the patient?")
    elif is_picture or _extension(path) in _DOCUMENTS or head.lstrip().startswith(_TEXTS):
        found.error("PDI-92", path, "a document in clear beside encrypted objects")
    elif top == EXTRA_FOLDER and size:
        found.warn("PDI-92", path, "a file in clear beside encrypted objects")


def _is_authenticated(head: bytes) -> bool:
    """A CMS AuthEnvelopedData begins here (RFC 5083): encrypted too, but no DICOM file."""
    return head[:1] == b"\x30" and _AUTH_ENVELOPED in head[:32]


def _check_numbers(tree: Tree, found: Collector) -> None:
    """Which files there are only the DICOMDIR says, and nobody can read it: but a number that is
    left out, in a folder where names count from 1, looks like a file that is gone.
    """
    inside: dict[tuple[str, str, str], list[int]] = {}
    for file in tree.files:
        folder, _, name = file.path.rpartition("/")
        if folder and (match := _COUNTED.fullmatch(name)):
            inside.setdefault((folder, match[1], match[3]), []).append(int(match[2]))
    for (folder, _, _), numbers in inside.items():
        gaps = max(numbers) - len(set(numbers))
        if min(numbers) <= 2 and 0 < gaps < len(numbers):
            reason = f"names count from 1, and {gaps} of the numbers are left out: are files gone?"
            found.warn("PDI-03", folder, reason)


def _walk(data: bytes, at: int, end: int, depth: int) -> Iterator[_Value]:
    """Every value, outer before inner; ends where the data do or make no sense.

    Args:
        data: From the beginning on; may be shorter than `end`.
        end: Where what is walked ends.
    """
    count = 0
    while at + 2 <= min(end, len(data)) and count < _MAX_VALUES:
        count += 1
        tag, length = data[at], data[at + 1]
        at += 2
        if tag == 0 and length == 0:
            return  # the end of an indefinite length
        if tag & 0x1F == 0x1F:
            return  # no CMS structure has such tags
        stop = end
        if length < 0x80:
            stop = at + length
        elif length > 0x80:
            width = length & 0x7F
            if width > 8:
                return
            stop = at + width + int.from_bytes(data[at : at + width], "big")
            at += width
        value = _Value(tag, at, min(stop, end), stop <= end)
        yield value
        if tag & 0x20 and depth < _MAX_DEPTH:
            yield from _walk(data, at, value.end, depth + 1)
        at = stop
