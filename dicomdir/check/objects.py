"""Rules on the objects of a File-set, each against its record and those above it (PDI-46 to 85)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from dicomdir.charset import decode
from dicomdir.check.keys import KeyCheck, rule_of
from dicomdir.check.structure import check_meta
from dicomdir.check.tree import Collector, Tree
from dicomdir.directory import DirectoryRecord
from dicomdir.elements import Source, tag_name
from dicomdir.errors import DicomdirError, InstanceError, UnsupportedSopClassError
from dicomdir.instance import Instance, read_instance_at
from dicomdir.part10 import read_meta
from dicomdir.profile import PATIENT, record_type
from dicomdir.records import KEYS

_HEAD_BYTES: Final = 8 << 10
_STANDARD_ROOT: Final = "1.2.840.10008."
_CHARSET: Final = 0x00080005
_NAME, _PATIENT_ID, _BIRTH_DATE = 0x00100010, 0x00100020, 0x00100030
_ACCESSION: Final = 0x00080050
_LINKS: Final = frozenset({0x0020000D, 0x0020000E})
_TELLING: Final = re.compile(rb"[A-Z0-9]{4,}")  # shorter ones are in file names by chance


class ObjectCheck:
    """Reads each file that a record refers to, once.

    Args:
        parents: Offset of each record to the record above it.
        syntaxes: Transfer syntaxes that the profile allows.
        on_instance: Called with each object that could be read.
    """

    def __init__(
        self,
        tree: Tree,
        keys: KeyCheck,
        found: Collector,
        parents: Mapping[int, DirectoryRecord | None],
        syntaxes: frozenset[str],
        on_instance: Callable[[Instance], None],
    ) -> None:
        self._on_instance = on_instance
        self._tree = tree
        self._keys = keys
        self._found = found
        self._parents = parents
        self._syntaxes = syntaxes
        self._sizes = {file.path: file.size_bytes for file in tree.files}
        self._uids: set[str] = set()
        self._upper: dict[int, _Upper] = {}
        self._telling: set[bytes] = set()

    def has(self, path: str) -> bool:
        """There is such a file."""
        return path in self._sizes

    def look(self, record: DirectoryRecord) -> None:
        """Check one file and the records that speak of it."""
        path = record.file_id
        try:
            instance = self._read(path)
        except DicomdirError as error:
            self._found.error("PDI-48", path, f"the object cannot be read: {error}")
            return
        self._on_instance(instance)
        if instance.fault == "meta.mismatch":
            self._found.error("PDI-46", path, "the meta information names another object")
        elif instance.fault:
            self._found.error("PDI-48", path, f"the object is not whole: {instance.fault}")
        elif instance.remark:
            self._found.warn("PDI-48", path, "some bytes of padding follow the pixels")
        if instance.sop_instance_uid in self._uids:
            self._found.error("PDI-47", path, "another file has the same SOP Instance")
        self._uids.add(instance.sop_instance_uid)
        self._check_class(record, instance)
        self._check_reference(record, instance)
        values = instance.values()
        for tag, same in self._keys.compare(record, values).items():
            if not same:
                self._disagreement(record, tag, path, error=True)
        self._check_above(record, values)
        self._check_name(path, values)

    def _read(self, path: str) -> Instance:
        size = self._sizes[path]
        head = self._tree.read(path, 0, min(_HEAD_BYTES, size))

        def read(offset: int, count: int) -> bytes:
            if offset + count <= len(head):
                return head[offset : offset + count]
            return self._tree.read(path, offset, count)

        meta, data_offset = read_meta(Source(read, size, head))
        check_meta(meta, data_offset, path, self._found)
        return read_instance_at(read, size)

    def _check_class(self, record: DirectoryRecord, instance: Instance) -> None:
        path, sop_class = record.file_id, instance.sop_class_uid
        if instance.transfer_syntax_uid not in self._syntaxes:
            reason = f"transfer syntax {instance.transfer_syntax_uid} is not of the profile"
            self._found.error("PDI-49", path, reason)
        if not sop_class.startswith(_STANDARD_ROOT):
            self._found.error("PDI-55", path, f"SOP Class {sop_class} is private")
            return
        try:
            wanted = record_type(sop_class)
        except UnsupportedSopClassError:
            self._found.error("PDI-54", path, f"SOP Class {sop_class} has no record type")
            return
        if record.type != wanted:
            rule = "PDI-56" if record.type == "IMAGE" else "PDI-72"
            reason = f"SOP Class {sop_class} wants a {wanted} record, not {record.type}"
            self._found.error(rule, path, reason)

    def _check_reference(self, record: DirectoryRecord, instance: Instance) -> None:
        for tag, value in (
            (0x00041510, instance.sop_class_uid),
            (0x00041511, instance.sop_instance_uid),
            (0x00041512, instance.transfer_syntax_uid),
        ):
            if record.text(tag) not in ("", value):  # its absence is a finding of its own
                reason = f"{tag_name(tag)} of the record is not the file's"
                self._found.error("PDI-66", record.file_id, reason)

    def _disagreement(self, record: DirectoryRecord, tag: int, path: str, *, error: bool) -> None:
        where = f"the {record.type} record at {record.offset}"
        if tag not in record.values:
            report = self._keys.report(record.type, tag)
            reason = f"{where} lacks {tag_name(tag)} that an object has"
            report(rule_of(record.type), path, reason)
            return
        add = self._found.error if error else self._found.warn
        add("PDI-70", path, f"{where}: {tag_name(tag)} is not the object's")

    def _check_above(self, record: DirectoryRecord, values: Mapping[int, bytes]) -> None:
        above = self._parents.get(record.offset)
        while above is not None:
            upper = self._upper.get(above.offset)
            if upper is None:
                upper = self._upper[above.offset] = _Upper(above)
            if upper.is_new(values):
                for tag, same in self._keys.compare(above, values).items():
                    (upper.same if same else upper.other)[tag] += 1
                    if not same and (tag in _LINKS or above.type == PATIENT):
                        self._check_identity(above, tag, values, record.file_id)
            above = self._parents.get(above.offset)

    def _check_identity(
        self, above: DirectoryRecord, tag: int, values: Mapping[int, bytes], path: str
    ) -> None:
        """What may not even differ in one object: it would be somebody else's (PDI-85)."""
        if tag in _LINKS:
            self._found.error("PDI-67", path, f"the object's {tag_name(tag)} is another one")
        elif tag not in above.values:
            return
        elif tag in (_PATIENT_ID, _BIRTH_DATE):
            self._found.error("PDI-85", path, f"the object's {tag_name(tag)} is another one")
        elif tag == _NAME and _family(above.values) != _family(values):
            self._found.error("PDI-85", path, "the object's patient has another family name")

    def _check_name(self, path: str, values: Mapping[int, bytes]) -> None:
        for tag in (_PATIENT_ID, _NAME, _ACCESSION):
            self._telling.update(_TELLING.findall(values.get(tag, b"").upper()))
        for component in path.encode("ascii", "replace").split(b"/"):
            if component in self._telling:
                self._found.warn("PDI-26", path, "a file name tells about the patient")

    def finish(self) -> None:
        """What can be said of the upper records once all objects were seen."""
        for upper in self._upper.values():
            for tag in upper.other:
                self._disagreement(
                    upper.record, tag, "DICOMDIR", error=not upper.same[tag] or tag in _LINKS
                )


class _Upper:
    """How the objects below one record agree with it."""

    def __init__(self, record: DirectoryRecord) -> None:
        self.record = record
        self.same: Counter[int] = Counter()
        self.other: Counter[int] = Counter()
        self._tags = (_CHARSET, *(key.tag for key in KEYS.get(record.type, ())))
        self._seen: set[tuple[bytes | None, ...]] = set()

    def is_new(self, values: Mapping[int, bytes]) -> bool:
        """Most objects of a Series say the same: each combination is compared once."""
        mine = tuple(values.get(tag) for tag in self._tags)
        if mine in self._seen:
            return False
        self._seen.add(mine)
        return True


def _family(values: Mapping[int, bytes]) -> str | bytes:
    """Family name, case and punctuation apart; raw bytes where it cannot be decoded."""
    raw = values.get(_NAME, b"").strip(b" \0")
    try:
        text = decode(raw, values.get(_CHARSET, b""), is_name=True)
    except InstanceError:
        return raw
    family = text.split("=")[0].split("^")[0]
    return "".join(letter for letter in family.casefold() if letter.isalnum())
