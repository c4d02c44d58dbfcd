"""What stands on a medium, for tests."""

from __future__ import annotations

from pathlib import Path

from dicomdir.pdi import Entry


def content(entry: Entry) -> bytes:
    """The bytes of a file of a volume."""
    source = entry.source
    if isinstance(source, bytes):
        return entry.head + source
    with Path(source.path).open("rb") as file:
        file.seek(source.offset_bytes)
        return entry.head + file.read(source.size_bytes)
