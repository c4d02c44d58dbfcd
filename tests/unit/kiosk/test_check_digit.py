"""Check digits by the examples of their standards, and what they notice."""

from __future__ import annotations

import random

import pytest

from kiosk.domain.check_digit import SCHEMES, has_check_digit

# HL7 v2.5.1 chapter 2 (CX, mod 10 and mod 11), CMS's NPI paper, ISO 7064's examples, an ORCID.
GOOD = {
    "m10": ["123455", "4010", "99994", "999999998"],
    "m11": ["12345674"],
    "npi": ["1234567893"],
    "iso-11-2": ["07940", "079X", "0000-0002-1825-0097"],
    "iso-97-10": ["79444"],
    "iso-11-10": ["07945"],
    "iso-37-36": ["A12425GABC1234002M"],
}


@pytest.mark.parametrize(("scheme", "number"), [(s, n) for s in GOOD for n in GOOD[s]])
def test_examples_of_the_standards(scheme: str, number: str) -> None:
    assert has_check_digit(number, scheme)
    assert has_check_digit(f"{number[:3]} {number[3:]}".lower(), scheme)


@pytest.mark.parametrize("scheme", list(GOOD))
def test_one_wrong_character_is_noticed(scheme: str) -> None:
    number = GOOD[scheme][0]
    for place, character in enumerate(number):
        for other in "0123456789":
            if other != character and character.isdigit():
                wrong = number[:place] + other + number[place + 1 :]
                # M11 makes 0 of the remainders 0 and 1: what it cannot tell is known beforehand.
                if scheme != "m11":
                    assert not has_check_digit(wrong, scheme), wrong


def test_mod_11_lets_a_tenth_pass() -> None:
    passing = [digit for digit in "0123456789" if has_check_digit("1234567" + digit, "m11")]
    assert passing == ["4"]


@pytest.mark.parametrize("scheme", list(GOOD))
@pytest.mark.parametrize("text", ["", "0", "X", "*", "ÄÖ", "１２３４５５", "²3", "1X34", "\x00"])
def test_what_is_no_number_of_the_kind(scheme: str, text: str) -> None:
    assert not has_check_digit(text, scheme) or scheme == "iso-37-36"
    assert has_check_digit(text, "none")


def test_random_numbers_pass_as_often_as_the_modulus_says() -> None:
    draw = random.Random(3)
    for scheme, share in {"m10": 0.1, "m11": 0.1, "iso-97-10": 1 / 97, "iso-11-10": 0.1}.items():
        numbers = ("".join(draw.choices("0123456789", k=9)) for _ in range(5000))
        passed = sum(has_check_digit(number, scheme) for number in numbers) / 5000
        assert passed == pytest.approx(share, abs=0.02), scheme
    assert set(SCHEMES) == {*GOOD, "none"}
