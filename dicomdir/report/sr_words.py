"""Content items of an SR document in words: their concept, their value, how they belong together.

PS3.3 C.17.3 (content items), C.18 (their values). All results are plain text: whoever puts them
on a page escapes them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from dicomdir.charset import decode
from dicomdir.errors import InstanceError
from dicomdir.profile import MODALITIES, RECORD_TYPES
from dicomdir.report.markup import clock, day, moment, person
from dicomdir.report.reader import Node

CHARSET: Final = 0x00080005
CODE_VALUE, SCHEME, MEANING = 0x00080100, 0x00080102, 0x00080104
LONG_CODE, URN_CODE = 0x00080119, 0x00080120
SOP_CLASS, SOP_INSTANCE, FRAMES = 0x00081150, 0x00081155, 0x00081160
SEGMENTS, CHANNELS = 0x0062000B, 0x0040A0B0
REFERENCED, UNITS, NAME_CODE, CODE = 0x00081199, 0x004008EA, 0x0040A043, 0x0040A168
RELATIONSHIP, VALUE_TYPE, CONTINUITY = 0x0040A010, 0x0040A040, 0x0040A050
OBSERVED, TEMPORAL_TYPE, SAMPLES, OFFSETS, DATETIMES = (
    0x0040A032, 0x0040A130, 0x0040A132, 0x0040A138, 0x0040A13A,
)  # fmt: skip
MEASURED, NUMBER, QUALIFIER, CHILDREN, BY_REFERENCE = (
    0x0040A300, 0x0040A30A, 0x0040A301, 0x0040A730, 0x0040DB73,
)  # fmt: skip
GRAPHIC_DATA, GRAPHIC_TYPE = 0x00700022, 0x00700023
TEXTS: Final = {  # value type to the attribute that holds it
    "TEXT": 0x0040A160, "DATE": 0x0040A121, "TIME": 0x0040A122, "DATETIME": 0x0040A120,
    "PNAME": 0x0040A123, "UIDREF": 0x0040A124,
}  # fmt: skip
RELATIONS: Final = {  # PS3.3 table C.17.3-8, as a heading of what follows
    "CONTAINS": "", "HAS OBS CONTEXT": "Observation context", "HAS CONCEPT MOD": "Concept modifier",
    "HAS PROPERTIES": "Properties", "HAS ACQ CONTEXT": "Acquisition context",
    "INFERRED FROM": "Inferred from", "SELECTED FROM": "Selected from",
}  # fmt: skip
_ASCII_ONLY: Final = frozenset((
    CHARSET, RELATIONSHIP, VALUE_TYPE, CONTINUITY, OBSERVED, TEMPORAL_TYPE, OFFSETS, DATETIMES,
    NUMBER, SOP_CLASS, SOP_INSTANCE, FRAMES, GRAPHIC_TYPE, 0x0040A120, 0x0040A121, 0x0040A122,
    0x0040A124,
))  # fmt: skip
_NAMES: Final = frozenset((0x0040A123, 0x0040A075, 0x00100010, 0x00080090))
_MAX_LISTED: Final = 40  # frames, channels or points that are written out
_OBJECTS: Final = {
    "IMAGE": "image", "WAVEFORM": "waveform", "SR DOCUMENT": "structured report",
    "KEY OBJECT DOC": "key object selection", "PRESENTATION": "presentation state",
    "ENCAP DOC": "document", "RT STRUCTURE SET": "structure set", "RT PLAN": "treatment plan",
    "RT DOSE": "dose", "REGISTRATION": "registration", "RAW DATA": "raw data",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader finds a referenced object.

    Attributes:
        words: Such as "image 12 of series 3".
        href: From a page in IHE_PDI, in the case of the medium; "" for no link.
    """

    words: str
    href: str = ""


Find = Callable[[str], "Place | None"]


