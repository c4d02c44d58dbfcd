"""All rules on the files of a medium together: names and places, the DICOMDIR, the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dicomdir.check.fileset import Checked, check_records, profile_of
from dicomdir.check.pages import Counts, check_pages
from dicomdir.check.patient import Telling
from dicomdir.check.places import Places, check_listing, check_preamble
from dicomdir.check.readme import check_readme
from dicomdir.check.secure import check_secure, is_secure
from dicomdir.check.tree import Collector, Tree
from dicomdir.check.viewer import check_viewer
from dicomdir.directory import MAX_DIRECTORY_BYTES, Directory, read_directory
from dicomdir.errors import DicomdirError
from dicomdir.instance import Instance
from dicomdir.pdi import DICOMDIR
from dicomdir.profile import ENCAP_DOC, SERIES, SR_DOCUMENT, STUDY

_REPORTS: Final = frozenset((SR_DOCUMENT, ENCAP_DOC))


def check_medium(
    tree: Tree,
    found: Collector,
    on_instance: Callable[[Instance], None] = lambda _instance: None,
    *,
    profile: str = "",
    label: str = "",
    telling: Telling | None = None,
) -> Directory | None:
    """Every rule that does not depend on the file system.

    Args:
        on_instance: Called with each object as it is read; what it raises ends the check.
        profile: One of `fileset.PROFILES`; "" for the one that the medium seems to be of.
        label: Volume identifier or label of the medium.
        telling: Gets what would tell about the patient, for who looks beside the files.
    Returns:
        The DICOMDIR, None if there is none that can be read (which is then found).
    Raises:
        OSError: The medium cannot be read.
    """
    directory, encrypted = _directory(tree, found)
    telling = Telling() if telling is None else telling
    checked: Checked | None = None
    folders: set[str] = set()
    if directory is not None:
        profile = profile or profile_of(directory, tree)
        checked = check_records(
            directory, tree, found, profile=profile, on_instance=on_instance, telling=telling
        )
        folders = {it.file_id.split("/")[0] for it in directory.leaves() if "/" in it.file_id}
    places = Places(tree, found, folders - {"", "IHE_PDI"}, is_encrypted=encrypted)
    if encrypted:
        check_secure(tree, found)
    places.check(checked.read if checked is not None else ())
    counts: Counts | None = None
    if directory is not None and checked is not None:
        referenced = [record.file_id for record in directory.leaves()]
        check_listing(referenced, {file.path for file in tree.files}, places.strays, found)
        if places.documents and not any(it.type in _REPORTS for it in directory.records):
            reason = "a document that cannot be imported, and no report among the objects"
            found.warn("PDI-20", places.documents[0], reason)
        if any(telling.names(part) for part in label.upper().replace("_", " ").split()):
            # A counter can be somebody's number by chance: no reason to stop a job.
            found.warn("PDI-99", "", "the volume's name tells about the patient")
        counts = _counts(directory)
    check_readme(tree, telling, found, is_secure=encrypted)
    check_pages(tree, counts, found, checked, is_secure=encrypted)
    check_viewer(tree, found, is_encrypted=encrypted)
    return directory


def _directory(tree: Tree, found: Collector) -> tuple[Directory | None, bool]:
    """The DICOMDIR and whether it is encrypted."""
    file = next((file for file in tree.files if file.path == DICOMDIR), None)
    if file is None:
        return None, False
    if file.size_bytes > MAX_DIRECTORY_BYTES:
        found.error("PDI-61", DICOMDIR, "it is larger than any honest one")
        return None, False
    try:
        data = tree.read(DICOMDIR, 0, file.size_bytes)
        if is_secure(data):
            return None, True
        directory = read_directory(data)
    except DicomdirError as error:
        found.error("PDI-61", DICOMDIR, f"it cannot be read: {error}")
        return None, False
    check_preamble(DICOMDIR, data[:132], found)
    return directory, False


def _counts(directory: Directory) -> Counts:
    types = [record.type for record in directory.records]
    return types.count(STUDY), types.count(SERIES), sum(1 for _ in directory.leaves())
