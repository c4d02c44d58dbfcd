"""Placing an order on a medium: the only thing that the lobby ever asks of the engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from kiosk.domain.model import HandOver, MediaChoice, OrderId, Priority
from kiosk.domain.protection import Protect
from kiosk.errors import (
    InvalidValueError,
    OrderNotReleasedError,
    RefusedClaimError,
    UnknownJobError,
)
from kiosk.ports import Clock, Jobs, Tickets
from kiosk.services.identify import Release

MAX_COPIES: Final = 3


class Request:
    """Places jobs for visitors of one kiosk, who wait for them."""

    def __init__(
        self,
        *,
        jobs: Jobs,
        tickets: Tickets,
        clock: Clock,
        kiosk: str,
        protect: Protect = Protect.OPTIONAL,
    ) -> None:
        self._jobs, self._tickets, self._clock, self._kiosk = jobs, tickets, clock, kiosk
        self._protect = protect

    def place(self, release: Release, choice: MediaChoice) -> OrderId:
        """Submit the released order and use up its ticket; twice is once.

        Whoever comes back with the same ticket and birth date gets the job that runs, whatever he
        chooses now; one that failed is made anew. What it makes leaves the drive only while he is
        at the kiosk. The job comes first: a power cut between both leaves a ticket that still
        opens the job, not a used ticket without one.

        Raises:
            InvalidValueError: More or fewer copies than the kiosk makes.
            RefusedClaimError: It was handed out, or staff hold it by now.
            JournalError: Nothing was placed.
        """
        if not 1 <= choice.copies <= MAX_COPIES:
            raise InvalidValueError(f"1 to {MAX_COPIES} copies")
        job_id = self._join(release) or self._submit(release, choice)
        self._tickets.mark_used(release.ticket_id, self._clock.now())
        return job_id

    def _submit(self, release: Release, choice: MediaChoice) -> OrderId:
        try:
            return self._jobs.submit(
                release.order.order_id,
                replace(
                    choice,
                    hand_over=HandOver.ON_CLAIM,
                    is_protected=self._protect.decide(choice.is_protected),
                ),
                Priority.WAITING_PATIENT,
                actor=f"kiosk:{self._kiosk}",
            )
        except InvalidValueError:  # placed elsewhere meanwhile, with another choice
            if (job_id := self._join(release)) is None:
                raise
            return job_id
        except OrderNotReleasedError as error:  # said as if he came with his ticket just now
            raise RefusedClaimError("not released any more") from error

    def _join(self, release: Release) -> OrderId | None:
        """The job of the released order, if it has not ended."""
        try:
            job = self._jobs.get(release.order.order_id)
        except UnknownJobError:
            return None
        return None if job.has_ended else job.job_id
