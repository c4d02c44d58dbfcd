"""What the lobby knows of whoever stands before it. Thrown away whole at the end of the visit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from kiosk.domain.claim import Answers
from kiosk.domain.exam import Exam
from kiosk.domain.model import Medium, OrderId
from kiosk.domain.protection import JobPassword
from kiosk.domain.recipient import Recipient, RecipientKind
from kiosk.services.identify import Claim, Release


@dataclass(eq=False)
class Visit:
    """One person's way from welcome to goodbye; identity is being the same object."""

    claim: Claim | None = field(default=None, repr=False)
    answers: Answers = Answers()  # to what is asked with the claim
    release: Release | None = field(default=None, repr=False)
    chosen: tuple[OrderId, ...] | None = None  # of the exams; None: nothing was chosen yet
    recipient: Recipient | None = field(default=None, repr=False)  # None: not asked, for himself
    recipient_kind: RecipientKind = RecipientKind.NAMED  # of what is being typed
    typed_name: str = field(default="", repr=False)
    typed_address: str = field(default="", repr=False)
    medium: Medium | None = None
    copies: int = 1
    is_protected: bool = False  # wanted so far
    form_language: str = ""  # in which the form was read to its end; "" for not yet
    received_at: datetime | None = None  # when the form was shown first
    password: JobPassword | None = field(default=None, repr=False)
    told: set[str] = field(default_factory=set)  # ids of passwords that are written down
    job_id: OrderId | None = None
    jobs_left: tuple[OrderId, ...] = ()  # made after this one
    exams: dict[OrderId, Exam] = field(default_factory=dict, repr=False)  # kind and date of each
    has_got: bool = False  # something was handed out in it
    taken: tuple[OrderId, int] | None = None  # the job and its media out when he said he has it
    has_failed: bool = False  # one of its exams
    is_asking: bool = False  # a worker is at it; the visitor waits
    is_over: bool = False  # thrown away: whoever still works for it does nothing more
    seen_s: float = float("-inf")  # when the journal was told last that the visitor is there
