"""What the objects of one demo study share: patient, study, equipment, UIDs and the way to disk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from kiosk.demo.people import DemoPerson, demo_uid

IMPLEMENTATION_UID = demo_uid("implementation", "demo archive")
IMPLEMENTATION_NAME = "SENDHOME_DEMO"  # (0002,0013), at most 16 characters
HOSPITAL = "Sendhome Demo Hospital"
READER = "Reader^Rose^^Dr."


@dataclass(frozen=True, slots=True)
class Written:
    """One object on disk, as much as others need to refer to it."""

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    path: Path


def coded(value: str, scheme: str, meaning: str) -> Dataset:
    """An item of a Code Sequence (PS3.3 8)."""
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item


def decimal(value: float) -> str:
    """A number as a DS of at most 16 characters (PS3.5 6.2)."""
    text = f"{value:.5f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _age(birth: str, day: str) -> str:
    born, then = (date(int(t[:4]), int(t[4:6]), int(t[6:])) for t in (birth, day))
    years = then.year - born.year - ((then.month, then.day) < (born.month, born.day))
    return f"{years:03d}Y"


class StudyWriter:
    """Writes one person's study; remembers what it wrote, in order."""

    def __init__(self, person: DemoPerson, folder: Path) -> None:
        self.person = person
        self.folder = folder
        self.written: list[Written] = []
        self.frame_of_reference_uid = demo_uid("frame", person.study_instance_uid)
        self._start = datetime.strptime(  # noqa: DTZ007 - DICOM's local wall time without a zone
            person.study_date + person.study_time, "%Y%m%d%H%M%S"
        )

    def at(self, seconds: float) -> tuple[str, str]:
        """Date and time, as DA and TM, so long after the study began."""
        moment = self._start + timedelta(seconds=seconds)
        return f"{moment:%Y%m%d}", f"{moment:%H%M%S}"

    def series(
        self, number: int, description: str, sop_class: UID, modality: str, *, after_s: float = 0
    ) -> Dataset:
        """Patient, study, series and equipment modules; the rest is the caller's.

        Args:
            after_s: When the series began, in seconds after the study did.
        """
        person = self.person
        ds = Dataset()
        if person.character_set:
            ds.SpecificCharacterSet = person.character_set.split("\\")
        day, clock = self.at(after_s)
        ds.SOPClassUID = sop_class
        ds.InstanceCreationDate, ds.InstanceCreationTime = day, clock
        ds.StudyDate, ds.StudyTime = person.study_date, person.study_time
        ds.SeriesDate, ds.SeriesTime = day, clock
        ds.ContentDate, ds.ContentTime = day, clock
        ds.AccessionNumber = person.accession_number
        ds.Modality = modality
        ds.Manufacturer = "Sendhome"
        ds.ManufacturerModelName = "Demo Phantom"
        ds.DeviceSerialNumber = "0001"
        ds.SoftwareVersions = "1"
        ds.StationName = f"DEMO{modality}1"
        ds.InstitutionName = HOSPITAL
        ds.InstitutionalDepartmentName = "Radiology"
        ds.ReferringPhysicianName = "Refer^Rita^^Dr."
        ds.StudyDescription = person.description
        ds.SeriesDescription = description
        ds.PatientName = person.identity.name
        ds.PatientID = person.identity.patient_id
        ds.IssuerOfPatientID = person.identity.issuer
        ds.PatientBirthDate = person.identity.birth_date
        ds.PatientSex = person.sex
        ds.PatientAge = _age(person.identity.birth_date, person.study_date)
        ds.StudyInstanceUID = person.study_instance_uid
        ds.SeriesInstanceUID = demo_uid("series", person.study_instance_uid, number)
        ds.StudyID = person.study_id
        ds.SeriesNumber = number
        return ds

    def acquired(self, ds: Dataset, number: int, body_part: str, after_s: float = 0) -> None:
        """When and of what an image was acquired."""
        ds.AcquisitionDate, ds.AcquisitionTime = self.at(after_s)
        ds.AcquisitionNumber = number
        ds.BodyPartExamined = body_part
        ds.BurnedInAnnotation = "NO"
        ds.LossyImageCompression = "00"

    def placed(
        self, ds: Dataset, size: int, spacing_mm: float, z: float, thickness: float, gap: float
    ) -> None:
        """Frame of reference and image plane of an axial slice (PS3.3 C.7.4.1, C.7.6.2)."""
        corner = -(size - 1) / 2 * spacing_mm
        ds.PatientPosition = "HFS"
        ds.FrameOfReferenceUID = self.frame_of_reference_uid
        ds.PositionReferenceIndicator = ""
        ds.ImagePositionPatient = [decimal(corner), decimal(corner), decimal(z)]
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.SliceLocation = decimal(z)
        ds.PixelSpacing = [decimal(spacing_mm)] * 2
        ds.SliceThickness = decimal(thickness)
        ds.SpacingBetweenSlices = decimal(gap)

    def write(
        self, ds: Dataset, instance_number: int, transfer_syntax: UID = ExplicitVRLittleEndian
    ) -> Written:
        """Give the object its number and UID and write it as SE000/IM0000 of the study's folder."""
        series = int(ds.SeriesNumber)
        ds.InstanceNumber = instance_number
        ds.SOPInstanceUID = demo_uid(
            "instance", self.person.study_instance_uid, series, instance_number
        )
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = ds.SOPClassUID
        meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        meta.TransferSyntaxUID = transfer_syntax
        meta.ImplementationClassUID = UID(IMPLEMENTATION_UID)
        meta.ImplementationVersionName = IMPLEMENTATION_NAME
        path = self.folder / f"SE{series:03d}" / f"IM{instance_number:04d}"
        path.parent.mkdir(parents=True, exist_ok=True)
        FileDataset(str(path), ds, preamble=b"\0" * 128, file_meta=meta).save_as(
            path, enforce_file_format=True
        )
        written = Written(ds.SOPClassUID, ds.SOPInstanceUID, ds.SeriesInstanceUID, path)
        self.written.append(written)
        return written


def grey(ds: Dataset, pixels: np.ndarray, bits_stored: int) -> None:
    """Image Pixel module of a one-channel image of 16 allocated bits (PS3.3 C.7.6.3)."""
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape
    ds.BitsAllocated = 16
    ds.BitsStored = bits_stored
    ds.HighBit = bits_stored - 1
    signed = pixels.dtype.kind == "i"
    ds.PixelRepresentation = int(signed)
    ds.PixelData = pixels.astype("<i2" if signed else "<u2").tobytes()
    ds["PixelData"].VR = "OW"
