"""One bad file among good ones: it is named with its reason, or goes along in legal form.

The good ones are on the medium whatever the bad one is, and no word of it becomes markup, a path or
an escape sequence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from dicomdir.check.image import check_image
from dicomdir.directory import read_directory
from dicomdir.findings import Severity
from kiosk.errors import ComposeError, WrongPatientError
from kiosk.services.build_folder import FolderImage, build_folder
from tests.factories import Patient, make_study, rename
from tests.jobs import CREATED, SITE
from tests.real_data import extract

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]

BAD = "I0000003"
SCRIPT = "<script>alert(1)</script>"
CONTROL = "A\x1b]0;x\x07B\x1b[31mC\x9bD"


def study(tmp_path: Path, edit: Callable[[Dataset], object] | None = None) -> Path:
    """Two good objects and a bad one; returns the folder."""
    folder = tmp_path / "in"
    make_study(folder, ("CT", "CT", "MR"))
    if edit is not None:
        ds = dcmread(folder / BAD)
        edit(ds)
        ds.save_as(folder / BAD)
    return folder


def build(folder: Path) -> FolderImage:
    out = folder.parent / "out.iso"
    return build_folder(folder, out, SITE, volume_id="PDI_BAD", created_at=CREATED)


def medium(folder: Path) -> Path:
    """The finished image's files; all of them legal and harmless."""
    root = folder.parent / "medium"
    extract(folder.parent / "out.iso", root)
    found = check_image(folder.parent / "out.iso")
    assert [it for it in found if it.severity is Severity.ERROR] == []
    for path in root.rglob("*"):
        assert re.fullmatch(r"[A-Z0-9_]{1,8}(\.[A-Z0-9]{1,3})?", path.name)
        if path.suffix == ".HTM":
            page = path.read_bytes()
            tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(page).iter()}
            assert "script" not in tags
            assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", page.replace(b"\r\n", b"\n"))
    assert sorted(it.name for it in folder.parent.iterdir()) == ["in", "medium", "out.iso"]
    return root


def damaged(folder: Path, change: Callable[[bytes], bytes]) -> None:
    path = folder / BAD
    path.write_bytes(change(path.read_bytes()))


def relength(data: bytes, tag: bytes, vr: bytes, length: int) -> bytes:
    """Another length in the header of the first element of this tag."""
    at = data.index(tag + vr)
    if vr in (b"OW", b"SQ"):
        return data[: at + 8] + length.to_bytes(4, "little") + data[at + 12 :]
    return data[: at + 6] + length.to_bytes(2, "little") + data[at + 8 :]


