"""Drives and the media in them, and the record of whose they are and what became of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from kiosk.domain.model import OrderId, Wanted
from kiosk.domain.unfit import Unfit


@dataclass(frozen=True, slots=True)
class LoadedMedium:
    """What is in a drive or port now.

    Attributes:
        wanted: What a person must do before it can be written; None if it can be written now.
        capacity_blocks: Free blocks of 2048 bytes, as the drive reports them; 0 if unknown.
        volume_id: ISO 9660 volume identifier or FAT label of what is on it, "" if blank or none.
        is_open: The tray is known to be open; what lies in it cannot be seen then.
        is_empty: Known to hold nothing.
        unfit: Why what lies there cannot be used; None also if nothing does.
        mark: Tells one stick from another as far as that can be told, "" if it cannot.
    """

    wanted: Wanted | None
    kind: str
    capacity_blocks: int
    volume_id: str
    is_open: bool = False
    is_empty: bool = False
    unfit: Unfit | None = None
    mark: str = ""


@dataclass(frozen=True, slots=True)
class MediumProgress:
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class WrittenMedium:
    """A medium whose every byte was read back equal to the image.

    Attributes:
        is_read_back: False if the device itself says so, and we have only its word.
        rejected: Media that the device threw out before this one.
    """

    kind: str
    sha256: str
    image_bytes: int
    is_read_back: bool = True
    rejected: int = 0


class MediaWriter(Protocol):
    """One drive or port of one station. Raises the MediumError family."""

    name: str

    def inspect(self) -> LoadedMedium: ...
    def write(
        self,
        image: Path,
        *,
        on_progress: Callable[[MediumProgress], None],
        is_cancelled: Callable[[], bool],
    ) -> None: ...
    def verify(
        self,
        image_bytes: int,
        sha256: str,
        *,
        on_progress: Callable[[MediumProgress], None],
        image: Path | None = None,
    ) -> WrittenMedium:
        """Read it back.

        Args:
            image: The file itself, if another process wrote the medium: a stick holds the files
                of it only. Then nothing is changed on the stick either.
        """
        ...

    def read(self, offset_bytes: int, size_bytes: int) -> bytes:
        """From the medium itself, for the identity gate on the read-back."""
        ...

    def eject(self) -> None: ...


class DeviceWatch(Protocol):
    """What comes and goes at the drives. A hint that a look is worth while: the drive itself has
    the last word, and who is told nothing has to look from time to time.
    """

    def changes(self, drive: str) -> int:
        """How many there were at the drive so far."""
        ...

    def sleep_s(self, drive: str, seen: int, seconds: float) -> None:
        """At most so long, but only until `changes` is not `seen`."""
        ...


@runtime_checkable
class StagingWriter(MediaWriter, Protocol):
    """A device that makes and puts out a medium in one go: a robot. There is no look at the medium
    before it is out, so the image is looked at before it is made: `read` answers from what the
    device will read.
    """

    def stage(
        self,
        image: Path,
        sha256: str | None = None,
        *,
        on_progress: Callable[[MediumProgress], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        """Bring the image to the device, and prove it there. `eject` takes it away again.

        Raises:
            VerifyFailedError: What is there is not what was built. StoppedError.
        """
        ...

    def is_well(self) -> bool:
        """Whether what was wrong with the device is over, as far as it says so itself."""
        ...

    def examine(self) -> str:
        """Everything that can be looked at without making a medium, for staff."""
        ...

    def abandon(self) -> None:
        """Give up what nobody owns and the device still has of ours."""
        ...


@runtime_checkable
class ButtonWriter(MediaWriter, Protocol):
    """A drive with a door that stays locked and a button that asks for it to be opened."""

    def open_if(self, may_open: Callable[[], bool]) -> bool:
        """Eject if `may_open` says so at an instant in which nobody begins to write.

        Returns whether it did. Raises DriveFaultError, also if the drive stays busy.
        """
        ...


class LedgerPhase:
    """Phases of a drive's ledger row, in order."""

    WRITING, CLOSED, VERIFIED, SCRAP, FREE = "writing", "closed", "verified", "scrap", "free"
    OUT = "out"  # handed over, and not known to have gone: between VERIFIED and FREE


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """Which job owns the medium in a drive, and how far it got.

    Attributes:
        attempt: Number of discs begun for this job on this drive, from 1.
        volume_id: What the medium is called once written; how it is recognised after a restart.
        since: When the ledger was told, None before that.
    """

    drive: str
    job_id: OrderId
    phase: str
    attempt: int
    volume_id: str
    sha256: str
    since: datetime | None = field(default=None, compare=False)


class Ledger(Protocol):
    """The device ledger."""

    def owner(self, drive: str) -> LedgerEntry | None: ...
    def put(self, entry: LedgerEntry, *, reason: str = "") -> None:
        """Commit a phase.

        Args:
            reason: Why it is scrap, for the audit trail.
        """
        ...

    def free(self, drive: str) -> None: ...
    def reject(self, entry: LedgerEntry, count: int) -> None:
        """Put on record media that a device threw out by itself for the entry's: scrap, with the
        attempts that follow. Running it twice counts them once.
        """
        ...


@dataclass(frozen=True, slots=True)
class DriveCounts:
    """What a drive took, since it was first used.

    Attributes:
        begun: Media on which writing began; `good` were handed over, `spoiled` thrown away.
        in_stock: Blanks that are left for it; None if nobody has counted them.
        counted_at: When somebody did.
    """

    drive: str
    begun: int
    good: int
    spoiled: int
    in_stock: int | None
    counted_at: datetime | None


class MediaStock(Protocol):
    """Blanks for the drives of a station; the ledger counts them down."""

    def counts(self) -> list[DriveCounts]:
        """Of all drives that ever took a medium or were counted."""
        ...


DELIVERED = "delivered"
"""Outcome of a medium that was handed over; the others are LedgerPhases, or "unused"."""


@dataclass(frozen=True, slots=True)
class MediumRecord:
    """One medium that was begun for a job.

    Attributes:
        attempt: From 1, counted over all copies and drives of the job.
        outcome: A LedgerPhase, DELIVERED, or "unused" if nothing was written on it.
    """

    job_id: OrderId
    drive: str
    attempt: int
    volume_id: str
    sha256: str
    outcome: str
    begun_at: datetime


class MediaLog(Protocol):
    """Every medium begun and what became of it; `Ledger.put` moves its rows."""

    def begun(self, job_id: OrderId) -> int:
        """How many media were begun for the job so far."""
        ...

    def delivered(self, job_id: OrderId) -> int:
        """How many media were handed over since the job was placed last."""
        ...

    def deliver(self, entry: LedgerEntry, *, actor: str, details: dict[str, str]) -> bool:
        """Audit the export and mark the medium, in one transaction; False if it was before.

        Raises OrderNotReleasedError if its order was held or cancelled meanwhile.
        """
        ...

    def note_not_taken(self, entry: LedgerEntry) -> None:
        """Audit that a medium was delivered and not seen taken in time; once a medium."""
        ...

    def history(self, job_id: OrderId) -> list[MediumRecord]: ...
