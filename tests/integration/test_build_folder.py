"""`build_folder`: anybody's files in, a checked image out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from dicomdir.check.image import check_image
from dicomdir.iso_reader import open_image
from kiosk.errors import ComposeError, InvalidValueError, WrongPatientError
from kiosk.services.build_folder import FolderImage, build_folder
from tests.factories import Patient, make_study
from tests.jobs import CREATED, SITE

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
    assert (made.instances, made.ignored, made.left_out) == (3, 2, ())
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


def test_two_patients_are_refused(tmp_path: Path) -> None:
    make_study(tmp_path / "in" / "a", ("CT",))
    make_study(tmp_path / "in" / "b", ("CT",), seed=2, patient=Patient(name="Other^Olga"))
    with pytest.raises(WrongPatientError):
        build(tmp_path / "in", tmp_path / "out.iso")
    assert not (tmp_path / "out.iso").exists()


def test_damaged_objects_are_named_on_the_disc(tmp_path: Path) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT"))
    uid = dcmread(files[1]).SOPInstanceUID
    files[1].write_bytes(files[1].read_bytes()[:-100])
    made = build(tmp_path / "in", tmp_path / "out.iso")
    assert [(it.sop_instance_uid, it.reason) for it in made.left_out] == [(uid, "pixels.short")]
    with open_image(made.image.path) as reader:
        record = reader.find("INDEX.HTM")
        assert record is not None
        assert str(uid) in reader.read(record, 0, 1 << 20).decode("ascii")


def test_two_objects_of_one_name_are_refused(tmp_path: Path) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT"))
    ds = dcmread(files[1])
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = dcmread(files[0]).SOPInstanceUID
    ds.save_as(files[1])
    with pytest.raises(ComposeError, match="two different objects"):
        build(tmp_path / "in", tmp_path / "out.iso")


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


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    files = make_study(tmp_path / "in", ("CT",))
    (tmp_path / "elsewhere").mkdir()
    make_study(tmp_path / "elsewhere", ("CT",), seed=2, patient=Patient(name="Other^Olga"))
    (tmp_path / "in" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in" / "link2").symlink_to(files[0])
    assert build(tmp_path / "in", tmp_path / "out.iso").instances == 1
