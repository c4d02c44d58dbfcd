"""A folder of DICOM files made into an image, without order, archive or engine (`sendhome build`).

The files may be anybody's: preambles and meta information are replaced, deflated ones inflated,
what is no DICOM file is counted and left. A DICOM file that cannot be read is never just counted:
it is named with its reason. One patient only: the first object says who it is, and one object of
somebody else refuses all.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from dicomdir.build import ObjectFile, Plan
from dicomdir.disc_set import DiscContents
from dicomdir.elements import LONG_VRS, SHORT_VRS, Source
from dicomdir.errors import DicomdirError, InstanceError
from dicomdir.fileset import DIRECTORY_SOP_CLASS
from dicomdir.instance import Instance, read_instance
from dicomdir.iso import IsoImage
from dicomdir.part10 import MEDIA_SOP_CLASS, MEDIA_SOP_INSTANCE, read_meta, uid_text
from dicomdir.readme import Site
from dicomdir.summary import LeftOut
from dicomdir.transcode import inflate, is_deflated
from kiosk.builder.work import kiosk_errors
from kiosk.errors import ComposeError, InvalidValueError, WrongPatientError
from kiosk.services.build_set import SetOptions, make_set
from kiosk.services.gates import StudyGate, identity_of
from kiosk.services.handed_in import HandedIn, MadeReport, report_objects

_MAGIC: Final = b"DICM"
_MAX_DEPTH: Final = 32
_MAX_COUNTED: Final = 100  # patients in one folder
_HEAD_BYTES: Final = 8 << 10
_NO_HEADER: Final = "instance.no_header"
# What a data set begins with: (0008,0001) to (0008,0018), or its group length (PS3.5 7.1).
_FIRST_ELEMENTS: Final = frozenset({0x00, 0x01, 0x05, 0x06, 0x08, 0x12, 0x13, 0x14, 0x16, 0x18})


@dataclass(frozen=True, slots=True)
class LeftOutFile:
    """A DICOM file that is not on the medium.

    Attributes:
        path: Below the folder.
        sop_instance_uid: "" if the file does not even say that; so is the class.
        reason: `DicomdirError.code`, `Instance.fault` or "instance.no_header": a data set without
            Part 10 header.
    """

    path: str
    sop_instance_uid: str
    sop_class_uid: str
    reason: str


@dataclass(frozen=True, slots=True)
class FolderImage:
    """What `build_folder` made.

    Attributes:
        left_out: DICOM files that could not go onto the medium, and why.
        ignored: Files that are no DICOM objects, DICOMDIRs, and an object's further copies.
        supplied: What is said of values that the DICOMDIR has and the objects lack.
        more: Further images of a set.
        contents: What is on which image of a set; empty for a single one.
        reports: What became of the reports that were handed in.
    """

    image: IsoImage
    file_set_uid: str
    instances: int
    left_out: tuple[LeftOutFile, ...]
    ignored: int
    supplied: tuple[str, ...]
    more: tuple[IsoImage, ...] = ()
    contents: tuple[DiscContents, ...] = ()
    reports: tuple[MadeReport, ...] = ()


def build_folder(
    folder: Path,
    out: Path,
    site: Site,
    *,
    volume_id: str,
    created_at: datetime,
    options: SetOptions = SetOptions(),  # noqa: B008 - frozen
    handed_in: HandedIn | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> FolderImage:
    """Build, check and put in place; `out` is replaced only by a finished, checked image.

    Args:
        out: Not inside `folder`. A set of images gets "-1of3" and so on before its suffix.
        volume_id: 1 to 11 characters A-Z 0-9 _.
        handed_in: Reports that become objects of the one study that the folder holds.
        progress: Called with done and total, first of files, then of bytes.
    Raises:
        InvalidValueError: `folder` is none, `out` lies in it, is there and no regular file, or its
            folder is not there.
        WrongPatientError: Objects of two patients.
        CheckFailedError: Our check finds errors on the image.
        SetOversizedError: It is larger than the capacity, and may not or cannot be spanned.
        SpoolFullError: The disk is full.
        ComposeError: No objects, or they cannot be built into an image.
    """
    if not folder.is_dir():
        raise InvalidValueError("the folder to build from is not there")
    if out.resolve().is_relative_to(folder.resolve()):
        raise InvalidValueError("the image may not lie in the folder that it is made of")
    if not out.parent.is_dir():
        raise InvalidValueError(f"there is no folder {out.parent} to put the image into")
    if out.exists() and not out.is_file():
        raise InvalidValueError(f"{out} is not a regular file and is not replaced")
    with (
        kiosk_errors(),
        tempfile.TemporaryDirectory(prefix=".sendhome-", dir=out.parent) as work,
    ):
        found = _Scan(Path(work), progress).run(folder)
        plan = Plan(
            volume_id=volume_id,
            file_set_uid=f"2.25.{uuid.uuid4().int}",  # PS3.5 B.2
            site=site,
            work=Path(work),
            left_out=tuple(
                LeftOut(it.sop_instance_uid, it.sop_class_uid, it.reason) for it in found.left_out
            ),
        )
        extra, reports = report_objects(handed_in or HandedIn(), found.objects, Path(work))
        made = make_set(
            [*found.objects, *extra], plan, out, options, created_at=created_at, progress=progress
        )
    first, *more = made.images
    return FolderImage(
        image=first,
        file_set_uid=made.file_set_uids[0],
        instances=made.instances,
        left_out=(*found.left_out, *found.named(made.left_out[len(found.left_out) :])),
        ignored=found.ignored,
        supplied=made.supplied,
        more=tuple(more),
        contents=made.contents,
        reports=tuple(reports),
    )


class _Scan:
    """Looks at every file once."""

    def __init__(self, work: Path, progress: Callable[[int, int], None]) -> None:
        self.objects: list[ObjectFile] = []
        self.left_out: list[LeftOutFile] = []
        self.ignored = 0
        self._work = work
        self._progress = progress
        self._hashes: dict[str, str] = {}
        self._paths: dict[str, str] = {}
        self._gates: list[StudyGate] = []  # one a patient
        self._first_other: WrongPatientError | None = None

    def run(self, folder: Path) -> _Scan:
        paths = list(_files(folder))
        for number, path in enumerate(paths, 1):
            self._look(path, os.fspath(path.relative_to(folder)))
            self._progress(number, len(paths))
        if self._first_other is not None:
            count = len(self._gates)
            many = f"{_MAX_COUNTED} or more" if count == _MAX_COUNTED else str(count)
            raise WrongPatientError(
                f"the folder holds objects of {many} different patients, and one folder must hold "
                f"one patient ({self._first_other})"
            ) from self._first_other
        if not self.objects and self.left_out:
            reasons = ", ".join(sorted({it.reason for it in self.left_out}))
            raise ComposeError(f"no DICOM file is usable, {len(self.left_out)} are not: {reasons}")
        if not self.objects:
            raise ComposeError("the folder holds no DICOM object that can be put on a medium")
        return self

    def named(self, left_out: Iterable[LeftOut]) -> list[LeftOutFile]:
        """What the conversion left out, with the files."""
        return [
            LeftOutFile(
                self._paths[it.sop_instance_uid], it.sop_instance_uid, it.sop_class_uid, it.reason
            )
            for it in left_out
        ]

    def _look(self, path: Path, name: str) -> None:
        if not _is_dicom(path):
            if _is_bare_data_set(path):
                self.left_out.append(LeftOutFile(name, "", "", _NO_HEADER))
            else:
                self.ignored += 1
            return
        try:
            if is_deflated(path):
                inflated = self._work / f"inflated-{len(self.objects):08d}"
                instance = inflate(path, inflated)
                path = inflated
            else:
                instance = read_instance(path)
        except DicomdirError as error:
            sop_class_uid, sop_instance_uid = _meta_uids(path)
            if sop_class_uid == DIRECTORY_SOP_CLASS:  # has no Study, so it reads as no object
                self.ignored += 1
            else:
                self.left_out.append(LeftOutFile(name, sop_instance_uid, sop_class_uid, error.code))
            return
        if instance.fault == "meta.mismatch":  # new meta information is written anyway
            instance = replace(instance, fault="")
        if instance.sop_class_uid == DIRECTORY_SOP_CLASS or self._is_repeated(path, instance):
            self.ignored += 1
        elif instance.fault:
            self.left_out.append(
                LeftOutFile(name, instance.sop_instance_uid, instance.sop_class_uid, instance.fault)
            )
        else:
            self._check_patient(instance)
            self._paths[instance.sop_instance_uid] = name
            self.objects.append(ObjectFile(os.fspath(path), instance, is_foreign=True))

    def _is_repeated(self, path: Path, instance: Instance) -> bool:
        """The same object twice is one; two of one UID are for a person to look at."""
        with path.open("rb") as file:
            file.seek(instance.data_offset)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        known = self._hashes.get(instance.sop_instance_uid)
        self._hashes[instance.sop_instance_uid] = digest
        if known is not None and known != digest:
            raise ComposeError(f"two different objects are called {instance.sop_instance_uid}")
        return known is not None

    def _check_patient(self, instance: Instance) -> None:
        """Who else is in the folder is counted to its end, so that one look tells all.

        Objects without a Patient ID are left to the File-set's own rule (PDI-82, PDI-85).
        """
        try:
            seen = identity_of(instance)
        except InstanceError as error:
            raise ComposeError(f"{instance.sop_instance_uid}: {error.code}") from error
        if not self._gates:
            if seen.patient_id:
                self._gates.append(StudyGate(seen, ()))
            return
        for gate in self._gates:
            try:
                gate.check_patient(seen, instance.sop_instance_uid)
            except WrongPatientError as error:
                self._first_other = self._first_other or error
            else:
                return
        if len(self._gates) < _MAX_COUNTED:
            self._gates.append(StudyGate(seen, ()))


def _files(folder: Path) -> Iterator[Path]:
    """Regular files in order of their names; symbolic links are not followed."""
    pending = [(folder, 0)]
    while pending:
        inside, depth = pending.pop()
        if depth > _MAX_DEPTH:
            raise ComposeError("folders are nested too deep")
        with os.scandir(inside) as entries:
            listed = sorted(entries, key=lambda it: it.name)
        for entry in listed:
            if entry.is_file(follow_symlinks=False):
                yield Path(entry.path)
        pending.extend(
            (Path(entry.path), depth + 1)
            for entry in reversed(listed)
            if entry.is_dir(follow_symlinks=False)
        )


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == _MAGIC


def _is_bare_data_set(path: Path) -> bool:
    """Begins like a data set, or like meta information, without preamble and prefix.

    A guess from eight bytes, good enough to name the file: nothing is read from it.
    """
    with path.open("rb") as file:
        head = file.read(8)
        size = os.fstat(file.fileno()).st_size
    if len(head) < 8:
        return False
    has_vr = head[4:6].decode("latin-1") in SHORT_VRS | LONG_VRS
    if head[:4] == b"\x02\0\0\0":
        return head[4:6] == b"UL"
    for order in ("little", "big"):
        group, number = (int.from_bytes(head[at : at + 2], order) for at in (0, 2))
        if group == 8 and number in _FIRST_ELEMENTS:
            length = int.from_bytes(head[4:8], "little")
            return has_vr or (order == "little" and length % 2 == 0 and length <= min(size, 1024))
    return False


def _meta_uids(path: Path) -> tuple[str, str]:
    """SOP Class and Instance UID as the meta information says, "" where it cannot be read."""
    with path.open("rb") as file:
        head, size = file.read(_HEAD_BYTES), os.fstat(file.fileno()).st_size
        source = Source(lambda at, count: os.pread(file.fileno(), count, at), size, head)
        try:
            meta, _ = read_meta(source)
            return uid_text(meta.get(MEDIA_SOP_CLASS)), uid_text(meta.get(MEDIA_SOP_INSTANCE))
        except InstanceError:
            return "", ""  # the file is named by its path and its first error
