"""One record above the objects: its keys, each from the first object that says it readably."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from dicomdir.charset import decode, defined, encode, needs_charset
from dicomdir.elements import element, tag_name
from dicomdir.errors import InstanceError, MissingKeyError
from dicomdir.instance import Instance
from dicomdir.keys import KEY_VR
from dicomdir.records import (
    CHARSET,
    KEYS,
    STUDY_DATE,
    STUDY_TIME,
    RecordMaker,
    record_bytes,
)
from dicomdir.supplied import LETTERS_LOST, Supplied
from dicomdir.values import MANY_VALUED, TEXT_VRS, conform

_STUDY_DATED: Final = (STUDY_DATE, STUDY_TIME)
_UTF8: Final = b"ISO_IR 192"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Objects of one patient, Study or Series differ; the first one's value stands (PDI-70)."""

    tag: int
    sop_instance_uid: str

    def __str__(self) -> str:
        return f"{tag_name(self.tag)} of {self.sop_instance_uid} differs from that of others"


def differing_texts(disagreements: Iterable[Disagreement], *, limit: int = 100) -> list[str]:
    """What a job's log says of them: a line for each key, with the first object; never a value."""
    counts: dict[int, int] = {}
    first: dict[int, Disagreement] = {}
    for each in disagreements:
        counts[each.tag] = counts.get(each.tag, 0) + 1
        first.setdefault(each.tag, each)
    return [
        f"{each}; the record has the first one's"
        + (f" ({counts[tag]} objects)" if counts[tag] > 1 else "")
        for tag, each in list(first.items())[:limit]
    ]


class Node:
    """Keys of one record above the objects, each with the character set that governs it."""

    kind: str

    def __init__(self, instance: Instance) -> None:
        self.first_uid = instance.sop_instance_uid
        self.values: dict[int, bytes] = {}
        self.charsets: dict[int, bytes] = {}
        self.tags = tuple(key.tag for key in KEYS[self.kind])
        self._unreadable: set[int] = set()

    def take(
        self, instance: Instance, values: Mapping[int, bytes], disagreements: list[Disagreement]
    ) -> None:
        """Fill what is still open; note what differs."""
        mine = self.values
        for tag in self.tags:
            value = values.get(tag)
            if not value:
                continue
            have = mine.get(tag)
            if have is None:
                if not value.strip(b" \0"):
                    continue
                if tag in _STUDY_DATED and not conform(KEY_VR[tag], value, b""):
                    continue  # no such day or time: as if it were missing (PDI-82)
                self._keep(tag, value, values.get(CHARSET, b""))
            elif tag in self._unreadable and _is_readable(tag, value, values.get(CHARSET, b"")):
                self._keep(tag, value, values.get(CHARSET, b""))  # better than question marks
            elif have != value and not self._is_same(tag, value, values.get(CHARSET, b"")):
                disagreements.append(Disagreement(tag, instance.sop_instance_uid))

    def _keep(self, tag: int, value: bytes, charset: bytes) -> None:
        self.values[tag] = value
        self._unreadable.discard(tag)
        if not needs_charset(value):
            self.charsets.pop(tag, None)
            return
        self.charsets[tag] = charset
        if not _is_readable(tag, value, charset):
            self._unreadable.add(tag)

    def _is_same(self, tag: int, value: bytes, charset: bytes) -> bool:
        """Padding apart, and in whichever character set."""
        mine, other = self.values[tag].strip(b" \0"), value.strip(b" \0")
        if mine == other or not other:
            return True
        if tag not in self.charsets or not needs_charset(other):
            return False
        is_name = KEY_VR[tag] == "PN"
        try:
            text = decode(other, charset, is_name=is_name)
            return decode(mine, self.charsets[tag], is_name=is_name) == text
        except InstanceError:
            return False

    def record(self, maker: RecordMaker, supplied: Mapping[int, tuple[bytes, str]]) -> bytes:
        """The item of this record.

        Args:
            supplied: Values by rule for Type 1 keys that no object has, and how they came about.
        Raises:
            MissingKeyError: There is none for one of them.
        """
        charset = self._common_charset(maker)
        elements = []
        needs_set = False
        for tag, needed in KEYS[self.kind]:
            formed = b""
            if tag in self.values:
                formed = maker.form(tag, self.values[tag], charset, self.first_uid)
            if not formed and needed == "1":
                if tag not in supplied:
                    raise MissingKeyError(
                        f"{tag_name(tag)} of {self.first_uid} is missing and no rule supplies it"
                    )
                value, words = supplied[tag]
                maker.supplied.append(Supplied(tag, self.first_uid, f"PDI-82: {words}"))
                formed = element(tag, KEY_VR[tag], value)
            elif not formed and needed == "2":
                formed = element(tag, KEY_VR[tag], b"")
            if formed:
                elements.append(formed)
                if KEY_VR[tag] in TEXT_VRS and needs_charset(formed[8:]):
                    needs_set = True
        if needs_set:
            elements.insert(0, element(CHARSET, "CS", defined(charset)))
        return record_bytes(self.kind, elements)[0]

    def _common_charset(self, maker: RecordMaker) -> bytes:
        """One set for the record: the objects' own if they agree, else all in UTF-8 (PDI-68)."""
        found = {defined(charset) for charset in self.charsets.values()}
        if len(found) <= 1:
            return found.pop() if found else b""
        for tag, charset in self.charsets.items():
            vr = KEY_VR[tag]
            if tag in self._unreadable:  # becomes "?"
                maker.supplied.append(Supplied(tag, self.first_uid, LETTERS_LOST))
            readable = conform(vr, self.values[tag], charset, many=tag in MANY_VALUED)
            self.values[tag] = encode(decode(readable, charset, is_name=vr == "PN"), _UTF8)
            self.charsets[tag] = _UTF8
        return _UTF8


def _is_readable(tag: int, value: bytes, charset: bytes) -> bool:
    if not value.strip(b" \0") or KEY_VR[tag] not in TEXT_VRS:
        return False
    try:
        decode(value.strip(b" \0"), charset, is_name=KEY_VR[tag] == "PN")
    except InstanceError:
        return False
    return True
