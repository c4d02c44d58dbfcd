"""Our DICOMDIRs judged by other people's tools: dicom3tools, DCMTK and pydicom."""

from __future__ import annotations

import gc
import re
import shutil
import subprocess
import warnings
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet as PydicomFileSet

from dicomdir.check.fileset import check_fileset
from dicomdir.check.tree import Tree, TreeFile
from dicomdir.directory import Directory, DirectoryRecord, read_directory
from dicomdir.file_id import FileID
from dicomdir.fileset import FileSet, allocate_file_ids
from dicomdir.instance import read_instance
from tests.factories import KINDS, SYNTAXES, Patient, Study, make_study

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        any(shutil.which(tool) is None for tool in ("dciodvfy", "dcmmkdir", "dcdirdmp", "dcmdump")),
        reason="needs dicom3tools and dcmtk",
    ),
]

OFFSETS = {0x00041400, 0x00041420}
CHARSET = 0x00080005
HOLES = (
    "PatientID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "SeriesNumber",
    "InstanceNumber",
    "Modality",
    "ContentDate",
    "ContentTime",
)
ALL = (*KINDS, "CT", "CT")


def tool(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=60
    )


def medium(root: Path, study: Path) -> FileSet:
    """Copy the objects of a folder to a medium in `root` and write its DICOMDIR."""
    found = {path: read_instance(path) for path in sorted(study.iterdir())}
    file_ids = allocate_file_ids(found.values())
    fileset = FileSet("PDI_1", "2.25.99")
    for path, instance in found.items():
        file_id = file_ids[instance.sop_instance_uid]
        fileset.add(instance, file_id)
        (root / file_id).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, root / file_id)
    (root / "DICOMDIR").write_bytes(fileset.encode())
    return fileset


def errors_of_dciodvfy(path: Path) -> list[str]:
    """dicom3tools writes to stderr; -new prints one line a problem."""
    run = tool(path.parent, "dciodvfy", "-new", path.name)
    assert run.returncode in (0, 1), f"dciodvfy ended with {run.returncode}"
    return [line for line in run.stderr.splitlines() if line.startswith("Error")]


def dcmmkdir(root: Path, profile: str) -> Directory:
    out = root / f"THEIRS{profile}"
    options = ["+r", profile, "+id", ".", "+D", str(out), "+F", "PDI_1"]
    run = tool(root, "dcmmkdir", *options, "DICOM")
    assert run.returncode == 0, run.stderr
    return read_directory(out.read_bytes())


def findings(root: Path) -> list[str]:
    files = [path for path in root.rglob("*") if path.is_file()]

    def read(name: str, offset: int, size: int) -> bytes:
        with open(root / name, "rb") as f:
            f.seek(offset)
            return f.read(size)

    names = [TreeFile(str(path.relative_to(root)), path.stat().st_size) for path in files]
    data = (root / "DICOMDIR").read_bytes()
    found = check_fileset(data, Tree(names, [], read), profile="STD-GEN-USB-JPEG")
    return [f"{finding.rule} {finding.path} {finding.reason}" for finding in found]


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_factories_make_valid_objects(syntax: str, tmp_path: Path) -> None:
    kinds = ("US", "SC") if syntax == "jpeg" else KINDS
    for kind, path in zip(kinds, make_study(tmp_path, kinds, transfer_syntax=syntax), strict=True):
        assert errors_of_dciodvfy(path) == [], kind


PATIENTS = {
    "ascii": Patient(),
    "latin": Patient(name="Müller^Änne"),
    "utf8": Patient(name="Wang^XiaoDong=王^小东", charset="ISO_IR 192"),
    "gb18030": Patient(name="Wang^XiaoDong=王^小东", charset="GB18030"),
    "japanese": Patient(name="Yamada^Tarou=山田^太郎", charset="\\ISO 2022 IR 87"),
    "korean": Patient(name="Hong^Gildong=洪^吉洞", charset="\\ISO 2022 IR 149"),
    "cyrillic": Patient(name="Иванов^Иван", charset="ISO_IR 144"),
    "bare": Patient(birth_date="", sex="", issuer=""),
}


