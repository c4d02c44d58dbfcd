"""Labels drawn: a value in, a file out; no job and no journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Protocol

from kiosk.domain.label import LabelledStudy, LabelText, MediumLabel, Second, compose
from kiosk.domain.model import Medium, PatientIdentity
from kiosk.domain.paper import Words
from kiosk.errors import LabelMismatchError
from kiosk.services import label_facts


class LabelPaper(Enum):
    """What can be printed for a medium."""

    DISC = "disc"
    TAG = "tag"
    SHEET = "sheet"


class PictureForm(Enum):
    """Forms of a label's file; robots take PDF or JPEG."""

    PDF = "pdf"
    PNG = "png"
    JPEG = "jpeg"


class Draw(Protocol):
    """A label as a page."""

    def __call__(self, paper: LabelPaper, label: MediumLabel, words: Words) -> bytes:
        """The PDF. Raises ConfigError."""
        ...


class Picture(Protocol):
    """A page as a picture."""

    def __call__(self, pdf: bytes, form: PictureForm, dpi: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Site:
    """What stands on every label of this station."""

    institution: str
    phone: str
    language: str
    second: Second = Second.BIRTH_DATE
    keep_days: int = 7


@dataclass(frozen=True, slots=True)
class LabelMaker:
    """What one station's labels look like.

    Attributes:
        words: The texts of a language; raises ConfigError.
    """

    site: Site
    draw: Draw
    picture: Picture
    words: Callable[[str], Words]

    def text_of(self, label: MediumLabel, language: str = "") -> LabelText:
        """In words; in the site's language unless another is wanted. Raises ConfigError."""
        return compose(label, self.words(language or self.site.language), self.site.second)

    def drawn(
        self,
        label: MediumLabel,
        form: PictureForm = PictureForm.PDF,
        *,
        paper: LabelPaper | None = None,
        dpi: int = 300,
        language: str = "",
    ) -> bytes:
        """As a file.

        Args:
            paper: None for what belongs on the medium: a disc's label or a stick's tag.
            dpi: Of a picture.
        Raises:
            ConfigError: Texts or fonts are missing.
            MissingProgramError: There is nothing that makes pictures.
        """
        words = self.words(language or self.site.language)
        pdf = self.draw(paper or paper_on(label.medium), label, words)
        return pdf if form is PictureForm.PDF else self.picture(pdf, form, dpi)

    def of_image(self, path: Path, medium: Medium, made_on: date) -> MediumLabel:
        """Of an image of ours that no job has. Raises LabelMismatchError: it tells nothing."""
        found = label_facts.read_facts(path, medium, is_encrypted=False)
        if found.patient is None:
            raise LabelMismatchError("the image does not say whose it is")
        return self.label(found, medium, found.patient, found.studies, made_on)

    def label(
        self,
        found: label_facts.MediumFacts,
        medium: Medium,
        patient: PatientIdentity,
        studies: tuple[LabelledStudy, ...],
        made_on: date,
        *,
        number: int = 1,
        count: int = 1,
        is_encrypted: bool = False,
    ) -> MediumLabel:
        """Raises InvalidValueError: it is no medium of ours."""
        return MediumLabel(
            institution=self.site.institution,
            phone=self.site.phone,
            patient_name=patient.name,
            birth_date=label_facts.day_of(patient.birth_date),
            patient_id=patient.patient_id,
            studies=studies,
            medium=medium,
            made_on=made_on,
            serial=found.serial,
            number=number,
            count=count,
            has_pages=found.has_pages,
            is_encrypted=is_encrypted,
            profile=found.profile,
        )


def paper_on(medium: Medium) -> LabelPaper:
    """What goes onto the medium itself."""
    return LabelPaper.DISC if medium is Medium.DISC else LabelPaper.TAG
