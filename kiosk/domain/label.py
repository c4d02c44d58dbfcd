"""What stands on the outside of a disc or stick (PDI-95 to PDI-102), as a value and as texts.

The texts are composed in the site's language and hold no places: a disc, a tag and a robot's merge
fields each take what they have room for (`domain.label_layout`, `LabelText.fields`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, Final

from kiosk.domain.label_names import clean, name_forms
from kiosk.domain.model import Medium
from kiosk.domain.paper import LANGUAGES, Words
from kiosk.domain.release_form import plain_modality
from kiosk.errors import InvalidValueError

TEMPLATES: Final = (3, 5, 10)
"""Studies that a label has room for; of more it shows the newest ten and says how many are left."""

MAX_STUDIES: Final = 1000
_MAX_KINDS: Final = 4
_NOT_SAID: Final = ("PR", "KO", "AU")  # how something is shown, not what was examined
_REPORTS: Final = ("SR", "DOC")
_ISOLATES: Final = dict.fromkeys(range(0x2066, 0x206A))  # other programs show them as boxes
_SERIAL: Final = re.compile(r"[A-Z0-9_]{1,16}")  # PS3.12 F: letters of a volume identifier


class Second(Enum):
    """What identifies the patient besides the name (PDI-97)."""

    BIRTH_DATE = "birth_date"
    PATIENT_ID = "patient_id"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class LabelledStudy:
    """One study on the medium.

    Attributes:
        day: None if nobody knows.
        kinds: DICOM modalities, each once, as in the DICOMDIR; may be empty.
    """

    day: date | None
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MediumLabel:
    """What is said of one medium: out of its own DICOMDIR and its order's record (PDI-98).

    Attributes:
        patient_name: In DICOM form, component groups joined by "=".
        serial: Its volume identifier; nothing of the patient (PDI-99).
        number, count: Disc `number` of `count` (PDI-102).
        has_pages: It holds pages for browsers besides DICOM objects (PDI-96).
        profile: Application profile, such as STD-GEN-CD.
    """

    institution: str
    phone: str
    patient_name: str = field(repr=False)
    birth_date: date | None = field(repr=False)
    patient_id: str = field(repr=False)
    studies: tuple[LabelledStudy, ...]
    medium: Medium
    made_on: date
    serial: str
    number: int = 1
    count: int = 1
    has_pages: bool = True
    is_encrypted: bool = False
    profile: str = "STD-GEN-CD"

    def __post_init__(self) -> None:
        if not _SERIAL.fullmatch(self.serial):
            raise InvalidValueError("a label's serial number is a volume identifier")
        if not 1 <= self.number <= self.count <= 999:
            raise InvalidValueError("a label is that of disc n of m, at most 999")
        if len(self.studies) > MAX_STUDIES:
            raise InvalidValueError(f"a label is for at most {MAX_STUDIES} studies")

    def to_facts(self) -> dict[str, Any]:
        """As JSON takes it; `from_facts` reads it back equal."""
        return {
            "institution": self.institution,
            "phone": self.phone,
            "patient_name": self.patient_name,
            "birth_date": self.birth_date and self.birth_date.isoformat(),
            "patient_id": self.patient_id,
            "studies": [[it.day and it.day.isoformat(), list(it.kinds)] for it in self.studies],
            "medium": self.medium.value,
            "made_on": self.made_on.isoformat(),
            "serial": self.serial,
            "number": self.number,
            "count": self.count,
            "has_pages": self.has_pages,
            "is_encrypted": self.is_encrypted,
            "profile": self.profile,
        }

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> MediumLabel:
        """Raises InvalidValueError for what `to_facts` did not give."""
        try:
            studies = tuple(
                LabelledStudy(date.fromisoformat(day) if day else None, tuple(map(str, kinds)))
                for day, kinds in facts["studies"]
            )
            born = facts["birth_date"]
            return cls(
                **{
                    **facts,
                    "studies": studies,
                    "medium": Medium(facts["medium"]),
                    "made_on": date.fromisoformat(facts["made_on"]),
                    "birth_date": date.fromisoformat(born) if born else None,
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidValueError("these are not the facts of a label") from error


Candidates = tuple[str, ...]
"""The same thing said ever shorter; the first that fits is drawn."""


@dataclass(frozen=True, slots=True)
class LabelText:
    """A label in words.

    Attributes:
        maker: Both in one line.
        names: A way of writing the patient's name each, alphabetic first.
        nameless: Said instead, if the letters of no name can be drawn.
        identifiers: Birth date, Patient ID.
        place: "Disc 2 of 3", "" for a single one.
        contents: What is on it: DICOM, pages, profile.
        protection: Encrypted or not, and whom to ask.
        studies: Newest first, as many as the largest template takes.
        total: All there are.
        all_identifiers: Birth date and Patient ID, whatever the site's choice.
        more: What to say if only the first so many studies are shown, by that number.
    """

    language: str
    is_rtl: bool
    title: str
    institution: Candidates
    phone: Candidates
    maker: Candidates
    names: tuple[Candidates, ...]
    nameless: str
    identifiers: tuple[Candidates, ...]
    all_identifiers: tuple[Candidates, ...]
    place: Candidates
    made: Candidates
    contents: Candidates
    protection: Candidates
    heading: Candidates
    studies: tuple[Candidates, ...]
    total: int
    more: tuple[str, ...]
    notice: Candidates
    serial: str

    def more_than(self, shown: int) -> str:
        """Of the studies that are not among the first so many; "" if none is left."""
        return self.more[shown] if shown < self.total else ""

    def lines(self) -> tuple[str, ...]:
        """Everything that may be drawn, for whoever chooses fonts."""
        said = (
            self.institution, self.phone, self.maker, *self.names, (self.nameless,),
            *self.identifiers, *self.all_identifiers, self.place, self.made, self.contents,
            self.protection, self.heading, *self.studies, self.more, self.notice, (self.serial,),
        )  # fmt: skip
        return tuple(line for candidates in said for line in candidates)

    def fields(self) -> dict[str, str]:
        """Values for a label that is designed in a robot's own program, by name."""
        named = {
            "patient": self.names[0][0] if self.names else self.nameless,
            "patient2": self.names[1][0] if len(self.names) > 1 else "",
            "institution": self.institution[0],
            "phone": self.phone[0] if self.phone else "",
            "disc": self.place[0] if self.place else "",
            "made": self.made[0],
            "contents": self.contents[0],
            "protection": self.protection[0],
            "serial": self.serial,
            "more": self.more_than(TEMPLATES[-1]),
        }
        for number in range(2):
            held = self.identifiers[number : number + 1]
            named[f"identifier{number + 1}"] = held[0][0] if held else ""
        for number in range(TEMPLATES[-1]):
            row = self.studies[number : number + 1]
            named[f"study{number + 1}"] = row[0][0] if row else ""
        return {name: value.translate(_ISOLATES) for name, value in named.items()}


