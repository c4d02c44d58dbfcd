"""What is on a medium in a person's words: counted while the objects pass by, kept per series.

The memory it takes grows with the number of series, not of Instances.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from dicomdir.charset import decode
from dicomdir.errors import InstanceError
from dicomdir.instance import Instance
from dicomdir.pixels import frame_count
from dicomdir.profile import IMAGE, MODALITIES, RECORD_TYPES, RETIRED_IMAGES, VIDEO, needs_pixels

_CHARSET: Final = 0x00080005
_ROWS: Final = 0x00280010
_PATIENT_NAME: Final = 0x00100010
_PATIENT_BIRTH_DATE: Final = 0x00100030
_STUDY_DATE: Final = 0x00080020
_STUDY_DESCRIPTION: Final = 0x00081030
_MODALITY: Final = 0x00080060
_SERIES_DESCRIPTION: Final = 0x0008103E
_SERIES_NUMBER: Final = 0x00200011
_BODY_PART: Final = 0x00180015
_FRAMES: Final = 0x00280008
_MAX_TEXT: Final = 64


@dataclass(slots=True)
class SeriesSummary:
    """A series: texts as in its first object, "" where it has none or they cannot be read."""

    series_instance_uid: str
    number: str
    modality: str
    description: str
    body_part: str
    instances: int = 0
    images: int = 0  # of these
    frames: int = 0  # of those of these that have several


@dataclass(slots=True)
class StudySummary:
    """A study: `date` is YYYYMMDD or ""."""

    study_instance_uid: str
    date: str
    description: str
    series: dict[str, SeriesSummary] = field(default_factory=dict)

    @property
    def instances(self) -> int:
        return sum(series.instances for series in self.series.values())


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An object of the study that is not on the medium (PDI-51).

    Attributes:
        reason: `DicomdirError.code` of what kept it away.
        transfer_syntax_uid: "" if nobody looked.
        series: What its Series is called, raw text; "" if nobody knows.
        date: Of its Study, YYYYMMDD or "".
    """

    sop_instance_uid: str
    sop_class_uid: str
    reason: str
    transfer_syntax_uid: str = ""
    series: str = ""
    date: str = ""

    @classmethod
    def of(cls, instance: Instance, reason: str) -> LeftOut:
        """Of an object whose header can be read."""
        number = text_of(instance, _SERIES_NUMBER)
        parts = (
            modality_of(instance),
            f"series {number}" if number else "",
            text_of(instance, _SERIES_DESCRIPTION),
        )
        return cls(
            instance.sop_instance_uid,
            instance.sop_class_uid,
            reason,
            instance.transfer_syntax_uid,
            " ".join(part[:_MAX_TEXT] for part in parts if part),
            text_of(instance, _STUDY_DATE)[:8],
        )

    @property
    def is_video(self) -> bool:
        return self.transfer_syntax_uid in VIDEO

    @property
    def is_image(self) -> bool:
        """Pixels, but no video; retired classes count too."""
        kind = RECORD_TYPES.get(self.sop_class_uid)
        return not self.is_video and (kind == IMAGE or self.sop_class_uid in RETIRED_IMAGES)


@dataclass(slots=True)
class Summary:
    """The content of one medium. Raw DICOM text: whoever shows it cleans and escapes it.

    Attributes:
        patient_name: In DICOM form, of the first object.
        birth_date: YYYYMMDD or "".
    """

    patient_name: str = ""
    birth_date: str = ""
    studies: dict[str, StudySummary] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)

    def add(self, instance: Instance) -> None:
        """Count one object that goes onto the medium."""
        if not self.studies:
            self.patient_name, self.birth_date = patient_of(instance)
        study = self.studies.get(instance.study_instance_uid)
        if study is None:
            study = StudySummary(
                instance.study_instance_uid,
                text_of(instance, _STUDY_DATE),
                text_of(instance, _STUDY_DESCRIPTION),
            )
            self.studies[instance.study_instance_uid] = study
        series = study.series.get(instance.series_instance_uid)
        if series is None:
            series = SeriesSummary(
                instance.series_instance_uid,
                text_of(instance, _SERIES_NUMBER),
                modality_of(instance),
                text_of(instance, _SERIES_DESCRIPTION),
                text_of(instance, _BODY_PART),
            )
            study.series[instance.series_instance_uid] = series
        series.instances += 1
        if is_image(instance):
            series.images += 1
            frames = frame_count({_FRAMES: instance.value(_FRAMES) or b""})
            series.frames += frames if frames > 1 else 0

    @property
    def instances(self) -> int:
        return sum(study.instances for study in self.studies.values())

    @property
    def series(self) -> int:
        return sum(len(study.series) for study in self.studies.values())


def patient_of(instance: Instance) -> tuple[str, str]:
    """Name in DICOM form and birth date, raw text."""
    return text_of(instance, _PATIENT_NAME), text_of(instance, _PATIENT_BIRTH_DATE)


def modality_of(instance: Instance) -> str:
    """As its record has it: from the SOP Class where the object does not say (PDI-82)."""
    return text_of(instance, _MODALITY) or MODALITIES.get(instance.sop_class_uid, "OT")


def is_image(instance: Instance) -> bool:
    """It has pixels, or ought to: RT Dose and parametric maps count with images."""
    return needs_pixels(instance.sop_class_uid) or instance.value(_ROWS) is not None


def text_of(instance: Instance, tag: int, value: bytes | None = None) -> str:
    """A text for a page: of what cannot be decoded, the plain letters alone.

    The gates and the DICOMDIR are not so lenient.

    Args:
        value: Of an attribute inside a sequence, of VR LO or SH; then `tag` only names it.
    """
    try:
        if value is None:
            return instance.text(tag)
        charset = instance.value(_CHARSET) or b""
        return decode(value.strip(b" \0"), charset).strip(" \0")
    except InstanceError:
        raw = instance.value(tag) if value is None else value
        return (raw or b"").decode("ascii", "replace").strip(" \0")
