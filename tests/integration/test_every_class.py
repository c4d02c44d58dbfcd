"""A File-set with an object of every storage class, judged by dicom3tools, DCMTK and pydicom."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dicomdir import profile
from dicomdir.directory import read_directory
from dicomdir.fileset import FileSet
from dicomdir.instance import read_instance
from tests.every_class import make_every_class
from tests.integration.test_dicomdir_tools import (
    CHARSET,
    OFFSETS,
    dcmmkdir,
    errors_of_dciodvfy,
    key_of,
    paths_of_pydicom,
    tool,
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        any(shutil.which(name) is None for name in ("dciodvfy", "dcmmkdir", "dcdirdmp")),
        reason="needs dicom3tools and dcmtk",
    ),
]


@pytest.fixture(scope="module")
def medium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the File-set lies."""
    root = tmp_path_factory.mktemp("every") / "medium"
    fileset = FileSet("PDI_1", "2.25.99")
    paths = {}
    for path in make_every_class(root.parent / "in").values():
        instance = read_instance(path)
        fileset.add(instance)
        paths[instance.sop_instance_uid] = path
    for uid, file_id in fileset.file_ids.items():
        (root / file_id).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(paths[uid], root / file_id)
    (root / "DICOMDIR").write_bytes(fileset.encode())
    return root


# Record types newer than dicom3tools of 2022 (PS3.3 F.3.2.2): only their names are unknown.
NEWER_TYPES = ("PLAN", "TRACT", "SURFACE SCAN", "ASSESSMENT", "ANNOTATION")


def test_dciodvfy_finds_no_error(medium: Path) -> None:
    found = errors_of_dciodvfy(medium / "DICOMDIR")
    unknown = [f"Unrecognized enumerated value = <{kind}>" for kind in NEWER_TYPES]
    assert [line for line in found if not line.endswith(tuple(unknown))] == []


def test_dcdirdmp_reaches_every_file(medium: Path) -> None:
    walk = tool(medium, "dcdirdmp", "DICOMDIR")
    assert walk.returncode == 0
    assert (walk.stdout + walk.stderr).count("-> ") == len(profile.RECORD_TYPES)


def test_pydicom_reads_every_file_whose_type_it_knows(medium: Path, tmp_path: Path) -> None:
    """pydicom 3.0 has no ANNOTATION and gives up on a File-set with such a record."""
    fileset = FileSet("PDI_1", "2.25.99")
    by_uid = {}
    for path in make_every_class(tmp_path / "in").values():
        instance = read_instance(path)
        if profile.record_type(instance.sop_class_uid) != profile.ANNOTATION:
            fileset.add(instance)
            by_uid[instance.sop_instance_uid] = path
    root = tmp_path / "medium"
    for uid, file_id in fileset.file_ids.items():
        (root / file_id).parent.mkdir(parents=True, exist_ok=True)
        by_uid = {
            read_instance(path).sop_instance_uid: path for path in (tmp_path / "in").iterdir()
        }
        shutil.copyfile(by_uid[uid], root / file_id)
    (root / "DICOMDIR").write_bytes(fileset.encode())
    assert len(paths_of_pydicom(root)) == len(profile.RECORD_TYPES) - 1


CD_LACKS = {
    "PATIENT": {0x00100030, 0x00100040},
    "SERIES": {0x00080080, 0x00080081, 0x00081050},
    "IMAGE": {
        0x0008002A, 0x00181800, 0x00200032, 0x00200037, 0x00200052, 0x00200200, 0x00280008,
        0x00280010, 0x00280011, 0x00280030, 0x00282112, 0x00500004,
    },
    "SPECTROSCOPY": {
        0x0008002A, 0x00081140, 0x00181800, 0x00200032, 0x00200037, 0x00200052, 0x00200200,
        0x00280030,
    },
}  # fmt: skip


@pytest.mark.parametrize("wanted", ["-Pgp", "-Pfl"])
def test_records_are_those_of_dcmmkdir(wanted: str, medium: Path) -> None:
    """Key by key, for each class that DCMTK 3.6.7 knows: 22 are newer and missing in its DICOMDIR.

    * -Pgp is the CD profile, without what DVD and USB add (PDI-74, 76, 77); -Pfl has it all.
    * HL7 Instance Identifier, Blending Sequence and Referenced Series Sequence: DCMTK copies them
      from any object of the record type; PS3.3 F.5 has them of Type 1C and dciodvfy forbids them
      elsewhere. Our test objects have them all.
    * Specific Character Set: DCMTK writes it where no text needs it (PDI-68).
    * STEREOMETRIC: DCMTK does not write Content Identification, dciodvfy wants it.
    """
    ours = read_directory((medium / "DICOMDIR").read_bytes())
    theirs = {key_of(record): record.values for record in dcmmkdir(medium, wanted).records}
    compared = set()
    for record in ours.records:
        other = theirs.get(key_of(record))
        if other is None:
            continue
        mine, kind = record.values, record.type
        compared.add(kind)
        added = CD_LACKS.get(kind, set()) if wanted == "-Pgp" else set()
        if kind == profile.STEREOMETRIC:
            added = {0x00200013, 0x00700080, 0x00700081, 0x00700084}
        assert set(mine) - set(other) - OFFSETS <= added, kind
        lacking = set(other) - set(mine) - OFFSETS - {CHARSET}
        assert lacking <= {0x0040E001, 0x00700402, 0x00081115}, kind
        for tag in set(mine) & set(other) - OFFSETS:
            assert mine[tag].strip(b" \0") == other[tag].strip(b" \0"), (kind, hex(tag))
    newer = {profile.ANNOTATION, profile.ASSESSMENT}
    assert compared >= {*profile.RECORD_TYPES.values(), "PATIENT", "STUDY", "SERIES"} - newer
