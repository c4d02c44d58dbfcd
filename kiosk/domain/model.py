"""The things the appliance speaks of, as values that are right once they exist.

Strings from outside become these types at one boundary (`AccessionNumber(text)` raises
InvalidValueError); below that line nobody checks again. Standard library only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, ClassVar

from kiosk.domain.contents import ObjectCounts
from kiosk.domain.disc_set import DiscPlace
from kiosk.domain.facts import DeskReason, SecondFacts
from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.unfit import Unfit
from kiosk.domain.waiver import WaiverReason
from kiosk.errors import InvalidValueError

if TYPE_CHECKING:  # fees are by medium: at run time it needs this module
    from kiosk.domain.bill import Bill


class _Text(str):
    """A string of a fixed form: the constructor checks, so holding one is proof."""

    pattern: ClassVar[re.Pattern[str]]
    noun: ClassVar[str]  # with its article, for people
    __slots__ = ()

    def __new__(cls, value: str) -> _Text:
        text = value.strip(" ")
        if not cls.pattern.fullmatch(text):
            raise InvalidValueError(f"not {cls.noun} ({len(value)} characters)")
        return super().__new__(cls, text)


class Uid(_Text):
    """A DICOM UID, at most 64 characters of digits and dots (PS3.5 9.1)."""

    pattern = re.compile(r"(?=.{1,64}\Z)(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")
    noun = "a DICOM UID"
    __slots__ = ()


class AccessionNumber(_Text):
    """SH, 1 to 16 characters; no wildcard, backslash or control character may reach a query."""

    pattern = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/#:-]{0,15}")
    noun = "an accession number"
    __slots__ = ()


class AETitle(_Text):
    """An application entity title, 1 to 16 printable characters without backslash (PS3.5 6.2)."""

    pattern = re.compile(r"[!-\[\]-~][ -\[\]-~]{0,15}")
    noun = "an AE title"
    __slots__ = ()


class OrderId(_Text):
    """Ours: 36 characters at most, safe in file names, process arguments and logs."""

    pattern = re.compile(r"[a-z0-9][a-z0-9-]{2,35}")
    noun = "an order id"
    __slots__ = ()


@dataclass(frozen=True, slots=True)
class PatientIdentity:
    """Who a person is, as orders, queries and objects say it. Any field but none may be empty.

    Attributes:
        patient_id: (0010,0020), trimmed; PID-3.1.
        issuer: (0010,0021) Issuer of Patient ID, "" if unknown; PID-3.4.
        name: (0010,0010) in DICOM form FAMILY^GIVEN^MIDDLE^PREFIX^SUFFIX with "=" between component
            groups, decoded by its character set; PID-5.
        birth_date: YYYYMMDD or ""; PID-7.
    """

    patient_id: str
    issuer: str
    name: str
    birth_date: str

    def __repr__(self) -> str:  # never in a traceback or a log
        return "PatientIdentity(…)"


class ReleaseState(Enum):
    """What the kiosk may do with an order."""

    RELEASED = "released"
    HELD = "held"
    COLLECTED = "collected"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Order:
    """One exam that somebody asked to be sent home.

    Attributes:
        study_instance_uid: "" until known; then the archive is asked by accession number once.
        modality: DICOM modality such as CT.
        study_date: YYYYMMDD or "".
        with_report: A report is known to be there. The Study is given whole either way.
        is_report_preliminary: What is known of it is not final.
        facts: What a visitor may be asked besides the birth date.
        send_home: Marked "send images home": numbers and cards open no other order at the kiosk.
        desk_only: Nothing opens it at the kiosk, and the visitor is not told why; None: the kiosk
            may hand it out.
        waiver: Why its next copy costs the visitor nothing; None: the site's price.
    """

    order_id: OrderId
    patient: PatientIdentity
    accession_number: AccessionNumber
    study_instance_uid: str
    modality: str
    study_date: str
    state: ReleaseState
    with_report: bool
    created_at: datetime
    is_report_preliminary: bool = False
    facts: SecondFacts = field(default=SecondFacts(), repr=False)
    send_home: bool = False
    desk_only: DeskReason | None = field(default=None, repr=False)
    waiver: WaiverReason | None = field(default=None, repr=False)


class Medium(Enum):
    """What the patient takes home."""

    DISC = "disc"
    HOUSE_STICK = "house_stick"  # a sealed one of the facility: made anew, if nothing is on it
    STICK = "stick"  # his own: what is on it stays

    @property
    def form(self) -> str:
        """ "disc" or "stick": for what is the same whoever brought the stick."""
        return "disc" if self is Medium.DISC else "stick"


class HandOver(Enum):
    """When a finished medium may leave the drive."""

    AT_ONCE = "at_once"  # somebody of the staff stands at the drive
    ON_CLAIM = "on_claim"  # when its owner is at the kiosk, or repeats ticket and birth date there


@dataclass(frozen=True, slots=True)
class MediaChoice:
    """On what, how many, and into whose hands.

    Attributes:
        is_protected: With a password; one for all media of the job.
        is_images_only: Without reports, of the study or handed in; they are left out by name.
    """

    medium: Medium
    copies: int = 1
    hand_over: HandOver = HandOver.AT_ONCE
    is_protected: bool = False
    is_images_only: bool = False


class ExecutionStatus(Enum):
    """PS3.3 C.22.1, Media Creation Management."""

    IDLE = "IDLE"
    PENDING = "PENDING"
    CREATING = "CREATING"
    DONE = "DONE"
    FAILURE = "FAILURE"


class Step(Enum):
    """Our steps within CREATING, in order."""

    RELEASE = "release"
    RETRIEVE = "retrieve"
    COMPOSE = "compose"
    CHECK = "check"
    WRITE = "write"
    VERIFY = "verify"
    HAND_OVER = "hand_over"


class Wanted(Enum):
    """What a job waits for a person to do."""

    BLANK_DISC = "blank_disc"
    OTHER_DISC = "other_disc"  # what is in the tray cannot be used or is spoiled
    LARGER_MEDIUM = "larger_medium"
    STICK = "stick"
    CLOSE_TRAY = "close_tray"
    CLAIM = "claim"  # it is ready in the shut drive: its owner must show again who he is
    TAKE_MEDIUM = "take_medium"  # a medium that was handed over is not known to have gone
    STAFF = "staff"


class Priority(IntEnum):
    """Lower is served first; never 0, which the engine would put before everybody."""

    WAITING_PATIENT = 1
    WARD = 10
    PREFETCH = 100


@dataclass(frozen=True, slots=True)
class Question:
    """One numbered request to a person. An answer counts only for this number.

    Attributes:
        unfit: What speaks against the medium that was put in, None if nothing was.
    """

    job_id: OrderId
    number: int
    wanted: Wanted
    asked_at: datetime
    unfit: Unfit | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a job stands inside its step.

    Attributes:
        done, total: Units of the step (Instances, bytes, blocks); total 0 means not known yet.
        note: A stable message code such as "archive.retry", "" if all is as planned.
    """

    step: Step
    done: int
    total: int
    note: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Job:
    """One order's way to a medium, as the journal shows it.

    Attributes:
        status_info: PS3.3 C.22.1 Execution Status Info, "NORMAL" if nothing is wrong.
        error_code: `KioskError.code` of the failure, "" otherwise.
        question: What is waited for, None if nothing.
        left_out: What its medium does not hold of the study; kept when the job has ended.
        disc: Of a set, the one whose turn it is; the last when the job is done.
        holds: What one copy is made of; None as long as none has been built.
        bill: What was agreed to for it, and for all that was placed with it; None if nobody was
            shown a price, such as for what staff place.
        wall_number: Public, of the visit that it was placed in; 0 for none.
        delivered: Media handed over since it was placed last.
    """

    job_id: OrderId
    order_id: OrderId
    choice: MediaChoice
    priority: Priority
    status: ExecutionStatus
    status_info: str
    error_code: str
    progress: Progress | None
    question: Question | None
    created_at: datetime
    ended_at: datetime | None
    left_out: LeftOutCounts = LeftOutCounts()
    disc: DiscPlace = DiscPlace()
    holds: ObjectCounts | None = None
    bill: Bill | None = None
    wall_number: int = 0
    delivered: int = 0

    @property
    def has_ended(self) -> bool:
        return self.status in (ExecutionStatus.DONE, ExecutionStatus.FAILURE)

    @property
    def owed(self) -> Bill | None:
        """What was agreed to for a copy that nobody has got: it is not charged for again."""
        has_failed = self.status is ExecutionStatus.FAILURE
        return self.bill if has_failed and not self.delivered else None
