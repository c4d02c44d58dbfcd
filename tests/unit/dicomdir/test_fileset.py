"""FileSet: the tree, its order, what is refused, what is supplied."""

from __future__ import annotations

import re
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset

from dicomdir.directory import Directory, DirectoryRecord, read_directory
from dicomdir.elements import element
from dicomdir.errors import (
    DuplicateInstanceError,
    FileIDError,
    InstanceError,
    MissingKeyError,
    MixedPatientError,
    SplitSeriesError,
    UnsupportedSopClassError,
)
from dicomdir.file_id import FileID
from dicomdir.fileset import FileSet, allocate_file_ids
from dicomdir.instance import Instance, read_instance
from tests.factories import KINDS, Patient, Study, make_study

CT = "1.2.840.10008.5.1.4.1.1.2"


def instances(
    tmp_path: Path, kinds: tuple[str, ...] = ("CT",), **options: object
) -> list[Instance]:
    folder = tmp_path / str(sum(1 for _ in tmp_path.iterdir()))
    return [read_instance(path) for path in make_study(folder, kinds, **options)]  # type: ignore[arg-type]  # test only


def build(found: list[Instance]) -> FileSet:
    fileset = FileSet("PDI_1", "2.25.99")
    file_ids = allocate_file_ids(found)
    for instance in found:
        fileset.add(instance, file_ids[instance.sop_instance_uid])
    return fileset


def directory(found: list[Instance]) -> Directory:
    return read_directory(build(found).encode())


def of_type(tree: Directory, kind: str) -> list[DirectoryRecord]:
    return [record for record in tree.records if record.type == kind]


def number(
    n: int, *, series: str = "2.25.1", number: str = "", extra: bytes = b"", uid: str = ""
) -> Instance:
    """A made-up CT Instance without a file."""
    keys = (
        element(0x00080020, "DA", b"20240311")
        + element(0x00080030, "TM", b"101500")
        + element(0x00080060, "CS", b"CT")
        + element(0x00100010, "PN", b"Doe^Jane")
        + element(0x00100020, "LO", b"PID")
        + element(0x0020000D, "UI", b"2.25.5")
        + element(0x0020000E, "UI", series.encode())
        + element(0x00200010, "SH", b"S1")
        + element(0x00200011, "IS", b"1")
        + (element(0x00200013, "IS", number.encode()) if number else b"")
        + element(0x00280010, "US", b"\0\2")
        + element(0x00280011, "US", b"\0\2")
        + extra
    )
    uid = uid or f"2.25.7700000000000000000000000000000000{n}"
    return Instance(CT, uid, "1.2.840.10008.1.2.1", "2.25.5", series, keys, 1000, 300)


