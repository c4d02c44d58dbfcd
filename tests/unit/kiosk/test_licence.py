"""Licences as scanners type them: whole, with substitutes, with nothing between, and hostile."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.domain.licence import (
    MAX_LICENCE_CHARACTERS,
    is_of,
    looks_like_licence,
    parse_licence,
)
from kiosk.domain.model import PatientIdentity
from tests.licences import MARIA, MICHAEL, SAMPLE, card


def patient(name: str, birth_date: str = "19610303") -> PatientIdentity:
    return PatientIdentity("P1", "", name, birth_date)


def test_the_sample_of_the_standard() -> None:
    assert parse_licence(SAMPLE) == MICHAEL
    assert MICHAEL.is_expired(date(2024, 12, 11))
    assert not MICHAEL.is_expired(date(2024, 12, 10))
    for text in (repr(MICHAEL), str(MICHAEL)):
        assert "SAMPLE" not in text
        assert "1986" not in text


def test_the_sample_with_its_control_characters_swallowed() -> None:
    swallowed = "".join(it for it in SAMPLE if it not in "\n\x1e\r")
    assert parse_licence(swallowed) == MICHAEL


@pytest.mark.parametrize(
    ("lf", "rs", "cr"),
    [
        ("|", "|", "|"),
        ("~", "^", "$"),
        ("\u240a", "\u241e", "\u240d"),
        ("<LF>", "<RS>", "<CR>"),
        ("^J", "^^", "^M"),
        ("\\x0a", "\\x1e", "\\x0d"),
        ("\r", "", "\r"),
        ("\n", "", ""),
        ("", "", ""),
    ],
)
def test_substitutes(lf: str, rs: str, cr: str) -> None:
    assert parse_licence(card(lf=lf, rs=rs, cr=cr)) == MARIA


@pytest.mark.parametrize("mark", ["A", "7", "-", "'", ",", " ", "."])
def test_a_substitute_that_may_be_part_of_a_name_is_not_believed(mark: str) -> None:
    assert parse_licence(card(lf=mark, rs=mark, cr=mark)) is None


def test_both_orders_of_dates_by_country_and_by_form() -> None:
    canada = [("DCG", "CAN"), ("DBB", "19610303"), ("DBA", "20301210")]
    assert parse_licence(card(*canada)) == MARIA
    assert parse_licence(card(*canada, ("DCG", "USA"))) == MARIA  # South Carolina's sample
    assert parse_licence(card(("DCG", "CAN"))) == MARIA
    assert parse_licence(card(("DCG", None))) == MARIA


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.dates(min_value=date(1850, 1, 1), max_value=date(2199, 12, 31)))
def test_no_day_reads_as_another_one(day: date) -> None:
    for form in ("%m%d%Y", "%Y%m%d"):
        for country in ("USA", "CAN"):
            found = parse_licence(card(("DBB", day.strftime(form)), ("DCG", country)))
            assert found is not None
            assert found.birth_date == day


@pytest.mark.parametrize(
    ("changes", "version"),
    [
        ([("DCS", None), ("DAC", None), ("DAA", "GARCIA,MARIA,LUISA")], "01"),
        ([("DAC", None), ("DCT", "MARIA LUISA")], "0300"),
        ([("DAC", None), ("DCT", "MARIA,LUISA")], "0200"),
        ([("DCZ", "kept by no standard"), ("ZVA", "own")], "1001"),
    ],
)
def test_earlier_versions_and_own_elements(
    changes: list[tuple[str, str | None]], version: str
) -> None:
    assert parse_licence(card(*changes, version=version)) == MARIA


def test_an_identity_card_is_as_good() -> None:
    assert parse_licence(card(kind="ID")) == MARIA


@pytest.mark.parametrize(
    "change",
    [
        ("DAQ", None), ("DCS", None), ("DAC", None), ("DBB", None), ("DBA", None),
        ("DCS", ""), ("DCS", "..."), ("DAC", "NONE"), ("DCS", "unavl"), ("DCS", "A" * 41),
        ("DBB", "02311961"), ("DBB", "00000000"), ("DBB", "0303196"), ("DBB", "٠٣٠٣١٩٦١"),
        ("DBA", "00000000"), ("DCS", "GAR^CIA"), ("DAC", "MAR=IA"), ("DCS", "GAR\\CIA"),
        ("DCS", "GARCIA\nDCSLOPEZ"), ("DCS", "GARCIA\nDBB03031962"),
    ],
)  # fmt: skip
def test_what_is_missing_or_stands_there_twice(change: tuple[str, str | None]) -> None:
    assert parse_licence(card(change)) is None


@pytest.mark.parametrize("family", ["LINDAHL", "WOOD", "DADSON", "SANDDB", "DCUDAH"])
def test_names_that_hold_an_elements_name_need_separators(family: str) -> None:
    whole = card(("DCS", family))
    assert parse_licence(whole) == replace(MARIA, family=family)
    assert parse_licence(card(("DCS", family), lf="", rs="", cr="")) is None


def test_without_separators_the_length_must_agree() -> None:
    bare = card(lf="", rs="", cr="")
    at = bare.index("DL0031") + 6
    for change in (-1, 1, 4):
        length = int(bare[at : at + 4]) + change
        assert parse_licence(f"{bare[:at]}{length:04}{bare[at + 4 :]}") is None


@pytest.mark.parametrize(
    "text",
    [
        "", "@", "ANSI 636000100101DL00310099DLDAQ1", "@ANSI ", "@ANSI 636000100100DL00000000",
        "@" + "\n" * 64 + "ANSI 636000100101DL00310099DL", "\x1b[2J" + SAMPLE, SAMPLE.lower(),
        SAMPLE + "A" * MAX_LICENCE_CHARACTERS, "@ANSI " * 300, SAMPLE.replace("ZV0319", "!!0319"),
    ],
)  # fmt: skip
def test_hostile_texts(text: str) -> None:
    assert parse_licence(text) is None


def test_what_means_to_be_a_licence_is_known_as_such() -> None:
    assert looks_like_licence(SAMPLE)
    assert looks_like_licence(SAMPLE[:30])
    assert not looks_like_licence("A00001")


@settings(max_examples=500, derandomize=True, deadline=None)
@given(st.text(max_size=300), st.text(max_size=20))
def test_no_text_breaks_the_parser(body: str, lead: str) -> None:
    for text in (body, f"@{lead}ANSI 636000100101DL00310099DL{body}"):
        found = parse_licence(text)
        assert found is None or found.family


def test_one_damaged_character_changes_one_fact_at_most() -> None:
    """Wherever it is, so a card never becomes that of another name and birth date."""
    draw = random.Random(11)
    for text in (card(), card(lf="", rs="", cr="")):
        for _ in range(1000):
            at = draw.randrange(len(text))
            damaged = (
                text[:at] + text[at + 1 :]
                if draw.random() < 0.5
                else text[:at] + chr(draw.randrange(32, 127)) + text[at:]
            )
            found = parse_licence(damaged)
            if found is None:
                continue
            changed = [
                found.family != MARIA.family,
                found.given != MARIA.given,
                found.birth_date != MARIA.birth_date,
            ]
            assert sum(changed) <= 1, damaged


@pytest.mark.parametrize(
    ("name", "is_his"),
    [
        ("GARCIA^MARIA", True),
        ("García^María Luisa^^Dr.", True),
        ("garcia^m", True),  # an initial, as everywhere
        ("GARCIA^", True),
        ("GARCIA LOPEZ^MARIA", False),
        ("GARCIA^CARMEN", False),
        ("", False),
        ("ガルシア^マリア", False),
        ("=花子", False),
    ],
)
def test_names_agree_by_the_one_rule(name: str, is_his: bool) -> None:
    assert is_of(MARIA, patient(name)) == is_his
    assert not is_of(MARIA, patient(name, "19610304"))
    assert not is_of(MARIA, patient(name, ""))


def test_names_that_were_cut() -> None:
    """Annex A.7.7 takes letters from the end of words, the last ones first."""
    whole = patient("FEATHERSTONEHAUGH-CHOLMONDELEY^MAXIMILIANUS")
    cut = replace(MARIA, family="FEATHERSTONEHAUGH-C", given="MAXIMILIANUS", is_family_cut=True)
    assert is_of(cut, whole)
    assert not is_of(replace(cut, is_family_cut=False), whole)
    assert not is_of(replace(cut, family="FEATHERSTONEHAUGH"), whole)  # a word is missing
    assert not is_of(replace(cut, family="FEATHERSTONEHAUGH-X"), whole)
    assert not is_of(replace(cut, given="MAX"), whole)
    both = replace(cut, given="MAXIMILIANU", is_given_cut=True)
    assert not is_of(both, whole)  # eleven letters are no long name
    longer = patient("FEATHERSTONEHAUGH-CHOLMONDELEY^MAXIMILIANUSOS")
    assert is_of(replace(cut, given="MAXIMILIANUS", is_given_cut=True), longer)
    assert not is_of(replace(MARIA, family="GA", is_family_cut=True), patient("GARCIA^MARIA"))


def test_days_of_expiry() -> None:
    today = date(2026, 3, 5)
    for days, is_expired in ((-1, True), (0, False), (1, False)):
        found = parse_licence(card(("DBA", (today + timedelta(days)).strftime("%m%d%Y"))))
        assert found is not None
        assert found.is_expired(today) == is_expired
