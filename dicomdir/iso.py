"""IsoImage: a PdiVolume as ISO 9660 level 1 (PS3.12 Annex F), authored with pycdlib.

pycdlib lays out directories and descriptors; the content of files goes from file to image inside
the kernel (`dicomdir.sink`), in the order of the volume. No Joliet, no Rock Ridge, no boot record,
a blank system identifier; every date is the one given, so the same volume makes the same bytes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pycdlib
from pycdlib import dates
from pycdlib.pycdlibexception import PyCdlibException

from dicomdir.errors import ImageError, ImageTooLargeError
from dicomdir.following_hash import FollowingHash
from dicomdir.iso_reader import BLOCK_BYTES
from dicomdir.pdi import PdiVolume
from dicomdir.sink import Content, FileOutput, Output, PipeOutput, Sink

_VOLUME_ID = re.compile(r"[A-Z0-9_]{1,16}")  # PS3.12 F.1.1 with PS3.10 8.1
_PRIMARY_BYTES: Final = 16 * BLOCK_BYTES  # offset of the primary volume descriptor
_DATES: Final = (813, 830, 864)  # ECMA-119 8.4.26 to 8.4.29: created, modified, effective
_MAX_FILE_BYTES: Final = (1 << 32) - BLOCK_BYTES  # PS3.12 F: one extent a file at level 1


@dataclass(frozen=True, slots=True)
class _Image:
    """An image file that is whole.

    Attributes:
        blocks: Of 2048 bytes.
    """

    path: Path
    blocks: int

    @property
    def size_bytes(self) -> int:
        return self.blocks * BLOCK_BYTES


@dataclass(frozen=True, slots=True)
class IsoImage(_Image):
    """A finished image.

    Attributes:
        sha256: Hex, of the whole image.
    """

    sha256: str


@dataclass(frozen=True, slots=True)
class AuthoredImage(_Image):
    """One whose hash may still be taken by another thread."""

    _hash: FollowingHash

    def hashed(self) -> IsoImage:
        """With its hash; waits for that."""
        return IsoImage(self.path, self.blocks, self._hash.hexdigest())


def author(
    volume: PdiVolume,
    out: Path,
    *,
    created_at: datetime,
    capacity_blocks: int = 0,
    sync: bool = True,
    write_back: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> IsoImage:
    """Write the volume as an image file; a file of that name is replaced.

    The SHA-256 is taken from what can be read back of the file while it grows, by a second thread.

    Args:
        created_at: Recorded as every date (PDI-32); aware.
        capacity_blocks: What the medium takes; 0 for no limit.
        sync: Flush to the disk before returning. Without, the caller has to.
        write_back: Have the disk begin while the image grows.
        progress: Called with bytes done and in all, about once a file.
    Raises:
        ImageTooLargeError: It would be larger than `capacity_blocks`; nothing was written.
        ImageError: A source changed its size or an entry cannot be recorded.
        OSError: Writing failed; ENOSPC for a full disk.
    """
    authored = begin_author(
        volume,
        out,
        created_at=created_at,
        capacity_blocks=capacity_blocks,
        write_back=write_back,
        progress=progress,
    )
    if sync:
        descriptor = os.open(out, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return authored.hashed()


def begin_author(
    volume: PdiVolume,
    out: Path,
    *,
    created_at: datetime,
    capacity_blocks: int = 0,
    write_back: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> AuthoredImage:
    """As `author` without flushing; returns when the image is whole, its hash may follow.

    Raises:
        ImageTooLargeError, ImageError, OSError: As `author`.
    """
    iso = _build(volume, created_at)
    blocks = _blocks(iso)
    if capacity_blocks and blocks > capacity_blocks:
        raise ImageTooLargeError(f"{blocks} blocks do not fit into {capacity_blocks}")
    out.unlink(missing_ok=True)  # never cut: an earlier image may still be hashed
    descriptor = os.open(out, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with FileOutput(descriptor, blocks * BLOCK_BYTES, write_back=write_back) as output:
            _write(iso, output, created_at, progress)
            return AuthoredImage(out, blocks, output.finish())
    finally:
        os.close(descriptor)
        iso.close()  # its caches would keep the whole tree


def stream(
    volume: PdiVolume,
    descriptor: int,
    *,
    created_at: datetime,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write the same bytes into a pipe, front to back.

    Returns:
        Blocks written.
    Raises:
        ImageError, OSError: As `author`.
    """
    iso = _build(volume, created_at)
    output = PipeOutput(descriptor)
    _write(iso, output, created_at, progress)
    blocks = _blocks(iso)
    output.finish(blocks * BLOCK_BYTES)
    iso.close()
    return blocks


