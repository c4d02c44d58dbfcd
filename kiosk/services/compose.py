"""Compose: from a job's retrieved objects to a checked image, in a child process.

The engine's memory stays flat and hostile objects cannot hurt it. A conversion that crashes the
child costs that object its place on the medium (it is listed there, PDI-51), not the job.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import queue
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import kiosk
from kiosk.builder.protocol import (
    ERRORS,
    MAX_LINE_BYTES,
    ComposedImage,
    ComposeRequest,
    clean,
)
from kiosk.domain.model import OrderId
from kiosk.errors import ComposeError, InvalidValueError, StoppedError

__all__ = ["ComposeRequest", "ComposedImage", "ComposerPool", "compose", "volume_id_of"]

OnProgress = Callable[[int, int], None]
IsCancelled = Callable[[], bool]

_MAX_CRASHES: Final = 8  # conversions that kill the child, before the build is given up
# What a decoder dies of by itself; SIGKILL comes from somebody else and says nothing of an object.
_CRASHES: Final = frozenset(
    (
        signal.SIGABRT,
        signal.SIGBUS,
        signal.SIGFPE,
        signal.SIGILL,
        signal.SIGSEGV,
        signal.SIGSYS,
        signal.SIGXCPU,
    )
)
_MAX_KILLED: Final = 2  # by somebody else, such as the kernel short of memory
_POLL_S: Final = 0.1
_SILENT_S: Final = 600.0  # a child that says nothing for so long is stuck in the kernel
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ROOT: Final = Path(kiosk.__file__).resolve().parent.parent


def volume_id_of(job_id: OrderId) -> str:
    """PDI_ and seven characters made of the job's id: the same each time (PDI-99)."""
    number = int.from_bytes(hashlib.sha256(job_id.encode("ascii")).digest()[:8], "big")
    letters = ""
    for _ in range(7):
        number, letter = divmod(number, len(_ALPHABET))
        letters += _ALPHABET[letter]
    return f"PDI_{letters}"


def compose(
    request: ComposeRequest,
    *,
    on_progress: OnProgress,
    is_cancelled: IsCancelled,
    pool: ComposerPool | None = None,
) -> ComposedImage:
    """Build the image of one job. Run again with the same request it returns the same image.

    Args:
        on_progress: Called with done and total, a few times a second.
        pool: Where a spare child may wait; without, one is started.
    Raises:
        SpoolLostError: An object is not there, or not as it arrived: retrieve again.
        WrongPatientError: An object or the finished image is not the patient's.
        CheckFailedError: Our check finds errors on the finished image.
        SetOversizedError: It does not fit on the medium.
        SpoolFullError: The disk is full.
        StoppedError: `is_cancelled` said so; nothing is left but what was retrieved.
        ComposeError: It cannot be built.
    """
    with contextlib.ExitStack() as stack:
        if pool is None:
            pool = stack.enter_context(ComposerPool())
        killed = 0
        while True:
            child = pool.take()
            try:
                return child.run(request, on_progress, is_cancelled)
            except _KilledError as error:
                killed += 1
                if killed > _MAX_KILLED:
                    raise ComposeError("the builder was killed again and again") from error
            except _ConversionCrashedError as crash:
                if len(request.refused) >= _MAX_CRASHES:
                    raise ComposeError("too many objects crash their conversion") from crash
                request = replace(request, refused=(*request.refused, crash.sop_instance_uid))
            except StoppedError:
                child.end()
                clean(request.folder)
                raise
            finally:
                child.end()


