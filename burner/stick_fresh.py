"""Whether a stick is one on which nobody has anything: only such a one may be made anew unasked.

What was put into the port of the house's sealed sticks may be somebody's own all the same. So a
stick is judged by what is on it: nothing at all, or one empty FAT volume that takes up all of it,
or what a try of ours left that was cut off. Everything else is refused, also what cannot be read.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from burner.errors import DriveError, NoMediumError, UnsuitableStickError, VerificationError
from burner.fat import SECTOR_BYTES, Geometry
from burner.stick_files import MARKER, VERIFIED
from burner.stick_volume import StickState, StickVolume, open_volume, read_marker
from burner.verify import MediumReader

_EDGE_BYTES: Final = 1024 * 1024  # partition tables and the beginnings of file systems; GPT's copy
_ALIGNMENT_BYTES: Final = 16 * 1024 * 1024  # makers align to erase blocks and to cylinders of 8 MiB
_SAMPLE_BYTES: Final = 4096
_SAMPLES: Final = 64
_TABLES_PERCENT: Final = 2  # of a new volume: FATs of 512-byte clusters at most
_ENTRIES: Final = range(446, 510, 16)  # of a master boot record


def look_fresh(path: Path, *, for_volume_id: str | None = None) -> StickState:
    """The state that it will have when it was made anew, about. Nothing is changed.

    Args:
        for_volume_id: What it is to be made anew for: then a finished set of ours, not handed over
            yet, counts as something, unless it has this id.
    Raises:
        NoMediumError: No stick.
        UnsuitableStickError: not_fresh: something is on it, or it cannot be judged; dirty.
    """
    try:
        return _look(path, for_volume_id)
    except UnsuitableStickError as error:
        if error.reason in ("dirty", "not_fresh"):
            raise
        raise _refused("what is on it cannot be read") from error
    except VerificationError as error:
        raise _refused("what is on it cannot be read") from error


def _look(path: Path, for_volume_id: str | None) -> StickState:
    try:
        with open_volume(path) as volume:
            return _of_volume(path, volume, for_volume_id)
    except UnsuitableStickError as error:
        if error.reason == "no_file_system" and (size := _blank_bytes(path)):
            return StickState(size - size * _TABLES_PERCENT // 100 - _EDGE_BYTES, 512, "")
        raise


def _of_volume(path: Path, volume: StickVolume, for_volume_id: str | None) -> StickState:
    geometry = volume.geometry
    if geometry.offset and _partitions(path) != 1:
        raise _refused("it has several partitions")
    if not _covers(path, geometry):
        raise _refused("its file system does not take up all of it")
    if not geometry.is_clean:
        raise UnsuitableStickError("the stick was not removed cleanly", reason="dirty")
    marker = read_marker(volume)
    ours = {*marker.names, MARKER, VERIFIED} if marker else set()
    strangers = [it for it in volume.list_root() if it.name not in ours]
    if strangers:
        raise _refused(f"{len(strangers)} files or folders are on it")
    if marker is None:
        _require_nothing_lost(volume)
    elif marker.is_verified and for_volume_id not in (None, marker.volume_id):
        raise _refused("a finished set that was not handed over is on it")
    return StickState(
        volume.free_bytes(),
        geometry.cluster_bytes,
        marker.volume_id if marker else "",
        geometry.serial,
    )


def _require_nothing_lost(volume: StickVolume) -> None:
    """A root directory that lost its entries looks empty, but what was in it is there still. Not
    asked of a try of ours that was cut off: that is what it looks like.
    """
    if not volume.are_tables_equal():
        raise _refused("its file system is damaged")
    used = volume.geometry.clusters - volume.free_bytes() // volume.geometry.cluster_bytes
    if used != volume.root_clusters():
        raise _refused("room on it is taken by what has no name")


def _covers(path: Path, geometry: Geometry) -> bool:
    """Whether the volume takes up the whole stick, apart from how partitions are aligned."""
    with _reader(path) as reader:
        size = reader.length_bytes()
    slack = max(_EDGE_BYTES, min(_ALIGNMENT_BYTES, size // 50)) + geometry.cluster_bytes
    end = geometry.data_offset + geometry.clusters * geometry.cluster_bytes
    return geometry.offset <= slack and size - end <= slack


def _refused(why: str) -> UnsuitableStickError:
    return UnsuitableStickError(f"not a new stick: {why}", reason="not_fresh")


def _partitions(path: Path) -> int:
    with _reader(path) as reader:
        sector = reader.read(0, SECTOR_BYTES)
    return sum(sector[at + 4] != 0 for at in _ENTRIES)


def _blank_bytes(path: Path) -> int:
    """Its size if nothing is at both of its ends and wherever it was looked at; 0 otherwise."""
    with _reader(path) as reader:
        size = reader.length_bytes() // SECTOR_BYTES * SECTOR_BYTES
        edge = min(_EDGE_BYTES, size)
        if any(reader.read(0, edge)) or any(reader.read(size - edge, edge)):
            return 0
        for at in _sampled(size):
            if any(reader.read(at, min(_SAMPLE_BYTES, size - at))):
                return 0
    return size


def _sampled(size: int) -> list[int]:
    """Offsets: powers of two from both ends, where file systems and copies of tables begin, and
    one by chance in each of equal parts, so that nothing large goes unseen.
    """
    places, step = [], _EDGE_BYTES
    while step < size:
        places += [step, size - step]
        step *= 2
    part = max(size // _SAMPLES, 1)
    places += [start + secrets.randbelow(part) for start in range(0, size, part)]
    return sorted(at // _SAMPLE_BYTES * _SAMPLE_BYTES for at in places if at < size)


def _reader(path: Path) -> MediumReader:
    try:
        return MediumReader(path, block_bytes=SECTOR_BYTES)
    except DriveError as error:
        raise NoMediumError("no stick") from error
