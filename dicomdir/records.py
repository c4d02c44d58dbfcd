"""Directory records, one table by record type (PS3.3 F.5; PS3.11 tables D.3-2 and H.3-2).

The DVD/USB key set is written on every medium: extra keys are legal on CD (PDI-77). A key of Type 1
that an object lacks is supplied in the record alone (PDI-82), and what was supplied is said.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from struct import Struct
from types import MappingProxyType
from typing import Final, NamedTuple

from dicomdir import profile
from dicomdir.charset import defined
from dicomdir.elements import element, split, tag_name
from dicomdir.errors import MissingKeyError
from dicomdir.file_id import FileID, integer
from dicomdir.instance import Instance
from dicomdir.keys import KEY_VR
from dicomdir.supplied import LETTERS_LOST, Supplied
from dicomdir.values import (
    MANY_VALUED,
    TEXT_VRS,
    conform,
    conform_sequence,
    has_foreign_text,
    items_of,
    loses_letters,
)

CHARSET: Final = 0x00080005
INSTANCE_NUMBER: Final = 0x00200013
STUDY_DATE, STUDY_TIME, STUDY_ID = 0x00080020, 0x00080030, 0x00200010
SERIES_NUMBER, MODALITY, PATIENT_ID = 0x00200011, 0x00080060, 0x00100020
ICON_IMAGE_SEQUENCE: Final = 0x00880200
SHARED_GROUPS: Final = 0x52009229
VERIFICATION_DATETIME: Final = 0x0040A030
VERIFYING_OBSERVERS: Final = 0x0040A073

# Where an item's offsets stand, counted from its item tag.
NEXT_AT: Final = 16
LOWER_AT: Final = 38
_PREFIX: Final = (
    element(0x00041400, "UL", bytes(4))
    + element(0x00041410, "US", b"\xff\xff")
    + element(0x00041420, "UL", bytes(4))
)
_TYPE_AT: Final = 8 + len(_PREFIX)
_ITEM = Struct("<HHL").pack


class Key(NamedTuple):
    """One key of a record. Type "1", "2" or "1C"; 1C: if the object has it and it is not empty."""

    tag: int
    type: str


def _keys(**types: str) -> tuple[Key, ...]:
    pairs = [(int(tag, 16), kind) for kind, tags in types.items() for tag in tags.split()]
    return tuple(sorted(Key(tag, kind.removeprefix("t").upper()) for tag, kind in pairs))


_DATED: Final = "00080023 00080033"  # Content Date, Content Time
_DATED_CONTENT: Final = _keys(t1=_DATED + " 00200013 00700080", t2="00700081 00700084")

# Keys of each record type beside those that all have, in tag order.
KEYS: Final[Mapping[str, tuple[Key, ...]]] = {
    profile.PATIENT: _keys(t1="00100020", t2="00100010", t1c="00100030 00100040"),
    profile.STUDY: _keys(t1="00080020 00080030 0020000D 00200010", t2="00080050 00081030"),
    profile.SERIES: _keys(t1="00080060 0020000E 00200011", t1c="00080080 00080081 00081050"),
    profile.IMAGE: _keys(
        t1="00200013 00280010 00280011",
        t1c="""00080008 0008002A 00081140 00181800 00200032 00200037 00200052 00200200 00280008
            00280030 00282112 00500004""",
    ),
    profile.SPECTROSCOPY: _keys(
        t1="00080008 00080023 00080033 00200013 00280008 00280010 00280011 00289001 00289002",
        t1c="""0008002A 00081140 00089092 00181800 00200032 00200037 00200052 00200200 00280030""",
    ),
    profile.WAVEFORM: _keys(t1=_DATED + " 00200013"),
    profile.PRESENTATION: _keys(
        t1="00200013 00700080 00700082 00700083",
        t2="00700081 00700084",
        t1c="00081115 00700402",
    ),
    profile.RAW_DATA: _keys(t1=_DATED, t2="00200013"),
    profile.REGISTRATION: _DATED_CONTENT,
    profile.FIDUCIAL: _DATED_CONTENT,
    profile.VALUE_MAP: _DATED_CONTENT,
    profile.SURFACE: _DATED_CONTENT,
    profile.MEASUREMENT: _DATED_CONTENT,
    profile.TRACT: _DATED_CONTENT,
    profile.ANNOTATION: _DATED_CONTENT,
    profile.SURFACE_SCAN: _keys(t1=_DATED),
    profile.SR_DOCUMENT: _keys(
        t1=_DATED + " 00200013 0040A043 0040A491 0040A493", t1c="0040A030 0040A730"
    ),
    profile.KEY_OBJECT_DOC: _keys(t1=_DATED + " 00200013 0040A043", t1c="0040A730"),
    profile.ENCAP_DOC: _keys(
        t1="00200013 00420012", t2=_DATED + " 0040A043 00420010", t1c="0040E001"
    ),
    profile.RT_DOSE: _keys(t1="00200013 3004000A", t1c="30040006"),
    profile.RT_STRUCTURE_SET: _keys(t1="00200013 30060002", t2="30060008 30060009"),
    profile.RT_PLAN: _keys(t1="00200013 300A0002", t2="300A0006 300A0007"),
    profile.RT_TREAT_RECORD: _keys(t1="00200013", t2="30080250 30080251"),
    # dciodvfy wants Content Identification here (PS3.3 F.5), DCMTK does not
    profile.STEREOMETRIC: _keys(t1="00200013 00700080", t2="00700081 00700084"),
    profile.PLAN: (),
    profile.ASSESSMENT: _keys(t1="00080012 00200013", t2="00080013"),
    profile.RADIOTHERAPY: _keys(t1="00200013", t2="00700081 00700084", t1c="30100033 30100034"),
    profile.HANGING_PROTOCOL: _keys(
        t1="00720002 00720004 00720006 00720008 0072000A 0072000C 00720014", t2="0072000E"
    ),
    profile.PALETTE: _keys(t1="00700080", t2="00700081"),
}

# Leaf records that may have an Icon Image Sequence (PS3.3 F.5, PDI-80).
ICON_TYPES: Final = frozenset(
    {profile.IMAGE, profile.RT_DOSE, profile.SPECTROSCOPY, profile.RAW_DATA}
)

_CDA: Final = "1.2.840.10008.5.1.4.1.1.104.2"
_BLENDING: Final = "1.2.840.10008.5.1.4.1.1.11.4"
# Keys of Type 1C that belong to one SOP Class of their record type, or to all but one (F.5.31,
# F.5.26): a record may not have them otherwise, whatever the object has.
_ONLY_OF: Final = {0x0040E001: _CDA, 0x00700402: _BLENDING}
_NOT_OF: Final = {0x00081115: _BLENDING}
# SOP Classes whose objects must have what their record has if they do (PS3.3 C.11.11, C.11.14):
# one without it shows nothing, and strict readers refuse its record.
_PRESENTATIONS: Final = "1.2.840.10008.5.1.4.1.1.11."
_ALWAYS_OF: Final = {
    0x00081115: frozenset(f"{_PRESENTATIONS}{number}" for number in (1, 2, 3, 5, 11)),
    0x00700402: frozenset({_BLENDING}),
}

# Where enhanced objects keep what others have at their top level: sequence, attribute in its item.
_IN_SHARED_GROUPS: Final = {
    0x00200032: (0x00209113, 0x00200032),
    0x00200037: (0x00209116, 0x00200037),
    0x00280030: (0x00289110, 0x00280030),
}
_SELDOM_ALIKE: Final = frozenset({INSTANCE_NUMBER, 0x00200032})
_MAX_FORMED: Final = 1000
_VR: Final = {**KEY_VR, VERIFICATION_DATETIME: "DT"}
_TEXTS: Final = frozenset(tag for tag, vr in _VR.items() if vr in TEXT_VRS or vr == "SQ")


@functools.cache
def keys_of(sop_class_uid: str) -> tuple[Key, ...]:
    """Keys of the record of this SOP Class, in tag order.

    Raises:
        UnsupportedSopClassError: It has no record type.
    """
    return tuple(
        Key(key.tag, "1") if sop_class_uid in _ALWAYS_OF.get(key.tag, ()) else key
        for key in KEYS[profile.record_type(sop_class_uid)]
        if _ONLY_OF.get(key.tag, sop_class_uid) == sop_class_uid
        and _NOT_OF.get(key.tag) != sop_class_uid
    )


def first_item(sequence: bytes | None) -> dict[int, bytes]:
    """Values of the first item of a kept sequence; none if there is no item."""
    if not sequence or len(sequence) < 8:
        return {}
    return split(sequence[8 : 8 + int.from_bytes(sequence[4:8], "little")])


def object_value(tag: int, values: Mapping[int, bytes]) -> bytes:
    """What the object says of a key, its functional groups and observers included; b"" if nothing.

    Args:
        values: Raw values of the object by tag.
    """
    value = values.get(tag, b"")
    if value:
        return value
    if tag in _IN_SHARED_GROUPS and SHARED_GROUPS in values:
        sequence, inner = _IN_SHARED_GROUPS[tag]
        return first_item(first_item(values[SHARED_GROUPS]).get(sequence)).get(inner, b"")
    if tag == 0x00081140 and SHARED_GROUPS in values:
        return first_item(values[SHARED_GROUPS]).get(tag, b"")
    if tag == VERIFICATION_DATETIME:
        return _latest_verification(values)
    return b""


def _latest_verification(values: Mapping[int, bytes]) -> bytes:
    if values.get(0x0040A493, b"").strip(b" \0") != b"VERIFIED":
        return b""
    dates = [
        split(item).get(VERIFICATION_DATETIME, b"").strip(b" \0")
        for item in items_of(values.get(VERIFYING_OBSERVERS, b""))
    ]
    return max(dates, default=b"")


class RecordMaker:
    """Makes directory records; remembers what it supplied, and forms of values that come often."""

    def __init__(self) -> None:
        self.supplied: list[Supplied] = []
        self._formed: dict[tuple[int, bytes, bytes], bytes] = {}

    def form(self, tag: int, value: bytes, charset: bytes, uid: str) -> bytes:
        """One whole element in a legal form; b"" if the value cannot be brought into one."""
        vr = _VR[tag]
        if vr == "SQ":
            made = conform_sequence(value, charset)
            if made != value and made.count(b"?") > value.count(b"?"):
                self.supplied.append(Supplied(tag, uid, LETTERS_LOST))
            return element(tag, vr, made)
        trimmed = value.strip(b" \0") if vr != "US" and vr != "UL" else value
        formed = conform(vr, value, charset, many=tag in MANY_VALUED)
        if formed != trimmed:
            how = "brought into the form of its VR" if formed else "left out: not of its VR"
            is_lossy = vr in TEXT_VRS and loses_letters(vr, trimmed, formed, charset)
            rule = LETTERS_LOST if is_lossy else f"PDI-84: {how}"
            self.supplied.append(Supplied(tag, uid, rule))
        return element(tag, vr, formed) if formed else b""

    def _form_often(self, tag: int, value: bytes, charset: bytes, uid: str) -> bytes:
        key = (tag, value, charset)
        formed = self._formed.get(key)
        if formed is None:
            before = len(self.supplied)
            formed = self.form(tag, value, charset, uid)
            if len(self.supplied) == before:  # else each object is to be named
                if len(self._formed) >= _MAX_FORMED:
                    self._formed.clear()
                self._formed[key] = formed
        return formed

    def leaf(
        self,
        instance: Instance,
        values: Mapping[int, bytes],
        transfer_syntax_uid: str,
        *,
        icon: bytes = b"",
        found: Mapping[int, tuple[bytes, str]] = MappingProxyType({}),
    ) -> tuple[bytes, int]:
        """The item of the record that refers to the object's file, its File ID still open.

        Args:
            values: `instance.values()`.
            icon: Whole Icon Image Sequence element, as `dicomdir.render.icon` makes it; b"" for
                none. Only in records that may have one (PDI-80).
            found: What its body says of keys of Type 1C that it lacks, in ASCII, and where.
        Returns:
            The item, and 0; or an item without Instance Number and the offset where that belongs,
            if it has to be supplied once all of the Series is known.
        Raises:
            UnsupportedSopClassError: The SOP Class has no record type.
            MissingKeyError: A Type 1 key is missing and no rule supplies it.
        """
        kind = profile.record_type(instance.sop_class_uid)
        uid = instance.sop_instance_uid
        charset = values.get(CHARSET, b"")
        body = [
            _uid_element(0x00041510, instance.sop_class_uid),
            _uid_element(0x00041511, uid),
            _uid_element(0x00041512, transfer_syntax_uid),
        ]
        general = values.get(0x0008001A)
        if general:
            body.append(element(0x0004151A, "UI", general.rstrip(b"\0 ")))
        keys: list[bytes] = []
        needs_set = False
        gap = -1
        for tag, needed in keys_of(instance.sop_class_uid):
            value = values.get(tag) or object_value(tag, values)
            if value:
                form = self.form if tag in _SELDOM_ALIKE else self._form_often
                formed = form(tag, value, charset, uid)
                if formed:
                    keys.append(formed)
                    if tag in _TEXTS and not needs_set:
                        vr = _VR[tag]
                        needs_set = has_foreign_text(vr, formed[12 if vr == "SQ" else 8 :])
                    continue
            if needed == "2":
                keys.append(element(tag, _VR[tag], b""))
            elif needed == "1":
                if tag == INSTANCE_NUMBER:
                    gap = len(keys)
                else:
                    keys.append(self._supply(tag, values, uid))
            elif tag == VERIFICATION_DATETIME and values.get(0x0040A493, b"").startswith(b"VERIF"):
                keys.append(self._supply(tag, values, uid))
            elif tag in found:
                self.supplied.append(Supplied(tag, uid, f"PDI-82: {found[tag][1]}"))
                keys.append(element(tag, _VR[tag], found[tag][0]))
        if needs_set:
            body.append(element(CHARSET, "CS", defined(charset)))
        if icon and kind in ICON_TYPES:
            keys.insert(sum(_tag_of(key) < ICON_IMAGE_SEQUENCE for key in keys), icon)
        cut = 0
        if gap >= 0:
            cut = record_bytes(kind, [*body, *keys[:gap]])[1]
        return record_bytes(kind, [*body, *keys])[0], cut

    def _supply(self, tag: int, values: Mapping[int, bytes], uid: str) -> bytes:
        """A Type 1 key out of another attribute of the same object (pdi.md 4.5)."""
        for source, words in _SUBSTITUTES.get(tag, ()):
            value = source(values)
            formed = conform(_VR[tag], value, b"")
            if formed:
                self.supplied.append(Supplied(tag, uid, f"PDI-82: {words}"))
                return element(tag, _VR[tag], formed)
        raise MissingKeyError(f"{tag_name(tag)} of {uid} is missing and no rule supplies it")


_Source = Callable[[Mapping[int, bytes]], bytes]


def _of(tag: int) -> _Source:
    return lambda values: values.get(tag, b"")


def _content_datetime(values: Mapping[int, bytes]) -> bytes:
    date, time = values.get(0x00080023, b""), values.get(0x00080033, b"")
    return conform("DA", date, b"") + conform("TM", time, b"").split(b".")[0]


_DATES: Final = (
    (_of(0x00080012), "Instance Creation Date"),
    (_of(0x00080023), "Content Date"),
    (_of(0x00080020), "Study Date"),
)
_TIMES: Final = (
    (_of(0x00080013), "Instance Creation Time"),
    (_of(0x00080033), "Content Time"),
    (_of(0x00080030), "Study Time"),
)
_SUBSTITUTES: Final[Mapping[int, tuple[tuple[_Source, str], ...]]] = {
    0x00080012: _DATES,
    0x00080023: _DATES,
    0x00080033: _TIMES,
    0x00700082: _DATES,
    0x00700083: _TIMES,
    0x00700080: ((lambda _: b"UNLABELED", "UNLABELED"),),
    VERIFICATION_DATETIME: ((_content_datetime, "Content Date and Time"),),
}


def _tag_of(whole: bytes) -> int:
    """Of an element in Explicit VR Little Endian."""
    return int.from_bytes(whole[:2], "little") << 16 | int.from_bytes(whole[2:4], "little")


def _uid_element(tag: int, uid: str) -> bytes:
    return element(tag, "UI", uid.encode("ascii"))


def record_bytes(kind: str, elements: list[bytes]) -> tuple[bytes, int]:
    """An item with its fixed first elements; and the offset behind the last of `elements`."""
    body = b"".join((_PREFIX, element(0x00041430, "CS", kind.encode("ascii")), *elements))
    return _ITEM(0xFFFE, 0xE000, len(body)) + body, 8 + len(body)


def insert_number(record: bytes, cut: int, number: int) -> bytes:
    """A leaf's item with the Instance Number put in where `RecordMaker.leaf` left a gap."""
    inserted = element(INSTANCE_NUMBER, "IS", str(number).encode("ascii"))
    body = record[8:cut] + inserted + record[cut:]
    return _ITEM(0xFFFE, 0xE000, len(body)) + body


def insert_file_id(record: bytes, file_id: FileID) -> bytes:
    """A leaf's item with the Referenced File ID put in behind its Directory Record Type."""
    cut = _TYPE_AT + 8 + int.from_bytes(record[_TYPE_AT + 6 : _TYPE_AT + 8], "little")
    body = record[8:cut] + element(0x00041500, "CS", file_id.to_value()) + record[cut:]
    return _ITEM(0xFFFE, 0xE000, len(body)) + body


def number_of(values: Mapping[int, bytes]) -> int | None:
    """Instance Number, None if it has to be supplied."""
    return integer(values.get(INSTANCE_NUMBER))
