"""One copy onto one medium: the workflow that runs on a drive's queue, one at a time a drive.

The queue gives the drive to one burn; the device ledger says what became of the medium of whoever
had it before. See `services.write` for what a crash leaves and how it is settled.
"""

from __future__ import annotations

from collections.abc import Callable

from kiosk.domain.model import ExecutionStatus, Medium, Order, OrderId, Step, Wanted
from kiosk.errors import (
    CheckFailedError,
    DriveFaultError,
    MediumError,
    MediumSpoiledError,
    MediumWantedError,
    OrderNotReleasedError,
    Retry,
    SpoolLostError,
    WrongPatientError,
)
from kiosk.ports import LedgerEntry, LedgerPhase, MediaWriter, MediumProgress
from kiosk.services.durable import Durable, Facts, Trouble, run_step
from kiosk.services.hand_over import hand_over, is_absent, is_delivered, scrap, settle_other
from kiosk.services.parts import EngineParts, Image
from kiosk.services.waiting import CancelWatch, ProgressRow, Waits, require_released
from kiosk.services.write import (
    DriveOccupied,
    ImageFacts,
    NeedsMedium,
    Outcome,
    Written,
    settle,
    write_once,
)

MAX_ROUNDS = 50
"""Looks at the drive that lead nowhere, before staff are asked."""

_SETTLED: Facts = {"outcome": "settled", "reason": "medium.wanted", "is_spent": False}
_WITHHELD: Facts = {"outcome": "withheld", "reason": "order.not_released", "is_spent": False}
_REFUSED = (WrongPatientError.code, CheckFailedError.code)


