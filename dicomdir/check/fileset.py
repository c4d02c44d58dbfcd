"""Is this a File-set? The DICOMDIR, the files it refers to, and each against the other.

Every rule of docs/requirements.md from PDI-46 to PDI-85 that can be told from these. Each record is
taken apart once and each object's header is read once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from dicomdir.check.keys import KeyCheck
from dicomdir.check.layouts import Layouts
from dicomdir.check.objects import ObjectCheck
from dicomdir.check.patient import Telling
from dicomdir.check.places import HEAD_BYTES, check_listing
from dicomdir.check.structure import Uniqueness, check_header, check_offsets, check_record
from dicomdir.check.tree import Collector, Medium, Tree, read_or_find
from dicomdir.check.whose import Whose
from dicomdir.directory import Directory, read_directory
from dicomdir.errors import DicomdirError
from dicomdir.findings import Finding
from dicomdir.instance import Instance
from dicomdir.pdi import DICOMDIR
from dicomdir.profile import J2K, J2K_LOSSLESS, PROFILE_SYNTAXES

PROFILES = tuple(PROFILE_SYNTAXES)
_LARGEST_CD_BYTES = 900 << 20  # overburnt; a larger medium is a DVD


@dataclass(frozen=True, slots=True)
class Checked:
    """What other rules want to know of a File-set.

    Attributes:
        read: Paths of the DICOM files that were read.
        uids: Of studies, series and objects, without padding.
        whose: What pages may call the patient.
    """

    read: set[str]
    uids: set[bytes]
    whose: Whose


def profile_of(directory: Directory, tree: Tree) -> str:
    """The profile that a medium can claim: by what it is, and by the compression in its records."""
    size = sum(file.size_bytes for file in tree.files)
    if tree.medium is not Medium.STICK and size <= _LARGEST_CD_BYTES:
        return "STD-GEN-CD"
    kind = "USB" if tree.medium is Medium.STICK else "DVD"
    jpeg, jpeg2000 = f"STD-GEN-{kind}-JPEG", f"STD-GEN-{kind}-J2K"
    for record in directory.leaves():
        syntax = record.text(0x00041512)
        if syntax in (J2K, J2K_LOSSLESS):
            return jpeg2000
        if syntax not in PROFILE_SYNTAXES[jpeg2000]:
            break
    return jpeg


def check_records(
    directory: Directory,
    tree: Tree,
    found: Collector,
    *,
    profile: str,
    on_instance: Callable[[Instance], None] = lambda _instance: None,
    telling: Telling | None = None,
) -> Checked:
    """All but the listing of files (PDI-03).

    Args:
        telling: Gets what would tell about the patient.
    Raises:
        OSError: A file cannot be read.
    """
    check_header(directory, found)
    placed = check_offsets(directory, found)
    keys = KeyCheck(found, is_cd="-CD" in profile)
    unique = Uniqueness(found)
    layouts = Layouts()
    parents = {record.offset: parent for record, parent in placed}
    syntaxes = PROFILE_SYNTAXES[profile]
    objects = ObjectCheck(
        tree, keys, found, parents, syntaxes, on_instance, Telling() if telling is None else telling
    )
    for record, parent in placed:
        values = layouts.values_of(record)
        check_record(record, parent, values, found)
        keys.check(record, values)
        unique.look(record, values)
        if record.is_leaf:
            objects.look(record, values)
    if len(placed) < len(directory.records):
        for record in directory.records:
            if record.offset not in parents:
                unique.look(record, record.values)
    objects.finish()
    for file in tree.files:
        for component in file.path.split("/"):
            if objects.telling.names(component):
                found.warn("PDI-26", file.path, "a file name tells about the patient")
                break
    return Checked(objects.sound, unique.uids(), objects.whose)


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
        profile: One of PROFILES: which transfer syntaxes are allowed, and whether the lack of what
            DVD and USB want beyond CD is an error or a warning.
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
    check_records(directory, tree, found, profile=profile, on_instance=on_instance)
    if dicom_files is None:
        dicom_files = [
            file.path
            for file in tree.files
            if file.path != DICOMDIR
            and read_or_find(tree, found, "PDI-03", file.path, 0, HEAD_BYTES)[128:] == b"DICM"
        ]
    paths = {file.path for file in tree.files}
    check_listing((it.file_id for it in directory.leaves()), paths, dicom_files, found)
    return found.findings