def _build(volume: PdiVolume, created_at: datetime) -> Any:
    """A pycdlib object whose files lie in the order of the volume, all dates set."""
    if not _VOLUME_ID.fullmatch(volume.volume_id):
        raise ImageError("not a volume identifier")
    iso = pycdlib.PyCdlib()
    try:
        iso.new(interchange_level=1, vol_ident=volume.volume_id, app_ident_str="SENDHOME")
        folders: set[str] = set()
        for entry in volume.entries:
            if entry.size_bytes > _MAX_FILE_BYTES:
                raise ImageTooLargeError("a file is too large for ISO 9660 level 1")
            if entry.size_bytes == 0:  # PS3.12 and PDI know no use for one, pycdlib loses it
                raise ImageError("a file is empty")
            *parents, name = entry.path.split("/")
            for level in range(len(parents)):
                folder = "/" + "/".join(parents[: level + 1])
                if folder not in folders:
                    iso.add_directory(folder)
                    folders.add(folder)
            recorded = entry.path if "." in name else f"{entry.path}."  # PDI-29: the dot stays
            content: Any = Content(entry)  # enough of a file for pycdlib
            iso.add_fp(content, entry.size_bytes, f"/{recorded};1")
        iso.force_consistency()
    except PyCdlibException as error:
        raise ImageError(f"the volume cannot be recorded: {type(error).__name__}") from error
    _order(iso)
    _set_dates(iso, created_at)
    return iso


def _order(iso: Any) -> None:
    """Lay the files out in the order they were added, not directory by directory as pycdlib does.

    `iso.inodes` is in that order; the extents that the files take together stay the same.
    """
    extent = min(inode.extent_location() for inode in iso.inodes)
    for inode in iso.inodes:
        inode.set_extent_location(extent)
        for record, _ in inode.linked_records:
            record.set_data_location(extent, extent)
        extent += -(-inode.get_data_length() // BLOCK_BYTES)
    if extent > iso.pvd.space_size:
        raise ImageError("the files reach beyond the volume")


def _set_dates(iso: Any, created_at: datetime) -> None:
    """One shared date for every record: it is the same for all, and saves 96 bytes each."""
    date = dates.DirectoryRecordDate()
    date.parse(_record_date(created_at))
    pending = [iso.pvd.root_directory_record()]
    while pending:
        record = pending.pop()
        record.date = date
        for child in record.children:
            if child.is_dir() and not child.is_dot() and not child.is_dotdot():
                pending.append(child)
            child.date = date


def _write(
    iso: Any,
    output: Output,
    created_at: datetime,
    progress: Callable[[int, int], None] | None,
) -> None:
    total = _blocks(iso) * BLOCK_BYTES
    first = min(inode.extent_location() for inode in iso.inodes) * BLOCK_BYTES
    patches = [
        (_PRIMARY_BYTES + offset, created_at.astimezone(UTC).strftime("%Y%m%d%H%M%S00\0").encode())
        for offset in _DATES
    ]
    sink = Sink(output, first, patches, (lambda done: progress(done, total)) if progress else None)
    iso.write_fp(sink, blocksize=_MAX_FILE_BYTES)
    sink.finish()


def _record_date(moment: datetime) -> bytes:
    """ECMA-119 9.1.5, in UTC."""
    it = moment.astimezone(UTC)
    return bytes((it.year - 1900, it.month, it.day, it.hour, it.minute, it.second, 0))


def _blocks(iso: Any) -> int:
    return int(iso.pvd.space_size)
