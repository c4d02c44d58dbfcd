"""Identity gates: is this the verified patient's, and of a Study that was asked for?

Pure functions over `kiosk.domain.identity`, one for each place where data of another patient could
slip in: the archive's answer, an arriving object, the objects before the build, the finished
image, the medium read back. One that disagrees refuses the whole set; one whose name alone cannot
be read is left out and listed (`unread_names`); nothing is dropped silently. Errors hold reason
codes and UIDs only, never a name, an ID or a birth date.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Final

from dicomdir.charset import decode
from dicomdir.directory import MAX_DIRECTORY_BYTES, Directory, DirectoryRecord, read_directory
from dicomdir.errors import DicomdirError
from dicomdir.instance import Instance, read_instance_at
from dicomdir.iso_reader import IsoReader, IsoRecord
from dicomdir.pdi import DICOMDIR
from dicomdir.profile import PATIENT, STUDY
from dicomdir.values import conform
from kiosk.domain.identity import Verdict, match
from kiosk.domain.model import PatientIdentity
from kiosk.errors import CheckFailedError, WrongPatientError
from kiosk.services.unread_names import match_unread, read_identity

_CHARACTER_SET: Final = 0x00080005
_ACCESSION_NUMBER: Final = 0x00080050
_STUDY_INSTANCE_UID: Final = 0x0020000D
_PATIENT_NAME: Final = 0x00100010
_PATIENT_ID: Final = 0x00100020
_ISSUER_OF_PATIENT_ID: Final = 0x00100021
_PATIENT_BIRTH_DATE: Final = 0x00100030
_IDENTITY_TAGS: Final = (
    _CHARACTER_SET,  # the same bytes say another name in another one
    _PATIENT_NAME,
    _PATIENT_ID,
    _ISSUER_OF_PATIENT_ID,
    _PATIENT_BIRTH_DATE,
    _ACCESSION_NUMBER,
)

_WHO_TAGS: Final = (_PATIENT_ID, _ISSUER_OF_PATIENT_ID, _PATIENT_NAME, _PATIENT_BIRTH_DATE)

_Raw = tuple[bytes | None, ...]

_UID = re.compile(r"[0-9.]{1,64}")
_MAGIC_OFFSET: Final = 128  # PS3.10 7.1: preamble, then "DICM"


class StudyGate:
    """The verified patient and the Studies asked for, asked again and again.

    Identities that were accepted once are remembered, so that 10,000 objects cost one comparison.

    Args:
        verified: Who was verified, as the order says it.
        study_instance_uids: What may be on the medium; empty refuses everything.
        accession_number: Of the order; "": not compared.
    """

    def __init__(
        self,
        verified: PatientIdentity,
        study_instance_uids: Collection[str],
        accession_number: str = "",
    ) -> None:
        self._verified = verified
        self._accession_number = accession_number
        self._study_instance_uids = frozenset(study_instance_uids)
        self._accepted: set[PatientIdentity] = set()
        self._accepted_raw: set[_Raw] = set()
        self._unread_raw: set[_Raw] = set()
        self._marked_names = _marked_names(verified.name)

    def check_patient(self, seen: PatientIdentity, what: str) -> None:
        """Raises WrongPatientError unless it is the same person.

        Args:
            what: For the error's text: a UID or a fixed word.
        """
        if seen in self._accepted:
            return
        found = match(self._verified, seen)
        if not found.accepted:
            raise WrongPatientError(
                f"{what}: {found.verdict.value} patient ({', '.join(found.reasons)})"
            )
        self._accepted.add(seen)

    def check_study(self, study_instance_uid: str, what: str) -> None:
        """Raises WrongPatientError unless this Study was asked for."""
        if study_instance_uid not in self._study_instance_uids:
            raise WrongPatientError(f"{what}: study {_shown(study_instance_uid)} was not asked for")

    def check_accession_number(self, seen: str, what: str) -> None:
        """Raises WrongPatientError if both are there and differ."""
        gate_accession_number(self._accession_number, seen, what)

    def check(self, instance: Instance) -> None:
        """Of what is on a medium or shall be: raises WrongPatientError unless it is the patient's,
        of such a Study and order.
        """
        if not self.may_go_along(instance):
            what = f"object {_shown(instance.sop_instance_uid)}"
            raise WrongPatientError(f"{what}: undecidable patient (encoding)")

    def may_go_along(self, instance: Instance) -> bool:
        """Of what arrived.

        Returns:
            False if nobody can tell whose it is, because its name alone cannot be read: that object
            is to be left out (`UNREADABLE`).
        Raises:
            WrongPatientError: It is not the patient's, or of another Study or order, or more than
                the name is in doubt.
        """
        what = f"object {_shown(instance.sop_instance_uid)}"
        self.check_study(instance.study_instance_uid, what)
        values = instance.values()
        raw = tuple(values.get(tag) for tag in _IDENTITY_TAGS)
        if raw in self._accepted_raw:  # decoding costs four times as much as this look
            return True
        if raw in self._unread_raw:
            return False
        try:
            accession_number = instance.text(_ACCESSION_NUMBER)
        except DicomdirError as error:
            raise WrongPatientError(f"{what}: undecidable order (encoding)") from error
        self.check_accession_number(accession_number, what)
        seen, is_readable = _read_identity(values)
        if is_readable:
            self.check_patient(seen, what)
        elif not self._is_unread_name_ours(seen, _recorded_name(values), what):
            self._unread_raw.add(raw)
            return False
        self._accepted_raw.add(raw)
        return True

    def _is_unread_name_ours(self, seen: PatientIdentity, recorded: bytes, what: str) -> bool:
        """Raises WrongPatientError as `may_go_along`.

        Args:
            recorded: The name as a directory record has it: it must be known there again.
        """
        found = match_unread(self._verified, seen)
        if not found.accepted:
            raise WrongPatientError(
                f"{what}: {found.verdict.value} patient ({', '.join(found.reasons)})"
            )
        return found.verdict is Verdict.SAME and _folded(recorded) in self._marked_names

    def check_directory(self, directory: Directory) -> None:
        """Raises WrongPatientError unless each PATIENT and STUDY record is the patient's.

        A record whose Patient ID was supplied by rule (PDI-82) cannot be: objects without an ID
        were refused before.
        """
        for record in directory.records:
            if record.type == STUDY:
                self.check_study(record.text(_STUDY_INSTANCE_UID), "DICOMDIR")
                self.check_accession_number(_accession_number_of_record(record), "DICOMDIR")
            elif record.type == PATIENT:
                seen = identity_of_record(record)
                if _folded(seen.name.encode("ascii", "replace")) in self._marked_names:
                    seen = replace(seen, name=self._verified.name)
                self.check_patient(seen, "DICOMDIR")


def _marked_names(name: str) -> frozenset[bytes]:
    """A name as a record has it if the object's bytes of it cannot be read: with "?" (PDI-68)."""
    if name.isascii():
        return frozenset()
    found = [conform("PN", name.encode("utf-8", "replace"), b"")]
    if not name.encode("latin-1", "ignore").isascii():
        found.append(conform("PN", name.encode("latin-1", "replace"), b""))
    return frozenset(_folded(it) for it in found)


