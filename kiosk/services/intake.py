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
from enum import Enum
from typing import Final, TypeVar

from kiosk.domain.facts import (
    MAX_POSTCODE,
    MAX_VISIT_NUMBER,
    PHONE_DIGITS,
    DeskReason,
    SecondFacts,
    folded_postcode,
)
from kiosk.domain.identity import parse_birth_date
from kiosk.domain.model import (
    AccessionNumber,
    Order,
    OrderId,
    PatientIdentity,
    ReleaseState,
    Uid,
)
from kiosk.domain.waiver import WaiverReason
from kiosk.errors import InvalidValueError, StudyNotFoundError
from kiosk.ports import ListedStudy, Pacs
from kiosk.services.gates import gate_accession_number, gate_listed

_Code = TypeVar("_Code", bound=Enum)
MAX_DOCUMENT_BYTES: Final = 64 * 1024
_MODALITY: Final = re.compile(r"[A-Z0-9_]{1,16}")  # CS, PS3.5 6.2
_NOT_IMAGES: Final = frozenset(("SR", "KO", "PR", "DOC"))  # go along; name no exam
MAX_LO: Final = 64  # characters of an LO, and of a PN component group (PS3.5 6.2)
FIELDS: Final = {
    "accession_number": "AccessionNumber, wanted",
    "patient_id": "Patient ID; with patient_name and birth_date, or none of the three",
    "issuer": "Issuer of Patient ID",
    "patient_name": "FAMILY^GIVEN^MIDDLE^PREFIX^SUFFIX",
    "birth_date": "YYYY-MM-DD or YYYYMMDD",
    "study_instance_uid": "Study Instance UID; without it the archive is asked by accession number",
    "modality": "such as CT; without it the archive's, if it is asked for patient or study",
    "study_date": "YYYY-MM-DD or YYYYMMDD; without it as modality",
    "with_report": "true or false: a final report is known to be there (the study is always whole)",
    "held": "true: not released yet",
    "visit_number": "of the visit, as its barcode reads: 3 to 32 characters",
    "phone_digits": "the last four digits of the patient's phone, no more",
    "postcode": "of the patient's address: 2 to 10 letters and digits",
    "send_home": "true: images are to be sent home today; wristband and card open nothing else",
    "desk_only": "the kiosk never hands it out: one of "
    + ", ".join(reason.value for reason in DeskReason),
    "waiver": "its next copy costs the visitor nothing: one of "
    + ", ".join(reason.value for reason in WaiverReason),
}


def read_order(data: bytes, now: datetime, pacs: Callable[[], Pacs]) -> Order:
    """An Order out of a JSON object; what is missing is asked of the archive.

    Args:
        data: At most `MAX_DOCUMENT_BYTES`; fields as in `FIELDS`.
        now: When it came, aware.
        pacs: Called only if the archive is needed.
    Raises:
        InvalidValueError: Names the field, not its value; a field stands there twice.
        StudyNotFoundError: The archive has no study, or more than one, of this accession number.
        WrongPatientError: The archive says it is somebody else's, or of another accession number.
    """
    fields = _fields(data)
    accession = AccessionNumber(_wanted(fields, "accession_number", 16))
    patient = _patient(fields)
    study_uid = _text(fields, "study_instance_uid", 64)
    modality = _text(fields, "modality", 16).upper()
    study_date = _date(fields, "study_date")
    if modality and not _MODALITY.fullmatch(modality):
        raise InvalidValueError("modality: a DICOM code such as CT is wanted")
    uid = str(Uid(study_uid)) if study_uid else ""
    facts = _facts(fields)
    desk_only = _one_of(fields, "desk_only", DeskReason)
    waiver = _one_of(fields, "waiver", WaiverReason)
    if not (patient and uid):
        archive = pacs()
        listed = archive.list_study(Uid(uid) if uid else only_study(archive, accession))
        uid = str(listed.study_instance_uid)
        gate_accession_number(accession, listed.accession_number, "listed study")
        if patient:
            gate_listed(patient, listed.patient)
        patient = patient or listed.patient
        modality = modality or _modality_of(listed)
        study_date = study_date or _study_date_of(listed)
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
        facts=facts,
        send_home=_flag(fields, "send_home"),
        desk_only=desk_only,
        waiver=waiver,
    )


