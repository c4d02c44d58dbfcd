"""What goes with images: reports as SR and as PDF, key objects, a presentation state."""

from __future__ import annotations

from collections.abc import Sequence as Many

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    BasicTextSRStorage,
    EncapsulatedPDFStorage,
    EnhancedSRStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    KeyObjectSelectionDocumentStorage,
)

from kiosk.demo.headers import HOSPITAL, READER, StudyWriter, Written, coded
from kiosk.demo.pdf import one_page

_REPORT_CODE = ("18748-4", "LN", "Diagnostic imaging study")
_DICTATED_AFTER_S = 5400.0  # the radiologist reads an hour and a half later


def _item(relationship: str, value_type: str, concept: tuple[str, str, str] | None) -> Dataset:
    item = Dataset()
    item.RelationshipType = relationship
    item.ValueType = value_type
    if concept:
        item.ConceptNameCodeSequence = Sequence([coded(*concept)])
    return item


def _text(concept: tuple[str, str, str], text: str) -> Dataset:
    item = _item("CONTAINS", "TEXT", concept)
    item.TextValue = text
    return item


def _image(target: Written, relationship: str = "CONTAINS") -> Dataset:
    item = _item(relationship, "IMAGE", None)
    item.ReferencedSOPSequence = Sequence([_reference(target)])
    return item


def _reference(target: Written) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = target.sop_class_uid
    item.ReferencedSOPInstanceUID = target.sop_instance_uid
    return item


def _by_series(targets: Many[Written]) -> dict[str, list[Written]]:
    series: dict[str, list[Written]] = {}
    for target in targets:
        series.setdefault(target.series_instance_uid, []).append(target)
    return series


def _evidence(study: StudyWriter, targets: Many[Written]) -> Sequence:
    """Hierarchical SOP Instance Reference of these objects (PS3.3 C.17.2.1)."""
    item = Dataset()
    item.StudyInstanceUID = study.person.study_instance_uid
    item.ReferencedSeriesSequence = Sequence()
    for uid, members in _by_series(targets).items():
        entry = Dataset()
        entry.SeriesInstanceUID = uid
        entry.ReferencedSOPSequence = Sequence([_reference(m) for m in members])
        item.ReferencedSeriesSequence.append(entry)
    return Sequence([item])


def _request(study: StudyWriter) -> Sequence:
    """Referenced Request (PS3.3 C.17.2): which order this fulfils."""
    item = Dataset()
    item.StudyInstanceUID = study.person.study_instance_uid
    item.ReferencedStudySequence = Sequence()
    item.AccessionNumber = study.person.accession_number
    item.PlacerOrderNumberImagingServiceRequest = ""
    item.FillerOrderNumberImagingServiceRequest = ""
    item.RequestedProcedureID = study.person.study_id
    item.RequestedProcedureDescription = study.person.description
    item.RequestedProcedureCodeSequence = Sequence()
    return Sequence([item])


def _document(
    study: StudyWriter, number: int, title: str, sop_class: UID, modality: str
) -> Dataset:
    ds = study.series(number, title, sop_class, modality, after_s=_DICTATED_AFTER_S)
    ds.ReferencedPerformedProcedureStepSequence = Sequence()
    ds.ReferencedRequestSequence = _request(study)
    return ds


def _root(ds: Dataset, concept: tuple[str, str, str], template: str) -> None:
    ds.ValueType = "CONTAINER"
    ds.ContinuityOfContent = "SEPARATE"
    ds.ConceptNameCodeSequence = Sequence([coded(*concept)])
    mapping = Dataset()
    mapping.MappingResource = "DCMR"
    mapping.TemplateIdentifier = template
    ds.ContentTemplateSequence = Sequence([mapping])


def report(
    study: StudyWriter,
    number: int,
    findings: Many[str],
    conclusion: str,
    *,
    evidence: Many[Written] = (),
    language: tuple[str, str] = ("en", "English"),
) -> Written:
    """A verified report after TID 2000: Basic Text SR, or Enhanced SR if it points at images.

    Args:
        language: RFC 5646 code and its meaning.
    """
    sop_class = EnhancedSRStorage if evidence else BasicTextSRStorage
    ds = _document(study, number, "Report", sop_class, "SR")
    _root(ds, _REPORT_CODE, "2000")
    ds.CompletionFlag = "COMPLETE"
    ds.VerificationFlag = "VERIFIED"
    ds.PreliminaryFlag = "FINAL"
    day, clock = study.at(_DICTATED_AFTER_S + 600)
    verifier = Dataset()
    verifier.VerifyingOrganization = HOSPITAL
    verifier.VerificationDateTime = day + clock
    verifier.VerifyingObserverName = READER
    verifier.VerifyingObserverIdentificationCodeSequence = Sequence()
    ds.VerifyingObserverSequence = Sequence([verifier])
    ds.PerformedProcedureCodeSequence = Sequence()
    if evidence:
        ds.CurrentRequestedProcedureEvidenceSequence = _evidence(study, evidence)
    spoken = _item(
        "HAS CONCEPT MOD",
        "CODE",
        ("121049", "DCM", "Language of Content Item and Descendants"),
    )
    spoken.ConceptCodeSequence = Sequence([coded(language[0], "RFC5646", language[1])])
    section = _item("CONTAINS", "CONTAINER", ("121070", "DCM", "Findings"))
    section.ContinuityOfContent = "SEPARATE"
    section.ContentSequence = Sequence(
        [_text(("121071", "DCM", "Finding"), text) for text in findings]
    )
    if evidence:
        section.ContentSequence[0].ContentSequence = Sequence(
            [_image(target, "INFERRED FROM") for target in evidence]
        )
    closing = _item("CONTAINS", "CONTAINER", ("121076", "DCM", "Conclusions"))
    closing.ContinuityOfContent = "SEPARATE"
    closing.ContentSequence = Sequence([_text(("121077", "DCM", "Conclusion"), conclusion)])
    ds.ContentSequence = Sequence([spoken, section, closing])
    return study.write(ds, 1)


