"""Pack: the objects of one patient encoded while they arrive, kept for the media they go onto.

What stays in memory of an object is a few hundred bytes; frames and headers lie in files. One pack
serves all media of a set.
"""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dicomdir.file_id import integer
from dicomdir.instance import Instance
from dicomdir.pdi import FileSource
from dicomdir.summary import is_image
from dicomdir.viewer.early import EarlyChunks, EarlySeries
from dicomdir.viewer.facts import kind_of, text
from dicomdir.viewer.model import Original
from dicomdir.viewer.pool import Answer, Pool

JPEG_BASELINE: Final = "1.2.840.10008.1.2.4.50"
FIELDS: Final = 5  # of a frame: offset, length, codec, predictor, checksum

_INSTANCE_NUMBER, _POSITION, _ORIENTATION = 0x00200013, 0x00200032, 0x00200037


@dataclass(frozen=True, slots=True)
class Packed:
    """One object, encoded.

    Attributes:
        number: Instance Number, None if it has none.
        place: Where its slice lies along the normal, in mm; None if it has no place.
        plane: Orientation of that normal: places of two planes are not compared.
        worker: Whose file it lies in.
        header: Offset and length there.
        described: As `source.Described` has it; None of an object without pixels.
        frames: FIELDS numbers each.
        previews: Of the frames that have one: a frame's FIELDS, pixels of the frame to one of the
            preview along each side, bits that were dropped.
    """

    sop_instance_uid: str
    sop_class_uid: str
    number: int | None
    place: float | None
    plane: tuple[float, ...]
    worker: int
    header: tuple[int, int]
    described: tuple[Any, ...] | None
    frames: array[int]
    previews: Mapping[int, tuple[int, ...]] | None = None

    @property
    def frame_count(self) -> int:
        return len(self.frames) // FIELDS

    @property
    def raw_bytes(self) -> int:
        if self.described is None:
            return 0
        rows, columns, samples, allocated = self.described[:4]
        return int(rows * columns * samples * allocated // 8 * self.frame_count)


@dataclass(slots=True)
class SeriesFacts:
    """What the first object of a series says; texts are clean.

    Attributes:
        folder: Its number on the media, from 1 in the order in which series came.
    """

    folder: int
    study_instance_uid: str
    modality: str
    number: str
    description: str
    body_part: str
    date: str
    kind: str
    laterality: str = ""


@dataclass(slots=True)
class StudyFacts:
    """What the first object of a study says; texts are clean."""

    date: str
    time: str
    description: str
    accession: str
    physician: str = ""


@dataclass(slots=True)
class PatientFacts:
    """As MANIFEST has them."""

    name: str = ""
    id: str = ""
    birth: str = ""
    sex: str = ""


class Pack:
    """Encodes what is added; a context manager that ends its processes.

    Args:
        folder: A new one for its files.
        on_alive: Called now and then while work goes on.
        has_hashes: The SHA-256 of every object's file is wanted too.
        is_early: Make chunks while objects arrive.

    Attributes:
        series_of: Series Instance UID of each object that was added.
        objects: What is encoded, by SOP Instance UID; complete after `settle`.
        unpackable: Why, by Series Instance UID.
        series: Facts by Series Instance UID, in the order in which they came.
        hashes: SHA-256 of objects' files as they will stand on the medium, as far as known.
        made_hashes: SHA-256 of data files that were made last, by path.
    """

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 0,
        on_alive: Callable[[], None] = lambda: None,
        has_hashes: bool = False,
        is_early: bool = False,
    ) -> None:
        folder.mkdir(mode=0o700, parents=True)
        self.folder = folder
        self.pool = Pool(folder, size=workers, on_alive=on_alive)
        self._has_hashes = has_hashes
        self._early = EarlyChunks(self.pool.submit, has_hash=has_hashes) if is_early else None
        self.objects: dict[str, Packed] = {}
        self.unpackable: dict[str, str] = {}
        self.series: dict[str, SeriesFacts] = {}
        self.studies: dict[str, StudyFacts] = {}
        self.patient = PatientFacts()
        self.hashes: dict[str, bytes] = {}
        self.made_hashes: dict[str, bytes] = {}
        self._files = 0
        self.series_of: dict[str, str] = {}

    def __enter__(self) -> Pack:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.close()

    def add(
        self,
        instance: Instance,
        source: FileSource,
        original: Original | None = None,
        *,
        head: bytes = b"",
    ) -> None:
        """Encode an object as it will stand on the medium; one that is known already is not.

        Args:
            source: Its file, in Explicit VR Little Endian.
            original: What it was converted from: lossy JPEG goes along as it came.
            head: What will stand before `source` on the medium.
        """
        uid, series = instance.sop_instance_uid, instance.series_instance_uid
        if uid in self.series_of or not series:  # palettes and the like belong to nobody
            return
        self.series_of[uid] = sys.intern(series)
        is_first = series not in self.series
        if is_first:
            self._take_facts(instance)
        if series in self.unpackable:
            return
        jpeg = None
        if original is not None and original.transfer_syntax_uid == JPEG_BASELINE:
            jpeg = [original.path, original.data_offset]
        start = source.offset_bytes or instance.data_offset
        request = {
            "task": "encode",
            "series": series,
            "path": os.fspath(source.path),
            "start": start,
            "end": source.offset_bytes + source.size_bytes,
            "pixels": is_image(instance),
            "jpeg": jpeg,
            "texts": is_first,
            "hash": [head.hex(), source.offset_bytes, source.size_bytes]
            if self._has_hashes
            else [],
        }
        kept = _Kept(
            uid,
            instance.sop_class_uid,
            series,
            instance.study_instance_uid,
            integer(instance.value(_INSTANCE_NUMBER)),
            *_place(instance),
        )
        if self._early is not None:
            self._early.expect(series, self.series[series].folder, uid)
        self.pool.submit(request, lambda answer: self._take(kept, answer))
        if self._early is not None:
            self._early.hand_over()

    def settle(self) -> None:
        """Wait until all that was added is encoded.

        Raises:
            OSError: The disk is full, or a file is gone.
        """
        self.pool.drain()
        if self._early is not None:
            self._early.finish()
            self._early.hand_over()
            self.pool.drain()

    def early(self, series: str) -> EarlySeries | None:
        """Chunks that are made already of a series."""
        return None if self._early is None else self._early.of(series)

    def new_path(self) -> Path:
        """Of a file that nobody else has."""
        self._files += 1
        return self.folder / f"m{self._files:04d}"

    def _take(self, kept: _Kept, answer: Answer) -> None:
        if "failed" in answer:
            raise OSError(answer["failed"], "an object cannot be encoded")
        if sha256 := answer.get("sha256"):
            self.hashes[kept.sop_instance_uid] = bytes.fromhex(sha256)
        if "worker" not in answer:
            reason = answer.get("unpackable", "crashed")
            self.unpackable.setdefault(kept.series_instance_uid, reason)
            if self._early is not None:
                self._early.drop(kept.series_instance_uid)
            return
        if texts := answer.get("texts"):
            series = self.series[kept.series_instance_uid]
            series.laterality = texts["laterality"] or texts["image_laterality"]
            study = self.studies[kept.study_instance_uid]
            study.physician = study.physician or texts["physician"]
        described = answer["described"]
        self.objects[kept.sop_instance_uid] = Packed(
            kept.sop_instance_uid,
            kept.sop_class_uid,
            kept.number,
            kept.place,
            kept.plane,
            answer["worker"],
            tuple(answer["header"]),
            described and tuple(described.values()),
            array("Q", [number for frame in answer["frames"] for number in frame]),
            {frame: tuple(rest) for frame, *rest in answer["previews"]} or None,
        )
        if self._early is not None and kept.series_instance_uid not in self.unpackable:
            pieces = [(answer["worker"], frame[0], frame[1]) for frame in answer["frames"]]
            self._early.take(kept.series_instance_uid, kept.sop_instance_uid, pieces)

    def _take_facts(self, instance: Instance) -> None:
        if not self.series:
            self.patient = PatientFacts(
                text(instance, 0x00100010),
                text(instance, 0x00100020),
                text(instance, 0x00100030),
                text(instance, 0x00100040),
            )
        self.studies.setdefault(
            instance.study_instance_uid,
            StudyFacts(
                date=text(instance, 0x00080020),
                time=text(instance, 0x00080030),
                description=text(instance, 0x00081030),
                accession=text(instance, 0x00080050),
            ),
        )
        self.series[instance.series_instance_uid] = SeriesFacts(
            len(self.series) + 1,
            instance.study_instance_uid,
            modality=text(instance, 0x00080060),
            number=text(instance, 0x00200011),
            description=text(instance, 0x0008103E),
            body_part=text(instance, 0x00180015),
            date=text(instance, 0x00080021),
            kind=kind_of(instance),
        )


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is known of an object before it is encoded."""

    sop_instance_uid: str
    sop_class_uid: str
    series_instance_uid: str
    study_instance_uid: str
    number: int | None
    place: float | None
    plane: tuple[float, ...]


def _place(instance: Instance) -> tuple[float | None, tuple[float, ...]]:
    """Where a slice lies along its normal, and the normal (PS3.3 C.7.6.2.1.1)."""
    position = _numbers(instance.value(_POSITION), 3)
    axes = _numbers(instance.value(_ORIENTATION), 6)
    if position is None or axes is None:
        return None, ()
    (a, b, c), (d, e, f) = axes[:3], axes[3:]
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    place = sum(n * p for n, p in zip(normal, position, strict=True))
    return place, tuple(round(number, 2) + 0.0 for number in normal)


def _numbers(value: bytes | None, count: int) -> tuple[float, ...] | None:
    parts = (value or b"").strip(b" \0").split(b"\\")
    if len(parts) != count or any(len(part) > 32 for part in parts):
        return None
    try:
        numbers = tuple(float(part) for part in parts)
    except ValueError:
        return None
    return numbers if all(abs(number) < 1e9 for number in numbers) else None
