"""The release form: what the patient asks for and signs, as a value, and as a paper.

A form exists only complete: what is missing is named by `missing`, and `sign` refuses. For a copy
to somebody else that is the recipient's name, where to send it, signature and date (45 CFR
164.524(c)(3)(ii)).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Final

from kiosk.domain.fee import FeeQuote, RequestKind
from kiosk.domain.model import Medium, OrderId
from kiosk.domain.paper import (
    LANGUAGES,
    Block,
    Fact,
    Heading,
    Paper,
    Paragraph,
    Strokes,
    Words,
    bill,
)
from kiosk.domain.recipient import Recipient, RecipientKind
from kiosk.domain.typed import clean_name
from kiosk.errors import FormIncompleteError, InvalidValueError

DUE_DAYS: Final = 30  # calendar days from receipt (45 CFR 164.524(b)(2))
MAX_EXAMS: Final = 50
MAX_STROKES: Final = 200
MAX_POINTS: Final = 5000  # of all strokes
BOX: Final = 10_000  # points lie within 0 to BOX, both ways
_MIN_POINTS: Final = 8
_MIN_EXTENT: Final = BOX // 20  # a dot is no signature

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class TypedSignature:
    """The signer's name as he typed it. Raises InvalidValueError for what is no name."""

    name: str = field(repr=False)
    kind = "typed"

    def __post_init__(self) -> None:
        if clean_name(self.name) != self.name:
            raise InvalidValueError("a signature is a clean name")


@dataclass(frozen=True, slots=True)
class DrawnSignature:
    """Strokes of a finger or a mouse; made by `drawn`.

    Attributes:
        strokes: Points x, y of 0 to BOX, y down.
        ratio: Width of the box over its height, as it was drawn in.
    """

    strokes: tuple[tuple[Point, ...], ...] = field(repr=False)
    ratio: float = 3.0
    kind = "drawn"


Signature = TypedSignature | DrawnSignature


def typed_signature(name: str) -> TypedSignature:
    """Raises InvalidValueError for what is no name."""
    return TypedSignature(clean_name(name))


def drawn_signature(
    strokes: Sequence[Sequence[tuple[float, float]]], width: float, height: float
) -> DrawnSignature:
    """A signature out of what was drawn in a box of that width and height.

    Points outside of the box are moved to its edge; strokes without a point go.

    Raises:
        InvalidValueError: Too much of it, hardly anything, or points that are no numbers.
    """
    if not (0 < width <= 1e6 and 0 < height <= 1e6 and 0.2 <= width / height <= 20):
        raise InvalidValueError("a signature is drawn in a box")
    kept = [stroke for stroke in strokes if stroke]
    if len(kept) > MAX_STROKES or sum(map(len, kept)) > MAX_POINTS:
        raise InvalidValueError(f"at most {MAX_STROKES} strokes and {MAX_POINTS} points")

    def scaled(value: float, extent: float) -> int:
        if not -1e9 < value < 1e9:  # also refuses what is not a number
            raise InvalidValueError("a point that is none")
        return round(min(max(value / extent, 0), 1) * BOX)

    made = tuple(tuple((scaled(x, width), scaled(y, height)) for x, y in one) for one in kept)
    points = [point for stroke in made for point in stroke]
    extents = [max(values) - min(values) for values in zip(*points, strict=True)]
    if len(points) < _MIN_POINTS or max(extents) < _MIN_EXTENT:
        raise InvalidValueError("that is hardly a signature")
    return DrawnSignature(made, width / height)


_REPORT_TEXTS: Final = {
    "with": "with_report",
    "later": "report_later",
    "if_any": "report_if_any",
    "without": "without_report",
}


