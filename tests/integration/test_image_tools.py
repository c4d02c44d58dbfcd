"""Other people's tools judge our images and conversions: cdrkit, xorriso, DCMTK, GDCM and more."""

from __future__ import annotations

import hashlib
import re
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from dicomdir.build import BuiltVolume, ObjectFile, Plan, build_volume
from dicomdir.check.image import check_image
from dicomdir.check.volume import check_volume
from dicomdir.instance import read_instance
from dicomdir.iso import author
from dicomdir.iso_reader import open_image
from dicomdir.transcode import transcode
from dicomdir.web import LinkCase
from tests.factories import KINDS, make_study
from tests.jobs import CREATED, SITE

pytestmark = pytest.mark.integration

DCMTK = Path("/usr/bin")  # by path: pynetdicom brings commands of the same names


def run(*argv: str | Path) -> str:
    done = subprocess.run(
        [str(part) for part in argv],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr


def build(files: list[Path], folder: Path, links: LinkCase = LinkCase.LOWER) -> BuiltVolume:
    (folder / "work").mkdir()
    objects = [ObjectFile(str(path), read_instance(path)) for path in files]
    plan = Plan("PDI_TOOLS", "2.25.4242", SITE, folder / "work", links)
    return build_volume(objects, plan)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[Path]]:
    """An image of every kind of object, what was extracted from it by xorriso, and the sources."""
    folder = tmp_path_factory.mktemp("image")
    files = make_study(folder / "in", (*KINDS, "CT", "MR"))
    image = author(build(files, folder).volume, folder / "out.iso", created_at=CREATED)
    root = folder / "extracted"
    run("xorriso", "-osirrox", "on", "-indev", image.path, "-extract", "/", root)
    run("chmod", "-R", "u+w", root)
    return image.path, root, files


def test_isoinfo_describes_a_level_1_volume(made: tuple[Path, Path, list[Path]]) -> None:
    text = run("isoinfo", "-d", "-i", made[0])
    assert "NO Joliet present" in text
    assert "NO Rock Ridge present" in text
    assert "Volume id: PDI_TOOLS" in text
    assert re.search(r"^System id:\s*$", text, re.MULTILINE)
    assert "Logical block size is: 2048" in text
    assert f"Volume size is: {made[0].stat().st_size // 2048}" in text


def test_isoinfo_lists_the_names_that_dicom_wants(
    made: tuple[Path, Path, list[Path]],
) -> None:
    listed = run("isoinfo", "-f", "-i", made[0]).split()
    with open_image(made[0]) as reader:
        records = {f"/{record.path}": record for record in reader.records()}
    files = {path for path, record in records.items() if not record.is_directory}
    assert {re.sub(r"\.?;1$", "", path) for path in listed} == set(records)
    for path in listed:
        plain = re.sub(r"\.?;1$", "", path)
        if plain in files:
            assert path.endswith(";1"), path
            if plain.startswith("/DICOM"):
                assert path == f"{plain}.;1"
        assert path == path.upper()


def test_isoinfo_finds_no_odd_flags(made: tuple[Path, Path, list[Path]]) -> None:
    text = run("isoinfo", "-l", "-i", made[0])
    entries = [line for line in text.splitlines() if re.match(r"^[-d]{1}-{9}", line)]
    assert entries
    assert all("Mar  4 2026" in line for line in entries)


def test_isovfy_and_xorriso_are_content(made: tuple[Path, Path, list[Path]]) -> None:
    assert "No errors found" in run("isovfy", made[0])
    text = run("xorriso", "-indev", made[0], "-check_media", "--", "-find", "/", "-exec", "lsdl")
    regions = re.findall(r"^Media region\s*:.*$", text, re.MULTILINE)
    assert regions
    assert all(region.rstrip().endswith("+ good") for region in regions)
    for path in ("/DICOMDIR", "/INDEX.HTM", "/IHE_PDI/INDEX.HTM", "/README.TXT"):
        assert f"'{path}'" in text


