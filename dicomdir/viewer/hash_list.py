"""HASHES.JS: what every file of a medium should be, for the page and the check to compare.

It stands in clear on protected media too: names, sizes and digests of the files as they lie there
say nothing that the files themselves do not (PDI-92).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from dicomdir.pdi import HASHES, Entry
from dicomdir.viewer.text import data_file, file_bytes
from dicomdir.viewer.worker import deflated

NAME: Final = "HASHES"
_FILE_BYTES: Final = 150  # of a file in it, at most


def hash_list(files: Iterable[tuple[str, int, bytes]]) -> Entry:
    """The file.

    Args:
        files: Path, size and SHA-256 of all but MANIFEST.JS and the list itself.
    """
    rows = [[path, size, sha256.hex()] for path, size, sha256 in files]
    data = json.dumps({"files": rows}, separators=(",", ":")).encode("ascii")
    return Entry(HASHES, data_file(NAME, deflated(data)))


def most_hash_bytes(files: int) -> int:
    """How long the list of so many files is, at most."""
    return file_bytes(NAME, _FILE_BYTES * files)
