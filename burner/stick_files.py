"""What goes onto a stick: files taken out of an image, checked, in batches, staged for mtools one
batch at a time.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

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
        sha256: Hexadecimal; None until it was computed while copying.
    """

    path: str
    source: Path
    offset: int
    size: int
    sha256: str | None = None


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
    found = {str(parent) for file in files for parent in PurePosixPath(file.path).parents} - {"."}
    return sorted(found, key=lambda folder: (folder.count("/"), folder))


def batches_of(files: Sequence[StickFile]) -> Iterator[list[StickFile]]:
    """Files of one folder each, as much as is staged at a time; DICOMDIR alone at the end."""
    batch: list[StickFile] = []
    by_folder = sorted(files, key=lambda file: PurePosixPath(file.path).parent)
    for file in by_folder:
        if file.path == LAST:
            continue
        is_full = (
            len(batch) == BATCH_FILES
            or sum(f.size for f in batch) + file.size > BATCH_BYTES
            or (batch and PurePosixPath(batch[0].path).parent != PurePosixPath(file.path).parent)
        )
        if batch and is_full:
            yield batch
            batch = []
        batch.append(file)
    if batch:
        yield batch
    yield [file for file in files if file.path == LAST]


@dataclass(frozen=True, slots=True)
class StagedBatch:
    """Files of one folder of the stick, each in a file of its own for mtools.

    Attributes:
        files: By path on the stick, with hashes of what was staged.
    """

    folder: Path
    parent: str
    files: dict[str, StickFile]

    def copy_in(self, target: FatTarget) -> None:
        """Onto the stick; what was staged is gone afterwards."""
        try:
            staged = [self.folder / PurePosixPath(path).name for path in self.files]
            copy_in(target, staged, self.parent)
        finally:
            shutil.rmtree(self.folder)


def staged_batches(staging: Path, batches: Iterable[Sequence[StickFile]]) -> Iterator[StagedBatch]:
    """Batches one after the other, the next one staged by a thread while one is being copied.

    Args:
        staging: A folder of ours, on a disk with room for two batches or the two largest files.
    """
    numbered = enumerate(batches)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="staging") as pool:
        coming: Future[StagedBatch] | None = None
        for number, batch in numbered:
            ready, coming = coming, pool.submit(_stage_batch, staging / str(number), batch)
            if ready is not None:
                yield ready.result()
        if coming is not None:
            yield coming.result()


def _stage_batch(folder: Path, batch: Sequence[StickFile]) -> StagedBatch:
    parent = str(PurePosixPath(batch[0].path).parent)
    folder.mkdir()
    result: dict[str, StickFile] = {}
    for file in batch:
        sha256 = _stage(file, folder / PurePosixPath(file.path).name)
        if file.sha256 is not None and file.sha256 != sha256:
            raise EngineError("a file changed since it was hashed")
        result[file.path] = replace(file, sha256=sha256)
    return StagedBatch(folder, "" if parent == "." else parent, result)


def _stage(file: StickFile, path: Path) -> str:
    """Copy the extent to a file of its own; returns the hash of what was copied."""
    digest = hashlib.sha256()
    left = file.size
    try:
        with file.source.open("rb", buffering=0) as source, path.open("xb", buffering=0) as out:
            source.seek(file.offset)
            while left:
                chunk = source.read(min(COPY_BYTES, left))
                if not chunk:
                    raise EngineError("the image is shorter than announced")
                digest.update(chunk)
                out.write(chunk)
                left -= len(chunk)
    except OSError as error:
        raise EngineError(f"staging failed: {error.strerror}") from error
    return digest.hexdigest()