def only_study(archive: Pacs, accession: AccessionNumber) -> Uid:
    """The one Study of this accession number.

    Raises:
        StudyNotFoundError: The archive has none, or more than one: nobody here may choose.
        ArchiveError: And its family.
    """
    found = archive.find_study_uids(accession)
    if len(found) != 1:
        raise StudyNotFoundError(f"the archive has {len(found)} studies of this accession number")
    return found[0]


def _modality_of(listed: ListedStudy) -> str:
    """Of the first images; "" if the archive tells none that can be used."""
    for instance in listed.instances:
        if _MODALITY.fullmatch(instance.modality) and instance.modality not in _NOT_IMAGES:
            return instance.modality
    return ""


def _study_date_of(listed: ListedStudy) -> str:
    """YYYYMMDD of a real day; "" if the archive tells none that can be used."""
    if not re.fullmatch(r"[0-9]{8}", listed.study_date):
        return ""
    return listed.study_date if parse_birth_date(listed.study_date, "YMD") else ""


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Of two fields of one name, readers choose differently: whose order would it be?"""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidValueError("the order has a field twice")
    return fields


def _fields(data: bytes) -> Mapping[str, object]:
    if len(data) > MAX_DOCUMENT_BYTES:
        raise InvalidValueError(f"the order is larger than {MAX_DOCUMENT_BYTES} bytes")
    try:
        fields = json.loads(data, object_pairs_hook=_object)
    except InvalidValueError:  # a ValueError too, but of our own
        raise
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


def _wanted(fields: Mapping[str, object], key: str, longest: int) -> str:
    text = _text(fields, key, longest)
    if not text:
        raise InvalidValueError(f"{key} is missing")
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


def _facts(fields: Mapping[str, object]) -> SecondFacts:
    """Each where it may be none; `SecondFacts` names the one that has not its form."""
    postcode = _text(fields, "postcode", MAX_POSTCODE + 2)  # with a space and a hyphen
    return SecondFacts(
        visit_number=_text(fields, "visit_number", MAX_VISIT_NUMBER),
        phone_digits=_text(fields, "phone_digits", PHONE_DIGITS),
        postcode=folded_postcode(postcode) or postcode,
    )


def _one_of(fields: Mapping[str, object], key: str, codes: type[_Code]) -> _Code | None:
    text = _text(fields, key, MAX_LO)
    try:
        return codes(text) if text else None
    except ValueError:
        known = ", ".join(code.value for code in codes)
        raise InvalidValueError(f"{key}: one of {known} is wanted") from None


def _patient(fields: Mapping[str, object]) -> PatientIdentity | None:
    """All three of ID, name and birth date, or none of them."""
    patient_id = _text(fields, "patient_id", MAX_LO)
    name = _text(fields, "patient_name", 3 * MAX_LO + 2)
    birth_date = _date(fields, "birth_date")
    issuer = _text(fields, "issuer", MAX_LO)
    given = {"patient_id": patient_id, "patient_name": name, "birth_date": birth_date}
    if not any(given.values()):
        return None
    if missing := [key for key, value in given.items() if not value]:
        verb = "is" if len(missing) == 1 else "are"
        raise InvalidValueError(
            "patient_id, patient_name and birth_date go together: "
            f"{' and '.join(missing)} {verb} missing"
        )
    if "\\" in patient_id + name + issuer:
        raise InvalidValueError("patient_id, patient_name, issuer: no backslash")
    return PatientIdentity(patient_id, issuer, name, birth_date)
