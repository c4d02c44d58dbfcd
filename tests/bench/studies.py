"""Studies of realistic sizes for the benches: made once, from one encoded object a series, patched.

    ct-1000     1,000 CT slices of 512 x 512, 3 series, 527 MB
    small-2000  2,000 MR slices of 64 x 64, 10 series, 22 MB; small-1000 and small-10000 likewise
    chest-1000  1,000 CT slices like ct-1000, of real devices' pixels, for what compresses them
    cr-4        4 CR images of 3000 x 2500, 4 series, 60 MB
    mg-4        4 mammograms of 5200 x 4800, 4 series, 200 MB

Headers are as long as real ones (about a hundred elements, sequences, a private block); pixels
are noise but in chest-*. The same bytes each time. The headers are not complete for every class:
for timing only.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    MRImageStorage,
)

from kiosk.domain.model import PatientIdentity

PATIENT = PatientIdentity("BENCH-1", "BENCH", "Example^Emma", "19611224")
_POOL_PIXELS = 1 << 23
# patched in each object; as long as what replaces them
_UID, _NUMBER, _POSITION = "2.25." + "7" * 39, "888888", "-999.9999"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a study is made of; the objects are spread over the series."""

    modality: str
    sop_class_uid: str
    rows: int
    columns: int
    series: int
    objects: int
    is_real: bool = False


_CT, _MR = (str(CTImageStorage), str(MRImageStorage))
KINDS = {
    "ct-1000": Kind("CT", _CT, 512, 512, 3, 1000),
    "ct-200": Kind("CT", _CT, 512, 512, 3, 200),
    "chest-1000": Kind("CT", _CT, 512, 512, 3, 1000, is_real=True),
    "chest-200": Kind("CT", _CT, 512, 512, 3, 200, is_real=True),
    "small-400": Kind("MR", _MR, 64, 64, 10, 400),
    "small-1000": Kind("MR", _MR, 64, 64, 10, 1000),
    "small-2000": Kind("MR", _MR, 64, 64, 10, 2000),
    "small-10000": Kind("MR", _MR, 64, 64, 10, 10000),
    "cr-4": Kind("CR", str(ComputedRadiographyImageStorage), 3000, 2500, 4, 4),
    "mg-4": Kind(
        "MG", str(DigitalMammographyXRayImageStorageForPresentation), 5200, 4800, 4, 4
    ),
}  # fmt: skip


def accession_number_of(name: str) -> str:
    """Of the study of this name."""
    return "B" + hashlib.sha256(name.encode()).hexdigest()[:9].upper()


@dataclass(frozen=True, slots=True)
class Study:
    """A study on disk.

    Attributes:
        folder: Its objects as SE000/IM00000: legal File IDs, so it can be a File-set as it is.
        files: In order.
    """

    name: str
    folder: Path
    study_instance_uid: str
    files: tuple[Path, ...]
    size_bytes: int

    def __str__(self) -> str:
        return f"{len(self.files)} objects, {self.size_bytes / 1e6:.0f} MB"


def study(name: str, data: Path) -> Study:
    """The study of that name below `data`; made if it is not there."""
    kind = KINDS[name]
    folder = data / name
    if not folder.is_dir():
        data.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix="making-", dir=data))
        try:
            _make(name, kind, made)
            made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)  # gone already if all went well
    files = tuple(sorted(p for p in folder.rglob("IM*") if p.is_file()))
    if len(files) != kind.objects:
        raise RuntimeError(f"{folder} is not whole: remove it")
    return Study(name, folder, _uid(name, "study"), files, sum(p.stat().st_size for p in files))


def _uid(*parts: object) -> str:
    """2.25 and a number of 39 digits."""
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).digest()
    return f"2.25.{10**38 + int.from_bytes(digest[:15], 'big') % 10**38}"


