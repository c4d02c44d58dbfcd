"""The images of each demo exam with the headers their IODs want (PS3.3 Annex A)."""

from __future__ import annotations

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    JPEGBaseline8Bit,
    MRImageStorage,
    UltrasoundMultiFrameImageStorage,
)

from kiosk.demo.anatomy import breast, chest, chest_film, hand, head, heart
from kiosk.demo.headers import StudyWriter, coded, decimal, grey

CT_SLICES, CT_SIZE, CT_SPACING_MM = 60, 512, 0.742
MR_SLICES, MR_SIZE, MR_SPACING_MM = 24, 256, 0.9


def ct_chest(study: StudyWriter, rng: np.random.Generator) -> None:
    """60 slices of 5 mm."""
    gap = (chest.TOP_MM - chest.BOTTOM_MM) / CT_SLICES
    ds = study.series(2, "Chest 5.0 axial", CTImageStorage, "CT", after_s=90)
    study.acquired(ds, 2, "CHEST", after_s=90)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.ContrastBolusAgent = "Iodinated contrast 350"
    ds.ScanOptions = "HELICAL MODE"
    ds.KVP = "120"
    ds.DataCollectionDiameter = "500"
    ds.ReconstructionDiameter = decimal(CT_SIZE * CT_SPACING_MM)
    ds.GantryDetectorTilt = "0"
    ds.TableHeight = "152"
    ds.RotationDirection = "CW"
    ds.ExposureTime = 500
    ds.ConvolutionKernel = "STANDARD"
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "-1024", "1", "HU"
    ds.WindowCenter, ds.WindowWidth = ["40", "-600"], ["400", "1500"]
    ds.WindowCenterWidthExplanation = ["MEDIASTINUM", "LUNG"]
    slices = chest.ct_slices(rng, CT_SLICES, CT_SIZE, CT_SPACING_MM)
    for number, (z, hounsfield) in enumerate(slices, 1):
        ds.XRayTubeCurrent = 210 + round(45 * float(np.cos(number / CT_SLICES * 6.28)))
        ds.Exposure = ds.XRayTubeCurrent // 2
        ds.AcquisitionDate, ds.AcquisitionTime = study.at(90 + number * 0.1)
        study.placed(ds, CT_SIZE, CT_SPACING_MM, z, gap, gap)
        grey(ds, (hounsfield + 1024).astype(np.uint16), 12)
        study.write(ds, number)


def mr_head(study: StudyWriter, rng: np.random.Generator) -> None:
    """T1 and T2, 24 slices each."""
    gap = (head.TOP_MM - head.BOTTOM_MM) / MR_SLICES
    heights, series = head.mr_slices(rng, MR_SLICES, MR_SIZE, MR_SPACING_MM)
    plans = (
        (2, "T1 axial", "SE", 520.0, 12.0, "600", "1100"),
        (3, "T2 axial", "SE", 5200.0, 96.0, "650", "1300"),
    )
    for (number, text, sequence, repetition, echo, centre, width), stack in zip(
        plans, series, strict=True
    ):
        ds = study.series(number, text, MRImageStorage, "MR", after_s=240 * number)
        study.acquired(ds, number, "HEAD", after_s=240 * number)
        ds.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
        ds.ScanningSequence = sequence
        ds.SequenceVariant = "SK"
        ds.ScanOptions = ""
        ds.MRAcquisitionType = "2D"
        ds.RepetitionTime, ds.EchoTime = decimal(repetition), decimal(echo)
        ds.EchoTrainLength = 1 if number == 2 else 11
        ds.FlipAngle = "90"
        ds.MagneticFieldStrength = "1.5"
        ds.ImagedNucleus = "1H"
        ds.PixelBandwidth = "180"
        ds.InPlanePhaseEncodingDirection = "ROW"
        ds.WindowCenter, ds.WindowWidth = centre, width
        for instance, (z, pixels) in enumerate(zip(heights, stack, strict=True), 1):
            study.placed(ds, MR_SIZE, MR_SPACING_MM, z, gap * 0.9, gap)
            grey(ds, pixels, 12)
            study.write(ds, instance)