class TestTree:
    def test_all_kinds_hang_below_one_patient(self, tmp_path: Path) -> None:
        tree = directory(instances(tmp_path, KINDS))
        walked = list(tree.walk())
        assert len(walked) == len(tree.records) == 2 + 2 * len(KINDS)
        for record, parent in walked:
            wanted = {"PATIENT": None, "STUDY": "PATIENT", "SERIES": "STUDY"}.get(
                record.type, "SERIES"
            )
            assert (parent.type if parent else None) == wanted

    def test_header(self, tmp_path: Path) -> None:
        data = build(instances(tmp_path)).encode()
        tree = read_directory(data)
        assert data[:132] == bytes(128) + b"DICM"
        assert (tree.file_set_id, tree.file_set_uid) == ("PDI_1", "2.25.99")
        assert tree.media_sop_class_uid == "1.2.840.10008.1.3.10"
        assert tree.consistency_flag == 0
        assert tree.first_offset == tree.last_offset == tree.records[0].offset
        assert tree.meta[0x00020013].strip() == b"SENDHOME_010"
        assert tree.meta[0x00020012].startswith(b"2.25.")

    def test_series_and_instances_by_number(self, tmp_path: Path) -> None:
        def renumber(ds: Dataset) -> None:
            ds.SeriesNumber = 20 - ds.SeriesNumber
            ds.InstanceNumber = 10 - ds.InstanceNumber

        found = instances(tmp_path, ("CT", "CT", "MR", "CT"), edit=renumber)
        fileset = build(found)
        tree = read_directory(fileset.encode())
        assert [r.text(0x00200011) for r in of_type(tree, "SERIES")] == ["18", "19"]
        assert [r.text(0x00200013) for r in of_type(tree, "IMAGE")] == ["9", "7", "8", "9"]
        assert [r.file_id for r in tree.leaves()] == fileset.ordered()
        walked = [r.file_id for r, _ in tree.walk() if r.is_leaf]
        assert walked == fileset.ordered()

    def test_newest_study_first(self, tmp_path: Path) -> None:
        old = instances(tmp_path, seed=1, study=Study(study_date="20200101"))
        new = instances(tmp_path, seed=2, study=Study(study_date="20240101"))
        same_day = instances(
            tmp_path, seed=3, study=Study(study_date="20240101", study_time="090000")
        )
        tree = directory(old + new + same_day)
        dates = [(r.text(0x00080020), r.text(0x00080030)) for r in of_type(tree, "STUDY")]
        assert dates == [("20240101", "101500"), ("20240101", "090000"), ("20200101", "101500")]

    def test_the_same_bytes_each_time_and_in_any_order(self, tmp_path: Path) -> None:
        found = instances(tmp_path, KINDS, missing=("InstanceNumber",))
        fileset = build(found)
        assert fileset.encode() == fileset.encode() == build(found).encode()
        assert build(found[::-1]).ordered() == fileset.ordered()

    def test_the_syntax_of_a_converted_file(self, tmp_path: Path) -> None:
        instance = instances(tmp_path, transfer_syntax="rle")[0]
        fileset = FileSet("PDI_1", "2.25.99")
        fileset.add(instance, FileID("A"), transfer_syntax_uid="1.2.840.10008.1.2.1")
        leaf = next(read_directory(fileset.encode()).leaves())
        assert leaf.text(0x00041512) == "1.2.840.10008.1.2.1"

    def test_palettes_stand_beside_the_patient(self, tmp_path: Path) -> None:
        keys = element(0x00700080, "CS", b"HOT") + element(0x00700081, "LO", b"")
        palette = Instance(
            "1.2.840.10008.5.1.4.39.1", "2.25.4", "1.2.840.10008.1.2.1", "", "", keys, 1, 1
        )
        fileset = build(instances(tmp_path))
        fileset.add(palette, FileID("DICOM/PALETTE"))
        tree = read_directory(fileset.encode())
        last = tree.by_offset[tree.last_offset or 0]
        assert (last.type, last.file_id) == ("PALETTE", "DICOM/PALETTE")
        assert tree.records[0].next_offset == last.offset
        assert fileset.ordered()[-1] == "DICOM/PALETTE"

    def test_more_can_come_after_encoding(self, tmp_path: Path) -> None:
        first, second = instances(tmp_path, ("CT", "CT"), missing=("InstanceNumber",))
        fileset = FileSet("PDI_1", "2.25.99")
        fileset.add(first, FileID("A"))
        fileset.encode()
        fileset.add(second, FileID("B"))
        tree = read_directory(fileset.encode())
        assert [r.text(0x00200013) for r in of_type(tree, "IMAGE")] == ["1", "2"]
        assert len(fileset) == len(fileset.supplied) == 2


