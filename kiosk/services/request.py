"""Placing an order on a medium: the only thing that the lobby ever asks of the engine."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from kiosk.domain.fee import FeeQuote
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
        return self.place_all(release, choice, [release.order.order_id])[0]

    def place_all(
        self,
        release: Release,
        choice: MediaChoice,
        order_ids: Sequence[OrderId],
        fee: FeeQuote | None = None,
    ) -> tuple[OrderId, ...]:
        """Submit several of the released orders, a job each, in one transaction: all or none.

        Again is once: what runs is joined. The ticket is used up last.

        Args:
            order_ids: One or more of `release.orders`.
            fee: What the visitor has agreed to for those that do not run yet, all together.
        Returns:
            The jobs, in the order in which they were asked for.
        Raises:
            InvalidValueError: Another order's, none, or more or fewer copies than the kiosk makes;
                nothing was placed.
            ConfigError: No drive of this station writes such a medium; nothing was placed.
            RefusedClaimError: One of them was handed out, or staff hold it by now, which says no
                more than a claim that is refused; audited, and nothing was placed.
            JournalError: Nothing was placed, or the ticket is not used up.
        """
        if not 1 <= choice.copies <= MAX_COPIES:
            raise InvalidValueError(f"1 to {MAX_COPIES} copies")
        wanted = tuple(dict.fromkeys(order_ids))
        if not wanted or not set(wanted) <= {order.order_id for order in release.orders}:
            raise InvalidValueError("only what was released can be placed")
        if not all(map(self._runs, wanted)):
            require_drive(choice.medium, self._offered)
        try:
            placed = self._jobs.submit_all(
                wanted,
                replace(
                    choice,
                    hand_over=HandOver.ON_CLAIM,
                    is_protected=self._protect.decide(choice.is_protected),
                    is_images_only=choice.is_images_only or release.is_images_only,
                ),
                Priority.WAITING_PATIENT,
                actor=f"kiosk:{self._kiosk}",
                fee=fee,
            )
        except OrderNotReleasedError as error:  # said as if he came with his ticket just now
            raise RefusedClaimError("not released any more") from error
        if release.ticket_id:
            self._tickets.mark_used(release.ticket_id, self._clock.now())
        return placed

    def _runs(self, order_id: OrderId) -> bool:
        try:
            return not self._jobs.get(order_id).has_ended
        except UnknownJobError:
            return False
