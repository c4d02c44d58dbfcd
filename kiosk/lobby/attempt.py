"""What the app's workers do may fail in any way; the visitor gets a sentence in any case."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from kiosk.errors import KioskError
from kiosk.lobby.crash import log_error

_T = TypeVar("_T")


def attempt(action: Callable[[], _T]) -> tuple[_T | None, str]:
    """Run it; None and a code if it failed in whatever way. The log has the place, not the data."""
    try:
        return action(), ""
    except KioskError as error:
        log_error("a request of the lobby failed", error)
        return None, error.code
    except Exception as error:  # noqa: BLE001  # the visitor must get a sentence in any case
        log_error("a request of the lobby broke", error)
        return None, KioskError.code
