"""The volume onto a FAT stick, or an image file that stands for one, without touching what is on
it.

`SENDHOME.TMP` is written first and removed when everything was read back and the stick is released.
A stick that was pulled out, or whose writing was cut off, is recognised by it, and only what it
names is ever deleted, and all of that. DICOMDIR is written last, so that no half set looks whole.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from burner import mtools
from burner.children import DriveLock, never
from burner.drive import LOCK_FOLDER
from burner.errors import (
    BurnerError,
    CancelledError,
    MediumTooSmallError,
    NoMediumError,
    VerificationError,
)
from burner.messages import clean
from burner.mtools import FatTarget
from burner.stick_files import (
    LAST,
    MARKER,
    VERIFIED,
    StickFile,
    batches_of,
    copy_batch,
    folders_of,
    require_sound,
)
from burner.stick_format import format_stick
from burner.stick_fresh import look_fresh
from burner.stick_settle import Settling
from burner.stick_volume import (
    Marker,
    StickState,
    StickVolume,
    assess,
    claimed,
    compare_file,
    forget,
    is_still,
    node_of,
    open_volume,
    read_marker,
    require_room,
    sync,
)

_NAMED = 3  # files that differ, in one message


class Stick:
    """A stick at a device node (disk or partition), or an image file."""

    def __init__(
        self,
        path: Path,
        *,
        name: str | None = None,
        lock_folder: Path = LOCK_FOLDER,
        require: Callable[[int], None] = lambda _descriptor: None,
    ) -> None:
        """`require` looks at the opened node before anything is written to it, and may raise a
        BurnerError (`burner.devices.policy.require_stick`).
        """
        self.name = name or path.name
        self._path = path
        self._require = require
        self._lock_folder = lock_folder
        self._lock = DriveLock(lock_folder / f"sendhome-{self.name}.lock")
        self._reading = contextlib.ExitStack()
        self._volume: StickVolume | None = None

    def is_busy(self) -> bool:
        """Whether one of ours works with the stick; then `inspect` would wait."""
        return self._lock.is_held()

    def inspect(self) -> StickState:
        """What can be said before the files are known.

        Raises:
            NoMediumError: No stick.
            DriveError: No right to open it, or what `require` says.
            UnsuitableStickError: reason is no_file_system, other_file_system, damaged, dirty,
                read_only, in_use or has_dicomdir.
        """
        self._end_reading()
        with self._claimed() as (node, _descriptor), open_volume(node) as volume:
            return assess(volume)

    def inspect_fresh(self) -> StickState:
        """`inspect`, of a stick that is to be made anew: nobody may have anything on it.

        A finished set of ours is told by its volume id (`unfinished`): whose it is, is not known
        here. `make_anew` knows.

        Raises:
            NoMediumError: No stick.
            UnsuitableStickError: reason is not_fresh, dirty, read_only or in_use.
        """
        self._end_reading()
        with self._claimed() as (node, _descriptor):
            return look_fresh(node)

    def make_anew(self, label: str) -> None:
        """Partition and format it, if nobody has anything on it; nothing is changed otherwise.

        Args:
            label: Volume id of what it is for: a finished set of ours with this id may go.
        Raises as `inspect_fresh` and `format_stick`.
        """

        def look(node: Path) -> None:
            look_fresh(node, for_volume_id=label)  # once more: it may have been changed for another

        self._end_reading()
        format_stick(
            self._path,
            label,
            name=self.name,
            lock_folder=self._lock_folder,
            require=self._require,
            look=look,
        )

    def write(
        self,
        files: Sequence[StickFile],
        volume_id: str,
        *,
        staging: Path,
        on_progress: Callable[[int, int], None],
        is_cancelled: Callable[[], bool] = never,
    ) -> None:
        """Copy everything, DICOMDIR last, and fsync the node.

        Args:
            staging: An existing folder for pipes and a mark; it needs no room.
            on_progress: Bytes copied and bytes in all, after each batch.
        Raises:
            NoMediumError: No stick, or it was pulled out.
            UnsuitableStickError: Nothing was written; also for name_collision and file_too_large.
            MediumTooSmallError: Nothing is left on it of what may have been written.
            SpoiledMediumError: It broke off midway; the stick is marked as unfinished.
            CancelledError: Asked to stop, seen within seconds; says whether anything is left.
        """
        require_sound(files)
        self._end_reading()
        with self._claimed(is_cancelled) as (node, descriptor):
            with open_volume(node) as volume:
                state = assess(volume)
                marker = read_marker(volume)
                leftovers = require_room(volume, state, marker, files)
                target = FatTarget(node, volume.geometry.offset)
            if is_cancelled():
                raise CancelledError(spoiled=False)
            mine = Marker(volume_id, frozenset(f.path.split("/")[0] for f in files), False)
            try:
                if marker and marker.is_verified:
                    mtools.delete_file(target, VERIFIED)  # first: what is cut off now is not whole
                # DICOMDIR goes first: without it nothing looks like a File-set any more
                for entry in sorted(leftovers, key=lambda entry: entry.name != LAST):
                    mtools.delete_tree(target, entry.name)
                if marker:
                    mtools.delete_file(target, MARKER)
                content = {"volume_id": mine.volume_id, "names": sorted(mine.names)}
                _put_small(target, MARKER, json.dumps(content), staging)
                sync(descriptor)
                self._copy(target, descriptor, files, staging, on_progress, is_cancelled)
            except (MediumTooSmallError, CancelledError) as error:
                is_undone = self._undo(target, mine, descriptor)
                if isinstance(error, CancelledError):
                    raise CancelledError(spoiled=not is_undone) from error
                raise

    def _copy(
        self,
        target: FatTarget,
        descriptor: int,
        files: Sequence[StickFile],
        staging: Path,
        on_progress: Callable[[int, int], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        total = sum(file.size for file in files)
        done, settling = 0, Settling(lambda: sync(descriptor))
        mtools.make_directories(target, folders_of(files))
        for batch in batches_of(files):
            if is_cancelled():
                raise CancelledError(spoiled=True)
            if not is_still(descriptor, target.path):
                raise NoMediumError("the stick was taken out")
            if any(file.path == LAST for file in batch):
                sync(descriptor)  # everything else is on the stick before it
            copy_batch(
                *(target, batch, staging),
                is_cancelled=is_cancelled,
                settle=settling.given,
            )
            done += sum(file.size for file in batch)
            on_progress(done, total)
        sync(descriptor)

    def verify(
        self,
        files: Sequence[StickFile],
        *,
        staging: Path,
        on_progress: Callable[[int, int], None],
    ) -> None:
        """Read every file back, past the caches, by other code than wrote it, and compare it with
        its source.

        Raises:
            VerificationError: A file is missing, has another length or other bytes.
            NoMediumError: Pulled out.
        """
        self._end_reading()
        total = sum(file.size for file in files)
        done = 0
        with self._claimed() as (node, descriptor):
            forget(descriptor)
            with open_volume(node) as volume:
                for file in files:
                    compare_file(volume, file)
                    done += file.size
                    on_progress(done, total)
                target = FatTarget(node, volume.geometry.offset)
            _put_small(target, VERIFIED, "", staging)
            sync(descriptor)

    def compare(
        self, files: Sequence[StickFile], *, on_progress: Callable[[int, int], None]
    ) -> None:
        """Compare every file with its source, byte by byte. Nothing is written; the stick may be
        write-protected, and other files on it are not looked at.

        Raises:
            VerificationError: Names the first files that are missing or differ, and counts all.
            UnsuitableStickError: No FAT volume. NoMediumError: No stick, or pulled out.
        """
        self._end_reading()
        total = sum(file.size for file in files)
        done = 0
        faults: list[str] = []
        with self._lock.hold(), open_volume(self._path) as volume:
            for file in files:
                try:
                    compare_file(volume, file)
                except VerificationError as error:
                    faults.append(f"{clean(file.path, 64)}: {error}")
                done += file.size
                on_progress(done, total)
        if faults:
            more = f", and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
            raise VerificationError("; ".join(faults[:_NAMED]) + more)

    def read(self, file: StickFile, offset: int, size: int) -> bytes:
        """Part of one file, from the stick; shorter at its end. Raises as `verify`.

        The stick stays open for the next read, until anything else is done with it.
        """
        if self._volume is None:
            self._volume = self._reading.enter_context(open_volume(self._path))
        result = bytearray()
        position = 0
        for start, length in self._volume.extents(self._volume.find(file.path, file.size)):
            first = max(offset, position)
            last = min(offset + size, position + length)
            if first < last:
                result += self._volume.read(start + first - position, last - first)
            position += length
            if position >= offset + size:
                break
        return bytes(result)

    def _end_reading(self) -> None:
        self._volume = None
        self._reading.close()

    def release(self) -> bool:
        """The stick may be pulled: remove the mark of a stick that was read back.

        Returns:
            False if it is unfinished, its mark stays; or if there is no stick.
        """
        self._end_reading()
        with contextlib.suppress(NoMediumError):
            with self._claimed() as (node, descriptor):
                with open_volume(node) as volume:
                    marker = read_marker(volume)
                    target = FatTarget(node, volume.geometry.offset)
                if marker is not None and marker.is_verified:
                    mtools.delete_file(target, MARKER)
                    mtools.delete_file(target, VERIFIED)
                    sync(descriptor)
                return marker is None or marker.is_verified
        return False

    @contextlib.contextmanager
    def _claimed(self, is_cancelled: Callable[[], bool] = never) -> Iterator[tuple[Path, int]]:
        """To be written, by nobody else meanwhile: the stick's own node, and a descriptor of it.

        Everything under one claim is done to that node: a link would lead to another stick after a
        change.
        """
        with self._lock.hold(is_cancelled=is_cancelled):
            node = node_of(self._path)
            with claimed(node) as descriptor:
                self._require(descriptor)
                yield node, descriptor

    def _undo(self, target: FatTarget, marker: Marker, descriptor: int) -> bool:
        """Take away what was begun, from the stick on which it was. If that fails too, the mark
        tells the next one.
        """
        try:
            if not is_still(descriptor, target.path):
                return False
            with open_volume(target.path) as volume:
                there = read_marker(volume)
                if there is None or there.volume_id != marker.volume_id:
                    return False
                entries = [e for e in volume.list_root() if e.name in marker.names]
            for entry in sorted(entries, key=lambda entry: entry.name != LAST):
                mtools.delete_tree(target, entry.name)
            mtools.delete_file(target, MARKER)
            sync(descriptor)
        except BurnerError:
            return False
        return True


def _put_small(target: FatTarget, name: str, content: str, staging: Path) -> None:
    with tempfile.TemporaryDirectory(dir=staging, prefix="stick-") as folder:
        path = Path(folder, name)
        path.write_text(content)
        mtools.copy_in(target, [path], "")
