"""Sizes of what is to be placed on media, gathered while the objects pass by.

A Load is an Instance as `dicomdir.span` sees it: how long its file, its record and the pages made
of it are. What cannot be known before a medium is built is bounded from above.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from dicomdir import profile
from dicomdir.encrypt.manifest import manifest_bytes
from dicomdir.encrypt.seal import authenticated_bytes, sealed_bytes
from dicomdir.errors import InstanceError
from dicomdir.file_id import Place, place_of
from dicomdir.instance import Instance
from dicomdir.records import CHARSET, KEYS, RecordMaker
from dicomdir.references import is_companion
from dicomdir.values import date_digits

_FILE_ID_BYTES: Final = 8 + len("DICOM\\P0000001\\ST000001\\SE000001\\D0000001\\I0000001")
_NUMBER_BYTES: Final = 8 + 12  # an Instance Number that is supplied
_RECORD_BYTES: Final = 8 + 46 + 8 + 16  # item, offsets and flag, type, charset's head
_SUPPLIED_BYTES: Final = 64  # no value that is supplied is longer
_ICON_BYTES: Final = 8 << 10  # of the one icon that a Series has
_GROWTH: Final = 3  # bytes of UTF-8 for one of any other character set
_HEADER_BYTES: Final = 1024  # of a DICOMDIR: preamble, meta information, its own elements
_MAX_STEPS: Final = 4  # from a key object to a presentation state to an image, and so on
_STUDY_DATE, _STUDY_TIME = 0x00080020, 0x00080030
_STUDY_DESCRIPTION, _SERIES_DESCRIPTION = 0x00081030, 0x0008103E
_MODALITY, _SERIES_NUMBER = 0x00080060, 0x00200011


@dataclass(frozen=True, slots=True)
class Load:
    """One Instance.

    Attributes:
        size_bytes: Of its file on the plain medium.
        record_bytes: Of its directory record, at most.
        page_files: Sizes of the files made of it for the pages, such as JPEGs.
    """

    sop_instance_uid: str
    size_bytes: int
    record_bytes: int
    page_files: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SeriesLoad:
    """One Series; texts are raw DICOM text.

    Attributes:
        instances: In the order wanted on the medium.
        record_bytes: Of its own directory record, at most.
        page_files: Sizes of the pages of the Series itself.
        follows: Series Instance UID of the one in the same Study that it goes with if it can, for
            presentation states, key objects and reports (PDI-103); "" for none.
        refers_to: SOP Instance UID in that one, which it goes with if that is split; "" for any.
    """

    series_instance_uid: str
    instances: tuple[Load, ...]
    record_bytes: int
    page_files: tuple[int, ...] = ()
    follows: str = ""
    refers_to: str = ""
    number: str = ""
    modality: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class StudyLoad:
    """One Study; `date` is YYYYMMDD or ""."""

    study_instance_uid: str
    series: tuple[SeriesLoad, ...]
    record_bytes: int
    date: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Overhead:
    """What every medium of a set carries beside its objects.

    Attributes:
        files: Paths and sizes of what is the same on each and in clear: README.TXT, the viewer;
            on a protected one its INDEX.HTM.
        page_files: Sizes, at most, of the pages that differ: INDEX.HTM, the contents; on a
            protected medium all that is sealed besides objects.
        directory_bytes: Of a DICOMDIR without Studies, at most.
        is_protected: Everything but `files` is sealed.
    """

    files: tuple[tuple[str, int], ...]
    page_files: tuple[int, ...] = ()
    directory_bytes: int = _HEADER_BYTES + 2048
    is_protected: bool = False

    def stored(self, size_bytes: int) -> int:
        """How long a file of this size is on the medium."""
        return sealed_bytes(size_bytes) if self.is_protected else size_bytes

    def manifest_bytes(self, files: int) -> int:
        """Of the list on a protected medium of so many files, at most."""
        return authenticated_bytes(manifest_bytes(files + len(self.files) + 1))


@dataclass(slots=True)
class _Series:
    number: str
    modality: str
    description: str
    record_bytes: int = 0
    loads: list[tuple[Place, Load]] = field(default_factory=list)
    is_companion: bool = True  # each of its objects is one
    references: Counter[str] = field(default_factory=Counter)  # SOP Instance UIDs


@dataclass(slots=True)
class _Study:
    date: str
    moment: str
    description: str
    record_bytes: int = 0
    series: dict[str, _Series] = field(default_factory=dict)


class Gathering:
    """Loads of one patient's objects, in any order; keeps a few numbers of each."""

    def __init__(self) -> None:
        self._maker = RecordMaker()
        self._studies: dict[str, _Study] = {}
        self._patient_bytes = 0
        self._series_of: dict[str, str] = {}

    def add(
        self,
        instance: Instance,
        size_bytes: int,
        *,
        page_files: tuple[int, ...] = (),
        refers_to: Collection[str] = (),
    ) -> None:
        """Take one Instance in.

        Args:
            size_bytes: Of its file as it will lie on the medium.
            refers_to: SOP Instance UIDs, of an object that goes with those (PDI-103).
        Raises:
            UnsupportedSopClassError, MissingKeyError: As `FileSet.add`.
        """
        values = instance.values()
        record, _ = self._maker.leaf(instance, values, instance.transfer_syntax_uid)
        record_bytes = len(record) + _FILE_ID_BYTES + _NUMBER_BYTES
        study = self._studies.get(instance.study_instance_uid)
        if study is None:
            date = date_digits(values.get(_STUDY_DATE, b"")).decode("ascii")
            time = values.get(_STUDY_TIME, b"").strip(b" \0").decode("ascii", "replace")
            study = _Study(date, date + time, _text(instance, _STUDY_DESCRIPTION))
            self._studies[instance.study_instance_uid] = study
        series = study.series.get(instance.series_instance_uid)
        if series is None:
            record_bytes += _ICON_BYTES
            series = _Series(
                _text(instance, _SERIES_NUMBER),
                _text(instance, _MODALITY),
                _text(instance, _SERIES_DESCRIPTION),
            )
            study.series[instance.series_instance_uid] = series
        load = Load(instance.sop_instance_uid, size_bytes, record_bytes, page_files)
        series.loads.append((place_of(instance, values), load))
        series.is_companion = series.is_companion and is_companion(instance)
        series.references.update(refers_to)
        self._series_of[instance.sop_instance_uid] = instance.series_instance_uid
        series.record_bytes = max(series.record_bytes, _record_bound(profile.SERIES, values))
        study.record_bytes = max(study.record_bytes, _record_bound(profile.STUDY, values))
        self._patient_bytes = max(self._patient_bytes, _record_bound(profile.PATIENT, values))

    @property
    def directory_bytes(self) -> int:
        """Of a DICOMDIR without Studies, at most."""
        return _HEADER_BYTES + self._patient_bytes

    @property
    def series(self) -> int:
        return sum(len(study.series) for study in self._studies.values())

    @property
    def instances(self) -> int:
        return sum(
            len(series.loads)
            for study in self._studies.values()
            for series in study.series.values()
        )

    def studies(self) -> list[StudyLoad]:
        """Newest first; Series and Instances in the order of their numbers."""
        ordered = sorted(self._studies.items(), key=lambda item: item[0])
        ordered.sort(key=lambda item: item[1].moment, reverse=True)
        return [
            StudyLoad(
                uid,
                _in_order(study.series, self._series_of),
                study.record_bytes,
                study.date,
                study.description,
            )
            for uid, study in ordered
        ]


