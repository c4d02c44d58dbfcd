"""Planted faults: each rule is broken once in a good File-set, and must be what is found."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
import pytest
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset

from dicomdir.check.fileset import check_fileset
from dicomdir.check.tree import Tree, TreeFile
from dicomdir.directory import DirectoryRecord, read_directory
from dicomdir.elements import element, item
from dicomdir.file_id import FileID
from dicomdir.fileset import FileSet, allocate_file_ids
from dicomdir.findings import Finding, Severity
from dicomdir.instance import read_instance
from tests.factories import KINDS, Patient, make_study, stable_uid

SEED = 11
SETS = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests"
USB = "STD-GEN-USB-JPEG"


@dataclass
class Medium:
    """A File-set in memory that tests damage."""

    dicomdir: bytes = b""
    files: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def made(
        cls, folder: Path, kinds: tuple[str, ...] = (*KINDS, "CT"), **options: object
    ) -> Medium:
        paths = make_study(folder, kinds, **options)  # type: ignore[arg-type]  # test only
        found = {path: read_instance(path) for path in paths}
        file_ids = allocate_file_ids(found.values())
        fileset = FileSet("PDI_1", "2.25.99")
        files = {}
        for path, instance in found.items():
            fileset.add(instance, file_ids[instance.sop_instance_uid])
            files[str(file_ids[instance.sop_instance_uid])] = path.read_bytes()
        return cls(fileset.encode(), files)

    def tree(self) -> Tree:
        files = [TreeFile(path, len(data)) for path, data in self.files.items()]
        files.append(TreeFile("DICOMDIR", len(self.dicomdir)))

        def read(path: str, offset: int, size: int) -> bytes:
            data = self.dicomdir if path == "DICOMDIR" else self.files[path]
            return data[offset : offset + size]

        return Tree(files, [], read)

    def findings(self, profile: str = USB) -> list[Finding]:
        return check_fileset(self.dicomdir, self.tree(), profile=profile)

    def rules(self, profile: str = USB) -> set[str]:
        return {finding.rule for finding in self.findings(profile)}

    def record(self, kind: str) -> DirectoryRecord:
        return next(r for r in read_directory(self.dicomdir).records if r.type == kind)

    def patch(self, at: int, data: bytes) -> None:
        self.dicomdir = self.dicomdir[:at] + data + self.dicomdir[at + len(data) :]

    def swap(self, old: bytes, new: bytes, count: int = 1) -> None:
        """In the DICOMDIR, without changing any length."""
        assert len(old) == len(new)
        assert old in self.dicomdir
        self.dicomdir = self.dicomdir.replace(old, new, count)

    def rename_tag(self, kind: str, tag: int, new: int) -> None:
        """A key of a record becomes another attribute: it is missing then."""
        record = self.record(kind)
        old = element(tag, "UL", b"")[:4]
        at = self.dicomdir.index(old, record.offset)
        self.patch(at, element(new, "UL", b"")[:4])

    def edit(self, index: int, change: Callable[[Dataset], object], tmp_path: Path) -> None:
        """Change an object's file."""
        path = sorted(self.files)[index]
        (tmp_path / "edited").write_bytes(self.files[path])
        ds = pydicom.dcmread(tmp_path / "edited")
        change(ds)
        ds.save_as(tmp_path / "edited", enforce_file_format=True)
        self.files[path] = (tmp_path / "edited").read_bytes()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Medium:
    return Medium.made(tmp_path_factory.mktemp("good"))


@pytest.fixture
def medium(good: Medium) -> Medium:
    return Medium(good.dicomdir, dict(good.files))


def number(value: int) -> bytes:
    return value.to_bytes(4, "little")


