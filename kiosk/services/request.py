"""Placing an order on a medium: the only thing that the lobby ever asks of the engine."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kiosk.domain.model import HandOver, MediaChoice, Medium, OrderId, Priority
from kiosk.domain.protection import Protect
from kiosk.errors import (
    InvalidValueError,
    OrderNotReleasedError,
    RefusedClaimError,
    UnknownJobError,
)
from kiosk.ports import Clock, Jobs, Tickets
from kiosk.services.identify import Release
from kiosk.services.parts import require_drive

MAX_COPIES: Final = 3


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of several orders.

    Attributes:
        jobs: In the order in which they are made.
        refused: Not to be had any more: staff hold it by now, or it was handed out.
    """

    jobs: tuple[OrderId, ...]
    refused: tuple[OrderId, ...] = ()


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
        offered: Collection[Medium] = tuple(Medium),
    ) -> None:
        """`offered` is what the station's drives can write."""
        self._jobs, self._tickets, self._clock, self._kiosk = jobs, tickets, clock, kiosk
        self._protect, self._offered = protect, offered

    def place(self, release: Release, choice: MediaChoice) -> OrderId:
        """Submit the released order and use up its ticket; twice is once.

        Whoever comes back with the same ticket and birth date gets the job that runs, whatever he
        chooses now; one that failed is made anew. What it makes leaves the drive only while he is
        at the kiosk. The job comes first: a power cut between both leaves a ticket that still
        opens the job, not a used ticket without one.

        Raises:
            InvalidValueError: More or fewer copies than the kiosk makes.
            ConfigError: No drive of this station writes such a medium.
            RefusedClaimError: It was handed out, or staff hold it by now.
            JournalError: Nothing was placed.
        """
        placed = self.place_all(release, choice, [release.order.order_id])
        if placed.refused:  # said as if he came with his ticket just now
            raise RefusedClaimError("not released any more")
        return placed.jobs[0]

    def place_all(
        self, release: Release, choice: MediaChoice, order_ids: Sequence[OrderId]
    ) -> Placed:
        """Submit several of the released orders, a job each; they are made in this order.

        Each in a transaction of its own, and again is once: what runs is joined. After an error or
        a power cut the rest is placed by asking for the same again. The ticket is used up last.

        Args:
            order_ids: One or more of `release.orders`.
        Raises:
            InvalidValueError: Another order's, none, or more or fewer copies than the kiosk makes;
                nothing was placed.
            ConfigError: No drive of this station writes such a medium; nothing was placed anew.
            JournalError: Not all were placed.
        """
        if not 1 <= choice.copies <= MAX_COPIES:
            raise InvalidValueError(f"1 to {MAX_COPIES} copies")
        wanted = tuple(dict.fromkeys(order_ids))
        if not wanted or not set(wanted) <= {order.order_id for order in release.orders}:
            raise InvalidValueError("only what was released can be placed")
        jobs, refused = [], []
        for order_id in wanted:
            try:
                jobs.append(self._join(order_id) or self._submit(release, order_id, choice))
            except OrderNotReleasedError:
                refused.append(order_id)
        if jobs and release.ticket_id:
            self._tickets.mark_used(release.ticket_id, self._clock.now())
        return Placed(tuple(jobs), tuple(refused))

    def _submit(self, release: Release, order_id: OrderId, choice: MediaChoice) -> OrderId:
        require_drive(choice.medium, self._offered)
        try:
            return self._jobs.submit(
                order_id,
                replace(
                    choice,
                    hand_over=HandOver.ON_CLAIM,
                    is_protected=self._protect.decide(choice.is_protected),
                    is_images_only=choice.is_images_only or release.is_images_only,
                ),
                Priority.WAITING_PATIENT,
                actor=f"kiosk:{self._kiosk}",
            )
        except InvalidValueError:  # placed elsewhere meanwhile, with another choice
            if (job_id := self._join(order_id)) is None:
                raise
            return job_id

    def _join(self, order_id: OrderId) -> OrderId | None:
        """The job of an order, if it has not ended."""
        try:
            job = self._jobs.get(order_id)
        except UnknownJobError:
            return None
        return None if job.has_ended else job.job_id
