"""Every failure, request and step has its words; none of them a code."""

from __future__ import annotations

import pytest

from kiosk.domain.disc_set import DiscPlace
from kiosk.domain.model import Medium, Step, Wanted
from kiosk.errors import every_error
from kiosk.widgets.wording import (
    ask_words,
    disc_words,
    exam_words,
    failure_words,
    is_worded,
    kind_words,
    left_words,
    medium_words,
    note_words,
    person_words,
    refused_words,
    step_words,
)
from tests.fakes.orders import an_order

TECHNICAL = ("error", "fail", "dicom", "pacs", "c-move", "uid", "exception", "invalid", "_", "{")


def assert_plain(*texts: str) -> None:
    for text in texts:
        assert text
        assert not any(word in text.lower() for word in TECHNICAL), text
        assert len(text) <= 160


def test_every_error_has_a_sentence_and_a_way_on() -> None:
    errors = every_error()
    assert len(errors) > 25
    for kind in errors:
        assert is_worded(kind.code), kind.code
        words = failure_words(kind.code)
        assert_plain(words.title, words.text)
        assert kind.code not in words.title + words.text
        assert "ask at the desk" in words.text


def test_an_unknown_code_goes_to_the_desk() -> None:
    assert "ask at the desk" in failure_words("[/]\x1b").text


def test_a_wrong_patient_is_not_mentioned() -> None:
    words = failure_words("identity.wrong_patient")
    assert "patient" not in (words.title + words.text).lower()
    assert words == failure_words("archive.incomplete")


def test_the_refusal_is_the_neutral_sentence() -> None:
    words = refused_words()
    assert f"{words.title} {words.text}" == (
        "We could not match those details. Please check them, or ask at the desk."
    )


@pytest.mark.parametrize("wanted", Wanted)
def test_every_request_has_words(wanted: Wanted) -> None:
    ask = ask_words(wanted)
    assert_plain(ask.title, ask.text)
    assert bool(ask.button) == (wanted not in (Wanted.STAFF, Wanted.CLAIM))


def test_requests_for_a_set_are_numbered() -> None:
    second = DiscPlace(2, 3)
    assert ask_words(Wanted.BLANK_DISC, second).title == "Please put in blank disc 2 of 3"
    assert "disc 2 of 3" in ask_words(Wanted.OTHER_DISC, second).title
    for wanted in Wanted:
        assert_plain(ask_words(wanted, second).title)
        assert ask_words(wanted, DiscPlace()) == ask_words(wanted)
    assert (disc_words(second), disc_words(DiscPlace())) == ("Disc 2 of 3", "")


def test_steps_media_and_notes() -> None:
    assert len({step_words(step) for step in Step}) == len(Step)
    for medium in Medium:
        assert_plain(medium_words(medium).title, medium_words(medium).text)
    assert note_words("archive.retry")
    assert note_words("[@click=app.quit]") == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0, "Less than a minute left"),
        (29, "Less than a minute left"),
        (60, "About 1 minute left"),
        (150, "About 2 minutes left"),
        (3600, "About 60 minutes left"),
    ],
)
def test_time_left(seconds: float | None, words: str) -> None:
    assert left_words(seconds) == words


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("GARCIA^MARIA", "Maria G."),
        ("garcia^maria", "maria G."),
        ("O'Brien^Patrick^X^DR", "Patrick O."),
        ("GARCIA", "G."),
        ("^MARIA", "Maria"),
        ("=山田^太郎", "太郎 山."),
        ("", ""),
        ("^^^", ""),
        ("A[/]^[bold]", "[bold] A."),
        ("\x1b[2J^\u202eEve", "Eve [."),
        ("X" * 500 + "^" + "Y" * 500, None),
    ],
)
def test_people(name: str, shown: str | None) -> None:
    words = person_words(name)
    assert len(words) <= 40
    if shown is not None:
        assert words == shown


def test_exams_without_body_part() -> None:
    assert exam_words(an_order()) == "CT scan, 3 March 2026"
    assert exam_words(an_order(study_date="20260231")) == "CT scan"
    assert exam_words(an_order(modality="MG", study_date="")) == "X-ray"
    assert kind_words("[/]") == "Exam"
