"""Is this folder, copied from a medium or about to become one, a PDI volume?

File-system rules cannot be told from a copy; everything else is as in `image`. Linux shows a plain
ISO 9660 disc in lower case: a tree that is in lower case throughout is taken for such a view.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from dicomdir.check.medium import check_medium
from dicomdir.check.tree import Collector, Tree, TreeFile
from dicomdir.directory import Directory
from dicomdir.errors import ImageError
from dicomdir.findings import Finding
from dicomdir.instance import Instance

_MAX_FILES: Final = 250_000
_MAX_DEPTH: Final = 32


def check_volume(folder: Path) -> list[Finding]:
    """Every rule that can be told from a folder tree. Symbolic links are findings, not followed.

    Raises:
        OSError: The folder cannot be read.
    """
    found = Collector()
    check_folder(folder, found)
    return found.findings


def check_folder(
    folder: Path,
    found: Collector,
    on_instance: Callable[[Instance], None] = lambda _instance: None,
    *,
    profile: str = "",
    on_tree: Callable[[Tree], None] = lambda _tree: None,
) -> Directory | None:
    """`check_volume` with a Collector; the DICOMDIR, if it can be read.

    Args:
        on_tree: Called with the files before any of them is read.
    Raises:
        OSError: The folder cannot be read.
    """
    try:
        tree = folder_tree(folder, found)
    except ImageError as error:
        found.error("PDI-03", "", f"the files cannot be read: {error}")
        return None
    on_tree(tree)
    return check_medium(tree, found, on_instance, profile=profile)


def folder_tree(folder: Path, found: Collector) -> Tree:
    """The regular files below a folder, in upper case if all were in lower case.

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
                    found.error("PDI-03", path, "neither a file nor a folder: not looked into")
                if len(files) + len(folders) > _MAX_FILES:
                    raise ImageError("too many files")
    if not _is_lower_view(files, folders):
        return Tree(files, folders, lambda path, at, size: _read(folder / path, at, size))
    return Tree(
        [TreeFile(file.path.upper(), file.size_bytes) for file in files],
        [path.upper() for path in folders],
        lambda path, at, size: _read(folder / path.lower(), at, size),
        is_lower_view=True,
    )


def _is_lower_view(files: list[TreeFile], folders: list[str]) -> bool:
    """A DICOMDIR in lower case, and nothing in upper case beside it."""
    paths = [*folders, *(file.path for file in files)]
    return "dicomdir" in paths and all(p.isascii() and p == p.lower() for p in paths)


def _read(path: Path, offset: int, size: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        return os.pread(descriptor, size, offset)
    finally:
        os.close(descriptor)
