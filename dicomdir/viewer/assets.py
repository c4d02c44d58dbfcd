"""The viewer's program: built files in this package, each compared with the hash recorded for it.

`assets/SHA256SUMS` is written when the page is built (`python -m dicomdir.viewer.assets` writes it
anew). What differs from it is never put onto a medium.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Final

from dicomdir.errors import ViewerProgramError
from dicomdir.pdi import VIEWER_FOLDER, Entry

FOLDER: Final = Path(__file__).parent / "assets"
SUMS: Final = "SHA256SUMS"
START: Final = "START.HTM"
_NAMES: Final = (
    START, "BOOT.JS", "VIEWER.JS", "VIEWER.CSS", "LANG.JS", "LICENSE.TXT", "GLOSSARY.JS",
    "FFLATE.JS", "CODECS.JS",
)  # fmt: skip
_NEEDED: Final = frozenset((START, "BOOT.JS", "VIEWER.JS", "VIEWER.CSS", "LANG.JS", "LICENSE.TXT"))
_MAX_BYTES: Final = 8 << 20


def is_built(folder: Path = FOLDER) -> bool:
    """Whether there is a viewer to put onto media."""
    return (folder / SUMS).is_file()


def program(folder: Path = FOLDER) -> list[Entry]:
    """The files of the program, in the order in which a browser wants them.

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
    if unknown := recorded.keys() - set(_NAMES):
        raise ViewerProgramError(f"{len(unknown)} recorded files have no place on a medium")
    entries = []
    for name in _NAMES:
        if name not in recorded:
            continue
        path = folder / name
        if not path.is_file() or path.stat().st_size > _MAX_BYTES:
            raise ViewerProgramError(f"{name} is missing or too large")
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != recorded[name]:
            raise ViewerProgramError(f"{name} is not the file that was built")
        entries.append(Entry(f"{VIEWER_FOLDER}/{name}", data))
    return entries


def record(folder: Path = FOLDER) -> None:
    """Write the list anew, of what is there."""
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in _NAMES
        if (folder / name).is_file()
    ]
    (folder / SUMS).write_text("".join(lines), "ascii")


if __name__ == "__main__":
    record()
    sys.exit(0)
