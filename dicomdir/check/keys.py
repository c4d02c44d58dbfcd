"""Rules on the keys of records, by themselves and against the objects they speak of (PDI-68 to 84).

Messages name tags and File IDs, never values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from dicomdir.charset import decode, defined, needs_charset
from dicomdir.check.structure import where
from dicomdir.check.tree import Collector
from dicomdir.directory import DirectoryRecord
from dicomdir.elements import elements, tag_name
from dicomdir.errors import InstanceError
from dicomdir.keys import (
    CONCEPT_MODIFIER,
    CONTENT_SEQUENCE,
    KEY_VR,
    RELATIONSHIP_TYPE,
    TEXT_VALUE,
    VALUE_TYPE,
)
from dicomdir.pdi import DICOMDIR
from dicomdir.profile import IMAGE, PATIENT, SERIES, SPECTROSCOPY, STUDY
from dicomdir.records import (
    CHARSET,
    KEYS,
    PATIENT_ID,
    VERIFICATION_DATETIME,
    first_item,
    object_value,
)
from dicomdir.sequences import kept_again
from dicomdir.values import (
    MANY_VALUED,
    TEXT_VRS,
    conform,
    conform_sequence,
    has_foreign_text,
    is_legal_id,
    items_of,
)

VR: Final = {**KEY_VR, VERIFICATION_DATETIME: "DT"}
RULES: Final = {PATIENT: "PDI-74", STUDY: "PDI-75", SERIES: "PDI-76", IMAGE: "PDI-77"}
_ICON: Final = 0x00880200
_SOP_INSTANCE: Final = 0x00041511
_ZERO_LED = re.compile(rb"(?:^|\.)0[0-9]")
_CONCEPT_NAME: Final = 0x0040A043
_ICON_SIDE: Final = 64  # PDI-80: what readers have to cope with
_MAX_KNOWN: Final = 4096
_BINARY: Final = frozenset({"SQ", "US", "UL"})

# Of each record type: tag, how much it is needed, padding of its VR.
_PLAN: Final = {
    kind: tuple((tag, needed, b"" if VR[tag] in _BINARY else b" \0") for tag, needed in keys)
    for kind, keys in KEYS.items()
}

# What DVD and USB profiles want beyond PS3.3 and CD (PS3.11 table H.3-2).
_IMAGE_ADDITIONS: Final = frozenset({
    0x0008002A, 0x00181800, 0x00200032, 0x00200037, 0x00200052, 0x00200200, 0x00280008, 0x00280010,
    0x00280011, 0x00280030, 0x00282112, 0x00500004,
})  # fmt: skip
ADDITIONS: Final[Mapping[str, frozenset[int]]] = {
    PATIENT: frozenset({0x00100030, 0x00100040}),
    SERIES: frozenset({0x00080080, 0x00080081, 0x00081050}),
    IMAGE: _IMAGE_ADDITIONS,
    SPECTROSCOPY: _IMAGE_ADDITIONS - {0x00280008, 0x00280010, 0x00280011},
}
# Sequences of references: on CD the UIDs are enough (PS3.11 table D.3-2).
_REFERENCES: Final = frozenset({0x00081115, 0x00081140, 0x00089092, 0x00700402})
_UID_TAGS: Final = frozenset({0x00081150, 0x00081155, 0x0020000D, 0x0020000E})


def rule_of(kind: str) -> str:
    return RULES.get(kind, "PDI-78")


class KeyCheck:
    """Checks records one by one.

    Args:
        is_cd: What only DVD and USB profiles want is one warning, not an error each.
    """

    def __init__(self, found: Collector, *, is_cd: bool) -> None:
        self._found = found
        self._is_cd = is_cd
        self._additions: dict[str, set[tuple[int, int]]] = {}  # offsets and tags by record type
        self._known: set[tuple[int, bytes]] = set()  # ASCII values that are of their VR

    def lacks(self, record: DirectoryRecord, tag: int, path: str, words: str = "") -> None:
        """A key is not there. On CD, what DVD and USB ask for beyond it is counted alone."""
        if self._is_cd and tag in ADDITIONS.get(record.type, ()):
            self._additions.setdefault(record.type, set()).add((record.offset, tag))
            return
        reason = f"{where(record)} lacks {tag_name(tag)}{words}"
        self._found.error(rule_of(record.type), path, reason)

    def lacks_of_object(self, record: DirectoryRecord, tag: int, path: str) -> None:
        """The same where an object has it; a key that every record needs was found by `check`."""
        if any(key.tag == tag and key.type != "1C" for key in KEYS.get(record.type, ())):
            return
        self.lacks(record, tag, path, " that an object has")

    def finish(self) -> None:
        """What was counted."""
        for kind, lacking in self._additions.items():
            records, tags = (len({pair[at] for pair in lacking}) for at in (0, 1))
            reason = (
                f"{kind} records: {records} without some of {tags} keys that CD does not ask for"
            )
            self._found.warn(rule_of(kind), DICOMDIR, reason)

    def check(self, record: DirectoryRecord, values: Mapping[int, bytes]) -> None:
        """What a record can break by itself.

        Args:
            values: `record.values`.
        """
        path = record.file_id
        for tag, needed, padding in _PLAN.get(record.type, ()):
            if needed == "1C":
                continue
            value = values.get(tag)
            if value and (needed == "2" or not padding or value.strip(padding)):
                continue
            if needed == "1" or value is None:
                self.lacks(record, tag, path)
        try:
            self._check_values(record, values)
            if TEXT_VALUE in values:
                reason = f"{where(record)} holds text of the document"
                self._found.error("PDI-79", path, reason)
            if _CONCEPT_NAME in values or CONTENT_SEQUENCE in values or _ICON in values:
                self._check_sequences(record, values)
        except InstanceError:
            self._found.error(rule_of(record.type), path, f"{where(record)} has a damaged sequence")

    def _check_values(self, record: DirectoryRecord, values: Mapping[int, bytes]) -> None:
        path, known, found = record.file_id, self._known, self._found
        charset = values.get(CHARSET, b"")
        self._check_uid(record, _SOP_INSTANCE, values.get(_SOP_INSTANCE, b""))
        foreign = False
        for pair in values.items():
            if pair in known:
                continue
            tag, value = pair
            vr = VR.get(tag)
            if vr is None or tag == CHARSET:
                continue
            if vr == "SQ":
                if has_foreign_text(vr, value):
                    foreign = True
                    if _has_no_extensions(charset) and _has_escapes(value):
                        reason = f"{tag_name(tag)} holds escape sequences without code extensions"
                        found.error("PDI-68", path, f"{where(record)}: {reason}")
                continue
            if vr in TEXT_VRS and has_foreign_text(vr, value):
                foreign = True
                try:
                    _read(value.strip(b" \0"), charset, is_name=vr == "PN")
                except InstanceError:
                    reason = f"{tag_name(tag)} does not fit its Specific Character Set"
                    found.error("PDI-68", path, f"{where(record)}: {reason}")
                    continue
                if conform(vr, value, charset, many=tag in MANY_VALUED) != trimmed(vr, value):
                    found.error("PDI-84", path, _not_of(record, tag, vr))
            elif conform(vr, value, b"", many=tag in MANY_VALUED) == trimmed(vr, value):
                if vr == "UI":
                    self._check_uid(record, tag, value)
                if len(known) >= _MAX_KNOWN:
                    known.clear()
                if len(value) <= 64:
                    known.add(pair)
            else:
                found.error("PDI-84", path, _not_of(record, tag, vr))
        if foreign:
            if not charset.strip(b" \0"):
                found.error("PDI-68", path, f"{where(record)} needs a Specific Character Set")
            elif defined(charset) != charset.strip(b" \0"):
                reason = "its Specific Character Set is not written as a defined term"
                found.error("PDI-68", path, f"{where(record)}: {reason}")
        elif CHARSET in values:
            found.warn("PDI-68", path, f"{where(record)} has an idle Specific Character Set")

    def _check_uid(self, record: DirectoryRecord, tag: int, value: bytes) -> None:
        """Nobody may change it, and some importers refuse it (PS3.5 9.1)."""
        if _ZERO_LED.search(value):
            reason = f"{where(record)}: a component of the UID {tag_name(tag)} begins with 0"
            self._found.warn("PDI-84", record.file_id, reason)

    def _check_sequences(self, record: DirectoryRecord, values: Mapping[int, bytes]) -> None:
        path, found = record.file_id, self._found
        for content in items_of(values.get(CONTENT_SEQUENCE, b"")):
            inside = {tag: value for tag, _, value in elements(content)}
            is_modifier = inside.get(RELATIONSHIP_TYPE, b"").strip(b" \0") == CONCEPT_MODIFIER
            if not is_modifier or _has_content(content):
                found.error("PDI-79", path, f"{where(record)} holds content beyond HAS CONCEPT MOD")
            elif inside.get(VALUE_TYPE, b"").strip(b" \0") == b"TEXT" or TEXT_VALUE in inside:
                found.warn("PDI-79", path, f"{where(record)} holds a modifier of free text")
        if len(items_of(values.get(_CONCEPT_NAME, b""))) > 1:
            found.error(rule_of(record.type), path, f"{where(record)} has two concept names")
        if _ICON in values and (fault := _icon_fault(values[_ICON])):
            report = found.warn if fault == _LARGE else found.error
            report("PDI-80", path, f"{where(record)} has {fault}")

    def compare(
        self, kind: str, own_values: Mapping[int, bytes], values: Mapping[int, bytes]
    ) -> list[tuple[int, bool]]:
        """Each key that the object has: does the record say the same?

        Args:
            own_values: The record's, of this type.
            values: The object's, by tag.
        Returns:
            Tag and yes or no; no if the record lacks it. What the object lacks is left out.
        """
        charset, own = values.get(CHARSET, b""), own_values.get(CHARSET, b"")
        same = []
        for tag, _, padding in _PLAN.get(kind, ()):
            value = values.get(tag)
            mine = own_values.get(tag)
            # Bytes that are equal are so whatever they say, unless the sets differ.
            if value and value == mine and (charset == own or value.isascii()):
                same.append((tag, True))
                continue
            value = value or object_value(tag, values)
            if value and (not padding or value.strip(padding)):
                is_same = mine is not None and _agree(tag, VR[tag], mine, own, value, charset)
                same.append((tag, is_same))
        return same


def _read(value: bytes, charset: bytes, *, is_name: bool) -> None:
    """Raises InstanceError where nobody can, or a terminal would obey it."""
    decode(value, charset, is_name=is_name)
    if b"\x1b" in value and _has_no_extensions(charset):
        raise InstanceError("escape sequence without code extensions")


def _has_no_extensions(charset: bytes) -> bool:
    """Escape sequences are of ISO 2022 alone (PS3.3 C.12.1.1.2)."""
    return b"ISO 2022" not in charset and b"\\" not in charset


def _has_escapes(sequence: bytes) -> bool:
    return b"\x1b" in sequence and any(
        _has_escapes(value) if vr == "SQ" else vr in TEXT_VRS and b"\x1b" in value
        for content in items_of(sequence)
        for _, vr, value in elements(content)
    )


def _not_of(record: DirectoryRecord, tag: int, vr: str) -> str:
    return f"{where(record)}: {tag_name(tag)} is not of VR {vr}"


def trimmed(vr: str, value: bytes) -> bytes:
    """Without padding, where the VR has any."""
    return value if vr in _BINARY else value.strip(b" \0")


def _agree(tag: int, vr: str, mine: bytes, own: bytes, value: bytes, charset: bytes) -> bool:
    if vr == "SQ":
        if mine == value:
            return True
        tags = _UID_TAGS if tag in _REFERENCES else None
        try:
            if tag in (CONTENT_SEQUENCE, _CONCEPT_NAME):
                mine = kept_again(tag, mine)
            return _flat(mine, tags) == _flat(conform_sequence(value, charset), tags)
        except InstanceError:
            return False
    if tag == PATIENT_ID and not is_legal_id(value, charset):
        return False  # a record that holds it mended could be another patient's (PDI-85)
    many = tag in MANY_VALUED
    formed = conform(vr, value, charset, many=many)
    if not formed:
        return True  # what is not of its VR is left out or supplied
    if vr not in TEXT_VRS or not (needs_charset(formed) or needs_charset(mine)):
        return conform(vr, mine, own, many=many) == formed
    try:
        is_name = vr == "PN"
        text = decode(formed, charset, is_name=is_name)
        return decode(trimmed(vr, mine), own, is_name=is_name) == text
    except InstanceError:
        # Nobody can read the object's: a record has question marks there (PDI-68).
        return conform(vr, mine, own, many=many) == formed


def _flat(sequence: bytes, tags: frozenset[int] | None) -> list[tuple[int, bytes]]:
    """Tags and values of all levels, in order; empty and private ones left out."""
    found: list[tuple[int, bytes]] = []
    for content in items_of(sequence):
        for tag, vr, value in elements(content):
            if vr == "SQ":
                found += _flat(value, tags)
            elif not tag >> 16 & 1 and (tags is None or tag in tags):
                bare = value.strip(b" \0")
                if bare:
                    found.append((tag, bare))
    return found


def _has_content(item: bytes) -> bool:
    """Content items, or their text, below this one."""
    return any(
        tag == CONTENT_SEQUENCE
        or any(
            _has_content(inner) or any(it == TEXT_VALUE for it, _, _ in elements(inner))
            for inner in items_of(value)
        )
        for tag, vr, value in elements(item)
        if vr == "SQ"
    )


_LARGE: Final = "an icon larger than 64 x 64"


def _icon_fault(sequence: bytes) -> str:
    """One item, one sample, 8 or 1 bits, and all its pixels (PS3.3 F.7); "" if it is so."""
    values = first_item(sequence)
    rows, columns, allocated, stored, high, samples, signed = (
        int.from_bytes(values.get(tag, b""), "little")
        for tag in (
            0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102, 0x00280002, 0x00280103,
        )
    )  # fmt: skip
    wanted = (rows * columns * allocated + 15) // 16 * 2
    photometric = values.get(0x00280004, b"").strip(b" \0")
    is_icon = (
        len(items_of(sequence)) == 1
        and samples == 1
        and allocated in (1, 8)
        and photometric in (b"MONOCHROME1", b"MONOCHROME2", b"PALETTE COLOR")
        and 0 < wanted == len(values.get(0x7FE00010, b""))
        and (not stored or high + 1 == stored)
        and not signed
        and 0x00280006 not in values
    )
    if not is_icon:
        return "an icon that is none"
    return _LARGE if max(rows, columns) > _ICON_SIDE else ""