def _recorded_name(values: Mapping[int, bytes]) -> bytes:
    return conform("PN", values.get(_PATIENT_NAME, b""), values.get(_CHARACTER_SET, b""))


def _folded(name: bytes) -> bytes:
    return name.lower()  # ASCII letters alone


def identity_of(instance: Instance) -> PatientIdentity:
    """Who an object says it is of, as far as that can be read."""
    return _read_identity(instance.values())[0]


def _read_identity(values: Mapping[int, bytes]) -> tuple[PatientIdentity, bool]:
    raw = [values.get(tag, b"").strip(b" \0") for tag in _WHO_TAGS]
    return read_identity(raw, values.get(_CHARACTER_SET, b"").strip(b" \0"))


def identity_of_record(record: DirectoryRecord) -> PatientIdentity:
    charset = record.values.get(_CHARACTER_SET, b"")
    try:
        patient_id, name = (
            decode(record.values.get(tag, b"").strip(b" \0"), charset, is_name=tag == _PATIENT_NAME)
            for tag in (_PATIENT_ID, _PATIENT_NAME)
        )
    except DicomdirError as error:
        raise WrongPatientError("DICOMDIR: undecidable patient (encoding)") from error
    return PatientIdentity(patient_id, "", name, record.text(_PATIENT_BIRTH_DATE))


