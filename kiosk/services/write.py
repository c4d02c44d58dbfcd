"""One attempt to bring an image onto a medium, so that a power cut at any instant never makes two
good ones.

The device ledger says whose medium is in the drive and how far it got; the row is committed before
the laser is on. Whoever gets the drive first settles what the ledger says: a disc of ours that
turns out whole is taken as it is, a broken one is scrapped, and nothing else is ever ejected. The
drive's own lock keeps two writers apart; one `write_once` at a time and drive is the caller's part.

```
            blank seen          engine ended        read back equal, gate passed
 (free) ---> WRITING ---------> CLOSED -----------> VERIFIED ---> OUT ---> (free)
                |  spoiled         |  mismatch        hand-over |    seen to have gone
                +------> SCRAP <---+----------------------------+ drawn in again: void
```
A disc on record that is not in the drive any more is staff's: after their answer it is SCRAP too.
SCRAP and OUT are ejected and stay on record until the closed tray shows that they have gone: what
lies in an open tray nobody can tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kiosk.domain.model import OrderId, Wanted
from kiosk.domain.unfit import Unfit
from kiosk.errors import (
    KioskError,
    MediumError,
    MediumNotTakenError,
    MediumSpoiledError,
    MediumWantedError,
    StoppedError,
    VerifyFailedError,
)
from kiosk.ports import (
    Ledger,
    LedgerEntry,
    LedgerPhase,
    LoadedMedium,
    MediaWriter,
    MediumProgress,
    StagingWriter,
    WrittenMedium,
)
from kiosk.services.attempt import (
    DrawnIn,
    DriveOccupied,
    ImageFacts,
    NeedsMedium,
    Outcome,
    Written,
)
from kiosk.services.drawer import is_absent, is_drawn_in, is_gone, is_missing

__all__ = [
    "DrawnIn",
    "DriveOccupied",
    "ImageFacts",
    "NeedsMedium",
    "Outcome",
    "Written",
    "settle",
    "write_once",
]


_BLOCK_BYTES = 2048
_PRIMARY_DESCRIPTOR = 16 * _BLOCK_BYTES  # ECMA-119 6.2.1

Gate = Callable[[MediaWriter], None]
OnProgress = Callable[[MediumProgress], None]


def no_gate(writer: MediaWriter) -> None:
    """Passes everything."""


def write_once(
    writer: MediaWriter,
    ledger: Ledger,
    job_id: OrderId,
    image: ImageFacts,
    attempt: int,
    on_progress: OnProgress,
    is_cancelled: Callable[[], bool],
    *,
    on_verify_progress: OnProgress | None = None,
    gate: Gate = no_gate,
) -> Outcome:
    """Settle the drive, then write and verify one medium if one is there.

    Args:
        attempt: Number of the disc if one is begun now, from 1.
        on_progress: Bytes written; `on_verify_progress` (the same if None) bytes read back.
        gate: Looks at the medium through `MediaWriter.read` when its bytes are proven, before it
            counts as good; what it raises leaves the disc in the closed drive.
    Raises:
        StoppedError: Cancelled. A disc that was touched is scrap and ejected; one that reads back
            whole all the same is `Written`: the wish came too late.
        DriveFaultError, MediumError: The ledger keeps what is known; call again after it is mended.
    """
    job = _Job(writer, ledger, job_id, image, on_verify_progress or on_progress, gate)
    settled = job.settle()
    if settled is not None:
        return settled
    loaded = writer.inspect()
    if loaded.wanted is not None:
        return job.ask_for(loaded.wanted, loaded, loaded.unfit, loaded.kind)
    if is_cancelled():
        raise StoppedError("stopped before the medium was touched")
    return job.write(loaded, attempt, on_progress, is_cancelled)


def settle(
    writer: MediaWriter,
    ledger: Ledger,
    job_id: OrderId,
    image: ImageFacts,
    on_progress: OnProgress,
    *,
    gate: Gate = no_gate,
) -> Outcome | None:
    """Only the first half of `write_once`: find out what became of the job's disc in this drive.

    Returns:
        None if the drive is free or holds nothing of value: then it may be written.
    """
    return _Job(writer, ledger, job_id, image, on_progress, gate).settle()


class _Job:
    """What the steps of one attempt share."""

    def __init__(
        self,
        writer: MediaWriter,
        ledger: Ledger,
        job_id: OrderId,
        image: ImageFacts,
        on_verify_progress: OnProgress,
        gate: Gate,
    ) -> None:
        self._writer = writer
        self._ledger = ledger
        self._job_id = job_id
        self._image = image
        self._on_verify_progress = on_verify_progress
        self._gate = gate

    # --- what is there already

    def settle(self) -> Outcome | None:
        row = self._ledger.owner(self._writer.name)
        if row is None or row.phase == LedgerPhase.FREE:
            return None
        if row.phase == LedgerPhase.SCRAP:
            return self._settle_scrap(row)
        if row.phase == LedgerPhase.OUT:
            return self._settle_out(row)
        is_mine = row.job_id == self._job_id
        loaded = self._writer.inspect()
        if row.phase == LedgerPhase.WRITING:
            return self._settle_writing(row, loaded, is_mine=is_mine)
        if not is_mine:
            return DriveOccupied(row)
        if row.phase == LedgerPhase.VERIFIED and is_absent(loaded):
            # it was good, and only a hand-over opens the drive: it is out, there must be no second
            medium = WrittenMedium(loaded.kind, row.sha256, self._image.size_bytes)
            return Written(medium, row.attempt, is_recovered=True)
        return self._settle_closed(row, loaded)

    def _settle_scrap(self, row: LedgerEntry) -> Outcome | None:
        """Known scrap goes out; whatever else lies in the drive by now is judged as if it were
        free.
        """
        loaded = self._writer.inspect()
        is_in = loaded.wanted is Wanted.OTHER_DISC and loaded.volume_id in ("", row.volume_id)
        if is_in:
            self._writer.eject()
        if is_in or loaded.is_open:
            return NeedsMedium(Wanted.OTHER_DISC, MediumSpoiledError.code)
        self._ledger.free(self._writer.name)
        return None

    def _settle_out(self, row: LedgerEntry) -> Outcome | None:
        """Handed over: the drive is free when that medium has gone, and not before."""
        loaded = self._writer.inspect()
        if is_gone(row, loaded):
            self._ledger.free(self._writer.name)
            return None
        if is_drawn_in(row, loaded):
            return DrawnIn(row)
        is_own_tray = row.job_id == self._job_id and loaded.is_open
        # The same person has the copy before in his hand, and knows.
        wanted = Wanted.BLANK_DISC if is_own_tray else Wanted.TAKE_MEDIUM
        return NeedsMedium(wanted, MediumNotTakenError.code)

    def _settle_writing(
        self, row: LedgerEntry, loaded: LoadedMedium, *, is_mine: bool
    ) -> Outcome | None:
        """Writing was begun, its end not committed: what is in the drive tells how far it got."""
        if loaded.wanted is None:
            self._ledger.free(self._writer.name)  # still blank: the laser was never on
            return None
        if is_absent(loaded):
            self._ledger.put(replace(row, phase=LedgerPhase.SCRAP))
            self._ledger.free(self._writer.name)
            wanted = Wanted.STICK if loaded.wanted is Wanted.STICK else Wanted.BLANK_DISC
            return NeedsMedium(
                wanted, MediumSpoiledError.code, "the begun medium is gone", is_disc_spent=is_mine
            )
        if loaded.volume_id == "":
            return self._scrap(row, MediumSpoiledError.code, "writing was broken off")
        if loaded.volume_id != row.volume_id:
            return _changed()
        if not is_mine:
            return DriveOccupied(row)
        return self._verify(row, is_recovered=True)

    def _settle_closed(self, row: LedgerEntry, loaded: LoadedMedium) -> Outcome | None:
        """Our disc was written whole. It may lie in the open tray: reading back reloads it."""
        if loaded.wanted is None and loaded.volume_id == row.volume_id:
            self._ledger.free(self._writer.name)  # a stick not finished yet: the same one again
            return None
        if loaded.volume_id == row.volume_id or is_absent(loaded):
            return self._verify(row, is_recovered=True)
        return _changed()

    # --- a new one

    def ask_for(
        self, wanted: Wanted, loaded: LoadedMedium, unfit: Unfit | None, detail: str
    ) -> NeedsMedium:
        """The drive is nobody's and cannot be written. A disc in it goes out to be changed; a
        stick, or what the drive does not let go, stays and is remembered.
        """
        if wanted in (Wanted.OTHER_DISC, Wanted.LARGER_MEDIUM):
            self._writer.eject()
        kept = loaded if unfit is not None and not is_missing(self._writer.inspect()) else None
        return NeedsMedium(wanted, MediumWantedError.code, detail, unfit=unfit, kept=kept)

    def write(
        self,
        loaded: LoadedMedium,
        attempt: int,
        on_progress: OnProgress,
        is_cancelled: Callable[[], bool],
    ) -> Outcome:
        self._stage(on_progress, is_cancelled)
        row = LedgerEntry(
            drive=self._writer.name,
            job_id=self._job_id,
            phase=LedgerPhase.WRITING,
            attempt=attempt,
            volume_id=self._image.volume_id,
            sha256=self._image.sha256,
        )
        self._ledger.put(row)
        try:
            # looks at the medium again: it may have been changed since the first look
            self._writer.write(self._image.path, on_progress=on_progress, is_cancelled=is_cancelled)
        except MediumWantedError as error:
            self._ledger.free(self._writer.name)
            unfit = Unfit(error.unfit) if error.unfit else None
            return self.ask_for(Wanted[error.reason], loaded, unfit, str(error))
        except StoppedError:
            if self._may_be_whole(row):
                return self._verify(row, is_recovered=True)
            self._ledger.free(self._writer.name)
            raise
        except MediumSpoiledError as error:
            return self._after_spoiled(row, error, is_cancelled)
        except MediumError as error:
            self._note_end(row, error)
            raise
        return self._verify(row, is_recovered=False)

    def _note_end(self, row: LedgerEntry, error: MediumError) -> None:
        """The drive's fault or ours: what became of the medium stands on record before staff hear
        of it. What was touched is scrap, even if it closes and reads back one day; it comes out
        when the drive is well. Of what nobody can tell the next look at the drive will.
        """
        if error.has_begun:
            self._ledger.put(replace(row, phase=LedgerPhase.SCRAP))
        elif error.has_begun is False:
            self._ledger.free(self._writer.name)

    def _stage(self, on_progress: OnProgress, is_cancelled: Callable[[], bool]) -> None:
        """A robot puts its disc out by itself: hash and patients are looked at before it begins."""
        if not isinstance(self._writer, StagingWriter):
            return
        image = self._image
        self._writer.stage(
            image.path, image.sha256, on_progress=on_progress, is_cancelled=is_cancelled
        )
        try:
            self._gate(self._writer)
        except KioskError:
            self._writer.eject()  # nothing was made, and nothing stays with the robot
            raise

    def _after_spoiled(
        self, row: LedgerEntry, error: MediumSpoiledError, is_cancelled: Callable[[], bool]
    ) -> Outcome:
        """A cancel may come after the last sector: a whole disc called scrap would be a second good
        one as soon as another is made. What the drive itself gave up on is scrap, even if its image
        can be read back: not all signs of a good disc hold.
        """
        if error.was_stopped and self._may_be_whole(row):
            outcome: Outcome = self._verify(row, is_recovered=True)
            if not isinstance(outcome, NeedsMedium) or not outcome.is_disc_spent:
                return outcome
        else:
            self._ledger.reject(row, error.discs - 1)
            outcome = self._scrap(row, error.code, str(error))
        if is_cancelled():
            raise StoppedError("stopped while writing; the disc is scrap") from error
        return outcome

    def _may_be_whole(self, row: LedgerEntry) -> bool:
        """A disc with our name that takes no more; the rest is told by reading it back."""
        loaded = self._writer.inspect()
        return loaded.wanted is Wanted.OTHER_DISC and loaded.volume_id == row.volume_id

    def _verify(self, row: LedgerEntry, *, is_recovered: bool) -> Outcome:
        """Read back. A disc found after a restart may be a torso: CLOSED only once it is proven."""
        closed = row
        if row.phase == LedgerPhase.WRITING:
            closed = replace(row, phase=LedgerPhase.CLOSED)
        if not is_recovered:
            self._ledger.put(closed)
        try:
            size_bytes = self._size_of(row)
            # Before the first block: a drive may take its time to load the disc again.
            self._on_verify_progress(MediumProgress(0, size_bytes))
            medium = self._writer.verify(
                size_bytes, row.sha256, on_progress=self._on_verify_progress
            )
        except MediumWantedError as error:
            wanted = Wanted[error.reason]
            if wanted is Wanted.CLOSE_TRAY and self._writer.inspect().is_empty:
                return _changed()  # the tray is shut already, and somebody has the disc
            return NeedsMedium(wanted, error.code, str(error))
        except VerifyFailedError as error:
            if self._is_other_disc(row):
                return _changed()
            # Found after a restart with no end of writing on record: a torso, not a bad disc.
            is_torso = is_recovered and row.phase == LedgerPhase.WRITING
            code = MediumSpoiledError.code if is_torso else error.code
            return self._scrap(row, code, str(error))
        if is_recovered and closed is not row:
            self._ledger.put(closed)
        self._ledger.reject(row, medium.rejected)
        self._gate(self._writer)
        self._ledger.put(replace(row, phase=LedgerPhase.VERIFIED))
        return Written(medium, row.attempt, is_recovered)

    def _size_of(self, row: LedgerEntry) -> int:
        """Bytes to read back. An image built anew may have another length than the disc has."""
        if row.sha256 == self._image.sha256:
            return self._image.size_bytes
        blocks = self._writer.read(_PRIMARY_DESCRIPTOR + 80, 4)  # ECMA-119 8.4.8, both orders
        return max(int.from_bytes(blocks, "little"), 1) * _BLOCK_BYTES

    def _is_other_disc(self, row: LedgerEntry) -> bool:
        """Blank, or called otherwise: then it is not what we wrote. A torso may have no name."""
        loaded = self._writer.inspect()
        if loaded.volume_id == row.volume_id:
            return False
        return loaded.wanted is None or loaded.volume_id != ""

    def _scrap(self, row: LedgerEntry, reason: str, detail: str) -> NeedsMedium:
        self._ledger.put(replace(row, phase=LedgerPhase.SCRAP))
        self._writer.eject()
        loaded = self._writer.inspect()
        is_stick = loaded.wanted is Wanted.STICK or (
            loaded.wanted is None and loaded.volume_id == row.volume_id
        )
        return NeedsMedium(
            Wanted.STICK if is_stick else Wanted.OTHER_DISC,
            reason,
            detail,
            is_disc_spent=row.job_id == self._job_id,
        )


def _changed() -> NeedsMedium:
    """Somebody has or changed the disc: a good one may be out there, so no second without staff."""
    return NeedsMedium(
        Wanted.STAFF, MediumWantedError.code, "not the disc that was written", is_lost=True
    )