@pytest.mark.parametrize("patient", PATIENTS.values(), ids=PATIENTS)
def test_every_kind_and_script(patient: Patient, tmp_path: Path) -> None:
    make_study(tmp_path / "study", ALL, patient=patient)
    root = tmp_path / "medium"
    fileset = medium(root, tmp_path / "study")
    judge(root, [str(file_id) for file_id in fileset.ordered()])
    assert fileset.supplied == []


def paths_of_pydicom(root: Path) -> set[Path]:
    """Where pydicom's FileSet finds an object of the UID that the record states."""
    with warnings.catch_warnings():
        # it leaves temporary folders to the garbage collector, which warns
        warnings.simplefilter("ignore", ResourceWarning)
        theirs = PydicomFileSet(root / "DICOMDIR")
        paths = {
            Path(each.path) for each in theirs if each.load().SOPInstanceUID == each.SOPInstanceUID
        }
        del theirs
        gc.collect()
    return paths


def judge(root: Path, file_ids: list[str]) -> None:
    """All tools on one medium; dciodvfy's warnings are about the keys that profiles add."""
    assert errors_of_dciodvfy(root / "DICOMDIR") == []
    walk = tool(root, "dcdirdmp", "DICOMDIR")
    assert walk.returncode == 0, walk.stderr
    # it prints what offsets lead to, in DICOMDIR order
    assert re.findall(r"-> (\S+)", walk.stdout + walk.stderr) == [
        file_id.replace("/", "\\") for file_id in file_ids
    ]
    dump = tool(root, "dcmdump", "+E", "DICOMDIR")
    assert dump.returncode == 0
    assert not [line for line in dump.stderr.splitlines() if line.startswith(("E:", "W:"))]
    assert paths_of_pydicom(root) == {root / file_id for file_id in file_ids}
    assert findings(root) == []


def test_holes_are_filled_so_that_tools_are_content(tmp_path: Path) -> None:
    make_study(tmp_path / "study", ALL, missing=HOLES)
    root = tmp_path / "medium"
    fileset = medium(root, tmp_path / "study")
    judge(root, [str(file_id) for file_id in fileset.ordered()])
    assert {each.tag for each in fileset.supplied} >= {0x00100020, 0x00080020, 0x00200013}


def test_several_studies_and_many_series(tmp_path: Path) -> None:
    for seed, date in ((1, "20230101"), (2, "20240101"), (3, "20220101")):
        make_study(tmp_path / f"{seed}", KINDS, seed=seed, study=Study(study_date=date))
    (tmp_path / "study").mkdir()
    for seed in (1, 2, 3):
        for path in (tmp_path / f"{seed}").iterdir():
            shutil.move(path, tmp_path / "study" / f"{seed}{path.name}")
    root = tmp_path / "medium"
    fileset = medium(root, tmp_path / "study")
    judge(root, [str(file_id) for file_id in fileset.ordered()])


# --- the same files given to dcmmkdir -------------------------------------------------------------


def key_of(record: DirectoryRecord) -> tuple[str, str]:
    uids = (0x0020000E, 0x0020000D, 0x00100020)
    return record.type, record.file_id or next(filter(None, map(record.text, uids)))


def differences(
    ours: Directory, theirs: Directory
) -> dict[tuple[str, str], tuple[set[int], set[int], set[int]]]:
    """For each record: tags that only we have, that only they have, that differ."""
    mine = {key_of(record): record.values for record in ours.records}
    others = {key_of(record): record.values for record in theirs.records}
    assert set(mine) == set(others)
    found = {}
    for key, values in mine.items():
        other: Mapping[int, bytes] = others[key]
        only = set(values) - set(other) - OFFSETS
        lacking = set(other) - set(values) - OFFSETS
        differing = {
            tag
            for tag in set(values) & set(other) - OFFSETS
            if values[tag].strip(b" \0") != other[tag].strip(b" \0")
        }
        if only or lacking or differing:
            found[key] = (only, lacking, differing)
    return found


