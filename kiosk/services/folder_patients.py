"""Whose objects a folder holds: one patient's, or nothing is built of it.

A name that cannot be read by the character set that its object declares (none, very often) is no
reason to refuse the folder. Such an object is the patient's if all it says is, byte by byte, what
the others say; or if it is read as UTF-8 or Latin-1 and the name is the same, with the same
Patient ID and birth date. What can be compared and differs makes it another patient's; what cannot
be told leaves that one object out. Its own bytes are never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dicomdir.instance import Instance
from dicomdir.tree import no_id
from kiosk.domain.identity import Verdict, match
from kiosk.errors import WrongPatientError
from kiosk.services.unread_names import match_unread, read_identity

_MAX_COUNTED: Final = 100  # patients in one folder
_MAX_PATH: Final = 120
_CHARSET: Final = 0x00080005
# Patient ID, its issuer, name, birth date
_TAGS: Final = (0x00100020, 0x00100021, 0x00100010, 0x00100030)

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
        self.reasons: tuple[str, ...] = ()
        self.identity, self.is_readable = read_identity(raw, charset)

    def verdict(self, patient: _Seen) -> Verdict:
        """SAME, DIFFERENT or UNDECIDABLE."""
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


def safe_path(path: str) -> str:
    """For an error's text: short, and without what a terminal would obey."""
    shown = "".join(c if c.isprintable() else "?" for c in path)
    return shown if len(shown) <= _MAX_PATH else f"...{shown[-_MAX_PATH:]}"