def test_extracted_files_are_the_sources_byte_for_byte(
    made: tuple[Path, Path, list[Path]],
) -> None:
    _, root, files = made
    extracted = {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (root / "DICOM").rglob("*")
        if path.is_file()
    }
    assert extracted == {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_extracted_tree_passes_our_check(made: tuple[Path, Path, list[Path]]) -> None:
    assert check_volume(made[1]) == []


def test_dcmtk_and_dicom3tools_accept_the_directory(
    made: tuple[Path, Path, list[Path]],
) -> None:
    _, root, files = made
    assert "E: " not in run(DCMTK / "dcdirdmp", root / "DICOMDIR")
    text = run(DCMTK / "dcmdump", root / "DICOMDIR")
    assert text.count("ReferencedFileID") == len(files)
    done = subprocess.run(
        ["dciodvfy", root / "DICOMDIR"], capture_output=True, text=True, check=False
    )
    assert not [line for line in done.stderr.splitlines() if line.startswith("Error")]


def test_pydicom_walks_the_file_set(made: tuple[Path, Path, list[Path]]) -> None:
    _, root, files = made
    directory = dcmread(root / "DICOMDIR")
    leaves = [it for it in directory.DirectoryRecordSequence if "ReferencedFileID" in it]
    assert len(leaves) == len(files)
    for leaf in leaves:
        ds = dcmread(root.joinpath(*leaf.ReferencedFileID))
        assert ds.SOPInstanceUID == leaf.ReferencedSOPInstanceUIDInFile
        assert ds.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"


def test_objects_lie_in_the_order_of_the_directory(
    made: tuple[Path, Path, list[Path]],
) -> None:
    image, root, _ = made
    leaves = [
        "/".join(it.ReferencedFileID)
        for it in dcmread(root / "DICOMDIR").DirectoryRecordSequence
        if "ReferencedFileID" in it
    ]
    with open_image(image) as reader:
        placed = sorted(
            (it for it in reader.files() if it.path.startswith("DICOM/")), key=lambda it: it.extent
        )
    assert [it.path for it in placed] == leaves


def errors_of_dciodvfy(path: Path) -> set[str]:
    done = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
    return {line for line in done.stderr.splitlines() if line.startswith("Error")}


@pytest.mark.parametrize("syntax", ["implicit", "big", "rle", "jpeg", "jpeg-lossless", "j2k"])
def test_a_medium_of_converted_objects(syntax: str, tmp_path: Path) -> None:
    kinds = ("US", "SC") if syntax == "jpeg" else tuple(KINDS)
    files = make_study(tmp_path / "in", kinds, transfer_syntax=syntax)
    native = make_study(tmp_path / "native", kinds)
    built = build(files, tmp_path)
    image = author(built.volume, tmp_path / "out.iso", created_at=CREATED)
    assert built.left_out == ()
    assert check_image(image.path) == []
    root = tmp_path / "extracted"
    run("xorriso", "-osirrox", "on", "-indev", image.path, "-extract", "/", root)
    wanted = {dcmread(path).SOPInstanceUID: path for path in native}
    seen = 0
    for path in (root / "DICOM").rglob("*"):
        if path.is_file():
            ds, twin = dcmread(path), dcmread(wanted[dcmread(path).SOPInstanceUID])
            seen += 1
            assert errors_of_dciodvfy(path) <= errors_of_dciodvfy(wanted[ds.SOPInstanceUID])
            if "PixelData" in ds and syntax != "jpeg":
                assert np.array_equal(ds.pixel_array, twin.pixel_array)
    assert seen == len(kinds)


# --- conversions beside other decoders ------------------------------------------------------------

# GDCM leaves YBR pixels of baseline JPEG converted to RGB but still called YBR: not compared.
BY_DCMTK = [
    "JPGExtended.dcm",
    "SC_jpeg_no_color_transform.dcm",
    "SC_rgb_dcmtk_+eb+cr.dcm",
    "SC_rgb_dcmtk_+eb+cy+n1.dcm",
    "SC_rgb_dcmtk_+eb+cy+np.dcm",
    "SC_rgb_dcmtk_+eb+cy+s2.dcm",
    "SC_rgb_dcmtk_+eb+cy+s4.dcm",
    "SC_rgb_jpeg_app14_dcmd.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_jpeg_lossy_gdcm.dcm",
    "SC_rgb_small_odd_jpeg.dcm",
    "examples_ybr_color.dcm",
]
BY_GDCM = [
    "693_J2KI.dcm",
    "GDCMJ2K_TextGBR.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "JPEG2000.dcm",
    "JPGExtended.dcm",
    "MR_small_RLE.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "SC_rgb_gdcm_KY.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "examples_jpeg2k.dcm",
]


def ours(name: str, tmp_path: Path) -> tuple[Path, Dataset]:
    found = get_testdata_file(name, download=False)
    assert isinstance(found, str)
    source = Path(found)
    transcode(source, read_instance(source), tmp_path / "ours")
    return source, dcmread(tmp_path / "ours")


def same_pixels(one: Dataset, other: Dataset) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert one.pixel_array.shape == other.pixel_array.shape
        assert np.array_equal(one.pixel_array, other.pixel_array)


@pytest.mark.parametrize("name", BY_DCMTK)
def test_dcmtk_decodes_the_same_pixels(name: str, tmp_path: Path) -> None:
    source, made = ours(name, tmp_path)
    run(DCMTK / "dcmdjpeg", source, tmp_path / "theirs")
    theirs = dcmread(tmp_path / "theirs")
    assert made.PhotometricInterpretation == theirs.PhotometricInterpretation
    same_pixels(made, theirs)


@pytest.mark.parametrize("name", BY_GDCM)
def test_gdcm_decodes_the_same_pixels(name: str, tmp_path: Path) -> None:
    source, made = ours(name, tmp_path)
    run("gdcmconv", "-w", source, tmp_path / "theirs")
    same_pixels(made, dcmread(tmp_path / "theirs"))
