"""Check digits of scanned numbers: a barcode that was read wrong is noticed before it is looked up.

The schemes are HL7's (table 0061: M10, M11, ISO, NPI; chapter 2, CX), ISO 7064:1983 by the name of
its algorithm (those whose check characters are letters and digits). They end the number.
Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

_DIGITS: Final = "0123456789"
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def has_check_digit(number: str, scheme: str) -> bool:
    """Whether a number ends in its check digit.

    Args:
        number: As scanned. Spaces, dots, hyphens and the like between do not count, nor does case.
        scheme: One of `SCHEMES`; "none" lets every number pass.
    Raises:
        KeyError: There is no such scheme.
    """
    body = "".join(it for it in number.upper() if it.isascii() and it.isalnum())
    return SCHEMES[scheme](body)


def _mod_10(text: str) -> bool:
    """Luhn: every second digit from the right is doubled, the one before the check digit first."""
    if len(text) < 2 or not _is_of(text, _DIGITS):
        return False
    total = 0
    for place, digit in enumerate(reversed(text)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _mod_11(text: str) -> bool:
    """Weights 2 to 7 from the right, again and again; a remainder of 0 counts as 1."""
    if len(text) < 2 or not _is_of(text, _DIGITS):
        return False
    body = reversed(text[:-1])
    remainder = sum(int(digit) * (2 + place % 6) for place, digit in enumerate(body)) % 11
    return int(text[-1]) == (11 - (remainder or 1)) % 10


def _npi(text: str) -> bool:
    """A US National Provider Identifier: ten digits, Luhn with 80840 before them."""
    return len(text) == 10 and _mod_10("80840" + text)


def _pure(modulus: int, radix: int, last: str, checks: int) -> Callable[[str], bool]:
    """ISO 7064 pure systems over digits: the sum of a_i * radix^i leaves 1 by the modulus.

    Args:
        last: What the `checks` check characters may be.
    """

    def check(text: str) -> bool:
        if len(text) <= checks:
            return False
        if not (_is_of(text[:-checks], _DIGITS) and _is_of(text[-checks:], last)):
            return False
        value = 0
        for character in text:
            value = (value * radix + last.index(character)) % modulus
        return value == 1

    return check


def _hybrid(modulus: int, alphabet: str) -> Callable[[str], bool]:
    """ISO 7064 hybrid systems, modulus M+1 and M."""

    def check(text: str) -> bool:
        if len(text) < 2 or not _is_of(text, alphabet):
            return False
        value = modulus
        for character in text[:-1]:
            value = (value + alphabet.index(character)) % modulus or modulus
            value = value * 2 % (modulus + 1)
        return (value + alphabet.index(text[-1])) % modulus == 1

    return check


def _is_of(text: str, alphabet: str) -> bool:
    return all(character in alphabet for character in text)


SCHEMES: Final[Mapping[str, Callable[[str], bool]]] = {
    "none": lambda _text: True,
    "m10": _mod_10,
    "m11": _mod_11,
    "npi": _npi,
    "iso-11-2": _pure(11, 2, _DIGITS + "X", 1),
    "iso-97-10": _pure(97, 10, _DIGITS, 2),
    "iso-11-10": _hybrid(10, _DIGITS),
    "iso-37-36": _hybrid(36, _DIGITS + _LETTERS),
}
