"""One object or more of every kind that the viewer shows, as one patient's study.

Those that need a scanner's own structures are real ones out of pydicom's test data; the others are
made of tests.factories. Every kind has a series of its own, whose description is the kind's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.pixels import set_pixel_data

from tests.factories import make_datasets, stable_uid, write

ROWS: Final = 120
COLUMNS: Final = 160
_CLASS: Final = "1.2.840.10008.5.1.4.1.1."


def phantom(frames: int = 1, top: int = 4000) -> np.ndarray[Any, Any]:
    """Frames, rows and columns of an L-like figure on a ramp: no two of its sides look alike."""
    y, x = np.mgrid[:ROWS, :COLUMNS]
    base = x * top // (4 * COLUMNS)
    base[(y > 20) & (y < 100) & (x > 40) & (x < 60)] = top
    base[(y > 80) & (y < 100) & (x > 40) & (x < 120)] = 3 * top // 4
    base[(y - 40) ** 2 + (x - 110) ** 2 < 22**2] = top // 2
    made = np.stack([np.roll(base, 3 * n, axis=1) for n in range(frames)])
    return made.astype("<u2")


def _grey(ds: Dataset, pixels: Any, *, photometric: str = "MONOCHROME2", stored: int = 12) -> None:
    set_pixel_data(ds, pixels, photometric, stored, generate_instance_uid=False)
    ds.WindowCenter, ds.WindowWidth = 2000, 4000


def _made(kind: str, sop_class: str = "", count: int = 1) -> list[Dataset]:
    made = make_datasets((kind,) * count, rows=ROWS, columns=COLUMNS)
    for n, ds in enumerate(made):
        if kind not in ("US", "SC"):
            _grey(ds, np.roll(phantom()[0], 4 * n, axis=0))
        if sop_class:
            ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = _CLASS + sop_class
    return made


def _pet() -> list[Dataset]:
    made = _made("CT", "128", 3)
    for ds in made:
        ds.Modality, ds.Units = "PT", "BQML"
        ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = "2.5", "0", "US"
        ds.WindowCenter, ds.WindowWidth = 5000, 10000
    return made


def _film(kind: str, sop_class: str, frames: int, **values: Any) -> list[Dataset]:
    """Many frames at their recorded speed."""
    (ds,) = _made("CR", sop_class)
    _grey(ds, phantom(frames))
    ds.Modality = kind
    ds.FrameTime, ds.FrameIncrementPointer = 125, 0x00181063
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return [ds]


def _tomosynthesis() -> list[Dataset]:
    (ds,) = _made("MG", "13.1.3")
    frames = 5
    _grey(ds, phantom(frames))
    shared, measures, plane = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.1, 0.1], 1
    plane.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    transformation, voi = Dataset(), Dataset()
    transformation.RescaleIntercept, transformation.RescaleSlope = 0, 1
    transformation.RescaleType = "US"
    voi.WindowCenter, voi.WindowWidth = 2000, 4000
    shared.PixelMeasuresSequence = [measures]
    shared.PlaneOrientationSequence = [plane]
    shared.PixelValueTransformationSequence = [transformation]
    shared.FrameVOILUTSequence = [voi]
    ds.SharedFunctionalGroupsSequence = [shared]
    ds.PerFrameFunctionalGroupsSequence = []
    for n in range(frames):
        item, position = Dataset(), Dataset()
        position.ImagePositionPatient = [0, 0, n]
        item.PlanePositionSequence = [position]
        ds.PerFrameFunctionalGroupsSequence.append(item)
    del ds.WindowCenter, ds.WindowWidth, ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType
    return [ds]


def _monochrome1() -> list[Dataset]:
    (ds,) = _made("DX")
    _grey(ds, 4000 - phantom()[0], photometric="MONOCHROME1")
    return [ds]


def _shutter() -> list[Dataset]:
    (ds,) = _made("CR")
    ds.ShutterShape = "RECTANGULAR"
    ds.ShutterLeftVerticalEdge, ds.ShutterRightVerticalEdge = 31, 130
    ds.ShutterUpperHorizontalEdge, ds.ShutterLowerHorizontalEdge = 11, 110
    return [ds]


def _real(*names: str) -> Callable[[], list[Dataset]]:
    def read() -> list[Dataset]:
        made = []
        for name in names:
            path = get_testdata_file(name, download=False)
            assert path is not None, name
            made.append(dcmread(str(path)))
        return made

    return read


IMAGES: Final[dict[str, Callable[[], list[Dataset]]]] = {
    "CT": lambda: _made("CT", count=3),
    "MR": lambda: _made("MR", count=2),
    "PET": _pet,
    "CR": lambda: _made("CR"),
    "DX inverse": _monochrome1,
    "Mammogram": lambda: _made("MG"),
    "Tomosynthesis": _tomosynthesis,
    "Enhanced CT": _real("eCT_Supplemental.dcm"),
    "Enhanced MR": _real("emri_small.dcm"),
    "US cine": lambda: _made("US"),
    "XA": lambda: _film("XA", "12.1", 6, PositionerPrimaryAngle=30, PositionerSecondaryAngle=-5),
    "RF": lambda: _film("RF", "12.2", 6),
    "Capture": lambda: _made("SC"),
    "YBR": _real("SC_ybr_full_422_uncompressed.dcm"),
    "Palette": _real("examples_palette.dcm"),
    "Overlay": _real("MR-SIEMENS-DICOM-WithOverlays.dcm"),
    "Modality table": _real("mlut_18.dcm"),
    "VOI table": _real("vlut_04.dcm"),
    "Shutter": _shutter,
}
PDF_PAGE: Final = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
    b"/Resources<</Font<</F1 5 0 R>>>>>>endobj\n"
    b"4 0 obj<</Length 55>>stream\nBT /F1 36 Tf 72 700 Td (A report as a PDF page) Tj ET    \n"
    b"endstream endobj\n5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)
DOCUMENTS: Final = ("SR", "KO", "PDF")


def make_kinds(folder: Path) -> dict[str, list[Path]]:
    """Write all of them; the paths by kind."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {
        kind: [_ours(ds, kind, n) for n, ds in enumerate(load(), 1)]
        for kind, load in IMAGES.items()
    }
    made["ECG"] = [_ours(ds, "ECG", 1) for ds in _real("waveform_ecg.dcm")()]
    first = make_datasets(("CT", *DOCUMENTS), rows=ROWS, columns=COLUMNS)
    for kind, ds in zip(DOCUMENTS, first[1:], strict=True):
        _refer(ds, first[0], made["CT"][1])
        if kind == "PDF":
            ds.EncapsulatedDocument = PDF_PAGE + b"\0" * (len(PDF_PAGE) % 2)
            ds.EncapsulatedDocumentLength = len(PDF_PAGE)
        made[kind] = [_ours(ds, kind, 1)]
    numbers = {kind: n for n, kind in enumerate(made, 1)}
    paths: dict[str, list[Path]] = {}
    for kind, objects in made.items():
        for n, ds in enumerate(objects, 1):
            ds.SeriesNumber = numbers[kind]
            path = folder / f"{numbers[kind]:02}-{n}"
            write(ds, path)
            paths.setdefault(kind, []).append(path)
    return paths


def _ours(ds: Dataset, kind: str, number: int) -> Dataset:
    """Of the one patient and study."""
    ds = deepcopy(ds)
    patient = make_datasets(("SC",))[0]
    for keyword in (
        "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID",
        "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "SpecificCharacterSet",
    ):  # fmt: skip
        setattr(ds, keyword, getattr(patient, keyword))
    ds.SeriesInstanceUID = stable_uid("kinds", kind)
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = stable_uid("kinds", kind, number)
    ds.SeriesDescription, ds.InstanceNumber = kind, number
    return ds


def _refer(document: Dataset, made: Dataset, other: Dataset) -> None:
    """Have a document speak of another image than the one it was made for."""
    swapped = {
        made.SOPInstanceUID: other.SOPInstanceUID,
        made.SeriesInstanceUID: other.SeriesInstanceUID,
    }
    for element in _elements(document):
        if element.VR == "UI" and element.value in swapped:
            element.value = swapped[element.value]


def _elements(ds: Dataset) -> Iterator[Any]:
    for element in ds:
        if element.VR == "SQ":
            for item in element.value:
                yield from _elements(item)
        else:
            yield element
