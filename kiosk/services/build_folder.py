"""A folder of DICOM files made into an image, without order, archive or engine (`sendhome build`).

The files may be anybody's: preambles and meta information are replaced, deflated ones inflated,
what is no DICOM file is counted and left. A DICOM file that cannot go onto the medium is never just
counted: it is named with its reason. One patient only: one object of somebody else refuses all.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dicomdir.build import ObjectFile, Plan
from dicomdir.disc_set import DiscContents
from dicomdir.encrypt.passwords import known_words, require_strong
from dicomdir.errors import NothingLeftError, WeakPasswordError
from dicomdir.iso import IsoImage
from dicomdir.readme import Site
from kiosk.builder.refusals import kiosk_errors
from kiosk.errors import InvalidValueError, SpoolFullError
from kiosk.services.build_set import SetOptions, make_set
from kiosk.services.folder_scan import FolderScan, IgnoredFile, LeftOutFile, nothing_usable
from kiosk.services.handed_in import HandedIn, MadeReport, report_objects


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
    ignored: tuple[IgnoredFile, ...]
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
            folder is not there; the password holds a name, date or number of the patient.
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
        _work_in(out.parent) as work,
    ):
        found = FolderScan(Path(work), progress).run(folder)
        _require_unguessable(options.password, found.objects)
        _require_room(found.objects, options, out.parent)
        missing = found.missing()
        plan = Plan(
            volume_id=volume_id,
            file_set_uid=f"2.25.{uuid.uuid4().int}",  # PS3.5 B.2
            site=site,
            work=Path(work),
            left_out=missing,
            known_id=found.known_id,
        )
        extra, reports = report_objects(handed_in or HandedIn(), found.objects, Path(work))
        try:
            made = make_set(
                [*found.objects, *extra], plan, out, options,
                created_at=created_at, progress=progress,
            )  # fmt: skip
        except NothingLeftError as error:
            converted = found.named(error.left_out[len(missing) :])
            raise nothing_usable([*found.left_out, *converted]) from error
    first, *more = made.images
    return FolderImage(
        image=first,
        file_set_uid=made.file_set_uids[0],
        instances=made.instances,
        left_out=(*found.left_out, *found.named(made.left_out[len(missing) :])),
        ignored=tuple(found.ignored),
        supplied=made.supplied,
        more=tuple(more),
        contents=made.contents,
        reports=tuple(reports),
    )


@contextlib.contextmanager
def _work_in(folder: Path) -> Iterator[str]:
    """A folder beside the image to be. Raises InvalidValueError: nothing can be written there."""
    try:
        work = tempfile.TemporaryDirectory(prefix=".sendhome-", dir=folder)
    except OSError as error:
        raise InvalidValueError(
            f"nothing can be written into {folder}: {error.strerror}"
        ) from error
    with work as name:
        yield name


def _require_unguessable(password: str, objects: Sequence[ObjectFile]) -> None:
    """Raises InvalidValueError: it holds what the finder of the medium may know of the patient."""
    if not password:
        return
    known: set[str] = set()
    for it in objects:
        known.update(known_words(it.instance))
    try:
        require_strong(password, known=sorted(known))
    except WeakPasswordError as error:
        raise InvalidValueError(str(error)) from error


def _require_room(objects: Sequence[ObjectFile], options: SetOptions, folder: Path) -> None:
    """Refuse before anything is written what cannot end well; less than this is never needed."""
    size = sum(Path(it.path).stat().st_size for it in objects)
    need = size * (1 + bool(options.password))  # a sealed image is made of a plain one
    free = shutil.disk_usage(folder).free
    if need > free:
        raise SpoolFullError(
            f"{folder} has {free >> 20} MB free, and this takes {need >> 20} MB or more"
        )
