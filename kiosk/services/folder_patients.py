"""Whose objects a folder holds: one patient's, or nothing is built of it.

A name that cannot be read by the character set that its object declares (none, very often) is no
reason to refuse the folder. Such an object is the patient's if all it says is, byte by byte, what
the others say; or if it is read as UTF-8 or Latin-1 and the name is the same, with the same
Patient ID and birth date.

An object without Patient ID is the patient's if its name, its birth date and its Study are.

What can be compared and differs makes it another patient's; what cannot be told leaves that one
object out. Its own bytes are never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from dicomdir.instance import Instance
from dicomdir.tree import no_id
from kiosk.domain.identity import Verdict, match
from kiosk.errors import WrongPatientError
from kiosk.services.unread_names import UNREADABLE, match_unread, read_identity

NO_ID: Final = "identity.no_id"  # why an object is left out
_MAX_COUNTED: Final = 100  # patients in one folder
_MAX_PATH: Final = 120
_CHARSET: Final = 0x00080005
# Patient ID, its issuer, name, birth date
_TAGS: Final = (0x00100020, 0x00100021, 0x00100010, 0x00100030)

_Raw = tuple[bytes, ...]


class FolderPatients:
    """Identities in the order of the objects; what they come to is asked at the end.

    Attributes:
        known_id: Patient ID, in ASCII, of objects that have none and go along; b"" if there are
            none. Known when `finish` is done.
    """

    def __init__(self) -> None:
        self.known_id = b""
        self._seen: dict[tuple[bytes, _Raw], _Seen] = {}

    def add(self, instance: Instance) -> None:
        """One object; nothing is kept of it but what it says for the first time, and its UIDs."""
        values = instance.values()
        raw = tuple(values.get(tag, b"").strip(b" \0") for tag in _TAGS)
        has_id = bool(raw[0])
        if not has_id:  # as its record will have it (PDI-82): one patient a Study
            raw = (no_id(instance.study_instance_uid), b"", *raw[2:])
        # The same bytes say another name in another character set.
        charset = values.get(_CHARSET, b"").strip(b" \0")
        seen = self._seen.get((charset, raw))
        if seen is None:
            seen = self._seen[charset, raw] = _Seen(charset, raw, has_id=has_id)
        seen.uids.append(instance.sop_instance_uid)
        seen.studies.add(instance.study_instance_uid)

    def finish(self, paths: Mapping[str, str], *, what: str = "folder") -> dict[str, str]:
        """Objects of which nobody can tell whose they are.

        Args:
            paths: Of the files by SOP Instance UID.
            what: They are in, for the error's text.
        Returns:
            Why, by SOP Instance UID: `UNREADABLE` or `NO_ID`.
        Raises:
            WrongPatientError: The objects are of several patients; names a file of each of two.
        """
        patients: list[_Seen] = []
        unknown: dict[str, str] = {}
        # Who says an ID comes first, then what can be read, then what most say: the rest is
        # compared with that.
        ordered = sorted(
            self._seen.values(), key=lambda it: (not it.has_id, not it.is_readable, -len(it.uids))
        )
        for seen in ordered:
            verdicts = [seen.verdict(patient) for patient in patients]
            if Verdict.SAME in verdicts:
                patients[verdicts.index(Verdict.SAME)].take(seen)
            elif Verdict.UNDECIDABLE in verdicts:
                why = UNREADABLE if seen.has_id else NO_ID
                unknown.update(dict.fromkeys(seen.uids, why))
            elif len(patients) < _MAX_COUNTED:
                patients.append(seen)
        if len(patients) > 1:
            count = len(patients)
            many = f"{_MAX_COUNTED} or more" if count == _MAX_COUNTED else str(count)
            one, other = (safe_path(paths.get(it.uids[0], "")) for it in patients[:2])
            raise WrongPatientError(
                f"the {what} holds objects of {many} different patients, and one {what} must hold "
                f"one patient ({one} and {other}: {', '.join(patients[1].reasons)})"
            )
        if patients and patients[0].has_id and patients[0].lends_its_id:
            self.known_id = patients[0].raw[0]
        return unknown


class _Seen:
    """What some objects say about their patient, byte by byte the same."""

    def __init__(self, charset: bytes, raw: _Raw, *, has_id: bool) -> None:
        self.raw = raw
        self.has_id = has_id
        self.uids: list[str] = []
        self.studies: set[str] = set()
        self.reasons: tuple[str, ...] = ()
        self.lends_its_id = False
        self.identity, self.is_readable = read_identity(raw, charset)

    def take(self, same: _Seen) -> None:
        """Another of the same patient: what it says and the first does not counts from now on."""
        mine, its = self.identity, same.identity
        if same.has_id != self.has_id:
            self.lends_its_id = True
            return
        self.studies |= same.studies
        if same.is_readable:
            self.identity = replace(
                mine,
                issuer=mine.issuer or its.issuer,
                birth_date=mine.birth_date or its.birth_date,
            )

    def verdict(self, patient: _Seen) -> Verdict:
        """SAME, DIFFERENT or UNDECIDABLE."""
        if not self.has_id and self.raw[0] != patient.raw[0]:
            return self._verdict_without_id(patient)
        if self.is_readable and patient.is_readable:
            found = match(patient.identity, self.identity)
            self.reasons = found.reasons
            return Verdict.SAME if found.accepted else found.verdict
        if self.raw == patient.raw:
            return Verdict.SAME
        found = match_unread(patient.identity, self.identity)
        self.reasons = found.reasons
        is_clear = found.verdict in (Verdict.SAME, Verdict.DIFFERENT)
        return found.verdict if is_clear else Verdict.UNDECIDABLE

    def _verdict_without_id(self, patient: _Seen) -> Verdict:
        """No ID is no second one. All the rest has to be the patient's, and the Study too."""
        mine = replace(self.identity, patient_id=patient.identity.patient_id)
        if self.is_readable and patient.is_readable:
            found = match(patient.identity, mine)
        else:
            found = match_unread(patient.identity, mine)
        self.reasons = found.reasons
        if found.verdict is Verdict.DIFFERENT:
            return found.verdict
        is_clear = (
            self.raw[2:] == patient.raw[2:] and bool(self.raw[2])
        ) or found.verdict is Verdict.SAME
        is_lent = patient.has_id and patient.raw[0].isascii() and self.studies <= patient.studies
        return Verdict.SAME if is_clear and is_lent else Verdict.UNDECIDABLE


def safe_path(path: str) -> str:
    """For an error's text: short, and without what a terminal would obey."""
    shown = "".join(c if c.isprintable() else "?" for c in path)
    return shown if len(shown) <= _MAX_PATH else f"...{shown[-_MAX_PATH:]}"
