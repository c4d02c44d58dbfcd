"""What a burn does about a medium that another job left in its drive.

A good one is given to its owner, or waits for him; one that was handed over is not known to have
gone until the closed tray shows it; one that nobody may have comes out for staff only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from kiosk.domain.model import ExecutionStatus, Medium, Order, OrderId, ReleaseState, Step, Wanted
from kiosk.errors import MediumNotTakenError, MediumSpoiledError, OrderNotReleasedError
from kiosk.ports import LedgerEntry, LedgerPhase, MediaWriter, MediumProgress
from kiosk.services.attempt import ImageFacts, NeedsMedium, Written
from kiosk.services.by_hand import LEFT_UNVERIFIED, has_left
from kiosk.services.drawer import is_drawn_in, is_gone
from kiosk.services.durable import Durable, Facts
from kiosk.services.hand_over import (
    hand_over,
    is_due,
    may_be_whole,
    may_leave,
    scrap,
    settle_other,
)
from kiosk.services.outcomes import SETTLED, SPOILED, UNCOLLECTED, VOID, WITHHELD, to_facts, why
from kiosk.services.parts import EngineParts
from kiosk.services.waiting import Answer, Waits, require_released
from kiosk.services.write import settle

log = logging.getLogger(__name__)

BEGUN = (LedgerPhase.WRITING, LedgerPhase.CLOSED, LedgerPhase.VERIFIED)
"""Phases of a medium on which somebody may still count."""

_ENDED = (ExecutionStatus.DONE, ExecutionStatus.FAILURE)


class LeftBehind:
    """The waits and steps of the burn of `job_id` at `drive`, which it has to itself."""

    def __init__(
        self,
        durable: Durable,
        parts: EngineParts,
        job_id: OrderId,
        drive: str,
        medium: Medium,
        writer: Callable[[], MediaWriter],
    ) -> None:
        self._parts, self._job_id, self._drive, self._medium = parts, job_id, drive, medium
        self._get_writer = writer
        self._waits = Waits(durable, parts, job_id, drive=drive)
        self._final = Waits(durable, parts, job_id, is_final=True, drive=drive)

    @property
    def _writer(self) -> MediaWriter:
        return self._get_writer()

    def settle(self, owner: LedgerEntry, on_verify: Callable[[MediumProgress], None]) -> Facts:
        """The drive holds what may be a good medium of another job: that one first."""
        job = self._parts.jobs.get(owner.job_id)
        if job.status in _ENDED or not is_due(self._parts, owner):
            return self.refuse(owner)
        order: Order = self._parts.orders.get(job.order_id)
        if owner.phase == LedgerPhase.VERIFIED and not self._is_released(owner):
            return UNCOLLECTED
        nothing_known = ImageFacts(self._parts.spool.folder(self._job_id), 0, "", owner.volume_id)
        outcome = settle(
            self._writer,
            self._parts.ledger,
            owner.job_id,
            nothing_known,
            on_verify,
            gate=lambda writer: self._parts.gate(order, self._medium, writer),
        )
        if isinstance(outcome, NeedsMedium):
            return {**to_facts(outcome), "is_spent": False}
        if isinstance(outcome, Written):
            entry = self._parts.ledger.owner(self._drive)
            assert entry is not None
            if not self._is_released(entry):
                return UNCOLLECTED
            try:
                require_released(order)
                settle_other(self._parts, self._writer, entry)
            except OrderNotReleasedError:
                return WITHHELD
        return SETTLED

    def refuse(self, owner: LedgerEntry) -> Facts:
        """Nobody may have it: out with what is broken, what may be whole is for staff."""
        if may_be_whole(self._writer, owner):
            return WITHHELD
        scrap(self._parts, self._writer, owner)
        return SETTLED

    def refuse_by_hand(self, owner: LedgerEntry) -> Facts:
        """Staff wrote it by a command and it is not known to be good: theirs, before it is out."""
        if has_left(self._parts.ledger, self._writer, owner):
            return SETTLED
        if self._writer.inspect().is_open:
            return to_facts(NeedsMedium(Wanted.OTHER_DISC, MediumSpoiledError.code))
        return SPOILED

    def _is_released(self, owner: LedgerEntry) -> bool:
        """Whether something is to be done with another job's good medium: its owner is there, or
        nobody may have it any more.
        """
        job = self._parts.jobs.get(owner.job_id)
        state = self._parts.orders.get(job.order_id).state
        if job.status in _ENDED or state is not ReleaseState.RELEASED:
            return True
        return may_leave(self._parts, job)

    def draw_out(self, owner: LedgerEntry) -> Facts:
        """What was handed over was pushed in again: out with it, but not for ever.

        After `Policy.removal_s` it is void: never out but to staff.
        """
        now = self._parts.clock.now()
        if owner.since and (now - owner.since).total_seconds() < self._parts.policy.removal_s:
            self._writer.eject()
            return to_facts(NeedsMedium(Wanted.TAKE_MEDIUM, MediumNotTakenError.code))
        log.warning("%s: the medium of job %s was drawn in: void", self._drive, owner.job_id)
        self._parts.ledger.put(replace(owner, phase=LedgerPhase.SCRAP))
        return VOID

    def take_out(self, facts: Facts) -> None:
        """Another job left a medium that nobody may have any more: staff first, then scrap."""
        self._waits.ask(Wanted.STAFF, why(facts), Step.WRITE)
        self._final.succeed("refuse", self._scrap)

    def give_up(self) -> None:
        """A begun medium is not in the drive, and staff know: no use, wherever it is. If it is in
        again by now, it is looked at as before.
        """

        def work() -> Facts:
            entry = self._parts.ledger.owner(self._drive)
            is_begun = entry is not None and entry.phase in BEGUN
            if entry is not None and is_begun and not may_be_whole(self._writer, entry):
                log.warning("%s: the medium of job %s is given up", self._drive, entry.job_id)
                lost = replace(entry, phase=LedgerPhase.SCRAP)
                self._parts.ledger.put(lost, reason=LEFT_UNVERIFIED)
            return {}

        self._final.succeed("give_up", work)

    def _scrap(self) -> Facts:
        entry = self._parts.ledger.owner(self._drive)
        if entry is not None:
            scrap(self._parts, self._writer, entry)
        return {}

    def ask_to_take(self, facts: Facts) -> None:
        """Another job's medium may lie in the open tray: first the visitor, then staff."""

        def is_changed() -> bool:
            entry = self._parts.ledger.owner(self._drive)
            if entry is None or entry.phase != LedgerPhase.OUT:
                return True
            loaded = self._writer.inspect()
            return is_gone(entry, loaded) or is_drawn_in(entry, loaded)

        limit_s = self._parts.policy.removal_s
        ended = self._waits.ask(
            Wanted.TAKE_MEDIUM, why(facts), Step.WRITE, is_changed, limit_s=limit_s
        )
        if ended is not Answer.LATE:
            return
        log.warning("%s: a medium that was handed over is not known to have gone", self._drive)
        if self._waits.ask(Wanted.STAFF, why(facts), Step.WRITE, is_changed) is Answer.GIVEN:
            self._final.succeed("free", self._free_tray)

    def _free_tray(self) -> Facts:
        """Staff say that the open tray is empty."""
        entry = self._parts.ledger.owner(self._drive)
        is_out = entry is not None and entry.phase == LedgerPhase.OUT
        if entry is not None and is_out and not is_drawn_in(entry, self._writer.inspect()):
            self._parts.ledger.free(self._drive)
        return {}

    def wait_behind(self, facts: Facts) -> None:
        """The drive holds a good medium whose owner is away: until he comes, or staff have it."""

        def is_over() -> bool:
            entry = self._parts.ledger.owner(self._drive)
            return entry is None or entry.phase != LedgerPhase.VERIFIED or self._is_released(entry)

        if self._waits.ask(Wanted.STAFF, why(facts), Step.WRITE, is_over) is Answer.GIVEN:
            self._final.succeed("release", self._give_to_staff)

    def _give_to_staff(self) -> Facts:
        """They stand at the drive and keep it for its owner: it counts as handed over."""
        entry = self._parts.ledger.owner(self._drive)
        is_other = entry is not None and entry.job_id != self._job_id
        if entry is None or not is_other or entry.phase != LedgerPhase.VERIFIED:
            return {}
        order = self._parts.orders.get(entry.job_id)
        # Else the next look finds it withheld.
        if order.state is ReleaseState.RELEASED and is_due(self._parts, entry):
            hand_over(self._parts, self._writer, entry, order, self._medium)
        return {}
