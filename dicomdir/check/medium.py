"""All rules on the files of a medium together: names and places, the DICOMDIR, the pages."""

from __future__ import annotations

from collections.abc import Callable

from dicomdir.check.fileset import check_fileset
from dicomdir.check.pages import check_pages
from dicomdir.check.tree import Collector, Tree, check_tree
from dicomdir.directory import MAX_DIRECTORY_BYTES, Directory, read_directory
from dicomdir.errors import DirectoryError
from dicomdir.instance import Instance
from dicomdir.pdi import DICOMDIR
from dicomdir.profile import SERIES, STUDY


def check_medium(
    tree: Tree, found: Collector, on_instance: Callable[[Instance], None] = lambda _instance: None
) -> Directory | None:
    """Every rule that does not depend on the file system.

    Args:
        on_instance: Called with each object as it is read; what it raises ends the check.
    Returns:
        The DICOMDIR, None if there is none that can be read (which is then found).
    Raises:
        ImageError: The medium cannot be read where it says that a file lies.
    """
    objects = check_tree(tree, found)
    directory = _directory(tree, found)
    if directory is not None:
        paths = [file.path for file in objects]
        found.extend(check_fileset(directory, tree, paths, on_instance=on_instance))
    check_pages(tree, _counts(directory), found)
    return directory


def _directory(tree: Tree, found: Collector) -> Directory | None:
    file = next((file for file in tree.files if file.path == DICOMDIR), None)
    if file is None:
        return None
    if file.size_bytes > MAX_DIRECTORY_BYTES:
        found.error("PDI-61", DICOMDIR, "it is larger than any honest one")
        return None
    try:
        return read_directory(tree.read(DICOMDIR, 0, file.size_bytes))
    except DirectoryError as error:
        found.error("PDI-61", DICOMDIR, f"it cannot be read: {error}")
        return None


def _counts(directory: Directory | None) -> tuple[int, int, int] | None:
    if directory is None:
        return None
    types = [record.type for record in directory.records]
    return types.count(STUDY), types.count(SERIES), sum(1 for _ in directory.leaves())
