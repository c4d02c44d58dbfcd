"""One image onto one medium: the workflow that runs on a drive's queue, one at a time a drive.

The queue gives the drive to one burn; the device ledger says what became of the medium of whoever
had it before. See `services.write` for what a crash leaves and how it is settled.
"""

from __future__ import annotations

import logging

from kiosk.domain.model import HandOver, MediaChoice, Medium, OrderId, Step, Wanted
from kiosk.errors import (
    CheckFailedError,
    DriveFaultError,
    OrderNotReleasedError,
    Retry,
    SpoolLostError,
    UncollectedMediumError,
    WrongPatientError,
)
from kiosk.ports import LedgerEntry, LedgerPhase, MediaWriter, MediumProgress
from kiosk.services.attempt import DrawnIn, DriveOccupied, ImageFacts, NeedsMedium, Written
from kiosk.services.by_hand import BY_HAND
from kiosk.services.collect import Collect
from kiosk.services.drawer import is_missing
from kiosk.services.durable import Durable, Facts, Trouble, run_step
from kiosk.services.hand_over import (
    hand_over,
    is_delivered,
    is_due,
    is_present,
    may_be_whole,
    scrap,
)
from kiosk.services.left_behind import BEGUN, LeftBehind
from kiosk.services.outcomes import (
    WITHHELD,
    fingerprint,
    reason_of,
    to_facts,
    unfit_in,
    why,
)
from kiosk.services.parts import EngineParts, Image
from kiosk.services.timing import BurnWatch, Stopwatch
from kiosk.services.waiting import Answer, CancelWatch, ProgressRow, Waits, require_released
from kiosk.services.write import write_once

log = logging.getLogger(__name__)

MAX_ROUNDS = 50
"""Looks at the drive that lead nowhere, before staff are asked."""

_REFUSED = (WrongPatientError.code, CheckFailedError.code)


def burn(durable: Durable, parts: EngineParts, facts: Facts) -> Facts:
    """Write, verify and hand over one medium.

    Args:
        facts: "job_id", "drive", "medium", "image" (`Image.facts`) and "delivered": how many
            media were out before this one; "hand_over": whether its owner has to be there.
    Returns:
        "delivered": True; or "lost": True if the image is not there any more (retrieve again); or
        "is_stale": True if it lacks a report that was handed in since (build again); or the trouble
        that ended it.
    """
    try:
        return _Burn(durable, parts, facts).run()
    except Trouble as trouble:
        return {**trouble.facts(), "delivered": False}


