"""Rules on the keys of records, by themselves and against the objects they speak of (PDI-68 to 84).

Messages name tags and File IDs, never values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from dicomdir.charset import decode
from dicomdir.check.tree import Collector
from dicomdir.directory import DirectoryRecord
from dicomdir.elements import elements, tag_name
from dicomdir.errors import InstanceError
from dicomdir.keys import CONCEPT_MODIFIER, CONTENT_SEQUENCE, KEY_VR, RELATIONSHIP_TYPE
from dicomdir.profile import IMAGE, PATIENT, SERIES, SPECTROSCOPY, STUDY
from dicomdir.records import (
    CHARSET,
    KEYS,
    PATIENT_ID,
    VERIFICATION_DATETIME,
    first_item,
    object_value,
)
from dicomdir.values import (
    TEXT_VRS,
    conform,
    conform_sequence,
    has_foreign_text,
    is_too_long,
    items_of,
)

VR: Final = {**KEY_VR, VERIFICATION_DATETIME: "DT"}
RULES: Final = {PATIENT: "PDI-74", STUDY: "PDI-75", SERIES: "PDI-76", IMAGE: "PDI-77"}
_ICON: Final = 0x00880200

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

Report = Callable[[str, str, str], None]


def rule_of(kind: str) -> str:
    return RULES.get(kind, "PDI-78")


class KeyCheck:
    """Checks records one by one.

    Args:
        is_cd: What only DVD and USB profiles want is a warning, not an error.
    """

    def __init__(self, found: Collector, *, is_cd: bool) -> None:
        self._found = found
        self._is_cd = is_cd

    def report(self, kind: str, tag: int) -> Report:
        """How bad it is that this key is not there."""
        if self._is_cd and tag in ADDITIONS.get(kind, ()):
            return self._found.warn
        return self._found.error

    def check(self, record: DirectoryRecord) -> None:
        """What a record can break by itself."""
        where = f"the {record.type} record at {record.offset}"
        path, rule = record.file_id, rule_of(record.type)
        for tag, needed in KEYS.get(record.type, ()):
            value = record.values.get(tag)
            if needed == "1" and not (value or b"").strip(
                b" \0" if VR[tag] not in _BINARY else None
            ):
                self.report(record.type, tag)(rule, path, f"{where} lacks {tag_name(tag)}")
            elif needed == "2" and value is None:
                self._found.error(rule, path, f"{where} lacks {tag_name(tag)}")
        try:
            self._check_values(record, where)
            self._check_sequences(record, where)
        except InstanceError:
            self._found.error(rule, path, f"{where} has a damaged sequence")

    def _check_values(self, record: DirectoryRecord, where: str) -> None:
        path = record.file_id
        charset = record.values.get(CHARSET, b"")
        foreign = False
        for tag, value in record.values.items():
            vr = VR.get(tag)
            if vr is None or tag == CHARSET:
                continue
            if vr == "SQ":
                foreign = foreign or has_foreign_text(vr, value)
                continue
            if vr in TEXT_VRS and has_foreign_text(vr, value):
                foreign = True
                try:
                    decode(value.strip(b" \0"), charset, is_name=vr == "PN")
                except InstanceError:
                    reason = f"{where}: {tag_name(tag)} does not fit its Specific Character Set"
                    self._found.error("PDI-68", path, reason)
                    continue
            if conform(vr, value, charset) != trimmed(vr, value):
                self._found.error("PDI-84", path, f"{where}: {tag_name(tag)} is not of VR {vr}")
        if foreign and not charset.strip(b" \0"):
            self._found.error("PDI-68", path, f"{where} needs a Specific Character Set")
        elif not foreign and CHARSET in record.values:
            self._found.warn("PDI-68", path, f"{where} has an idle Specific Character Set")

    def _check_sequences(self, record: DirectoryRecord, where: str) -> None:
        path = record.file_id
        for content in items_of(record.values.get(CONTENT_SEQUENCE, b"")):
            relation = {tag: value for tag, _, value in elements(content)}
            if relation.get(RELATIONSHIP_TYPE, b"").strip(b" \0") != CONCEPT_MODIFIER:
                reason = f"{where} holds content beyond HAS CONCEPT MOD"
                self._found.error("PDI-79", path, reason)
        if _ICON in record.values and not _is_icon(record.values[_ICON]):
            self._found.error("PDI-80", path, f"{where} has an icon that is none")

    def compare(
        self,
        record: DirectoryRecord,
        values: Mapping[int, bytes],
        tags: frozenset[int] | None = None,
    ) -> dict[int, bool]:
        """Each key that the object has: does the record say the same?

        Args:
            values: The object's, by tag.
        Returns:
            Tag to yes or no; no if the record lacks it. What the object lacks is left out.
        """
        charset, own = values.get(CHARSET, b""), record.values.get(CHARSET, b"")
        same = {}
        for tag, _ in KEYS.get(record.type, ()):
            if tags is not None and tag not in tags:
                continue
            value = object_value(tag, values)
            vr = VR[tag]
            if not value or not (trimmed(vr, value) if vr != "SQ" else value):
                continue
            mine = record.values.get(tag)
            same[tag] = mine is not None and _agree(tag, vr, mine, own, value, charset)
        return same


_BINARY: Final = frozenset({"SQ", "US", "UL"})


def trimmed(vr: str, value: bytes) -> bytes:
    """Without padding, where the VR has any."""
    return value if vr in _BINARY else value.strip(b" \0")


def _agree(tag: int, vr: str, mine: bytes, own: bytes, value: bytes, charset: bytes) -> bool:
    if mine == value:
        return True
    if vr == "SQ":
        tags = _UID_TAGS if tag in _REFERENCES else None
        try:
            return _flat(mine, tags) == _flat(conform_sequence(value, charset), tags)
        except InstanceError:
            return False
    if tag == PATIENT_ID and is_too_long(vr, value, charset):
        return False  # a record that holds its beginning could be another patient's (PDI-85)
    formed = conform(vr, value, charset)
    if not formed or conform(vr, mine, own) == formed:
        return True  # what is not of its VR is left out or supplied
    if vr not in TEXT_VRS:
        return False
    try:
        is_name = vr == "PN"
        text = decode(formed, charset, is_name=is_name)
        return decode(trimmed(vr, mine), own, is_name=is_name) == text
    except InstanceError:
        return False


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


def _is_icon(sequence: bytes) -> bool:
    """One item, one sample, 8 or 1 bits, and all its pixels (PS3.3 F.7)."""
    values = first_item(sequence)
    rows, columns, allocated, samples = (
        int.from_bytes(values.get(tag, b""), "little")
        for tag in (0x00280010, 0x00280011, 0x00280100, 0x00280002)
    )
    wanted = (rows * columns * allocated + 15) // 16 * 2
    photometric = values.get(0x00280004, b"").strip(b" \0")
    return (
        len(items_of(sequence)) == 1
        and samples == 1
        and allocated in (1, 8)
        and photometric in (b"MONOCHROME1", b"MONOCHROME2", b"PALETTE COLOR")
        and 0 < wanted == len(values.get(0x7FE00010, b""))
    )
