"""The viewer's program: built files in this package, each compared with the hash recorded for it.

`assets/SHA256SUMS` is written when the page is built. What differs from it is never put onto a
medium.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from dicomdir.errors import ViewerProgramError
from dicomdir.pdi import FILE_NAME, VIEWER_FOLDER, Entry

FOLDER: Final = Path(__file__).parent / "assets"
SUMS: Final = "SHA256SUMS"
START: Final = "START.HTM"
_NEEDED: Final = frozenset(
    (START, "VIEWER.JS", "CODECS.JS", "VIEWER.CSS", "LANG.JS", "LICENSE.TXT")
)
_MAX_BYTES: Final = 8 << 20
_MADE: Final = frozenset(("MANIFEST.JS", "HASHES.JS"))  # of each medium's own


def is_built(folder: Path = FOLDER) -> bool:
    """Whether there is a viewer to put onto media."""
    return (folder / SUMS).is_file()


def program(folder: Path = FOLDER) -> list[Entry]:
    """The files of the program, in the order in which they are recorded.

    Raises:
        ViewerProgramError: One is missing, not recorded, or not what was recorded.
        OSError: They cannot be read.
    """
    recorded: dict[str, str] = {}
    for line in (folder / SUMS).read_text("ascii").splitlines():
        digest, _, name = line.partition("  ")
        recorded[name] = digest
    if missing := _NEEDED - recorded.keys():
        raise ViewerProgramError(f"not recorded: {', '.join(sorted(missing))}")
    entries = []
    for name, wanted in recorded.items():
        if FILE_NAME.fullmatch(name) is None or name in _MADE:
            raise ViewerProgramError("a recorded file has no place on a medium")
        path = folder / name
        if not path.is_file() or path.stat().st_size > _MAX_BYTES:
            raise ViewerProgramError(f"{name} is missing or too large")
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != wanted:
            raise ViewerProgramError(f"{name} is not the file that was built")
        entries.append(Entry(f"{VIEWER_FOLDER}/{name}", data))
    return entries
