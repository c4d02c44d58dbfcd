"""Orders in: from a JSON document that staff or another system hands over, checked field by field.

HL7 has its own way in; both end in the same `Order`.
"""

from __future__ import annotations

import json
import re
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from kiosk.domain.identity import parse_birth_date
from kiosk.domain.model import (
    AccessionNumber,
    Order,
    OrderId,
    PatientIdentity,
    ReleaseState,
    Uid,
)
from kiosk.errors import InvalidValueError, StudyNotFoundError
from kiosk.ports import ListedStudy, Pacs
from kiosk.services.gates import gate_listed

MAX_DOCUMENT_BYTES: Final = 64 * 1024
MAX_LO: Final = 64  # characters of an LO, and of a PN component group (PS3.5 6.2)
FIELDS: Final = {
    "accession_number": "AccessionNumber, wanted",
    "patient_id": "Patient ID; with patient_name and birth_date, or none of the three",
    "issuer": "Issuer of Patient ID",
    "patient_name": "FAMILY^GIVEN^MIDDLE^PREFIX^SUFFIX",
    "birth_date": "YYYY-MM-DD or YYYYMMDD",
    "study_instance_uid": "Study Instance UID; without it the archive is asked by accession number",
    "modality": "such as CT; without it the archive's",
    "study_date": "YYYY-MM-DD or YYYYMMDD",
    "with_report": "true or false",
    "held": "true: not released yet",
}


def read_order(data: bytes, now: datetime, pacs: Callable[[], Pacs]) -> Order:
    """An Order out of a JSON object; what is missing is asked of the archive.

    Args:
        data: At most `MAX_DOCUMENT_BYTES`; fields as in `FIELDS`.
        now: When it came, aware.
        pacs: Called only if the archive is needed.
    Raises:
        InvalidValueError: Names the field, not its value.
        StudyNotFoundError: The archive has no study, or more than one, of this accession number.
        WrongPatientError: The archive says it is somebody else's.
    """
    fields = _fields(data)
    accession = AccessionNumber(_text(fields, "accession_number", 16))
    patient = _patient(fields)
    study_uid = _text(fields, "study_instance_uid", 64)
    modality = _text(fields, "modality", 16).upper()
    study_date = _date(fields, "study_date")
    if modality and not re.fullmatch(r"[A-Z0-9_]{1,16}", modality):
        raise InvalidValueError("modality: a DICOM code such as CT is wanted")
    uid = str(Uid(study_uid)) if study_uid else ""
    if not (patient and uid):
        archive = pacs()
        listed = archive.list_study(Uid(uid)) if uid else _study_of(archive, accession)
        uid = str(listed.study_instance_uid)
        if patient:
            gate_listed(patient, listed.patient)
        patient = patient or listed.patient
    return Order(
        order_id=OrderId(f"order-{secrets.token_hex(6)}"),
        patient=patient,
        accession_number=accession,
        study_instance_uid=uid,
        modality=modality,
        study_date=study_date,
        state=ReleaseState.HELD if _flag(fields, "held") else ReleaseState.RELEASED,
        with_report=_flag(fields, "with_report"),
        created_at=now,
    )


def _study_of(archive: Pacs, accession: AccessionNumber) -> ListedStudy:
    found = archive.find_study_uids(accession)
    if len(found) != 1:
        raise StudyNotFoundError(f"the archive has {len(found)} studies of this accession number")
    return archive.list_study(found[0])


def _fields(data: bytes) -> Mapping[str, object]:
    if len(data) > MAX_DOCUMENT_BYTES:
        raise InvalidValueError(f"the order is larger than {MAX_DOCUMENT_BYTES} bytes")
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError):
        raise InvalidValueError("the order is not JSON in UTF-8") from None
    if not isinstance(fields, dict):
        raise InvalidValueError("the order is not a JSON object")
    for key in fields:
        if key not in FIELDS:
            raise InvalidValueError(f"unknown field; known are {', '.join(FIELDS)}")
    return fields


def _text(fields: Mapping[str, object], key: str, longest: int) -> str:
    value = fields.get(key, "")
    if not isinstance(value, str):
        raise InvalidValueError(f"{key}: a string is wanted")
    text = value.strip()
    if len(text) > longest or any(unicodedata.category(c).startswith("C") for c in text):
        raise InvalidValueError(f"{key}: at most {longest} characters and no control characters")
    return text


def _flag(fields: Mapping[str, object], key: str) -> bool:
    value = fields.get(key, False)
    if not isinstance(value, bool):
        raise InvalidValueError(f"{key}: true or false is wanted")
    return value


def _date(fields: Mapping[str, object], key: str) -> str:
    """YYYYMMDD of a real day, or ""."""
    text = _text(fields, key, 10)
    if not text:
        return ""
    day = parse_birth_date(text, "YMD")
    if day is None:
        raise InvalidValueError(f"{key}: YYYY-MM-DD is wanted")
    return day.strftime("%Y%m%d")


def _patient(fields: Mapping[str, object]) -> PatientIdentity | None:
    """All three of ID, name and birth date, or none of them."""
    patient_id = _text(fields, "patient_id", MAX_LO)
    name = _text(fields, "patient_name", 3 * MAX_LO + 2)
    birth_date = _date(fields, "birth_date")
    issuer = _text(fields, "issuer", MAX_LO)
    given = [bool(patient_id), bool(name), bool(birth_date)]
    if not any(given):
        return None
    if not all(given):
        raise InvalidValueError("patient_id, patient_name and birth_date go together")
    if "\\" in patient_id + name + issuer:
        raise InvalidValueError("patient_id, patient_name, issuer: no backslash")
    return PatientIdentity(patient_id, issuer, name, birth_date)
