"""The levels above the objects' own records: patient, Studies, Series, and what their records say.

A key comes from the first object that has it; later ones that differ are noted (PDI-70). What
no object has is supplied by rule once all are known (PDI-82).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from dicomdir import profile
from dicomdir.charset import decode, needs_charset
from dicomdir.elements import tag_name
from dicomdir.errors import InstanceError, MissingKeyError, MixedPatientError, SplitSeriesError
from dicomdir.file_id import FileID, integer
from dicomdir.instance import Instance
from dicomdir.node import Disagreement, Node
from dicomdir.records import (
    CHARSET,
    INSTANCE_NUMBER,
    MODALITY,
    PATIENT_ID,
    SERIES_NUMBER,
    STUDY_DATE,
    STUDY_ID,
    STUDY_TIME,
    RecordMaker,
    insert_file_id,
    insert_number,
)
from dicomdir.supplied import Supplied
from dicomdir.values import conform, date_digits, is_legal_id

_ISSUER: Final = 0x00100021
_BIRTH_DATE: Final = 0x00100030
# Date and time to stand in for those of the Study, best first: Series, Acquisition, Content.
_STAND_INS: Final = (
    (0x00080021, 0x00080031, "earliest Series Date and Time"),
    (0x00080022, 0x00080032, "earliest Acquisition Date and Time"),
    (0x00080023, 0x00080033, "earliest Content Date and Time"),
)


_MIDNIGHT: Final = b"000000"
KNOWN_ID_WORDS: Final = "that of the patient's other objects"


class Leaf(NamedTuple):
    """A complete record, and the file that it refers to."""

    file_id: FileID
    record: bytes


def leaf_of(record: bytes, file_id: FileID) -> Leaf:
    return Leaf(file_id, insert_file_id(record, file_id))


def says_a_date(values: Mapping[int, bytes]) -> bool:
    """Whether this object is enough for a Study Date in the record of its Study (PDI-82)."""
    tags = (STUDY_DATE, *(tag for tag, _, _ in _STAND_INS))
    return any(conform("DA", values.get(tag, b""), b"") for tag in tags)


class SeriesNode(Node):
    """One Series and the records of its objects, as bytes."""

    kind = profile.SERIES

    def __init__(self, instance: Instance, order: int) -> None:
        super().__init__(instance)
        self.sop_class_uid = instance.sop_class_uid
        self.order = order
        self.number: int | None = None
        self._numbers: list[int | None] = []
        self._records: list[bytes] = []
        self._uids: list[str] = []
        self._gaps: dict[int, int] = {}

    def add(self, number: int | None, record: bytes, cut: int, uid: str) -> None:
        """A leaf without File ID; with `cut` its Instance Number is still open too."""
        if cut:
            number = None
            self._gaps[len(self._records)] = cut
        self._numbers.append(number)
        self._records.append(record)
        self._uids.append(uid)

    def leaves(self, maker: RecordMaker, file_ids: Mapping[str, FileID]) -> list[Leaf]:
        """By Instance Number, then as they came; open ones become the next free ones (PDI-82)."""
        following = max((n for n in self._numbers if n is not None), default=0) + 1
        numbers = [1 << 40 if number is None else number for number in self._numbers]
        records = self._records
        if self._gaps:
            records = records.copy()
        for index, cut in self._gaps.items():
            numbers[index] = following
            records[index] = insert_number(records[index], cut, following)
            uid = self._uids[index]
            maker.supplied.append(Supplied(INSTANCE_NUMBER, uid, "PDI-82: next free in the Series"))
            following += 1
        ordered = sorted(range(len(numbers)), key=numbers.__getitem__)
        return [leaf_of(records[index], file_ids[self._uids[index]]) for index in ordered]


class StudyNode(Node):
    """One Study and its Series."""

    kind = profile.STUDY

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance)
        self.series: dict[str, SeriesNode] = {}
        self._earliest: list[tuple[bytes, bytes] | None] = [None, None, None]

    def note_dates(self, values: Mapping[int, bytes]) -> None:
        """Remember what could stand in for a missing Study Date or Time."""
        if STUDY_DATE in self.values and STUDY_TIME in self.values:
            return
        for rank, (date_tag, time_tag, _) in enumerate(_STAND_INS):
            date = conform("DA", values.get(date_tag, b""), b"")
            if date:
                time = conform("TM", values.get(time_tag, b""), b"")
                have = self._earliest[rank]
                # One that says a time as well is worth more than an earlier one that does not.
                if have is None or (not time, date, time) < (not have[1], *have):
                    self._earliest[rank] = (date, time)

    def stand_ins(self) -> dict[int, tuple[bytes, str]]:
        """Study Date and Time by rule; never today's. Midnight if there is a day but no time."""
        known = [
            (pair, words)
            for pair, (_, _, words) in zip(self._earliest, _STAND_INS, strict=True)
            if pair is not None
        ]
        found: dict[int, tuple[bytes, str]] = {}
        if known:
            (date, time), words = min(known, key=lambda it: not it[0][1])
            found[STUDY_DATE] = (date, words)
            if time:
                found[STUDY_TIME] = (time, words)
        if STUDY_DATE in self.values or STUDY_DATE in found:
            found.setdefault(STUDY_TIME, (_MIDNIGHT, "midnight: no object says a time"))
        return found

    def when(self) -> tuple[bytes, bytes]:
        """For the order of Studies."""
        supplied = self.stand_ins()
        date = conform("DA", self.values.get(STUDY_DATE, b""), b"")
        time = conform("TM", self.values.get(STUDY_TIME, b""), b"")
        nothing = (b"", "")
        return (
            date or supplied.get(STUDY_DATE, nothing)[0],
            time or supplied.get(STUDY_TIME, nothing)[0],
        )

    def series_in_order(self) -> list[tuple[SeriesNode, dict[int, tuple[bytes, str]]]]:
        """By Series Number; those without one get the next free ones, and so come last."""
        found = list(self.series.values())
        for node in found:
            node.number = integer(node.values.get(SERIES_NUMBER))
        following = max((n.number for n in found if n.number is not None), default=0) + 1
        out = []
        for node in sorted(found, key=_series_order):
            number = node.number
            if number is None:
                number = following
                following += 1
            modality = profile.MODALITIES.get(node.sop_class_uid, "OT")
            out.append((
                node,
                {
                    SERIES_NUMBER: (str(number).encode("ascii"), "next free in the Study"),
                    MODALITY: (modality.encode("ascii"), "from the SOP Class"),
                },
            ))  # fmt: skip
        return out


