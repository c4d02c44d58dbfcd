"""`build_folder`: anybody's files in, a checked image out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from dicomdir.breaks import BREAK
from dicomdir.check.image import check_image
from dicomdir.directory import DirectoryRecord, read_directory
from dicomdir.findings import Severity
from dicomdir.iso_reader import open_image
from kiosk.errors import (
    ComposeError,
    IncompleteBuildError,
    InvalidValueError,
    SpoolFullError,
    WrongPatientError,
)
from kiosk.services.build_folder import FolderImage, build_folder
from kiosk.services.build_set import SetOptions
from tests.factories import Patient, make_study
from tests.jobs import CREATED, SITE

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.integration


def build(folder: Path, out: Path) -> FolderImage:
    return build_folder(folder, out, SITE, volume_id="PDI_FOLDER", created_at=CREATED)


def test_foreign_files_get_new_heads_and_keep_their_data_sets(tmp_path: Path) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT", "SR"))
    evil = files[0].read_bytes()
    files[0].write_bytes(b"MZ\x90\0" + evil[4:])
    (tmp_path / "in" / "notes.txt").write_text("not DICOM")
    shutil.copy(files[1], tmp_path / "in" / "again")
    made = build(tmp_path / "in", tmp_path / "out.iso")
    assert (made.instances, len(made.ignored), made.left_out) == (3, 2, ())
    assert check_image(made.image.path) == []
    data_sets = {data[data.index(b"\x08\0\x05\0") :] for data in map(Path.read_bytes, files)}
    found = set()
    with open_image(made.image.path) as reader:
        for record in reader.files():
            data = reader.read(record, 0, record.size_bytes)
            if record.path.startswith("DICOM/"):
                assert data[:132] == bytes(128) + b"DICM"
                found.add(data[data.index(b"\x08\0\x05\0") :])
    assert found == data_sets
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.iso"]


def test_every_encoding_in_one_folder(tmp_path: Path) -> None:
    for number, syntax in enumerate(("implicit", "big", "rle", "jpeg-lossless", "j2k"), 1):
        make_study(tmp_path / "in" / syntax, ("CT", "US"), seed=number, transfer_syntax=syntax)
    made = build(tmp_path / "in", tmp_path / "out.iso")
    assert made.instances == 10
    assert check_image(made.image.path) == []


def test_several_patients_are_refused_and_counted(tmp_path: Path) -> None:
    make_study(tmp_path / "in" / "a", ("CT",))
    make_study(tmp_path / "in" / "b", ("CT",), seed=2, patient=Patient(name="Other^Olga"))
    make_study(tmp_path / "in" / "c", ("CT",), seed=3, patient=Patient(name="Third^Tilda"))
    make_study(tmp_path / "in" / "d", ("CT",), seed=4, patient=Patient(name="Other^Olga"))
    with pytest.raises(WrongPatientError, match="of 3 different patients") as caught:
        build(tmp_path / "in", tmp_path / "out.iso")
    assert "one folder must hold one patient" in str(caught.value)
    assert not any(name in str(caught.value) for name in ("Olga", "Tilda"))
    assert not (tmp_path / "out.iso").exists()


def test_damaged_objects_are_named_on_the_disc(tmp_path: Path) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT"))
    uid = dcmread(files[1]).SOPInstanceUID
    files[1].write_bytes(files[1].read_bytes()[:-100])
    made = build(tmp_path / "in", tmp_path / "out.iso")
    (left,) = made.left_out
    assert (left.path, left.sop_instance_uid, left.reason) == (files[1].name, uid, "pixels.short")
    with open_image(made.image.path) as reader:
        record = reader.find("INDEX.HTM")
        assert record is not None
        page = reader.read(record, 0, 1 << 20).decode("ascii").replace(BREAK, "")
        assert str(uid) in page


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big"])
def test_padding_behind_the_pixels_goes_along(tmp_path: Path, syntax: str) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT"), transfer_syntax=syntax)
    ds = dcmread(files[0])
    ds.PixelData += b"\0\1" * 3
    ds.save_as(files[0])
    made = build(tmp_path / "in", tmp_path / "out.iso")
    assert (made.instances, made.left_out) == (2, ())
    (finding,) = check_image(made.image.path)
    assert (finding.rule, finding.severity) == ("PDI-48", Severity.WARNING)
    with open_image(made.image.path) as reader:
        record = reader.find(finding.path)
        assert record is not None
        on_disc = reader.read(record, 0, record.size_bytes)
    pixels = ds.PixelData
    if syntax == "explicit":
        data = files[0].read_bytes()
        assert on_disc.endswith(data[data.index(b"\x08\0\x05\0") :])
    elif syntax == "big":
        pixels = bytes(
            byte for pair in zip(pixels[1::2], pixels[::2], strict=True) for byte in pair
        )
    assert on_disc.endswith(pixels)


def test_a_contradiction_of_pixels_and_size_is_left_out(tmp_path: Path) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT"))
    ds = dcmread(files[0])
    ds.Rows -= 1
    ds.save_as(files[0])
    made = build(tmp_path / "in", tmp_path / "out.iso")
    assert [it.reason for it in made.left_out] == ["pixels.long"]


@pytest.mark.parametrize(
    "wrong",
    [{"BitsStored": 20}, {"HighBit": 3}, {"PhotometricInterpretation": "YBR_RCT"}],
    ids=lambda it: next(iter(it)),
)
def test_pixels_that_cannot_be_so_are_left_out(tmp_path: Path, wrong: dict[str, object]) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT"))
    ds = dcmread(files[0])
    for keyword, value in wrong.items():
        setattr(ds, keyword, value)
    ds.save_as(files[0])
    made = build(tmp_path / "in", tmp_path / "out.iso")
    assert [(it.path, it.reason) for it in made.left_out] == [(files[0].name, "pixels.attributes")]


def test_what_objects_of_one_patient_say_differently_is_said(tmp_path: Path) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT", "CT"))
    for path, sex in zip(files, "MFF", strict=True):
        ds = dcmread(path)
        ds.PatientSex = sex
        ds.save_as(path)
    (line,) = build(tmp_path / "in", tmp_path / "out.iso").supplied
    assert "(0010,0040)" in line
    assert "(2 objects)" in line


@pytest.mark.filterwarnings("ignore")
def test_deflated_files_are_taken(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    source = get_testdata_file("image_dfl.dcm", download=False)
    assert isinstance(source, str)
    ds = dcmread(source)
    ds.StudyTime, ds.SeriesNumber, ds.InstanceNumber = "101010", 1, 1
    ds.StudyDate = ds.StudyDate or "20040119"
    ds.save_as(tmp_path / "in" / "deflated")
    made = build(tmp_path / "in", tmp_path / "out.iso")
    assert made.instances == 1


@pytest.mark.parametrize("content", [None, b"", b"no DICOM", bytes(128) + b"DICM" + b"\xff" * 900])
def test_nothing_to_build_from(tmp_path: Path, content: bytes | None) -> None:
    (tmp_path / "in").mkdir()
    if content is not None:
        (tmp_path / "in" / "file").write_bytes(content)
    with pytest.raises(ComposeError):
        build(tmp_path / "in", tmp_path / "out.iso")
    assert not (tmp_path / "out.iso").exists()


def test_places_that_make_no_sense(tmp_path: Path) -> None:
    make_study(tmp_path / "in", ("CT",))
    with pytest.raises(InvalidValueError):
        build(tmp_path / "in", tmp_path / "in" / "out.iso")
    with pytest.raises(InvalidValueError):
        build(tmp_path / "nowhere", tmp_path / "out.iso")


def test_a_full_disk_is_known_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_study(tmp_path / "in", ("CT",) * 2)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    with pytest.raises(SpoolFullError, match=r"has 0 MB free, and this takes"):
        build(tmp_path / "in", tmp_path / "out.iso")
    assert [it.name for it in tmp_path.iterdir()] == ["in"]


def test_a_folder_that_takes_nothing_is_named(tmp_path: Path) -> None:
    make_study(tmp_path / "in", ("CT",) * 2)
    with pytest.raises(InvalidValueError, match="nothing can be written into /proc"):
        build(tmp_path / "in", Path("/proc/out.iso"))


def test_links_to_files_are_followed_and_nothing_else(tmp_path: Path) -> None:
    folder, away = tmp_path / "in", tmp_path / "away"
    one, *others = make_study(away, ("CT", "CT", "CT"))
    other_patient = tmp_path / "elsewhere"
    make_study(other_patient, ("CT",), seed=2, patient=Patient(name="Other^Olga"))
    folder.mkdir()
    shutil.copy(one, folder / "one")
    for number, path in enumerate(others):
        (folder / f"link{number}").symlink_to(path)
    (folder / "again").symlink_to(folder / "one")
    (folder / "around").symlink_to(folder)
    (folder / "circle").symlink_to(folder / "circle")
    (folder / "folder").symlink_to(other_patient)
    (folder / "gone").symlink_to(tmp_path / "gone")
    (folder / "null").symlink_to("/dev/null")
    (folder / "proc").symlink_to("/proc/version")
    os.mkfifo(folder / "pipe")
    made = build(folder, tmp_path / "out.iso")
    assert (made.instances, made.left_out) == (3, ())
    # By name the link comes first; which of the two goes along does not matter.
    assert {(it.path, it.is_unseen) for it in made.ignored} == {
        ("around", False),
        ("circle", True),
        ("folder", True),
        ("gone", True),
        ("null", False),
        ("one", False),
        ("pipe", False),
        ("proc", False),
    }
    assert check_image(made.image.path) == []


def test_a_link_to_another_patient_refuses_all(tmp_path: Path) -> None:
    make_study(tmp_path / "in", ("CT",))
    (path,) = make_study(tmp_path / "away", ("CT",), seed=2, patient=Patient(name="Other^Olga"))
    (tmp_path / "in" / "link").symlink_to(path)
    with pytest.raises(WrongPatientError, match="link"):
        build(tmp_path / "in", tmp_path / "out.iso")


def test_a_folder_of_links_that_lead_nowhere_names_them(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "gone").symlink_to(tmp_path / "gone")
    with pytest.raises(ComposeError, match=r"look into gone \(a link that leads nowhere\)"):
        build(tmp_path / "in", tmp_path / "out.iso")


def test_unreadable_dicom_files_are_named_never_just_ignored(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    files = make_study(folder, ("CT", "CT", "CT", "CT"))
    uids = [str(dcmread(path).SOPInstanceUID) for path in files]
    data = files[1].read_bytes()
    bare = data[data.index(b"\x08\0\x05\0") :]
    files[1].write_bytes(data[: len(data) - len(bare) + 40])  # before its UIDs
    data = files[2].read_bytes()
    at = data.index(b"\x08\0\x05\0")
    files[2].write_bytes(data[: at + 4] + b"??" + data[at + 6 :])
    files[3].write_bytes(bare)
    (folder / "sub").mkdir()
    (folder / "sub" / "noise").write_bytes(bytes(128) + b"DICM" + b"\xff" * 900)
    (folder / "notes.txt").write_text("not DICOM")
    made = build(folder, tmp_path / "out.iso")
    assert (made.instances, len(made.ignored)) == (1, 1)
    assert {(it.path, it.sop_instance_uid, it.reason) for it in made.left_out} == {
        (files[1].name, uids[1], "instance.truncated"),
        (files[2].name, uids[2], "instance.unreadable"),
        (files[3].name, "", "instance.no_header"),
        ("sub/noise", "", "instance.unreadable"),
    }
    assert check_image(made.image.path) == []
    with open_image(made.image.path) as reader:
        record = reader.find("INDEX.HTM")
        assert record is not None
        page = reader.read(record, 0, 1 << 20).decode("ascii").replace(BREAK, "")
    assert "Not on this disc: 4 of the objects" in page
    assert uids[1] in page
    assert uids[2] in page
    assert 'In all: <span id="studies">1</span> exam,' in page
    assert '<span id="instances">1</span> object (' in page


def test_what_the_conversion_leaves_out_has_its_path(tmp_path: Path) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT"))
    ds = dcmread(files[1])
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.3.4"
    ds.save_as(files[1])
    made = build(tmp_path / "in", tmp_path / "out.iso")
    assert [(it.path, it.reason) for it in made.left_out] == [(files[1].name, "profile.sop_class")]


def test_a_data_set_without_header_and_a_dicomdir(tmp_path: Path) -> None:
    make_study(tmp_path / "in", ("CT",))
    for name in ("ExplVR_LitEndNoMeta.dcm", "DICOMDIR"):
        source = get_testdata_file(name, download=False)
        assert isinstance(source, str)
        shutil.copy(source, tmp_path / "in" / name)
    made = build(tmp_path / "in", tmp_path / "out.iso")
    assert [(it.path, it.reason) for it in made.left_out] == [
        ("ExplVR_LitEndNoMeta.dcm", "instance.no_header")
    ]
    assert len(made.ignored) == 1


def test_only_unreadable_files_are_not_called_none(tmp_path: Path) -> None:
    files = make_study(tmp_path / "in", ("CT",))
    files[0].write_bytes(files[0].read_bytes()[:-100])
    with pytest.raises(ComposeError, match=r"1 are not: I0000001 \(pixels\.short\)"):
        build(tmp_path / "in", tmp_path / "out.iso")


def test_only_a_regular_file_is_replaced(tmp_path: Path) -> None:
    make_study(tmp_path / "in", ("CT",))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InvalidValueError, match="pipe"):
        build(tmp_path / "in", pipe)
    assert pipe.is_fifo()
    with pytest.raises(InvalidValueError, match="none"):
        build(tmp_path / "in", tmp_path / "none" / "out.iso")
    with pytest.raises(InvalidValueError):
        build(tmp_path / "in", Path("/dev/full"))
    assert Path("/dev/full").is_char_device()
    (tmp_path / "out.iso").write_text("old")
    build(tmp_path / "in", tmp_path / "out.iso")
    assert check_image(tmp_path / "out.iso") == []


@pytest.mark.parametrize("cut", [0, 100])
def test_wrong_meta_information_is_mended_and_hides_nothing(tmp_path: Path, cut: int) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT"))
    uid = str(dcmread(files[1]).SOPInstanceUID).encode()
    data = files[1].read_bytes()
    other = uid[:-1] + (b"1" if uid[-1:] != b"1" else b"2")
    files[1].write_bytes(data.replace(uid, other, 1)[: len(data) - cut])
    made = build(tmp_path / "in", tmp_path / "out.iso")
    assert [it.reason for it in made.left_out] == (["pixels.short"] if cut else [])
    assert made.instances == (1 if cut else 2)
    assert check_image(made.image.path) == []


def edited(path: Path, **values: object) -> None:
    ds = dcmread(path)
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    ds.save_as(path)


def record_of(image: Path, kind: str) -> DirectoryRecord:
    """The first of its kind."""
    with open_image(image) as reader:
        record = reader.find("DICOMDIR")
        assert record is not None
        tree = read_directory(reader.read(record, 0, record.size_bytes))
    return next(it for it in tree.records if it.type == kind)


@pytest.mark.parametrize("at", [0, 1])
def test_an_object_without_patient_id_goes_along(tmp_path: Path, at: int) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT", "CT"))
    edited(files[at], PatientID="", IssuerOfPatientID="NOBODY")
    made = build(tmp_path / "in", tmp_path / "out.iso")
    assert (made.instances, made.left_out) == (3, ())
    (line,) = made.supplied
    assert line.startswith("(0010,0020)")
    assert "that of the patient's other objects" in line
    assert record_of(made.image.path, "PATIENT").text(0x00100020) == "PID-0042"
    assert check_image(made.image.path) == []


def test_a_disc_of_objects_without_patient_id_has_that_of_the_set(tmp_path: Path) -> None:
    make_study(tmp_path / "in" / "a", ("CT",) * 2, rows=512, columns=512)
    make_study(
        tmp_path / "in" / "b", ("MR",) * 2, rows=512, columns=512,
        edit=lambda ds: setattr(ds, "PatientID", ""),
    )  # fmt: skip
    made = build_folder(
        tmp_path / "in", tmp_path / "out.iso", SITE, volume_id="PDI_FOLDER", created_at=CREATED,
        options=SetOptions(capacity_blocks=1000, may_span=True),
    )  # fmt: skip
    assert len(made.more) > 0
    for image in (made.image, *made.more):
        assert record_of(image.path, "PATIENT").text(0x00100020) == "PID-0042"
        assert check_image(image.path) == []


@pytest.mark.parametrize(
    "other", [{"StudyInstanceUID": "2.25.7"}, {"PatientName": ""}, {"PatientBirthDate": ""}]
)
def test_without_patient_id_all_the_rest_has_to_be_the_patients(
    tmp_path: Path, other: dict[str, str]
) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT"))
    edited(files[1], PatientID="", **other)
    made = build(tmp_path / "in", tmp_path / "out.iso")
    assert [(it.path, it.reason) for it in made.left_out] == [(files[1].name, "identity.no_id")]
    assert check_image(made.image.path) == []


def test_two_studies_without_patient_id_are_not_taken_for_one_patients(tmp_path: Path) -> None:
    make_study(tmp_path / "in" / "a", ("CT",), missing=("PatientID",))
    make_study(tmp_path / "in" / "b", ("CT", "CT"), missing=("PatientID",), seed=2)
    made = build(tmp_path / "in", tmp_path / "out.iso")
    assert [(it.path, it.reason) for it in made.left_out] == [("a/I0000001", "identity.no_id")]
    assert check_image(made.image.path) == []


@pytest.mark.parametrize("other", [{"PatientName": "Roe^Jane"}, {"PatientBirthDate": "19610304"}])
def test_without_patient_id_a_contradiction_still_refuses_all(
    tmp_path: Path, other: dict[str, str]
) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT"))
    edited(files[1], PatientID="", **other)
    with pytest.raises(WrongPatientError, match=files[1].name):
        build(tmp_path / "in", tmp_path / "out.iso")


@pytest.mark.parametrize("keyword", ["IssuerOfPatientID", "PatientBirthDate"])
def test_what_the_first_object_does_not_say_still_tells_the_others_apart(
    tmp_path: Path, keyword: str
) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT", "CT", "CT"))
    for path, value in zip(files, ("", "", "19610303", "19610304"), strict=True):
        edited(path, **{keyword: value})
    with pytest.raises(WrongPatientError, match=files[3].name):
        build(tmp_path / "in", tmp_path / "out.iso")


def test_one_patient_id_in_two_character_sets_is_one(tmp_path: Path) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT"), patient=Patient(patient_id="PÄ-1"))
    edited(files[1], SpecificCharacterSet="ISO_IR 192")
    assert build(tmp_path / "in", tmp_path / "out.iso").instances == 2


def test_a_series_of_two_studies_is_no_second_patient(tmp_path: Path) -> None:
    files = make_study(tmp_path / "in" / "a", ("CT", "MR"))
    (first, *_) = make_study(tmp_path / "in" / "b", ("CT", "CT", "CT"), seed=2)
    edited(files[0], SeriesInstanceUID=dcmread(first).SeriesInstanceUID)
    made = build(tmp_path / "in", tmp_path / "out.iso")
    assert made.instances == 4
    (left,) = made.left_out
    assert (left.path, left.reason) == ("a/I0000001", "fileset.split_series")
    assert check_image(made.image.path) == []


UNPRIVILEGED = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all", "--ambient-caps", "-all")


def run_without_rights(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """A command as somebody whom the modes of files bind, which root alone they do not."""
    return subprocess.run(
        [
            *(UNPRIVILEGED if os.geteuid() == 0 else ()),
            sys.executable,
            "-m",
            "kiosk.cli.main",
            *words,
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_may_not_be_read_is_named_and_costs_only_itself(tmp_path: Path) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT", "CT"))
    shut = tmp_path / "in" / "shut"
    shut.mkdir()
    (shut / "inside").touch()
    deep = tmp_path / "in"
    for number in range(34):
        deep /= f"d{number}"
    deep.mkdir(parents=True)
    shutil.copy(files[0], deep / "far")
    files[1].chmod(0)
    shut.chmod(0)
    try:
        made = run_without_rights("build", "--json", tmp_path / "in", "-o", tmp_path / "out.iso")
        checked = run_without_rights("check", tmp_path / "in")
    finally:
        shut.chmod(0o700)
    assert made.returncode == IncompleteBuildError.exit_code, made.stderr
    said = json.loads(made.stdout)
    assert said["instances"] == 2
    unseen = {it["path"].rpartition("/")[2]: it["reason"] for it in said["ignored"] if it["unseen"]}
    assert unseen == {
        files[1].name: "it may not be read",
        "shut": "it may not be read",
        "d32": "folders are nested too deep below it",
    }
    assert checked.returncode == InvalidValueError.exit_code
    assert "Permission denied" in checked.stderr
    assert any(it in checked.stderr for it in (files[1].name, "shut"))
