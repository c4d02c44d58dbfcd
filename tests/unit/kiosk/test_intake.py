"""Orders from outside: every field is checked, and no value of a patient stands in an error."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NoReturn

import pytest

from kiosk.domain.facts import DeskReason, SecondFacts
from kiosk.domain.model import AccessionNumber, Order, PatientIdentity, ReleaseState, Uid
from kiosk.domain.waiver import WaiverReason
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

    def __init__(
        self,
        uids: list[str],
        patient: PatientIdentity = PERSON,
        *,
        accession_number: str = "ACC-1",
        modalities: Sequence[str] = ("SR", "MR", "CT"),
        study_date: str = "20260302",
    ) -> None:
        self.uids, self.patient, self.study_date = uids, patient, study_date
        self.accession_number, self.modalities = accession_number, modalities

    def find_study_uids(self, accession_number: AccessionNumber) -> list[Uid]:
        assert accession_number == "ACC-1"
        return [Uid(uid) for uid in self.uids]

    def list_study(self, study_instance_uid: Uid) -> ListedStudy:
        return ListedStudy(
            study_instance_uid,
            self.accession_number,
            self.patient,
            [
                ListedInstance(Uid(f"1.2.3.4.{number}"), Uid("1.2.3.4"), modality)
                for number, modality in enumerate(self.modalities)
            ],
            self.study_date,
        )


def no_pacs() -> NoReturn:
    pytest.fail("the archive must not be asked")


def test_a_whole_order_needs_no_archive():
    order = read_order(json.dumps(WHOLE).encode(), NOW, no_pacs)
    assert order.patient == PERSON
    assert (order.modality, order.study_date, order.with_report) == ("CT", "20260303", True)
    assert order.state is ReleaseState.RELEASED
    assert order.study_instance_uid == "1.2.3"
    assert order.created_at == NOW


def test_second_facts_and_marks():
    more = {
        "visit_number": " V-0001 ",
        "phone_digits": "0042",
        "postcode": "sw1a 1aa",
        "send_home": True,
        "desk_only": "representative",
        "waiver": "our_error",
    }
    order = read_order(json.dumps({**WHOLE, **more}).encode(), NOW, no_pacs)
    assert order.facts == SecondFacts("V-0001", "0042", "SW1A1AA")
    assert (order.send_home, order.desk_only) == (True, DeskReason.REPRESENTATIVE)
    assert order.waiver is WaiverReason.OUR_ERROR
    plain = read_order(json.dumps(WHOLE).encode(), NOW, no_pacs)
    assert (plain.facts, plain.send_home, plain.desk_only) == (SecondFacts(), False, None)
    whole = read_order(json.dumps({**WHOLE, "postcode": "12345-6789"}).encode(), NOW, no_pacs)
    assert whole.facts.postcode == "12345"


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
        ({"accession_number": "*"}, "an accession number"),
        ({"accession_number": ""}, "accession_number is missing"),
        ({"accession_number": 4711}, "accession_number"),
        ({"study_instance_uid": "1.2.*"}, "a DICOM UID"),
        ({"birth_date": "1961-02-30"}, "birth_date"),
        ({"birth_date": ""}, "go together"),
        ({"patient_name": "A\x1b[2J^B"}, "patient_name"),
        ({"patient_name": "A" * 400}, "patient_name"),
        ({"patient_id": "1\\2"}, "backslash"),
        ({"modality": "C T"}, "modality"),
        ({"held": "yes"}, "held"),
        ({"nickname": "x"}, "unknown field"),
        ({"visit_number": "V*Anna"}, "visit_number"),
        ({"visit_number": "V" * 33}, "visit_number"),
        ({"visit_number": 77}, "visit_number"),
        ({"phone_digits": "030-901820"}, "phone_digits"),
        ({"phone_digits": "12a4"}, "phone_digits"),
        ({"phone_digits": "١٢٣٤"}, "phone_digits"),
        ({"postcode": "Anna's Street"}, "postcode"),
        ({"postcode": "*"}, "postcode"),
        ({"postcode": "1" * 30}, "postcode"),
        ({"send_home": "today"}, "send_home"),
        ({"desk_only": True}, "desk_only"),
        ({"desk_only": "Anna"}, "desk_only"),
        ({"waiver": 1}, "waiver"),
        ({"waiver": "friend"}, "waiver"),
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


def of_study(pacs: OneStudyPacs, **more: str) -> Order:
    data = {"accession_number": "ACC-1", "study_instance_uid": "1.2.3", **more}
    return read_order(json.dumps(data).encode(), NOW, lambda: pacs)


def test_a_study_of_another_accession_number_is_refused():
    with pytest.raises(WrongPatientError) as caught:
        of_study(OneStudyPacs(["1.2.3"], accession_number="ACC-2"))
    assert "accession_number" in str(caught.value)
    assert "ACC" not in str(caught.value)


@pytest.mark.parametrize("listed", ["", " ", "ACC-1 "])
def test_an_archive_that_leaves_the_accession_number_out_is_believed(listed: str):
    assert of_study(OneStudyPacs([], accession_number=listed)).patient == PERSON


def test_kind_and_day_come_from_the_archive_unless_they_are_given():
    order = of_study(OneStudyPacs([]))
    assert (order.modality, order.study_date) == ("MR", "20260302")  # a report is no exam
    order = of_study(OneStudyPacs([]), modality="US", study_date="2026-03-01")
    assert (order.modality, order.study_date) == ("US", "20260301")


@pytest.mark.parametrize(
    "date", ["", "20260231", "2026-3-2", "20260302-", "\x1b[2J", "２０２６０３０２"]
)
def test_what_the_archive_says_is_checked_too(date: str):
    pacs = OneStudyPacs([], modalities=["", "\x1b[2J", "ct", "A" * 17, "KO"], study_date=date)
    order = of_study(pacs)
    assert (order.modality, order.study_date) == ("", "")


@pytest.mark.parametrize(
    "data",
    [
        b'{"accession_number": "ACC-1", "accession_number": "ACC-2"}',
        b'{"accession_number": "ACC-1", "held": true, "held": true}',
        b'{"accession_number": "ACC-1", "h\\u0065ld": true, "held": false}',
    ],
)
def test_a_field_that_stands_there_twice_is_refused(data: bytes):
    with pytest.raises(InvalidValueError, match="twice"):
        read_order(data, NOW, no_pacs)
