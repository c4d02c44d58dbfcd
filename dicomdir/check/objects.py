"""Rules on the objects of a File-set, each against its record and those above it (PDI-46 to 85)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from dicomdir.check.described import check_described
from dicomdir.check.keys import KeyCheck
from dicomdir.check.layouts import Layouts
from dicomdir.check.names import contradict
from dicomdir.check.patient import Telling
from dicomdir.check.places import check_preamble
from dicomdir.check.references import References, check_streams
from dicomdir.check.secure import is_secure
from dicomdir.check.structure import check_meta, where
from dicomdir.check.tree import Collector, Tree
from dicomdir.check.whose import Whose
from dicomdir.directory import DirectoryRecord
from dicomdir.elements import Source, element, elements, split, tag_name
from dicomdir.errors import DicomdirError, ImageError, InstanceError
from dicomdir.icons import COMPRESSED
from dicomdir.instance import FIRST_READ_BYTES, Instance, read_instance_at
from dicomdir.part10 import MEDIA_SOP_INSTANCE, META_START
from dicomdir.pdi import DICOMDIR
from dicomdir.profile import EXPLICIT_LITTLE, IMAGE, PATIENT, RECORD_TYPES
from dicomdir.records import KEYS
from dicomdir.values import date_digits

_STANDARD_ROOT: Final = "1.2.840.10008."
# Stand-alone overlay, curve, LUTs; stored print; detached management (PDI-57).
_RETIRED: Final = frozenset(
    f"{_STANDARD_ROOT}5.1.4.1.1.{number}" for number in ("8", "9", "10", "11", "27")
) | {f"{_STANDARD_ROOT}3.1.2.{number}" for number in ("1.1", "2.1", "3.1", "5.1", "6.1")}
_CHARSET: Final = 0x00080005
_NAME, _PATIENT_ID, _BIRTH_DATE = 0x00100010, 0x00100020, 0x00100030
_SEX: Final = 0x00100040
_SEXES: Final = frozenset((b"M", b"F"))  # O is anything else, and what some devices always say
_GENERAL_CLASS: Final = 0x0004151A
_LINKS: Final = frozenset({0x0020000D, 0x0020000E})
_ABOVE_TAGS: Final = tuple(
    dict.fromkeys(
        (_CHARSET, *(key.tag for kind in ("PATIENT", "STUDY", "SERIES") for key in KEYS[kind]))
    )
)
_MAX_SEEN: Final = 256
# What all headers together may cost to read: no honest disc comes near.
_MIN_HEADERS_BYTES: Final = 1 << 30
_HEADER_BYTES: Final = 64 << 10


class ObjectCheck:
    """Reads each file that a record refers to, once.

    Args:
        parents: Offset of each record to the record above it.
        syntaxes: Transfer syntaxes that the profile allows.
        on_instance: Called with each object that could be read.

    Attributes:
        sound: Paths of the DICOM files that were read, their preambles zero.
        telling: What would tell about the patient.
        whose: What pages may call the patient.
    """

    def __init__(
        self,
        tree: Tree,
        keys: KeyCheck,
        found: Collector,
        parents: Mapping[int, DirectoryRecord | None],
        syntaxes: frozenset[str],
        on_instance: Callable[[Instance], None],
        telling: Telling,
    ) -> None:
        self._on_instance = on_instance
        self._tree = tree
        self._keys = keys
        self._found = found
        self._parents = parents
        self._syntaxes = syntaxes
        self._sizes = {file.path: file.size_bytes for file in tree.files}
        self._left = _MIN_HEADERS_BYTES + _HEADER_BYTES * len(self._sizes)
        self._layouts = Layouts()
        self._tried: set[str] = set()
        self._uids: set[str] = set()
        self._known_meta = (b"", b"")
        self._head = b""  # of the last object read, and how to read the rest
        self._source: Callable[[], Source] = lambda: Source(None, 0, b"")
        self._upper: dict[int, _Upper] = {}
        self._chain_of: DirectoryRecord | None = None
        self._chain: list[_Upper] = []
        self._chain_seen: set[tuple[bytes | None, ...]] = set()
        self.references = References()
        self.sound: set[str] = set()
        self.telling = telling
        self.whose = Whose()

    def look(self, record: DirectoryRecord, own_values: Mapping[int, bytes]) -> None:
        """Check the file of a record, if there is one, and the records that speak of it.

        Args:
            own_values: `record.values`.
        """
        path = record.file_id
        size = self._sizes.get(path)
        if size is None or path in self._tried or path == DICOMDIR:
            return  # a finding of its own
        self._tried.add(path)
        try:
            instance = self._read(path, size)
        except DicomdirError as error:
            self._found.error("PDI-48", path, f"the object cannot be read: {error}")
            return
        self._on_instance(instance)
        if instance.fault == "meta.mismatch":
            self._found.error("PDI-46", path, "the meta information names another object")
        elif instance.fault:
            self._found.error("PDI-48", path, f"the object is not whole: {instance.fault}")
        elif instance.remark == COMPRESSED:
            self._found.error("PDI-50", path, "its icon is compressed, and nothing else is")
        elif instance.remark:
            self._found.warn("PDI-48", path, "some bytes of padding follow the pixels")
        before = len(self._uids)
        self._uids.add(instance.sop_instance_uid)
        if len(self._uids) == before:
            self._found.error("PDI-47", path, "another file has the same SOP Instance")
        self._check_class(record, instance)
        values = self._layouts.split(instance.keys)
        if not instance.fault and instance.transfer_syntax_uid == EXPLICIT_LITTLE:
            check_described(
                path, values, self._head, self._source, instance.data_offset, self._found
            )
        self._check_reference(record, own_values, instance, values)
        for tag, same in self._keys.compare(record.type, own_values, values):
            if not same:
                is_there = tag in own_values
                self._disagreement(record, tag, path, is_there=is_there, is_error=True)
        self._check_above(record, values)
        self.telling.add(values)
        self.whose.add(instance)

    def _read(self, path: str, size: int) -> Instance:
        head = self._tree.read(path, 0, min(FIRST_READ_BYTES, size))
        if head[128:META_START] != b"DICM":
            if is_secure(head):
                self._found.error("PDI-86", path, "an encrypted file in a File-set in clear")
                raise InstanceError("it is encrypted")
        elif head.startswith(bytes(128)):
            self.sound.add(path)
        else:
            check_preamble(path, head, self._found)
            self.sound.add(path)

        def read(offset: int, count: int) -> bytes:
            if offset + count <= len(head):
                return head[offset : offset + count]
            self._left -= count
            if self._left < 0:
                raise ImageError("all headers together are larger than any honest ones")
            return self._tree.read(path, offset, count)

        self._head, self._source = head, lambda: Source(read, size, head)
        instance = read_instance_at(read, size)
        meta = read(META_START, instance.data_offset - META_START)
        self._check_meta(path, meta, instance)
        if instance.transfer_syntax_uid != EXPLICIT_LITTLE:
            check_streams(path, read, size, instance, self._found)
        else:
            self.references.look(path, read, size, instance)
        return instance

    def _check_meta(self, path: str, meta: bytes, instance: Instance) -> None:
        """Most differ in their length and one UID alone: the rest is looked at once."""
        uid = element(MEDIA_SOP_INSTANCE, "UI", instance.sop_instance_uid.encode("ascii"))
        before, _, behind = meta[12:].partition(uid)
        length = (len(meta) - 12).to_bytes(4, "little")
        if (before, behind) == self._known_meta and meta[8:12] == length and not instance.fault:
            return
        before_count = self._found.count
        check_meta(split(meta), META_START + len(meta), path, self._found)
        if b"UN" in meta and any(vr == "UN" for _, vr, _ in elements(meta)):
            self._found.error("PDI-46", path, "an element of the meta information is of VR UN")
        if behind and self._found.count == before_count:
            self._known_meta = (before, behind)

    def _check_class(self, record: DirectoryRecord, instance: Instance) -> None:
        path, sop_class = record.file_id, instance.sop_class_uid
        if instance.transfer_syntax_uid not in self._syntaxes:
            reason = f"transfer syntax {instance.transfer_syntax_uid} is not of the profile"
            self._found.error("PDI-49", path, reason)
        wanted = RECORD_TYPES.get(sop_class)
        if wanted is not None:
            if record.type != wanted:
                rule = "PDI-56" if record.type == IMAGE else "PDI-72"
                reason = f"SOP Class {sop_class} wants a {wanted} record, not {record.type}"
                self._found.error(rule, path, reason)
        elif not sop_class.startswith(_STANDARD_ROOT):
            self._found.error("PDI-55", path, f"SOP Class {sop_class} is private")
        elif sop_class in _RETIRED:
            self._found.error("PDI-57", path, f"SOP Class {sop_class} is retired")
        else:
            self._found.error("PDI-54", path, f"SOP Class {sop_class} has no record type")
            if record.type == IMAGE:
                self._found.error("PDI-81", path, "an unknown SOP Class is filed as an image")

    def _check_reference(
        self,
        record: DirectoryRecord,
        own_values: Mapping[int, bytes],
        instance: Instance,
        values: Mapping[int, bytes],
    ) -> None:
        for tag, value in (
            (0x00041510, instance.sop_class_uid),
            (0x00041511, instance.sop_instance_uid),
            (0x00041512, instance.transfer_syntax_uid),
        ):
            mine = own_values.get(tag, b"").strip(b" \0")
            if mine and mine != value.encode("ascii"):  # its absence is a finding of its own
                reason = f"{tag_name(tag)} of the record is not the file's"
                self._found.error("PDI-66", record.file_id, reason)
        if _GENERAL_CLASS in own_values and 0x0008001A not in values:
            reason = f"{tag_name(_GENERAL_CLASS)} of the record is not in the file"
            self._found.error("PDI-66", record.file_id, reason)

    def _disagreement(
        self, record: DirectoryRecord, tag: int, path: str, *, is_there: bool, is_error: bool
    ) -> None:
        if not is_there:
            self._keys.lacks_of_object(record, tag, path)
            return
        add = self._found.error if is_error else self._found.warn
        add("PDI-70", path, f"{where(record)}: {tag_name(tag)} is not the object's")

    def _check_above(self, record: DirectoryRecord, values: Mapping[int, bytes]) -> None:
        """Most objects of a Series say the same: each combination is compared once."""
        above = self._parents.get(record.offset)
        if above is not self._chain_of:
            self._chain_of = above
            self._chain_seen.clear()
            self._chain = self._uppers(above)
        mine = tuple(map(values.get, _ABOVE_TAGS))
        if mine in self._chain_seen:
            return
        if len(self._chain_seen) >= _MAX_SEEN:
            self._chain_seen.clear()
        self._chain_seen.add(mine)
        for upper in self._chain:
            kind = upper.record.type
            for tag, same in self._keys.compare(kind, upper.values, values):
                (upper.same if same else upper.other).add(tag)
                if not same and (tag in _LINKS or kind == PATIENT):
                    self._check_identity(upper, tag, values, record.file_id)

    def _uppers(self, above: DirectoryRecord | None) -> list[_Upper]:
        """The records above, with the values of these alone in memory."""
        for upper in self._chain:
            upper.values = {}
        chain = []
        while above is not None:
            upper = self._upper.setdefault(above.offset, _Upper(above))
            upper.values = above.values
            upper.has.update(upper.values)
            chain.append(upper)
            above = self._parents.get(above.offset)
        return chain

    def _check_identity(
        self, upper: _Upper, tag: int, values: Mapping[int, bytes], path: str
    ) -> None:
        """What may not even differ in one object: it would be somebody else's (PDI-85)."""
        above = upper.values
        if tag in _LINKS:
            self._found.error("PDI-67", path, f"the object's {tag_name(tag)} is another one")
            return
        value = values.get(tag, b"").strip(b" \0")
        # What the record has not, as on CD, is held against the first object's.
        mine = above.get(tag, b"").strip(b" \0") or upper.first.setdefault(tag, value)
        if tag == _SEX:
            # Whoever has ID, name and birth date right is the patient: sex releases nothing.
            if {mine, value} == _SEXES:
                self._found.warn("PDI-85", path, "the object says another sex")
            return
        if tag == _BIRTH_DATE:
            is_other = mine != value and date_digits(mine) != date_digits(value)
        else:
            is_other = tag == _PATIENT_ID and tag in above
        if is_other:
            self._found.error("PDI-85", path, f"the object's {tag_name(tag)} is another one")
        elif tag == _NAME and tag in above and self._is_other_name(above, values):
            self._found.error("PDI-85", path, "the object's patient has another name")

    @staticmethod
    def _is_other_name(above: Mapping[int, bytes], values: Mapping[int, bytes]) -> bool:
        (mine, own), (value, charset) = (
            (it.get(_NAME, b""), it.get(_CHARSET, b"")) for it in (above, values)
        )
        return contradict(mine, own, value, charset)

    def finish(self) -> None:
        """What can be said of the upper records once all objects were seen."""
        for upper in self._upper.values():
            for tag in sorted(upper.other):
                self._disagreement(
                    upper.record,
                    tag,
                    DICOMDIR,
                    is_there=tag in upper.has,
                    is_error=tag not in upper.same or tag in _LINKS,
                )
        self._keys.finish()
        self.references.finish(self._uids, self._found)


class _Upper:
    """How the objects below one record agree with it."""

    __slots__ = ("first", "has", "other", "record", "same", "values")

    def __init__(self, record: DirectoryRecord) -> None:
        self.record = record
        self.values: Mapping[int, bytes] = {}
        self.first: dict[int, bytes] = {}  # of the objects, by tag
        self.has: set[int] = set()
        self.same: set[int] = set()
        self.other: set[int] = set()
