"""One series on one medium: its order of display, its chunks, its META."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dicomdir.viewer.pack import FIELDS, Packed
from dicomdir.viewer.seal import OVERHEAD_BYTES
from dicomdir.viewer.text import file_bytes

CHUNK_BYTES: Final = 1 << 20
HEADERS_BYTES: Final = 4 << 20  # of headers in one file, before they are deflated
_ROW_BYTES: Final = 64  # of a frame in META, at most; deflated it is less
_INSTANCE_BYTES: Final = 400


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

    Attributes:
        number: Of its folder, from 1.
        objects: With their File IDs, in DICOMDIR order.
        order: Instance and frame, in order of display.
        places: Of the frames in that order: chunk, from 1, and offset in it.
        header_places: Of the instances: header file, from 1, and offset in it once inflated.
    """

    number: int
    objects: Sequence[tuple[str, Packed]]
    order: list[tuple[int, int]] = field(default_factory=list)
    chunks: list[Gathered] = field(default_factory=list)
    headers: list[Gathered] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    header_places: list[tuple[int, int]] = field(default_factory=list)

    @property
    def folder(self) -> str:
        return f"S{self.number:07d}"

    @property
    def raw_bytes(self) -> int:
        return sum(it.raw_bytes for _, it in self.objects)

    @property
    def most_bytes(self) -> list[int]:
        """Sizes of all its files, none of which will be larger."""
        meta = len(self.order) * _ROW_BYTES + len(self.objects) * _INSTANCE_BYTES + 256
        return [
            file_bytes(f"{self.folder}/META", meta + OVERHEAD_BYTES),
            *(
                file_bytes(it.name, it.payload_bytes + OVERHEAD_BYTES)
                for it in (*self.headers, *self.chunks)
            ),
        ]

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
        return json.dumps(facts, separators=(",", ":")).encode("ascii")


def lay_out_series(number: int, objects: Sequence[tuple[str, Packed]]) -> SeriesLayout:
    """Order and cut a series.

    Args:
        objects: With their File IDs, in DICOMDIR order.
    """
    layout = SeriesLayout(number, objects)
    layout.order = display_order([it for _, it in objects])
    pieces: list[tuple[int, int, int]] = []
    size = 0
    for instance, frame in layout.order:
        packed = objects[instance][1]
        offset, length, *_ = _frame(packed, frame)
        if pieces and (size >= CHUNK_BYTES or length > CHUNK_BYTES):
            layout.chunks.append(Gathered(_name(layout, "C", layout.chunks), pieces))
            pieces, size = [], 0
        layout.places.append((len(layout.chunks) + 1, size))
        pieces.append((packed.worker, offset, length))
        size += length
    if pieces:
        layout.chunks.append(Gathered(_name(layout, "C", layout.chunks), pieces))
    pieces, size = [], 0
    for _, packed in objects:
        offset, length = packed.header
        if pieces and size + length > HEADERS_BYTES:
            layout.headers.append(
                Gathered(_name(layout, "H", layout.headers), pieces, deflate=True)
            )
            pieces, size = [], 0
        layout.header_places.append((len(layout.headers) + 1, size))
        pieces.append((packed.worker, offset, length))
        size += length
    layout.headers.append(Gathered(_name(layout, "H", layout.headers), pieces, deflate=True))
    return layout


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


def _name(layout: SeriesLayout, letter: str, before: Sequence[Any]) -> str:
    return f"{layout.folder}/{letter}{len(before) + 1:07d}"


def _frame(packed: Packed, frame: int) -> tuple[int, int, int, int, int]:
    offset, length, codec, predictor, crc = packed.frames[frame * FIELDS : (frame + 1) * FIELDS]
    return offset, length, codec, predictor, crc
