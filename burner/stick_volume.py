"""What is on a stick: claimed, looked at and judged before a byte is written."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from burner.errors import (
    DriveError,
    EngineError,
    MediumTooSmallError,
    NoMediumError,
    SpoiledMediumError,
    UnsuitableStickError,
    VerificationError,
)
from burner.fat import (
    SECTOR_BYTES,
    Entry,
    FatReader,
    Geometry,
    Read,
    find_volume,
    read_geometry,
)
from burner.messages import clean
from burner.stick_files import COPY_BYTES, LAST, MARKER, PART, VERIFIED, StickFile, folders_of
from burner.verify import MediumReader

SPARE_PERCENT = 5
BLKROGET = 0x125E  # linux/fs.h

_MAX_MARKER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class StickState:
    """A stick that can be written without touching what is on it.

    Attributes:
        unfinished: Volume id of a writing of ours that was cut off, "" if there is none.
        serial: Hexadecimal, drawn when the stick was formatted.
    """

    free_bytes: int
    cluster_bytes: int
    unfinished: str
    serial: str = ""


@dataclass(frozen=True, slots=True)
class Marker:
    """What `SENDHOME.TMP` says: names at the root that are ours, and whether all was read back."""

    volume_id: str
    names: frozenset[str]
    is_verified: bool


class StickVolume(FatReader):
    """A FatReader that also hands out bytes and finds files by path."""

    def __init__(self, read: Read, geometry: Geometry) -> None:
        super().__init__(read, geometry)
        self._folders: dict[str, dict[str, Entry]] = {}

    def read(self, offset: int, size: int) -> bytes:
        """Raises VerificationError, NoMediumError."""
        return self._read(offset, size)

    def content(self, entry: Entry, *, limit: int) -> bytes:
        """A small file as a whole. Raises VerificationError if it is longer than `limit`."""
        if entry.size_bytes > limit:
            raise VerificationError("a file is longer than it can be")
        return b"".join(self.read(start, size) for start, size in self.extents(entry))

    def find(self, path: str, size: int) -> Entry:
        """Raises VerificationError if it is not there with this length."""
        parent, _, name = path.rpartition("/")
        entry = self._folder(parent).get(name)
        if entry is None or entry.is_directory or entry.size_bytes != size:
            raise VerificationError("a file is missing on the stick or has another length")
        return entry

    def _folder(self, path: str) -> dict[str, Entry]:
        """What is in a folder, by name; folders that were seen are kept."""
        if path not in self._folders:
            entries = self.list_root() if path == "" else self._list_path(path)
            self._folders[path] = {entry.name: entry for entry in entries}
        return self._folders[path]

    def _list_path(self, path: str) -> list[Entry]:
        parent, _, name = path.rpartition("/")
        entry = self._folder(parent).get(name)
        if entry is None:
            raise VerificationError("a folder is missing on the stick")
        return self.list_directory(entry)


def compare_file(volume: StickVolume, file: StickFile) -> None:
    """Raises VerificationError: `file` is not on the stick as its source has it."""
    position = 0
    try:
        with file.source.open("rb") as source:
            source.seek(file.offset)
            for start, size in volume.extents(volume.find(file.path, file.size)):
                for at in range(start, start + size, COPY_BYTES):
                    there = volume.read(at, min(COPY_BYTES, start + size - at))
                    if there != source.read(len(there)):
                        raise VerificationError(f"other bytes behind byte {position}")
                    position += len(there)
    except OSError as error:
        raise EngineError(f"the image cannot be read: {error.strerror}") from error


@contextlib.contextmanager
def open_volume(path: Path) -> Iterator[StickVolume]:
    """The FAT volume on a node or in a file. Raises NoMediumError, UnsuitableStickError."""
    try:
        reader = MediumReader(path, block_bytes=SECTOR_BYTES)
    except DriveError as error:
        raise NoMediumError("no stick") from error
    with reader:
        length = reader.length_bytes()
        try:
            offset = find_volume(reader.read, length)
            geometry = read_geometry(reader.read, offset, length)
        except VerificationError as error:
            raise UnsuitableStickError(str(error), reason="damaged") from error
        yield StickVolume(reader.read, geometry)


def node_of(path: Path) -> Path:
    """The node behind links. udev's links of a port lead to another stick as soon as another one is
    in it; the node of a claimed stick stays its own until it is let go.
    """
    return Path(os.path.realpath(path))


def is_still(descriptor: int, node: Path) -> bool:
    """Whether `node` leads to what was claimed."""
    there = os.fstat(descriptor)
    try:
        here = node.stat()
    except OSError:
        return False
    if stat.S_ISBLK(there.st_mode):
        return stat.S_ISBLK(here.st_mode) and here.st_rdev == there.st_rdev
    return os.path.samestat(here, there)


@contextlib.contextmanager
def claimed(path: Path) -> Iterator[int]:
    """A descriptor for fsync. Held from before the first write, so that late errors reach it.

    Raises:
        NoMediumError: No stick. UnsuitableStickError: read_only or in_use (mounted).
        DriveError: No right to open it: whoever set up the machine can help, no other stick.
    """
    flags = os.O_RDWR | os.O_CLOEXEC
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode) and not mode & 0o222:  # root could open it all the same
            raise UnsuitableStickError("the stick is write-protected", reason="read_only")
        descriptor = os.open(path, flags | (os.O_EXCL if stat.S_ISBLK(mode) else 0))
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):  # a write-protected one says EROFS
            raise DriveError(
                "no right to open the stick for writing: see sendhome doctor"
            ) from error
        if error.errno == errno.EROFS:
            raise UnsuitableStickError(
                "the stick is write-protected", reason="read_only"
            ) from error
        if error.errno == errno.EBUSY:
            raise UnsuitableStickError("the stick is mounted", reason="in_use") from error
        raise NoMediumError("no stick") from error
    try:
        if stat.S_ISBLK(mode) and any(fcntl.ioctl(descriptor, BLKROGET, bytes(4))):
            raise UnsuitableStickError("the stick is write-protected", reason="read_only")
        yield descriptor
    finally:
        os.close(descriptor)


def sync(descriptor: int) -> None:
    """Errors of a device show up here only."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno in (errno.ENODEV, errno.ENXIO, errno.ENOMEDIUM):
            raise NoMediumError("the stick was taken out") from error
        raise SpoiledMediumError(f"the stick fails: {error.strerror}") from error


