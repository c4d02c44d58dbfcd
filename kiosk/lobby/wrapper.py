"""The parent process that owns the terminal, so that no crash leaves anything on it.

The lobby runs as its child. When the child dies the terminal is reset, its scroll-back cleared, and
a fixed page sends people to the desk until the child is back, at most two seconds later. One that
keeps dying, because the journal is not there yet or the database does not answer, is tried again
every half minute, behind the page. Standard library only; nothing here can fail on data.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Final

from kiosk.app_process import LogPipe, child_environment, tied_to_us
from kiosk.ports import Clock
from kiosk.restarts import Restarts

_STOP_S: Final = 5  # for an orderly end, before the child is killed

# Leave the alternate screen; mouse, focus, paste, resize and synchronised modes off; keyboard
# protocol back; attributes, scroll region, wrapping and cursor as at the start; all cleared.
RESET: Final = (
    b"\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?1004l"
    b"\x1b[?2004l\x1b[?2048l\x1b[?2026l\x1b[<u\x1b[0m\x1b[r\x1b[?7h\x1b[H\x1b[2J\x1b[3J"
)
_HIDE_CURSOR: Final = b"\x1b[?25l"
_SHOW_CURSOR: Final = b"\x1b[?25h"


class Wrapper:
    """Runs a command on the terminal of standard input, again and again.

    Args:
        command: The lobby; exit status 0 is an orderly end, everything else a crash.
        page: Lines of the fixed page; shown without anything else.
        terminal_fd: The terminal, for reading and writing.
    """

    def __init__(
        self, command: Sequence[str], page: Sequence[str], clock: Clock, *, terminal_fd: int = 0
    ) -> None:
        self._command, self._page = list(command), page
        self._fd = terminal_fd
        self._is_stopping = False  # a flag, not an Event: signal handlers set it
        self._child: subprocess.Popen[bytes] | None = None
        self._restarts = Restarts(clock.monotonic_s)

    def run(self) -> int:
        """Until the child ends in order (0) or we are told to stop (0 too).

        Raises:
            OSError: The terminal cannot be written, or the command cannot be started at all.
        """
        with self._terminal(), self._signals():
            while not self._is_stopping:
                if (status := self._run_once()) == 0:
                    break
                self._show_page()
                self._pause(self._restarts.crashed(status))
        return 0

    def stop(self) -> None:
        """End `run` in order; from any thread, at any time."""
        self._is_stopping = True
        if (child := self._child) is not None:
            child.terminate()
            signal.alarm(_STOP_S)

    # ----------------------------------------------------------------------------------------------

    def _run_once(self) -> int:
        with LogPipe() as log:
            # Textual draws on standard error; what else the child has to say comes by the pipe.
            # It ends with us: nothing may stay on the terminal, asking for names, that nobody
            # would wipe away.
            self._child = subprocess.Popen(
                tied_to_us(self._command),
                stdin=self._fd,
                stdout=subprocess.DEVNULL,
                stderr=self._fd,
                pass_fds=(log.writing,),
                env=child_environment() | log.environment,
            )
        if self._is_stopping:  # told so while it was being started
            self._child.terminate()
        status = self._child.wait()
        signal.alarm(0)
        self._child = None
        log.join(1.0)
        return 0 if self._is_stopping else status

    def _pause(self, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while not self._is_stopping and (left_s := until_s - time.monotonic()) > 0:
            time.sleep(min(0.25, left_s))

    def _show_page(self) -> None:
        self._quiet()
        columns, rows = os.get_terminal_size(self._fd)
        top = max(1, (rows - len(self._page)) // 2)
        lines = b""
        for at, line in enumerate(self._page):
            text = "".join(c for c in line if c.isprintable())[:columns]
            left = max(1, (columns - len(text)) // 2)
            lines += f"\x1b[{top + at};{left}H{text}".encode()
        self._write(RESET + _HIDE_CURSOR + lines)

    def _quiet(self) -> None:
        """Nothing typed is shown, nothing typed is a signal, nothing typed before counts."""
        attributes = termios.tcgetattr(self._fd)
        attributes[1] |= termios.OPOST | termios.ONLCR
        attributes[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN)
        termios.tcsetattr(self._fd, termios.TCSAFLUSH, attributes)

    def _write(self, data: bytes) -> None:
        # A child that was killed may have left the descriptor non-blocking.
        flags = fcntl.fcntl(self._fd, fcntl.F_GETFL)
        fcntl.fcntl(self._fd, fcntl.F_SETFL, flags & ~os.O_NONBLOCK)
        while data:
            data = data[os.write(self._fd, data) :]

    @contextlib.contextmanager
    def _terminal(self) -> Iterator[None]:
        before = termios.tcgetattr(self._fd)
        self._quiet()
        try:
            yield
        finally:
            self._write(RESET + _SHOW_CURSOR)
            termios.tcsetattr(self._fd, termios.TCSAFLUSH, before)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def stop(_number: int, _frame: FrameType | None) -> None:
            self.stop()

        def kill(_number: int, _frame: FrameType | None) -> None:
            if self._child is not None:
                self._child.kill()

        # What is ignored here is ignored by the child too: exec keeps it.
        ignored = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)
        before = {number: signal.signal(number, signal.SIG_IGN) for number in ignored}
        for number in (signal.SIGTERM, signal.SIGHUP):
            before[number] = signal.signal(number, stop)
        before[signal.SIGALRM] = signal.signal(signal.SIGALRM, kill)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def desk_page(site_name: str, whom_to_call: str) -> list[str]:
    """The fixed page: no word of anybody, and the way on."""
    return [site_name, "", "This machine takes a short break.", "", whom_to_call]


def is_on_a_terminal() -> bool:
    """Whether there is a terminal to own."""
    return sys.stdin.isatty() and sys.stdout.isatty()
