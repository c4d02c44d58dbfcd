"""Headers, the window over a file, and sequences: bounds first."""

from __future__ import annotations

import struct

import pytest

from dicomdir.elements import (
    BIG_ENDIAN,
    EXPLICIT,
    IMPLICIT,
    MAX_DEPTH,
    MAX_KEPT_DEPTH,
    MAX_LOADED_BYTES,
    UNDEFINED,
    Codec,
    Source,
    element,
    elements,
    item,
    split,
    swap,
)
from dicomdir.errors import HeaderIncompleteError, InstanceError, TruncatedInstanceError
from dicomdir.scanner import scan
from dicomdir.sequences import kept_again, kept_sequence, rewrite, skip

ITEM = struct.pack("<HHL", 0xFFFE, 0xE000, UNDEFINED)
ITEM_END = struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)


def open_sequence(tag: int, content: bytes, *, vr: bytes = b"SQ") -> bytes:
    """An explicit element of undefined length with its delimiter."""
    head = struct.pack("<HH2sHL", tag >> 16, tag & 0xFFFF, vr, 0, UNDEFINED)
    return head + content + SEQUENCE_END


def memory(data: bytes) -> Source:
    return Source(None, len(data), data)


class TestWriting:
    def test_values_are_padded_as_their_vr_wants(self) -> None:
        assert element(0x00080060, "CS", b"CT1") == b"\x08\x00\x60\x00CS\x04\x00CT1 "
        assert element(0x00080018, "UI", b"1.2").endswith(b"1.2\0")

    def test_long_vrs_have_long_headers(self) -> None:
        assert element(0x00081140, "SQ", b"") == b"\x08\x00\x40\x11SQ\0\0\0\0\0\0"

    def test_refuses_what_a_short_header_cannot_say(self) -> None:
        with pytest.raises(InstanceError, match=r"\(0008,0080\)"):
            element(0x00080080, "LO", b"x" * 0x10000)

    def test_split_gives_back_what_element_made(self) -> None:
        parts = {
            0x00080060: ("CS", b"CT"),
            0x00081140: ("SQ", item(b"")),
            0x00280010: ("US", b"\1\0"),
        }
        data = b"".join(element(tag, vr, value) for tag, (vr, value) in parts.items())
        assert split(data) == {tag: value for tag, (_, value) in parts.items()}
        assert list(elements(data)) == [(tag, vr, value) for tag, (vr, value) in parts.items()]

    @pytest.mark.parametrize(
        "data",
        [
            b"\x08\0\x60\0CS\x04\0CT",  # ends inside the value
            b"\x08\0\x60\0C",  # ends inside the header
            b"\x08\0\x60\0??\x02\0CT",  # no such VR
            element(0x00080060, "CS", b"CT") * 2,  # a tag twice
            b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff",  # undefined length
        ],
    )
    def test_split_refuses_anything_else(self, data: bytes) -> None:
        with pytest.raises(InstanceError):
            split(data)

    @pytest.mark.parametrize(
        ("vr", "big", "little"),
        [
            ("US", b"\1\2\3\4", b"\2\1\4\3"),
            ("UL", b"\1\2\3\4", b"\4\3\2\1"),
            ("AT", b"\0\x28\0\x10", b"\x28\0\x10\0"),
            ("FD", b"\1\2\3\4\5\6\7\x08", b"\x08\7\6\5\4\3\2\1"),
            ("CS", b"AB", b"AB"),
        ],
    )
    def test_swap(self, vr: str, big: bytes, little: bytes) -> None:
        assert swap(big, vr) == little

    def test_tags_are_swapped_both_ways(self) -> None:
        for codec in (EXPLICIT, IMPLICIT, BIG_ENDIAN):
            assert codec.tag(codec.tag(0x7FE00010)) == 0x7FE00010


