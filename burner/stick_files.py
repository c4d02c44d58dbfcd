"""What goes onto a stick: files taken out of an image, checked, handed to mtools in batches."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from burner.children import never
from burner.errors import (
    BurnerError,
    CancelledError,
    EngineError,
    SpoiledMediumError,
    UnsuitableStickError,
)
from burner.mtools import FatTarget, copy_in

MARKER = "SENDHOME.TMP"  # ours, not finished
VERIFIED = "SENDHOME.OK"  # beside the marker: all was read back
LAST = "DICOMDIR"  # PS3.10 8.6: what makes it a File-set
MAX_FILE_BYTES = 4 * 1024**3 - 1
BATCH_BYTES = 128 * 1024 * 1024  # of one call of mcopy
BATCH_FILES = 400
COPY_BYTES = 1024 * 1024
STOP_S = 2.0  # for mcopy to end of itself when nothing more comes
STALL_S = 600.0  # a stick that tidies up, or an error that the kernel tries again, takes minutes
PART = re.compile(r"[A-Z0-9_]{1,8}(\.[A-Z0-9_]{1,3})?")

_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder in it is made by mkdtemp
_MAX_DEPTH = 8  # PS3.12 Annex R
_LET_GO_S = 10.0  # for the thread, when its reader has gone


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
    """Files of one folder each, as much as one call copies; DICOMDIR alone at the end."""
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


def copy_batch(
    target: FatTarget,
    batch: Sequence[StickFile],
    folder: Path,
    *,
    is_cancelled: Callable[[], bool] = never,
    settle: Callable[[int], None] = lambda _bytes: None,
) -> None:
    """Files of one folder onto the stick, straight out of their sources.

    mcopy takes whole files with their names, and ours lie in an image. So each is a named pipe,
    filled by the kernel from the image's pages: nothing is copied or written in between. No hash
    is taken: what was read back is compared with the source.

    Args:
        folder: For the pipes where there is no file system in memory; it exists, and is empty again
            afterwards.
        is_cancelled: Asked ten times a second. The file on its way ends then, those behind it stay
            empty and mcopy writes its tables: one that is cut off loses clusters. It is stopped by
            a signal if it does not end within `STOP_S`.
        settle: Told of every piece that was handed over, in another thread; see `Settling`. May
            raise a BurnerError.
    Raises:
        CancelledError: Part of it is on the stick.
        EngineError: A source cannot be read, or is shorter than announced; a pipe cannot be opened.
        SpoiledMediumError: mcopy left part of a file, or nothing went on for STALL_S; else as
            `mtools.copy_in`.
    """
    # A pipe is a name alone, which a file system in memory makes ten times as fast.
    place = _MEMORY if os.access(_MEMORY, os.W_OK | os.X_OK) else folder
    with tempfile.TemporaryDirectory(dir=place, prefix="stick-") as pipes:
        feeder = _Feeder([(file, Path(pipes, _name(file.path))) for file in batch], settle)

        def must_stop() -> bool:
            if is_cancelled():
                feeder.cancel()
            return feeder.is_stuck()

        with feeder:
            pipe_names = [pipe for _file, pipe in feeder.files]
            try:
                copy_in(target, pipe_names, _parent(batch[0]), is_stuck=must_stop)
            except SpoiledMediumError as error:
                if feeder.is_cancelled:
                    raise CancelledError(spoiled=True) from error
                if isinstance(feeder.failure, EngineError):  # why it was stopped
                    raise feeder.failure from error
                raise
        if feeder.failure is not None:
            raise feeder.failure


class _Feeder:
    """A thread that fills one pipe after the other; a context manager around their reader.

    Attributes:
        failure: What kept a pipe from being filled; those behind it stay empty, so that the reader
            comes to its end. If a pipe cannot even be opened, the reader waits for it for ever:
            `is_stuck` says so.
    """

    def __init__(
        self, files: Sequence[tuple[StickFile, Path]], settle: Callable[[int], None]
    ) -> None:
        self.files = files
        self._settle = settle
        self._cancelled_at: float | None = None
        self.failure: BurnerError | None = None
        self._is_over = threading.Event()
        self._has_given_up = threading.Event()
        self._moved_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="feeding", daemon=True)
        for _file, pipe in files:
            os.mkfifo(pipe, 0o600)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The reader has ended, perhaps before its last file: nobody opens what is left."""
        self._is_over.set()
        deadline = time.monotonic() + _LET_GO_S  # a pipe that has gone frees nobody any more
        while self._thread.is_alive() and time.monotonic() < deadline:
            for _file, pipe in self.files:
                with contextlib.suppress(OSError):  # tried again; frees a writer that waits
                    os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
            self._thread.join(0.01)

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled_at is not None

    def cancel(self) -> None:
        """Nothing more goes into the pipes, so that the reader comes to its end."""
        if self._cancelled_at is None:
            self._cancelled_at = time.monotonic()

    def is_stuck(self) -> bool:
        """Whether the reader must be stopped: a pipe will never be filled, nothing goes on, or it
        does not come to its end.
        """
        if self._cancelled_at is not None and time.monotonic() - self._cancelled_at > STOP_S:
            return True
        if self._has_given_up.is_set():
            self._let_reader_go()
            return True
        return self._thread.is_alive() and time.monotonic() - self._moved_at > STALL_S

    def _let_reader_go(self) -> None:
        """A signal does not wake mtools from a pipe that nobody opens; an empty file does."""
        for _file, pipe in self.files:
            with contextlib.suppress(OSError):  # the reader waits at one of them alone
                os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))

    def _run(self) -> None:
        try:
            for file, pipe in self.files:
                descriptor = os.open(pipe, os.O_WRONLY)  # waits until it is read
                try:
                    if self._is_over.is_set():
                        return
                    self._moved_at = time.monotonic()
                    if self.failure is None:
                        self._fill(file, descriptor)
                finally:
                    os.close(descriptor)
        except Exception as error:  # noqa: BLE001 - raised by `copy_batch`, in the caller's thread
            why = error.strerror if isinstance(error, OSError) else type(error).__name__
            self.failure = EngineError(f"a file cannot be handed to mcopy: {why}")
            self._has_given_up.set()

    def _fill(self, file: StickFile, descriptor: int) -> None:
        try:
            with contextlib.suppress(PermissionError):  # beyond the user's share of pipe memory
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, COPY_BYTES)
            with file.source.open("rb", buffering=0) as source:
                done = 0
                while done < file.size:
                    if self.is_cancelled:
                        self.failure = CancelledError(spoiled=True)
                        return
                    rest = min(file.size - done, COPY_BYTES)  # so that a stall is seen
                    copied = os.sendfile(descriptor, source.fileno(), file.offset + done, rest)
                    if not copied:
                        self.failure = EngineError("the image is shorter than announced")
                        return
                    done += copied
                    self._settle(copied)
                    self._moved_at = time.monotonic()
        except BrokenPipeError:
            self.failure = SpoiledMediumError("mcopy left part of a file")
        except BurnerError as error:
            self.failure = error
        except OSError as error:
            self.failure = EngineError(f"the image cannot be read: {error.strerror}")


def _parent(file: StickFile) -> str:
    return file.path.rpartition("/")[0]


def _name(path: str) -> str:
    return path.rpartition("/")[2]