class _Burn:
    def __init__(self, durable: Durable, parts: EngineParts, facts: Facts) -> None:
        self._durable, self._parts = durable, parts
        self._job_id = OrderId(facts["job_id"])
        self._drive: str = facts["drive"]
        self._medium = Medium(facts["medium"])
        self._delivered: int = facts["delivered"]
        self._image = Image.from_facts(facts["image"])
        self._is_on_claim = facts.get("hand_over") == HandOver.ON_CLAIM.value
        at = durable, parts, self._job_id, self._drive
        self._collect = Collect(*at, lambda: self._writer)
        self._left = LeftBehind(*at, self._medium, lambda: self._writer)
        self._waits = Waits(durable, parts, self._job_id, drive=self._drive)
        self._final = Waits(durable, parts, self._job_id, is_final=True, drive=self._drive)
        self._watch = CancelWatch(durable, parts, self._job_id)
        self._progress = ProgressRow(parts, self._job_id)

    @property
    def _writer(self) -> MediaWriter:
        writer = self._parts.writer(self._drive)
        if writer is None:
            raise DriveFaultError(f"{self._drive} is not a drive of this station")
        return writer

    def run(self) -> Facts:
        try:
            made = self._make()
            if made is None:
                return {"delivered": False, "lost": True}
            if made["outcome"] == "stale":
                return {"delivered": False, "is_stale": True}
            if not self._hand_over():
                return {"delivered": False}
        except Trouble as trouble:
            is_stopped = trouble.is_cancel and self._is_on_claim
            if is_stopped or trouble.code == OrderNotReleasedError.code:
                self._withhold(trouble)
            raise
        if self._is_on_claim:
            self._collect.see_taken()
        return {"delivered": True}

    def _make(self) -> Facts | None:
        """A good medium in the drive, or the word that its image is stale; None if that is lost.

        Raises:
            Trouble: There will be none.
        """
        spoiled = rounds = 0
        while True:
            try:
                facts = run_step(self._durable, "write", self._attempt)
                if facts["outcome"] in ("written", "stale"):
                    return facts
                rounds += 1
                if facts["outcome"] == "withheld":
                    self._left.take_out(facts)
                    continue
                if facts["outcome"] == "uncollected":
                    self._left.wait_behind(facts)
                    continue
                if facts["outcome"] == "settled" and rounds < MAX_ROUNDS:
                    continue
                spoiled += facts["is_spent"]
                if spoiled >= self._parts.policy.max_spoiled or rounds >= MAX_ROUNDS:
                    self._waits.ask(Wanted.STAFF, why(facts), Step.WRITE)
                    if facts.get("is_lost"):
                        self._left.give_up()
                    spoiled = rounds = 0
                else:
                    self._ask(facts)
            except Trouble as trouble:
                if trouble.code == SpoolLostError.code:
                    return None
                if trouble.code in _REFUSED:
                    self._refuse(trouble)
                if trouble.code == OrderNotReleasedError.code:
                    raise
                self._waits.mend(trouble, Step.WRITE)

    # --- write and verify

    def _attempt(self) -> Facts:
        facts = self._write()
        if facts["outcome"] == "written":
            self._waits.clear()
        return facts

    def _write(self) -> Facts:
        if self._parts.media.delivered(self._job_id) > self._delivered:
            # Written before a crash, and handed over by whoever had the drive first since.
            return {"outcome": "written"}
        if self._image.station != self._parts.station:
            raise SpoolLostError("the image is in another station's spool")
        folder = self._parts.spool.folder(self._job_id)
        path = folder / self._image.file_name
        if not path.exists():
            raise SpoolLostError("the image is not in the spool")
        order = self._parts.orders.get(self._job_id)
        require_released(order)
        entry = self._parts.ledger.owner(self._drive)
        if self._is_stale(entry):
            return {"outcome": "stale"}
        self._begin()
        if entry is not None and entry.job_id == BY_HAND:
            return self._left.refuse_by_hand(entry)
        if entry is not None and self._is_odd(entry):
            return self._left.refuse(entry)
        watch = BurnWatch(self._parts, self._medium)

        def on_verify(at: MediumProgress) -> None:
            watch.reads_back()
            self._on_verify(at)

        outcome = write_once(
            self._writer,
            self._parts.ledger,
            self._job_id,
            ImageFacts(path, self._image.size_bytes, self._image.sha256, self._image.volume_id),
            self._parts.media.begun(self._job_id) + 1,
            lambda at: self._progress.put(Step.WRITE, at.done_bytes, at.total_bytes),
            self._watch.by_request,
            on_verify_progress=on_verify,
            gate=lambda writer: self._parts.gate(order, self._medium, writer),
        )
        if isinstance(outcome, Written) and not outcome.is_recovered:
            watch.keep(self._image.size_bytes)
        if isinstance(outcome, DriveOccupied):
            return self._left.settle(outcome.owner, self._on_verify)
        if isinstance(outcome, DrawnIn):
            return self._left.draw_out(outcome.owner)
        if isinstance(outcome, NeedsMedium):
            log.warning(
                "%s: %s is wanted: %s", self._drive, outcome.wanted.value, reason_of(outcome)
            )
        return to_facts(outcome)

    def _is_stale(self, entry: LedgerEntry | None) -> bool:
        """Whether a report was handed in or taken back since the image was made, and no medium of
        it is begun. The media of a set stay as they were split.
        """
        is_begun = (
            entry is not None and entry.job_id == self._job_id and entry.phase in BEGUN
        ) or self._image.number > 1
        return not is_begun and self._parts.reports.digest(self._job_id) != self._image.reports

    def _is_odd(self, entry: LedgerEntry) -> bool:
        """Another medium of the same set, or of another split, of which nothing more is wanted."""
        return (
            entry.job_id == self._job_id
            and entry.phase in BEGUN
            and entry.volume_id != self._image.volume_id
            and not is_delivered(self._parts, entry)
        )

    def _begin(self) -> None:
        """It is this job's turn: it waits behind nobody any more."""
        if self._parts.jobs.get(self._job_id).error_code == UncollectedMediumError.code:
            self._parts.jobs.report(self._job_id, status_info="NORMAL", error_code="")
        self._progress.put(Step.WRITE, 0, self._image.size_bytes)

    def _on_verify(self, at: MediumProgress) -> None:
        self._progress.put(Step.VERIFY, at.done_bytes, at.total_bytes)

    # --- people

    def _ask(self, facts: Facts) -> None:
        wanted = Wanted(facts["wanted"])
        if wanted is Wanted.TAKE_MEDIUM:
            self._left.ask_to_take(facts)
            return

        kept = facts.get("kept")
        was_missing = kept is None

        def is_changed() -> bool:
            # The drive's state is the truth, an answer only a hint. What lies in it is judged by
            # the next look at it: once. A disc that is no use goes out again, a stick cannot.
            nonlocal was_missing
            if self._is_stale(self._parts.ledger.owner(self._drive)):
                return True  # built again while the disc is still waited for
            if wanted is Wanted.STAFF:
                return False
            loaded = self._writer.inspect()
            if is_missing(loaded):
                was_missing = True
                return False
            return was_missing or fingerprint(loaded) != kept

        ended = self._waits.ask(wanted, why(facts), Step.WRITE, is_changed, unfit=unfit_in(facts))
        if facts.get("is_lost") and ended is Answer.GIVEN:
            self._left.give_up()

    def _refuse(self, trouble: Trouble) -> None:
        """What is in the drive must not leave: it stays shut until staff come, cancelled or not.

        Raises:
            Trouble: Always, in the end; with the code of the refusal.
        """
        self._final.ask(Wanted.STAFF, trouble, Step.VERIFY)
        self._final.succeed("refuse", self._scrap)
        raise Trouble(trouble.code, Retry.NEVER, trouble.status_info)

    def _withhold(self, trouble: Trouble) -> None:
        """The order was held or cancelled: what was begun of it is refused, good or not.

        Raises:
            Trouble: `trouble`, if there is such a medium and it is out.
        """

        def look() -> Facts:
            entry = self._parts.ledger.owner(self._drive)
            is_kept = (
                entry is not None
                and entry.job_id == self._job_id
                and entry.phase not in (LedgerPhase.SCRAP, LedgerPhase.OUT)
                and may_be_whole(self._writer, entry)
            )
            return {"is_kept": is_kept}

        if self._final.succeed("withhold", look)["is_kept"]:
            self._refuse(trouble)

    def _scrap(self) -> Facts:
        entry = self._parts.ledger.owner(self._drive)
        if entry is not None:
            scrap(self._parts, self._writer, entry)
        return {}

    # --- out

    def _hand_over(self) -> bool:
        """False if it is not its turn after all: staff took it out."""
        while True:
            if self._is_on_claim:
                self._collect.await_owner()
            done = self._final.succeed("hand_over", self._give)
            if done.get("is_odd"):
                self._left.take_out(WITHHELD)
                return False
            if not done.get("is_away"):
                return True

    def _give(self) -> Facts:
        entry = self._parts.ledger.owner(self._drive)
        if entry is None or entry.job_id != self._job_id or entry.phase != LedgerPhase.VERIFIED:
            return {}  # done before a crash, or by whoever had the drive since
        if self._is_on_claim and not is_present(self._parts, self._job_id):
            return {"is_away": True}  # he was there before a crash
        if not is_due(self._parts, entry):
            return {"is_odd": True}
        self._progress.put(Step.HAND_OVER, 0, 1)
        watch = Stopwatch(self._parts, Step.HAND_OVER, MediaChoice(self._medium))
        order = self._parts.orders.get(self._job_id)
        hand_over(self._parts, self._writer, entry, order, self._medium)
        watch.keep(1)
        self._progress.put(Step.HAND_OVER, 1, 1)
        return {}
