"""The Part 10 form: preamble, prefix and File Meta Information, read and written (PS3.10 7.1)."""

from __future__ import annotations

import re
from typing import Final

from dicomdir.elements import EXPLICIT, MAX_VALUE_BYTES, Source, element, tag_name
from dicomdir.errors import InstanceError, TruncatedInstanceError

PREAMBLE_BYTES: Final = 128
PREFIX: Final = b"DICM"
META_START: Final = 132
IMPLEMENTATION_CLASS_UID: Final = "2.25.288619041935247308451170945217706842113"
IMPLEMENTATION_VERSION_NAME: Final = "SENDHOME_010"  # at most 16 characters

MEDIA_SOP_CLASS: Final = 0x00020002
MEDIA_SOP_INSTANCE: Final = 0x00020003
TRANSFER_SYNTAX: Final = 0x00020010

_UID = re.compile(rb"[0-9.]{1,64}")


def uid_text(value: bytes | None) -> str:
    """A UID without its padding, "" if absent or empty.

    Raises:
        InstanceError: Other characters than digits and dots, or more than 64.
    """
    if not value:
        return ""
    trimmed = value.rstrip(b"\0 ")
    if not trimmed:
        return ""
    if _UID.fullmatch(trimmed) is None:
        raise InstanceError("a UID is not one")
    return trimmed.decode("ascii")


def read_meta(source: Source) -> tuple[dict[int, bytes], int]:
    """File Meta Information by tag, raw, and the offset of the data set.

    The group length is not believed.

    Raises:
        InstanceError: No Part 10 file, or meta information that is damaged or larger than a header
            can be.
        HeaderIncompleteError, TruncatedInstanceError: The bytes end before.
    """
    if source.size < META_START:
        raise TruncatedInstanceError("too short for a Part 10 file")
    start = source.load(0, META_START)
    if source.buf[start + PREAMBLE_BYTES : start + META_START] != PREFIX:
        raise InstanceError("no DICM prefix")
    found: dict[int, bytes] = {}
    at = META_START
    unpack, header_of = EXPLICIT.unpack, EXPLICIT.header_of
    while True:
        if at - source.base + 12 > len(source.buf) and not source.load_header(at):
            return found, at  # a file without data set
        pos = at - source.base
        raw, vr, short, length = unpack(source.buf, pos)
        if raw & 0xFFFF != 2:
            return found, at
        header = header_of.get(vr)
        tag = EXPLICIT.tag(raw)
        if header is None:
            raise InstanceError(f"{tag_name(tag)} has no known VR")
        if header == 8:
            length = short
        if length > MAX_VALUE_BYTES or tag in found:
            raise InstanceError(f"{tag_name(tag)} is too long or there twice")
        pos = source.load(at + header, length)
        found[tag] = source.buf[pos : pos + length]
        at += header + length


def encode_meta(
    sop_class_uid: str,
    sop_instance_uid: str,
    transfer_syntax_uid: str,
    *,
    source_ae_title: str = "",
) -> bytes:
    """Zero preamble, prefix and File Meta Information as we write it (PDI-45, PDI-46)."""
    body = [
        element(0x00020001, "OB", b"\0\1"),
        element(MEDIA_SOP_CLASS, "UI", sop_class_uid.encode("ascii")),
        element(MEDIA_SOP_INSTANCE, "UI", sop_instance_uid.encode("ascii")),
        element(TRANSFER_SYNTAX, "UI", transfer_syntax_uid.encode("ascii")),
        element(0x00020012, "UI", IMPLEMENTATION_CLASS_UID.encode("ascii")),
        element(0x00020013, "SH", IMPLEMENTATION_VERSION_NAME.encode("ascii")),
    ]
    if source_ae_title:
        body.append(element(0x00020016, "AE", source_ae_title.encode("ascii")))
    group = b"".join(body)
    length = element(0x00020000, "UL", len(group).to_bytes(4, "little"))
    return bytes(PREAMBLE_BYTES) + PREFIX + length + group
