"""One small object of each storage SOP Class that has a directory record type.

Made of the keys of its record (PS3.3 F.5) and what makes it whole: pixels, a document, a waveform.
For directory records, not for modules: a validator of IODs would miss most of what a class wants.
"""

from __future__ import annotations

from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from dicomdir import profile
from dicomdir.keys import KEY_VR
from dicomdir.records import KEYS
from tests.factories import stable_uid, write

SIZED = {profile.IMAGE, profile.RT_DOSE, profile.SPECTROSCOPY}
_VALUES = {
    "CS": "LABEL",
    "DA": "20240311",
    "DS": "1.5",
    "DT": "20240311101500",
    "IS": "7",
    "LO": "Long text",
    "PN": "Create^Cora",
    "SH": "Short",
    "ST": "Text",
    "TM": "101500",
    "UI": "2.25.17",
    "UL": 2,
    "US": 2,
}
_SPECIAL: dict[int, object] = {
    0x00080008: ["ORIGINAL", "PRIMARY"],
    0x00181800: "Y",
    0x00200032: [1, 2, 3],
    0x00200037: [1, 0, 0, 0, 1, 0],
    0x00280008: 1,
    0x00280030: [0.5, 0.5],
    0x0040A491: "COMPLETE",
    0x0040A493: "VERIFIED",
    0x00420012: "application/pdf",
    0x00500004: "NO",
    0x00720006: "SITE",
    0x3004000A: "PLAN",
}


def coded(value: str = "18748-4", scheme: str = "LN", meaning: str = "Report") -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def make_every_class(folder: Path) -> dict[str, Path]:
    """SOP Class UID to its file; one Study, a Series each."""
    folder.mkdir(parents=True)
    paths = {}
    for number, uid in enumerate(sorted(profile.RECORD_TYPES), 1):
        paths[uid] = folder / f"{number:04d}"
        write(make_object(uid, number), paths[uid])
    return paths


def make_object(sop_class_uid: str, number: int) -> Dataset:
    """The object; `number` makes its UIDs and its Series Number."""
    kind = profile.record_type(sop_class_uid)
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = sop_class_uid
    ds.SOPInstanceUID = stable_uid("every", sop_class_uid)
    ds.InstanceCreationDate, ds.InstanceCreationTime = "20240311", "101500"
    if kind not in profile.ROOT_TYPES:
        _patient(ds, sop_class_uid, number)
    for tag, _ in KEYS[kind]:
        if tag not in ds and KEY_VR.get(tag, "DT") != "SQ" and tag != 0x0040A030:
            ds.add_new(tag, KEY_VR[tag], _SPECIAL.get(tag, _VALUES[KEY_VR[tag]]))
        elif KEY_VR.get(tag) == "SQ":
            ds.add_new(tag, "SQ", _items(tag, ds))
    _body(ds, kind)
    return ds


def _patient(ds: Dataset, sop_class_uid: str, number: int) -> None:
    ds.PatientName, ds.PatientID = "Doe^Jane", "PID-0042"
    ds.PatientBirthDate, ds.PatientSex = "19610303", "F"
    ds.StudyInstanceUID = stable_uid("every", "study")
    ds.SeriesInstanceUID = stable_uid("every", "series", sop_class_uid)
    ds.StudyDate, ds.StudyTime, ds.StudyID = "20240311", "101500", "S1"
    ds.AccessionNumber, ds.StudyDescription = "A1", "All classes"
    ds.Modality = profile.MODALITIES.get(sop_class_uid, "OT")
    ds.SeriesNumber, ds.InstanceNumber = number, 1
    ds.InstitutionName, ds.InstitutionAddress = "Example Hospital", "1 Example Street"
    ds.PerformingPhysicianName = "Perform^Petra"


def _items(tag: int, ds: Dataset) -> list[Dataset]:
    if tag == 0x0040A730:  # Content Sequence
        modifier, finding = Dataset(), Dataset()
        modifier.RelationshipType, modifier.ValueType = "HAS CONCEPT MOD", "CODE"
        modifier.ConceptNameCodeSequence = [coded("121049", "DCM", "Language")]
        modifier.ConceptCodeSequence = [coded("eng", "RFC5646", "English")]
        finding.RelationshipType, finding.ValueType = "CONTAINS", "TEXT"
        finding.ConceptNameCodeSequence = [coded("121071", "DCM", "Finding")]
        finding.TextValue = "SECRET-FINDING"
        return [modifier, finding]
    if tag in (0x0040A043, 0x0072000E):
        return [coded()]
    if tag == 0x0072000C:  # Hanging Protocol Definition Sequence
        item = Dataset()
        item.Modality, item.StudyDescription = "CT", "Thorax"
        item.ProcedureCodeSequence = [coded()]
        item.ReasonForRequestedProcedureCodeSequence = [coded()]
        return [item]
    reference = Dataset()
    reference.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    reference.ReferencedSOPInstanceUID = "2.25.4711"
    if tag in (0x00081140, 0x00089092):
        return [reference]
    series = Dataset()
    series.SeriesInstanceUID = "2.25.4712"
    series.ReferencedImageSequence = [reference]
    if tag == 0x00700402:  # Blending Sequence: two items, each of a Study
        return [_blended("2.25.4713"), _blended("2.25.4714")]
    return [series]


def _blended(study_instance_uid: str) -> Dataset:
    item = Dataset()
    item.StudyInstanceUID = study_instance_uid
    item.ReferencedSeriesSequence = _items(0x00081115, item)
    return item


def _body(ds: Dataset, kind: str) -> None:
    if kind == profile.SR_DOCUMENT:
        observer = Dataset()
        observer.VerificationDateTime, observer.VerifyingObserverName = "20240312", "Vera"
        ds.VerifyingObserverSequence = [observer]
    elif kind == profile.ENCAP_DOC:
        ds.EncapsulatedDocument = b"%PDF-1.4\n%%EOF\n\0"
    elif kind == profile.WAVEFORM:
        ds.WaveformSequence = [Dataset()]
    elif kind == profile.IMAGE:
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated = ds.BitsStored = 8
        ds.HighBit, ds.PixelRepresentation = 7, 0
        ds.PixelData = bytes(4)
        ds["PixelData"].VR = "OB"
