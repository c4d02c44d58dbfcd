"""Long words may be broken, and nothing else is touched."""

from __future__ import annotations

import html
import re

import pytest

from dicomdir.breaks import BREAK, with_breaks
from dicomdir.report.markup import escaped, page, paragraphs
from dicomdir.web.text import shown

UID = "2.25.300859453189542168325485912345678901234"
DOTTED = "1.2.840.113619.2.55.3.604688119.971.1234567890.123"


@pytest.mark.parametrize("make", [shown, escaped, paragraphs, with_breaks])
@pytest.mark.parametrize(
    "word", [UID, DOTTED, "x" * 150, "t1_mpr_ns_sag_p2_iso_long_protocol_name"]
)
def test_no_part_of_a_long_word_is_wider_than_a_phone(make: object, word: str) -> None:
    assert callable(make)
    made = make(f"Object {word} is here")
    assert made.startswith("Object ")
    assert html.unescape(made).replace("\u200b", "") == f"Object {word} is here"
    assert max(map(len, re.split(r"\u200b| ", html.unescape(made)))) <= 12


@pytest.mark.parametrize(
    "text",
    [
        "Thorax routine",
        "Radiology/Cardiology",
        "A" * 24,
        "&#228;" * 60,
        "a&#769;" * 30,
        "&#1593;" * 40,
    ],
)
def test_short_words_and_other_scripts_are_left_alone(text: str) -> None:
    assert with_breaks(text) == text


def test_no_entity_is_torn() -> None:
    made = with_breaks("abcdefgh&#60;script&#62;" * 5)
    assert made.replace(BREAK, "") == "abcdefgh&#60;script&#62;" * 5


def test_what_machines_read_has_none() -> None:
    lines = page("Report", [], source_uid=escaped(UID))
    assert f'<meta name="dcterms.source" content="urn:oid:{UID}" />' in lines
    assert shown("-pwri_password_and_more_without_blank", may_break=False).isascii()
    assert BREAK not in shown("-pwri_password_and_more_without_blank", may_break=False)
