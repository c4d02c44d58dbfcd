"""A process that runs an app of ours, as its parent and as itself sees it.

The app's own streams draw, so what it has to say for the log goes through a pipe of its own.
Standard library only; nothing here can fail on data.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Final

LOG_FD_VARIABLE: Final = "SENDHOME_LOG_FD"
_MAX_LINE: Final = 1000

logger = logging.getLogger(__name__)


def tied_to_us(command: Sequence[str]) -> list[str]:
    """The command so that it ends with the thread that starts it."""
    return ["setpriv", "--pdeathsig", "TERM", "--", *command]


def child_environment(log_fd: int) -> dict[str, str]:
    """Ours without Textual's own switches: a debug mode would show what it must not."""
    kept = {name: it for name, it in os.environ.items() if not name.startswith("TEXTUAL")}
    return kept | {LOG_FD_VARIABLE: str(log_fd)}


def forward_log(reading: int) -> None:
    """What a child writes into its end of the pipe, into our own log; until that is closed."""
    with os.fdopen(reading, encoding="utf-8", errors="replace") as lines:
        while line := lines.readline(_MAX_LINE):
            logger.info("%s", "".join(c for c in line if c.isprintable()))


def log_to_parent() -> None:
    """In the child: send our log through our parent's pipe; never to the terminal."""
    handler: logging.Handler = logging.NullHandler()
    if (number := os.environ.get(LOG_FD_VARIABLE, "")).isdecimal():
        handler = logging.StreamHandler(os.fdopen(int(number), "w", buffering=1))
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.raiseExceptions = False  # a failing handler would print to the terminal