class ComposerPool:
    """Starts builders ahead of time, so that a patient does not wait for imports.

    Children die with the thread that started them (PR_SET_PDEATHSIG), so all are started by one
    thread that lives as long as the pool.
    """

    def __init__(self) -> None:
        self._wanted: queue.SimpleQueue[queue.SimpleQueue[_Child | OSError] | None] = (
            queue.SimpleQueue()
        )
        self._spares: list[queue.SimpleQueue[_Child | OSError]] = []
        self._lock = threading.Lock()
        self._starter = threading.Thread(target=self._start_all, name="builders", daemon=True)
        self._starter.start()

    def prepare(self) -> None:
        """Have one spare child; returns at once."""
        with self._lock:
            if not self._spares:
                self._spares.append(self._order())

    def take(self) -> _Child:
        """A child of one's own. Raises ComposeError if none can be started."""
        with self._lock:
            started = self._spares.pop() if self._spares else self._order()
        child = started.get()
        if isinstance(child, OSError):
            raise ComposeError("the builder cannot be started") from child
        return child

    def close(self) -> None:
        """End spare children and the thread."""
        with self._lock:
            spares, self._spares = self._spares, []
        for started in spares:
            child = started.get()
            if not isinstance(child, OSError):
                child.end()
        self._wanted.put(None)
        self._starter.join()

    def __enter__(self) -> ComposerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _order(self) -> queue.SimpleQueue[_Child | OSError]:
        started: queue.SimpleQueue[_Child | OSError] = queue.SimpleQueue()
        self._wanted.put(started)
        return started

    def _start_all(self) -> None:
        while (started := self._wanted.get()) is not None:
            try:
                started.put(_Child())
            except OSError as error:
                started.put(error)


class _ConversionCrashedError(Exception):
    """The child died while it converted this object."""

    def __init__(self, sop_instance_uid: str) -> None:
        super().__init__(sop_instance_uid)
        self.sop_instance_uid = sop_instance_uid


class _KilledError(Exception):
    """The child was killed from outside: not the objects' fault, so it may be tried again."""


class _Child:
    """One builder process, good for one request."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "kiosk.builder", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a library's last words may hold patient data
            cwd="/",
            env=_environment(),
            bufsize=0,
        )
        self._converting = ""
        self._buffer = b""

    def run(
        self, request: ComposeRequest, on_progress: OnProgress, is_cancelled: IsCancelled
    ) -> ComposedImage:
        """As `compose`. Raises _ConversionCrashedError too."""
        try:
            self._send(request.to_json().encode("ascii") + b"\n")
        except BrokenPipeError:
            raise _KilledError("before it began") from None
        for event in self._events(is_cancelled):
            match event:
                case {"event": "progress", "done": int(done), "total": int(total)}:
                    on_progress(done, total)
                case {"event": "converting", "sop_instance_uid": str(uid)}:
                    self._converting = uid
                case {"event": "done", "image": dict(facts)}:
                    return _image(request, facts)
                case {"event": "error", "error": str(name), "text": str(text)}:
                    raise ERRORS.get(name, ComposeError)(text)
        code = self._process.wait()
        if self._converting and -code in _CRASHES:
            raise _ConversionCrashedError(self._converting)
        if -code in (signal.SIGKILL, signal.SIGTERM):
            raise _KilledError(_shown_exit(code))
        raise ComposeError(f"the builder died ({_shown_exit(code)})")

    def end(self) -> None:
        """Leave nothing behind of the process."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _send(self, data: bytes) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        view = memoryview(data)
        while view:
            view = view[pipe.write(view) or 0 :]

    def _events(self, is_cancelled: IsCancelled) -> Iterator[object]:
        pipe = self._process.stdout
        assert pipe is not None
        heard_at = time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while True:
                if is_cancelled():
                    raise StoppedError("cancelled")
                if not selector.select(_POLL_S):
                    if time.monotonic() - heard_at > _SILENT_S:
                        raise ComposeError("the builder is stuck")
                    continue
                data = os.read(pipe.fileno(), 1 << 16)
                if not data:
                    return
                heard_at = time.monotonic()
                self._buffer += data
                if len(self._buffer) > MAX_LINE_BYTES:
                    raise ComposeError("the builder talks nonsense")
                *lines, self._buffer = self._buffer.split(b"\n")
                for line in lines:
                    yield _event(line)


def _event(line: bytes) -> object:
    try:
        return json.loads(line)
    except ValueError:
        raise ComposeError("the builder talks nonsense") from None


def _image(request: ComposeRequest, facts: dict[str, Any]) -> ComposedImage:
    try:
        return ComposedImage.from_facts(request.folder, facts)
    except InvalidValueError as error:
        raise ComposeError("the builder talks nonsense") from error


def _environment() -> dict[str, str]:
    """Nothing of ours but where to find programs and modules: no secret, no patient data."""
    kept = {
        name: os.environ[name] for name in ("PATH", "PYTHONDONTWRITEBYTECODE") if name in os.environ
    }
    return kept | {
        "PYTHONPATH": str(_ROOT),
        "LC_ALL": "C.UTF-8",
        # One thread each: they are children of a busy station, and threads reserve address space.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def _shown_exit(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
