"""Whose objects a folder holds: one patient's, or nothing is built of it.

A name that cannot be read by the character set that its object declares (none, very often) is no
reason to refuse the folder. Such an object is the patient's if all it says is, byte by byte, what
the others say; or if it is read as UTF-8 or Latin-1 and the name is the same, with the same
Patient ID and birth date. What can be compared and differs makes it another patient's; what cannot
be told leaves that one object out. Its own bytes are never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from dicomdir.charset import decode
from dicomdir.errors import InstanceError
from dicomdir.instance import Instance
from dicomdir.tree import no_id
from kiosk.domain.identity import Verdict, match
from kiosk.domain.model import PatientIdentity
from kiosk.errors import WrongPatientError

UNREADABLE: Final = "identity.unreadable"  # why an object is left out: nobody can tell whose it is
_MAX_COUNTED: Final = 100  # patients in one folder
_MAX_PATH: Final = 120
_CHARSET: Final = 0x00080005
# Patient ID, its issuer, name, birth date
_TAGS: Final = (0x00100020, 0x00100021, 0x00100010, 0x00100030)
_NAME_AT, _BIRTH_DATE_AT = 2, 3
_GUESSES: Final = (b"ISO_IR 192", b"ISO_IR 100")

_Raw = tuple[bytes, ...]


class FolderPatients:
    """Identities in the order of the objects; what they come to is asked at the end."""

    def __init__(self) -> None:
        self._seen: dict[tuple[bytes, _Raw], _Seen] = {}

    def add(self, instance: Instance) -> None:
        """One object; nothing is kept of it but what it says for the first time, and its UID."""
        values = instance.values()
        raw = tuple(values.get(tag, b"").strip(b" \0") for tag in _TAGS)
        if not raw[0]:  # as its record will have it (PDI-82): one patient a Study
            raw = (no_id(instance.study_instance_uid), *raw[1:])
        # The same bytes say another name in another character set.
        charset = values.get(_CHARSET, b"").strip(b" \0")
        seen = self._seen.get((charset, raw))
        if seen is None:
            seen = self._seen[charset, raw] = _Seen(charset, raw)
        seen.uids.append(instance.sop_instance_uid)

    def finish(self, paths: Mapping[str, str]) -> set[str]:
        """SOP Instance UIDs of objects of which nobody can tell whose they are.

        Args:
            paths: Of the files by SOP Instance UID.
        Raises:
            WrongPatientError: The objects are of several patients; names a file of each of two.
        """
        patients: list[_Seen] = []
        unknown: set[str] = set()
        # What can be read comes first, then what most say: the rest is compared with that.
        ordered = sorted(self._seen.values(), key=lambda it: (not it.is_readable, -len(it.uids)))
        for seen in ordered:
            verdicts = [seen.verdict(patient) for patient in patients]
            if Verdict.SAME in verdicts:
                continue
            if Verdict.UNDECIDABLE in verdicts:
                unknown.update(seen.uids)
            elif len(patients) < _MAX_COUNTED:
                patients.append(seen)
        if len(patients) > 1:
            count = len(patients)
            many = f"{_MAX_COUNTED} or more" if count == _MAX_COUNTED else str(count)
            one, other = (safe_path(paths.get(it.uids[0], "")) for it in patients[:2])
            raise WrongPatientError(
                f"the folder holds objects of {many} different patients, and one folder must hold "
                f"one patient ({one} and {other}: {', '.join(patients[1].reasons)})"
            )
        return unknown


class _Seen:
    """What some objects say about their patient, byte by byte the same."""

    def __init__(self, charset: bytes, raw: _Raw) -> None:
        self.raw = raw
        self.uids: list[str] = []
        self.is_readable = False
        self.identity = _identity(["", "", ""], raw[_BIRTH_DATE_AT])
        self.reasons: tuple[str, ...] = ()

        self._read(charset)

    def _read(self, charset: bytes) -> None:
        """By its own character set; else by those that are forgotten to be declared."""
        for each in (charset, *_GUESSES):
            try:
                texts = [
                    decode(value, each, is_name=at == _NAME_AT)
                    for at, value in enumerate(self.raw[:_BIRTH_DATE_AT])
                ]
            except InstanceError:
                continue
            self.identity = _identity(texts, self.raw[_BIRTH_DATE_AT])
            # A name with control or replacement characters is as unreadable as one in no set.
            itself = match(self.identity, self.identity)
            self.is_readable = each is charset and "encoding" not in itself.reasons
            return

    def verdict(self, patient: _Seen) -> Verdict:
        """SAME, DIFFERENT or UNDECIDABLE."""
        found = match(patient.identity, self.identity)
        self.reasons = found.reasons
        if self.is_readable and patient.is_readable:
            return Verdict.SAME if found.accepted else found.verdict
        if self.raw == patient.raw or (
            found.verdict is Verdict.SAME
            and self.identity.name.casefold() == patient.identity.name.casefold()
        ):
            return Verdict.SAME
        # Not the name, which is unreadable on one side: what is left has to be the same.
        blank = replace(patient.identity, name="A"), replace(self.identity, name="A")
        others = match(*blank)
        if others.verdict is Verdict.DIFFERENT:
            self.reasons = others.reasons
            return Verdict.DIFFERENT
        return Verdict.UNDECIDABLE


def _identity(texts: list[str], birth_date: bytes) -> PatientIdentity:
    patient_id, issuer, name = texts
    return PatientIdentity(
        patient_id=patient_id,
        issuer=issuer,
        name=name,
        birth_date=birth_date.decode("ascii", "replace"),
    )


def safe_path(path: str) -> str:
    """For an error's text: short, and without what a terminal would obey."""
    shown = "".join(c if c.isprintable() else "?" for c in path)
    return shown if len(shown) <= _MAX_PATH else f"...{shown[-_MAX_PATH:]}"
