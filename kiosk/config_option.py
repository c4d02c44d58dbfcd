"""How an option is declared, and the checks of single values; the sections use them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Any

from kiosk.domain.model import AETitle
from kiosk.errors import InvalidValueError


def option(default: Any, doc: str, check: Callable[[Any], str | None] | None = None) -> Any:
    """A field with its line of documentation and, if wanted, a check that returns a complaint."""
    metadata = {"doc": doc, "check": check}
    if isinstance(default, list):
        return field(default_factory=lambda: tuple(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def between(low: float, high: float) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        return None if low <= value <= high else f"must be between {low} and {high}"

    return check


def ae_title(value: str) -> str | None:
    try:
        AETitle(value)
    except InvalidValueError:
        return "must be an AE title: 1 to 16 printable characters, no backslash"
    return None


def absolute(value: Path) -> str | None:
    """A folder that depends on where a command is started would be several."""
    return None if value.is_absolute() else "must be an absolute path"


def database(value: str) -> str | None:
    if not value or value.partition(":")[0].partition("+")[0] in ("sqlite", "postgresql"):
        return plain(value)
    return "must begin with sqlite: or postgresql:"


def plain(value: Any) -> str | None:
    lines = value if isinstance(value, tuple) else (value,)
    for line in lines:
        if len(line) > 200 or any(ord(c) < 32 or ord(c) == 127 for c in line):
            return "must be plain text of at most 200 characters a line"
    return None


def paragraph(value: str) -> str | None:
    if len(value) > 1000 or any(ord(c) < 32 or ord(c) == 127 for c in value):
        return "must be plain text of at most 1000 characters, without line breaks"
    return None


def ascii_only(value: str) -> str | None:
    return plain(value) if value.isascii() else "must be plain ASCII"


def filled(value: tuple[str, ...]) -> str | None:
    return plain(value) if any(line.strip() for line in value) else "must not be empty"


def name(value: str) -> str | None:
    return None if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", value) else "must be a-z, 0-9 and -"


def one_of(*allowed: str) -> Callable[[Any], str | None]:
    return lambda value: None if value in allowed else f"must be one of {', '.join(allowed)}"


def file_or_nothing(value: str) -> str | None:
    """An absolute path, or "" for none."""
    if value and not Path(value).is_absolute():
        return "must be an absolute path"
    return plain(value)