def _computed_radiograph(
    study: StudyWriter,
    number: int,
    text: str,
    body_part: str,
    view: str,
    orientation: list[str],
    spacing_mm: float,
    pixels: np.ndarray,
) -> None:
    ds = study.series(number, text, ComputedRadiographyImageStorage, "CR", after_s=60 * number)
    study.acquired(ds, number, body_part, after_s=60 * number)
    ds.ImageType = ["ORIGINAL", "PRIMARY", ""]
    ds.ViewPosition = view
    ds.PatientOrientation = orientation
    if body_part == "HAND":
        ds.Laterality = "R"
    ds.KVP = "125" if body_part == "CHEST" else "55"
    ds.PlateID = f"P{number:04d}"
    ds.DistanceSourceToDetector = "1800" if body_part == "CHEST" else "1100"
    ds.ExposureTime = 8
    ds.XRayTubeCurrent = 250
    ds.ImagerPixelSpacing = [decimal(spacing_mm)] * 2
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "US"
    ds.WindowCenter, ds.WindowWidth = "1900", "3800"
    ds.PresentationLUTShape = "IDENTITY"
    grey(ds, pixels, 12)
    study.write(ds, 1)


def cr_chest(study: StudyWriter, rng: np.random.Generator) -> None:
    """From behind and from the side."""
    frontal = chest_film.radiograph(rng, "PA", 1024, 1024, 0.4)
    lateral = chest_film.radiograph(rng, "LL", 1024, 832, 0.4)
    _computed_radiograph(study, 1, "Chest PA", "CHEST", "PA", ["L", "F"], 0.4, frontal)
    _computed_radiograph(study, 2, "Chest lateral", "CHEST", "LL", ["P", "F"], 0.4, lateral)


def cr_hand(study: StudyWriter, rng: np.random.Generator) -> None:
    """Right hand, straight and oblique. Along rows to the thumb, along columns to the wrist."""
    straight = hand.radiograph(rng, "PA", 1280, 896, 0.17)
    oblique = hand.radiograph(rng, "OBL", 1280, 896, 0.17)
    _computed_radiograph(study, 1, "Hand right PA", "HAND", "PA", ["R", "H"], 0.17, straight)
    _computed_radiograph(study, 2, "Hand right oblique", "HAND", "", ["R", "H"], 0.17, oblique)


def mg_screening(study: StudyWriter, rng: np.random.Generator) -> None:
    """Four views."""
    views = (
        ("R", "CC", "399162004", "cranio-caudal", ["P", "L"]),
        ("L", "CC", "399162004", "cranio-caudal", ["A", "R"]),
        ("R", "MLO", "399368009", "medio-lateral oblique", ["P", "FL"]),
        ("L", "MLO", "399368009", "medio-lateral oblique", ["A", "FR"]),
    )
    spacing = 0.18
    sop_class = DigitalMammographyXRayImageStorageForPresentation
    for number, (side, view, code, meaning, orientation) in enumerate(views, 1):
        ds = study.series(number, f"{side} {view}", sop_class, "MG", after_s=50 * number)
        study.acquired(ds, number, "BREAST", after_s=50 * number)
        ds.PresentationIntentType = "FOR PRESENTATION"
        ds.ImageType = ["DERIVED", "PRIMARY"]
        ds.ImageLaterality = side
        ds.ViewPosition = view
        ds.PatientOrientation = orientation
        ds.KVP = "29"
        ds.DistanceSourceToDetector = "660"
        ds.DistanceSourceToPatient = "610"
        ds.ExposureTime = 1100
        ds.XRayTubeCurrent = 95
        ds.Exposure = 104
        ds.BodyPartThickness = "52"
        ds.CompressionForce = "96"
        ds.PositionerType = "MAMMOGRAPHIC"
        ds.PositionerPrimaryAngle = "0" if view == "CC" else "45"
        ds.DetectorType = "DIRECT"
        ds.DetectorID = "D1"
        ds.DetectorTemperature = "30"
        ds.FieldOfViewOrigin = ["0", "0"]
        ds.FieldOfViewRotation = "0"
        ds.FieldOfViewHorizontalFlip = "NO"
        ds.ImagerPixelSpacing = [decimal(spacing)] * 2
        ds.AcquisitionContextSequence = Sequence([])
        ds.AnatomicRegionSequence = Sequence([coded("76752008", "SCT", "Breast")])
        ds.OrganExposed = "BREAST"
        view_code = coded(code, "SCT", meaning)
        view_code.ViewModifierCodeSequence = Sequence([])
        ds.ViewCodeSequence = Sequence([view_code])
        ds.PartialView = "NO"
        ds.BreastImplantPresent = "NO"
        ds.PixelIntensityRelationship = "LOG"
        ds.PixelIntensityRelationshipSign = 1
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "US"
        ds.PresentationLUTShape = "IDENTITY"
        ds.WindowCenter, ds.WindowWidth = "1500", "2600"
        grey(ds, breast.mammogram(rng, side, view, 1152, 960, spacing), 12)
        study.write(ds, 1)


