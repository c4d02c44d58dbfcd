"""Secure DICOM files, as far as they can be told without the password (PDI-86 to PDI-94).

What stands outside of the encrypted part of the CMS envelope (RFC 5652) is read as DER or BER.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dicomdir.check.tree import Collector, Tree, read_or_find
from dicomdir.pdi import DICOMDIR, INDEX, README, VIEWER_FOLDER, WEB_FOLDER

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
_DOCUMENTS: Final = (".PDF", ".RTF", ".DOC", ".JPG", ".PNG")


@dataclass(frozen=True, slots=True)
class _Value:
    """One TLV: its tag byte, where its content begins, and its end (the data's if indefinite)."""

    tag: int
    start: int
    end: int


def is_secure(head: bytes) -> bool:
    """A CMS EnvelopedData begins here."""
    return head[:1] == b"\x30" and _ENVELOPED in head[:32]


def envelope_fault(head: bytes) -> tuple[str, str]:
    """What is wrong with an envelope, as rule and reason; "" and "" if nothing can be told."""
    oids = [head[v.start : v.end] for v in _walk(head, 0, len(head), 0) if v.tag == 0x06]
    if not oids or oids[0] != _ENVELOPED:
        return "PDI-86", "it is no EnvelopedData"
    if not any(oid in (_RSA, _PBKDF2) for oid in oids):
        return "PDI-88", "neither an RSA key nor a password (PBKDF2) opens it"
    ciphers = [oid for oid in oids if oid in _CIPHERS]
    if not ciphers:
        return "PDI-88", "its cipher is neither AES nor Triple-DES"
    if not any(oid in _INNER for oid in oids):
        return "PDI-87", "what is in the envelope is neither digested nor signed data"
    return "", ""


def check_secure(tree: Tree, found: Collector) -> None:
    """A medium with an encrypted DICOMDIR."""
    for file in tree.files:
        path = file.path
        top, _, below = path.partition("/")
        if top == WEB_FOLDER and below:
            found.warn("PDI-92", path, "web pages beside encrypted objects")
            continue
        head = read_or_find(tree, found, "PDI-86", path, 0, _HEAD_BYTES)
        if head[128:132] == b"DICM":
            found.error("PDI-86", path, "a DICOM file in clear beside an encrypted DICOMDIR")
        elif is_secure(head):
            rule, reason = envelope_fault(head)
            if rule:
                found.error(rule, path, reason)
        elif path == DICOMDIR or path in (README, INDEX) or top == VIEWER_FOLDER:
            continue
        elif path.upper().endswith(_DOCUMENTS):
            found.error("PDI-92", path, "a document in clear beside encrypted objects")
    _check_numbers(tree, found)
    if any(path.split("/")[0] == "IHE_XDM" for path in tree.folders):
        found.error("PDI-94", "IHE_XDM", "an encrypted medium may not be an XDM medium")


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
    """Every value, outer before inner; ends where the data do or make no sense."""
    count = 0
    while at + 2 <= end and count < _MAX_VALUES:
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
        value = _Value(tag, at, min(stop, end))
        yield value
        if tag & 0x20 and depth < _MAX_DEPTH:
            yield from _walk(data, at, value.end, depth + 1)
        at = stop
