"""What a medium says of itself, for its label: read from the image's own DICOMDIR (PDI-98)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from dicomdir.directory import MAX_DIRECTORY_BYTES, Directory, read_directory
from dicomdir.errors import DicomdirError
from dicomdir.iso_reader import BLOCK_BYTES, IsoReader, open_image
from dicomdir.pdi import DICOMDIR, INDEX
from dicomdir.profile import PATIENT, SERIES, STUDY
from kiosk.domain.identity import parse_birth_date
from kiosk.domain.label import LabelledStudy
from kiosk.domain.model import Medium, Order, PatientIdentity
from kiosk.errors import LabelMismatchError, WrongPatientError
from kiosk.services.gates import StudyGate, identity_of_record

_STUDY_DATE: Final = 0x00080020
_MODALITY: Final = 0x00080060
_LARGEST_CD_BYTES: Final = 900 << 20  # overburnt; what is larger is a DVD


@dataclass(frozen=True, slots=True)
class MediumFacts:
    """Of one image.

    Attributes:
        patient: As its PATIENT record has it; None if the DICOMDIR is sealed.
    """

    serial: str
    patient: PatientIdentity | None
    studies: tuple[LabelledStudy, ...]
    has_pages: bool
    profile: str


def profile_name(medium: Medium, size_bytes: int, *, is_encrypted: bool) -> str:
    """The application profile that a medium of ours claims (PS3.11): it holds no other compression
    than the first of its kind allows.
    """
    middle = "SEC-" if is_encrypted else ""
    if medium is not Medium.DISC:
        return f"STD-GEN-{middle}USB-JPEG"
    return f"STD-GEN-{middle}{'CD' if size_bytes <= _LARGEST_CD_BYTES else 'DVD-JPEG'}"


def find_image(folder: Path, serial: str) -> Path | None:
    """The image of that volume identifier in a job's spool folder; "" for the first there is."""
    for path in sorted(folder.glob("image*.iso")) if folder.is_dir() else ():
        try:
            with open_image(path) as reader:
                if serial in ("", serial_of(reader)):
                    return path
        except (DicomdirError, OSError):
            continue  # not whole yet, or gone meanwhile
    return None


def read_serial(path: Path) -> str:
    """Raises LabelMismatchError: it is no image."""
    try:
        with open_image(path) as reader:
            return serial_of(reader)
    except (DicomdirError, OSError) as error:
        raise LabelMismatchError("the image does not say what it is called") from error


def day_of(text: str) -> date | None:
    """A DICOM date, None if it is none."""
    return parse_birth_date(text, "YMD")


def serial_of(reader: IsoReader) -> str:
    return reader.volume_id.decode("ascii", "replace").strip()


def read_facts(
    path: Path, medium: Medium, *, is_encrypted: bool, order: Order | None = None
) -> MediumFacts:
    """What an image says.

    Args:
        order: Whose it must be.
    Raises:
        LabelMismatchError: It cannot be read, its names for itself differ, or it is not the order's
            patient's and study.
    """
    try:
        with open_image(path) as reader:
            return _facts(reader, medium, is_encrypted, order)
    except WrongPatientError as error:
        raise LabelMismatchError("the medium is not of its order") from error
    except (DicomdirError, OSError) as error:
        raise LabelMismatchError("the image does not say what is on it") from error


def _facts(
    reader: IsoReader, medium: Medium, is_encrypted: bool, order: Order | None
) -> MediumFacts:
    size = reader.blocks * BLOCK_BYTES
    profile = profile_name(medium, size, is_encrypted=is_encrypted)
    serial = serial_of(reader)
    has_pages = reader.find(INDEX) is not None
    if is_encrypted:
        return MediumFacts(serial, None, (), has_pages, profile)
    found = reader.find(DICOMDIR)
    if found is None or found.size_bytes > MAX_DIRECTORY_BYTES:
        raise LabelMismatchError("the image has no DICOMDIR")
    directory = read_directory(reader.read(found, 0, found.size_bytes))
    if directory.file_set_id != serial:
        raise LabelMismatchError("File-set ID and volume identifier differ")
    if order is not None:
        studies, number = (order.study_instance_uid,), order.accession_number
        StudyGate(order.patient, studies, number).check_directory(directory)
    return MediumFacts(serial, _patient(directory), _studies(directory), has_pages, profile)


def _patient(directory: Directory) -> PatientIdentity:
    """Raises LabelMismatchError unless there is exactly one."""
    found = [identity_of_record(it) for it in directory.records if it.type == PATIENT]
    if len(found) != 1:
        raise LabelMismatchError("the DICOMDIR is not of one patient")
    return found[0]


def _studies(directory: Directory) -> tuple[LabelledStudy, ...]:
    """Raises LabelMismatchError: none."""
    kinds: dict[int, dict[str, None]] = {}
    days: dict[int, date | None] = {}
    for record, above in directory.walk():
        if record.type == STUDY:
            days[record.offset] = day_of(record.text(_STUDY_DATE))
            kinds[record.offset] = {}
        elif record.type == SERIES and above is not None and (code := record.text(_MODALITY)):
            kinds.setdefault(above.offset, {})[code] = None
    if not days:
        raise LabelMismatchError("the DICOMDIR names no study")
    return tuple(LabelledStudy(days[at], tuple(kinds[at])) for at in days)


def of_order(order: Order) -> tuple[LabelledStudy, ...]:
    """What the order alone says; of a sealed medium, or one whose image is gone."""
    kinds: Collection[str] = (order.modality,) if order.modality else ()
    return (LabelledStudy(day_of(order.study_date), tuple(kinds)),)
