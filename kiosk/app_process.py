"""A process that runs an app of ours, as its parent and as itself sees it.

The app's own streams draw, so what it has to say for the log goes through a pipe of its own.
Standard library only; nothing here can fail on data.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from typing import Final, Self

LOG_FD_VARIABLE: Final = "SENDHOME_LOG_FD"
_MAX_LINE: Final = 1000
_OURS: Final = frozenset({"kiosk", "burner", "dicomdir"})

logger = logging.getLogger(__name__)


def tied_to_us(command: Sequence[str]) -> list[str]:
    """The command so that it ends with the thread that starts it."""
    return ["setpriv", "--pdeathsig", "TERM", "--", *command]


def child_environment() -> dict[str, str]:
    """Ours without Textual's own switches: a debug mode would show what it must not."""
    return {name: it for name, it in os.environ.items() if not name.startswith("TEXTUAL")}


class LogPipe:
    """What a child has to say, into our own log. Use as a context manager round its start.

    The child gets `writing` (`pass_fds`) and is told of it by `environment`.
    """

    def __init__(self) -> None:
        self._reading, self.writing = os.pipe()
        self._thread = threading.Thread(target=self._forward, daemon=True)

    @property
    def environment(self) -> dict[str, str]:
        return {LOG_FD_VARIABLE: str(self.writing)}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Our writing end goes: from now on the pipe ends with the child, if there is one."""
        os.close(self.writing)
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait for the last lines of a child that ended."""
        self._thread.join(seconds)

    def _forward(self) -> None:
        with os.fdopen(self._reading, encoding="utf-8", errors="replace") as lines:
            while line := lines.readline(_MAX_LINE):
                logger.info("%s", "".join(c for c in line if c.isprintable()))


def is_ours_or_serious(record: logging.LogRecord) -> bool:
    """For a log's handler: libraries tell at INFO of what they work on, fontTools every letter of a
    name.
    """
    return record.levelno >= logging.WARNING or record.name.split(".")[0] in _OURS


def log_to_parent() -> None:
    """In the child: send our log through our parent's pipe; never to the terminal."""
    handler: logging.Handler = logging.NullHandler()
    if (number := os.environ.get(LOG_FD_VARIABLE, "")).isdecimal():
        handler = logging.StreamHandler(os.fdopen(int(number), "w", buffering=1))
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    handler.addFilter(is_ours_or_serious)
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.raiseExceptions = False  # a failing handler would print to the terminal
