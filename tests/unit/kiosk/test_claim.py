"""What is read as a claim, by its form alone, and what is asked besides."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.domain.claim import (
    MAX_SCAN_CHARACTERS,
    Answers,
    ClaimPath,
    Fact,
    Reading,
    ScannedNumber,
    Unread,
    claim_keys,
    facts_asked,
    keys_leading_to,
    order_keys,
    path_of,
    read,
)
from kiosk.domain.facts import SecondFacts, folded_digits, folded_postcode
from kiosk.domain.licence import Licence
from kiosk.domain.ticket import ScannedTicket, TicketKeys, TypedCode, make_ticket
from kiosk.errors import InvalidValueError
from tests.fakes.orders import an_order
from tests.unit.kiosk.test_licence import MARIA, SAMPLE, card

TODAY = date(2026, 3, 5)
ALL = Reading(wristband=True, licence=True, visit_check="m10")
KEYS = TicketKeys((b"k" * 32,))
TICKET = make_ticket(b"0123456789", datetime(2026, 3, 6, tzinfo=UTC), KEYS)


def scan(text: str, reading: Reading = ALL, *, is_scanned: bool = True) -> object:
    return read(text, is_scanned=is_scanned, reading=reading, today=TODAY)


def test_a_ticket_is_read_whatever_else_is() -> None:
    for reading in (Reading(), ALL):
        for is_scanned in (True, False):
            assert isinstance(scan(TICKET.qr_text, reading, is_scanned=is_scanned), ScannedTicket)
        assert isinstance(scan(TICKET.printed_code, reading, is_scanned=False), TypedCode)
    assert isinstance(scan(TICKET.code, Reading()), TypedCode)


@pytest.mark.parametrize("text", ["A00001", "123455", "12345678", SAMPLE, card()])
def test_numbers_and_cards_are_never_typed_and_not_read_where_they_are_off(text: str) -> None:
    for reading, is_scanned in ((ALL, False), (Reading(), True)):
        found = scan(text, reading, is_scanned=is_scanned)
        assert found is Unread.UNKNOWN or isinstance(found, TypedCode)


def test_a_number_is_what_its_check_digit_says() -> None:
    assert scan("123455\r\n") == ScannedNumber("123455", True, True)
    assert scan("123456") == ScannedNumber("123456", False, True)
    both = Reading(wristband=True, visit_check="m10", accession_check="m11")
    assert scan("4010", both) == ScannedNumber("4010", True, False)
    assert scan("12345674", both) == ScannedNumber("12345674", True, True)  # it happens
    assert scan("123450", both) is Unread.CHECK_DIGIT
    with pytest.raises(InvalidValueError):
        Reading(visit_check="m12")


@pytest.mark.parametrize(
    "text",
    ["", "*", "A*", "P?1", "%", "A\\B", "\x1b[2J123", "A" * 33, "A" * 10_000, "ÄÖÜ1", "' OR 1=1",
     "１２３４", "AB\nCD", "[bold]1", "A\u202eB1"],
)  # fmt: skip
def test_what_is_no_number(text: str) -> None:
    assert scan(text, Reading(wristband=True)) is Unread.UNKNOWN


def test_cards_say_why_they_are_not_read() -> None:
    assert isinstance(scan(card()), Licence)
    assert scan(SAMPLE) is Unread.EXPIRED
    assert scan(SAMPLE[:100]) is Unread.UNREADABLE
    assert scan("@" + "A" * MAX_SCAN_CHARACTERS) is Unread.UNKNOWN


@settings(max_examples=500, derandomize=True, deadline=None)
@given(st.text(max_size=80), st.booleans())
def test_no_text_breaks_reading(text: str, is_scanned: bool) -> None:
    found = scan(text, is_scanned=is_scanned)
    assert text not in repr(found) or len(text) < 4
    if isinstance(found, ScannedNumber):
        assert is_scanned
        assert not set(found.text) & set("*?%\\\x00\x1b[]\n")


def test_what_is_asked_follows_from_the_path_alone() -> None:
    number = ScannedNumber("A00001", True, True)
    assert path_of(number) is ClaimPath.WRISTBAND
    assert path_of(MARIA) is ClaimPath.LICENCE
    assert facts_asked(ClaimPath.TICKET, Fact.POSTCODE) == (Fact.BIRTH_DATE,)
    assert facts_asked(ClaimPath.WRISTBAND, Fact.POSTCODE) == (Fact.BIRTH_DATE, Fact.POSTCODE)
    assert facts_asked(ClaimPath.LICENCE, Fact.PHONE_DIGITS) == (Fact.PHONE_DIGITS,)


def test_staff_find_every_counter_that_leads_to_an_order() -> None:
    order = an_order(1, name="García^María", facts=SecondFacts(visit_number="V-77"))
    known = keys_leading_to(order, KEYS)
    for claimed in (ScannedNumber("A00001", True, True), ScannedNumber("V-77", True, False), MARIA):
        assert set(claim_keys(claimed, KEYS)) <= set(known)
    assert set(order_keys(order, KEYS)) <= set(known)
    assert claim_keys(ScannedNumber("A00002", True, True), KEYS)[0] not in known
    newer = TicketKeys((b"n" * 32, *KEYS.keys))
    assert claim_keys(MARIA, newer)[1:] == claim_keys(MARIA, KEYS)
    assert not any(text in key for key in known for text in ("garcia", "19610303", "A00001"))


@pytest.mark.parametrize(
    ("typed", "folded"),
    [("1234", "1234"), (" 0007 ", "0007"), ("١٢٣٤", "1234"), ("１２３４", "1234"), ("123", ""),
     ("12345", ""), ("12a4", ""), ("", ""), ("²²²²", "2222"), ("1" * 10_000, ""), ("½234", "")],
)  # fmt: skip
def test_phone_digits(typed: str, folded: str) -> None:
    assert folded_digits(typed) == folded


@pytest.mark.parametrize(
    ("typed", "folded"),
    [("sw1a 1aa", "SW1A1AA"), ("12345-6789", "12345"), ("12345", "12345"), ("D-80331", "D80331"),
     ("100-0001", "1000001"), ("", ""), ("A", ""), ("[b]12", ""), ("1" * 11, ""), ("*", ""),
     ("１２３４５", "12345"), ("\x1b123", ""), ("1" * 10_000, "")],
)  # fmt: skip
def test_postcodes(typed: str, folded: str) -> None:
    assert folded_postcode(typed) == folded


@pytest.mark.parametrize(
    "facts",
    [{"visit_number": "A*"}, {"visit_number": "V1 "}, {"visit_number": "V" * 33},
     {"phone_digits": "123"}, {"phone_digits": "١٢٣٤"}, {"postcode": "sw1a 1aa"},
     {"postcode": "12345-6789"}],
)  # fmt: skip
def test_facts_are_right_once_they_exist(facts: dict[str, str]) -> None:
    with pytest.raises(InvalidValueError) as caught:
        SecondFacts(**facts)
    assert not any(value in str(caught.value) for value in facts.values())


def test_nothing_of_a_person_is_shown() -> None:
    facts = SecondFacts("V-77", "1234", "SW1A1AA")
    shown = f"{facts!r} {an_order(facts=facts)!r} {Answers(TODAY, '1234', 'SW1A1AA')!r}"
    for text in ("V-77", "1234", "SW1A", "2026, 3, 5)", "GARCIA"):
        assert text not in shown