@dataclass(slots=True)
class Speaker:
    """Turns values of one document into text, and remembers whether all could be read."""

    charset: bytes
    find: Find
    has_unreadable: bool = field(default=False)

    def text(self, node: Node, tag: int, charset: bytes | None = None) -> str:
        """A value, trimmed; what its character set lacks becomes U+FFFD."""
        raw = node.get(tag)
        if not isinstance(raw, bytes):
            return ""
        own = node.get(CHARSET)
        charset = charset or (own if isinstance(own, bytes) and own else self.charset)
        trimmed = raw.strip(b" \0") if tag != TEXTS["TEXT"] else raw.rstrip(b" \0")
        if tag in _ASCII_ONLY:
            return trimmed.decode("ascii", "replace")
        try:
            return decode(trimmed, charset, is_name=tag in _NAMES).rstrip(" \0")
        except InstanceError:
            self.has_unreadable = True
            return trimmed.decode("ascii", "replace")

    def meaning(self, node: Node, tag: int) -> str:
        """What the first code of a sequence means; its value where it has no meaning."""
        for code in items(node, tag)[:1]:
            meaning = self.text(code, MEANING)
            value = next(filter(None, (self.text(code, it) for it in _CODE_VALUES)), "")
            return meaning or value
        return ""

    def concept(self, node: Node) -> str:
        return self.meaning(node, NAME_CODE)

    def value(self, node: Node) -> str:
        """The value of a content item on one or more lines; "" for containers and references."""
        kind = value_type(node)
        if kind in TEXTS:
            return _TEXT_FORMS.get(kind, str)(self.text(node, TEXTS[kind]))
        if kind == "CODE":
            return self.meaning(node, CODE)
        if kind == "NUM":
            return self._measured(node)
        if kind in ("SCOORD", "SCOORD3D"):
            shape = self.text(node, GRAPHIC_TYPE).replace("_", " ").capitalize()
            points = self._points(node, 2 if kind == "SCOORD" else 3)
            return f"{shape or 'Region'}{points}"
        if kind == "TCOORD":
            times = self._times(node)
            shape = self.text(node, TEMPORAL_TYPE).replace("_", " ").capitalize() or "Time range"
            return f"{shape}: {times}" if times else shape
        if kind in ("CONTAINER", "IMAGE", "COMPOSITE", "WAVEFORM", ""):
            return ""
        return f"(a value of type {kind[:16]}, which is not shown here)"

    def code(self, node: Node) -> str:
        """What stands behind a coded value: code and scheme, or a unit in full; "" for none."""
        if value_type(node) == "CODE":
            for code in items(node, CODE)[:1]:
                value = next(filter(None, (self.text(code, it) for it in _CODE_VALUES)), "")
                return ", ".join(filter(None, (value, self.text(code, SCHEME))))
        if value_type(node) == "NUM":
            for measured in items(node, MEASURED)[:1]:
                return self.meaning(measured, UNITS)
        return ""

    def references(self, node: Node) -> list[tuple[str, Place]]:
        """What the objects are that a content item refers to, each with where it is."""
        return [
            (self._reference(item), self.find(self.text(item, SOP_INSTANCE)) or Place(""))
            for item in items(node, REFERENCED)[:_MAX_LISTED]
        ]

    def _reference(self, item: Node) -> str:
        """Such as "CT image 1.2.3, frames 1, 2"."""
        words = class_words(self.text(item, SOP_CLASS))
        words = f"{words} {self.text(item, SOP_INSTANCE)}"
        if frames := self.text(item, FRAMES):
            words += f", frames {', '.join(frames.split(chr(92))[:_MAX_LISTED])}"
        if numbers := _shorts(item, SEGMENTS):
            words += f", segments {', '.join(map(str, numbers))}"
        if numbers := _shorts(item, CHANNELS):
            pairs = zip(numbers[::2], numbers[1::2], strict=False)
            words += f", channels {', '.join(f'{group}/{channel}' for group, channel in pairs)}"
        if items(item, REFERENCED):
            words += " with presentation state"
        return words

    def _measured(self, node: Node) -> str:
        measured = items(node, MEASURED)
        note = self.meaning(node, QUALIFIER)
        if not measured:
            return note or "no value"
        number = self.text(measured[0], NUMBER)
        unit = self._unit(measured[0])
        return f"{number} {unit}".strip() + (f" ({note})" if note else "")

    def _unit(self, measured: Node) -> str:
        """The unit's symbol, or its meaning where UCUM's symbol is none (PS3.3 C.18.1)."""
        for code in items(measured, UNITS)[:1]:
            value, meaning = self.text(code, CODE_VALUE), self.text(code, MEANING)
            if value in ("", "1"):
                return "" if value else meaning
            return meaning if "{" in value and meaning else value
        return ""

    def _points(self, node: Node, dimensions: int) -> str:
        raw = node.get(GRAPHIC_DATA)
        if not isinstance(raw, bytes) or len(raw) < 4 * dimensions:
            return ""
        count = len(raw) // 4 // dimensions
        numbers = struct.unpack_from(f"<{min(count, 4) * dimensions}f", raw)
        shown = [
            "/".join(f"{value:g}" for value in numbers[at : at + dimensions])
            for at in range(0, len(numbers), dimensions)
        ]
        more = f" and {count - len(shown)} more points" if count > len(shown) else ""
        return f" at {', '.join(shown)}{more}"

    def _times(self, node: Node) -> str:
        samples = node.get(SAMPLES)
        if isinstance(samples, bytes) and samples:
            whole = samples[: len(samples) // 4 * 4][: 4 * _MAX_LISTED]
            numbers = struct.unpack(f"<{len(whole) // 4}L", whole)
            return f"samples {', '.join(map(str, numbers))}"
        if offsets := self.text(node, OFFSETS):
            return ", ".join(offsets.split("\\")[:_MAX_LISTED]) + " s"
        return ", ".join(moment(it) for it in self.text(node, DATETIMES).split("\\")[:_MAX_LISTED])


_CODE_VALUES: Final = (CODE_VALUE, LONG_CODE, URN_CODE)
_TEXT_FORMS: Final[dict[str, Callable[[str], str]]] = {
    "DATE": day, "TIME": clock, "DATETIME": moment, "PNAME": person,
}  # fmt: skip


def items(node: Node, tag: int) -> list[Node]:
    """The items of a sequence; none if it is not there."""
    found = node.get(tag)
    return found if isinstance(found, list) else []


def value_type(node: Node) -> str:
    raw = node.get(VALUE_TYPE)
    return raw.decode("ascii", "replace").strip(" \0") if isinstance(raw, bytes) else ""


def class_words(sop_class_uid: str) -> str:
    """What an object of this class is called, such as "CT image"."""
    kind = RECORD_TYPES.get(sop_class_uid, "")
    noun = _OBJECTS.get(kind, kind.lower() or "object")
    modality = MODALITIES.get(sop_class_uid, "")
    return f"{modality} {noun}" if kind == "IMAGE" and modality else noun


def by_reference(node: Node) -> tuple[int, ...]:
    """The path of the content item that this one stands for, () if it stands for itself."""
    raw = node.get(BY_REFERENCE)
    if not isinstance(raw, bytes):
        return ()
    whole = raw[: len(raw) // 4 * 4][:256]
    return struct.unpack(f"<{len(whole) // 4}L", whole)


def _shorts(item: Node, tag: int) -> tuple[int, ...]:
    raw = item.get(tag)
    if not isinstance(raw, bytes):
        return ()
    whole = raw[: len(raw) // 2 * 2][: 4 * _MAX_LISTED]
    return struct.unpack(f"<{len(whole) // 2}H", whole)
