"""What screens tell the app. They decide nothing themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from textual.message import Message

from kiosk.domain.model import Medium, Question


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


class ExamsChosen(Message):
    """The released exams are wanted."""


@dataclass
class MediumChosen(Message):
    """On what, and whether with a password."""

    medium: Medium
    is_protected: bool = False


@dataclass
class CopiesChosen(Message):
    """How many."""

    copies: int


@dataclass
class Answered(Message):
    """A person did what the question asks for."""

    question: Question


@dataclass
class DemoHandWanted(Message):
    """The demo's hand should do what the question asks for, at the simulated drive."""

    question: Question


class Taken(Message):
    """The medium is in the visitor's hand."""


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