class TestLevels:
    def test_keys_come_from_any_object_that_has_them(self, tmp_path: Path) -> None:
        found = instances(tmp_path, ("CT", "CT"))
        bare = instances(tmp_path, missing=("PatientSex", "InstitutionName"), seed=1)[0]
        first = replace(bare, sop_instance_uid="2.25.3")
        tree = directory([first, found[1]])
        assert of_type(tree, "PATIENT")[0].text(0x00100040) == "F"
        assert of_type(tree, "SERIES")[0].text(0x00080080) == "Example Hospital"

    def test_differences_are_noted_and_the_first_stands(self, tmp_path: Path) -> None:
        seen: list[int] = []

        def describe(ds: Dataset) -> None:
            seen.append(1)
            ds.StudyDescription = f"Study {len(seen)}"

        found = instances(tmp_path, ("CT", "CT"), edit=describe)
        fileset = build(found)
        record = of_type(read_directory(fileset.encode()), "STUDY")[0]
        assert record.text(0x00081030) == "Study 1"
        assert [(each.tag, each.sop_instance_uid) for each in fileset.disagreements] == [
            (0x00081030, found[1].sop_instance_uid)
        ]
        assert "Study" not in str(fileset.disagreements[0])

    def test_each_record_has_the_set_of_its_own_text(self, tmp_path: Path) -> None:
        def foreign(ds: Dataset) -> None:
            if ds.Modality == "MR":
                ds.SpecificCharacterSet = "ISO_IR 144"
                ds.InstitutionName = "Больница"
                ds.StudyDescription = "Голова"
            else:
                ds.InstitutionName = "Städtisches Klinikum"
                del ds.StudyDescription

        tree = directory(instances(tmp_path, ("CT", "MR"), edit=foreign))
        assert 0x00080005 not in of_type(tree, "PATIENT")[0].values
        study = of_type(tree, "STUDY")[0]
        assert study.values[0x00080005] == b"ISO_IR 144"
        series = [r.values[0x00080005].strip() for r in of_type(tree, "SERIES")]
        assert series == [b"ISO_IR 100", b"ISO_IR 144"]

    def test_one_name_in_two_character_sets_is_one_name(self, tmp_path: Path) -> None:
        latin = instances(tmp_path, ("CT",), patient=Patient(name="Müller^Änne"))
        utf8 = instances(
            tmp_path, ("MR",), patient=Patient(name="Müller^Änne", charset="ISO_IR 192")
        )
        fileset = build(latin + utf8)
        assert fileset.disagreements == []
        patient = of_type(read_directory(fileset.encode()), "PATIENT")[0]
        assert patient.values[0x00080005] == b"ISO_IR 100"

    def test_one_record_of_two_character_sets(self, tmp_path: Path) -> None:
        def split_facts(ds: Dataset) -> None:
            ds.SeriesInstanceUID, ds.SeriesNumber = "2.25.8", 1
            if ds.InstanceNumber == 1:
                ds.InstitutionName = "Städtisches Klinikum"
                del ds.PerformingPhysicianName
            else:
                ds.SpecificCharacterSet = "ISO_IR 144"
                del ds.InstitutionName
                ds.PerformingPhysicianName = "Иванов^Иван"

        series = of_type(directory(instances(tmp_path, ("CT", "CT"), edit=split_facts)), "SERIES")[
            0
        ]
        assert series.values[0x00080005] == b"ISO_IR 192"
        assert series.values[0x00080080].decode().strip() == "Städtisches Klinikum"
        assert series.values[0x00081050].decode().strip() == "Иванов^Иван"