def _in_order(
    series: Mapping[str, _Series], series_of: Mapping[str, str]
) -> tuple[SeriesLoad, ...]:
    found = []
    for uid, one in sorted(series.items(), key=lambda item: min(item[1].loads)[0]):
        loads = tuple(load for _, load in sorted(one.loads, key=lambda pair: pair[0]))
        follows, refers_to = _leader(one, series, series_of)
        found.append(
            SeriesLoad(
                uid, loads, one.record_bytes, (), follows, refers_to,
                one.number, one.modality, one.description,
            )
        )  # fmt: skip
    return tuple(found)


def _leader(
    one: _Series, series: Mapping[str, _Series], series_of: Mapping[str, str]
) -> tuple[str, str]:
    """The Series that most of its references lead to, by way of other companions too; and one of
    the objects there. "" and "" for none.
    """
    if not one.is_companion:
        return "", ""
    references, seen = one.references, set[str]()
    for _ in range(_MAX_STEPS):
        counts: Counter[str] = Counter()
        first: dict[str, str] = {}
        onward: Counter[str] = Counter()
        for uid, count in sorted(references.items()):
            there = series_of.get(uid, "")
            if there not in series or there in seen:
                continue
            if series[there].is_companion:
                seen.add(there)
                onward.update(series[there].references)
            else:
                counts[there] += count
                first.setdefault(there, uid)
        if counts:
            leader = min(counts, key=lambda it: (-counts[it], it))
            return leader, first[leader]
        references = onward
    return "", ""


def _record_bound(kind: str, values: Mapping[int, bytes]) -> int:
    """No record of this kind is longer, whichever of its objects gives which key."""
    texts = sum(
        12 + max(_SUPPLIED_BYTES, _GROWTH * len(values.get(key.tag, b""))) for key in KEYS[kind]
    )
    return _RECORD_BYTES + texts + max(len(values.get(CHARSET, b"")), _SUPPLIED_BYTES)


def _text(instance: Instance, tag: int) -> str:
    """A page does without a text that cannot be decoded."""
    try:
        return instance.text(tag)
    except InstanceError:
        return ""
