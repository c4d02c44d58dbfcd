"""Small, realistic DICOM objects from a seed, for every test that needs some.

    paths = make_study(tmp_path, ("CT", "CT", "SR"), seed=3, patient=Patient(name="Doe^Jane"))

One Study per call; objects of one kind share a Series; a KO, PR or SR refers to the images made
before it in the same call. The same arguments give the same bytes. Kinds with and without pixels:

    CT MR CR DX MG   16 bits stored as 12, one frame       SC  8-bit RGB
    US               8-bit RGB, four frames                SR KO PR PDF   no pixels

dciodvfy finds no error in any of them as long as nothing is left out by `missing`
(tests/integration/test_dicomdir_tools.py keeps it so).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID

KINDS = ("CT", "MR", "CR", "DX", "MG", "US", "SC", "SR", "KO", "PR", "PDF")
SYNTAXES = {
    "explicit": "1.2.840.10008.1.2.1",
    "implicit": "1.2.840.10008.1.2",
    "big": "1.2.840.10008.1.2.2",
    "rle": "1.2.840.10008.1.2.5",
    "jpeg": "1.2.840.10008.1.2.4.50",  # 8-bit kinds only: US, SC
    "jpeg-lossless": "1.2.840.10008.1.2.4.70",
    "j2k": "1.2.840.10008.1.2.4.90",
}
_S = "1.2.840.10008.5.1.4.1.1."
SOP_CLASSES = {
    "CT": _S + "2",
    "MR": _S + "4",
    "CR": _S + "1",
    "DX": _S + "1.1",
    "MG": _S + "1.2",
    "US": _S + "3.1",
    "SC": _S + "7",
    "SR": _S + "88.11",
    "KO": _S + "88.59",
    "PR": _S + "11.1",
    "PDF": _S + "104.1",
}
PDF_BYTES = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


@dataclass(frozen=True)
class Patient:
    """Whose objects they are. `charset` is written as Specific Character Set; "" leaves it out."""

    patient_id: str = "PID-0042"
    name: str = "Doe^Jane"
    birth_date: str = "19610303"
    sex: str = "F"
    issuer: str = "HOSPITAL"
    charset: str = "ISO_IR 100"


@dataclass(frozen=True)
class Study:
    """What all objects of one Study share; UIDs come from the seed."""

    seed: int = 1
    patient: Patient = field(default_factory=Patient)
    study_date: str = "20240311"
    study_time: str = "101500"
    study_id: str = "S1"
    accession_number: str = "A0000001"
    description: str = "Thorax routine"

    @property
    def uid(self) -> str:
        return stable_uid("study", self.seed)


def stable_uid(*parts: object) -> str:
    """A 2.25 UID made from the parts, always the same."""
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).digest()[:16]
    return f"2.25.{int.from_bytes(digest, 'big') >> 1 | 1 << 126}"


def make_study(
    folder: Path,
    kinds: Sequence[str] = ("CT",) * 3,
    *,
    seed: int = 1,
    patient: Patient | None = None,
    study: Study | None = None,
    transfer_syntax: str = "explicit",
    missing: Sequence[str] = (),
    rows: int = 16,
    columns: int = 16,
    edit: Callable[[Dataset], object] | None = None,
) -> list[Path]:
    """Write one Study as I0000001, I0000002 ... into `folder` (made if need be).

    Args:
        kinds: One of KINDS per object, in this order.
        study: Dates, numbers and descriptions; `seed` and `patient` win.
        transfer_syntax: A key of SYNTAXES for objects with pixels; compressed ones leave objects
            without pixels explicit little endian.
        missing: Keywords to delete from each object, such as "StudyID".
        edit: Called with each dataset before it is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    facts = replace(study or Study(), seed=seed)
    if patient is not None:
        facts = replace(facts, patient=patient)
    paths = []
    for number, ds in enumerate(
        make_datasets(
            kinds, study=facts, transfer_syntax=transfer_syntax, rows=rows, columns=columns
        ),
        1,
    ):
        for keyword in missing:
            if keyword in ds:
                delattr(ds, keyword)
        if edit is not None:
            edit(ds)
        path = folder / f"I{number:07d}"
        write(ds, path)
        paths.append(path)
    return paths