class TestSupplied:
    def supplied(self, fileset: FileSet) -> dict[int, str]:
        fileset.encode()
        return {each.tag: each.rule for each in fileset.supplied}

    def test_holes_are_filled_and_said(self, tmp_path: Path) -> None:
        holes = (
            "PatientID",
            "StudyDate",
            "StudyTime",
            "StudyID",
            "SeriesNumber",
            "InstanceNumber",
            "Modality",
        )
        fileset = build(instances(tmp_path, ("CT", "CT", "SR"), missing=holes))
        assert set(self.supplied(fileset)) == {
            0x00100020, 0x00080020, 0x00080030, 0x00200010, 0x00200011, 0x00200013, 0x00080060,
        }  # fmt: skip
        tree = read_directory(fileset.encode())
        patient, study = of_type(tree, "PATIENT")[0], of_type(tree, "STUDY")[0]
        assert re.fullmatch(r"NOID_[0-9A-F]{8}", patient.text(0x00100020))
        assert (study.text(0x00080020), study.text(0x00080030)) == ("20240311", "101600")
        assert study.text(0x00200010) == "1"
        series = of_type(tree, "SERIES")
        assert [r.text(0x00200011) for r in series] == ["1", "2"]
        assert [r.text(0x00080060) for r in series] == ["CT", "SR"]
        assert [r.text(0x00200013) for r in tree.leaves()] == ["1", "2", "1"]

    def test_study_date_falls_back_by_rank(self, tmp_path: Path) -> None:
        missing = ("StudyDate", "StudyTime", "SeriesDate", "SeriesTime")
        fileset = build(instances(tmp_path, ("CT",), missing=missing))
        assert "Acquisition" in self.supplied(fileset)[0x00080020]
        fileset = build(instances(tmp_path, ("CR",), missing=missing))
        assert "Content" in self.supplied(fileset)[0x00080020]

    @pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom tells of what is planted
    def test_a_day_or_time_that_does_not_exist_is_missing(self, tmp_path: Path) -> None:
        def spoil(ds: Dataset) -> None:
            with disable_value_validation():
                ds.StudyDate, ds.StudyTime = "20041399", "256000"

        fileset = build(instances(tmp_path, ("CT",), edit=spoil))
        supplied = self.supplied(fileset)
        assert "earliest" in supplied[0x00080020]
        assert "earliest" in supplied[0x00080030]
        study = of_type(read_directory(fileset.encode()), "STUDY")[0]
        assert (study.text(0x00080020), study.text(0x00080030)) == ("20240311", "101600")

    @pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom tells of what is planted
    @pytest.mark.parametrize(
        ("charset", "codec"), [("ISO_IR 100", "latin_1"), ("ISO_IR 192", "utf_8")]
    )
    def test_a_patient_id_is_never_cut(self, tmp_path: Path, charset: str, codec: str) -> None:
        def called(patient_id: str) -> Callable[[Dataset], None]:
            def rename(ds: Dataset) -> None:
                with disable_value_validation():
                    ds.SpecificCharacterSet, ds.PatientID = charset, patient_id

            return rename

        whole = build(instances(tmp_path, ("CT",), edit=called("ä" * 64)))
        patient = of_type(read_directory(whole.encode()), "PATIENT")[0]
        assert patient.values[0x00100020].decode(codec).strip() == "ä" * 64
        with pytest.raises(MissingKeyError, match="PDI-85") as caught:
            build(instances(tmp_path, ("CT",), edit=called("ä" * 65)))
        assert "ä" not in str(caught.value)

    def test_never_today(self, tmp_path: Path) -> None:
        missing = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
        with pytest.raises(MissingKeyError, match=r"\(0008,0020\)"):
            build(instances(tmp_path, missing=missing)).encode()

    def test_next_free_numbers(self) -> None:
        found = [number(1, number="7"), number(2), number(3, number="3"), number(4, number="1.5")]
        fileset = build(found)
        tree = read_directory(fileset.encode())
        assert [r.text(0x00200013) for r in tree.leaves()] == ["3", "7", "8", "9"]

    def test_two_studies_without_an_id_are_not_merged(self, tmp_path: Path) -> None:
        found = instances(tmp_path, missing=("PatientID",), seed=1)
        found += instances(tmp_path, missing=("PatientID",), seed=2)
        with pytest.raises(MixedPatientError):
            build(found)

    def test_study_ids_are_counted_around_those_in_use(self, tmp_path: Path) -> None:
        found = instances(tmp_path, seed=1, study=Study(study_id="1"))
        found += instances(tmp_path, seed=2, missing=("StudyID",))
        tree = directory(found)
        assert {r.text(0x00200010) for r in of_type(tree, "STUDY")} == {"1", "2"}


