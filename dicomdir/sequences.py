"""Sequences: stepping over them without recursion, keeping the few that records need."""

from __future__ import annotations

from dicomdir.elements import (
    EXPLICIT,
    IMPLICIT,
    MAX_CONTENT_ITEMS,
    MAX_DEPTH,
    MAX_KEPT_DEPTH,
    MAX_SEQUENCE_BYTES,
    MAX_VALUE_BYTES,
    UNDEFINED,
    Codec,
    Source,
    element,
    item,
    split,
    swap,
    tag_name,
)
from dicomdir.errors import InstanceError, TruncatedInstanceError
from dicomdir.keys import (
    CODED,
    CONCEPT_MODIFIER,
    CONTENT_SEQUENCE,
    KEEP,
    NESTED_VR,
    RELATIONSHIP_TYPE,
    VALUE_TYPE,
    Keep,
)


def skip(source: Source, at: int, codec: Codec, *, in_item: bool = False) -> int:
    """Step over a sequence of undefined length whose first item begins at file offset `at`.

    What has a defined length inside is stepped over by it. Also walks encapsulated pixels of icons.

    Args:
        in_item: `at` is inside an item of undefined length, to the end of which it goes.
    Returns:
        The file offset behind the delimiter.
    Raises:
        InstanceError: Nested deeper than MAX_DEPTH, or not a sequence.
    """
    # The codec around each open sequence: one in UN changes it (PS3.5 6.2.2).
    outer: list[Codec] = []
    floor = 0 if in_item else 1
    if not in_item:
        outer.append(codec)
    buf, base = source.buf, source.base
    pos = at - base
    while True:
        if pos + 12 > len(buf) or pos < 0:
            if not source.load_header(base + pos):
                raise TruncatedInstanceError("the data set ends inside a sequence")
            pos += base
            buf, base = source.buf, source.base
            pos -= base
        raw, length = codec.item(buf, pos)
        if not in_item:
            pos += 8
            if raw == codec.item_start:
                if length == UNDEFINED:
                    in_item = True
                else:
                    pos += length
            elif raw == codec.sequence_end:
                codec = outer.pop()
                if len(outer) < floor:
                    return base + pos
                in_item = True
            else:
                raise InstanceError(f"{tag_name(codec.tag(raw))} where an item is wanted")
        elif raw == codec.item_end:
            pos += 8
            if not outer:
                return base + pos
            in_item = False
        else:
            inner = codec
            header = 8
            if codec.explicit:
                raw, vr, short, length = codec.unpack(buf, pos)
                known = codec.header_of.get(vr)
                if known is None:
                    raise InstanceError(f"{tag_name(codec.tag(raw))} has no known VR")
                if known == 8:
                    pos += 8 + short
                    continue
                header = 12
                if length == UNDEFINED and codec.vr_name[vr] == "UN":
                    inner = IMPLICIT
            pos += header
            if length == UNDEFINED:
                if len(outer) >= MAX_DEPTH:
                    raise InstanceError(f"sequences nested deeper than {MAX_DEPTH}")
                outer.append(codec)
                codec, in_item = inner, False
            else:
                pos += length


class _Everything(dict[int, Keep]):
    """Keeps each attribute, private ones too, however deep."""

    def __contains__(self, _tag: object) -> bool:
        return True

    def get(self, _tag: int, _default: object = None) -> Keep:
        return self


def rewrite(content: bytes, codec: Codec) -> dict[int, bytes]:
    """Values of one item's content by tag, little endian; sequences of defined length all through.

    Raises:
        InstanceError: Damaged, or a tag twice.
    """
    if codec.explicit and not codec.big and b"\xff\xff\xff\xff" not in content:
        return split(content)  # nothing in it has an undefined length
    whole, _ = _item_content(content, 0, len(content), codec, _Everything(), 0, delimited=False)
    return split(whole)


def kept_sequence(source: Source, tag: int, at: int, end: int, codec: Codec) -> bytes:
    """What `keys.KEEP` says of the sequence at `at` to `end`, as items of defined length.

    Raises:
        InstanceError: Larger than MAX_SEQUENCE_BYTES, nested deeper than MAX_KEPT_DEPTH, or
            damaged.
    """
    if tag == CONTENT_SEQUENCE:
        return _concept_modifiers(source, at, end, codec)
    if end - at > MAX_SEQUENCE_BYTES:
        raise InstanceError(f"{tag_name(tag)} is longer than {MAX_SEQUENCE_BYTES} bytes")
    start = source.load(at, end - at)
    return _items(source.buf, start, start + end - at, codec, KEEP[tag], 0)[0]


