"""Errors without the data: where it broke and what kind it was, never with what values.

An exception's text and the local variables of its frames may hold a name, so neither is written.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Final

_FRAMES: Final = 30

logger = logging.getLogger(__name__)


def describe(error: BaseException) -> str:
    """Class and places of an exception and its causes, innermost last; one line each."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines.append(f"{type(current).__module__}.{type(current).__qualname__}")
        frames = traceback.extract_tb(current.__traceback__, limit=-_FRAMES)
        lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
        current = current.__cause__ or current.__context__
    return "\n".join(lines)


def log_error(what: str, error: BaseException) -> None:
    logger.error("%s: %s", what, describe(error))


def install_quiet_hooks() -> None:
    """Let Python's own last words go to the log, not to the public screen."""

    def quiet(
        _kind: type[BaseException], error: BaseException, _trace: TracebackType | None
    ) -> None:
        log_error("uncaught", error)

    def quiet_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            log_error("uncaught in a thread", args.exc_value)

    def quiet_unraisable(args: sys.UnraisableHookArgs) -> None:
        if args.exc_value is not None:
            log_error("unraisable", args.exc_value)

    sys.excepthook = quiet
    threading.excepthook = quiet_thread
    sys.unraisablehook = quiet_unraisable