class TestRefusals:
    @pytest.mark.parametrize(
        "other",
        [
            Patient(patient_id="PID-0043"),
            Patient(patient_id="pid-0042"),
            Patient(birth_date="19610304"),
            Patient(issuer="ELSEWHERE"),
            Patient(patient_id=""),
        ],
    )
    def test_another_patient(self, other: Patient, tmp_path: Path) -> None:
        fileset = build(instances(tmp_path))
        intruder = instances(tmp_path, seed=2, patient=other)[0]
        before = fileset.encode()
        with pytest.raises(MixedPatientError) as caught:
            fileset.add(intruder, FileID("B"))
        assert "PID" not in str(caught.value)
        assert "1961" not in str(caught.value)
        assert fileset.encode() == before

    def test_one_study_under_two_patients(self, tmp_path: Path) -> None:
        seen: list[int] = []

        def swap(ds: Dataset) -> None:
            seen.append(1)
            ds.PatientID = f"P{len(seen)}"

        with pytest.raises(MixedPatientError):
            build(instances(tmp_path, ("CT", "CT"), edit=swap))

    def test_one_series_in_two_studies(self, tmp_path: Path) -> None:
        def one_series(ds: Dataset) -> None:
            ds.SeriesInstanceUID = "2.25.8"

        found = instances(tmp_path, seed=1, edit=one_series) + instances(
            tmp_path, seed=2, edit=one_series
        )
        with pytest.raises(SplitSeriesError):
            build(found)

    def test_duplicates(self, tmp_path: Path) -> None:
        one, two = instances(tmp_path, ("CT", "CT"))
        fileset = FileSet("PDI_1", "2.25.99")
        fileset.add(one, FileID("A"))
        with pytest.raises(DuplicateInstanceError):
            fileset.add(one, FileID("B"))
        with pytest.raises(DuplicateInstanceError):
            fileset.add(two, FileID("A"))
        fileset.add(two, FileID("B"))

    def test_what_is_not_whole_or_not_known(self, tmp_path: Path) -> None:
        fileset = FileSet("PDI_1", "2.25.99")
        path = make_study(tmp_path / "x", ("CT",))[0]
        path.write_bytes(path.read_bytes()[:-2])
        with pytest.raises(InstanceError, match=r"pixels\.short"):
            fileset.add(read_instance(path), FileID("A"))
        with pytest.raises(UnsupportedSopClassError):
            fileset.add(Instance("1.2.3", "1.2", "1.2", "1.2", "1.2", b"", 1, 1), FileID("A"))

    @pytest.mark.parametrize("file_set_id", ["", "pdi", "PDI 1", "ABCDEFGHIJKL", "PDI-1"])
    def test_a_bad_file_set_id(self, file_set_id: str) -> None:
        with pytest.raises(FileIDError):
            FileSet(file_set_id, "2.25.1")

    def test_a_bad_uid_and_nothing_in_it(self) -> None:
        with pytest.raises(FileIDError):
            FileSet("PDI_1", "x")
        with pytest.raises(FileIDError):
            FileSet("PDI_1", "2.25.1").encode()


class TestCost:
    def test_an_instance_costs_less_than_a_kilobyte(self) -> None:
        fileset = FileSet("PDI_1", "2.25.99")
        tracemalloc.start()
        try:
            for n in range(2_000):
                position = element(0x00200032, "DS", f"-100.5\\-100.5\\{n}.5".encode())
                # tags must ascend: position belongs before group 0028
                instance = number(n, number=str(n))
                keys = instance.keys.replace(b"\x28\0\x10\0US", position + b"\x28\0\x10\0US", 1)
                file_id = FileID(f"DICOM/P0000001/ST000001/SE000001/I{n:07d}")
                fileset.add(replace(instance, keys=keys), file_id)
            used, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert used / 2_000 < 1024
        tree = read_directory(fileset.encode())
        assert len(tree.records) == 2_003
        assert sys.getsizeof(fileset.encode()) < 1_000_000

    def test_work_is_linear(self) -> None:
        """Counted in function calls, which do not depend on the machine."""

        def calls(count: int) -> int:
            found = [number(n, number=str(n)) for n in range(count)]
            return count_calls(lambda: build(found).encode())

        few, many = calls(100), calls(1000)
        assert many < 10.5 * few


def count_calls(work: Callable[[], object]) -> int:
    total = 0

    def tick(_frame: object, event: str, _argument: object) -> None:
        nonlocal total
        total += event in ("call", "c_call")

    sys.setprofile(tick)
    try:
        work()
    finally:
        sys.setprofile(None)
    return total