def _accession_number_of_record(record: DirectoryRecord) -> str:
    value = record.values.get(_ACCESSION_NUMBER, b"").strip(b" \0")
    try:
        return decode(value, record.values.get(_CHARACTER_SET, b""))
    except DicomdirError as error:
        raise WrongPatientError("DICOMDIR: undecidable study (encoding)") from error


def gate_instance(
    verified: PatientIdentity,
    study_instance_uids: Collection[str],
    instance: Instance,
    accession_number: str = "",
) -> None:
    """One object, as it arrives or before the build.

    Raises:
        WrongPatientError: Another person's or not comparable, or of another Study or order.
    """
    StudyGate(verified, study_instance_uids, accession_number).check(instance)


def gate_listed(verified: PatientIdentity, listed: PatientIdentity) -> None:
    """The patient that the archive lists for a Study (C-FIND).

    Raises:
        WrongPatientError: Another person or not comparable.
    """
    StudyGate(verified, ()).check_patient(listed, "listed study")


def gate_accession_number(wanted: str, seen: str, what: str) -> None:
    """The order's accession number and a Study's or object's; trimmed, "" is not compared.

    Many archives leave it empty (Type 2, PS3.3 C.7.2.1), so what is not there refuses nothing.

    Raises:
        WrongPatientError: Both are there and differ; quotes neither.
    """
    wanted, seen = wanted.strip(" \0"), seen.strip(" \0")
    if wanted and seen and wanted != seen:
        raise WrongPatientError(f"{what}: of another order (accession_number)")


def gate_medium(
    verified: PatientIdentity,
    study_instance_uids: Collection[str],
    reader: IsoReader,
    *,
    accession_number: str = "",
    on_object: Callable[[int], None] = lambda _count: None,
) -> int:
    """The image or medium itself: the DICOMDIR's own words and the header of every DICOM object.

    Objects are found by looking at every file, not by believing the DICOMDIR.

    Args:
        accession_number: Of the order; "": not compared.
        on_object: Called with the number of objects looked at so far.
    Returns:
        Number of objects, at least 1.
    Raises:
        WrongPatientError: Anything on it is another person's or of another Study or order.
        CheckFailedError: It cannot be read, or holds no object.
    """
    gate = StudyGate(verified, study_instance_uids, accession_number)
    try:
        return _gate_files(gate, reader, on_object)
    except DicomdirError as error:
        raise CheckFailedError(f"the medium cannot be compared: {error.code}") from error


def _gate_files(gate: StudyGate, reader: IsoReader, on_object: Callable[[int], None]) -> int:
    count = 0
    directory = reader.find(DICOMDIR)
    if directory is None or directory.size_bytes > MAX_DIRECTORY_BYTES:
        raise CheckFailedError("the medium has no DICOMDIR that can be read")
    gate.check_directory(read_directory(reader.read(directory, 0, directory.size_bytes)))
    for record in reader.files():
        if record.path == DICOMDIR or reader.read(record, _MAGIC_OFFSET, 4) != b"DICM":
            continue
        gate.check(_read_header(reader, record))
        count += 1
        on_object(count)
    if not count:
        raise CheckFailedError("the medium holds no DICOM object")
    return count


def _read_header(reader: IsoReader, record: IsoRecord) -> Instance:
    return read_instance_at(
        lambda offset, size: reader.read(record, offset, size), record.size_bytes
    )


def _shown(uid: str) -> str:
    return uid if _UID.fullmatch(uid) else "(not a UID)"
