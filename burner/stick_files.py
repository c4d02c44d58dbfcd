"""What goes onto a stick: files taken out of an image, checked, in batches, staged for mtools one
batch at a time.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from burner.errors import EngineError, UnsuitableStickError
from burner.mtools import FatTarget, copy_in

MARKER = "SENDHOME.TMP"  # ours, not finished
VERIFIED = "SENDHOME.OK"  # beside the marker: all was read back
LAST = "DICOMDIR"  # PS3.10 8.6: what makes it a File-set
MAX_FILE_BYTES = 4 * 1024**3 - 1
BATCH_BYTES = 64 * 1024 * 1024  # staged at a time
BATCH_FILES = 200
COPY_BYTES = 1024 * 1024
PART = re.compile(r"[A-Z0-9_]{1,8}(\.[A-Z0-9_]{1,3})?")

_MAX_DEPTH = 8  # PS3.12 Annex R


@dataclass(frozen=True, slots=True)
class StickFile:
    """One file for the stick, taken out of another (a finished image) or a whole one.

    Attributes:
        path: On the stick, "/"-separated, 8.3 in upper case.
    """

    path: str
    source: Path
    offset: int
    size: int


def require_sound(files: Sequence[StickFile]) -> None:
    """Our own caller's duties: names as PS3.12 Annex R has them, DICOMDIR there, nothing twice."""
    seen: set[str] = set()
    for file in files:
        parts = file.path.split("/")
        if len(parts) > _MAX_DEPTH or not all(PART.fullmatch(part) for part in parts):
            raise EngineError("a name is not fit for a stick")
        if file.path in seen or file.path in (MARKER, VERIFIED):
            raise EngineError("a name is used twice")
        seen.add(file.path)
        if file.size > MAX_FILE_BYTES:
            raise UnsuitableStickError("a file is larger than FAT takes", reason="file_too_large")
    if LAST not in seen:
        raise EngineError("there is no DICOMDIR among the files")


def folders_of(files: Sequence[StickFile]) -> list[str]:
    """Every folder, parents first."""
    found: set[str] = set()
    for file in files:
        folder = _parent(file)
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return sorted(found, key=lambda folder: (folder.count("/"), folder))


def batches_of(files: Sequence[StickFile]) -> Iterator[list[StickFile]]:
    """Files of one folder each, as much as is staged at a time; DICOMDIR alone at the end."""
    batch: list[StickFile] = []
    size = 0
    for file in sorted(files, key=_parent):
        if file.path == LAST:
            continue
        is_full = (
            len(batch) == BATCH_FILES
            or size + file.size > BATCH_BYTES
            or (batch and _parent(batch[0]) != _parent(file))
        )
        if batch and is_full:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch
    yield [file for file in files if file.path == LAST]


@dataclass(frozen=True, slots=True)
class StagedBatch:
    """Files of one folder of the stick, each in a file of its own for mtools."""

    folder: Path
    parent: str
    files: tuple[StickFile, ...]

    def copy_in(self, target: FatTarget) -> None:
        """Onto the stick; what was staged is gone afterwards."""
        try:
            staged = [self.folder / _name(file.path) for file in self.files]
            copy_in(target, staged, self.parent)
        finally:
            shutil.rmtree(self.folder)


@contextlib.contextmanager
def staged_batches(
    staging: Path, batches: Iterable[Sequence[StickFile]]
) -> Iterator[Iterator[StagedBatch]]:
    """Batches one after the other, each staged by a thread while the one before is copied, and the
    first one from now on.

    Args:
        staging: An existing folder on a disk with room for two batches or the two largest files.
    """
    with (
        tempfile.TemporaryDirectory(dir=staging, prefix="stick-") as folder,
        ThreadPoolExecutor(max_workers=1, thread_name_prefix="staging") as pool,
    ):
        waiting = enumerate(batches)

        def begin() -> Future[StagedBatch] | None:
            for number, batch in waiting:
                return pool.submit(_stage_batch, Path(folder, str(number)), batch)
            return None

        coming = begin()

        def in_turn() -> Iterator[StagedBatch]:
            nonlocal coming
            while coming is not None:
                ready = coming.result()
                coming = begin()
                yield ready

        yield in_turn()


def _stage_batch(folder: Path, batch: Sequence[StickFile]) -> StagedBatch:
    """No hash is taken: what was read back is compared with the source, past these copies."""
    folder.mkdir()
    for file in batch:
        _stage(file, folder / _name(file.path))
    return StagedBatch(folder, _parent(batch[0]), tuple(batch))


def _stage(file: StickFile, path: Path) -> None:
    """The extent as a file of its own, by the kernel alone."""
    try:
        with file.source.open("rb", buffering=0) as source, path.open("xb", buffering=0) as out:
            done = 0
            while done < file.size:
                copied = os.sendfile(
                    out.fileno(), source.fileno(), file.offset + done, file.size - done
                )
                if not copied:
                    raise EngineError("the image is shorter than announced")
                done += copied
    except OSError as error:
        raise EngineError(f"staging failed: {error.strerror}") from error


def _parent(file: StickFile) -> str:
    return file.path.rpartition("/")[0]


def _name(path: str) -> str:
    return path.rpartition("/")[2]
