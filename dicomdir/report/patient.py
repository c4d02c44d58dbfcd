"""Whose document it is, in the words of a report's page; the check of media says it alike."""

from __future__ import annotations

from typing import Final

from dicomdir.report.markup import day, escaped, person
from dicomdir.report.reader import Node
from dicomdir.report.sr_words import Speaker

_NAME, _ID, _ISSUER, _BIRTH_DATE, _SEX = (
    0x00100010, 0x00100020, 0x00100021, 0x00100030, 0x00100040,
)  # fmt: skip
_SEXES: Final = {"M": "male", "F": "female", "O": "other"}


def patient_name(root: Node, speaker: Speaker) -> str:
    """Markup, for the page of a document in another form."""
    return escaped(person(speaker.text(root, _NAME)))


def patient_facts(root: Node, speaker: Speaker) -> str:
    """Name, sex, day of birth and ID, markup; those that the object has."""
    born, number, issuer = (speaker.text(root, tag) for tag in (_BIRTH_DATE, _ID, _ISSUER))
    parts = (
        person(speaker.text(root, _NAME)),
        _SEXES.get(speaker.text(root, _SEX), ""),
        f"born {day(born)}" if born else "",
        (f"ID {number}" + (f" ({issuer})" if issuer else "")) if number else "",
    )
    return escaped(", ".join(filter(None, parts)))