def refer(ds: Dataset) -> None:
    """Give images more of what the profiles want: references, synchronisation, calibration."""
    if "Rows" not in ds:
        return
    referenced = Dataset()
    referenced.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    referenced.ReferencedSOPInstanceUID = "2.25.4711"
    purpose = Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator = "121311", "DCM"
    purpose.CodeMeaning = "Localizer"
    referenced.PurposeOfReferenceCodeSequence = [purpose]
    ds.ReferencedImageSequence = [referenced]
    ds.SynchronizationFrameOfReferenceUID = "2.25.4712"
    ds.AcquisitionTimeSynchronized = "Y"
    ds.AcquisitionDateTime = "20240311101700"
    ds.CalibrationImage = "NO"
    ds.LossyImageCompressionRatio = "10"


@pytest.mark.parametrize("patient", [PATIENTS["ascii"], PATIENTS["latin"]])
def test_the_usb_keys_are_those_of_dcmmkdir(patient: Patient, tmp_path: Path) -> None:
    """-Pfl is the profile whose keys we write on every medium.

    Allowed: DCMTK writes a Specific Character Set into records that have no text beyond ASCII;
    PS3.3 F.3.2.2 and PDI-68 want it only where a key needs it.
    """
    make_study(tmp_path / "study", ALL, patient=patient, edit=refer)
    root = tmp_path / "medium"
    medium(root, tmp_path / "study")
    ours = read_directory((root / "DICOMDIR").read_bytes())
    for key, found in differences(ours, dcmmkdir(root, "-Pfl")).items():
        assert found == (set(), {CHARSET}, set()), key


def test_the_cd_keys_are_among_ours(tmp_path: Path) -> None:
    """-Pgp is the CD profile: what it lacks is what DVD and USB add (PDI-74, 76, 77)."""
    additions = {
        "PATIENT": {0x00100030, 0x00100040},
        "SERIES": {0x00080080, 0x00080081, 0x00081050},
        "IMAGE": {
            0x0008002A, 0x00181800, 0x00200032, 0x00200037, 0x00200052, 0x00200200, 0x00280008,
            0x00280010, 0x00280011, 0x00280030, 0x00282112, 0x00500004,
        },
    }  # fmt: skip
    make_study(tmp_path / "study", ALL, edit=refer)
    root = tmp_path / "medium"
    medium(root, tmp_path / "study")
    ours = read_directory((root / "DICOMDIR").read_bytes())
    found = differences(ours, dcmmkdir(root, "-Pgp"))
    for (kind, file_id), (only, lacking, differing) in found.items():
        assert only <= additions.get(kind, set()), (kind, file_id)
        assert lacking <= {CHARSET}, (kind, file_id)
        # on CD the references' UIDs are enough; we write the whole sequence, as DVD and USB want it
        assert differing <= {0x00081140}, (kind, file_id)


def test_theirs_pass_our_check(tmp_path: Path) -> None:
    make_study(tmp_path / "study", ALL, edit=refer)
    root = tmp_path / "medium"
    medium(root, tmp_path / "study")
    dcmmkdir(root, "-Pfl")
    shutil.move(root / "THEIRS-Pfl", root / "DICOMDIR")
    assert {line.split()[0] for line in findings(root)} <= {"PDI-68"}  # idle character sets


def test_a_file_id_of_eight_levels(tmp_path: Path) -> None:
    path = make_study(tmp_path / "study", ("CT",))[0]
    file_id = FileID("A/B/C/D/E/F/G/H1234567")
    fileset = FileSet("PDI_1", "2.25.99")
    fileset.add(read_instance(path), file_id)
    (tmp_path / file_id).parent.mkdir(parents=True)
    shutil.copyfile(path, tmp_path / file_id)
    (tmp_path / "DICOMDIR").write_bytes(fileset.encode())
    shutil.rmtree(tmp_path / "study")
    judge(tmp_path, [file_id])