def template_of(studies: int) -> int:
    """The smallest template that has room for so many, the largest if none has."""
    return next((size for size in TEMPLATES if studies <= size), TEMPLATES[-1])


def compose(label: MediumLabel, words: Words, second: Second = Second.BIRTH_DATE) -> LabelText:
    """The label in the language of `words`.

    Args:
        second: The site's choice; what is missing is replaced by the other one.
    """
    if words.language not in LANGUAGES:
        raise InvalidValueError("a language that labels do not have")
    say = words.say
    site, phone = words.own(clean(label.institution)), clean(label.phone)
    protection = say("label.protected" if label.is_encrypted else "label.open")
    protections = [protection]
    if label.is_encrypted:
        ask = say("label.ask", phone=phone) if phone else say("label.ask_site")
        protections.insert(0, f"{protection} {ask}")
    contents = say("label.with_pages" if label.has_pages else "label.dicom_only")
    place = say(f"label.{label.medium.form}", number=label.number, count=label.count)
    born, known = _identifiers(label, words)
    studies = _newest_first(label.studies)
    return LabelText(
        language=words.language,
        is_rtl=words.is_rtl,
        title=f"{say('label.title')} {label.serial}",
        institution=(site,),
        phone=(words.own(phone),) if phone else (),
        maker=_maker(site, words.own(phone) if phone else ""),
        names=name_forms(label.patient_name),
        nameless=say("label.nameless"),
        identifiers=_chosen(born, known, second),
        all_identifiers=tuple(it for it in (born, known) if it),
        place=(place,) if label.count > 1 else (),
        made=(say("label.made", date=words.day(label.made_on)), words.day(label.made_on)),
        contents=(f"{contents} \u00b7 IHE PDI / {label.profile}", contents),
        protection=tuple(protections),
        heading=(say("label.studies"),),
        studies=tuple(_row(it, words) for it in studies[: TEMPLATES[-1]]),
        total=len(studies),
        more=tuple(
            say("label.more", count=len(studies) - shown)
            for shown in range(min(len(studies), TEMPLATES[-1] + 1))
        ),
        notice=(say("form.notice"),),
        serial=label.serial,
    )


def _maker(institution: str, phone: str) -> Candidates:
    both = " \u00b7 ".join(filter(None, (institution, phone)))
    return tuple(dict.fromkeys((both, institution or phone)))


def _identifiers(label: MediumLabel, words: Words) -> tuple[Candidates, Candidates]:
    born: Candidates = ()
    if label.birth_date is not None:
        born = (
            words.say("label.born", date=words.day(label.birth_date)),
            words.say("label.born", date=label.birth_date.isoformat()),
            label.birth_date.isoformat(),
        )
    patient_id = clean(label.patient_id)
    known = (words.say("label.patient_id", number=patient_id),) if patient_id else ()
    return born, known


def _chosen(born: Candidates, known: Candidates, second: Second) -> tuple[Candidates, ...]:
    both = tuple(it for it in (born, known) if it)
    match second:
        case Second.BOTH:
            return both
        case Second.BIRTH_DATE:
            return both[:1]
        case Second.PATIENT_ID:
            return both[-1:]


def _newest_first(studies: Sequence[LabelledStudy]) -> list[LabelledStudy]:
    """Undated ones last; otherwise in their order."""
    return sorted(studies, key=lambda it: it.day or date.min, reverse=True)


def _row(study: LabelledStudy, words: Words) -> Candidates:
    day = words.day(study.day) if study.day else words.say("label.undated")
    codes = [clean(it)[:16] for it in study.kinds if it not in (*_NOT_SAID, *_REPORTS)]
    codes = [it for it in dict.fromkeys(codes) if it]
    report = [words.say("label.report")] if set(study.kinds) & set(_REPORTS) else []
    shown = [*codes[:_MAX_KINDS], *(["\u2026"] if len(codes) > _MAX_KINDS else [])]
    plain = [words.say(f"modality.{plain_modality(it)}") for it in codes]
    spoken = [f"{word} ({code})" for word, code in zip(plain, shown, strict=False)]
    first = f"{day}: {_joined([*spoken, *report], words)}" if spoken else day
    brief = _joined([*shown, *report], words)
    short = f"{day}: {brief}" if brief else day
    iso = study.day.isoformat() if study.day else "-"
    return tuple(dict.fromkeys((first if len(codes) < 3 else short, short, f"{iso} {brief}")))


def _joined(parts: Sequence[str], words: Words) -> str:
    comma = "\u060c " if words.is_rtl else ", "
    return comma.join(words.own(part) for part in parts)
