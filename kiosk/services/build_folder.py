"""A folder of DICOM files made into an image, without order, archive or engine (`sendhome build`).

The files may be anybody's: preambles and meta information are replaced, deflated ones inflated,
what is no DICOM file is counted and left. One patient only: the first object says who it is, and
one object of somebody else refuses all.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from dicomdir.build import ObjectFile, Plan, build_volume
from dicomdir.check.image import check_image
from dicomdir.errors import InstanceError
from dicomdir.fileset import DIRECTORY_SOP_CLASS
from dicomdir.findings import Severity
from dicomdir.instance import Instance, read_instance
from dicomdir.iso import IsoImage, author
from dicomdir.readme import Site
from dicomdir.summary import LeftOut
from dicomdir.transcode import inflate, is_deflated
from kiosk.builder.work import kiosk_errors, named_rules, sync
from kiosk.errors import CheckFailedError, ComposeError, InvalidValueError
from kiosk.services.gates import StudyGate, identity_of

_MAGIC: Final = b"DICM"
_MAX_DEPTH: Final = 32


@dataclass(frozen=True, slots=True)
class FolderImage:
    """What `build_folder` made.

    Attributes:
        left_out: Objects that could not go onto the medium, and why.
        ignored: Files that are no DICOM objects, and DICOMDIRs.
        supplied: Values that the DICOMDIR has and the objects lack.
    """

    image: IsoImage
    file_set_uid: str
    instances: int
    left_out: tuple[LeftOut, ...]
    ignored: int
    supplied: int


def build_folder(
    folder: Path,
    out: Path,
    site: Site,
    *,
    volume_id: str,
    created_at: datetime,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> FolderImage:
    """Build, check and put in place; `out` is replaced only by a finished, checked image.

    Args:
        out: Not inside `folder`.
        volume_id: 1 to 11 characters A-Z 0-9 _.
        progress: Called with done and total, first of files, then of bytes.
    Raises:
        InvalidValueError: `folder` is none, or `out` lies in it.
        WrongPatientError: Objects of two patients.
        CheckFailedError: Our check finds errors on the image.
        SpoolFullError: The disk is full.
        ComposeError: No objects, or they cannot be built into an image.
    """
    if not folder.is_dir():
        raise InvalidValueError("the folder to build from is not there")
    if out.resolve().is_relative_to(folder.resolve()):
        raise InvalidValueError("the image may not lie in the folder that it is made of")
    part = out.with_name(f"{out.name}.part")
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
            left_out=tuple(found.left_out),
        )
        built = build_volume(lambda: found.objects, plan)
        try:
            image = author(built.volume, part, created_at=created_at, progress=progress)
            broken = [it for it in check_image(part) if it.severity is Severity.ERROR]
            if broken:
                raise CheckFailedError(named_rules(broken))
            part.rename(out)
        finally:
            part.unlink(missing_ok=True)
        sync(out.parent)
    return FolderImage(
        image=replace(image, path=out),
        file_set_uid=plan.file_set_uid,
        instances=built.instances,
        left_out=built.left_out,
        ignored=found.ignored,
        supplied=built.supplied,
    )


class _Scan:
    """Looks at every file once."""

    def __init__(self, work: Path, progress: Callable[[int, int], None]) -> None:
        self.objects: list[ObjectFile] = []
        self.left_out: list[LeftOut] = []
        self.ignored = 0
        self._work = work
        self._progress = progress
        self._hashes: dict[str, str] = {}
        self._gate: StudyGate | None = None

    def run(self, folder: Path) -> _Scan:
        paths = list(_files(folder))
        for number, path in enumerate(paths, 1):
            self._look(path)
            self._progress(number, len(paths))
        if not self.objects:
            raise ComposeError("the folder holds no DICOM object that can be put on a medium")
        return self

    def _look(self, path: Path) -> None:
        try:
            if not _is_dicom(path):
                self.ignored += 1
                return
            if is_deflated(path):
                inflated = self._work / f"inflated-{len(self.objects):08d}"
                path, instance = inflated, inflate(path, inflated)
            else:
                instance = read_instance(path)
        except InstanceError:
            # No SOP Instance that could be named: a DICOMDIR, or damaged beyond reading.
            self.ignored += 1
            return
        if instance.fault == "meta.mismatch":  # new meta information is written anyway
            instance = replace(instance, fault="")
        if instance.sop_class_uid == DIRECTORY_SOP_CLASS or self._is_repeated(path, instance):
            self.ignored += 1
        elif instance.fault:
            self.left_out.append(
                LeftOut(instance.sop_instance_uid, instance.sop_class_uid, instance.fault)
            )
        else:
            self._check_patient(instance)
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
        """Objects without a Patient ID are left to the File-set's own rule (PDI-82, PDI-85)."""
        try:
            seen = identity_of(instance)
        except InstanceError as error:
            raise ComposeError(f"{instance.sop_instance_uid}: {error.code}") from error
        if self._gate is None and seen.patient_id:
            self._gate = StudyGate(seen, ())
        if self._gate is not None:
            self._gate.check_patient(seen, instance.sop_instance_uid)


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
