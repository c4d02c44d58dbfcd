"""A builder's process, as the engine sees it: a request in, events out, an image or an error."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import kiosk
from kiosk.builder.protocol import ERRORS, MAX_LINE_BYTES, ComposedImage, ComposeRequest
from kiosk.errors import ComposeError, InvalidValueError, StoppedError

OnProgress = Callable[[int, int], None]
IsCancelled = Callable[[], bool]

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
_POLL_S: Final = 0.1
_SILENT_S: Final = 600.0  # a builder that says nothing for so long is stuck in the kernel
_ROOT: Final = Path(kiosk.__file__).resolve().parent.parent


class ConversionCrashedError(Exception):
    """The child died while it converted this object."""

    def __init__(self, sop_instance_uid: str) -> None:
        super().__init__(sop_instance_uid)
        self.sop_instance_uid = sop_instance_uid


class KilledError(Exception):
    """The child was killed from outside: not the objects' fault, so it may be tried again."""


class Builder:
    """One builder process, good for one build."""

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
        """As `compose`. Raises ConversionCrashedError too."""
        try:
            self._send(request.to_json().encode("ascii") + b"\n")
        except BrokenPipeError:
            raise KilledError("before it began") from None
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
            raise ConversionCrashedError(self._converting)
        if -code in (signal.SIGKILL, signal.SIGTERM):
            raise KilledError(_shown_exit(code))
        raise ComposeError(f"the builder died ({_shown_exit(code)})")

    def go_on(self, request: ComposeRequest) -> None:
        """For a build that follows: all has arrived. May be called beside `run`."""
        with contextlib.suppress(BrokenPipeError):  # `run` finds out how it ended
            self._send(request.to_json().encode("ascii") + b"\n")

    def kill(self) -> None:
        """May be called beside `run`."""
        if self._process.poll() is None:
            self._process.kill()

    def end(self) -> None:
        """Leave nothing behind of the process."""
        self.kill()
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
