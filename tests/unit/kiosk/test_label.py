"""What a label says: facts, names and how they become shorter, studies and their templates."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date

import pytest

from kiosk.domain.label import LabelledStudy, MediumLabel, Second, template_of
from kiosk.domain.label_names import clean, name_forms
from kiosk.domain.model import Medium
from kiosk.domain.paper import LANGUAGES
from kiosk.errors import InvalidValueError
from tests.labels import a_label, a_name, by_chance, said


def test_a_label_says_all_that_it_must():
    """PDI-95 to PDI-97, PDI-102."""
    text = said(a_label(2, number=2, count=3, is_encrypted=True))
    assert text.names[0][0] == "WHITFIELD, DOROTHY"
    assert [it[0] for it in text.identifiers] == ["Born November 30, 1944", "ID MRN-0042719"]
    assert text.made[0] == "Made March 4, 2026"
    assert text.institution == ("Riverside Imaging",)
    assert text.contents[0] == "DICOM plus web · IHE PDI / STD-GEN-CD"
    assert text.place == ("Disc 2 of 3",)
    assert text.protection[0] == (
        "Encrypted (Secure DICOM, AES-256). For the password ask 555-0100."
    )
    assert text.serial == "PDI_7K3QX2A"
    assert [it[0] for it in text.studies] == [
        "March 3, 2026: CT scan (CT), report",
        "November 26, 2025: MRI scan (MR)",
    ]


def test_what_is_not_so_is_not_said():
    text = said(a_label(has_pages=False))
    assert text.contents[0].startswith("DICOM only")
    assert text.protection == ("Not encrypted",)
    assert text.place == ()


def test_the_second_identifier_is_the_sites_choice_and_never_missing_if_there_is_one():
    def ids(label: MediumLabel, second: Second) -> list[str]:
        return [it[0].split()[0] for it in said(label, second=second).identifiers]

    label = a_label()
    assert ids(label, Second.BIRTH_DATE) == ["Born"]
    assert ids(label, Second.PATIENT_ID) == ["ID"]
    assert ids(label, Second.BOTH) == ["Born", "ID"]
    assert ids(replace(label, birth_date=None), Second.BIRTH_DATE) == ["ID"]
    assert ids(replace(label, patient_id=""), Second.PATIENT_ID) == ["Born"]


@pytest.mark.parametrize(("studies", "template"), [(0, 3), (3, 3), (4, 5), (6, 10), (14, 10)])
def test_templates(studies: int, template: int):
    assert template_of(studies) == template


def test_studies_are_newest_first_and_the_rest_is_counted():
    label = replace(
        a_label(),
        studies=(
            LabelledStudy(None, ("CT",)),
            LabelledStudy(date(2020, 1, 1), ("MR", "PR", "KO", "MR")),
            LabelledStudy(date(2024, 1, 1), ("CT", "MR", "US", "XA", "NM", "SR")),
        ),
    )
    text = said(label)
    assert [it[0] for it in text.studies] == [
        "January 1, 2024: CT, MR, US, XA, …, report",
        "January 1, 2020: MRI scan (MR)",
        "No date: CT scan (CT)",
    ]
    assert (text.more_than(1), text.more_than(3)) == ("and 2 more", "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text(language: str):
    """Also for a robot's own design; without marks that only we understand."""
    english = said(a_label(12, number=2, count=3, is_encrypted=True)).fields()
    fields = said(a_label(12, number=2, count=3, is_encrypted=True), language).fields()
    assert set(fields) == set(english)
    assert not any("\u2066" <= c <= "\u2069" for text in fields.values() for c in text)
    same = {name for name in fields if fields[name] == english[name]}
    if language != "en":
        assert same <= {"patient", "patient2", "institution", "phone", "serial", "identifier2"}


def test_a_label_is_the_same_after_json():
    chance = random.Random(7)
    for _ in range(200):
        label = by_chance(chance)
        assert MediumLabel.from_facts(label.to_facts()) == label
    with pytest.raises(InvalidValueError):
        MediumLabel.from_facts({**label.to_facts(), "studies": [["2026-13-01", []]]})
    with pytest.raises(InvalidValueError):
        MediumLabel.from_facts({"serial": "PDI_1"})


def test_a_label_shows_nobody_in_a_traceback():
    assert "WHITFIELD" not in repr(a_label())
    assert "0042719" not in repr(a_label())


@pytest.mark.parametrize("serial", ["", "pdi_1", "PDI 1", "X" * 17, "PDI_\u0661"])
def test_a_serial_number_is_a_volume_identifier(serial: str):
    with pytest.raises(InvalidValueError):
        replace(a_label(), serial=serial)


@pytest.mark.parametrize(("number", "count"), [(0, 1), (2, 1), (1, 1000)])
def test_disc_n_of_m(number: int, count: int):
    with pytest.raises(InvalidValueError):
        a_label(number=number, count=count)


def test_a_tag_is_a_sticks():
    assert said(a_label(medium=Medium.STICK, count=2)).place == ("Stick 1 of 2",)


# --- names


def test_names_become_shorter_by_rule():
    assert name_forms("GARCIA LOPEZ^MARIA DEL CARMEN^ISABEL^Dr^MD")[0][:6] == (
        "GARCIA LOPEZ, MARIA DEL CARMEN ISABEL MD",
        "GARCIA LOPEZ, MARIA DEL CARMEN I. MD",
        "GARCIA LOPEZ, MARIA DEL CARMEN",
        "GARCIA LOPEZ, MARIA D. C.",
        "GARCIA LOPEZ, MARIA",
        "GARCIA LOPE…, MARIA",
    )


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("Li^Xiaoming=李^小明", ["Li, Xiaoming", "李小明"]),
        ("Kim^Chulsoo=金^哲秀=김^철수", ["Kim, Chulsoo", "金哲秀"]),
        ("=山田^太郎=やまだ^たろう", ["山田太郎"]),
        ("الأنصاري^محمد", ["الأنصاري، محمد"]),
        ("CHER", ["CHER"]),
        ("^CHER", ["CHER"]),
        ("^^", []),
        ("", []),
    ],
)
def test_names_of_all_kinds(name: str, forms: list[str]):
    assert [it[0] for it in name_forms(name)] == forms


def test_a_shortened_name_keeps_its_letters_whole():
    """Seeded; an accent is never cut off its letter, and no form is longer than the one before."""
    chance = random.Random(20260304)
    for _ in range(500):
        name = a_name(chance)
        for forms in name_forms(name):
            assert all(forms), name
            assert len(forms) < 200
            for form in forms:
                assert "\u202e" not in form, name
                assert "\x00" not in form, name


def test_piles_of_accents_are_flattened():
    assert clean("Z" + "\u0301" * 60 + "algo\u202e\x00") == "\u0179\u0301\u0301algo"
    assert len(clean("x" * 5000)) == 200