def _make(name: str, kind: Kind, folder: Path) -> None:
    rng = np.random.default_rng(len(name))
    pool = np.clip(rng.standard_normal(_POOL_PIXELS, dtype=np.float32) * 60 + 1200, 0, 4095)
    noise = pool.astype("<u2")
    pixels = kind.rows * kind.columns
    slices = real_slices() if kind.is_real else []
    per_series = [len(part) for part in np.array_split(np.arange(kind.objects), kind.series)]
    for series, count in enumerate(per_series, 1):
        where = folder / f"SE{series:03d}"
        where.mkdir()
        head, slots = _template(name, kind, series)
        for number in range(1, count + 1):
            values = {
                _UID: _uid(name, series, number),
                _NUMBER: f"{number:06d}",
                _POSITION: f"{number * 0.5 - 250:09.4f}",
            }
            for mark, places in slots.items():
                for place in places:
                    head[place : place + len(mark)] = values[mark].encode("ascii")
            with (where / f"IM{number:05d}").open("wb") as file:
                file.write(head)
                if slices:
                    file.write(_shifted(slices[(number // 40) % len(slices)], number))
                    continue
                for piece in _pieces(noise, pixels, int(rng.integers(0, _POOL_PIXELS))):
                    file.write(piece)


def real_slices() -> list[np.ndarray]:
    """Slices of 512 by 512 of three CT scanners, values from 0 on; from pydicom-data."""
    root = Path(str(resources.files("data_store") / "data"))
    found = []
    for name in ("693_UNCR.dcm", "explicit_VR-UN.dcm", "eCT_Supplemental.dcm"):
        ds = dcmread(next(root.rglob(name)))
        pixels = ds.pixel_array
        pixels = pixels[0] if pixels.ndim == 3 else pixels
        found.append(np.clip(pixels.astype(np.int32) - int(pixels.min()), 0, 4095).astype("<u2"))
    return found


def _shifted(pixels: np.ndarray, number: int) -> bytes:
    """A neighbour of a slice: moved a little, its noise kept."""
    return bytes(np.roll(pixels, (number % 7, 3 * number % 11), axis=(0, 1)).tobytes())


def _pieces(noise: np.ndarray, pixels: int, start: int) -> Iterator[memoryview]:
    while pixels:
        part = noise[start : start + pixels]
        yield part.data.cast("B")
        pixels -= len(part)
        start = 0


def _template(name: str, kind: Kind, series: int) -> tuple[bytearray, dict[str, list[int]]]:
    """The encoded header up to the pixels, and where in it the marks are."""
    ds = _header(name, kind, series)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(kind.sop_class_uid)
    meta.MediaStorageSOPInstanceUID = UID(_UID)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(_uid("implementation"))
    meta.ImplementationVersionName = "BENCH"
    out = io.BytesIO()
    FileDataset("", ds, preamble=b"\0" * 128, file_meta=meta).save_as(out, enforce_file_format=True)
    length = 2 * kind.rows * kind.columns
    head = bytearray(out.getvalue() + b"\xe0\x7f\x10\x00OW\0\0" + length.to_bytes(4, "little"))
    slots: dict[str, list[int]] = {}
    for mark in (_UID, _NUMBER, _POSITION):
        at = head.find(mark.encode())
        while at >= 0:
            slots.setdefault(mark, []).append(at)
            at = head.find(mark.encode(), at + 1)
    return head, slots


def _coded(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _header(name: str, kind: Kind, series: int) -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.InstanceCreationDate, ds.InstanceCreationTime = "20240311", "101500"
    ds.SOPClassUID, ds.SOPInstanceUID = kind.sop_class_uid, _UID
    for what in ("Study", "Series", "Acquisition", "Content"):
        ds.__setattr__(f"{what}Date", "20240311")
        ds.__setattr__(f"{what}Time", "100000")
    ds.AccessionNumber = accession_number_of(name)
    ds.Modality = kind.modality
    ds.Manufacturer, ds.ManufacturerModelName = "Synthetic Imaging", "Phantom 3"
    ds.InstitutionName, ds.InstitutionAddress = "Example Hospital", "1 Example Street, Exampletown"
    ds.InstitutionalDepartmentName = "Radiology"
    ds.ReferringPhysicianName, ds.PerformingPhysicianName = "Refer^Rita^^Dr", "Perform^Pat"
    ds.OperatorsName, ds.StationName = "Operate^Olga", f"{kind.modality}01"
    ds.StudyDescription, ds.SeriesDescription = f"Bench {name}", f"Series {series}"
    ds.PatientName, ds.PatientID = PATIENT.name, PATIENT.patient_id
    ds.IssuerOfPatientID, ds.PatientBirthDate = PATIENT.issuer, PATIENT.birth_date
    ds.PatientSex, ds.PatientAge = "F", "062Y"
    ds.PatientSize, ds.PatientWeight = "1.68", "64.5"
    ds.BodyPartExamined, ds.ProtocolName = "CHEST", "Bench"
    ds.DeviceSerialNumber, ds.SoftwareVersions = "000417", ["VX12A", "3.1.4"]
    ds.StudyInstanceUID = _uid(name, "study")
    ds.SeriesInstanceUID = _uid(name, "series", series)
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = "4711", series, _NUMBER
    ds.AcquisitionNumber, ds.PatientOrientation = series, ["L", "F"]
    ds.FrameOfReferenceUID = _uid(name, "frame")
    ds.PositionReferenceIndicator, ds.PatientPosition = "", "HFS"
    ds.ImagePositionPatient = ["-179.648", "-179.648", _POSITION]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.SliceLocation = _POSITION
    ds.PixelSpacing, ds.ImagerPixelSpacing = ["0.703125"] * 2, ["0.1", "0.1"]
    ds.SliceThickness, ds.SpacingBetweenSlices = "0.75", "0.5"
    ds.KVP, ds.ExposureTime, ds.XRayTubeCurrent, ds.Exposure = "120", 500, 210, 105
    ds.ConvolutionKernel, ds.ScanOptions, ds.FilterType = "B30f", "HELIX", "FLAT"
    ds.DistanceSourceToDetector, ds.DistanceSourceToPatient = "1085.6", "595"
    ds.GantryDetectorTilt, ds.TableHeight, ds.RotationDirection = "0", "151.5", "CW"
    ds.CTDIvol, ds.SpiralPitchFactor = 7.09, 1.0
    ds.WindowCenter, ds.WindowWidth = "40", "400"
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "-1024", "1", "HU"
    ds.LossyImageCompression, ds.BurnedInAnnotation = "00", "NO"
    ds.ImageLaterality = "L"
    step = Dataset()
    step.RequestedProcedureDescription = step.ScheduledProcedureStepDescription = f"Bench {name}"
    step.ScheduledProcedureStepID, step.RequestedProcedureID = "SPS1", "RP1"
    ds.RequestAttributesSequence = Sequence([step])
    ds.AnatomicRegionSequence = Sequence([_coded("51185008", "SCT", "Chest")])
    ds.PerformedProcedureStepStartDate, ds.PerformedProcedureStepStartTime = "20240311", "100000"
    ds.PerformedProcedureStepID, ds.PerformedProcedureStepDescription = "PPS1", f"Bench {name}"
    block = ds.private_block(0x0029, "BENCH PHANTOM 1.0", create=True)
    block.add_new(0x01, "LO", "phantom protocol block")
    block.add_new(0x02, "DS", ["0.25", "-1.5", "3.125"])
    block.add_new(0x03, "OB", bytes(range(256)) * 2)
    block.add_new(0x04, "LT", "private text " * 20)
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = kind.rows, kind.columns
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    return ds
