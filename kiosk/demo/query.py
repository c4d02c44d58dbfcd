"""What the demo archive holds and how a query matches it: Study Root (PS3.4 C.2.2, C.6.2)."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import PersonName

LEVELS = ("STUDY", "SERIES", "IMAGE")
_UNIQUE = {"STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}

# attributes that exist at each level, from the objects themselves
_KEYS = {
    "STUDY": (
        "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyDescription",
        "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex",
        "PatientAge", "InstitutionName", "StudyInstanceUID", "StudyID",
    ),
    "SERIES": (
        "SeriesDate", "SeriesTime", "Modality", "SeriesDescription", "SeriesInstanceUID",
        "SeriesNumber", "BodyPartExamined", "Laterality", "StationName", "Manufacturer",
    ),
    "IMAGE": (
        "SOPClassUID", "SOPInstanceUID", "InstanceNumber", "ContentDate", "ContentTime",
        "ImageType", "AcquisitionDate", "AcquisitionTime", "AcquisitionNumber", "NumberOfFrames",
        "Rows", "Columns", "ImageLaterality", "ViewPosition",
    ),
}  # fmt: skip
# and those that are counted or gathered
_GATHERED = {
    "STUDY": (
        "ModalitiesInStudy", "SOPClassesInStudy",
        "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances",
    ),
    "SERIES": ("NumberOfSeriesRelatedInstances",),
    "IMAGE": ("AvailableTransferSyntaxUID",),
}  # fmt: skip
_ALWAYS = ("RetrieveAETitle", "InstanceAvailability")
_NOT_KEYS = ("SpecificCharacterSet", "QueryRetrieveLevel", "TimezoneOffsetFromUTC")

_SINGLE_OR_RANGE = {"DA", "TM"}
_NO_WILDCARD = {"UI", "IS", "DS", "US", "UL", "SS", "SL", "FL", "FD"}


class UnsuitableQueryError(Exception):
    """The identifier is none of the model's: status A900H (PS3.4 C.4.1.1.4)."""


@dataclass(frozen=True, slots=True)
class Held:
    """One object in the archive; `header` has its attributes of all levels and nothing else."""

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    series_instance_uid: str
    study_instance_uid: str
    header: Dataset


@dataclass(frozen=True, slots=True)
class Answer:
    """One match; `is_full` is false if a key was asked for that this archive does not have."""

    identifier: Dataset
    is_full: bool


class Catalogue:
    """All objects of a folder, read once."""

    def __init__(self, held: list[Held], ae_title: str) -> None:
        self._held = held
        self._ae_title = ae_title
        self._by_study: dict[str, list[Held]] = {}
        self._by_series: dict[str, list[Held]] = {}
        for one in held:
            self._by_study.setdefault(one.study_instance_uid, []).append(one)
            self._by_series.setdefault(one.series_instance_uid, []).append(one)

    def __len__(self) -> int:
        return len(self._held)

    @classmethod
    def of_folder(cls, folder: Path, ae_title: str) -> Catalogue:
        """Index every Part 10 file below a folder; others are passed over."""
        files = sorted(p for p in folder.rglob("*") if p.is_file() and _is_part_10(p))
        return cls([_read(path) for path in files], ae_title)

    def contexts(self) -> list[tuple[str, str]]:
        """SOP Class and transfer syntax pairs that are held."""
        return sorted({(h.sop_class_uid, h.transfer_syntax_uid) for h in self._held})

    def find(self, query: Dataset) -> Iterator[Answer]:
        """C-FIND. Raises UnsuitableQueryError at once or with the first match."""
        level = _level(query)
        _check_keys_above(query, level)
        for group in self._entities(level):
            entity = self._attributes(group, level)
            if all(
                element.keyword in _NOT_KEYS
                or element.tag not in entity
                or matches(element, entity[element.tag])
                for element in query
            ):
                yield self._answer(query, entity, level)

    def select(self, query: Dataset) -> list[Held]:
        """C-MOVE: the objects that the unique keys name, in the order they are held.

        Raises:
            UnsuitableQueryError: No level, or a unique key of the level or above is missing.
        """
        level = _level(query)
        chosen = self._held
        for name in LEVELS[: LEVELS.index(level) + 1]:
            keyword = _UNIQUE[name]
            wanted = set(_values(query[keyword])) if keyword in query else set()
            if not wanted or any("*" in uid or "?" in uid for uid in wanted):
                raise UnsuitableQueryError(f"{keyword} must name what to move")
            chosen = [held for held in chosen if str(held.header[keyword].value) in wanted]
        return chosen

    def _entities(self, level: str) -> Iterator[list[Held]]:
        if level == "STUDY":
            yield from self._by_study.values()
        elif level == "SERIES":
            yield from self._by_series.values()
        else:
            yield from ([held] for held in self._held)

    def _attributes(self, group: list[Held], level: str) -> Dataset:
        """What is known of one study, series or object; levels above come along."""
        entity = Dataset()
        first = group[0].header
        if "SpecificCharacterSet" in first:
            entity.SpecificCharacterSet = first.SpecificCharacterSet
        for name in LEVELS[: LEVELS.index(level) + 1]:
            for keyword in _KEYS[name]:
                source = next((h.header for h in group if keyword in h.header), None)
                if source is not None:
                    entity[keyword] = source[keyword]
                else:
                    entity.add_new(Tag(keyword), dictionary_VR(keyword), None)
        study, series = (
            self._by_study[group[0].study_instance_uid],
            self._by_series[group[0].series_instance_uid],
        )
        entity.ModalitiesInStudy = sorted({str(h.header.Modality) for h in study})
        entity.SOPClassesInStudy = sorted({h.sop_class_uid for h in study})
        entity.NumberOfStudyRelatedSeries = len({h.series_instance_uid for h in study})
        entity.NumberOfStudyRelatedInstances = len(study)
        if level != "STUDY":
            entity.NumberOfSeriesRelatedInstances = len(series)
        if level == "IMAGE":
            entity.AvailableTransferSyntaxUID = group[0].transfer_syntax_uid
        entity.RetrieveAETitle = self._ae_title
        entity.InstanceAvailability = "ONLINE"
        return entity

    def _answer(self, query: Dataset, entity: Dataset, level: str) -> Answer:
        identifier = Dataset()
        if "SpecificCharacterSet" in entity:
            identifier.SpecificCharacterSet = entity.SpecificCharacterSet
        identifier.QueryRetrieveLevel = level
        is_full = True
        for element in query:
            if element.keyword in _NOT_KEYS:
                continue
            if element.tag in entity:
                identifier[element.tag] = entity[element.tag]
            elif not _is_group_length(element.tag):
                is_full = False
        for keyword in (_UNIQUE[level], *_ALWAYS):
            identifier[keyword] = entity[keyword]
        return Answer(identifier, is_full)