def burn(durable: Durable, parts: EngineParts, facts: Facts) -> Facts:
    """Write, verify and hand over one medium.

    Args:
        facts: "job_id", "drive", "medium", "image" (`Image.facts`) and "delivered": how many
            copies were out before this one.
    Returns:
        "delivered": True; or "lost": True if the image is not there any more (retrieve again); or
        the trouble that ended it.
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
        self._waits = Waits(durable, parts, self._job_id)
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
            if self._make() is None:
                return {"delivered": False, "lost": True}
            self._hand_over()
        except Trouble as trouble:
            if trouble.code == OrderNotReleasedError.code:
                self._withhold(trouble)
            raise
        return {"delivered": True}

    def _make(self) -> Facts | None:
        """A good medium in the drive, or None if its image is lost. Raises Trouble."""
        spoiled = rounds = 0
        while True:
            try:
                facts = run_step(self._durable, "write", self._write)
                if facts["outcome"] == "written":
                    return facts
                rounds += 1
                if facts["outcome"] == "withheld":
                    self._take_out(facts)
                    continue
                if facts["outcome"] == "settled" and rounds < MAX_ROUNDS:
                    continue
                spoiled += facts["is_spent"]
                if spoiled >= self._parts.policy.max_spoiled or rounds >= MAX_ROUNDS:
                    self._waits.ask(Wanted.STAFF, _why(facts), Step.WRITE)
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
        self._progress.put(Step.WRITE, 0, self._image.size_bytes)
        outcome = write_once(
            self._writer,
            self._parts.ledger,
            self._job_id,
            ImageFacts(path, self._image.size_bytes, self._image.sha256, self._image.volume_id),
            self._parts.media.begun(self._job_id) + 1,
            lambda at: self._progress.put(Step.WRITE, at.done_bytes, at.total_bytes),
            self._watch.by_request,
            on_verify_progress=self._on_verify,
            gate=lambda writer: self._parts.gate(order, self._medium, writer),
        )
        if isinstance(outcome, DriveOccupied):
            return self._settle(outcome.owner)
        return _to_facts(outcome)

    def _settle(self, owner: LedgerEntry) -> Facts:
        """The drive holds what may be a good medium of another job: that one first."""
        job = self._parts.jobs.get(owner.job_id)
        if job.status in (ExecutionStatus.DONE, ExecutionStatus.FAILURE):
            if not is_delivered(self._parts, owner) and self._may_be_whole(owner):
                return _WITHHELD
            scrap(self._parts, self._writer, owner)
            return _SETTLED
        order: Order = self._parts.orders.get(job.order_id)
        nothing_known = ImageFacts(self._parts.spool.folder(self._job_id), 0, "", owner.volume_id)
        outcome = settle(
            self._writer,
            self._parts.ledger,
            owner.job_id,
            nothing_known,
            self._on_verify,
            gate=lambda writer: self._parts.gate(order, self._medium, writer),
        )
        if isinstance(outcome, NeedsMedium):
            return {**_to_facts(outcome), "is_spent": False}
        if isinstance(outcome, Written):
            entry = self._parts.ledger.owner(self._drive)
            assert entry is not None
            try:
                settle_other(self._parts, self._writer, entry)
            except OrderNotReleasedError:
                return _WITHHELD
        return _SETTLED

    def _may_be_whole(self, owner: LedgerEntry) -> bool:
        volume_id = self._writer.inspect().volume_id
        return volume_id != "" and volume_id == owner.volume_id

    def _on_verify(self, at: MediumProgress) -> None:
        self._progress.put(Step.VERIFY, at.done_bytes, at.total_bytes)

    # --- people

    def _ask(self, facts: Facts) -> None:
        wanted = Wanted(facts["wanted"])

        def is_changed() -> bool:
            # The tray's state is the truth, an answer only a hint. What lies in a closed drive is
            # judged by the next look at it, and goes out again if it is no use.
            return wanted is not Wanted.STAFF and not is_absent(self._writer.inspect())

        self._waits.ask(wanted, _why(facts), Step.WRITE, is_changed)

    def _refuse(self, trouble: Trouble) -> None:
        """What is in the drive must not leave: it stays shut until staff come, cancelled or not.

        Raises:
            Trouble: Always, in the end; with the code of the refusal.
        """
        waits = Waits(self._durable, self._parts, self._job_id, is_final=True)
        waits.ask(Wanted.STAFF, trouble, Step.VERIFY)
        self._final(self._scrap_in_place, "refuse")
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
                and entry.phase != LedgerPhase.SCRAP
                and self._may_be_whole(entry)
            )
            return {"is_kept": is_kept}

        if self._final(look, "withhold")["is_kept"]:
            self._refuse(trouble)

    def _take_out(self, facts: Facts) -> None:
        """Another job left a medium that nobody may have any more: staff first, then scrap."""
        self._waits.ask(Wanted.STAFF, _why(facts), Step.WRITE)
        self._final(self._scrap_in_place, "refuse")

    def _scrap_in_place(self) -> Facts:
        entry = self._parts.ledger.owner(self._drive)
        if entry is not None:
            scrap(self._parts, self._writer, entry)
        return {}

    # --- out

    def _hand_over(self) -> None:
        self._final(self._give, "hand_over")

    def _final(self, work: Callable[[], Facts], name: str) -> Facts:
        """A step that has to succeed in the end: the medium is verified or refused already."""
        waits = Waits(self._durable, self._parts, self._job_id, is_final=True)
        while True:
            try:
                return run_step(self._durable, name, work)
            except Trouble as trouble:
                if trouble.code == OrderNotReleasedError.code:
                    raise  # staff said so, and are not asked
                waits.mend(trouble, Step.HAND_OVER)

    def _give(self) -> Facts:
        entry = self._parts.ledger.owner(self._drive)
        if entry is None or entry.job_id != self._job_id or entry.phase != LedgerPhase.VERIFIED:
            return {}  # done before a crash, or by whoever had the drive since
        self._progress.put(Step.HAND_OVER, 0, 1)
        order = self._parts.orders.get(self._job_id)
        hand_over(self._parts, self._writer, entry, order, self._medium)
        self._progress.put(Step.HAND_OVER, 1, 1)
        return {}


def _to_facts(outcome: Outcome) -> Facts:
    match outcome:
        case Written():
            return {"outcome": "written"}
        case NeedsMedium():
            return {
                "outcome": "needs",
                "wanted": outcome.wanted.value,
                "reason": outcome.reason,
                "is_spent": outcome.is_disc_spent,
            }
        case DriveOccupied():
            raise AssertionError("settled before")


def _why(facts: Facts) -> Trouble:
    """The reason that a wait shows."""
    for known in (MediumSpoiledError, MediumWantedError):
        if facts["reason"] == known.code:
            return Trouble(known.code, known.retry, MediumWantedError.status_info)
    return Trouble(facts["reason"], MediumError.retry, MediumWantedError.status_info)
