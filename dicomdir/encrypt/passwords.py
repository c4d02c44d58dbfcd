"""Passwords of protected media: which are taken, and good ones made by us (PDI-89 to PDI-91).

Whoever has the disc may try passwords for ever on any number of machines, so length is all that
counts: 600,000 rounds of PBKDF2 make each try about as dear as 2^20 plain hashes.
"""

from __future__ import annotations

import math
import re
import secrets
import unicodedata
from collections.abc import Sequence
from typing import Final

from dicomdir.errors import WeakPasswordError
from dicomdir.instance import Instance

_NAME: Final = 0x00100010
_NUMBERS: Final = (0x00100020, 0x00080050)  # Patient ID, Accession Number
_DATES: Final = (0x00100030, 0x00080020)  # of birth, of the Study
MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 128
MIN_BITS: Final = 60
MIN_DISTINCT: Final = 6

_ALPHABET: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # without 0 O, 1 I L: read from paper, typed
_GROUPS, _GROUP_LENGTH = 4, 4
GENERATED_BITS: Final = math.floor(_GROUPS * _GROUP_LENGTH * math.log2(len(_ALPHABET)))
_CLASSES: Final = ((r"[a-z]", 26), (r"[A-Z]", 26), (r"[0-9]", 10), (r"[^A-Za-z0-9]", 33))


def generate() -> str:
    """A new password of 79 random bits, such as "H7KQ-3MXA-9PTD-VW4E"; the dashes belong to it."""
    return "-".join(
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )


def encode(password: str) -> bytes:
    """The bytes that the key is derived from (PS3.15 D.1.2: the default repertoire alone).

    Raises:
        WeakPasswordError: Empty, too long, or a character outside of ISO IR 6.
    """
    if not 1 <= len(password) <= MAX_LENGTH:
        raise WeakPasswordError(f"a password has 1 to {MAX_LENGTH} characters")
    if any(not " " <= character <= "~" for character in password):
        raise WeakPasswordError("a password has letters, digits and signs of ASCII only")
    return password.encode("ascii")


def require_strong(password: str, *, known: Sequence[str] = ()) -> str:
    """A password somebody chose, if it may protect a new medium.

    The bits are those of a random text of such characters, so this refuses what is surely weak;
    it cannot tell that a long one is a proverb.

    Args:
        known: Words that the finder of the disc may know: names, birth date, numbers of the
            patient. None of 4 or more characters may occur in it.
    Raises:
        WeakPasswordError: It says what is wanted, never the password.
    """
    encode(password)
    if len(password) < MIN_LENGTH:
        raise WeakPasswordError(f"a password needs {MIN_LENGTH} characters or more")
    if password != password.strip(" "):
        raise WeakPasswordError("a password does not begin or end with a blank")
    if len(set(password.lower())) < MIN_DISTINCT:
        raise WeakPasswordError(f"a password needs {MIN_DISTINCT} different characters or more")
    pool = sum(size for pattern, size in _CLASSES if re.search(pattern, password))
    if len(password) * math.log2(pool) < MIN_BITS:
        raise WeakPasswordError("a password of so few kinds of characters has to be longer")
    plain = _letters(password)
    if any(len(_letters(word)) >= 4 and _letters(word) in plain for word in known):
        raise WeakPasswordError("a password holds no name, date or number of the patient")
    return password


def known_words(instance: Instance) -> set[str]:
    """What an object says of its patient that whoever finds the medium may know too: names, Patient
    ID, accession number, the days of birth and of the exam in the orders that people write.
    """
    words = {instance.text(tag) for tag in _NUMBERS}
    words.update(re.split(r"[\^= ]+", instance.text(_NAME)))
    for tag in _DATES:
        digits = re.sub(r"[^0-9]", "", instance.text(tag))
        if len(digits) == 8:
            year, month, day = digits[:4], digits[4:6], digits[6:]
            for order in (year + month + day, day + month + year, month + day + year):
                words.update((order, order.replace(year, year[2:])))
    return words - {""}


def _letters(text: str) -> str:
    """Without marks: Müller is muller, as it would be typed."""
    plain = unicodedata.normalize("NFKD", text).lower()
    return re.sub(r"[^0-9a-z]", "", plain)