def _series_order(node: SeriesNode) -> tuple[bool, int, int]:
    return (node.number is None, node.number or 0, node.order)


@dataclass(slots=True)
class _Identity:
    """What must be the same in all objects of one medium (PDI-85). Never shown."""

    patient_id: bytes
    issuer: bytes = b""
    birth_date: bytes = field(default=b"")


def require_legal_id(instance: Instance, values: Mapping[int, bytes]) -> None:
    """Raises MissingKeyError as `PatientNode.series_of`."""
    _identity(instance, values)


def says_no_id(values: Mapping[int, bytes]) -> bool:
    """The object has no Patient ID, or an empty one."""
    return not values.get(PATIENT_ID, b"").strip(b" \0")


def _identity(instance: Instance, values: Mapping[int, bytes], known_id: bytes = b"") -> _Identity:
    """Raises MissingKeyError: the Patient ID is too long, of several values, or has characters that
    it may not have.

    Mended, it could be another patient's: it is refused.
    """
    patient_id = values.get(PATIENT_ID, b"").strip(b" \0")
    if not is_legal_id(patient_id, values.get(CHARSET, b"")):
        raise MissingKeyError(
            f"{tag_name(PATIENT_ID)} of {instance.sop_instance_uid} is not one value of up to 64"
            " legal characters, and may not be mended (PDI-85)"
        )
    charset = values.get(CHARSET, b"")
    issuer = _in_utf8(values.get(_ISSUER, b"").strip(b" \0"), charset)
    return _Identity(
        _in_utf8(patient_id, charset) or known_id or no_id(instance.study_instance_uid),
        issuer if patient_id else b"",  # of no ID it is the issuer of nothing
        date_digits(values.get(_BIRTH_DATE, b"")),
    )


