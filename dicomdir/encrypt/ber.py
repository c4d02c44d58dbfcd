"""The little of BER that streaming needs (X.690 8.1): heads written, elements found in a file.

Elements that are small are handed to asn1crypto whole; the content of an envelope never is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from dicomdir.errors import DamagedMediumError, UnsupportedEncryptionError

INTEGER, OCTETS, OID, SEQUENCE, SET = 0x02, 0x04, 0x06, 0x30, 0x31
CONTEXT_0, CONTEXT_0_PRIMITIVE = 0xA0, 0x80
_CONSTRUCTED: Final = 0x20
_HEAD_BYTES: Final = 16
_MAX_SMALL_BYTES: Final = 64 << 10
_MAX_NESTED: Final = 4

Read = Callable[[int, int], bytes]
"""Gives `size` bytes at `offset`; fewer only at the end."""


def head(tag: int, size: int) -> bytes:
    """Identifier and definite length octets (DER)."""
    if size < 0x80:
        return bytes((tag, size))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length


def wrapped(tag: int, *parts: bytes) -> bytes:
    """One whole element."""
    return head(tag, sum(map(len, parts))) + b"".join(parts)


@dataclass(frozen=True, slots=True)
class Element:
    """Where an element stands.

    Attributes:
        at: Of its first identifier octet.
        content_at: Of its content.
        end: Behind the content; -1: indefinite, two zero octets end it.
    """

    tag: int
    at: int
    content_at: int
    end: int


class BerReader:
    """Elements of one file. Every length is held against what there is before it is used.

    Args:
        size: Of the file, in bytes.
    """

    def __init__(self, read: Read, size: int) -> None:
        self._read = read
        self._size = size

    def element(self, at: int, tag: int | None = None) -> Element:
        """The element that begins here.

        Raises:
            DamagedMediumError: None does, another tag's does, or it reaches beyond the file.
        """
        data = self._read(at, _HEAD_BYTES)
        if len(data) < 2 or data[0] & 0x1F == 0x1F:
            raise DamagedMediumError("the structure ends too early")
        if tag is not None and data[0] != tag:
            raise DamagedMediumError("the structure is not that of an envelope")
        first = data[1]
        if first < 0x80:
            return self._bounded(Element(data[0], at, at + 2, at + 2 + first))
        count = first & 0x7F
        if count == 0:
            if not data[0] & _CONSTRUCTED:
                raise DamagedMediumError("an element has no length")
            return Element(data[0], at, at + 2, -1)
        if count > 8 or len(data) < 2 + count:
            raise DamagedMediumError("an element has no possible length")
        start = at + 2 + count
        return self._bounded(
            Element(data[0], at, start, start + int.from_bytes(data[2 : 2 + count], "big"))
        )

    def small(self, element: Element) -> bytes:
        """A whole element, head included. Raises UnsupportedEncryptionError if it is not small."""
        if not 0 <= element.end - element.at <= _MAX_SMALL_BYTES:
            raise UnsupportedEncryptionError("a part of the envelope is of an unusual form")
        return self._read(element.at, element.end - element.at)

    def octets(self, element: Element) -> Iterator[tuple[int, int]]:
        """Offset and size of each piece of an OCTET STRING, primitive or in segments."""
        if not element.tag & _CONSTRUCTED:
            yield element.content_at, element.end - element.content_at
            return
        yield from self._segments(element, 0)

    def _segments(self, element: Element, depth: int) -> Iterator[tuple[int, int]]:
        at = element.content_at
        while at != element.end:
            if element.end < 0 and self._read(at, 2) == b"\0\0":
                return
            if 0 <= element.end < at:
                raise DamagedMediumError("a segment reaches beyond its element")
            segment = self.element(at)
            if segment.tag & ~_CONSTRUCTED != OCTETS:
                raise DamagedMediumError("a segment is no octet string")
            if not segment.tag & _CONSTRUCTED:
                yield segment.content_at, segment.end - segment.content_at
            elif segment.end < 0 or depth == _MAX_NESTED:
                raise UnsupportedEncryptionError("segments are nested in an unusual way")
            else:
                yield from self._segments(segment, depth + 1)
            at = segment.end

    def _bounded(self, element: Element) -> Element:
        if element.end > self._size:
            raise DamagedMediumError("the file is cut: it ends before its structure does")
        return element