def make_datasets(
    kinds: Sequence[str],
    *,
    study: Study | None = None,
    transfer_syntax: str = "explicit",
    rows: int = 16,
    columns: int = 16,
) -> list[Dataset]:
    """The objects of one Study in memory, each with `file_meta`, ready for `write`."""
    facts = study or Study()
    made: list[Dataset] = []
    in_series: dict[str, int] = {}
    for kind in kinds:
        in_series[kind] = in_series.get(kind, 0) + 1
        series_number = list(in_series).index(kind) + 1
        ds = _common(kind, facts, series_number, in_series[kind])
        rng = np.random.default_rng([facts.seed, series_number, in_series[kind]])
        images = [each for each in made if "Rows" in each]
        if kind in _DOCUMENTS:
            _DOCUMENTS[kind](ds, images)
        else:
            _IMAGES[kind](ds, rng, rows, columns, in_series[kind])
        _finish(ds, transfer_syntax)
        made.append(ds)
    return made


def write(ds: Dataset, path: Path) -> None:
    """As a Part 10 file in the syntax of its file meta."""
    syntax = UID(ds.file_meta.TransferSyntaxUID)
    dcmwrite(
        path,
        ds,
        implicit_vr=syntax.is_implicit_VR,
        little_endian=syntax.is_little_endian,
        enforce_file_format=True,
    )


# --- what all share -------------------------------------------------------------------------------


def _common(kind: str, study: Study, series_number: int, number: int) -> Dataset:
    patient = study.patient
    ds = Dataset()
    if patient.charset:
        ds.SpecificCharacterSet = patient.charset.split("\\")
    ds.SOPClassUID = SOP_CLASSES[kind]
    ds.SOPInstanceUID = stable_uid("instance", study.seed, kind, number)
    ds.InstanceCreationDate, ds.InstanceCreationTime = study.study_date, "102000"
    ds.StudyDate, ds.StudyTime = study.study_date, study.study_time
    ds.SeriesDate, ds.SeriesTime = study.study_date, "101600"
    ds.ContentDate, ds.ContentTime = study.study_date, f"1017{number % 60:02d}"
    ds.AccessionNumber = study.accession_number
    ds.Modality = {"SC": "OT", "PDF": "DOC"}.get(kind, kind)
    ds.Manufacturer = "Synthetic Imaging"
    ds.ManufacturerModelName = "Phantom 3"
    ds.DeviceSerialNumber = "000417"
    ds.SoftwareVersions = "1.0"
    ds.InstitutionName = "Example Hospital"
    ds.InstitutionAddress = "1 Example Street"
    ds.ReferringPhysicianName = "Refer^Rita"
    ds.StudyDescription = study.description
    ds.SeriesDescription = f"{kind} series"
    ds.PerformingPhysicianName = "Perform^Pat"
    ds.PatientName = patient.name
    ds.PatientID = patient.patient_id
    if patient.issuer:
        ds.IssuerOfPatientID = patient.issuer
    ds.PatientBirthDate = patient.birth_date
    ds.PatientSex = patient.sex
    ds.StudyInstanceUID = study.uid
    ds.SeriesInstanceUID = stable_uid("series", study.seed, kind)
    ds.StudyID = study.study_id
    ds.SeriesNumber = series_number
    ds.InstanceNumber = number
    return ds


def _finish(ds: Dataset, transfer_syntax: str) -> None:
    if "PixelData" not in ds and transfer_syntax not in ("explicit", "implicit", "big"):
        transfer_syntax = "explicit"
    if transfer_syntax not in ("explicit", "implicit", "big"):
        _compress(ds, transfer_syntax)
    elif transfer_syntax == "big" and ds.get("BitsAllocated", 8) == 16:
        ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    meta.TransferSyntaxUID = UID(SYNTAXES[transfer_syntax])
    meta.ImplementationClassUID = UID("2.25.190204305172845517620431865372901547313")
    meta.ImplementationVersionName = "FACTORY_1"
    ds.file_meta = meta


