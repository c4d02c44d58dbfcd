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
from dicomdir.charset import decode, encode, needs_charset
from dicomdir.elements import element, tag_name
from dicomdir.errors import InstanceError, MissingKeyError, MixedPatientError
from dicomdir.file_id import FileID, integer
from dicomdir.instance import Instance
from dicomdir.keys import KEY_VR
from dicomdir.records import (
    CHARSET,
    INSTANCE_NUMBER,
    KEYS,
    MODALITY,
    PATIENT_ID,
    SERIES_NUMBER,
    STUDY_DATE,
    STUDY_ID,
    STUDY_TIME,
    RecordMaker,
    Supplied,
    insert_file_id,
    insert_number,
    record_bytes,
)
from dicomdir.values import TEXT_VRS, conform, date_digits, is_too_long

_ISSUER: Final = 0x00100021
_BIRTH_DATE: Final = 0x00100030
_STUDY_DATED: Final = (STUDY_DATE, STUDY_TIME)
_UTF8: Final = b"ISO_IR 192"
# Date and time to stand in for those of the Study, best first: Series, Acquisition, Content.
_STAND_INS: Final = (
    (0x00080021, 0x00080031, "earliest Series Date and Time"),
    (0x00080022, 0x00080032, "earliest Acquisition Date and Time"),
    (0x00080023, 0x00080033, "earliest Content Date and Time"),
)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Objects of one patient, Study or Series differ; the first one's value stands (PDI-70)."""

    tag: int
    sop_instance_uid: str

    def __str__(self) -> str:
        return f"{tag_name(self.tag)} of {self.sop_instance_uid} differs from that of others"


class _Node:
    """Keys of one record above the objects, each with the character set that governs it."""

    kind: str

    def __init__(self, instance: Instance) -> None:
        self.first_uid = instance.sop_instance_uid
        self.values: dict[int, bytes] = {}
        self.charsets: dict[int, bytes] = {}
        self.tags = tuple(key.tag for key in KEYS[self.kind])

    def take(
        self, instance: Instance, values: Mapping[int, bytes], disagreements: list[Disagreement]
    ) -> None:
        """Fill what is still open; note what differs."""
        mine = self.values
        for tag in self.tags:
            value = values.get(tag)
            if not value:
                continue
            have = mine.get(tag)
            if have is None:
                if not value.strip(b" \0"):
                    continue
                if tag in _STUDY_DATED and not conform(KEY_VR[tag], value, b""):
                    continue  # no such day or time: as if it were missing (PDI-82)
                mine[tag] = value
                if needs_charset(value):
                    self.charsets[tag] = values.get(CHARSET, b"")
            elif have != value and not self._is_same(tag, value, values.get(CHARSET, b"")):
                disagreements.append(Disagreement(tag, instance.sop_instance_uid))

    def _is_same(self, tag: int, value: bytes, charset: bytes) -> bool:
        """Padding apart, and in whichever character set."""
        mine, other = self.values[tag].strip(b" \0"), value.strip(b" \0")
        if mine == other or not other:
            return True
        if tag not in self.charsets or not needs_charset(other):
            return False
        is_name = KEY_VR[tag] == "PN"
        try:
            text = decode(other, charset, is_name=is_name)
            return decode(mine, self.charsets[tag], is_name=is_name) == text
        except InstanceError:
            return False

    def record(self, maker: RecordMaker, supplied: Mapping[int, tuple[bytes, str]]) -> bytes:
        """The item of this record.

        Args:
            supplied: Values by rule for Type 1 keys that no object has, and how they came about.
        Raises:
            MissingKeyError: There is none for one of them.
        """
        charset = self._common_charset()
        elements = []
        needs_set = False
        for tag, needed in KEYS[self.kind]:
            formed = b""
            if tag in self.values:
                formed = maker.form(tag, self.values[tag], charset, self.first_uid)
            if not formed and needed == "1":
                if tag not in supplied:
                    raise MissingKeyError(
                        f"{tag_name(tag)} of {self.first_uid} is missing and no rule supplies it"
                    )
                value, words = supplied[tag]
                maker.supplied.append(Supplied(tag, self.first_uid, f"PDI-82: {words}"))
                formed = element(tag, KEY_VR[tag], value)
            elif not formed and needed == "2":
                formed = element(tag, KEY_VR[tag], b"")
            if formed:
                elements.append(formed)
                if KEY_VR[tag] in TEXT_VRS and needs_charset(formed[8:]):
                    needs_set = True
        if needs_set:
            elements.insert(0, element(CHARSET, "CS", charset.strip(b" \0")))
        return record_bytes(self.kind, elements)[0]

    def _common_charset(self) -> bytes:
        """One set for the record: the objects' own if they agree, else all in UTF-8 (PDI-68)."""
        found = set(self.charsets.values())
        if len(found) <= 1:
            return found.pop() if found else b""
        for tag, charset in self.charsets.items():
            vr = KEY_VR[tag]
            readable = conform(vr, self.values[tag], charset)  # "?" where it is not
            self.values[tag] = encode(decode(readable, charset, is_name=vr == "PN"), _UTF8)
            self.charsets[tag] = _UTF8
        return _UTF8


