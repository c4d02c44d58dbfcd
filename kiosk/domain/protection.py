"""Whether media are protected with a password, and what is known of one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum


class Protect(Enum):
    """What a site wants."""

    OFF = "off"  # the kiosk does not offer it
    OPTIONAL = "optional"  # whoever takes the medium home decides
    ALWAYS = "always"

    def decide(self, is_wanted: bool) -> bool:
        """Whether a medium that somebody wants (un)protected is."""
        return self is Protect.ALWAYS or (is_wanted and self is Protect.OPTIONAL)


@dataclass(frozen=True, slots=True)
class JobPassword:
    """The password of the media of a job, as it was placed.

    Attributes:
        password_id: Names it and says nothing of it.
        text: "" of one that is not shown any more.
        is_told: Somebody has it, on record: its owner said that it is written down, or staff
            were shown it.
    """

    password_id: str
    text: str = field(repr=False)
    is_told: bool
    made_at: datetime

    @property
    def is_gone(self) -> bool:
        return not self.text

    @property
    def is_to_be_written(self) -> bool:
        """Whether it is shown, and nobody has said yet that he has it."""
        return not self.is_gone and not self.is_told

    def told(self) -> JobPassword:
        """The same without its text: it is not shown any more."""
        return replace(self, text="", is_told=True)