def _compress(ds: Dataset, transfer_syntax: str) -> None:
    samples, allocated = ds.SamplesPerPixel, ds.BitsAllocated
    shape = (int(ds.get("NumberOfFrames", 1)), ds.Rows, ds.Columns, samples)
    pixels = np.frombuffer(ds.PixelData, "<u2" if allocated == 16 else "u1")
    frames = []
    for frame in pixels[: np.prod(shape)].reshape(shape):
        image = frame[..., 0] if samples == 1 else frame
        if transfer_syntax == "jpeg":
            if allocated != 8:
                raise ValueError("JPEG baseline takes 8-bit kinds only: US, SC")
            frames.append(imagecodecs.jpeg8_encode(image, 95, subsampling="422"))
        elif transfer_syntax == "jpeg-lossless":
            frames.append(
                imagecodecs.jpeg_encode(
                    image, lossless=True, predictor=1, bitspersample=allocated, outcolorspace="RGB"
                )
                if samples == 3
                else imagecodecs.jpeg_encode(
                    image, lossless=True, predictor=1, bitspersample=allocated
                )
            )
        elif transfer_syntax == "j2k":
            frames.append(
                imagecodecs.jpeg2k_encode(
                    image, codecformat="J2K", reversible=True, mct=samples == 3
                )
            )
        else:
            frames.append(_rle(frame, allocated // 8))
    ds.PixelData = encapsulate([bytes(each) + b"\0" * (len(each) % 2) for each in frames])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    if transfer_syntax == "jpeg":
        ds.LossyImageCompression = "01"
        ds.LossyImageCompressionRatio = "3.5"
        ds.LossyImageCompressionMethod = "ISO_10918_1"
        if samples == 3:
            ds.PhotometricInterpretation = "YBR_FULL_422"
    elif transfer_syntax == "j2k" and samples == 3:
        ds.PhotometricInterpretation = "YBR_RCT"


def _rle(frame: np.ndarray, width: int) -> bytes:
    """RLE Lossless of one frame, a segment per sample and byte, high byte first (PS3.5 G)."""
    segments = []
    for sample in range(frame.shape[-1]):
        plane = np.ascontiguousarray(frame[..., sample])
        for byte in reversed(range(width)):
            raw = plane.view("u1").reshape(*plane.shape, width)[..., byte]
            data = b"".join(_packbits(row.tobytes()) for row in raw)
            segments.append(data + b"\0" * (len(data) % 2))
    offsets = [64]
    for segment in segments[:-1]:
        offsets.append(offsets[-1] + len(segment))
    header = [len(segments), *offsets]
    return np.array(header + [0] * (16 - len(header)), "<u4").tobytes() + b"".join(segments)


def _packbits(row: bytes) -> bytes:
    out = bytearray()
    at = 0
    while at < len(row):
        run = 1
        while at + run < len(row) and run < 128 and row[at + run] == row[at]:
            run += 1
        if run > 1:
            out += bytes((257 - run, row[at]))
            at += run
            continue
        end = at + 1
        while end < len(row) and end - at < 128 and row[end] != row[end - 1]:
            end += 1
        out += bytes((end - at - 1,)) + row[at:end]
        at = end
    return bytes(out)


# --- images ---------------------------------------------------------------------------------------


def _grey(ds: Dataset, rng: np.random.Generator, rows: int, columns: int) -> None:
    ramp = np.add.outer(np.arange(rows) * 3000 // rows, np.arange(columns) * 900 // columns)
    pixels = (ramp + rng.integers(0, 100, (rows, columns))).astype("<u2")
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows, ds.Columns = rows, columns
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.PixelData = pixels.tobytes()
    ds["PixelData"].VR = "OW"


def _colour(ds: Dataset, rng: np.random.Generator, frames: int, rows: int, columns: int) -> None:
    y, x = np.mgrid[0:rows, 0:columns]
    frame = np.stack([y * 200 // rows, x * 200 // columns, (x + y) * 100 // (rows + columns)], -1)
    pixels = (frame + rng.integers(0, 20, (frames, 1, 1, 3))).astype("u1")
    ds.SamplesPerPixel = 3
    ds.PhotometricInterpretation = "RGB"
    ds.PlanarConfiguration = 0
    ds.Rows, ds.Columns = rows, columns
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    data = pixels.tobytes()
    ds.PixelData = data + b"\0" * (len(data) % 2)
    ds["PixelData"].VR = "OB"


def _geometry(ds: Dataset, number: int) -> None:
    ds.FrameOfReferenceUID = stable_uid("frame", ds.StudyInstanceUID)
    ds.PositionReferenceIndicator = ""
    ds.ImagePositionPatient = [-100, -100.5, 5 * number]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing = [0.5, 0.5]
    ds.SliceThickness = 5
    ds.AcquisitionNumber = 1
    ds.PatientPosition = "HFS"
    ds.BodyPartExamined = "CHEST"


def _window(ds: Dataset) -> None:
    ds.WindowCenter, ds.WindowWidth = 2000, 4000


def _ct(ds: Dataset, rng: np.random.Generator, rows: int, columns: int, number: int) -> None:
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.AcquisitionDate, ds.AcquisitionTime = ds.ContentDate, ds.ContentTime
    _geometry(ds, number)
    ds.KVP = 120
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = -1024, 1, "HU"
    _grey(ds, rng, rows, columns)
    _window(ds)


def _mr(ds: Dataset, rng: np.random.Generator, rows: int, columns: int, number: int) -> None:
    ds.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    _geometry(ds, number)
    ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions = "SE", "NONE", ""
    ds.MRAcquisitionType = "2D"
    ds.RepetitionTime, ds.EchoTime, ds.EchoTrainLength = 500, 15, 1
    _grey(ds, rng, rows, columns)
    _window(ds)


def _cr(ds: Dataset, rng: np.random.Generator, rows: int, columns: int, number: int) -> None:
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.BodyPartExamined, ds.ViewPosition = "CHEST", "PA"
    ds.PatientOrientation = ["L", "F"]
    _grey(ds, rng, rows, columns)


def _coded(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _digital_x_ray(ds: Dataset, anatomy: Dataset, laterality: str) -> None:
    ds.PresentationIntentType = "FOR PRESENTATION"
    ds.PresentationLUTShape = "IDENTITY"
    ds.BurnedInAnnotation = "NO"
    ds.LossyImageCompression = "00"
    ds.AcquisitionDate, ds.AcquisitionTime = ds.ContentDate, ds.ContentTime
    ds.PixelIntensityRelationship = "LOG"
    ds.PixelIntensityRelationshipSign = 1
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = 0, 1, "US"
    ds.ImageLaterality = laterality
    ds.AnatomicRegionSequence = [anatomy]
    ds.DetectorType = "DIRECT"
    ds.ImagerPixelSpacing = [0.1, 0.1]
    ds.AcquisitionContextSequence = []
    ds.PositionerType = ""


def _dx(ds: Dataset, rng: np.random.Generator, rows: int, columns: int, number: int) -> None:
    ds.ImageType = ["ORIGINAL", "PRIMARY", ""]
    _digital_x_ray(ds, _coded("51185008", "SCT", "Chest"), "U")
    ds.PatientOrientation = ["L", "F"]
    ds.ViewCodeSequence = [_coded("399348003", "SCT", "antero-posterior")]
    ds.ViewCodeSequence[0].ViewModifierCodeSequence = []
    ds.BodyPartExamined = "CHEST"
    _grey(ds, rng, rows, columns)
    _window(ds)


def _mg(ds: Dataset, rng: np.random.Generator, rows: int, columns: int, number: int) -> None:
    ds.ImageType = ["ORIGINAL", "PRIMARY", ""]
    _digital_x_ray(ds, _coded("76752008", "SCT", "Breast"), "LR"[number % 2])
    ds.PatientOrientation = ["A", "R"]
    ds.BodyPartExamined = "BREAST"
    ds.PositionerType = "MAMMOGRAPHIC"
    ds.OrganExposed = "BREAST"
    ds.BreastImplantPresent = "NO"
    ds.PartialView = "NO"
    view = _coded("399162004", "SCT", "cranio-caudal")
    view.ViewModifierCodeSequence = []
    ds.ViewCodeSequence = [view]
    _grey(ds, rng, rows, columns)
    _window(ds)


def _us(ds: Dataset, rng: np.random.Generator, rows: int, columns: int, number: int) -> None:
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.PatientOrientation = ds.Laterality = ""
    ds.NumberOfFrames = 4
    ds.FrameTime = 40
    ds.FrameIncrementPointer = 0x00181063
    ds.LossyImageCompression = "00"
    _colour(ds, rng, 4, rows, columns)


def _sc(ds: Dataset, rng: np.random.Generator, rows: int, columns: int, number: int) -> None:
    ds.ConversionType = "WSD"
    ds.PatientOrientation = ds.Laterality = ""
    _colour(ds, rng, 1, rows, columns)


# --- documents ------------------------------------------------------------------------------------


def _reference(image: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = image.SOPClassUID
    item.ReferencedSOPInstanceUID = image.SOPInstanceUID
    return item


def _evidence(images: Sequence[Dataset]) -> list[Dataset]:
    """Referenced Study > Series > SOP, as in Current Requested Procedure Evidence Sequence."""
    if not images:
        return []
    study = Dataset()
    study.StudyInstanceUID = images[0].StudyInstanceUID
    study.ReferencedSeriesSequence = []
    for uid in dict.fromkeys(str(image.SeriesInstanceUID) for image in images):
        series = Dataset()
        series.SeriesInstanceUID = uid
        series.ReferencedSOPSequence = [
            _reference(image) for image in images if image.SeriesInstanceUID == uid
        ]
        study.ReferencedSeriesSequence.append(series)
    return [study]


def _text(relation: str, concept: Dataset, text: str) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = relation, "TEXT"
    item.ConceptNameCodeSequence = [concept]
    item.TextValue = text
    return item


def _code(relation: str, concept: Dataset, code: Dataset) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = relation, "CODE"
    item.ConceptNameCodeSequence = [concept]
    item.ConceptCodeSequence = [code]
    return item


def _picture(relation: str, image: Dataset) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = relation, "IMAGE"
    item.ReferencedSOPSequence = [_reference(image)]
    return item


def _language() -> Dataset:
    return _code(
        "HAS CONCEPT MOD",
        _coded("121049", "DCM", "Language of Content Item and Descendants"),
        _coded("eng", "RFC5646", "English"),
    )


def _document(ds: Dataset, images: Sequence[Dataset]) -> None:
    ds.ReferencedPerformedProcedureStepSequence = []
    ds.ValueType = "CONTAINER"
    ds.ContinuityOfContent = "SEPARATE"
    if images:
        ds.CurrentRequestedProcedureEvidenceSequence = _evidence(images)


def _sr(ds: Dataset, images: Sequence[Dataset]) -> None:
    _document(ds, images)
    ds.PerformedProcedureCodeSequence = []
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "VERIFIED"
    observers = []
    for when, who in (("20240312083000", "Verify^Vera"), ("20240312091500", "Chief^Carl")):
        observer = Dataset()
        observer.VerifyingOrganization = "Example Hospital"
        observer.VerificationDateTime = when
        observer.VerifyingObserverName = who
        observer.VerifyingObserverIdentificationCodeSequence = []
        observers.append(observer)
    ds.VerifyingObserverSequence = observers
    ds.ConceptNameCodeSequence = [_coded("18748-4", "LN", "Diagnostic Imaging Report")]
    section = Dataset()
    section.RelationshipType, section.ValueType = "CONTAINS", "CONTAINER"
    section.ConceptNameCodeSequence = [_coded("121070", "DCM", "Findings")]
    section.ContinuityOfContent = "SEPARATE"
    section.ContentSequence = [
        _text("CONTAINS", _coded("121071", "DCM", "Finding"), "SECRET-FINDING: no acute disease.")
    ]
    ds.ContentSequence = [_language(), section]


def _ko(ds: Dataset, images: Sequence[Dataset]) -> None:
    _document(ds, images)
    ds.ConceptNameCodeSequence = [_coded("113000", "DCM", "Of Interest")]
    template = Dataset()
    template.MappingResource, template.TemplateIdentifier = "DCMR", "2010"
    ds.ContentTemplateSequence = [template]
    note = _text("CONTAINS", _coded("113012", "DCM", "Key Object Description"), "SECRET-NOTE")
    ds.ContentSequence = [_language(), note, *(_picture("CONTAINS", each) for each in images[:3])]


def _pr(ds: Dataset, images: Sequence[Dataset]) -> None:
    ds.Laterality = ""
    ds.PresentationCreationDate, ds.PresentationCreationTime = ds.ContentDate, ds.ContentTime
    ds.ContentLabel, ds.ContentDescription = "LUNG", "Lung window"
    ds.ContentCreatorName = "Create^Cora"
    monochrome = [each for each in images if each.SamplesPerPixel == 1]
    evidence = _evidence(monochrome)
    series = []
    for each in evidence[0].ReferencedSeriesSequence if evidence else []:
        item = Dataset()
        item.SeriesInstanceUID = each.SeriesInstanceUID
        item.ReferencedImageSequence = list(each.ReferencedSOPSequence)
        series.append(item)
    ds.ReferencedSeriesSequence = series
    area = Dataset()
    area.DisplayedAreaTopLeftHandCorner = [1, 1]
    area.DisplayedAreaBottomRightHandCorner = [16, 16]
    area.PresentationSizeMode = "SCALE TO FIT"
    area.PresentationPixelAspectRatio = [1, 1]
    ds.DisplayedAreaSelectionSequence = [area]
    voi = Dataset()
    voi.WindowCenter, voi.WindowWidth = -600, 1500
    ds.SoftcopyVOILUTSequence = [voi]
    ds.PresentationLUTShape = "IDENTITY"


def _pdf(ds: Dataset, images: Sequence[Dataset]) -> None:
    ds.ConversionType = "WSD"
    ds.BurnedInAnnotation = "YES"
    ds.AcquisitionDateTime = ds.ContentDate + ds.ContentTime
    ds.ConceptNameCodeSequence = [_coded("18748-4", "LN", "Diagnostic Imaging Report")]
    ds.DocumentTitle = "Report"
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.EncapsulatedDocument = PDF_BYTES + b"\0" * (len(PDF_BYTES) % 2)
    ds.EncapsulatedDocumentLength = len(PDF_BYTES)


_IMAGES: dict[str, Callable[[Dataset, np.random.Generator, int, int, int], None]] = {
    "CT": _ct, "MR": _mr, "CR": _cr, "DX": _dx, "MG": _mg, "US": _us, "SC": _sc,
}  # fmt: skip
_DOCUMENTS: dict[str, Callable[[Dataset, Sequence[Dataset]], None]] = {
    "SR": _sr, "KO": _ko, "PR": _pr, "PDF": _pdf,
}  # fmt: skip


def rename(path: Path, name: bytes, charset: bytes = b"") -> None:
    """The patient's name, and what is said of its characters, in bytes."""
    data = path.read_bytes()
    for tag, vr, value in ((b"\x08\0\x05\0", b"CS", charset), (b"\x10\0\x10\0", b"PN", name)):
        at = data.index(tag + vr)
        stop = at + 8 + int.from_bytes(data[at + 6 : at + 8], "little")
        value += b" " * (len(value) % 2)
        data = data[: at + 6] + len(value).to_bytes(2, "little") + value + data[stop:]
    path.write_bytes(data)
