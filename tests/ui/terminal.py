"""A program in a pseudo-terminal: its raw bytes, and what pyte makes of them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

import pyte

_LONGEST_S = 60.0
_XTERM: Final = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


class Terminal:
    """Ends the program it started, and only that, when the test is over."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        columns: int = 80,
        rows: int = 24,
        environment: Mapping[str, str] = _XTERM,
    ) -> None:
        self.raw = b""
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._status: int | None = None
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            for name in ("TERM", "COLORTERM", "NO_COLOR"):
                os.environ.pop(name, None)
            os.environ |= {"PYTHONPATH": str(cwd), **environment}
            with contextlib.suppress(OSError):
                os.execvp(command[0], list(command))
            os._exit(127)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._status is None:
            os.kill(self.pid, signal.SIGTERM)
            self._drain_until(self._has_ended, 8.0)
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)

    def send(self, data: bytes) -> None:
        os.write(self._fd, data)

    def text(self) -> str:
        return "\n".join(self._screen.display)

    def until(self, text: str) -> None:
        """Until it is on the screen."""
        self._drain_until(lambda: text in self.text(), _LONGEST_S)
        assert text in self.text(), f"never said {text!r}:\n{self.text()}"

    def until_seen(self, condition: Callable[[], bool]) -> None:
        """Until it is so on the screen."""
        self._drain_until(condition, _LONGEST_S)
        assert condition(), f"never came true:\n{self.text()}"

    def until_sent(self, data: bytes, times: int) -> None:
        """Until these bytes have come so often since the start."""
        self._drain_until(lambda: self.raw.count(data) >= times, _LONGEST_S)
        assert self.raw.count(data) >= times

    def read_for(self, seconds: float) -> None:
        """For what must not happen: nothing can be awaited."""
        self._drain_until(lambda: False, seconds)

    def wait(self, seconds: float = _LONGEST_S) -> int:
        """Its exit status."""
        self._drain_until(self._has_ended, seconds)
        assert self._status is not None, f"still running:\n{self.text()}"
        return self._status

    @property
    def is_alive(self) -> bool:
        return not self._has_ended()

    def _has_ended(self) -> bool:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status is not None

    def _drain_until(self, condition: object, seconds: float) -> None:
        assert callable(condition)
        until_s = time.monotonic() + seconds
        while not condition() and time.monotonic() < until_s:
            ready, _, _ = select.select([self._fd], [], [], 0.05)
            if not ready:
                continue
            try:
                data = os.read(self._fd, 65536)
            except OSError:  # the other side is closed
                if self._has_ended():
                    return
                time.sleep(0.02)
                continue
            self.raw += data
            # pyte chokes on private sequences with "<" or ">"; a terminal ignores what it lacks.
            self._stream.feed(_PRIVATE.sub(b"", data))


_PRIVATE = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p")