def _concept_modifiers(source: Source, at: int, end: int, codec: Codec) -> bytes:
    """The root's coded HAS CONCEPT MOD children alone (PDI-79), each at most MAX_VALUE_BYTES."""
    kept = []
    total = count = 0
    while at < end:
        count += 1
        if count > MAX_CONTENT_ITEMS:
            raise InstanceError("more content items than any honest document has")
        start = source.load(at, 8)
        raw, length = codec.item(source.buf, start)
        if raw == codec.sequence_end:
            break
        if raw != codec.item_start:
            raise InstanceError(f"{tag_name(codec.tag(raw))} where an item is wanted")
        stop = skip(source, at + 8, codec, in_item=True) if length == UNDEFINED else at + 8 + length
        if stop > end:
            raise InstanceError("an item ends behind its sequence")
        if stop - at <= MAX_VALUE_BYTES:
            start = source.load(at, stop - at)
            content = source.buf[start : start + stop - at]
            if CONCEPT_MODIFIER in content and _is_modifier(content, codec):
                kept.append(_items(content, 0, len(content), codec, KEEP[CONTENT_SEQUENCE], 0)[0])
                total += len(kept[-1])
                if total > MAX_VALUE_BYTES:
                    raise InstanceError("more concept modifiers than any honest document has")
        at = stop
    return b"".join(kept)


def _is_modifier(content: bytes, codec: Codec) -> bool:
    said, _ = _items(
        content, 0, len(content), codec, {RELATIONSHIP_TYPE: None, VALUE_TYPE: None}, 0
    )
    values = {tag: value.strip(b" \0") for tag, value in split(said[8:]).items()}
    return values == {RELATIONSHIP_TYPE: CONCEPT_MODIFIER, VALUE_TYPE: CODED}


def kept_again(tag: int, value: bytes) -> bytes:
    """The same of a sequence in a record, which another maker may have kept more of.

    Raises:
        InstanceError: As `kept_sequence`.
    """
    return kept_sequence(Source(None, len(value), value), tag, 0, len(value), EXPLICIT)


def _items(
    data: bytes, pos: int, end: int, codec: Codec, keep: Keep, depth: int
) -> tuple[bytes, int]:
    """Items from `pos` up to `end` or a sequence delimiter, rewritten; and where they end."""
    if depth > MAX_KEPT_DEPTH:
        raise InstanceError(f"sequences nested deeper than {MAX_KEPT_DEPTH}")
    out: list[bytes] = []
    while pos < end:
        if end - pos < 8:
            raise InstanceError("a sequence ends inside an item header")
        raw, length = codec.item(data, pos)
        pos += 8
        if raw == codec.sequence_end:
            break
        if raw != codec.item_start:
            raise InstanceError(f"{tag_name(codec.tag(raw))} where an item is wanted")
        if length == UNDEFINED:
            content, pos = _item_content(data, pos, end, codec, keep, depth, delimited=True)
        else:
            if pos + length > end:
                raise InstanceError("an item ends behind its sequence")
            content, pos = _item_content(
                data, pos, pos + length, codec, keep, depth, delimited=False
            )
        out.append(item(content))
    return b"".join(out), pos


def _item_content(
    data: bytes, pos: int, end: int, codec: Codec, keep: Keep, depth: int, *, delimited: bool
) -> tuple[bytes, int]:
    """Elements of one item, rewritten; and where it ends."""
    out: list[bytes] = []
    while pos < end:
        if end - pos < 8:
            raise InstanceError("an item ends inside an element header")
        raw, length = codec.item(data, pos)
        if delimited and raw == codec.item_end:
            return b"".join(out), pos + 8
        tag, vr, inner = codec.tag(raw), "", codec
        if codec.explicit:
            number, short = codec.unpack(data[pos : pos + 8] + bytes(4), 0)[1:3]
            vr = codec.vr_name.get(number, "")
            length = short
            if codec.header_of.get(number) == 12:
                if end - pos < 12:
                    raise InstanceError("an item ends inside an element header")
                length = codec.unpack(data, pos)[3]
                pos += 4
            elif not vr:
                raise InstanceError(f"{tag_name(tag)} has no known VR")
            if vr == "UN" and length == UNDEFINED:
                inner = IMPLICIT
        pos += 8
        if vr in ("", "UN"):
            vr = NESTED_VR.get(tag, "UN")
            if vr == "SQ" and codec.explicit:
                inner = IMPLICIT
        wanted = not tag >> 16 & 1 if keep is None else tag in keep
        deeper = None if keep is None else keep.get(tag)
        if length == UNDEFINED:
            content, pos = _items(data, pos, end, inner, deeper, depth + 1)
            vr = "SQ"
        else:
            if pos + length > end:
                raise InstanceError("an element ends behind its item")
            if vr == "SQ":
                content = b""
                if wanted:
                    content, _ = _items(data, pos, pos + length, inner, deeper, depth + 1)
            else:
                content = data[pos : pos + length]
                if codec.big and wanted:
                    content = swap(content, vr)
            pos += length
        if wanted:
            out.append(element(tag, vr, content))
    if delimited:
        raise InstanceError("an item without delimiter")
    return b"".join(out), pos
