"""Everything that is not Explicit VR Little Endian becomes it (PDI-49, PDI-50).

Objects that are already so are never touched: their data set goes onto the medium byte for byte,
but for an icon that is compressed where nothing may be.
What cannot be converted (video, unknown syntaxes) is refused by name, never dropped (PDI-51); no
pixels are ever compressed anew (PDI-52) and no UID changes.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from dicomdir import icons
from dicomdir.elements import BIG_ENDIAN, EXPLICIT, IMPLICIT, Codec, Source
from dicomdir.errors import (
    InstanceError,
    RenderError,
    TranscodeError,
    UnsupportedTransferSyntaxError,
)
from dicomdir.frames import is_decodable
from dicomdir.instance import Instance, read_instance
from dicomdir.part10 import (
    MEDIA_SOP_CLASS,
    MEDIA_SOP_INSTANCE,
    TRANSFER_SYNTAX,
    encode_meta,
    read_meta,
    uid_text,
)
from dicomdir.profile import DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE

MAX_INFLATED_BYTES: Final = 2 << 30
_INFLATE_BYTES: Final = 256 << 10
_COPY_BYTES: Final = 1 << 20
# Inflated without a question; what is larger has to have pixels that account for it, or to have
# been deflated by no more than text and numbers are.
_UNASKED_BYTES: Final = 64 << 20
_MAX_RATIO: Final = 100


def needs_transcoding(transfer_syntax_uid: str) -> bool:
    """Whether an object of this syntax has to go through `transcode`.

    Raises:
        UnsupportedTransferSyntaxError: It can be neither copied nor converted.
    """
    if transfer_syntax_uid == EXPLICIT_LITTLE:
        return False
    if transfer_syntax_uid not in (IMPLICIT_LITTLE, EXPLICIT_BIG) and not is_decodable(
        transfer_syntax_uid
    ):
        raise UnsupportedTransferSyntaxError(transfer_syntax_uid)
    return True


def transcode(
    path: Path,
    instance: Instance,
    out: Path,
    *,
    on_frame: Callable[[], None] = lambda: None,
    on_lost_icon: Callable[[], None] = lambda: None,
) -> Instance:
    """Write an object anew as a Part 10 file in Explicit VR Little Endian.

    Memory stays at a few frames. Pixels of lossless sources are bit for bit the same; what was
    lossy keeps saying so (0028,2110).

    Args:
        instance: Of the file `path`.
        out: A new file, removed again when this fails. Not flushed.
        on_frame: Called after each decoded frame.
        on_lost_icon: Called if its icon could not be read: that is left out.
    Returns:
        The new file's Instance, whole and of the same UIDs.
    Raises:
        UnsupportedTransferSyntaxError: Video or an unknown syntax.
        TranscodeError: The source is damaged, or in a form that is read in two ways.
    """
    syntax = instance.transfer_syntax_uid
    if not needs_transcoding(syntax):
        raise TranscodeError("Explicit VR Little Endian is copied, not converted")
    from dicomdir.rewrite import Rewriter  # brings pydicom's dictionary: only when it is needed

    codec = _codec(syntax)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with _new_file(out) as file:
            file.write(
                encode_meta(instance.sop_class_uid, instance.sop_instance_uid, EXPLICIT_LITTLE)
            )
            size = os.fstat(descriptor).st_size
            rewriter = Rewriter(descriptor, size, codec, syntax, file, on_frame)
            rewriter.run(instance.data_offset)
        made = _read_back(out, instance)
        if rewriter.has_lost_icon:
            on_lost_icon()
        return made
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def without_icon(path: Path, instance: Instance, out: Path) -> Instance:
    """Copy an object in Explicit VR Little Endian, its icon left out; all else stays as it is.

    For `icons.COMPRESSED` ones: fragments have no place in this transfer syntax (PDI-50).

    Args:
        instance: Of the file `path`.
        out: A new file, removed again when this fails. Not flushed.
    Raises:
        TranscodeError: The source is damaged.
    """
    try:
        with path.open("rb") as source, _new_file(out) as file:
            descriptor, at = source.fileno(), instance.data_offset
            size = os.fstat(descriptor).st_size
            window = Source(lambda start, count: os.pread(descriptor, count, start), size, b"")
            file.write(fresh_header(instance))
            for start, end in (*icons.places(window, at), (size, size)):
                _copy(source, at, start, file)
                at = end
        made = _read_back(out, instance)
        if made.remark == icons.COMPRESSED:
            raise TranscodeError("the icon cannot be left out")
        return made
    except InstanceError as error:
        out.unlink(missing_ok=True)
        raise TranscodeError("the object cannot be copied without its icon") from error
    except BaseException:
        out.unlink(missing_ok=True)
        raise


def _copy(source: BinaryIO, start: int, end: int, out: BinaryIO) -> None:
    source.seek(start)
    while start < end:
        data = source.read(min(_COPY_BYTES, end - start))
        if not data:
            raise TranscodeError("the file is shorter than its size says")
        out.write(data)
        start += len(data)


def inflate(path: Path, out: Path, *, limit_bytes: int = MAX_INFLATED_BYTES) -> Instance:
    """A Deflated Explicit VR Little Endian file, inflated; its data set is otherwise the same.

    Args:
        limit_bytes: Of the inflated data set; a few bytes may become gigabytes. Refused long before
            is what grows far beyond the pixels that its header tells of.
    Raises:
        TranscodeError: Damaged, or larger than the limit.
        InstanceError: Not a SOP Instance once inflated.
    """
    with path.open("rb") as source:
        meta, offset = _meta(source)
        sop_class_uid = uid_text(meta.get(MEDIA_SOP_CLASS))
        sop_instance_uid = uid_text(meta.get(MEDIA_SOP_INSTANCE))
        source.seek(offset)
        try:
            with _new_file(out) as file:
                start = file.write(encode_meta(sop_class_uid, sop_instance_uid, EXPLICIT_LITTLE))
                told = partial(_told_bytes, out, start, os.fstat(source.fileno()).st_size)
                _inflate(source, file, limit_bytes, told)
            return read_instance(out)
        except BaseException:
            out.unlink(missing_ok=True)
            raise


def is_deflated(path: Path) -> bool:
    """Whether a file's meta information names the deflated transfer syntax.

    Raises:
        InstanceError: Not a Part 10 file.
    """
    with path.open("rb") as source:
        meta, _ = _meta(source)
    return uid_text(meta.get(TRANSFER_SYNTAX)) == DEFLATED


def fresh_header(instance: Instance) -> bytes:
    """Preamble of zeros and meta information of ours for an object that is otherwise copied."""
    return encode_meta(instance.sop_class_uid, instance.sop_instance_uid, EXPLICIT_LITTLE)


def _codec(transfer_syntax_uid: str) -> Codec:
    return {IMPLICIT_LITTLE: IMPLICIT, EXPLICIT_BIG: BIG_ENDIAN}.get(transfer_syntax_uid, EXPLICIT)


def _new_file(path: Path) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o600), "wb", buffering=64 << 10)


def _read_back(out: Path, source: Instance) -> Instance:
    try:
        made = read_instance(out)
    except InstanceError as error:
        raise TranscodeError(f"the converted object cannot be read: {error.code}") from error
    if made.fault:
        raise TranscodeError(f"the converted object is not whole: {made.fault}")
    same = ("sop_class_uid", "sop_instance_uid", "study_instance_uid", "series_instance_uid")
    if any(getattr(made, name) != getattr(source, name) for name in same):
        raise TranscodeError("the converted object has other UIDs")
    return made


def _meta(source: BinaryIO) -> tuple[dict[int, bytes], int]:
    descriptor = source.fileno()
    size = os.fstat(descriptor).st_size
    return read_meta(Source(lambda at, count: os.pread(descriptor, count, at), size, b""))


def _inflate(source: BinaryIO, out: BinaryIO, limit_bytes: int, told: Callable[[], int]) -> None:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)  # PS3.5 A.5: raw deflate, no zlib header
    total, is_asked = 0, False
    try:
        while not inflater.eof:
            data = inflater.unconsumed_tail or source.read(_INFLATE_BYTES)
            if not data:
                break
            piece = inflater.decompress(data, _INFLATE_BYTES)
            total += len(piece)
            if total > _UNASKED_BYTES and not is_asked:
                out.flush()
                limit_bytes, is_asked = min(limit_bytes, told()), True
            if total > limit_bytes:
                raise TranscodeError("the inflated data set is too large")
            out.write(piece)
    except zlib.error as error:
        raise TranscodeError("the deflated data set is damaged") from error
    if not inflater.eof:
        raise TranscodeError("the deflated data set ends early")


def _told_bytes(path: Path, start: int, deflated_bytes: int) -> int:
    """What a data set may have become at most, by its beginning as far as it is inflated.

    Args:
        start: Of the data set in the file `path`.
    """
    from dicomdir.render import attributes as at  # for large ones only

    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        header = at.read_header(descriptor, start, start + MAX_INFLATED_BYTES)
    except RenderError:  # no pixels: its items alone are large
        return max(_UNASKED_BYTES, _MAX_RATIO * deflated_bytes)
    except InstanceError as error:
        raise TranscodeError("the deflated data set is damaged") from error
    finally:
        os.close(descriptor)
    frames = header.text(at.FRAMES) or "1"
    if not (len(frames) <= 10 and frames.isascii() and frames.isdigit()):
        raise TranscodeError("the inflated data set is too large")
    cells = header.number(at.ROWS) * header.number(at.COLUMNS) * header.number(at.SAMPLES, 1)
    bits = int(frames) * cells * (header.number(at.BITS_ALLOCATED) or 64)
    return header.pixel_offset - start + bits // 8 + _UNASKED_BYTES
