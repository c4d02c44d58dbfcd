"""Fragments put together to frames, with offset tables that are right, wrong or not there."""

from __future__ import annotations

import struct
import tempfile

import pytest

from dicomdir.decompress import encapsulated_frames
from dicomdir.errors import TranscodeError

A, B, C, D = b"AAAA", b"BBBB", b"CCCC", b"DD" + b"\xff\xd9"
EOI = b"\xff\xd9"


def item(value: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0" + struct.pack("<L", len(value)) + value


def frames(offsets: list[int], fragments: list[bytes], wanted: int) -> list[bytes]:
    table = b"".join(struct.pack("<L", it) for it in offsets)
    whole = item(table) + b"".join(map(item, fragments)) + b"\xfe\xff\xdd\xe0\0\0\0\0"
    with tempfile.TemporaryFile() as file:
        file.write(b"before" + whole)
        file.flush()
        return list(encapsulated_frames(file.fileno(), 6, wanted))


@pytest.mark.parametrize(
    "offsets",
    [[], [0, 12, 24], [0, 14, 24], [12, 24, 36], [12, 0, 24], [0, 0, 24], [0, 12, 99], [0, 12]],
)
def test_a_wrong_table_does_no_harm_where_each_frame_is_one_fragment(offsets: list[int]) -> None:
    assert frames(offsets, [A, B, C], 3) == [A, B, C]


def test_a_right_table_tells_frames_of_several_fragments() -> None:
    assert frames([0, 24], [A, B, C, D], 2) == [A + B, C + D]
    assert frames([0, 12], [A, B, C, D], 2) == [A, B + C + D]
    assert frames([0], [A, B, C, D], 1) == [A + B + C + D]
    assert frames([], [A, B + EOI, C, D], 2) == [A + B + EOI, C + D]


@pytest.mark.parametrize(
    "offsets", [[0, 22], [12, 24], [24, 0], [0, 0], [0, 99], [0], [0, 12, 24], [0, 8]]
)
def test_a_wrong_table_is_refused_where_it_is_needed(offsets: list[int]) -> None:
    with pytest.raises(TranscodeError, match="Basic Offset Table"):
        frames(offsets, [A, B, C, D], 2)


def test_fewer_fragments_than_frames() -> None:
    with pytest.raises(TranscodeError, match="fewer"):
        frames([], [A], 2)