class TestGood:
    def test_nothing_is_found_on_any_profile(self, medium: Medium) -> None:
        assert medium.findings() == []
        assert medium.findings("STD-GEN-CD") == []

    @pytest.mark.parametrize(
        "patient",
        [
            Patient(name="Müller^Änne"),
            Patient(name="Wang^XiaoDong=王^小东", charset="ISO_IR 192"),
            Patient(name="Yamada^Tarou=山田^太郎", charset="\\ISO 2022 IR 87"),
            Patient(birth_date="", sex="", issuer=""),
        ],
    )
    def test_nor_with_other_patients(self, patient: Patient, tmp_path: Path) -> None:
        assert Medium.made(tmp_path, patient=patient).findings() == []

    @pytest.mark.parametrize(
        "missing",
        [
            "PatientID",
            "StudyDate",
            "StudyID",
            "SeriesNumber",
            "InstanceNumber",
            "Modality",
            "ContentDate",
        ],
    )
    def test_nor_with_supplied_keys(self, missing: str, tmp_path: Path) -> None:
        assert Medium.made(tmp_path, missing=(missing,)).findings() == []

    def test_values_in_old_forms_are_no_disagreement(self, tmp_path: Path) -> None:
        folder = tmp_path / "study"
        for path in make_study(folder, ("CT",)):
            path.write_bytes(
                path.read_bytes()
                .replace(b"\x08\0\x30\0TM\6\x00101500", b"\x08\0\x30\0TM\6\x0010:15 ")
                .replace(b"ORIGINAL\\", b"original\\")
            )
        instance = read_instance(folder / "I0000001")
        fileset = FileSet("PDI_1", "2.25.99")
        fileset.add(instance, FileID("DICOM/I1"))
        assert len(fileset.supplied) == 1  # and one more for the Study
        made = Medium(fileset.encode(), {"DICOM/I1": (folder / "I0000001").read_bytes()})
        assert len(fileset.supplied) == 2
        assert made.findings() == []


class TestFiles:
    def test_a_file_too_many(self, medium: Medium) -> None:
        medium.files["VIEWER/SAMPLE"] = bytes(128) + b"DICM"
        medium.files["VIEWER/PROGRAM"] = b"MZ" * 100
        assert [(f.rule, f.path) for f in medium.findings()] == [("PDI-03", "VIEWER/SAMPLE")]

    def test_a_file_too_few(self, medium: Medium) -> None:
        path = min(medium.files)
        del medium.files[path]
        assert ("PDI-03", path) in {(f.rule, f.path) for f in medium.findings()}

    def test_a_file_name_that_tells(self, medium: Medium) -> None:
        path = min(medium.files)
        medium.files[path.replace("P0000001", "JANE0001")] = medium.files.pop(path)
        medium.swap(
            path.replace("/", "\\").encode(),
            path.replace("/", "\\").replace("P0000001", "JANE0001").encode(),
        )
        assert medium.findings() == []  # a part of a name is chance
        other = path.replace("P0000001", "A0000001")  # the accession number
        medium.files[other] = medium.files.pop(path.replace("P0000001", "JANE0001"))
        medium.swap(b"JANE0001", b"A0000001")
        assert [(f.rule, f.severity) for f in medium.findings()] == [("PDI-26", Severity.WARNING)]

    def test_meta_information(self, medium: Medium) -> None:
        path = min(medium.files)
        data = medium.files[path]
        for old, new in (
            (b"\2\0\0\0UL\4\0" + data[140:144], b"\2\0\0\0UL\4\0" + number(7)),
            (b"\2\0\1\0OB\0\0\2\0\0\0\0\1", b"\2\0\1\0OB\0\0\2\0\0\0\1\0"),
            (b"\2\0\x12\0UI", b"\2\0\x14\0UI"),
        ):
            assert old in data
            medium.files[path] = data.replace(old, new, 1)
            assert medium.rules() == {"PDI-46"}

    def test_meta_information_of_another_object(self, medium: Medium) -> None:
        path = min(medium.files)
        uid = read_directory(medium.dicomdir)
        own = next(r for r in uid.leaves() if r.file_id == path).text(0x00041511).encode()
        medium.files[path] = medium.files[path].replace(own, own[:-1] + b"0", 1)
        assert medium.rules() == {"PDI-46"}

    def test_two_files_of_one_object(self, medium: Medium) -> None:
        one, two = sorted(medium.files)[:2]
        medium.files[two] = medium.files[one]
        assert "PDI-47" in medium.rules()

    @pytest.mark.parametrize("size", [0, 200, 1000, -2])
    def test_cut_files(self, size: int, medium: Medium) -> None:
        path = min(medium.files)
        medium.files[path] = medium.files[path][:size]
        assert "PDI-48" in medium.rules()

    def test_transfer_syntaxes(self, tmp_path: Path) -> None:
        medium = Medium.made(tmp_path, ("US",), transfer_syntax="jpeg")
        assert medium.rules(USB) == set()
        assert medium.rules("STD-GEN-CD") == {"PDI-49"}

    def test_classes_that_do_not_belong(self, medium: Medium, tmp_path: Path) -> None:
        def become(uid: str) -> Callable[[Dataset], None]:
            def change(ds: Dataset) -> None:
                ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = uid

            return change

        for uid, rule in (
            ("1.2.3.4", "PDI-55"),
            ("1.2.840.10008.5.1.4.1.1.8", "PDI-57"),
            ("1.2.840.10008.5.1.4.1.1.999", "PDI-54"),
            ("1.2.840.10008.5.1.4.1.1.999", "PDI-81"),
        ):
            other = Medium(medium.dicomdir, dict(medium.files))
            other.edit(0, become(uid), tmp_path)
            assert rule in other.rules()

    def test_a_report_filed_as_image(self, medium: Medium) -> None:
        record = medium.record("SR DOCUMENT")
        at = medium.dicomdir.index(b"SR DOCUMENT ", record.offset)
        medium.patch(at, b"IMAGE       ")
        assert "PDI-56" in medium.rules()
        medium.patch(at, b"WAVEFORM    ")
        assert "PDI-72" in medium.rules()

    @pytest.mark.parametrize("tag", [b"\x10\x15UI", b"\x11\x15UI", b"\x12\x15UI"])
    def test_references_to_something_else(self, tag: bytes, medium: Medium) -> None:
        at = medium.dicomdir.index(tag)
        medium.patch(at + 6, b"9")
        assert "PDI-66" in medium.rules()