def forget(descriptor: int) -> None:
    """Drop what the system remembers of a synced stick, before it is read back."""
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def assess(volume: StickVolume) -> StickState:
    try:
        if not volume.geometry.is_clean:
            raise UnsuitableStickError("the stick was not removed cleanly", reason="dirty")
        if not volume.are_tables_equal():
            raise UnsuitableStickError("the stick's file system is damaged", reason="dirty")
        names = _root_names(volume)
        marker = read_marker(volume)
        if LAST in names and (marker is None or LAST not in marker.names):
            raise UnsuitableStickError("another DICOMDIR is on it", reason="has_dicomdir")
        return StickState(
            volume.free_bytes(),
            volume.geometry.cluster_bytes,
            marker.volume_id if marker else "",
            volume.geometry.serial,
        )
    except VerificationError as error:
        raise UnsuitableStickError(str(error), reason="damaged") from error


def _root_names(volume: StickVolume) -> set[str]:
    """Short and long names, upper case: the file system does not tell them apart."""
    entries = volume.list_root()
    return {e.name.upper() for e in entries} | {e.long_name.upper() for e in entries} - {""}


def read_marker(volume: StickVolume) -> Marker | None:
    """None if there is none that can be understood: then nothing is ours to delete."""
    entry = next((e for e in volume.list_root() if e.name == MARKER and not e.is_directory), None)
    if entry is None or entry.size_bytes > _MAX_MARKER_BYTES:
        return None
    try:
        raw = json.loads(volume.content(entry, limit=_MAX_MARKER_BYTES))
        names = frozenset(name for name in raw["names"] if PART.fullmatch(name))
        names -= {MARKER, VERIFIED}  # they have their own turn
        volume_id = clean(str(raw["volume_id"]), 32)
    except (ValueError, KeyError, TypeError):
        return None
    is_verified = any(entry.name == VERIFIED for entry in volume.list_root())
    return Marker(volume_id, names, is_verified)


def require_room(
    volume: StickVolume, state: StickState, marker: Marker | None, files: Sequence[StickFile]
) -> list[Entry]:
    """Entries of our own earlier try that must go first: all that its mark names, also what is not
    among `files`. It may be another patient's, and nothing names it when the mark has gone.
    """
    ours = {file.path.split("/")[0] for file in files}
    known = marker.names if marker else frozenset()
    if (_root_names(volume) & ours) - known:
        raise UnsuitableStickError("names of ours are taken", reason="name_collision")
    leftovers = [entry for entry in volume.list_root() if entry.name in known]
    cluster = state.cluster_bytes
    entries = Counter(file.path.rpartition("/")[0] for file in files)
    needed = sum(-(-file.size // cluster) * cluster for file in files)
    needed += sum(
        -(-(2 + entries[folder]) * 32 // cluster) * cluster for folder in folders_of(files)
    )
    needed += needed * SPARE_PERCENT // 100 + cluster
    if not leftovers and state.free_bytes < needed:
        raise MediumTooSmallError(f"{needed} bytes needed, {state.free_bytes} free")
    return leftovers