def report_as_pdf(
    study: StudyWriter, number: int, findings: Many[str], conclusion: str, *, source: Many[Written]
) -> Written:
    """The report as Encapsulated PDF (PS3.3 A.45.1). The patient's name has to be Latin-1."""
    ds = study.series(number, "Report", EncapsulatedPDFStorage, "DOC", after_s=_DICTATED_AFTER_S)
    person = study.person
    family, _, given = person.identity.name.partition("^")
    lines = [
        f"Patient: {family}, {given.replace('^', ' ').strip()}   born {person.identity.birth_date}",
        f"Exam: {person.description}, {person.study_date}   number {person.accession_number}",
        "", "Findings", *findings, "", "Conclusion", conclusion, "", READER.replace("^", " "),
    ]  # fmt: skip
    document = one_page(f"{HOSPITAL} - Radiology report", lines)
    day, clock = study.at(_DICTATED_AFTER_S)
    ds.ConversionType = "WSD"
    ds.AcquisitionDateTime = day + clock
    ds.BurnedInAnnotation = "YES"
    ds.SourceInstanceSequence = Sequence([_reference(target) for target in source])
    ds.DocumentTitle = "Radiology report"
    ds.ConceptNameCodeSequence = Sequence([coded(*_REPORT_CODE)])
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.EncapsulatedDocumentLength = len(document)
    ds.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
    return study.write(ds, 1)


def key_objects(study: StudyWriter, number: int, targets: Many[Written], why: str) -> Written:
    """Images picked out for the referring physician (TID 2010)."""
    ds = _document(study, number, "Key images", KeyObjectSelectionDocumentStorage, "KO")
    _root(ds, ("113002", "DCM", "For Referring Provider"), "2010")
    ds.CurrentRequestedProcedureEvidenceSequence = _evidence(study, targets)
    ds.ContentSequence = Sequence(
        [
            _text(("113012", "DCM", "Key Object Description"), why),
            *(_image(target) for target in targets),
        ]
    )
    return study.write(ds, 1)


def presentation_state(
    study: StudyWriter,
    number: int,
    target: Written,
    *,
    shape: tuple[int, int],
    window: tuple[str, str],
    spot: tuple[float, float, float],
    label: str,
    body_part: str,
) -> Written:
    """One image with a window, a circle and a word beside it (PS3.3 A.33.1).

    Args:
        shape: Rows and columns of the image.
        window: Centre and width.
        spot: Column, row and radius of the circle in pixels.
    """
    ds = study.series(
        number, "Marked", GrayscaleSoftcopyPresentationStateStorage, "PR", after_s=_DICTATED_AFTER_S
    )
    del ds.ContentDate, ds.ContentTime  # a presentation state has its own
    ds.BodyPartExamined = body_part
    ds.PresentationCreationDate, ds.PresentationCreationTime = study.at(_DICTATED_AFTER_S)
    ds.ContentLabel = "MARKED"
    ds.ContentDescription = "Finding of the report, marked"
    ds.ContentCreatorName = READER
    series = Dataset()
    series.SeriesInstanceUID = target.series_instance_uid
    series.ReferencedImageSequence = Sequence([_reference(target)])
    ds.ReferencedSeriesSequence = Sequence([series])
    area = Dataset()
    area.DisplayedAreaTopLeftHandCorner = [1, 1]
    area.DisplayedAreaBottomRightHandCorner = [shape[1], shape[0]]
    area.PresentationSizeMode = "SCALE TO FIT"
    area.PresentationPixelAspectRatio = [1, 1]
    ds.DisplayedAreaSelectionSequence = Sequence([area])
    voi = Dataset()
    voi.WindowCenter, voi.WindowWidth = window
    ds.SoftcopyVOILUTSequence = Sequence([voi])
    layer = Dataset()
    layer.GraphicLayer = "MARKS"
    layer.GraphicLayerOrder = 1
    ds.GraphicLayerSequence = Sequence([layer])
    ds.GraphicAnnotationSequence = Sequence([_mark(spot, label)])
    ds.PresentationLUTShape = "IDENTITY"
    return study.write(ds, 1)


def _mark(spot: tuple[float, float, float], label: str) -> Dataset:
    column, row, radius = spot
    circle = Dataset()
    circle.GraphicAnnotationUnits = "PIXEL"
    circle.GraphicDimensions = 2
    circle.NumberOfGraphicPoints = 2
    circle.GraphicData = [column, row, column + radius, row]
    circle.GraphicType = "CIRCLE"
    circle.GraphicFilled = "N"
    words = Dataset()
    words.AnchorPointAnnotationUnits = "PIXEL"
    words.UnformattedTextValue = label
    words.AnchorPoint = [column + radius + 4, row]
    words.AnchorPointVisibility = "N"
    mark = Dataset()
    mark.GraphicLayer = "MARKS"
    mark.TextObjectSequence = Sequence([words])
    mark.GraphicObjectSequence = Sequence([circle])
    return mark
