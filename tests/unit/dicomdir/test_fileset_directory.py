"""Reading DICOMDIRs, ours and other people's."""

from __future__ import annotations

import random
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from dicomdir.directory import read_directory
from dicomdir.errors import DirectoryError
from dicomdir.fileset import FileSet, allocate_file_ids
from dicomdir.instance import read_instance
from tests.factories import KINDS, make_study

SEED = 5
SETS = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests"
FOREIGN = [
    "DICOMDIR",
    "DICOMDIR-bigEnd",
    "DICOMDIR-implicit",
    "DICOMDIR-reordered",
    "DICOMDIR-nopatient",
    "DICOMDIR-empty.dcm",
    "TINY_ALPHA/DICOMDIR",
]


def ours(tmp_path: Path) -> bytes:
    found = [read_instance(path) for path in make_study(tmp_path, KINDS)]
    fileset = FileSet("PDI_1", "2.25.99")
    file_ids = allocate_file_ids(found)
    for instance in found:
        fileset.add(instance, file_ids[instance.sop_instance_uid])
    return fileset.encode()


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_directories_as_pydicom_reads_them(name: str) -> None:
    directory = read_directory((SETS / name).read_bytes())
    ds = pydicom.dcmread(SETS / name)
    items = list(ds.DirectoryRecordSequence)
    assert len(directory.records) == len(items)
    assert directory.file_set_id == (ds.get("FileSetID") or "")
    assert directory.first_offset == ds.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity
    for record, item in zip(directory.records, items, strict=True):
        assert record.offset == item.seq_item_tell
        assert record.type == item.DirectoryRecordType
        assert record.next_offset == item.OffsetOfTheNextDirectoryRecord
        assert record.lower_offset == item.OffsetOfReferencedLowerLevelDirectoryEntity
        assert record.in_use == item.RecordInUseFlag
        assert set(record.values) == {int(element.tag) for element in item}
        if "ReferencedFileID" in item:
            assert record.file_id.split("/") == [*_many(item.ReferencedFileID)]
            assert record.text(0x00041511) == item.ReferencedSOPInstanceUIDInFile


def _many(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload]  # a MultiValue


def test_every_leaf_of_a_foreign_set_is_reached() -> None:
    directory = read_directory((SETS / "DICOMDIR").read_bytes())
    reached = {record.file_id for record, _ in directory.walk() if record.is_leaf}
    assert reached == {record.file_id for record in directory.leaves()}
    assert len(reached) > 25


def test_sequences_of_undefined_length_come_out_defined(tmp_path: Path) -> None:
    ds = pydicom.dcmread(get_testdata_file("DICOMDIR"))
    ds["DirectoryRecordSequence"].is_undefined_length = True
    for item in ds.DirectoryRecordSequence:
        item.is_undefined_length_sequence_item = True
        code = Dataset()
        code.CodeValue = "113000"
        item.ConceptNameCodeSequence = [code]
        item["ConceptNameCodeSequence"].is_undefined_length = True
    ds.save_as(tmp_path / "x")
    directory = read_directory((tmp_path / "x").read_bytes())
    assert len(directory.records) == len(ds.DirectoryRecordSequence)
    value = directory.records[0].values[0x0040A043]
    assert value == b"\xfe\xff\0\xe0\x0e\0\0\0\x08\0\0\1SH\6\x00113000"


def test_walks_do_not_go_round_in_circles(tmp_path: Path) -> None:
    data = bytearray(ours(tmp_path))
    directory = read_directory(bytes(data))
    last = directory.records[-1]
    data[last.offset + 16 : last.offset + 20] = directory.records[0].offset.to_bytes(4, "little")
    data[last.offset + 38 : last.offset + 42] = directory.records[1].offset.to_bytes(4, "little")
    assert len(list(read_directory(bytes(data)).walk())) == len(directory.records)


@pytest.mark.parametrize("size", [0, 100, 131, 140, 200, 380, 500, -1])
def test_cut_ones_are_refused(size: int, tmp_path: Path) -> None:
    with pytest.raises(DirectoryError):
        read_directory(ours(tmp_path)[:size])


def test_limits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    data = ours(tmp_path)
    monkeypatch.setattr("dicomdir.directory.MAX_RECORDS", 5)
    with pytest.raises(DirectoryError, match="records"):
        read_directory(data)
    monkeypatch.setattr("dicomdir.directory.MAX_DIRECTORY_BYTES", 1000)
    with pytest.raises(DirectoryError, match="larger"):
        read_directory(data)


def test_no_name_is_shown(tmp_path: Path) -> None:
    directory = read_directory(ours(tmp_path))
    assert "Doe" not in repr(directory.records[0])


def test_mutants_are_directories_or_errors(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    seeds = [ours(tmp_path), *((SETS / name).read_bytes() for name in FOREIGN)]
    read = refused = 0
    for _ in range(600):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(132, len(data))
            if chance.random() < 0.7:
                data[at] = chance.choice((0, 0xFF, chance.randrange(256)))
            else:
                del data[at : at + chance.randint(1, 30)]
        try:
            directory = read_directory(bytes(data))
            read += 1
        except DirectoryError:
            refused += 1
            continue
        assert len(list(directory.walk())) <= len(directory.records)
        assert all(isinstance(record.file_id, str) for record in directory.leaves())
    assert min(read, refused) > 50, (SEED, read, refused)