class TestSource:
    def test_moves_its_window_and_counts_what_it_loads(self) -> None:
        data = bytes(range(256)) * 4096
        source = Source(lambda at, count: data[at : at + count], len(data), data[:64])
        start = source.load(500_000, 16)
        assert source.buf[start : start + 16] == data[500_000:500_016]
        assert len(source.buf) < 100_000

    def test_the_end_of_the_file_is_truncation(self) -> None:
        with pytest.raises(TruncatedInstanceError):
            memory(b"12345678").load(4, 5)

    def test_the_end_of_what_is_known_is_incomplete(self) -> None:
        with pytest.raises(HeaderIncompleteError):
            Source(None, 100, b"12345678").load(4, 5)

    def test_a_file_that_shrinks_is_truncated(self) -> None:
        with pytest.raises(TruncatedInstanceError):
            Source(lambda _at, _count: b"", 100, b"").load(0, 8)

    def test_a_header_cannot_be_endless(self) -> None:
        """Elements of 5,000 bytes: every header costs a window, and the windows are limited."""
        one = element(0x00091001, "OB", bytes(5000))
        copies = MAX_LOADED_BYTES // 4096 + 100
        size = len(one) * copies

        def read(at: int, count: int) -> bytes:
            first = at % len(one)
            return (one * (2 + count // len(one)))[first : first + count]

        with pytest.raises(InstanceError, match="header larger"):
            scan(Source(read, size, b""), 0, EXPLICIT, {})


class TestSkipping:
    @pytest.mark.parametrize("codec", [EXPLICIT, IMPLICIT])
    def test_nested_sequences_of_undefined_length(self, codec: Codec) -> None:
        if codec is EXPLICIT:
            inner = open_sequence(0x00081140, ITEM + element(0x00081155, "UI", b"1.2") + ITEM_END)
        else:
            inner = struct.pack("<HHL", 8, 0x1140, UNDEFINED) + ITEM + ITEM_END + SEQUENCE_END
        data = ITEM + inner + ITEM_END + item(b"12345678") + SEQUENCE_END + b"behind."
        assert skip(memory(data), 0, codec) == len(data) - 7

    def test_a_sequence_in_un_is_implicit(self) -> None:
        inner = struct.pack("<HHL", 9, 0x1001, 4) + b"abcd"
        data = ITEM + open_sequence(0x00091002, ITEM + inner + ITEM_END, vr=b"UN") + ITEM_END
        assert skip(memory(data + SEQUENCE_END), 0, EXPLICIT) == len(data) + 8

    def test_depth_is_limited_without_recursion(self) -> None:
        deep = b"".join(
            ITEM + struct.pack("<HH2sHL", 8, 0x1140, b"SQ", 0, UNDEFINED) for _ in range(100_000)
        )
        with pytest.raises(InstanceError, match=f"deeper than {MAX_DEPTH}"):
            skip(memory(deep), 0, EXPLICIT)

    def test_depth_up_to_the_limit_is_fine(self) -> None:
        data = SEQUENCE_END
        for _ in range(MAX_DEPTH - 1):
            data = ITEM + struct.pack("<HH2sHL", 8, 0x1140, b"SQ", 0, UNDEFINED) + data
            data += ITEM_END + SEQUENCE_END
        assert skip(memory(data), 0, EXPLICIT) == len(data)

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            ITEM,
            ITEM + element(0x00080060, "CS", b"CT"),
            struct.pack("<HHL", 0xFFFE, 0xE000, 100) + b"short",
        ],
    )
    def test_an_end_inside_is_truncation(self, data: bytes) -> None:
        with pytest.raises(TruncatedInstanceError):
            skip(memory(data), 0, EXPLICIT)

    @pytest.mark.parametrize(
        "data",
        [
            element(0x00080060, "CS", b"CT") + bytes(8),  # no item
            ITEM + b"\x08\0\x60\0??\x02\0CT" + ITEM_END + SEQUENCE_END,  # no such VR
        ],
    )
    def test_what_is_no_sequence_is_refused(self, data: bytes) -> None:
        with pytest.raises(InstanceError):
            skip(memory(data), 0, EXPLICIT)


