"""Orders from outside: every field is checked, and no value of a patient stands in an error."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import NoReturn

import pytest

from kiosk.domain.model import AccessionNumber, PatientIdentity, ReleaseState, Uid
from kiosk.errors import (
    InvalidValueError,
    KioskError,
    StudyNotFoundError,
    WrongPatientError,
)
from kiosk.ports import ListedInstance, ListedStudy
from kiosk.services.intake import MAX_DOCUMENT_BYTES, read_order

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
PERSON = PatientIdentity("0042", "SITE", "MÜLLER^Anna", "19610303")
WHOLE = {
    "accession_number": "ACC-1",
    "patient_id": "0042",
    "issuer": "SITE",
    "patient_name": "MÜLLER^Anna",
    "birth_date": "1961-03-03",
    "study_instance_uid": "1.2.3",
    "modality": "ct",
    "study_date": "20260303",
    "with_report": True,
}


class OneStudyPacs:
    """Just the two questions that an order may lead to."""

    def __init__(self, uids: list[str], patient: PatientIdentity = PERSON) -> None:
        self.uids, self.patient = uids, patient

    def find_study_uids(self, accession_number: AccessionNumber) -> list[Uid]:
        assert accession_number == "ACC-1"
        return [Uid(uid) for uid in self.uids]

    def list_study(self, study_instance_uid: Uid) -> ListedStudy:
        listed = ListedInstance(Uid("1.2.3.4.5"), "1.2.840.10008.5.1.4.1.1.2", Uid("1.2.3.4"))
        return ListedStudy(study_instance_uid, "ACC-1", self.patient, [listed])


def no_pacs() -> NoReturn:
    pytest.fail("the archive must not be asked")


def test_a_whole_order_needs_no_archive():
    order = read_order(json.dumps(WHOLE).encode(), NOW, no_pacs)
    assert order.patient == PERSON
    assert (order.modality, order.study_date, order.with_report) == ("CT", "20260303", True)
    assert order.state is ReleaseState.RELEASED
    assert order.study_instance_uid == "1.2.3"
    assert order.created_at == NOW


def test_two_orders_have_two_ids():
    data = json.dumps(WHOLE).encode()
    assert read_order(data, NOW, no_pacs).order_id != read_order(data, NOW, no_pacs).order_id


def test_what_is_missing_comes_from_the_archive():
    pacs = OneStudyPacs(["1.2.3"])
    order = read_order(b'{"accession_number": "ACC-1", "held": true}', NOW, lambda: pacs)
    assert (order.patient, order.study_instance_uid) == (PERSON, "1.2.3")
    assert order.state is ReleaseState.HELD


@pytest.mark.parametrize("uids", [[], ["1.2.3", "1.2.4"]])
def test_no_study_or_two_are_refused(uids: list[str]):
    with pytest.raises(StudyNotFoundError):
        read_order(b'{"accession_number": "ACC-1"}', NOW, lambda: OneStudyPacs(uids))


def test_an_archive_that_says_another_patient_is_refused():
    fields = {k: v for k, v in WHOLE.items() if k != "study_instance_uid"}
    other = PatientIdentity("0043", "SITE", "MÜLLER^Anna", "19610303")
    with pytest.raises(WrongPatientError):
        read_order(json.dumps(fields).encode(), NOW, lambda: OneStudyPacs(["1.2.3"], other))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"accession_number": "*"}, "AccessionNumber"),
        ({"accession_number": ""}, "AccessionNumber"),
        ({"accession_number": 4711}, "accession_number"),
        ({"study_instance_uid": "1.2.*"}, "Uid"),
        ({"birth_date": "1961-02-30"}, "birth_date"),
        ({"birth_date": ""}, "go together"),
        ({"patient_name": "A\x1b[2J^B"}, "patient_name"),
        ({"patient_name": "A" * 400}, "patient_name"),
        ({"patient_id": "1\\2"}, "backslash"),
        ({"modality": "C T"}, "modality"),
        ({"held": "yes"}, "held"),
        ({"nickname": "x"}, "unknown field"),
    ],
)
def test_a_wrong_field_is_named_and_its_value_is_not(change: dict[str, object], named: str):
    with pytest.raises(InvalidValueError) as caught:
        read_order(json.dumps({**WHOLE, **change}).encode(), NOW, no_pacs)
    assert named in str(caught.value)
    assert "Anna" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b" " * (MAX_DOCUMENT_BYTES + 1), b'"text"'],
    ids=["empty", "list", "open", "not-utf8", "deep", "huge", "string"],
)
def test_what_is_not_an_object_is_refused(data: bytes):
    with pytest.raises(KioskError) as caught:
        read_order(data, NOW, no_pacs)
    assert isinstance(caught.value, InvalidValueError)
