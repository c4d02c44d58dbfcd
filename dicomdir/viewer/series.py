"""One series on one medium: its order of display, its chunks, its META."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from dicomdir.viewer.early import (
    FIRST_CHUNK_BYTES,
    EarlySeries,
    MadeChunk,
    ends_before,
    series_folder,
)
from dicomdir.viewer.pack import FIELDS, Packed
from dicomdir.viewer.seal import OVERHEAD_BYTES
from dicomdir.viewer.text import file_bytes

HEADERS_BYTES: Final = 4 << 20  # of headers in one file, before they are deflated
PREVIEWS_BYTES: Final = 256 << 10  # in one file: a tenth of a second of a CD
_ROW_BYTES: Final = 64  # of a frame in META, at most; deflated it is less
_INSTANCE_BYTES: Final = 400
_MOST_SPREAD: Final = 4  # a chunk made early is used if its frames are spread over no more places


@dataclass(frozen=True, slots=True)
class Gathered:
    """One data file to be: pieces of what was encoded.

    Attributes:
        name: Such as "S0000001/C0000001".
        pieces: Worker, offset and length each.
    """

    name: str
    pieces: list[tuple[int, int, int]]
    deflate: bool = False

    @property
    def payload_bytes(self) -> int:
        """At most, where they are deflated."""
        size = sum(length for _, _, length in self.pieces)
        return size + size // 1000 + 64 if self.deflate else size


@dataclass(slots=True)
class SeriesLayout:
    """Where everything of a series goes.

    The first headers and the first previews are wanted with META and stand in its file.

    Attributes:
        number: Of its folder, from 1.
        objects: With their File IDs, in DICOMDIR order.
        order: Instance and frame, in order of display.
        made: Chunks that are there already, from the first one on.
        chunks: Those to be made, behind them.
        previews: Files of coarse pictures, of those frames that have one.
        places: Of the frames in that order: chunk, from 1, and offset in it.
        header_places: Of the instances: header file, from 1, and offset in it once inflated.
        preview_places: File, from 1, and offset, by place in the order of display.
    """

    number: int
    objects: Sequence[tuple[str, Packed]]
    order: list[tuple[int, int]] = field(default_factory=list)
    made: list[MadeChunk] = field(default_factory=list)
    chunks: list[Gathered] = field(default_factory=list)
    headers: list[Gathered] = field(default_factory=list)
    previews: list[Gathered] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    header_places: list[tuple[int, int]] = field(default_factory=list)
    preview_places: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        return series_folder(self.number)

    @property
    def raw_bytes(self) -> int:
        return sum(it.raw_bytes for _, it in self.objects)

    @property
    def with_meta(self) -> list[Gathered]:
        """What META's file has besides: all that the first image needs but its pixels."""
        return [*self.headers[:1], *self.previews[:1]]

    @property
    def files(self) -> list[Gathered]:
        """What has a file of its own, in the order wanted on the medium."""
        return [*self.headers[1:], *self.previews[1:], *self.chunks]

    @property
    def most_bytes(self) -> dict[str, int]:
        """Sizes of all its files by name, none of which will be larger."""
        rows = len(self.order) + len(self.preview_places)
        meta = rows * _ROW_BYTES + len(self.objects) * _INSTANCE_BYTES + 256
        first = f"{self.folder}/META"
        sizes = {first: file_bytes(first, meta + OVERHEAD_BYTES)}
        sizes[first] += sum(_most_bytes(it) for it in self.with_meta)
        sizes |= {it.name: it.size_bytes for it in self.made}
        return sizes | {it.name: _most_bytes(it) for it in self.files}

    def meta(self, sizes: Sequence[tuple[int, int]]) -> bytes:
        """META, not deflated.

        Args:
            sizes: Payload and file bytes of each chunk.
        """
        instances = []
        first = 0
        for (file_id, it), (header, offset) in zip(self.objects, self.header_places, strict=True):
            rows, columns, samples, allocated, stored, signed, photometric = it.described or (
                0,
                0,
                0,
                0,
                0,
                0,
                "",
            )
            instances.append({
                "uid": it.sop_instance_uid,
                "class": it.sop_class_uid,
                "number": it.number,
                "file": file_id,
                "frames": it.frame_count,
                "first": first,
                "header": [header, offset, it.header[1]],
                "rows": rows,
                "columns": columns,
                "samples": samples,
                "allocated": allocated,
                "stored": stored,
                "signed": signed,
                "photometric": photometric,
                "planar": 0,
            })  # fmt: skip
            first += it.frame_count
        frames = []
        for (instance, frame), (chunk, offset) in zip(self.order, self.places, strict=True):
            _, length, codec, predictor, crc = _frame(self.objects[instance][1], frame)
            frames.append([chunk, offset, length, codec, predictor, crc])
        facts = {"instances": instances, "order": self.order, "frames": frames, "chunks": sizes}
        if self.preview_places:
            facts["previews"] = [
                [at, file, offset, *self._preview(at)[1:]]
                for at, (file, offset) in self.preview_places.items()
            ]
        return json.dumps(facts, separators=(",", ":")).encode("ascii")

    def _preview(self, at: int) -> tuple[int, ...]:
        """Offset, length and all else of the preview of a frame, by its place in the order."""
        instance, frame = self.order[at]
        return (self.objects[instance][1].previews or {})[frame]


