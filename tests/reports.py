"""SR and CDA documents with everything in them that may stand in one, for tests of the pages."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.factories import stable_uid

COMPREHENSIVE_3D_SR = "1.2.840.10008.5.1.4.1.1.88.34"
CT, ECG = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.9.1.1"
IMAGE_UID = stable_uid("rich image")


def coded(value: str, meaning: str, scheme: str = "DCM") -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def content(
    relation: str,
    kind: str,
    concept: str,
    children: Sequence[Dataset] = (),
    **values: object,
) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = relation, kind
    if concept:
        item.ConceptNameCodeSequence = [coded(f"C{len(concept)}", concept, "99TEST")]
    for keyword, value in values.items():
        setattr(item, keyword, value)
    if kind == "CONTAINER" and "ContinuityOfContent" not in item:
        item.ContinuityOfContent = "SEPARATE"
    if children:
        item.ContentSequence = list(children)
    return item


def reference(sop_class: str, uid: str, **values: object) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def measured(value: str, unit: str, meaning: str) -> Dataset:
    item = Dataset()
    item.NumericValue = value
    item.MeasurementUnitsCodeSequence = [coded(unit, meaning, "UCUM")]
    return item


def everything() -> list[Dataset]:
    """The root's children: each value type and each relationship."""
    image = content("SELECTED FROM", "IMAGE", "", ReferencedSOPSequence=[reference(CT, IMAGE_UID)])
    region = content("INFERRED FROM", "SCOORD", "Outline", [image], GraphicType="POLYLINE",
                     GraphicData=[1.5, 2.5, 30, 40, 50.25, 60])  # fmt: skip
    size = content(
        "CONTAINS", "NUM", "Longest diameter",
        [
            content("HAS CONCEPT MOD", "CODE", "Laterality",
                    ConceptCodeSequence=[coded("24028007", "Right", "SCT")]),
            content("HAS PROPERTIES", "TEXT", "Quality", TextValue="blurred edges"),
            region,
        ],
        MeasuredValueSequence=[measured("12.5", "mm", "millimeter")],
    )  # fmt: skip
    failure = [coded("114006", "Measurement failure")]
    empty = content("CONTAINS", "NUM", "Unmeasured", MeasuredValueSequence=[],
                    NumericValueQualifierCodeSequence=failure)  # fmt: skip
    findings = content(
        "CONTAINS", "CONTAINER", "Befunde & <Findings>",
        [
            content("CONTAINS", "TEXT", "Finding",
                    TextValue="First line: Größe 5 µm.\r\nSecond line <b>not bold</b>."),
            content("CONTAINS", "CODE", "Diagnosis",
                    ConceptCodeSequence=[coded("4711", "No acute disease", "99LOCAL")]),
            size, empty,
            content("CONTAINS", "DATE", "Onset", Date="20240102"),
            content("CONTAINS", "TIME", "At", Time="134455"),
            content("CONTAINS", "DATETIME", "Measured on", DateTime="20240103101112"),
            content("CONTAINS", "UIDREF", "Tracking", UID="1.2.3.4.5.6"),
            content("CONTAINS", "PNAME", "Reader", PersonName="Reader^Ruth^^Dr."),
            content("CONTAINS", "IMAGE", "Key picture", ReferencedSOPSequence=[
                reference(CT, IMAGE_UID, ReferencedFrameNumber=[3, 5])]),
            content("CONTAINS", "COMPOSITE", "Earlier report", ReferencedSOPSequence=[
                reference("1.2.840.10008.5.1.4.1.1.88.11", "1.2.3.77")]),
            content("CONTAINS", "WAVEFORM", "Trace", ReferencedSOPSequence=[
                reference(ECG, "1.2.3.88", ReferencedWaveformChannels=[1, 2])]),
        ],
    )  # fmt: skip
    running = content(
        "CONTAINS", "CONTAINER", "In words",
        [
            content("CONTAINS", "TEXT", "Beginning", TextValue="A mass of"),
            content("CONTAINS", "NUM", "Extent",
                    MeasuredValueSequence=[measured("3", "cm", "centimeter")]),
            content("CONTAINS", "TEXT", "End", TextValue="was seen."),
        ],
        ContinuityOfContent="CONTINUOUS",
    )  # fmt: skip
    volume = content(
        "CONTAINS", "SCOORD3D", "Place in space", GraphicType="POINT", GraphicData=[1, 2, 3],
        ReferencedFrameOfReferenceUID="1.2.3.99",
    )  # fmt: skip
    time = content(
        "CONTAINS", "TCOORD", "Beat",
        [content("SELECTED FROM", "WAVEFORM", "",
                 ReferencedSOPSequence=[reference(ECG, "1.2.3.88")])],
        TemporalRangeType="SEGMENT", ReferencedTimeOffsets=["1.5", "2.5"],
    )  # fmt: skip
    return [
        content("HAS CONCEPT MOD", "CODE", "Language",
                ConceptCodeSequence=[coded("deu", "German", "RFC5646")]),
        content("HAS OBS CONTEXT", "PNAME", "Observer", PersonName="Observer^Olga"),
        content("HAS OBS CONTEXT", "DATETIME", "Observation time", DateTime="20240103120000"),
        findings, running, volume, time,
    ]  # fmt: skip


def rich_document(
    children: Sequence[Dataset] | None = None, *, charset: str = "ISO_IR 100"
) -> Dataset:
    """A Comprehensive 3D SR document, ready to be saved."""
    ds = Dataset()
    ds.SpecificCharacterSet = charset
    ds.SOPClassUID, ds.SOPInstanceUID = COMPREHENSIVE_3D_SR, stable_uid("rich document")
    ds.StudyDate, ds.StudyTime, ds.AccessionNumber = "20240102", "101500", "A77"
    ds.ContentDate, ds.ContentTime = "20240103", "111213"
    ds.Modality, ds.Manufacturer = "SR", "Reports & Sons"
    ds.InstitutionName, ds.ReferringPhysicianName = "Example Hospital", "Refer^Rita"
    ds.StudyDescription, ds.SeriesDescription = "Thorax <routine>", "Reports"
    ds.PatientName, ds.PatientID = "Müller^Jürgen", "PID-7"
    ds.PatientBirthDate, ds.PatientSex = "19610303", "M"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = stable_uid("rich study"), stable_uid("rich series")
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = "S1", 3, 1
    ds.ReferencedPerformedProcedureStepSequence = []
    ds.PerformedProcedureCodeSequence = []
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = [coded("18748-4", "Diagnostic Imaging Report", "LN")]
    ds.CompletionFlag, ds.CompletionFlagDescription = "COMPLETE", "All is said"
    ds.VerificationFlag = "VERIFIED"
    observer = Dataset()
    observer.VerifyingOrganization, observer.VerificationDateTime = "Example Org", "20240104093000"
    observer.VerifyingObserverName = "Verify^Vera"
    observer.VerifyingObserverIdentificationCodeSequence = []
    ds.VerifyingObserverSequence = [observer]
    ds.ContentSequence = list(everything() if children is None else children)
    evidence, series = Dataset(), Dataset()
    series.SeriesInstanceUID = stable_uid("evidence series")
    series.ReferencedSOPSequence = [
        reference(CT, IMAGE_UID),
        reference("1.2.840.10008.5.1.4.1.1.88.11", "1.2.3.77"),
        reference(ECG, "1.2.3.88"),
    ]
    evidence.StudyInstanceUID = ds.StudyInstanceUID
    evidence.ReferencedSeriesSequence = [series]
    ds.CurrentRequestedProcedureEvidenceSequence = [evidence]
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta = meta
    return ds
