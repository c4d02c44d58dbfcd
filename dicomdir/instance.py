"""Instance: the header facts of one SOP Instance, read without its pixels and without pydicom."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from struct import Struct
from typing import Final

from dicomdir.charset import decode
from dicomdir.elements import (
    BIG_ENDIAN,
    EXPLICIT,
    IMPLICIT,
    Codec,
    Source,
    split,
)
from dicomdir.errors import InstanceError, TruncatedInstanceError
from dicomdir.icons import COMPRESSED
from dicomdir.keys import COMPRESSED_ICON, KEY_VR
from dicomdir.part10 import (
    MEDIA_SOP_CLASS,
    MEDIA_SOP_INSTANCE,
    TRANSFER_SYNTAX,
    read_meta,
    uid_text,
)
from dicomdir.pixels import DESCRIBING, PADDED, pixel_fault
from dicomdir.profile import (
    DEFLATED,
    ENCAP_DOC,
    EXPLICIT_BIG,
    IMPLICIT_LITTLE,
    RECORD_TYPES,
    ROOT_TYPES,
    WAVEFORM,
    is_encapsulated,
    needs_pixels,
)
from dicomdir.scanner import scan

FIRST_READ_BYTES: Final = 8 << 10  # holds the header of most objects: one system call each
_TEXT_VRS: Final = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_CODECS: Final[dict[str, Codec]] = {IMPLICIT_LITTLE: IMPLICIT, EXPLICIT_BIG: BIG_ENDIAN}
# What makes these objects worth having, besides pixels.
_BODIES: Final = {ENCAP_DOC: 0x00420011, WAVEFORM: 0x54000100}
_UIDS: Final = (0x00080016, 0x00080018, 0x0020000D, 0x0020000E)
_FAULT = re.compile(r"([a-z_]+\.[a-z_]+)?")
_MAGIC: Final = b"SHI\x02"
_FIXED = Struct("<4sQIIBBBBBBB")
_MAX_STORED_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Instance:
    """One SOP Instance, as far as directory records, identity gates and pages need it.

    Attributes:
        keys: The attributes of `dicomdir.keys` that the object has, as Explicit VR Little Endian
            elements in tag
            order; values as in the object, sequences reduced to what is needed and of defined
            length.
        size_bytes: Of the whole file.
        data_offset: First byte of the data set in the file.
        fault: "" if the object is whole, else one of "dataset.truncated", "dataset.trailing",
            "meta.mismatch",
            "pixels.missing", "pixels.short", "pixels.long", "pixels.fragments", "pixels.encoding",
            "pixels.attributes", "body.missing".
        remark: What is odd about a whole object, "", "pixels.padded" or "icon.compressed"; it goes
            onto the medium.
    """

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    study_instance_uid: str
    series_instance_uid: str
    keys: bytes
    size_bytes: int
    data_offset: int
    fault: str = ""
    remark: str = ""

    def __repr__(self) -> str:  # keys hold a patient's name: never in a traceback or a log
        return f"Instance({self.sop_instance_uid}, {self.size_bytes} bytes, fault={self.fault!r})"

    def values(self) -> dict[int, bytes]:
        """Raw values of all keys by tag, with their padding."""
        return dict(_split_once(self.keys))

    def value(self, tag: int) -> bytes | None:
        """Raw value of a key with its padding; None if the object has no such attribute."""
        return _split_once(self.keys).get(tag)

    def text(self, tag: int) -> str:
        """A key as text, trimmed; backslashes part several values. "" if absent or empty.

        Raises:
            InstanceError: The bytes do not fit the Specific Character Set, or the key is not text.
        """
        values = _split_once(self.keys)
        value = values.get(tag, b"").strip(b" \0")
        vr = KEY_VR[tag]
        if vr in _TEXT_VRS:
            return decode(value, values.get(0x00080005, b""), is_name=vr == "PN").strip(" \0")
        if vr in ("SQ", "US", "UL"):
            raise InstanceError(f"VR {vr} is not text")
        try:
            return value.decode("ascii")
        except UnicodeDecodeError:
            raise InstanceError(f"VR {vr} is not plain ASCII") from None

    def to_bytes(self) -> bytes:
        """Compact form for the journal or a pipe; `from_bytes` reads it."""
        texts = [
            text.encode("ascii")
            for text in (
                self.sop_class_uid,
                self.sop_instance_uid,
                self.transfer_syntax_uid,
                self.study_instance_uid,
                self.series_instance_uid,
                self.fault,
                self.remark,
            )
        ]
        head = _FIXED.pack(
            _MAGIC,
            self.size_bytes,
            self.data_offset,
            len(self.keys),
            *(len(text) for text in texts),
        )
        return b"".join((head, *texts, self.keys))

    @classmethod
    def from_bytes(cls, data: bytes) -> Instance:
        """Strict: exactly what `to_bytes` makes.

        Raises:
            InstanceError: Anything else, another version included.
        """
        if not _FIXED.size <= len(data) <= _MAX_STORED_BYTES:
            raise InstanceError("stored instance of impossible length")
        magic, size_bytes, data_offset, keys_bytes, *lengths = _FIXED.unpack_from(data)
        if magic != _MAGIC:
            raise InstanceError("stored instance of another version")
        at = _FIXED.size
        texts = []
        for length in lengths:
            texts.append(data[at : at + length])
            at += length
        keys = data[at:]
        if len(keys) != keys_bytes:
            raise InstanceError("stored instance cut or lengthened")
        uids = [uid_text(text) for text in texts[:5]]
        if not _are_enough(uids) or any(
            len(uid) != length for uid, length in zip(uids, lengths, strict=False)
        ):
            raise InstanceError("stored instance with a damaged UID")
        fault, remark = (text.decode("ascii", "replace") for text in texts[5:])
        if _FAULT.fullmatch(fault) is None or remark not in ("", PADDED, COMPRESSED):
            raise InstanceError("stored instance with an unknown fault")
        tags = list(_split_once(keys))
        if tags != sorted(tags):
            raise InstanceError("stored instance with keys out of order")
        return _instance(uids, keys, size_bytes, data_offset, fault, remark)


_last_split: tuple[bytes, dict[int, bytes]] = (b"", {})


def _split_once(keys: bytes) -> dict[int, bytes]:
    """`split`, remembering the last: an object is asked for many keys before the next one comes.

    The caller may not change what it gets.
    """
    global _last_split
    last, values = _last_split
    if last is not keys:
        values = split(keys)
        _last_split = (keys, values)
    return values


def _are_enough(uids: list[str]) -> bool:
    """All five, or the first three of an object that belongs to no patient, such as a palette."""
    return all(uids) or (all(uids[:3]) and RECORD_TYPES.get(uids[0]) in ROOT_TYPES)


def _instance(
    uids: list[str], keys: bytes, size_bytes: int, data_offset: int, fault: str, remark: str
) -> Instance:
    sop_class, sop_instance, syntax, study, series = uids
    intern = sys.intern  # thousands of Instances share these
    return Instance(
        intern(sop_class), sop_instance, intern(syntax), intern(study), intern(series),
        keys, size_bytes, data_offset, fault, remark,
    )  # fmt: skip


def scan_data_set(
    head: bytes, size_bytes: int, data_offset: int, transfer_syntax_uid: str
) -> Instance:
    """By whoever wrote the meta information and need not read it.

    Args:
        head: The first bytes of a Part 10 file, as many as the caller has.
        size_bytes: Of the whole file.
        data_offset: Where the data set begins.
    Raises:
        HeaderIncompleteError: It takes more of the file to decide: use `read_instance`.
        InstanceError: Not a SOP Instance that can be read.
    """
    return _scan_data_set(Source(None, size_bytes, head), data_offset, transfer_syntax_uid)


def read_instance(path: str | os.PathLike[str], *, fd: int | None = None) -> Instance:
    """From a file: reads what is needed and never the pixels.

    Args:
        fd: Open descriptor of the file; then `path` is not opened.
    Raises:
        InstanceError: Not a SOP Instance that can be read.
        OSError: The file cannot be opened or read.
    """
    own = os.open(path, os.O_RDONLY | os.O_CLOEXEC) if fd is None else fd
    try:
        head = os.pread(own, FIRST_READ_BYTES, 0)
        size = len(head)
        if size == FIRST_READ_BYTES:
            size = os.fstat(own).st_size
        return _scan(Source(lambda at, count: os.pread(own, count, at), size, head))
    finally:
        if fd is None:
            os.close(own)


def read_instance_at(read: Callable[[int, int], bytes], size_bytes: int) -> Instance:
    """From any random-access file, such as an object inside an image.

    Args:
        read: Called with offset and count; returns that many bytes, fewer only at the end.
    Raises:
        InstanceError: Not a SOP Instance that can be read.
    """
    head = read(0, min(FIRST_READ_BYTES, size_bytes))
    return _scan(Source(read, size_bytes, head))


def _scan(source: Source) -> Instance:
    meta, offset = read_meta(source)
    syntax = uid_text(meta.get(TRANSFER_SYNTAX))
    if not syntax:
        raise InstanceError("no Transfer Syntax UID")
    instance = _scan_data_set(source, offset, syntax)
    if not instance.fault and (  # last: who writes new meta information may forgive it
        uid_text(meta.get(MEDIA_SOP_CLASS)) != instance.sop_class_uid
        or uid_text(meta.get(MEDIA_SOP_INSTANCE)) != instance.sop_instance_uid
    ):
        return replace(instance, fault="meta.mismatch")
    return instance


def _scan_data_set(source: Source, offset: int, syntax: str) -> Instance:
    if syntax == DEFLATED:
        # A few bytes may become gigabytes (security T8); nobody is offered this syntax.
        raise InstanceError("deflated data sets are not read")
    codec = _CODECS.get(syntax, EXPLICIT)
    found: dict[int, bytes] = {}
    fault = remark = ""
    pixel = None
    try:
        pixel = scan(source, offset, codec, found)
    except TruncatedInstanceError:
        fault = "dataset.truncated"
    tags = list(found)
    ordered = sorted(tags)
    keys = b"".join(found.values() if tags == ordered else [found[tag] for tag in ordered])
    values = {tag: found[tag][8:] for tag in (*_UIDS, *DESCRIBING) if tag in found}
    uids = [
        uid_text(values.get(0x00080016)),
        uid_text(values.get(0x00080018)),
        syntax,
        uid_text(values.get(0x0020000D)),
        uid_text(values.get(0x0020000E)),
    ]
    if not _are_enough(uids):
        if fault:
            raise TruncatedInstanceError("the file ends before its UIDs")
        raise InstanceError("SOP Class, SOP Instance, Study or Series Instance UID is missing")
    if not fault:
        if pixel is not None:
            fault = pixel_fault(source, pixel, codec, values, syntax)
            if fault == PADDED:
                fault, remark = "", PADDED
        elif needs_pixels(uids[0]):
            fault = "pixels.missing"
        else:
            body = _BODIES.get(RECORD_TYPES.get(uids[0], ""))
            fault = "body.missing" if body is not None and body not in found else ""
        if COMPRESSED_ICON in found and not is_encapsulated(syntax):
            remark = COMPRESSED  # the pixels' padding is of less importance
    return _instance(uids, keys, source.size, offset, fault, remark)
