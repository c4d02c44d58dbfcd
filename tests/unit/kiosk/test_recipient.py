"""For whom: what is typed is taken in any script, and refused when it is an attack."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.fee import RequestKind
from kiosk.domain.recipient import (
    MAX_DIRECTORY_BYTES,
    RecipientKind,
    find_doctors,
    for_me,
    from_directory,
    parse_directory,
    typed,
)
from kiosk.domain.typed import MAX_LINE, MAX_NAME, clean_address, clean_line, clean_name
from kiosk.errors import ConfigError, InvalidValueError

DIRECTORY = """
[[doctor]]
id = "garcia"
name = "Dr. María García"
practice = "Riverside Family Practice"
address = ["12 River Road", "Exampletown"]
phone = "555-0101"
[[doctor]]
id = "li-1"
name = "李小明"
address = ["li@clinic.example"]
""".encode()


@pytest.mark.parametrize(
    "name",
    ["Jane Doe", "Łukasz Żółć", "محمد عبد الله", "李小明", "नरेन्द्र", "Nguyễn Thị Ánh", "O'Brien Jr.",
     "שָׁלוֹם", "می\u200cخواهم", "[bold]Bob[/]"],
)  # fmt: skip
def test_names_of_any_script_are_taken_as_they_are(name: str):
    assert clean_name(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    "name",
    ["\x1b[2JBob", "Bob\x00", "Bob\x07", "Bob\nAlice", "Bob\u202egnp.exe", "Bob\u2066x", "\u200b",
     "Bob\ufeff", "Bob\ue000", "Bob\ud800", "Bob\U000e0041", "", "   ", "...", "12345", "\u2028x",
     "x" * (MAX_NAME + 1), "x" * 10_000, "Z" + "\u0301\u0302\u0303\u0304\u0305" * 3],
)  # fmt: skip
def test_what_cannot_be_a_name_is_refused_without_being_repeated(name: str):
    with pytest.raises(InvalidValueError) as caught:
        clean_name(name)
    assert "Bob" not in str(caught.value)


@given(st.text(max_size=200))
def test_what_passes_can_be_shown_and_passes_again(text: str):
    try:
        line = clean_line(text)
    except InvalidValueError:
        return
    assert len(line) <= MAX_LINE
    assert line == line.strip()
    assert clean_line(line) == line
    bad = ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")
    assert not any(unicodedata.category(character) in bad for character in line)


def test_addresses():
    assert clean_address("12  River Road \n\n Exampletown") == ("12 River Road", "Exampletown")
    for bad in ("", "\n\n", "...", "\n".join("abcdefg"), "\n" * 50, "a\x1bb", "x" * 81):
        with pytest.raises(InvalidValueError):
            clean_address(bad)


def test_whose_request_it_is():
    me = for_me()
    assert (me.lines, me.request_kind, me.is_third_party) == ((), RequestKind.PATIENT, False)
    other = typed(RecipientKind.NAMED, " Ann   Lee ", "1 Main St\nTown")
    assert other.lines == ("Ann Lee", "1 Main St", "Town")
    assert other.request_kind is RequestKind.THIRD_PARTY
    assert not other.is_confirmed
    assert other.confirmed().is_confirmed
    assert "Ann" not in repr(other)
    with pytest.raises(InvalidValueError):
        typed(RecipientKind.ME, "Ann Lee", "1 Main St")


def test_the_directory_is_read_and_searched():
    doctors = parse_directory(DIRECTORY)
    garcia, li = doctors
    assert garcia.lines[:2] == ("Dr. María García", "Riverside Family Practice")
    chosen = from_directory(garcia)
    assert (chosen.is_confirmed, chosen.entry_id) == (True, "garcia")
    assert chosen.address == ("12 River Road", "Exampletown")
    assert find_doctors(doctors, "garc mari") == [garcia]
    assert find_doctors(doctors, "FAMILY") == [garcia]
    assert find_doctors(doctors, "李") == [li]
    assert find_doctors(doctors, "") == [garcia, li]
    assert find_doctors(doctors, "nobody") == []
    assert find_doctors(doctors * 10, "", limit=3) == [garcia, li, garcia]


def entry(**more: str) -> bytes:
    values = {"id": '"a"', "name": '"Dr. A"', "address": '["x 1"]'} | more
    return ("[[doctor]]\n" + "\n".join(f"{k} = {v}" for k, v in values.items() if v)).encode()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xff", "UTF-8"),
        (b"= 3", "not TOML"),
        (b"[doctors]\n", "nothing else"),
        (b"doctor = 3", "nothing else"),
        (b"doctor = [3]", "doctor 1: a table"),
        (b"x" * (MAX_DIRECTORY_BYTES + 1), "larger"),
        (b"[[doctor]]\n" * 5001, "more than 5000"),
        (entry(id='"A B"'), "doctor 1: id"),
        (entry(id=""), "doctor 1: id"),
        (entry(name='"\\u001b[2J"'), "doctor 1: name"),
        (entry(name="3"), "doctor 1: name"),
        (entry(address='"x"'), "doctor 1: address"),
        (entry(address="[]"), "doctor 1: address"),
        (entry(phone='"' + "5" * 100 + '"'), "doctor 1: phone"),
        (entry(fax='"1"'), "doctor 1: 1 unknown keys"),
        (entry() + b"\n" + entry(), "id twice"),
    ],
)
def test_what_is_wrong_with_the_directory_is_said(data: bytes, why: str):
    with pytest.raises(ConfigError) as caught:
        parse_directory(data)
    assert why in str(caught.value)
