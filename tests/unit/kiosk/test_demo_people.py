from datetime import date

from kiosk.demo.people import demo_people, demo_uid
from kiosk.domain.model import Uid

DAY = date(2026, 3, 2)


def test_is_the_same_for_the_same_day_and_seed_and_another_for_another() -> None:
    assert demo_people(DAY) == demo_people(DAY)
    uids = {p.study_instance_uid for p in demo_people(DAY)}
    assert not uids & {p.study_instance_uid for p in demo_people(DAY, seed=2)}
    assert not uids & {p.study_instance_uid for p in demo_people(date(2026, 3, 3))}


def test_exams_lie_in_the_days_before() -> None:
    for person in demo_people(DAY):
        assert "20260222" <= person.study_date < "20260302"
        assert person.accession_number.startswith("D" + person.study_date[2:])


def test_nobody_can_be_taken_for_another() -> None:
    people = demo_people(DAY)
    assert len(people) == 6
    for field in (
        [p.identity.patient_id for p in people],
        [p.accession_number for p in people],
        [p.study_instance_uid for p in people],
        [p.identity.birth_date for p in people],
    ):
        assert len(set(field)) == len(people)


def test_names_exercise_us() -> None:
    names = [p.identity.name for p in demo_people(DAY)]
    for wanted in ("ö", "-", "'", "=", "花子"):
        assert any(wanted in name for name in names), wanted
    for person in demo_people(DAY):
        codec = {"": "ascii", "ISO_IR 100": "latin-1", "ISO_IR 192": "utf-8"}
        if person.character_set in codec:
            person.identity.name.encode(codec[person.character_set])


def test_uids_are_valid_and_of_their_parts() -> None:
    assert Uid(demo_uid("a", 1)) == demo_uid("a", 1) != demo_uid("a", 2)