class TestKeptSequences:
    def test_undefined_lengths_become_defined_and_private_attributes_go(self) -> None:
        content = element(0x00081155, "UI", b"1.2.3") + element(0x00091001, "LO", b"private")
        data = ITEM + content + ITEM_END + SEQUENCE_END
        kept = kept_sequence(memory(data), 0x00081140, 0, len(data), EXPLICIT)
        assert kept == item(element(0x00081155, "UI", b"1.2.3"))

    def test_big_endian_becomes_little(self) -> None:
        number = struct.pack(">HH2sHH", 0x0040, 0xA0B0, b"US", 2, 258)
        data = struct.pack(">HHL", 0xFFFE, 0xE000, len(number)) + number
        kept = kept_sequence(memory(data), 0x00081140, 0, len(data), BIG_ENDIAN)
        assert kept == item(element(0x0040A0B0, "US", b"\2\1"))

    def test_shared_groups_are_pruned(self) -> None:
        position = element(0x00209113, "SQ", item(element(0x00200032, "DS", b"1\\2\\3")))
        other = element(0x00289132, "SQ", item(element(0x00281050, "DS", b"40")))
        data = item(position + other)
        kept = kept_sequence(memory(data), 0x52009229, 0, len(data), EXPLICIT)
        assert kept == item(position)

    def test_recursion_is_limited(self) -> None:
        data = b""
        for _ in range(MAX_KEPT_DEPTH + 2):
            data = item(element(0x0040A170, "SQ", data))
        with pytest.raises(InstanceError, match="deeper"):
            kept_sequence(memory(data), 0x00081140, 0, len(data), EXPLICIT)

    @pytest.mark.parametrize("cut", range(1, 60, 3))
    def test_damage_is_refused(self, cut: int) -> None:
        whole = item(element(0x0040A170, "SQ", item(element(0x00080100, "SH", b"113000" * 4))))
        with pytest.raises(InstanceError):
            rewrite(element(0x00081140, "SQ", whole)[:-cut], BIG_ENDIAN)
        with pytest.raises(InstanceError):
            kept_sequence(memory(whole[:-cut]), 0x00081140, 0, len(whole) - cut, EXPLICIT)

    def test_sizes_are_limited(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data = item(b"") * 9
        monkeypatch.setattr("dicomdir.sequences.MAX_CONTENT_ITEMS", 8)
        with pytest.raises(InstanceError, match="content items"):
            kept_sequence(memory(data), 0x0040A730, 0, len(data), EXPLICIT)
        monkeypatch.setattr("dicomdir.sequences.MAX_SEQUENCE_BYTES", 71)
        with pytest.raises(InstanceError, match="longer than"):
            kept_sequence(memory(data), 0x00081140, 0, len(data), EXPLICIT)

    def child(self, relation: bytes, kind: bytes, meaning: bytes, below: bytes = b"") -> bytes:
        """A content item with a code, and what stands below it."""
        return item(
            element(0x0040A010, "CS", relation)
            + element(0x0040A040, "CS", kind)
            + (element(0x0040A160, "UT", meaning) if kind == b"TEXT" else b"")
            + element(0x0040A168, "SQ", item(element(0x00080104, "LO", meaning) + below))
            + below
        )

    def test_modifiers_are_limited_in_sum(self) -> None:
        data = self.child(b"HAS CONCEPT MOD", b"CODE", bytes(40_000)) * 2
        with pytest.raises(InstanceError, match="modifiers"):
            kept_sequence(memory(data), 0x0040A730, 0, len(data), EXPLICIT)

    @pytest.mark.parametrize(
        "below",
        [
            element(0x0040A160, "UT", b"secret"),
            element(0x0040A730, "SQ", item(element(0x0040A160, "UT", b"secret"))),
            element(0x00091010, "LO", b"secret"),
        ],
    )
    def test_only_the_codes_of_concept_modifiers_are_kept_of_content(self, below: bytes) -> None:
        """PDI-79: no word of the report, however it hangs below a modifier."""
        kept = self.child(b"HAS CONCEPT MOD", b"CODE", b"kept")
        data = b"".join((
            self.child(b"CONTAINS", b"TEXT", b"HAS CONCEPT MOD"),
            self.child(b"HAS CONCEPT MOD", b"CODE", b"kept", below),
            self.child(b"HAS CONCEPT MOD", b"TEXT", b"secret"),
        ))  # fmt: skip
        assert kept_sequence(memory(data), 0x0040A730, 0, len(data), EXPLICIT) == kept
        assert kept_again(0x0040A730, data) == kept
