"""FileSet: the record tree of one patient, encoded as the DICOMDIR (PS3.3 F.3, PS3.10 8.6).

Records are kept as bytes with open offsets and File IDs: 10,000 Instances cost megabytes, and they
can be added while they still arrive. What is open is filled in once, when all is known. Cost is
linear in the number of Instances, apart from one sort.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from dicomdir.directory import Directory, read_directory
from dicomdir.elements import element
from dicomdir.errors import DuplicateInstanceError, FileIDError, InstanceError
from dicomdir.file_id import FileID, Place, allocate, allocate_file_ids, place_of
from dicomdir.instance import Instance
from dicomdir.node import Disagreement
from dicomdir.part10 import encode_meta
from dicomdir.profile import EXPLICIT_LITTLE, IMAGE, ROOT_TYPES, record_type
from dicomdir.records import (
    LOWER_AT,
    NEXT_AT,
    PATIENT_ID,
    RecordMaker,
    number_of,
)
from dicomdir.supplied import Supplied
from dicomdir.tree import (
    KNOWN_ID_WORDS,
    Leaf,
    PatientNode,
    leaf_of,
    require_legal_id,
    says_no_id,
)

__all__ = [
    "DIRECTORY_SOP_CLASS",
    "Directory",
    "FileSet",
    "Supplied",
    "allocate_file_ids",
    "read_directory",
]

DIRECTORY_SOP_CLASS: Final = "1.2.840.10008.1.3.10"  # Media Storage Directory Storage
_FILE_SET_ID = re.compile(r"[A-Z0-9_]{1,11}")  # fits an ISO volume identifier and a FAT label too
_UID = re.compile(r"[0-9.]{1,64}")
_OFFSET = struct.Struct("<L")


class FileSet:
    """One File-set of one patient.

    Attributes:
        file_set_id: 1 to 11 characters A-Z 0-9 _, also the name of the volume.
        file_set_uid: New for each File-set; copies of one disc share it (PDI-62).
        supplied: What records have that objects lack, filled by `add` and `encode`.
        disagreements: Where objects of one Study or Series differ; the first one's value is kept.
    """

    def __init__(self, file_set_id: str, file_set_uid: str, *, known_id: bytes = b"") -> None:
        """
        Args:
            known_id: Patient ID in ASCII for objects that have none, where whoever gives them
                knows whose they are; b"": made of their Study, so that two of them are refused.
        """
        if _FILE_SET_ID.fullmatch(file_set_id) is None:
            raise FileIDError("File-set ID is not 1 to 11 characters of A-Z, 0-9 and _")
        if _UID.fullmatch(file_set_uid) is None:
            raise FileIDError("File-set UID is not a UID")
        self.file_set_id = file_set_id
        self.file_set_uid = file_set_uid
        self.disagreements: list[Disagreement] = []
        self._known_id = known_id
        self._maker = RecordMaker()
        self._patient: PatientNode | None = None
        self._top: list[tuple[str, bytes]] = []  # of no patient: hanging protocols, palettes
        self._places: dict[str, Place] = {}
        self._given: dict[str, FileID] = {}
        self._file_ids: set[str] = set()
        self._finished: _Finished | None = None

    @property
    def supplied(self) -> list[Supplied]:
        late = self._finished.supplied if self._finished is not None else []
        return self._maker.supplied + late

    def __len__(self) -> int:
        return len(self._places)

    def add(
        self,
        instance: Instance,
        file_id: FileID | None = None,
        *,
        transfer_syntax_uid: str | None = None,
        icon: bytes = b"",
        found: Mapping[int, tuple[bytes, str]] = MappingProxyType({}),
    ) -> None:
        """Take one Instance in; nothing of it is kept but its record.

        Args:
            file_id: None: given once all are known, as `allocate` does. All or none.
            transfer_syntax_uid: Of the file on the medium, if it was transcoded.
            icon, found: As in `RecordMaker.leaf`.
        Raises:
            InstanceError: It is not whole.
            UnsupportedSopClassError: Its SOP Class has no record type (PDI-81).
            DuplicateInstanceError: Its SOP Instance UID or its File ID is already there (PDI-67).
            MixedPatientError: Another patient than those before (PDI-67, PDI-85).
            SplitSeriesError: Its Series stands in another Study too (PDI-67).
            MissingKeyError: A Type 1 key is missing and no rule supplies it (PDI-82).
        """
        uid = instance.sop_instance_uid
        if instance.fault:
            raise InstanceError(f"SOP Instance {uid} is not whole: {instance.fault}")
        kind = record_type(instance.sop_class_uid)
        if uid in self._places:
            raise DuplicateInstanceError(f"SOP Instance {uid} comes twice")
        if file_id is not None and file_id in self._file_ids:
            raise DuplicateInstanceError(f"File ID {file_id} comes twice")
        values = instance.values()
        syntax = transfer_syntax_uid or instance.transfer_syntax_uid
        record, cut = self._maker.leaf(instance, values, syntax, icon=icon, found=found)
        if kind in ROOT_TYPES:
            self._top.append((uid, record))
        else:
            self._add_below_patient(instance, values, record, cut)
        self._places[uid] = place_of(instance, values)
        if file_id is not None:
            self._given[uid] = file_id
            self._file_ids.add(file_id)
        self._finished = None

    def require_keys(self, instance: Instance) -> None:
        """Raises MissingKeyError as `add` would, before anything is made of the object.

        Images are whole only if they have what their records need: nothing is tried for them.
        """
        values = instance.values()
        kind = record_type(instance.sop_class_uid)
        if kind != IMAGE:
            RecordMaker().leaf(instance, values, instance.transfer_syntax_uid)
        if kind not in ROOT_TYPES:
            require_legal_id(instance, values)

    def _add_below_patient(
        self, instance: Instance, values: Mapping[int, bytes], record: bytes, cut: int
    ) -> None:
        if self._patient is None:
            self._patient = PatientNode(instance, values, self._known_id)
        series = self._patient.series_of(instance, values, self.disagreements)
        series.add(number_of(values), record, cut, instance.sop_instance_uid)
        if self._known_id and says_no_id(values):
            said = Supplied(PATIENT_ID, instance.sop_instance_uid, f"PDI-82: {KNOWN_ID_WORDS}")
            self._maker.supplied.append(said)

    @property
    def file_ids(self) -> Mapping[str, FileID]:
        """SOP Instance UID to File ID."""
        return self._finish().file_ids

    def ordered(self) -> list[FileID]:
        """File IDs as the records stand in the DICOMDIR: as readers ask for the files."""
        finished = self._finish()
        below = [leaf for _, series in finished.studies for _, leaves in series for leaf in leaves]
        return [leaf.file_id for leaf in [*below, *finished.top]]

    def _finish(self) -> _Finished:
        """Records of all levels in their order; kept until something is added."""
        if self._finished is None:
            maker = RecordMaker()
            patient, studies = b"", []
            file_ids = self._given or allocate(self._places.values())
            if self._patient is not None:
                patient = self._patient.own_record(maker)
                studies = self._patient.finish(maker, file_ids)
            top = [leaf_of(record, file_ids[uid]) for uid, record in self._top]
            self._finished = _Finished(patient, studies, top, file_ids, maker.supplied)
        return self._finished

    def encode(self) -> bytes:
        """The whole DICOMDIR as a Part 10 file; the same bytes each time.

        Raises:
            MissingKeyError: A Type 1 key of the patient, a Study or a Series cannot be supplied.
            FileIDError: There is no Instance: an empty directory is not allowed (PDI-63).
        """
        if not self._places:
            raise FileIDError("a File-set without Instances")
        meta = encode_meta(DIRECTORY_SOP_CLASS, self.file_set_uid, EXPLICIT_LITTLE)
        identifier = element(0x00041130, "CS", self.file_set_id.encode("ascii"))
        # two offsets (12 bytes each), the consistency flag (10) and the sequence's header (12)
        writer = _Writer(len(meta) + len(identifier) + 12 + 12 + 10 + 12)
        top = []
        finished = self._finish()
        if finished.patient:
            patient = writer.place(finished.patient)
            top.append(patient)
            study_slots = []
            for study_record, all_series in finished.studies:
                study = writer.place(study_record)
                study_slots.append(study)
                series_slots = []
                for series_record, leaves in all_series:
                    series = writer.place(series_record)
                    series_slots.append(series)
                    writer.link(series, [writer.place(leaf.record) for leaf in leaves])
                writer.link(study, series_slots)
            writer.link(patient, study_slots)
        top += [writer.place(leaf.record) for leaf in finished.top]
        writer.link(None, top)
        body = writer.body
        return b"".join((
            meta,
            identifier,
            element(0x00041200, "UL", _OFFSET.pack(writer.start + top[0])),
            element(0x00041202, "UL", _OFFSET.pack(writer.start + top[-1])),
            element(0x00041212, "US", b"\0\0"),
            struct.pack("<HH2sHL", 0x0004, 0x1220, b"SQ", 0, len(body)),
            body,
        ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Finished:
    """Records that are complete but for their offsets."""

    patient: bytes
    studies: list[tuple[bytes, list[tuple[bytes, list[Leaf]]]]]
    top: list[Leaf]
    file_ids: Mapping[str, FileID]
    supplied: list[Supplied]


class _Writer:
    """Records one after the other. `start` is the file offset of the first."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.body = bytearray()

    def place(self, record: bytes) -> int:
        """Returns its position in `body`."""
        at = len(self.body)
        self.body += record
        return at

    def link(self, parent: int | None, children: list[int]) -> None:
        """Each child to the next one, the parent to the first (PS3.3 F.3.2.2)."""
        pack, body, start = _OFFSET.pack_into, self.body, self.start
        for this, following in pairwise(children):
            pack(body, this + NEXT_AT, start + following)
        if parent is not None and children:
            pack(body, parent + LOWER_AT, start + children[0])
