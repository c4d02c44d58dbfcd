"""Whether a stick is one on which nobody has anything: only such a one may be made anew unasked.

What was put into the port of the house's sealed sticks may be somebody's own all the same. So a
stick is judged by what is on it: nothing at all, or one empty FAT volume, or what a try of ours
left that was cut off. Everything else is refused, also what cannot be read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from burner.errors import DriveError, NoMediumError, UnsuitableStickError, VerificationError
from burner.fat import SECTOR_BYTES
from burner.stick_files import MARKER, VERIFIED
from burner.stick_volume import StickState, StickVolume, open_volume, read_marker
from burner.verify import MediumReader

_EDGE_BYTES: Final = 1024 * 1024  # partition tables and the beginnings of file systems; GPT's copy
_TABLES_PERCENT: Final = 2  # of a new volume: FATs of 512-byte clusters at most
_ENTRIES: Final = range(446, 510, 16)  # of a master boot record


def look_fresh(path: Path) -> StickState:
    """The state that it will have when it was made anew, about. Nothing is changed.

    Raises:
        NoMediumError: No stick.
        UnsuitableStickError: not_fresh: something is on it, or it cannot be judged; dirty.
    """
    try:
        with open_volume(path) as volume:
            return _of_volume(path, volume)
    except UnsuitableStickError as error:
        if error.reason == "dirty":
            raise
        if error.reason == "no_file_system" and (size := _blank_bytes(path)):
            return StickState(size - size * _TABLES_PERCENT // 100 - _EDGE_BYTES, 512, "")
        raise _refused("what is on it cannot be read") from error
    except VerificationError as error:
        raise _refused("what is on it cannot be read") from error


def _of_volume(path: Path, volume: StickVolume) -> StickState:
    geometry = volume.geometry
    if geometry.offset and _partitions(path) != 1:
        raise _refused("it has several partitions")
    if not geometry.is_clean:
        raise UnsuitableStickError("the stick was not removed cleanly", reason="dirty")
    marker = read_marker(volume)
    ours = {*marker.names, MARKER, VERIFIED} if marker else set()
    strangers = [it for it in volume.list_root() if it.name not in ours]
    if strangers:
        raise _refused(f"{len(strangers)} files or folders are on it")
    return StickState(
        volume.free_bytes(),
        geometry.cluster_bytes,
        marker.volume_id if marker else "",
        geometry.serial,
    )


def _refused(why: str) -> UnsuitableStickError:
    return UnsuitableStickError(f"not a new stick: {why}", reason="not_fresh")


def _partitions(path: Path) -> int:
    with _reader(path) as reader:
        sector = reader.read(0, SECTOR_BYTES)
    return sum(sector[at + 4] != 0 for at in _ENTRIES)


def _blank_bytes(path: Path) -> int:
    """Its size if nothing is at both of its ends; 0 otherwise."""
    with _reader(path) as reader:
        size = reader.length_bytes() // SECTOR_BYTES * SECTOR_BYTES
        edge = min(_EDGE_BYTES, size)
        ends = (reader.read(0, edge), reader.read(size - edge, edge))
    return 0 if any(any(it) for it in ends) else size


def _reader(path: Path) -> MediumReader:
    try:
        return MediumReader(path, block_bytes=SECTOR_BYTES)
    except DriveError as error:
        raise NoMediumError("no stick") from error