def _in_utf8(value: bytes, charset: bytes) -> bytes:
    """For comparing: one text in two character sets is one; what cannot be read is its bytes."""
    if not needs_charset(value):
        return value
    try:
        return decode(value, charset).encode("utf-8")
    except InstanceError:
        return value


def no_id(study_instance_uid: str) -> bytes:
    """Patient ID of a record if the object has none: one patient a Study (PDI-82)."""
    digest = hashlib.sha256(study_instance_uid.encode("ascii")).hexdigest()
    return b"NOID_" + digest[:8].upper().encode("ascii")


class PatientNode(Node):
    """The one patient of a File-set."""

    kind = profile.PATIENT

    def __init__(
        self, instance: Instance, values: Mapping[int, bytes], known_id: bytes = b""
    ) -> None:
        """
        Args:
            known_id: As in `FileSet`.
        """
        super().__init__(instance)
        self._known_id = known_id
        self._identity = _identity(instance, values, known_id)
        self._studies: dict[str, StudyNode] = {}
        self._series: dict[str, tuple[str, SeriesNode]] = {}

    def series_of(
        self, instance: Instance, values: Mapping[int, bytes], disagreements: list[Disagreement]
    ) -> SeriesNode:
        """The Series an object belongs to, made if need be; its keys go into all levels.

        Raises:
            MissingKeyError: The Patient ID may not stand in a record.
            MixedPatientError: Patient ID, its issuer or the birth date is another.
            SplitSeriesError: The Series stands in two Studies.
        """
        self._admit(_identity(instance, values, self._known_id))
        study_uid, series_uid = instance.study_instance_uid, instance.series_instance_uid
        known = self._series.get(series_uid)
        if known is not None and known[0] != study_uid:
            raise SplitSeriesError(f"Series {series_uid} stands in two Studies")
        study = self._studies.get(study_uid)
        if study is None:
            study = self._studies[study_uid] = StudyNode(instance)
        if known is None:
            series = SeriesNode(instance, len(self._series))
            study.series[series_uid] = series
            self._series[series_uid] = (study_uid, series)
        else:
            series = known[1]
        self.take(instance, values, disagreements)
        study.take(instance, values, disagreements)
        study.note_dates(values)
        series.take(instance, values, disagreements)
        return series

    def _admit(self, other: _Identity) -> None:
        mine = self._identity
        if mine.patient_id != other.patient_id:
            raise MixedPatientError("two Patient IDs in one File-set")
        if mine.issuer and other.issuer and mine.issuer != other.issuer:
            raise MixedPatientError("one Patient ID of two issuers in one File-set")
        if mine.birth_date and other.birth_date and mine.birth_date != other.birth_date:
            raise MixedPatientError("two birth dates in one File-set")
        mine.issuer = mine.issuer or other.issuer
        mine.birth_date = mine.birth_date or other.birth_date

    def finish(
        self, maker: RecordMaker, file_ids: Mapping[str, FileID]
    ) -> list[tuple[bytes, list[tuple[bytes, list[Leaf]]]]]:
        """Study records, newest first, each with its Series records and their leaves."""
        out = []
        used = {study.values.get(STUDY_ID, b"").strip(b" \0") for study in self._studies.values()}
        following = 1
        for study in sorted(self._studies.values(), key=StudyNode.when, reverse=True):
            supplied = study.stand_ins()
            if STUDY_ID not in study.values:
                while str(following).encode("ascii") in used:
                    following += 1
                supplied[STUDY_ID] = (str(following).encode("ascii"), "counted on the medium")
                following += 1
            record = study.record(maker, supplied)
            all_series = [
                (node.record(maker, series_supplied), node.leaves(maker, file_ids))
                for node, series_supplied in study.series_in_order()
            ]
            out.append((record, all_series))
        return out

    def own_record(self, maker: RecordMaker) -> bytes:
        """The PATIENT record."""
        words = KNOWN_ID_WORDS if self._known_id else "made of the Study Instance UID"
        return self.record(maker, {PATIENT_ID: (self._identity.patient_id, words)})
