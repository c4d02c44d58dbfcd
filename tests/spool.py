"""What is left in a spool."""

from __future__ import annotations

from pathlib import Path

from kiosk.adapters.spool import MARK


def left_in(spool: Path) -> list[str]:
    """Names of everything but the mark; nothing if there is no spool yet."""
    there = spool.iterdir() if spool.exists() else ()
    return sorted(path.name for path in there if path.name != MARK)
