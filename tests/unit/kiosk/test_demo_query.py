from pathlib import Path

import pytest
from pydicom.config import IGNORE
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from kiosk.demo.query import Catalogue, UnsuitableQueryError, matches

TITLE = "ARCHIVE"


def write(folder: Path, study: int, series: int, number: int, **values: str) -> None:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = f"1.2.{study}.{series}.{number}"
    ds.StudyInstanceUID = f"1.2.{study}"
    ds.SeriesInstanceUID = f"1.2.{study}.{series}"
    ds.PatientName = "Müller^Jürgen"
    ds.PatientID = "7"
    ds.AccessionNumber = f"A{study}"
    ds.StudyDate, ds.StudyTime = f"2026030{study}", "081500"
    ds.Modality = "CT" if series == 1 else "SR"
    ds.SeriesNumber = series
    ds.InstanceNumber = number
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.save_as(folder / f"{study}-{series}-{number}", enforce_file_format=True)


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    for study in (1, 2):
        for number in (1, 2, 3):
            write(tmp_path, study, 1, number)
        write(tmp_path, study, 2, 1)
    (tmp_path / "notes.txt").write_text("no DICOM")
    return Catalogue.of_folder(tmp_path, TITLE)


def query(level: str, **keys: object) -> Dataset:
    ds = Dataset()
    ds.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(ds, keyword, value)
    return ds


def test_universal_matching_finds_every_study_with_what_was_asked_for(catalogue: Catalogue) -> None:
    answers = list(catalogue.find(query("STUDY", AccessionNumber="", PatientName="")))
    assert [a.identifier.AccessionNumber for a in answers] == ["A1", "A2"]
    first = answers[0].identifier
    assert first.StudyInstanceUID == "1.2.1"
    assert first.RetrieveAETitle == TITLE
    assert str(first.PatientName) == "Müller^Jürgen"
    assert first.SpecificCharacterSet == "ISO_IR 192"
    assert "StudyDate" not in first
    assert answers[0].is_full


def test_counts_and_modalities(catalogue: Catalogue) -> None:
    keys = {"NumberOfStudyRelatedInstances": None, "NumberOfStudyRelatedSeries": None}
    (answer,) = catalogue.find(
        query("STUDY", StudyInstanceUID="1.2.1", ModalitiesInStudy="SR", **keys)
    )
    assert answer.identifier.NumberOfStudyRelatedInstances == 4
    assert answer.identifier.NumberOfStudyRelatedSeries == 2
    assert list(answer.identifier.ModalitiesInStudy) == ["CT", "SR"]


def test_a_key_that_is_not_held_is_left_out_and_told(catalogue: Catalogue) -> None:
    (answer,) = catalogue.find(query("STUDY", StudyInstanceUID="1.2.1", PatientComments="x"))
    assert "PatientComments" not in answer.identifier
    assert not answer.is_full


def test_series_and_images_of_one_study(catalogue: Catalogue) -> None:
    series = list(catalogue.find(query("SERIES", StudyInstanceUID="1.2.2", Modality="")))
    assert [(a.identifier.SeriesInstanceUID, a.identifier.Modality) for a in series] == [
        ("1.2.2.1", "CT"),
        ("1.2.2.2", "SR"),
    ]
    images = list(
        catalogue.find(
            query("IMAGE", StudyInstanceUID="1.2.2", SeriesInstanceUID="1.2.2.1", SOPClassUID="")
        )
    )
    assert [a.identifier.SOPInstanceUID for a in images] == ["1.2.2.1.1", "1.2.2.1.2", "1.2.2.1.3"]
    assert {a.identifier.SOPClassUID for a in images} == {CTImageStorage}


@pytest.mark.parametrize(
    "unsuitable",
    [
        query("PATIENT"),
        query(""),
        query("SERIES"),
        query("SERIES", StudyInstanceUID=""),
        query("SERIES", StudyInstanceUID=["1.2.1", "1.2.2"]),
        query("IMAGE", StudyInstanceUID="1.2.1"),
    ],
)
def test_refuses_what_is_not_hierarchical(catalogue: Catalogue, unsuitable: Dataset) -> None:
    with pytest.raises(UnsuitableQueryError):
        list(catalogue.find(unsuitable))


@pytest.mark.parametrize(
    ("keys", "count"),
    [
        ({"StudyInstanceUID": "1.2.1"}, 4),
        ({"StudyInstanceUID": ["1.2.1", "1.2.2"]}, 8),
        ({"StudyInstanceUID": "1.2.9"}, 0),
        ({"StudyInstanceUID": "1.2.1", "SeriesInstanceUID": "1.2.1.1"}, 3),
        ({"StudyInstanceUID": "1.2.2", "SeriesInstanceUID": "1.2.1.1"}, 0),
        (
            {
                "StudyInstanceUID": "1.2.1",
                "SeriesInstanceUID": "1.2.1.1",
                "SOPInstanceUID": ["1.2.1.1.3", "1.2.1.1.1", "1.2.2.1.1"],
            },
            2,
        ),
    ],
)
def test_selects_what_a_move_names(catalogue: Catalogue, keys: dict[str, str], count: int) -> None:
    level = ("STUDY", "SERIES", "IMAGE")[len(keys) - 1]
    assert len(catalogue.select(query(level, **keys))) == count


@pytest.mark.parametrize(
    "unsuitable",
    [
        query("STUDY"),
        query("STUDY", StudyInstanceUID=""),
        query("SERIES", StudyInstanceUID="1.2.1"),
        query("IMAGE", StudyInstanceUID="1.2.1", SeriesInstanceUID="1.2.1.1"),
        query("PATIENT", PatientID="7"),
    ],
)
def test_moves_nothing_that_is_not_named(catalogue: Catalogue, unsuitable: Dataset) -> None:
    with pytest.raises(UnsuitableQueryError):
        catalogue.select(unsuitable)


@pytest.mark.parametrize(
    ("vr", "key", "held", "expected"),
    [
        ("SH", "", "A1", True),
        ("SH", "", "", True),
        ("SH", "A1", "A1 ", True),
        ("SH", "a1", "A1", False),
        ("SH", "A*", "A1", True),
        ("SH", "?1", "A1", True),
        ("SH", "A", "A1", False),
        ("SH", "*", "", True),
        ("SH", "A[1]", "A1", False),
        ("SH", "A[1]*", "A[1]x", True),
        ("LO", "A1", "", False),
        ("PN", "carter*", "Carter^Helen", True),
        ("PN", "Carter^Helen", "Carter^Helen^^^", True),
        ("PN", "Tanaka^Hanako", "Tanaka^Hanako=田中^花子", True),
        ("PN", "田中*", "Tanaka^Hanako=田中^花子", True),
        ("PN", "Cart", "Carter^Helen", False),
        ("DA", "20260301", "20260301", True),
        ("DA", "20260301-", "20260401", True),
        ("DA", "-20260301", "20260401", False),
        ("DA", "20260301-20260303", "20260303", True),
        ("DA", "20260301-20260302", "20260303", False),
        ("TM", "0800-0815", "081559", True),
        ("TM", "08", "081500", True),
        ("UI", "1.2.*", "1.2.3", False),
        ("UI", "1.2.3", "1.2.3", True),
        ("CS", "CT", ["SR", "CT"], True),
        ("CS", "MR", ["SR", "CT"], False),
    ],
)
def test_matching_rules(vr: str, key: str, held: str | list[str], expected: bool) -> None:
    tag = 0x00080050
    key_element, held_element = (
        DataElement(tag, vr, value, validation_mode=IGNORE) for value in (key, held)
    )
    assert matches(key_element, held_element) is expected
