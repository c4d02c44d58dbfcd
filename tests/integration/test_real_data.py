"""Files of real devices, as pydicom and pydicom-data collected them, made into media and judged.

docs/real-data.md says what becomes of each file; `python -m tests.real_data` says it anew.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from dicomdir.charset import decode
from dicomdir.directory import DirectoryRecord, read_directory
from dicomdir.instance import read_instance
from kiosk.services.build_folder import build_folder
from tests.integration.test_dicomdir_tools import (
    CHARSET,
    OFFSETS,
    errors_of_dciodvfy,
    key_of,
    paths_of_pydicom,
    tool,
)
from tests.jobs import CREATED, SITE
from tests.peers import DCMTK
from tests.real_data import (
    BEGIN,
    END,
    RealStudy,
    all_fates,
    build_study,
    extract,
    real_files,
    real_studies,
    roots,
    tables,
    why,
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        any(shutil.which(name) is None for name in ("dciodvfy", "dcmmkdir", "gdcmconv")),
        reason="needs dicom3tools, dcmtk and gdcm-tools",
    ),
    pytest.mark.filterwarnings("ignore"),  # pydicom about what is odd in real files
]

STUDIES = real_studies(real_files())


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.key)
def test_every_study_is_a_sound_medium_or_refused_with_a_reason(
    study: RealStudy, tmp_path: Path
) -> None:
    made, fates = build_study(study, tmp_path)
    for fate in fates:
        if fate.reason:
            assert why(fate)
    if made is None:
        assert not (tmp_path / "out.iso").exists()
        return
    root = tmp_path / "medium"
    extract(tmp_path / "out.iso", root)
    assert errors_of_dciodvfy(root / "DICOMDIR") == []
    on_medium = paths_of_pydicom(root)
    assert len(on_medium) == made.instances
    by_uid = {read_instance(path).sop_instance_uid: path for path in on_medium}
    for fate in fates:
        if not fate.reason:
            source = dcmread(fate.file.path)
            compare_object(fate.file.path, source, by_uid[str(source.SOPInstanceUID)], tmp_path)
    for wanted in ("-Pgp", "-Pfl"):
        compare_records(root, wanted)


# --- the objects ----------------------------------------------------------------------------------

# Files that a peer cannot decompress, or gets wrong alone.
ALONE = (
    # GDCM writes the planes of 16- and 32-bit colour in another order than it reads them.
    r"SC_rgb_rle_(16|32)bit\S* gdcm",
    # GDCM writes no colour of several frames.
    r"SC_rgb_\w*(16|32)bit_2frame\S* gdcm",
    # Raw cells: GDCM leaves those of a 13-bit stream in a signed object without their sign.
    r"J2K_pixelrep_mismatch\S* gdcm",
)
COMPRESSED = {
    "1.2.840.10008.1.2.4.5": ("dcmdjpeg",),
    "1.2.840.10008.1.2.4.7": ("dcmdjpeg",),
    "1.2.840.10008.1.2.4.8": ("dcmdjpls",),
    "1.2.840.10008.1.2.5": ("dcmdrle",),
}


def compare_object(path: Path, source: Dataset, ours: Path, tmp_path: Path) -> None:
    """The data set byte for byte if it was native, else each value and each pixel."""
    made = dcmread(ours)
    syntax = str(source.file_meta.TransferSyntaxUID)
    if syntax == ExplicitVRLittleEndian:
        one, other = read_instance(path), read_instance(ours)
        data = path.read_bytes()[one.data_offset :]
        assert data == ours.read_bytes()[other.data_offset :]
        return
    same_values(source, made)
    if "PixelData" in source:
        compare_pixels(path, syntax, made, tmp_path)
    # PDI-60. Its own errors stay; words that tell of VRs and syntaxes may change.
    before, after = shapes(path), shapes(ours)
    assert before is None or after is None or after <= before, path.name


def shapes(path: Path) -> set[str] | None:
    """Errors that dciodvfy finds in an object; None if it crashes, as with functional groups."""
    run = tool(path.parent, "dciodvfy", "-new", path.name)
    if run.returncode not in (0, 1):
        return None
    return {shape(line) for line in run.stderr.splitlines() if line.startswith("Error")}


def shape(line: str) -> str:
    """A line of dciodvfy without the values in it."""
    return re.sub(r"<[^>]*>|0x[0-9a-f]+|\d+", "", line).split(" - ")[1]


def same_values(one: Dataset, other: Dataset) -> None:
    for element in one:
        tag = int(element.tag)
        if tag & 0xFFFF == 0 or tag in PIXELS:
            continue
        twin = other[element.tag]
        if element.VR == "SQ":
            for item, twin_item in zip(element.value, twin.value, strict=True):
                same_values(item, twin_item)
        elif element.VR not in NOT_COMPARED:
            assert element.value == twin.value, element.tag
    added = {int(element.tag) for element in other} - {int(element.tag) for element in one}
    assert added <= PIXELS


PIXELS = {0x7FE00010, 0x7FE00001, 0x7FE00002, 0x00280004, 0x00280006, 0x00282110}
NOT_COMPARED = {"OB", "OW", "OF", "OD", "OL", "UN"}  # in words, and by the pixels


def compare_pixels(path: Path, syntax: str, made: Dataset, tmp_path: Path) -> None:
    mine = made.pixel_array
    judges = {"gdcm": ("gdcmconv", "-w"), "dcmtk": ("dcmconv", "+te")}
    if syntax.startswith("1.2.840.10008.1.2.4.9"):
        del judges["dcmtk"]  # has no JPEG 2000
    for prefix, command in COMPRESSED.items():
        if syntax.startswith(prefix):
            judges["dcmtk"] = command
    agreeing = 0
    try:  # the third judge, as far as it can: RLE, and with Pillow some JPEG
        assert np.array_equal(dcmread(path).pixel_array, mine), path.name
        agreeing += 1
    except RuntimeError:
        pass
    for peer, command in judges.items():
        theirs = tmp_path / peer
        run = subprocess.run(
            [DCMTK / command[0], *command[1:], path, theirs], capture_output=True, timeout=60
        )
        if any(re.fullmatch(pattern, f"{path.name} {peer}") for pattern in ALONE):
            continue
        assert run.returncode == 0, f"{path.name} {peer}"
        assert np.array_equal(dcmread(theirs).pixel_array, mine), f"{path.name} {peer}"
        agreeing += 1
    assert agreeing, path.name


# --- the records ----------------------------------------------------------------------------------

CD_LACKS = {
    0x0008002A, 0x00181800, 0x00200032, 0x00200037, 0x00200052, 0x00200200, 0x00280008, 0x00280010,
    0x00280011, 0x00280030, 0x00282112, 0x00500004, 0x00100030, 0x00100040, 0x00080080, 0x00080081,
    0x00081050,
}  # fmt: skip
ICON = 0x00880200
OLD_SEPARATORS = {0x00080020: b".", 0x00080030: b":"}


def compare_records(root: Path, wanted: str) -> None:
    """Key by key with dcmmkdir over the same files.

    * Specific Character Set: DCMTK writes it where no text needs it (PDI-68).
    * -Pgp: what DVD and USB add to the CD profile is missing there; we write it on all media.
    * Patient ID, Study ID, Series and Instance Number that the objects lack: `+I` invents them by
      other rules (DCMTKPAT000000, 0) than PDI-82's.
    * Image Type: DCMTK keeps spaces around values and letters that CS does not have; dates: it
      keeps 1997.04.24 and 14:04:38. We bring all into the form of their VR (PDI-84): dciodvfy
      complains otherwise.
    * Where objects of a Series disagree (Institution Name), each keeps the first that it saw.
    * Icon Image Sequence: ours.
    DCMTK gives up on objects without Patient's Name or Modality, and on objects whose elements are
    all of VR UN.
    """
    run = tool(
        root, "dcmmkdir", "+r", wanted, "+I", "+id", ".", "+D", "THEIRS", "+F", "PDI_REAL", "DICOM"
    )
    if run.returncode:
        reasons = ("PatientName", "Modality (0008,0060) missing", "expected IS instead")
        assert any(reason in run.stderr for reason in reasons)
        return
    ours, theirs = (
        {comparable(it): it.values for it in read_directory((root / name).read_bytes()).records}
        for name in ("DICOMDIR", "THEIRS")
    )
    (root / "THEIRS").unlink()
    assert set(ours) == set(theirs)
    for (kind, name), mine in ours.items():
        compare_keys(kind, name, mine, theirs[kind, name], wanted)


def comparable(record: DirectoryRecord) -> tuple[str, str]:
    kind, name = key_of(record)
    return (kind, "" if name.startswith(("NOID_", "DCMTKPAT")) else name)


def compare_keys(
    kind: str, name: str, mine: Mapping[int, bytes], other: Mapping[int, bytes], wanted: str
) -> None:
    where = f"{kind} {name}"
    only = set(mine) - set(other) - OFFSETS - {ICON}
    assert only <= (CD_LACKS if wanted == "-Pgp" else set()), where
    assert set(other) - set(mine) - OFFSETS <= {CHARSET}, where
    for tag in set(mine) & set(other) - OFFSETS:
        one, two = (values[tag].strip(b" \0") for values in (mine, other))
        if tag == 0x00080008:
            two = b"\\".join(part.strip(b" ") for part in two.replace(b"/", b"_").split(b"\\"))
        two = two.replace(OLD_SEPARATORS[tag], b"") if tag in OLD_SEPARATORS else two
        if tag in (0x00100020, 0x00200010, 0x00200011, 0x00200013) and one != two:
            assert two == b"0" or two.startswith((b"DCMTKPAT", b"DCMTKSTUDY")), where
        elif tag != 0x00080080:
            assert one == two, f"{where} {tag:08X}"


# --- names ----------------------------------------------------------------------------------------

NAMED = sorted(
    path
    for path in (roots()["pydicom"] / "charset_files").glob("*.dcm")
    if "PatientName" in dcmread(path)
)


def test_enough_scripts_are_among_them() -> None:
    sets = {term for path in NAMED for term in str(dcmread(path).SpecificCharacterSet).split("\\")}
    joined = " ".join(sets)
    for number in ("100", "126", "127", "138", "144", "87", "149", "192"):
        assert f"IR {number}" in joined or f"IR_{number}" in joined or f"_IR {number}" in joined


@pytest.mark.parametrize("path", NAMED, ids=lambda path: path.stem)
def test_names_come_through_exactly(path: Path, tmp_path: Path) -> None:
    """The files lack dates, UIDs or pixels that an object needs: they are given some here."""
    ds = dcmread(path)
    ds.StudyDate, ds.StudyTime = "20070405", "101500"
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        if keyword not in ds:
            setattr(ds, keyword, "2.25.4711")
    if "SOPClassUID" not in ds or "PixelData" not in ds:
        ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.66"  # Raw Data: needs no pixels
    ds.ContentDate, ds.ContentTime, ds.PatientID = "20070405", "101500", "P1"
    ds.PatientBirthDate = "19700101"
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    (tmp_path / "in").mkdir()
    ds.save_as(tmp_path / "in" / "object")
    made = build_folder(
        tmp_path / "in", tmp_path / "out.iso", SITE, volume_id="PDI_NAMES", created_at=CREATED
    )
    assert made.instances == 1
    root = tmp_path / "medium"
    extract(tmp_path / "out.iso", root)
    (patient,) = (
        it
        for it in read_directory((root / "DICOMDIR").read_bytes()).records
        if it.type == "PATIENT"
    )
    shown = decode(
        patient.values[0x00100010].strip(b" \0"), patient.values.get(CHARSET, b""), is_name=True
    )
    assert shown.rstrip("=") == str(dcmread(path).PatientName)
    assert errors_of_dciodvfy(root / "DICOMDIR") == []
    (theirs,) = (
        it
        for it in dcmread(root / "DICOMDIR").DirectoryRecordSequence
        if it.DirectoryRecordType == "PATIENT"
    )
    assert str(theirs.PatientName) == shown.rstrip("=")  # pydicom drops an empty last group


# --- the document ---------------------------------------------------------------------------------


def test_the_document_is_up_to_date() -> None:
    if "pydicom-data" not in roots():
        pytest.skip("the tables tell of pydicom-data too")
    text = (Path(__file__).parents[2] / "docs" / "real-data.md").read_text(encoding="utf-8")
    stated = text.partition(BEGIN)[2].partition(END)[0]
    assert stated == tables(list(all_fates()))