class Leaf(NamedTuple):
    """A complete record, and the file that it refers to."""

    file_id: FileID
    record: bytes


def leaf_of(record: bytes, file_id: FileID) -> Leaf:
    return Leaf(file_id, insert_file_id(record, file_id))


class SeriesNode(_Node):
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


class StudyNode(_Node):
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
            time = conform("TM", values.get(time_tag, b""), b"")
            if date and time:
                have = self._earliest[rank]
                if have is None or (date, time) < have:
                    self._earliest[rank] = (date, time)

    def stand_ins(self) -> dict[int, tuple[bytes, str]]:
        """Study Date and Time by rule; never today's."""
        for pair, (_, _, words) in zip(self._earliest, _STAND_INS, strict=True):
            if pair is not None:
                return {STUDY_DATE: (pair[0], words), STUDY_TIME: (pair[1], words)}
        return {}

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


def _identity(instance: Instance, values: Mapping[int, bytes]) -> _Identity:
    """Raises MissingKeyError: the Patient ID is longer than it may be.

    Cut, it could be another patient's: it is refused, not mended.
    """
    patient_id = values.get(PATIENT_ID, b"").strip(b" \0")
    if is_too_long(KEY_VR[PATIENT_ID], patient_id, values.get(CHARSET, b"")):
        raise MissingKeyError(
            f"{tag_name(PATIENT_ID)} of {instance.sop_instance_uid} has more than 64 characters"
            " and may not be cut (PDI-85)"
        )
    return _Identity(
        patient_id or no_id(instance.study_instance_uid),
        values.get(_ISSUER, b"").strip(b" \0"),
        date_digits(values.get(_BIRTH_DATE, b"")),
    )


def no_id(study_instance_uid: str) -> bytes:
    """Patient ID of a record if the object has none: one patient a Study (PDI-82)."""
    digest = hashlib.sha256(study_instance_uid.encode("ascii")).hexdigest()
    return b"NOID_" + digest[:8].upper().encode("ascii")


class PatientNode(_Node):
    """The one patient of a File-set."""

    kind = profile.PATIENT

    def __init__(self, instance: Instance, values: Mapping[int, bytes]) -> None:
        super().__init__(instance)
        self._identity = _identity(instance, values)
        self._studies: dict[str, StudyNode] = {}
        self._series: dict[str, tuple[str, SeriesNode]] = {}

    def series_of(
        self, instance: Instance, values: Mapping[int, bytes], disagreements: list[Disagreement]
    ) -> SeriesNode:
        """The Series an object belongs to, made if need be; its keys go into all levels.

        Raises:
            MissingKeyError: The Patient ID is too long to stand in a record.
            MixedPatientError: Patient ID, its issuer or the birth date is another, or the Series
                stands in two Studies.
        """
        self._admit(_identity(instance, values))
        study_uid, series_uid = instance.study_instance_uid, instance.series_instance_uid
        known = self._series.get(series_uid)
        if known is not None and known[0] != study_uid:
            raise MixedPatientError(f"Series {series_uid} stands in two Studies")
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
        return self.record(
            maker, {PATIENT_ID: (self._identity.patient_id, "made of the Study Instance UID")}
        )
