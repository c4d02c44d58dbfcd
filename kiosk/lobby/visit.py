"""What the lobby knows of whoever stands before it. Thrown away whole at the end of the visit."""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.domain.claim import Answers
from kiosk.domain.model import Medium, OrderId
from kiosk.domain.protection import JobPassword
from kiosk.services.identify import Claim, Release


@dataclass(eq=False)
class Visit:
    """One person's way from welcome to goodbye; identity is being the same object."""

    claim: Claim | None = field(default=None, repr=False)
    answers: Answers = Answers()  # to what is asked with the claim
    release: Release | None = field(default=None, repr=False)
    medium: Medium | None = None
    is_protected: bool = False  # wanted so far
    password: JobPassword | None = field(default=None, repr=False)
    job_id: OrderId | None = None
    is_asking: bool = False  # a worker is at it; the visitor waits
    is_over: bool = False  # thrown away: whoever still works for it does nothing more
    seen_s: float = float("-inf")  # when the journal was told last that the visitor is there