ROWS, DATE, PIXELS = b"\x28\0\x10\0", b"\x08\0\x20\0", b"\xe0\x7f\x10\0"
DAMAGE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut in its preamble": (lambda data: data[:100], "ignored"),
    "cut in its meta information": (lambda data: data[:180], "instance.truncated"),
    "cut in its header": (lambda data: data[:700], "instance.truncated|dataset.truncated"),
    "cut in its pixels": (lambda data: data[:-77], "pixels.short"),
    "no DICOM": (lambda _: b"Dear colleague,\r\n" * 40, "ignored"),
    "empty": (lambda _: b"", "ignored"),
    "garbage behind the prefix": (lambda data: data[:132] + b"\xff" * 900, "instance.unreadable"),
    "no such VR": (lambda data: data.replace(ROWS + b"US", ROWS + b"ZZ"), "instance.unreadable"),
    "date as sequence": (
        lambda data: data.replace(DATE + b"DA", DATE + b"SQ"),
        "instance.unreadable|instance.truncated|dataset.truncated",
    ),
    "rows as text": (lambda data: data.replace(ROWS + b"US", ROWS + b"LO"), "instance.unreadable"),
    "length behind the end": (
        lambda data: relength(data, DATE, b"DA", 0xFFFE),
        "instance.unreadable|instance.truncated|dataset.truncated",
    ),
    "length too short": (lambda data: relength(data, DATE, b"DA", 4), "instance.unreadable"),
    "pixels said to be longer": (
        lambda data: relength(data, PIXELS, b"OW", 1 << 30),
        "pixels.short|pixels.long",
    ),
    "pixels said to be shorter": (
        lambda data: relength(data, PIXELS, b"OW", 100),
        "pixels.short",
    ),
    "pixels of 0 bytes": (
        lambda data: relength(data, PIXELS, b"OW", 0)[: data.index(PIXELS) + 12],
        "pixels.short",
    ),
    "something behind the pixels": (lambda data: data + b"EVIL" * 9, "dataset.trailing"),
    "a UID upwards": (
        lambda data: re.sub(rb"(\x08\0\x18\0UI..)[\d.]{12}", rb"\1../../../..x", data),
        "instance.unreadable",
    ),
    "encapsulated without fragments": (
        lambda data: data.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0"),
        "pixels.encoding",
    ),
    "video": (
        lambda data: data.replace(
            b"\x14\x001.2.840.10008.1.2.1\0", b"\x18\x001.2.840.10008.1.2.4.100\0"
        ),
        "instance.unreadable|pixels.encoding|profile.transfer_syntax|meta.length",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_named_and_the_others_go_on(name: str, tmp_path: Path) -> None:
    change, reason = DAMAGE[name]
    folder = study(tmp_path)
    damaged(folder, change)
    made = build(folder)
    assert made.instances == 2
    if reason == "ignored":
        assert (len(made.ignored), made.left_out) == (1, ())
    else:
        (left,) = made.left_out
        assert left.path == BAD
        assert left.reason in reason.split("|")
    page = (medium(folder) / "INDEX.HTM").read_text()
    assert ("Not on this disc" in page) == (reason != "ignored")


def set_all(**values: object) -> Callable[[Dataset], object]:
    def edit(ds: Dataset) -> None:
        for keyword, value in values.items():
            setattr(ds, keyword, value)

    return edit


ODD = {
    "garbage in dates": set_all(ContentDate="yesterday", ContentTime="99:99", SeriesDate="0"),
    "a study date that is no day": set_all(StudyDate="20041399", StudyTime="XX"),
    "a description as script": set_all(SeriesDescription=SCRIPT, StudyDescription=SCRIPT),
    "a description with controls": set_all(SeriesDescription=CONTROL, StudyDescription=CONTROL),
    "300 characters": set_all(
        SeriesDescription="S" * 300,
        StudyDescription="D" * 300,
        StudyID="I" * 300,
        AccessionNumber="A" * 300,
        InstitutionName="N" * 300,
        ImageType=["ORIGINAL", "P" * 300],
    ),
    "upwards": set_all(
        StudyID="../../../etc",
        SeriesDescription="../../passwd",
        StudyDescription="..\\..\\boot.ini",
        InstitutionName="../",
        ImageType=["../..", "PRIMARY"],
        Modality="../..",
    ),
    "numbers that are none": set_all(InstitutionAddress="\0\0", BodyPartExamined="a/../b"),
    "a foreign character set": set_all(SpecificCharacterSet="ISO_IR 999", StudyDescription="?"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_values_go_along_in_legal_form(name: str, tmp_path: Path) -> None:
    folder = study(tmp_path, ODD[name])
    made = build(folder)
    assert (made.instances, made.left_out) == (3, ())
    root = medium(folder)
    records = read_directory((root / "DICOMDIR").read_bytes()).records
    for record in records:
        for tag, value in record.values.items():
            if tag not in (0x00041400, 0x00041420) and len(value) < 400:
                assert b"\x07" not in value
        assert len(record.text(0x00200010)) <= 16
        assert len(record.text(0x00081030)) <= 64
    on_medium = {dcmread(path).SOPInstanceUID for path in (root / "DICOM").rglob("I*")}
    assert on_medium == {dcmread(path).SOPInstanceUID for path in folder.iterdir()}


@pytest.mark.parametrize("name", [f"{SCRIPT}^Jane", "../../../etc^passwd"])
def test_odd_names_of_the_patient(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    make_study(folder, ("CT", "CT", "MR"), patient=Patient(name=name))
    assert build(folder).instances == 3
    records = read_directory((medium(folder) / "DICOMDIR").read_bytes()).records
    (stated,) = (it.text(0x00100010) for it in records if it.type == "PATIENT")
    assert stated == name


LATIN = b"M\xfcller^J\xf6rg"


@pytest.mark.parametrize(
    ("name", "charset"),
    [
        (LATIN, b""),
        (LATIN, b"ISO_IR 999"),
        (LATIN, b"ISO_IR 192"),
        (b"D\x1b[31moe\x07^J\x9bane", b""),
        ("M\ufffdller^J".encode(), b"ISO_IR 192"),
        (b"N" * 300, b""),
    ],
)
def test_names_that_nobody_can_read_go_along_as_they_are(
    name: bytes, charset: bytes, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    files = make_study(folder, ("CT", "CT", "SR"))
    for file in files:
        rename(file, name, charset)
    made = build(folder)
    assert (made.instances, made.left_out) == (3, ())
    root = medium(folder)
    for path in (root / "DICOM").rglob("I*"):
        if path.is_file():
            assert name in path.read_bytes(), "not a byte is changed"
    records = read_directory((root / "DICOMDIR").read_bytes()).records
    (stated,) = (it.values[0x00100010] for it in records if it.type == "PATIENT")
    assert b"\x1b" not in stated
    assert stated[:1] == name[:1]


@pytest.mark.parametrize(
    ("charset", "name"), [(b"ISO_IR 100", LATIN), (b"ISO_IR 192", LATIN.decode("latin-1").encode())]
)
def test_a_forgotten_character_set_beside_a_declared_one(
    charset: bytes, name: bytes, tmp_path: Path
) -> None:
    folder = study(tmp_path)
    for file in folder.iterdir():
        rename(file, name, charset)
    rename(folder / "I0000001", LATIN)
    made = build(folder)
    assert (made.instances, made.left_out) == (3, ())
    medium(folder)


@pytest.mark.parametrize(
    ("charset", "term", "name"),
    [
        (b"ISO-IR 100", "ISO_IR 100", LATIN),
        (b"UTF-8", "ISO_IR 192", LATIN.decode("latin-1").encode()),
    ],
)
def test_a_character_set_in_other_words_is_read_as_it_is_meant(
    charset: bytes, term: str, name: bytes, tmp_path: Path
) -> None:
    folder = study(tmp_path)
    for file in folder.iterdir():
        rename(file, name, charset)
    made = build(folder)
    assert (made.instances, made.left_out, made.supplied) == (3, (), ())
    root = medium(folder)
    records = read_directory((root / "DICOMDIR").read_bytes()).records
    (record,) = (it for it in records if it.type == "PATIENT")
    assert record.text(0x00080005) == term
    assert record.values[0x00100010].strip() == name
    assert "M&#252;ller" in (root / "INDEX.HTM").read_text()
    for path in (root / "DICOM").rglob("I*"):
        if path.is_file():
            assert charset in path.read_bytes(), "not a byte is changed"


def test_letters_that_are_lost_are_said(tmp_path: Path) -> None:
    folder = study(tmp_path)
    for file in folder.iterdir():
        rename(file, LATIN)
    (line,) = build(folder).supplied
    assert line.startswith("(0010,0010)")
    assert "PDI-68: letters" in line


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 11])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_presentation_state_of_nothing_is_left_out(
    number: int, is_there: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    *_, path = make_study(folder, ("CT", "CT", "PR"))
    ds = dcmread(path)
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = f"1.2.840.10008.5.1.4.1.1.11.{number}"
    ds.ReferencedSeriesSequence = []
    if not is_there:
        del ds.ReferencedSeriesSequence
    ds.save_as(path)
    made = build(folder)
    assert [(it.path, it.reason) for it in made.left_out] == [(BAD, "fileset.missing_key")]
    medium(folder)


@pytest.mark.parametrize("name", [b"D\xf6e^Jane", b"M\xfcller^J", b"\x1b$B^Jane", b""])
def test_an_unreadable_name_that_may_be_anybodys_costs_its_object_alone(
    name: bytes, tmp_path: Path
) -> None:
    folder = study(tmp_path)
    rename(folder / "I0000001", name)  # the first file, so not who it is that matters
    made = build(folder)
    (left,) = made.left_out
    assert (made.instances, left.path, left.reason) == (2, "I0000001", "identity.unreadable")
    assert "whose" in (medium(folder) / "INDEX.HTM").read_text()


@pytest.mark.parametrize("keyword", ["PatientID", "PatientBirthDate"])
def test_an_unreadable_name_does_not_hide_another_patient(keyword: str, tmp_path: Path) -> None:
    other = {"PatientID": "OTHER", "PatientBirthDate": "19990101"}[keyword]
    folder = study(tmp_path, lambda ds: setattr(ds, keyword, other))
    rename(folder / BAD, LATIN)
    with pytest.raises(WrongPatientError, match="2 different patients"):
        build(folder)
    assert not (tmp_path / "out.iso").exists()


def test_two_patients_without_an_id_are_two(tmp_path: Path) -> None:
    folder = study(tmp_path, lambda ds: setattr(ds, "PatientName", "Other^Olga"))
    for file in folder.iterdir():
        ds = dcmread(file)
        ds.PatientID = ""
        ds.save_as(file)
    with pytest.raises(WrongPatientError, match=f"I0000001 and {BAD}"):
        build(folder)


@pytest.mark.parametrize("compressed", [False, True])
def test_two_objects_of_one_uid_cost_these_two(compressed: bool, tmp_path: Path) -> None:
    folder = study(tmp_path)
    ds = dcmread(folder / "I0000001")
    if compressed:
        ds.compress("1.2.840.10008.1.2.5", generate_instance_uid=False)
    else:
        ds.InstanceNumber = 77
    ds.save_as(folder / "TWIN")
    made = build(folder)
    assert made.instances == 2
    assert [(it.path, it.reason) for it in made.left_out] == [
        ("I0000001", "fileset.duplicate"),
        ("TWIN", "fileset.duplicate"),
    ]
    assert "Not on this disc: 1 of" in (medium(folder) / "INDEX.HTM").read_text()


@pytest.mark.parametrize("copy", ["A", "Z"])  # before the sound one and behind it
def test_a_cut_copy_does_not_cost_the_sound_file(copy: str, tmp_path: Path) -> None:
    folder = study(tmp_path)
    (folder / copy).write_bytes((folder / "I0000001").read_bytes()[:-100])
    made = build(folder)
    assert made.instances == 3
    assert [(it.path, it.reason) for it in made.left_out] == [(copy, "pixels.short")]
    assert "Not on this disc" not in (medium(folder) / "INDEX.HTM").read_text()


DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")


@pytest.mark.parametrize("value", ["", "2024-1-1X", "20240231"])
def test_a_study_without_any_date_costs_that_study(value: str, tmp_path: Path) -> None:
    folder = study(tmp_path)
    make_study(folder / "other", ("CT", "CT"), seed=9)
    for file in (folder / "other").iterdir():
        ds = dcmread(file)
        for keyword in DATES:
            setattr(ds, keyword, value)
        ds.save_as(file)
    made = build(folder)
    assert made.instances == 3
    assert [(it.path, it.reason) for it in made.left_out] == [
        ("other/I0000001", "fileset.missing_key"),
        ("other/I0000002", "fileset.missing_key"),
    ]
    medium(folder)


def test_a_study_without_a_time_is_of_midnight(tmp_path: Path) -> None:
    folder = study(tmp_path)
    for file in folder.iterdir():
        ds = dcmread(file)
        ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = "25:99:xx"
        ds.save_as(file)
    made = build(folder)
    assert made.instances == 3
    assert any("midnight" in text for text in made.supplied)
    records = read_directory((medium(folder) / "DICOMDIR").read_bytes()).records
    assert [it.text(0x00080030) for it in records if it.type == "STUDY"] == ["000000"]


def test_an_object_without_a_key_that_no_rule_supplies_costs_itself(tmp_path: Path) -> None:
    folder = study(tmp_path)
    make_study(folder, ("SR",), seed=1)
    ds = dcmread(folder / "I0000001")
    assert ds.Modality == "SR"
    del ds.CompletionFlag
    ds.save_as(folder / "I0000001")
    made = build(folder)
    assert [(it.path, it.reason) for it in made.left_out] == [("I0000001", "fileset.missing_key")]
    assert made.instances == 2
    medium(folder)


@pytest.mark.parametrize("value", [b"P1\\P2", b"A\r\nB", b"P\x001", b"P\x8f1", b"9" * 66])
def test_a_patient_id_is_never_mended(value: bytes, tmp_path: Path) -> None:
    """What a record could hold of it might be another patient's."""
    folder = tmp_path / "in"
    for file in make_study(folder, ("CT",), patient=Patient(patient_id="#" * len(value))):
        data = file.read_bytes()
        file.write_bytes(data.replace(b"#" * len(value), value))
    with pytest.raises(ComposeError, match=r"I0000001 \(fileset.missing_key\)"):
        build(folder)


def test_nothing_usable_names_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    files = make_study(folder, ("CT", "CT"))
    files[0].write_bytes(files[0].read_bytes()[:-100])
    ds = dcmread(files[1])
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.113619.4.26"
    ds.save_as(files[1])
    with pytest.raises(ComposeError) as caught:
        build(folder)
    assert "I0000001 (pixels.short), I0000002 (profile.sop_class 1.2.840.113619.4.26)" in str(
        caught.value
    )


@pytest.mark.parametrize(
    "patient", [Patient(patient_id="OTHER"), Patient(birth_date="19990101"), Patient(name="X^Y")]
)
def test_an_object_of_another_patient_refuses_all(patient: Patient, tmp_path: Path) -> None:
    folder = study(tmp_path)
    make_study(folder / "other", ("CT",), seed=9, patient=patient)
    with pytest.raises(WrongPatientError):
        build(folder)
    assert not (tmp_path / "out.iso").exists()


def test_private_classes_are_named(tmp_path: Path) -> None:
    def privately(ds: Dataset) -> None:
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.113619.4.26"

    folder = study(tmp_path, privately)
    (left,) = build(folder).left_out
    assert (left.path, left.reason) == (BAD, "profile.sop_class")
    assert left.sop_class_uid == "1.2.840.113619.4.26"
    medium(folder)