class TestStructure:
    def test_no_dicomdir_at_all(self, medium: Medium) -> None:
        medium.dicomdir = b"nothing"
        assert medium.rules() == {"PDI-61"}

    def test_header(self, medium: Medium) -> None:
        for old, new, rule in (
            (b"1.2.840.10008.1.3.10", b"1.2.840.10008.1.3.11", "PDI-61"),
            (b"PDI_1 ", b"PDI-1 ", "PDI-63"),
            (b"\x04\0\x12\x12US\2\0\0\0", b"\x04\0\x12\x12US\2\0\xff\xff", "PDI-63"),
            (b"\x04\0\x12\x12US\2\0\0\0", b"\x04\0\x13\x12US\2\0\0\0", "PDI-63"),
            (b"\2\0\x12\0UI", b"\2\0\x14\0UI", "PDI-46"),
        ):
            other = Medium(medium.dicomdir, medium.files)
            other.swap(old, new)
            assert other.rules() == {rule}

    def test_offsets(self, medium: Medium) -> None:
        directory = read_directory(medium.dicomdir)
        patient, study, series, image = directory.records[:4]
        header = medium.dicomdir.index(b"\x04\0\x02\x12UL")
        plants = [
            (header + 8, number(image.offset)),  # (0004,1202), as GDCM writes it
            (study.offset + 38, number(series.offset + 2)),  # not on a record
            (series.offset + 38, number(0)),  # its images are lost
            (image.offset + 16, number(image.offset)),  # a circle
            (series.offset + 38, number(patient.offset)),  # back to the root
            (header - 4, number(0)),  # (0004,1200)
        ]
        for at, data in plants:
            other = Medium(medium.dicomdir, medium.files)
            other.patch(at, data)
            assert "PDI-64" in other.rules()

    def test_in_use_flag(self, medium: Medium) -> None:
        medium.patch(medium.record("IMAGE").offset + 28, b"\0\0")
        assert medium.rules() == {"PDI-65"}

    def test_missing_offsets(self, medium: Medium) -> None:
        medium.patch(medium.record("PATIENT").offset + 8, b"\4\0\1\x14")
        assert medium.rules() == {"PDI-65"}

    @pytest.mark.parametrize(
        ("new", "rule"),
        [
            (b"OVERLAY ", "PDI-73"),
            (b"PRIVATE ", "PDI-73"),
            (b"NONSENSE", "PDI-73"),
            (b"STUDY   ", "PDI-71"),
            (b"PALETTE ", "PDI-71"),
        ],
    )
    def test_record_types(self, new: bytes, rule: str, medium: Medium) -> None:
        record = medium.record("ENCAP DOC")
        medium.patch(medium.dicomdir.index(b"ENCAP DOC ", record.offset), new + b"  ")
        assert rule in medium.rules()

    def test_a_series_below_a_patient(self, medium: Medium) -> None:
        series = medium.record("SERIES")
        medium.patch(medium.record("PATIENT").offset + 38, number(series.offset))
        assert {"PDI-64", "PDI-71"} <= medium.rules()

    def test_file_ids(self, medium: Medium) -> None:
        path = next(read_directory(medium.dicomdir).leaves()).file_id
        old = path.replace("/", "\\").encode()
        medium.swap(old, old.replace(b"DICOM", b"dicom"))
        assert {"PDI-03", "PDI-25"} <= medium.rules()
        medium.swap(old.replace(b"DICOM", b"dicom"), old.replace(b"DICOM\\P0", b"IHE_PDI\\"))
        assert "PDI-14" in medium.rules()

    def test_the_same_twice(self, medium: Medium) -> None:
        images = [r for r in read_directory(medium.dicomdir).records if r.type == "IMAGE"]
        one, two = (r.text(0x00041511).encode() for r in images[:2])
        if len(one) == len(two):
            medium.swap(two, one)
            assert "PDI-67" in medium.rules()
        series = [r for r in read_directory(medium.dicomdir).records if r.type == "SERIES"]
        one, two = (r.text(0x0020000E).encode().ljust(64, b"\0")[:44] for r in series[:2])
        medium.swap(two[:39], one[:39])
        assert "PDI-67" in medium.rules()

    def test_two_patients(self, medium: Medium) -> None:
        medium.dicomdir = (SETS / "DICOMDIR").read_bytes()
        reasons = {f.reason for f in medium.findings() if f.rule == "PDI-85"}
        assert reasons == {"there are 2 patients on one medium"}


