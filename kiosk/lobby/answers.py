"""What the app's workers tell it, each about the visit that it was for."""

from __future__ import annotations

from dataclasses import dataclass, field

from textual.message import Message

from kiosk.domain.model import Job, OrderId
from kiosk.domain.protection import JobPassword
from kiosk.domain.rates import Rates
from kiosk.domain.receipt import Receipt
from kiosk.lobby.visit import Visit
from kiosk.services.identify import Refusal, Release


@dataclass
class Decided(Message):
    """The answer to a claim; `outcome` None if it could not be decided."""

    visit: Visit = field(repr=False)
    outcome: Release | Refusal | None = field(repr=False)
    error_code: str = ""


@dataclass
class Placed(Message):
    """The orders are placed, in the order in which they are made; no job if not."""

    visit: Visit = field(repr=False)
    job_ids: tuple[OrderId, ...]
    error_code: str = ""


@dataclass
class JobSeen(Message):
    """The newest row of the visitor's job; `job` None if the journal did not answer.

    Attributes:
        password: Of its media, if they are protected.
        is_behind: It waits for its turn while another one is at a drive.
        is_held_up: It waits for its turn while another job waits for somebody.
        asks_first: Another one of this visit that has the drive before it, and asks for something.
        rates: What was measured, whenever it was looked up again.
    """

    visit: Visit = field(repr=False)
    job: Job | None
    password: JobPassword | None = field(default=None, repr=False)
    is_behind: bool = False
    is_held_up: bool = False
    asks_first: OrderId | None = None
    rates: Rates | None = None


@dataclass
class PasswordTold(Message):
    """Its owner said that he has it; `is_kept` if that is on record."""

    password_id: str
    is_kept: bool


@dataclass
class ReceiptMade(Message):
    """Of what was handed over; `receipt` None if there is none."""

    visit: Visit = field(repr=False)
    receipt: Receipt | None = field(repr=False)
    can_print: bool


@dataclass
class ReceiptPrinted(Message):
    """It is on paper, or why not."""

    visit: Visit = field(repr=False)
    error_code: str = ""