@dataclass(frozen=True, slots=True)
class ReleasedExam:
    """One study that is given out.

    Attributes:
        modality: DICOM's, such as CT; named in plain words on the form.
        study_date: None if unknown.
        report: "with", "later" (not final yet), "if_any" (it goes along if
            there is one, which nobody knows) or "without".
    """

    order_id: OrderId
    modality: str
    study_date: date | None
    report: str = "without"

    def __post_init__(self) -> None:
        if self.report not in _REPORT_TEXTS:
            raise InvalidValueError("a report is with, later, if_any or without")


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """What is asked for, before it is signed.

    Attributes:
        exams: The first one's order keeps the form.
        patient_name: As people write it, any script.
        fee: As it was shown; its kind must be the recipient's.
        received_at: When the request was made; aware.
    """

    language: str
    site_name: str
    site_address: str
    patient_name: str = field(repr=False)
    birth_date: date | None = field(repr=False)
    exams: tuple[ReleasedExam, ...]
    recipient: Recipient
    medium: Medium
    copies: int
    is_protected: bool
    fee: FeeQuote
    received_at: datetime

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise InvalidValueError("a language that forms do not have")
        if not 1 <= len(self.exams) <= MAX_EXAMS:
            raise InvalidValueError(f"a form is for 1 to {MAX_EXAMS} exams")
        if not 1 <= self.copies <= 100:
            raise InvalidValueError("1 to 100 copies")
        if self.received_at.tzinfo is None:
            raise InvalidValueError("times are aware")
        if self.fee.kind is not self.recipient.request_kind:
            raise InvalidValueError("the fee is that of another kind of request")

    @property
    def order_id(self) -> OrderId:
        return self.exams[0].order_id

    @property
    def order_ids(self) -> tuple[OrderId, ...]:
        """All that it covers, the one that keeps the form first."""
        return tuple(dict.fromkeys(exam.order_id for exam in self.exams))

    @property
    def due_on(self) -> datetime:
        return self.received_at + timedelta(days=DUE_DAYS)


class Missing(Enum):
    """What a request lacks before it can be given out."""

    NAME = "name"
    ADDRESS = "address"
    READ_BACK = "read_back"  # what was typed was not confirmed yet
    SIGNATURE = "signature"
    DATE = "date"


def missing(
    request: ReleaseRequest, signature: Signature | None, signed_at: datetime | None
) -> tuple[Missing, ...]:
    """What is left to do, in the order of the screens; nothing if it is complete."""
    recipient = request.recipient
    lacks = {
        Missing.NAME: recipient.is_third_party and not recipient.name,
        Missing.ADDRESS: recipient.is_third_party and not recipient.address,
        Missing.READ_BACK: not recipient.is_confirmed,
        Missing.SIGNATURE: signature is None,
        Missing.DATE: signed_at is None or signed_at.tzinfo is None,
    }
    return tuple(one for one, is_lacking in lacks.items() if is_lacking)


@dataclass(frozen=True, slots=True)
class ReleaseForm:
    """A signed request; made by `sign`.

    Attributes:
        form_id: 16 hex digits that follow from order and time; they say nothing of the patient.
    """

    form_id: str
    request: ReleaseRequest
    signature: Signature
    signed_at: datetime

    @property
    def is_directive(self) -> bool:
        """The patient directs the copy to somebody else."""
        return self.request.fee.kind is RequestKind.THIRD_PARTY


def sign(
    request: ReleaseRequest, signature: Signature | None, signed_at: datetime | None
) -> ReleaseForm:
    """The same request signed at the same time is the same form.

    Raises:
        FormIncompleteError: Something is missing; `lacks` names it.
    """
    lacks = missing(request, signature, signed_at)
    if lacks or signature is None or signed_at is None:
        names = tuple(one.value for one in lacks)
        raise FormIncompleteError(f"the form lacks {', '.join(names)}", lacks=names)
    said = f"{request.order_id}\0{signed_at.isoformat()}"
    return ReleaseForm(
        hashlib.sha256(said.encode()).hexdigest()[:16], request, signature, signed_at
    )


FORM_ID: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class KeptForm:
    """A form as the journal knows it. What patients and recipients are called stands in the PDF.

    Attributes:
        order_id: In whose folder it is.
        order_ids: All that it covers, `order_id` first.
        file_name: In that order's folder at `station`; says nothing of the patient.
        sha256: Hex, of the PDF.
        recipient: A RecipientKind's value.
        recipient_id: Of the site's directory, "" if it was typed or is the patient.
        signed_by: "typed" or "drawn".
        fee: In the smallest unit of `currency`.
    """

    form_id: str
    order_id: OrderId
    file_name: str
    station: str
    sha256: str
    size_bytes: int
    pages: int
    language: str
    recipient: str
    recipient_id: str
    signed_by: str
    fee: int
    currency: str
    signed_at: datetime
    order_ids: tuple[OrderId, ...]