class TestKeys:
    @pytest.mark.parametrize(
        ("kind", "tag", "rule"),
        [
            ("PATIENT", 0x00100020, "PDI-74"),
            ("PATIENT", 0x00100010, "PDI-74"),
            ("PATIENT", 0x00100040, "PDI-74"),
            ("STUDY", 0x00080020, "PDI-75"),
            ("STUDY", 0x00080050, "PDI-75"),
            ("STUDY", 0x0020000D, "PDI-75"),
            ("SERIES", 0x00080060, "PDI-76"),
            ("SERIES", 0x00081050, "PDI-76"),
            ("IMAGE", 0x00080008, "PDI-77"),
            ("IMAGE", 0x00200013, "PDI-77"),
            ("IMAGE", 0x00280010, "PDI-77"),
            ("IMAGE", 0x00200032, "PDI-77"),
            ("IMAGE", 0x00200052, "PDI-77"),
            ("SR DOCUMENT", 0x0040A491, "PDI-78"),
            ("SR DOCUMENT", 0x0040A030, "PDI-78"),
            ("SR DOCUMENT", 0x0040A730, "PDI-78"),
            ("KEY OBJECT DOC", 0x0040A043, "PDI-78"),
            ("PRESENTATION", 0x00081115, "PDI-78"),
            ("PRESENTATION", 0x00700081, "PDI-78"),
            ("ENCAP DOC", 0x00420012, "PDI-78"),
            ("ENCAP DOC", 0x00420010, "PDI-78"),
        ],
    )
    def test_missing(self, kind: str, tag: int, rule: str, medium: Medium) -> None:
        medium.rename_tag(kind, tag, tag & 0xFFFF0000 | 0xFFFE)
        assert rule in {f.rule for f in medium.findings() if f.severity is Severity.ERROR}

    def test_on_cd_what_dvd_and_usb_add_is_a_warning(self, medium: Medium) -> None:
        medium.rename_tag("IMAGE", 0x00280010, 0x0028FFFE)
        assert {f.severity for f in medium.findings("STD-GEN-CD")} == {Severity.WARNING}
        assert {f.severity for f in medium.findings(USB)} == {Severity.ERROR}

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b"Doe^Jane", b"Roe^Jane"),
            (b"PID-0042", b"PID-0043"),
            (b"19610303", b"19610304"),
        ],
    )
    def test_another_patient(self, old: bytes, new: bytes, medium: Medium) -> None:
        medium.swap(old, new)
        assert {"PDI-70", "PDI-85"} <= medium.rules()

    def test_one_object_of_another_patient(self, medium: Medium, tmp_path: Path) -> None:
        def become(ds: Dataset) -> None:
            ds.PatientID = "OTHER"

        medium.edit(0, become, tmp_path)
        assert "PDI-85" in medium.rules()

    @pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom tells of what is planted
    def test_a_record_with_the_beginning_of_a_longer_patient_id(self, tmp_path: Path) -> None:
        medium = Medium.made(tmp_path, ("CT",), patient=Patient(patient_id="P" * 64))
        assert medium.findings() == []

        def become(ds: Dataset) -> None:
            with disable_value_validation():
                ds.PatientID = "P" * 65

        medium.edit(0, become, tmp_path)
        assert "PDI-85" in medium.rules()

    def test_another_given_name_is_worth_a_warning(self, medium: Medium, tmp_path: Path) -> None:
        def become(ds: Dataset) -> None:
            ds.PatientName = "DOE^Jane^Mary"

        medium.edit(0, become, tmp_path)
        found = medium.findings()
        assert {(f.rule, f.severity) for f in found} == {("PDI-70", Severity.WARNING)}

    def test_an_object_of_another_study(self, medium: Medium, tmp_path: Path) -> None:
        def become(ds: Dataset) -> None:
            ds.StudyInstanceUID = stable_uid("another")

        medium.edit(0, become, tmp_path)
        assert {"PDI-67", "PDI-70"} <= medium.rules()

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b"ORIGINAL\\PRIMARY\\AXIAL", b"ORIGINAL\\PRIMARY\\CORON"),
            (b"-100.0\\-100.5\\5.0", b"-100.0\\-100.5\\9.0"),
            (b"20240312091500", b"20240312083000"),
            (b"Lung window", b"Bone window"),
            (b"Of Interest", b"Not of Int."),
        ],
    )
    def test_values_that_are_not_the_objects(self, old: bytes, new: bytes, medium: Medium) -> None:
        medium.swap(old, new)
        assert medium.rules() == {"PDI-70"}

    def test_references_that_are_not_the_objects(self, medium: Medium) -> None:
        record = medium.record("PRESENTATION")
        at = medium.dicomdir.index(b"\x08\0\x55\x11UI", record.offset)
        medium.patch(at + 12, b"7")
        assert "PDI-70" in medium.rules()

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b"CS\2\0F ", b"CS\2\0f "),
            (b"IS\2\x001 ", b"IS\2\0x "),
            (b"20240311", b"2024-3-1"),
            (b"20240311", b"20041399"),
            (b"TM\6\x00101500", b"TM\6\x00256000"),
        ],
    )
    def test_forms_of_values(self, old: bytes, new: bytes, medium: Medium) -> None:
        medium.swap(old, new)
        assert "PDI-84" in medium.rules()

    def test_character_sets(self, tmp_path: Path) -> None:
        medium = Medium.made(tmp_path, ("CT",), patient=Patient(name="Müller^Änne"))
        medium.swap(b"\x08\0\x05\0CS\n\0ISO_IR 100", b"\x08\0\x06\0CS\n\0ISO_IR 100")
        assert "PDI-68" in medium.rules()

    def test_a_character_set_in_words_that_are_not_defined(self, tmp_path: Path) -> None:
        medium = Medium.made(tmp_path, ("CT",), patient=Patient(name="Müller^Änne"))
        medium.swap(b"ISO_IR 100", b"ISO-IR 100")
        assert "PDI-68" in medium.rules()

    def test_an_unreadable_name(self, tmp_path: Path) -> None:
        medium = Medium.made(tmp_path, ("CT",), patient=Patient(name="Müller^Änne"))
        medium.swap(b"ISO_IR 100", b"ISO_IR 192")
        assert "PDI-68" in medium.rules()

    def test_an_idle_character_set_is_a_warning(self, medium: Medium) -> None:
        medium.swap(b"\x10\0\x10\0PN\x08\0Doe^Jane", b"\x08\0\x05\0CS\x08\0ISO_IR 6")
        found = [f for f in medium.findings() if f.rule == "PDI-68"]
        assert [f.severity for f in found] == [Severity.WARNING]

    def test_more_of_the_report_than_may_be(self, medium: Medium) -> None:
        medium.swap(b"HAS CONCEPT MOD ", b"CONTAINS        ")
        assert "PDI-79" in medium.rules()

    def test_private_elements(self, medium: Medium) -> None:
        medium.rename_tag("IMAGE", 0x00280011, 0x00290011)
        assert "PDI-69" in medium.rules()

    def test_icons(self, medium: Medium) -> None:
        def icon(rows: int) -> bytes:
            return item(
                element(0x00280002, "US", b"\1\0")
                + element(0x00280004, "CS", b"MONOCHROME2")
                + element(0x00280010, "US", rows.to_bytes(2, "little"))
                + element(0x00280011, "US", b"\2\0")
                + element(0x00280100, "US", b"\x08\0")
                + element(0x7FE00010, "OB", bytes(4))
            )

        directory = read_directory(medium.dicomdir)
        last = directory.records[-1]
        for rows, rules in ((2, set()), (3, {"PDI-80"})):
            sequence = element(0x00880200, "SQ", icon(rows))
            body = medium.dicomdir[last.offset + 8 :] + sequence
            data = medium.dicomdir[: last.offset + 4] + number(len(body)) + body
            at = data.index(b"\x04\0\x20\x12SQ") + 8
            data = data[:at] + number(len(data) - at - 4) + data[at + 4 :]
            assert Medium(data, medium.files).rules() == rules

    def test_no_value_is_ever_shown(self, medium: Medium) -> None:
        """Every patch above, all at once: reasons hold tags and UIDs only."""
        for old, new in (
            (b"Doe^Jane", b"Roe^Jane"),
            (b"PID-0042", b"PID-0043"),
            (b"19610303", b"1961-3-3"),
        ):
            medium.swap(old, new)
        text = "".join(f.reason + f.path for f in medium.findings())
        for secret in ("Doe", "Roe", "Jane", "PID-00", "1961", "Thorax", "Hospital"):
            assert secret not in text


