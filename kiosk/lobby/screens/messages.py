"""What screens tell the app. They decide nothing themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from textual.message import Message

from kiosk.domain.model import Medium, OrderId, Question
from kiosk.domain.recipient import Doctor
from kiosk.domain.release_form import Signature


@dataclass
class Start(Message):
    """Somebody is there; `language` is the one of the button that was pressed, "" for as it is."""

    language: str = ""


class Back(Message):
    """One question back."""


class StartOver(Message):
    """Back to welcome; everything typed is forgotten."""


@dataclass
class CodeTyped(Message):
    """Eight characters of a ticket."""

    code: str = field(repr=False)


@dataclass
class BirthDateTyped(Message):
    """A real calendar date."""

    birth_date: date = field(repr=False)


@dataclass
class PhoneDigitsTyped(Message):
    """Four digits."""

    digits: str = field(repr=False)


@dataclass
class PostcodeTyped(Message):
    """Letters and digits in capitals, as `domain.facts.folded_postcode` gives them."""

    postcode: str = field(repr=False)


@dataclass
class Me(Message):
    """The answer to "Is this you?"."""

    is_me: bool


@dataclass
class ExamsChosen(Message):
    """Released orders that are wanted; at least one."""

    order_ids: tuple[OrderId, ...]


@dataclass
class MediumChosen(Message):
    """On what, and whether with a password."""

    medium: Medium
    is_protected: bool = False


@dataclass
class CopiesChosen(Message):
    """How many."""

    copies: int


class Whom(Enum):
    """The buttons of "For whom?"."""

    ME = "me"
    DOCTOR = "doctor"
    NAMED = "named"
    OTHER = "other"  # it is not the patient who stands there


@dataclass
class ForWhom(Message):
    """Who gets the copy."""

    whom: Whom


@dataclass
class DoctorSought(Message):
    """First letters of names."""

    text: str = field(repr=False)


@dataclass
class DoctorChosen(Message):
    """Of the directory; None: it is none of those."""

    doctor: Doctor | None = field(repr=False)


@dataclass
class MoreDoctors(Message):
    """The next ones of those that were found, from `first` on."""

    found: Sequence[Doctor] = field(repr=False)
    first: int = 0


@dataclass
class NameTyped(Message):
    """A clean name of a recipient."""

    name: str = field(repr=False)


@dataclass
class AddressTyped(Message):
    """An address whose lines are parted by commas, as it was typed."""

    text: str = field(repr=False)


@dataclass
class ReadBack(Message):
    """Whether what was typed is right."""

    is_right: bool


class CostSeen(Message):
    """The cost is known and agreed to."""


@dataclass
class SignWanted(Message):
    """The form was read; it is to be signed by typing or by drawing."""

    is_by_hand: bool


@dataclass
class Signed(Message):
    """A signature that is one."""

    signature: Signature = field(repr=False)


@dataclass
class Answered(Message):
    """A person did what the question asks for."""

    question: Question


@dataclass
class DemoHandWanted(Message):
    """The demo's hand should do what the question asks for, at the simulated drive."""

    question: Question


class Written(Message):
    """The password on the screen is on paper: it need not be shown again."""


class NotWritten(Message):
    """The visitor could not write it down."""


class Taken(Message):
    """The medium is in the visitor's hand."""


class FailureSeen(Message):
    """Which exam failed was read; the others go on, if there are any."""


class CodeWanted(Message):
    """The receipt's code, as large as the screen is."""


class PrintWanted(Message):
    """The receipt on paper."""


class PanelClosed(Message):
    """The help page, or what stands in front of a screen, was read."""


@dataclass
class LanguageChosen(Message):
    """A key of `words.LANGUAGES`."""

    language: str


@dataclass
class ComfortChosen(Message):
    """A switch of the help page: "large", "contrast", "spoken" or "typed" was turned over."""

    what: str


@dataclass
class VolumeChosen(Message):
    """One step louder (1) or less (-1)."""

    step: int


class SayAgainWanted(Message):
    """All of the screen, once more, with what was typed."""


class StillHere(Message):
    """The visitor wants more time."""