def matches(key: DataElement, held: DataElement) -> bool:
    """Attribute matching (PS3.4 C.2.2.2): universal, single, list of UID, wildcard, range."""
    wanted, values = _values(key), _values(held)
    if not wanted:
        return True  # universal
    if key.VR == "PN":
        return any(_name_matches(w, v) for w in wanted for v in values)
    if key.VR in _SINGLE_OR_RANGE:
        return any(_time_matches(wanted[0], value) for value in values)
    if key.VR in _NO_WILDCARD:
        return any(value in wanted for value in values)
    return any(_wildcard(w).fullmatch(value) for w in wanted for value in values) or (
        set(wanted) == {"*"}  # matches what has no value too (C.2.2.2.4)
    )


def _values(element: DataElement) -> list[str]:
    value = element.value
    if value is None:
        return []
    many = value if isinstance(value, MultiValue | list) else [value]
    texts = (str(one).rstrip(" \0") for one in many)
    return [text for text in texts if text]


def _wildcard(pattern: str) -> re.Pattern[str]:
    # fnmatch knows [..] too, DICOM does not
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")))


def _name_matches(wanted: str, held: str) -> bool:
    """Without regard to case; against the whole name or one of its component groups."""
    pattern = _wildcard(_plain_name(wanted))
    groups = [_plain_name(group) for group in held.split("=")]
    return any(pattern.fullmatch(text) for text in (_plain_name(held), *groups))


def _plain_name(text: str) -> str:
    return "=".join(group.rstrip("^ ") for group in text.split("=")).casefold()


def _time_matches(wanted: str, held: str) -> bool:
    """A date or time, or a range of them; of shorter times the missing part counts as any."""
    low, dash, high = wanted.partition("-")
    if not dash:
        return held.startswith(wanted)
    return (not low or held >= low) and (not high or held[: len(high)] <= high)


def _level(query: Dataset) -> str:
    level = str(query.get("QueryRetrieveLevel", "")).strip()
    if level not in LEVELS:
        raise UnsuitableQueryError("no such Query/Retrieve Level in the Study Root model")
    return level


def _check_keys_above(query: Dataset, level: str) -> None:
    """Hierarchical search: every level above is named by one UID (PS3.4 C.4.1.2.1)."""
    for name in LEVELS[: LEVELS.index(level)]:
        keyword = _UNIQUE[name]
        uids = _values(query[keyword]) if keyword in query else []
        if len(uids) != 1 or "*" in uids[0] or "?" in uids[0]:
            raise UnsuitableQueryError(f"{keyword} must name one {name.lower()}")


def _is_group_length(tag: BaseTag) -> bool:
    return tag.element == 0


def _is_part_10(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _read(path: Path) -> Held:
    names = [keyword for level in LEVELS for keyword in _KEYS[level]]
    ds = dcmread(path, stop_before_pixels=True, specific_tags=["SpecificCharacterSet", *names])
    header = Dataset()
    for element in ds:
        if isinstance(element.value, PersonName):
            element.value.decode()  # while the object's own character set is at hand
        header[element.tag] = element
    return Held(
        path=path,
        sop_class_uid=str(ds.file_meta.MediaStorageSOPClassUID),
        sop_instance_uid=str(ds.file_meta.MediaStorageSOPInstanceUID),
        transfer_syntax_uid=str(ds.file_meta.TransferSyntaxUID),
        series_instance_uid=str(ds.SeriesInstanceUID),
        study_instance_uid=str(ds.StudyInstanceUID),
        header=header,
    )