class TestForeign:
    @pytest.mark.parametrize("path", sorted(SETS.rglob("DICOMDIR*")), ids=lambda p: p.name)
    def test_foreign_sets_do_not_crash_it(self, path: Path) -> None:
        root = path.parent
        files = [p for p in root.rglob("*") if p.is_file()]

        def read(name: str, offset: int, size: int) -> bytes:
            with open(root / name, "rb") as f:
                f.seek(offset)
                return f.read(size)

        tree = Tree([TreeFile(str(p.relative_to(root)), p.stat().st_size) for p in files], [], read)
        found = check_fileset(path.read_bytes(), tree, profile="STD-GEN-CD")
        assert all(finding.rule.startswith("PDI-") for finding in found)
        assert found  # none of them is a PDI medium

    def test_mutants_do_not_crash_it(self, good: Medium) -> None:
        chance = random.Random(SEED)
        clean = 0
        for _ in range(300):
            medium = Medium(good.dicomdir, dict(good.files))
            data = bytearray(medium.dicomdir)
            path = chance.choice(sorted(medium.files))
            for _ in range(chance.randint(1, 4)):
                data[chance.randrange(132, len(data))] = chance.randrange(256)
            other = bytearray(medium.files[path])
            for _ in range(chance.randint(0, 3)):
                other[chance.randrange(len(other) - 600)] = chance.randrange(256)
            medium.dicomdir, medium.files[path] = bytes(data), bytes(other)
            clean += not medium.findings()
        assert clean < 60, (SEED, clean)