def us_heart(study: StudyWriter, rng: np.random.Generator) -> None:
    """A loop with colour flow in baseline JPEG, and a short grey one as it is."""
    for number, text, frames, rows, columns, flow in (
        (1, "Four chambers, colour flow", 24, 480, 640, True),
        (2, "Four chambers", 8, 360, 480, False),
    ):
        loop = heart.cine(rng, frames, rows, columns, with_flow=flow)
        ds = study.series(number, text, UltrasoundMultiFrameImageStorage, "US", after_s=75 * number)
        study.acquired(ds, number, "HEART", after_s=75 * number)
        ds.ImageType = ["ORIGINAL", "PRIMARY", "TTE", "0011" if flow else "0001"]
        ds.PatientOrientation = ""
        ds.TransducerType = "SECTOR_PHASED"
        ds.FrameTime = decimal(1000 / frames)  # one beat a second
        ds.RecommendedDisplayFrameRate = frames
        ds.HeartRate = 60
        ds.FrameIncrementPointer = 0x00181063
        ds.NumberOfFrames = frames
        ds.UltrasoundColorDataPresent = int(flow)
        ds.SequenceOfUltrasoundRegions = Sequence([_region(rows, columns)])
        _colour(ds, loop)
        if flow:
            encoded = [_jpeg(frame) for frame in loop]
            ds.PhotometricInterpretation = "YBR_FULL_422"
            ds.LossyImageCompression = "01"
            ds.LossyImageCompressionRatio = decimal(loop.nbytes / sum(map(len, encoded)))
            ds.LossyImageCompressionMethod = "ISO_10918_1"
            ds.PixelData = encapsulate(encoded)
            ds["PixelData"].VR = "OB"
            ds["PixelData"].is_undefined_length = True
            study.write(ds, 1, JPEGBaseline8Bit)
        else:
            ds.PixelData = loop.tobytes()
            ds["PixelData"].VR = "OB"
            study.write(ds, 1)


def _jpeg(frame: np.ndarray) -> bytes:
    """Baseline, 4:2:2, as YBR_FULL_422 has it."""
    return bytes(
        imagecodecs.jpeg8_encode(
            frame, level=88, colorspace="RGB", outcolorspace="YCBCR", subsampling="422"
        )
    )


def _colour(ds: Dataset, loop: np.ndarray) -> None:
    ds.SamplesPerPixel = 3
    ds.PhotometricInterpretation = "RGB"
    ds.PlanarConfiguration = 0
    ds.Rows, ds.Columns = loop.shape[1:3]
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit = 7
    ds.PixelRepresentation = 0


def _region(rows: int, columns: int) -> Dataset:
    """Calibration of the sector: 16 cm from top to bottom (PS3.3 C.8.5.5)."""
    region = Dataset()
    region.RegionSpatialFormat = 1  # 2D
    region.RegionDataType = 1  # tissue
    region.RegionFlags = 2
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 0, 0
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = columns - 1, rows - 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3  # cm
    region.PhysicalDeltaX = region.PhysicalDeltaY = 16 / rows
    return region
