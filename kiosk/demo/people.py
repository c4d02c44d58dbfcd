"""Whom one can be in the demo: invented people, each with one exam a few days before a given day.

All of it follows from the date, so the demo command can print whom to be before an image exists.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from kiosk.domain.model import AccessionNumber, PatientIdentity, Uid

ISSUER = "SENDHOME DEMO"  # (0010,0021) of every demo patient
UID_ROOT = "2.25."  # PS3.5 B.2: derived from a UUID, nobody needs to be asked


class Exam(Enum):
    """Which generator in `studies` makes the pictures."""

    CT_CHEST = "ct-chest"
    MR_HEAD = "mr-head"
    CR_CHEST = "cr-chest"
    CR_HAND = "cr-hand"
    US_HEART = "us-heart"
    MG_SCREENING = "mg-screening"


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One invented patient and the one study that waits in the demo archive.

    Attributes:
        sex: (0010,0040).
        character_set: (0008,0005) of every object, "\\" between values; the name needs it.
        study_date: YYYYMMDD, `study_time`: HHMMSS.
        description: (0008,1030), and `description_plain` what one tells the patient.
    """

    identity: PatientIdentity
    sex: str
    character_set: str
    exam: Exam
    accession_number: AccessionNumber
    study_instance_uid: Uid
    study_id: str
    modality: str
    study_date: str
    study_time: str
    description: str
    description_plain: str


def demo_uid(*parts: object) -> Uid:
    """The same UID for the same parts: 2.25 and a name-based UUID (version 5 bits, PS3.5 B.2)."""
    digest = bytearray(hashlib.sha256("|".join(map(str, parts)).encode()).digest()[:16])
    digest[6] = (digest[6] & 0x0F) | 0x50
    digest[8] = (digest[8] & 0x3F) | 0x80
    return Uid(f"{UID_ROOT}{int.from_bytes(digest, 'big')}")


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the table below; `days_ago` and `time` place the exam before the given day."""

    exam: Exam
    modality: str
    name: str
    character_set: str
    birth_date: str
    sex: str
    patient_id: str
    days_ago: int
    time: str
    description: str
    description_plain: str


_LATIN_1 = "ISO_IR 100"
_JAPANESE = "\\ISO 2022 IR 87"  # code extensions, PS3.5 H.3.1
_UTF_8 = "ISO_IR 192"

_CAST = (
    _Entry(
        Exam.CT_CHEST, "CT", "Carter^Helen", "", "19580312", "F", "100417", 1, "081500",
        "CT Chest", "CT of the chest, with the report",
    ),
    _Entry(
        Exam.CR_CHEST, "CR", "Schröder^Jörg^^Dr.", _LATIN_1, "19710604", "M", "100583", 1, "140210",
        "XR Chest 2 views", "X-ray of the chest, with the report",
    ),
    _Entry(
        Exam.MG_SCREENING, "MG", "O'Brien-Walsh^Aoife", "", "19691121", "F", "100642", 2, "101830",
        "MG Screening bilateral", "Mammogram, with the report",
    ),
    _Entry(
        Exam.US_HEART, "US", "Tanaka^Hanako=田中^花子=たなか^はなこ", _JAPANESE, "19840229", "F",
        "0100655", 1, "093340", "US Echocardiography", "Ultrasound of the heart, with the report",
    ),
    _Entry(
        Exam.MR_HEAD, "MR", "Dvořák^Tomáš", _UTF_8, "19901008", "M", "100701", 3, "171200",
        "MR Head", "MRI of the head, with the report",
    ),
    _Entry(
        Exam.CR_HAND, "CR", "Okafor^Ben", "", "20020930", "M", "100718", 1, "112045",
        "XR Hand right 2 views", "X-ray of the right hand, with the report",
    ),
)  # fmt: skip


def demo_people(today: date | None = None, *, seed: int = 1) -> list[DemoPerson]:
    """Everybody one can be, the same for the same day and seed.

    Args:
        today: The day the demo is given on; the local one if None.
        seed: Another seed is another archive: other UIDs and pictures.
    """
    day = today or date.today()  # noqa: DTZ011 - the wall calendar of the place is meant
    people = []
    for number, entry in enumerate(_CAST, 1):
        study_day = day - timedelta(days=entry.days_ago)
        people.append(
            DemoPerson(
                identity=PatientIdentity(entry.patient_id, ISSUER, entry.name, entry.birth_date),
                sex=entry.sex,
                character_set=entry.character_set,
                exam=entry.exam,
                accession_number=AccessionNumber(f"D{study_day:%y%m%d}-{number:02d}"),
                study_instance_uid=demo_uid("study", seed, day.isoformat(), entry.exam.value),
                study_id=f"{7000 + number}",
                modality=entry.modality,
                study_date=f"{study_day:%Y%m%d}",
                study_time=entry.time,
                description=entry.description,
                description_plain=entry.description_plain,
            )
        )
    return people