# --- the paper


def compose(form: ReleaseForm, words: Words) -> Paper:
    """The form as it is read before signing and kept afterwards; `words` in its language."""
    request, say = form.request, words.say
    blocks: list[Block] = [
        *preview(request, words),
        Heading(say("form.sign"), is_kept=True),
        *_signed(form, words),
    ]
    # Left for whoever lays the pages out: they know how many there are.
    foot = say("form.foot", form_id=form.form_id, page="{page}", pages="{pages}")
    return Paper(request.language, words.is_rtl, say("form.title"), tuple(blocks), foot)


def preview(request: ReleaseRequest, words: Words) -> tuple[Block, ...]:
    """All of it but the signature: what is shown before it is signed."""
    say, site = words.say, request.site_name
    born = words.day(request.birth_date) if request.birth_date else "-"
    blocks: list[Block] = [
        Heading(say("form.title"), 1),
        Paragraph(say("form.lead", site=site)),
        Heading(say("form.about_me")),
        Fact(say("form.name"), words.own(request.patient_name)),
        Fact(say("form.born"), born),
        Fact(say("form.received"), words.moment(request.received_at)),
        Fact(say("form.due"), words.day(request.due_on.date())),
        Heading(say("form.what")),
    ]
    for exam in request.exams:
        kind = say(f"modality.{plain_modality(exam.modality)}")
        day = words.day(exam.study_date) if exam.study_date else ""
        title = say("form.exam", kind=kind, date=day) if day else kind
        blocks.append(Paragraph(title, is_strong=True))
        report = say(f"form.{_REPORT_TEXTS[exam.report]}")
        blocks.append(Paragraph(say("form.joined", first=say("form.whole"), second=report)))
    blocks += [
        Fact(say("form.medium"), say(f"medium.{request.medium.value}")),
        Fact(say("form.copies"), str(request.copies)),
        Fact(
            say("form.protection"),
            say("form.protection_yes" if request.is_protected else "form.protection_no"),
        ),
        Heading(say("form.whom")),
        *_recipient(request, words),
    ]
    if not request.is_protected:
        blocks += [Heading(say("form.risk")), Paragraph(say("form.risk_open"), is_strong=True)]
    blocks += [
        Heading(say("form.cost")),
        *bill(request.fee, words),
        Heading(say("form.rights")),
        Paragraph(say("form.revoke", address=request.site_address)),
        Paragraph(say("form.voluntary")),
        Paragraph(say("form.onward")),
        Paragraph(say("form.notice")),
    ]
    return tuple(blocks)


def _recipient(request: ReleaseRequest, words: Words) -> list[Block]:
    recipient, say = request.recipient, words.say
    if recipient.kind is RecipientKind.ME:
        return [Paragraph(say("form.to_me"))]
    key = "to_doctor" if recipient.kind is RecipientKind.DOCTOR else "to_named"
    return [
        Paragraph(say(f"form.{key}")),
        *(Paragraph(words.own(line), is_strong=True) for line in recipient.lines),
        Paragraph(say("form.directive", site=request.site_name)),
    ]


def _signed(form: ReleaseForm, words: Words) -> list[Block]:
    say = words.say
    when = Fact(say("form.signed_at"), words.moment(form.signed_at))
    match form.signature:
        case TypedSignature(name):
            return [Fact(say("form.signed_typed"), words.own(name)), when]
        case DrawnSignature(strokes, ratio):
            lines = tuple(tuple((x / BOX, y / BOX) for x, y in stroke) for stroke in strokes)
            return [Paragraph(say("form.signed_drawn")), Strokes(lines, ratio), when]


def plain_modality(modality: str) -> str:
    """The row of the texts' table that a DICOM modality is told by."""
    if modality in ("CR", "DX", "RG", "RF", "XA", "PX", "IO"):
        return "XR"
    return modality if modality in ("CT", "MR", "US", "MG", "NM", "PT") else "other"
