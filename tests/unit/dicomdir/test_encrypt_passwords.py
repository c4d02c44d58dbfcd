"""What may be a password, and the ones made by us."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from pydicom import Dataset

from dicomdir.encrypt.passwords import (
    GENERATED_BITS,
    MIN_LENGTH,
    encode,
    generate,
    known_words,
    require_strong,
)
from dicomdir.errors import WeakPasswordError
from dicomdir.instance import read_instance
from tests.factories import make_study


def test_generated_ones_are_strong_readable_and_never_alike() -> None:
    made = {generate() for _ in range(500)}
    assert len(made) == 500
    assert GENERATED_BITS >= 60
    letters = set("".join(made)) - {"-"}
    assert not letters & set("0O1IL")
    assert 16 * math.log2(len(letters)) >= GENERATED_BITS
    for password in made:
        assert require_strong(password) == password
        assert [len(group) for group in password.split("-")] == [4, 4, 4, 4]


@pytest.mark.parametrize(
    "password",
    [
        "short-Ab3",
        "aaaaaaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        "1234567890123",
        "lowercaseabc",
        " leading-Blank-7",
        "trailing-Blank-7 ",
        "x" * 129,
        "Straße-und-Platz-9",
        "tab\tinside-Word-77",
        "",
    ],
)
def test_weak_or_illegal_ones_are_refused_without_being_told(password: str) -> None:
    with pytest.raises(WeakPasswordError) as caught:
        require_strong(password)
    assert not password or password not in str(caught.value)


@pytest.mark.parametrize(
    "password", ["back\\slash ~ blank 9", "correct horse battery", "1" * 3 + "8273645091827364"]
)
def test_others_are_taken(password: str) -> None:
    assert len(password) >= MIN_LENGTH
    assert require_strong(password) == password
    assert encode(password) == password.encode("ascii")


@pytest.mark.parametrize("known", ["Doe^Jane", "19610303", "PID-0042"])
def test_what_a_finder_knows_may_not_be_in_it(known: str) -> None:
    chosen = {
        "Doe^Jane": "my-DoeJane-secret!",
        "19610303": "born 1961-03-03 here",
        "PID-0042": "x pid 0042 Yz!abc",
    }
    with pytest.raises(WeakPasswordError, match="of the patient"):
        require_strong(chosen[known], known=[known, "x"])
    assert require_strong(chosen[known], known=["x", ""])


def test_what_an_object_says_may_not_be_in_it(tmp_path: Path) -> None:
    def name(ds: Dataset) -> None:
        ds.SpecificCharacterSet = "ISO_IR 100"
        ds.PatientName, ds.PatientID, ds.PatientBirthDate = "M\xfcller^Jane", "PID-0042", "19610303"

    instance = read_instance(make_study(tmp_path, ("CT",), edit=name)[0])
    words = known_words(instance)
    for password in ("xy Muller 7! zq", "pid 0042 Yz!abcd", "born 03-03-1961 x!", "610303 Kq!zvWx"):
        with pytest.raises(WeakPasswordError, match="of the patient"):
            require_strong(password, known=sorted(words))
    assert require_strong("Correct-Horse-7-Battery", known=sorted(words))