def lay_out_series(
    number: int, objects: Sequence[tuple[str, Packed]], early: EarlySeries | None = None
) -> SeriesLayout:
    """Order and cut a series.

    Args:
        objects: With their File IDs, in DICOMDIR order.
        early: Chunks that were made while they arrived.
    """
    layout = SeriesLayout(number, objects)
    layout.order = display_order([it for _, it in objects])
    if early is not None and (places := _early_places(layout, early)):
        layout.places = places
        layout.made = [it for it in early.chunks if it is not None]
    _cut_chunks(layout)
    previews, headers = _Cutter(layout, "P"), _Cutter(layout, "H")
    for at, (instance, frame) in enumerate(layout.order):
        packed = objects[instance][1]
        if preview := (packed.previews or {}).get(frame):
            if previews.size >= PREVIEWS_BYTES:
                previews.end()
            layout.preview_places[at] = previews.add(packed.worker, *preview[:2])
    for _, packed in objects:
        offset, length = packed.header
        if headers.size + length > HEADERS_BYTES:
            headers.end()
        layout.header_places.append(headers.add(packed.worker, offset, length))
    layout.previews = previews.all()
    layout.headers = headers.all(deflate=True)
    return layout


def _early_places(layout: SeriesLayout, early: EarlySeries) -> list[tuple[int, int]]:
    """Where the frames lie in the chunks that are there; none if those do not serve.

    They do if they hold the frames of this medium and no others, and whoever scrolls finds
    neighbours in one chunk.
    """
    shown = {packed.sop_instance_uid for _, packed in layout.objects if packed.frame_count}
    if shown != {uid for uid, places in early.places.items() if places} or None in early.chunks:
        return []
    by_object = [early.frame_places(packed.sop_instance_uid) for _, packed in layout.objects]
    places = [by_object[instance][frame] for instance, frame in layout.order]
    spans: dict[int, tuple[int, int, int]] = {}
    for at, (chunk, _) in enumerate(places):
        first, _, count = spans.get(chunk, (at, at, 0))
        spans[chunk] = (first, at, count + 1)
    is_near = all(last - first < _MOST_SPREAD * count for first, last, count in spans.values())
    return places if is_near else []


def _cut_chunks(layout: SeriesLayout) -> None:
    """Chunks of what lies in none yet, and a short one if the first image would wait for a long."""
    chunks = _Cutter(layout, "C", after=len(layout.made))
    for at, (instance, frame) in enumerate(layout.order):
        packed = layout.objects[instance][1]
        offset, length, *_ = _frame(packed, frame)
        if layout.made:
            first = layout.made[layout.places[at][0] - 1]
            waits = first.payload_bytes > FIRST_CHUNK_BYTES + length
            if chunks.size >= FIRST_CHUNK_BYTES or not (waits or chunks.size):
                break
        elif ends_before(chunks.size, chunks.number, length):
            chunks.end()
        place = chunks.add(packed.worker, offset, length)
        layout.places[at : at + 1] = [place]
    layout.chunks = chunks.all()


class _Cutter:
    """Pieces of a series into files of one kind.

    Attributes:
        size: Bytes in the file that is being filled.

    Args:
        after: How many files of the kind there are already.
    """

    def __init__(self, layout: SeriesLayout, letter: str, after: int = 0) -> None:
        self._start = f"{layout.folder}/{letter}"
        self._after = after
        self._files: list[list[tuple[int, int, int]]] = [[]]
        self.size = 0

    @property
    def number(self) -> int:
        """Of the file that is being filled, from 1."""
        return self._after + len(self._files)

    def end(self) -> None:
        """What comes goes into another file, if there is anything in this one."""
        if self._files[-1]:
            self._files.append([])
            self.size = 0

    def add(self, worker: int, offset: int, length: int) -> tuple[int, int]:
        """Number of the file, from 1, and offset in it."""
        place = (self.number, self.size)
        self._files[-1].append((worker, offset, length))
        self.size += length
        return place

    def all(self, *, deflate: bool = False) -> list[Gathered]:
        found = enumerate(self._files, self._after + 1)
        return [Gathered(f"{self._start}{n:07d}", it, deflate) for n, it in found if it]


def display_order(objects: Sequence[Packed]) -> list[tuple[int, int]]:
    """Instance and frame as they are looked at.

    Along the normal where all are slices of one plane with a place each and no two have the same,
    in the direction in which Instance Numbers rise; else by Instance Number. Frames of an object
    stay as they are.
    """
    numbered = sorted(
        range(len(objects)),
        key=lambda at: (objects[at].number is None, objects[at].number or 0, at),
    )
    shown = [at for at in numbered if objects[at].frame_count]
    places = [objects[at].place for at in shown]
    planes = {objects[at].plane for at in shown}
    if (
        len(shown) > 1
        and len(planes) == 1
        and None not in places
        and len(set(places)) == len(places)
        and all(objects[at].frame_count == 1 for at in shown)
    ):
        along = {at: objects[at].place or 0.0 for at in shown}
        half = len(shown) // 2  # rising if the later half of the numbers lies higher on the whole
        low = sum(along[at] for at in shown[:half]) / half
        high = sum(along[at] for at in shown[half:]) / (len(shown) - half)
        shown.sort(key=lambda at: along[at], reverse=high < low)
    return [(at, frame) for at in shown for frame in range(objects[at].frame_count)]


def _most_bytes(file: Gathered) -> int:
    return file_bytes(file.name, file.payload_bytes + OVERHEAD_BYTES)


def _frame(packed: Packed, frame: int) -> tuple[int, int, int, int, int]:
    offset, length, codec, predictor, crc = packed.frames[frame * FIELDS : (frame + 1) * FIELDS]
    return offset, length, codec, predictor, crc
