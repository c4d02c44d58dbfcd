"""Is this folder, copied from a medium or about to become one, a PDI volume?

File-system rules cannot be told from a copy; everything else is as in `image`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from dicomdir.check.medium import check_medium
from dicomdir.check.tree import Collector, Tree, TreeFile
from dicomdir.errors import ImageError
from dicomdir.findings import Finding

_MAX_FILES: Final = 1_000_000
_MAX_DEPTH: Final = 32


def check_volume(folder: Path) -> list[Finding]:
    """Every rule that can be told from a folder tree. Symbolic links are findings, not followed.

    Raises:
        OSError: The folder cannot be read.
    """
    found = Collector()
    try:
        check_medium(folder_tree(folder, found), found)
    except ImageError as error:
        found.error("PDI-03", "", f"the files cannot be read: {error}")
    return found.findings


def folder_tree(folder: Path, found: Collector) -> Tree:
    """The regular files below a folder.

    Raises:
        ImageError: More files or deeper than any medium.
    """
    files: list[TreeFile] = []
    folders: list[str] = []
    pending = [("", 0)]
    while pending:
        inside, depth = pending.pop()
        if depth > _MAX_DEPTH:
            raise ImageError("folders are nested too deep")
        with os.scandir(folder / inside) as entries:
            for entry in sorted(entries, key=lambda it: it.name):
                path = f"{inside}/{entry.name}" if inside else entry.name
                if entry.is_dir(follow_symlinks=False):
                    folders.append(path)
                    pending.append((path, depth + 1))
                elif entry.is_file(follow_symlinks=False):
                    files.append(TreeFile(path, entry.stat(follow_symlinks=False).st_size))
                else:
                    found.error("PDI-40", path, "neither a regular file nor a folder")
                if len(files) > _MAX_FILES:
                    raise ImageError("too many files")
    return Tree(files, folders, lambda path, offset, size: _read(folder / path, offset, size))


def _read(path: Path, offset: int, size: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        return os.pread(descriptor, size, offset)
    finally:
        os.close(descriptor)
