"""The durable workflow of one order: release, retrieve, compose and check, burn, hand over.

    release ──► retrieve ──► compose ──► burn (on the drive's queue, once a medium) ──► finish
                   ▲            │          │
                   └── spool ───┴── lost ──┘            any trouble: wait and try again, ask
                                                        staff, or fail; each with its reason

It decides by nothing but what its steps returned, so that it comes to the same end however often it
is killed. `Durable` plays the steps back; see `services.burning` for the drive's part.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial

from kiosk.domain.contents import ObjectCounts
from kiosk.domain.drive_choice import choose_drive
from kiosk.domain.medium_need import DiscsOf, blanks_short, other_medium
from kiosk.domain.model import HandOver, Medium, OrderId, Priority, Step
from kiosk.errors import (
    CheckFailedError,
    ComposeError,
    ConfigError,
    EngineFaultError,
    NeedsStickError,
    OrderNotReleasedError,
    Retry,
    SetOversizedError,
    SpoolLostError,
    StoppedError,
    WrongPatientError,
)
from kiosk.services.burning import burn
from kiosk.services.drawer import queued_note
from kiosk.services.drives_now import drives_now
from kiosk.services.durable import BurnLostError, Durable, Facts, Trouble, run_step
from kiosk.services.parts import EngineParts, require_drive
from kiosk.services.timing import Stopwatch
from kiosk.services.waiting import CancelWatch, ProgressRow, Waits, require_released

__all__ = ["burn", "fulfil"]

log = logging.getLogger(__name__)

# Trying again would do the same again, and nobody can mend it at the kiosk.
_FATAL = frozenset(
    {
        WrongPatientError.code,
        ComposeError.code,
        CheckFailedError.code,
        SetOversizedError.code,
        NeedsStickError.code,
        OrderNotReleasedError.code,
        ConfigError.code,
    }
)
# Not offered at the kiosk again before somebody of the staff has looked.
_HELD = _FATAL - {
    SetOversizedError.code,
    NeedsStickError.code,
    OrderNotReleasedError.code,
    ConfigError.code,
}


def fulfil(durable: Durable, parts: EngineParts, job_id: OrderId) -> None:
    """Run one job to its end: DONE, or FAILURE with its reason."""
    run = _Order(durable, parts, job_id)
    try:
        run.make()
    except Trouble as trouble:
        run.fail(trouble)


class _Order:
    def __init__(self, durable: Durable, parts: EngineParts, job_id: OrderId) -> None:
        self._durable, self._parts, self._job_id = durable, parts, job_id
        self._watch = CancelWatch(durable, parts, job_id)
        self._waits = Waits(durable, parts, job_id)
        self._progress = ProgressRow(parts, job_id)
        self._burns = itertools.count(1)
        self._trouble_at = Step.RELEASE  # the step of the last one

    def make(self) -> None:
        self._waits.insist("release", self._release, Step.RELEASE)
        image: Facts | None = None
        while True:
            still = self._waits.insist("open", self._open, Step.RELEASE)
            if still["copies"] <= 0:
                break
            if image is None:
                image = self._prepare()
            done = self._burn(image, still["delivered"])
            if done.get("is_stale"):
                image = None
            elif done.get("lost"):
                self._trouble_at = Step.WRITE
                self._waits.mend(Trouble.of(SpoolLostError("in the spool no more")), Step.WRITE)
                image = None
        self._finish()

    # --- release

    def _release(self) -> Facts:
        self._parts.jobs.begin(self._job_id, self._durable.run)
        self._watch.check()
        self._progress.put(Step.RELEASE, 0, 0)
        require_released(self._parts.orders.get(self._job_id))
        medium = self._parts.jobs.get(self._job_id).choice.medium
        require_drive(medium, self._parts.media_offered)  # before anything is fetched for it
        return {}

    def _open(self) -> Facts:
        job = self._parts.jobs.get(self._job_id)
        delivered = self._parts.media.delivered(self._job_id)
        disc_set = self._parts.jobs.disc_set(self._job_id)
        copies = delivered if disc_set is None else disc_set.copies(delivered)
        return {"copies": job.choice.copies - copies, "delivered": delivered}

    # --- retrieve and compose

    def _prepare(self) -> Facts:
        """Both again and again until there is an image. Raises Trouble if there never will be."""
        while True:
            step = Step.RETRIEVE
            try:
                retrieved = run_step(self._durable, "retrieve", self._retrieve)
                inventory = retrieved.get("inventory", "")
                step = Step.COMPOSE
                image = run_step(self._durable, "compose", partial(self._compose, inventory))
                self._waits.recovered()
                return image
            except Trouble as trouble:
                self._parts.forget(self._parts.spool.folder(self._job_id))
                if trouble.code in _FATAL:
                    raise
                self._trouble_at = step
                self._waits.mend(trouble, step)

    def _retrieve(self) -> Facts:
        order = self._parts.orders.get(self._job_id)
        self._progress.put(Step.RETRIEVE, 0, 0)
        if not order.study_instance_uid:
            self._parts.orders.set_study(self._job_id, self._parts.find(order))
            order = self._parts.orders.get(self._job_id)
        job = self._parts.jobs.get(self._job_id)
        with self._heavy():
            watch = Stopwatch(self._parts, Step.RETRIEVE, job.choice)

            def told(done: int, total: int) -> None:
                watch.count(done)
                self._progress.put(Step.RETRIEVE, done, total)

            inventory = self._parts.retrieve(
                order,
                job.choice.medium,
                self._parts.spool.folder(self._job_id),
                on_progress=told,
                on_trouble=lambda done, total: self._progress.put(
                    Step.RETRIEVE, done, total, "archive.retry"
                ),
                is_cancelled=self._watch,
            )
            watch.keep(watch.counted)
        if self._trouble_at is Step.RETRIEVE:
            self._waits.clear()
        return {"station": self._parts.station, "inventory": inventory}

    def _compose(self, inventory: str) -> Facts:
        if not inventory:  # of an earlier version, which kept none
            raise SpoolLostError("it is not on record what was retrieved")
        order = self._parts.orders.get(self._job_id)
        job = self._parts.jobs.get(self._job_id)
        self._progress.put(Step.COMPOSE, 0, 0)
        try:
            with self._heavy():
                watch = Stopwatch(self._parts, Step.COMPOSE, job.choice)
                image = self._parts.compose(
                    order,
                    job.choice.medium,
                    self._parts.spool.folder(self._job_id),
                    inventory=inventory,
                    on_progress=lambda done, total: self._progress.put(Step.COMPOSE, done, total),
                    is_cancelled=self._watch,
                )
                watch.keep(sum(it.instances for it in image.images))
        except SetOversizedError as error:
            if other_medium(job.choice.medium, self._parts.media_offered) is None:
                raise
            raise NeedsStickError(str(error)) from error
        if job.choice.medium is Medium.DISC:
            self._warn_of_stock([-(-it.size_bytes // 2048) for it in image.images])
        self._parts.jobs.note_left_out(self._job_id, image.lacks)
        holds = sum((it.holds for it in image.images), ObjectCounts())
        self._parts.jobs.note_contents(self._job_id, holds)
        disc_set = self._parts.jobs.note_set(self._job_id, [it.volume_id for it in image.images])
        self._waits.clear()
        if not image.more:
            return image.facts()
        return {"images": [it.facts() for it in image.images], "since": disc_set.since}

    def _warn_of_stock(self, images: Sequence[int]) -> None:
        """Staff can fetch blanks while the first ones are made; without them the job waits."""
        left = {it.drive: it.in_stock for it in self._parts.stock.counts()}
        planned = self._parts.planned_blocks
        short = blanks_short([DiscsOf(planned[it], left.get(it)) for it in planned], images)
        if short:
            log.warning("it takes %d discs, %d more than there are", len(images), short)

    def _heavy(self) -> AbstractContextManager[None]:
        job = self._parts.jobs.get(self._job_id)
        return self._parts.slots.hold(int(job.priority), self._watch)

    # --- burn

    def _burn(self, image: Facts, delivered: int) -> Facts:
        """One medium. Returns the burn's facts. Raises Trouble.

        Args:
            image: What "compose" returned: the facts of an image, or of those of a set.
            delivered: Media that are out.
        """
        if "images" in image:
            images = image["images"]
            image = images[(delivered - image["since"]) % len(images)]
        blocks = -(-image["size_bytes"] // 2048)
        chosen = self._waits.insist("drive", lambda: self._choose(blocks), Step.WRITE)
        facts = {
            "job_id": str(self._job_id),
            "drive": chosen["drive"],
            "medium": chosen["medium"],
            "image": image,
            "delivered": delivered,
            # What an earlier version chose is handed over as that one did.
            "hand_over": chosen.get("hand_over", HandOver.AT_ONCE.value),
        }
        try:
            done = self._durable.burn(
                chosen["drive"], next(self._burns), Priority(chosen["priority"]), facts
            )
        except BurnLostError as lost:
            if self._waits.insist("lost", self._lost, Step.WRITE)["is_cancelled"]:
                raise Trouble.of(StoppedError("cancelled")) from lost
            self._waits.mend(Trouble.of(EngineFaultError("the burn was lost")), Step.WRITE)
            return {}
        if "trouble" in done:
            raise Trouble(done["trouble"], Retry(done["retry"]), done["status_info"])
        return done

    def _lost(self) -> Facts:
        return {"is_cancelled": self._parts.jobs.is_cancelled(self._job_id)}

    def _choose(self, image_blocks: int) -> Facts:
        job = self._parts.jobs.get(self._job_id)
        medium: Medium = job.choice.medium
        require_drive(medium, self._parts.media_offered)
        drives = drives_now(self._parts, medium)
        # Spread by the job's id, which every run of the step knows: no drive is everybody's first.
        drive = choose_drive(drives, image_blocks, sum(self._job_id.encode()))
        self._progress.put(Step.WRITE, 0, 0, queued_note(drive))
        return {
            "drive": drive,
            "medium": medium.value,
            "hand_over": job.choice.hand_over.value,
            "priority": int(job.priority),
        }

    # --- the end

    def _finish(self) -> None:
        def end() -> Facts:
            self._wipe()
            self._parts.jobs.finish(self._job_id, self._durable.run)
            return {}

        self._final("finish", end)

    def fail(self, trouble: Trouble) -> None:
        """FAILURE with its reason; the spool is emptied."""

        def end() -> Facts:
            self._wipe()
            self._parts.jobs.fail(
                self._job_id,
                self._durable.run,
                status_info=trouble.status_info,
                error_code=trouble.code,
                hold_order=trouble.code in _HELD,
            )
            self._parts.reports.tidy(self._job_id)
            return {}

        self._final("fail", end)

    def _wipe(self) -> None:
        """Before the end is on record: from then on the folder may be the next run's."""
        if not self._parts.jobs.is_live(self._job_id, self._durable.run):
            return  # it ended before a crash
        try:
            self._parts.spool.wipe(self._job_id)
        except OSError as error:  # no reason to keep anybody waiting; the next start cleans up
            log.error("the spool of job %s is not emptied: %s", self._job_id, error.strerror)

    def _final(self, name: str, end: Callable[[], Facts]) -> None:
        """A last step, as often as it takes: it cannot be cancelled."""
        waits = Waits(self._durable, self._parts, self._job_id, is_final=True)
        while True:
            try:
                run_step(self._durable, name, end)
                return
            except Trouble as another:
                waits.mend(another, Step.HAND_OVER)
