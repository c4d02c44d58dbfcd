"""From a verified medium to an empty drive: when it may come out, and whether it was taken.

    VERIFIED ──► owner at the kiosk, or staff say so ──► hand-over ──► taken ──► free
        │                                                    │
        └─ hold, cancel: stays shut for staff                ├─ not in time: noted; the next asks
                                                             └─ drawn in: void, for staff

All of it happens in the burn, on the drive's queue: nobody else touches the drive meanwhile. Jobs
that wait behind it are told why.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from kiosk.domain.model import OrderId, Step, Wanted
from kiosk.errors import MediumError, MediumNotTakenError, Retry, UncollectedMediumError
from kiosk.ports import LedgerEntry, LedgerPhase, MediaWriter
from kiosk.services.drawer import NOT_TAKEN_NOTE, is_drawn_in, is_gone, is_queued
from kiosk.services.durable import Durable, Facts, Trouble
from kiosk.services.hand_over import is_present, may_leave, scrap
from kiosk.services.parts import EngineParts
from kiosk.services.waiting import Answer, ProgressRow, Waits

log = logging.getLogger(__name__)

_AS_PLANNED = Trouble("", Retry.LATER, "NORMAL")
_UNCOLLECTED = Trouble(
    UncollectedMediumError.code, UncollectedMediumError.retry, MediumNotTakenError.status_info
)
_NOT_TAKEN = Trouble(
    MediumNotTakenError.code, MediumNotTakenError.retry, MediumNotTakenError.status_info
)


class Collect:
    """One medium of a job whose owner has to be at the kiosk.

    Args:
        writer: The drive; raises DriveFaultError if there is none of that name.
    """

    def __init__(
        self,
        durable: Durable,
        parts: EngineParts,
        job_id: OrderId,
        drive: str,
        writer: Callable[[], MediaWriter],
    ) -> None:
        self._parts, self._job_id, self._drive, self._writer = parts, job_id, drive, writer
        self._waits = Waits(durable, parts, job_id, drive=drive)
        self._final = Waits(durable, parts, job_id, is_final=True, drive=drive)
        self._progress = ProgressRow(parts, job_id)

    # --- before the hand-over

    def await_owner(self) -> None:
        """Until the visitor's session is at the kiosk, or staff answer for him.

        Raises:
            Trouble: The job was cancelled, or its order is not released any more.
        """
        policy = self._parts.policy
        there = self._waits.insist(
            "owner", lambda: {"is_there": self._is_collectable()}, Step.HAND_OVER
        )
        if there["is_there"]:
            return
        ended = self._waits.ask(
            Wanted.CLAIM, _AS_PLANNED, Step.HAND_OVER, self._look, limit_s=policy.collect_s
        )
        if ended is Answer.LATE:
            log.warning(
                "%s: the medium of job %s was not collected in %.0f s",
                self._drive, self._job_id, policy.collect_s,
            )  # fmt: skip
            ended = self._waits.ask(Wanted.STAFF, _UNCOLLECTED, Step.HAND_OVER, self._look)
        if ended is Answer.GIVEN:
            # They stand at the drive for him; should the power fail now, they are asked again.
            self._waits.insist("release", self._be_there, Step.HAND_OVER)
        self._waits.insist("queue", lambda: self._tell_queue(""), Step.HAND_OVER)

    def _is_collectable(self) -> bool:
        """Also if there is nothing to collect any more: whoever had the drive since gave it out."""
        entry = self._mine()
        if entry is None or entry.phase != LedgerPhase.VERIFIED:
            return True
        return may_leave(self._parts, self._parts.jobs.get(self._job_id))

    def _be_there(self) -> Facts:
        self._parts.presence.touch(self._job_id)
        return {}

    def _look(self) -> bool:
        self._tell_queue(UncollectedMediumError.code)
        return self._is_collectable()

    def _tell_queue(self, error_code: str) -> Facts:
        """Jobs behind this one show why they wait; with "" that they wait for their turn only."""
        known = ("", UncollectedMediumError.code)
        for job_id in self._parts.jobs.live():
            job = self._parts.jobs.get(job_id)
            if job_id == self._job_id or not is_queued(job, self._drive):
                continue
            if job.error_code != error_code and job.error_code in known:
                info = UncollectedMediumError.status_info if error_code else "NORMAL"
                self._parts.jobs.report(job_id, status_info=info, error_code=error_code)
        return {}

    # --- after it

    def see_taken(self) -> None:
        """Until the medium is known to have gone, its owner says so, or `Policy.removal_s` passed.

        It may still lie in the open tray then: the ledger knows, and the next job asks. Nobody is
        called for it, because most people take the disc and go; that it was not seen is on record.

        Raises:
            Trouble: It was drawn in again and is void: the order needs another one.
        """
        policy = self._parts.policy
        ended = self._final.ask(
            Wanted.TAKE_MEDIUM,
            _AS_PLANNED,
            Step.HAND_OVER,
            self._is_settled,
            limit_s=policy.removal_s,
        )
        phase = self._final.insist("removal", self._phase, Step.HAND_OVER)["phase"]
        if phase == LedgerPhase.FREE or (phase == LedgerPhase.OUT and ended is Answer.GIVEN):
            return
        if phase == LedgerPhase.OUT:
            log.warning(
                "%s: the medium of job %s is delivered, but was not seen taken",
                self._drive, self._job_id,
            )  # fmt: skip
            self._final.insist("removed", self._note, Step.HAND_OVER)
            return
        log.warning("%s: the medium of job %s was drawn in: void", self._drive, self._job_id)
        self._final.ask(Wanted.STAFF, _NOT_TAKEN, Step.HAND_OVER, lambda: self._mine() is None)
        self._final.insist("removed", self._clear, Step.HAND_OVER)
        raise Trouble(_NOT_TAKEN.code, Retry.NEVER, _NOT_TAKEN.status_info)

    def _mine(self) -> LedgerEntry | None:
        entry = self._parts.ledger.owner(self._drive)
        return entry if entry is not None and entry.job_id == self._job_id else None

    def _phase(self) -> Facts:
        entry = self._mine()
        return {"phase": LedgerPhase.FREE if entry is None else entry.phase}

    def _is_settled(self) -> bool:
        """Whether there is nothing to wait for: it has gone, or was drawn in and is void."""
        entry = self._mine()
        if entry is None or entry.phase != LedgerPhase.OUT:
            return True
        try:
            writer = self._writer()
            loaded = writer.inspect()
            if is_gone(entry, loaded):
                self._parts.ledger.free(self._drive)
                return True
            if not is_drawn_in(entry, loaded):
                return False
            if is_present(self._parts, self._job_id):
                writer.eject()  # pushed in by mistake, and its owner stands there
                return False
            if loaded.volume_id != entry.volume_id:
                return False  # not known to be ours: the next job looks again
        except MediumError as error:
            # It is out and on record; a drive at fault is the next job's trouble.
            log.warning("%s cannot be looked into: %s", self._drive, error.code)
            return False
        self._parts.ledger.put(replace(entry, phase=LedgerPhase.SCRAP))
        return True

    def _note(self) -> Facts:
        """Delivered, not seen taken: for the audit trail, `jobs show` and the visitor's screen."""
        entry = self._mine()
        if entry is not None and entry.phase == LedgerPhase.OUT:
            self._parts.media.note_not_taken(entry)
            self._progress.put(Step.HAND_OVER, 1, 1, NOT_TAKEN_NOTE)
        return {}

    def _clear(self) -> Facts:
        """What staff answered for: a void medium comes out to them."""
        entry = self._mine()
        if entry is not None and entry.phase == LedgerPhase.SCRAP:
            scrap(self._parts, self._writer(), entry)
        return {}
