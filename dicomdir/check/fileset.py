"""Is this a File-set? The DICOMDIR, the files it refers to, and each against the other.

Every rule of docs/requirements.md from PDI-03 to PDI-85 that can be told from these. Names and
places of files are the business of `tree`; images and pages have modules of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from dicomdir.check.keys import KeyCheck
from dicomdir.check.objects import ObjectCheck
from dicomdir.check.structure import DICOMDIR, check_structure
from dicomdir.check.tree import Collector, Tree
from dicomdir.directory import Directory, DirectoryRecord, read_directory
from dicomdir.errors import DicomdirError
from dicomdir.findings import Finding
from dicomdir.instance import Instance
from dicomdir.profile import PROFILE_SYNTAXES


def check_fileset(
    dicomdir: bytes | Directory,
    tree: Tree,
    dicom_files: Collection[str] | None = None,
    *,
    profile: str = "STD-GEN-CD",
    on_instance: Callable[[Instance], None] = lambda _instance: None,
) -> list[Finding]:
    """Check a File-set: its DICOMDIR and every DICOM file of the medium.

    Args:
        dicomdir: The whole DICOMDIR, or what `read_directory` made of it.
        tree: The files of the medium and how to read them.
        dicom_files: Paths of those that begin as DICOM files do, without the DICOMDIR; None: look.
        profile: A key of `profile.PROFILE_SYNTAXES`: which transfer syntaxes are allowed, and
            whether the lack of what DVD and USB want beyond CD is an error or a warning.
        on_instance: Called with each object as it is read from the medium: who must look at all of
            them need not read them again. What it raises ends the check.
    Returns:
        Nothing wrong: empty. Never raises for what is on the medium.
    Raises:
        OSError: A file cannot be read.
    """
    found = Collector()
    if isinstance(dicomdir, Directory):
        directory = dicomdir
    else:
        try:
            directory = read_directory(dicomdir)
        except DicomdirError as error:
            found.error("PDI-61", DICOMDIR, f"it cannot be read: {error}")
            return found.findings
    placed = check_structure(directory, found)
    keys = KeyCheck(found, is_cd="-CD" in profile)
    for record, _ in placed:
        keys.check(record)
    if dicom_files is None:
        dicom_files = [
            file.path
            for file in tree.files
            if file.path != DICOMDIR and tree.read(file.path, 128, 4) == b"DICM"
        ]
    _check_listing(directory.leaves(), tree, dicom_files, found)
    parents = {record.offset: parent for record, parent in placed}
    objects = ObjectCheck(tree, keys, found, parents, PROFILE_SYNTAXES[profile], on_instance)
    for record, _ in placed:
        if record.is_leaf and objects.has(record.file_id):
            objects.look(record)
    objects.finish()
    return found.findings


def _check_listing(
    leaves: Iterable[DirectoryRecord], tree: Tree, dicom_files: Collection[str], found: Collector
) -> None:
    """Every DICOM file has its record and every record its file (PDI-03)."""
    paths = {file.path for file in tree.files}
    referenced = set()
    for record in leaves:
        referenced.add(record.file_id)
        if record.file_id not in paths:
            found.error("PDI-03", record.file_id, "the DICOMDIR refers to a file that is not there")
    for path in dicom_files:
        if path != DICOMDIR and path not in referenced:
            found.error("PDI-03", path, "the DICOMDIR does not refer to this DICOM file")
