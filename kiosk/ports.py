"""What the services need of the world, as Protocols. Adapters keep them, tests have stand-ins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from kiosk.domain.disc_set import DiscSet
from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.model import (
    AccessionNumber,
    Job,
    MediaChoice,
    Order,
    OrderId,
    PatientIdentity,
    Priority,
    Progress,
    Question,
    ReleaseState,
    Uid,
    Wanted,
)


class Clock(Protocol):
    """Time, replaceable in tests."""

    def now(self) -> datetime: ...  # aware, UTC
    def monotonic_s(self) -> float: ...
    def sleep_s(self, seconds: float) -> None: ...


# --- archive ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ListedInstance:
    """One object as the archive lists it (C-FIND at IMAGE level).

    Its SOP Class is not asked for: Orthanc opens each file to tell, 1 s for 1,000 objects.

    Attributes:
        modality: Of its Series, "" if the archive does not tell.
    """

    sop_instance_uid: Uid
    series_instance_uid: Uid
    modality: str


@dataclass(frozen=True, slots=True)
class ListedStudy:
    """A Study as the archive lists it; `instances` is the whole set that must arrive.

    Attributes:
        study_date: As the archive says it, unchecked; "" if it does not tell.
    """

    study_instance_uid: Uid
    accession_number: str
    patient: PatientIdentity
    instances: Sequence[ListedInstance]
    study_date: str = ""


@dataclass(frozen=True, slots=True)
class StoredInstance:
    """One object that arrived whole and is on disk.

    Attributes:
        file_name: Name inside the retrieval's folder; a counter, never made of DICOM text.
        sha256: Of the whole file, 32 bytes.
        header: `dicomdir.instance.Instance.to_bytes()` of what was read while it arrived.
    """

    sop_instance_uid: Uid
    file_name: str
    size_bytes: int
    sha256: bytes
    header: bytes


@dataclass(frozen=True, slots=True)
class MoveOutcome:
    """What the archive said at the end of one C-MOVE. Believed only for messages to staff."""

    status: int
    completed: int
    failed: int
    warning: int


class Pacs(Protocol):
    """The archive: C-ECHO, C-FIND, C-MOVE to our own Storage SCP."""

    def echo(self) -> None: ...
    def find_study_uids(self, accession_number: AccessionNumber) -> list[Uid]: ...
    def list_study(self, study_instance_uid: Uid) -> ListedStudy:
        """Study, series and image level. Raises ArchiveError, StudyNotFoundError if empty."""
        ...

    def move(
        self,
        study_instance_uid: Uid,
        folder: Path,
        *,
        only: Sequence[ListedInstance] = (),
        on_stored: Callable[[StoredInstance], None],
        is_cancelled: Callable[[], bool],
        is_complete: Callable[[], bool] = lambda: False,
    ) -> MoveOutcome:
        """One round: the whole Study, or `only` these objects; returns when all is quiet.

        `is_complete` says that nothing more is awaited: then no quiet time is waited for.
        `on_stored` is called in arrival order, from one thread; an exception of its own ends
        the move and is raised.
        """
        ...


# --- media --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LoadedMedium:
    """What is in a drive or port now.

    Attributes:
        wanted: What a person must do before it can be written; None if it can be written now.
        capacity_blocks: Free blocks of 2048 bytes, as the drive reports them; 0 if unknown.
        volume_id: ISO 9660 volume identifier or FAT label of what is on it, "" if blank or none.
        is_open: The tray is known to be open; what lies in it cannot be seen then.
        is_empty: Known to hold nothing.
    """

    wanted: Wanted | None
    kind: str
    capacity_blocks: int
    volume_id: str
    is_open: bool = False
    is_empty: bool = False


@dataclass(frozen=True, slots=True)
class MediumProgress:
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class WrittenMedium:
    """A medium whose every byte was read back equal to the image."""

    kind: str
    sha256: str
    image_bytes: int


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
        self, image_bytes: int, sha256: str, *, on_progress: Callable[[MediumProgress], None]
    ) -> WrittenMedium: ...
    def read(self, offset_bytes: int, size_bytes: int) -> bytes:
        """From the medium itself, for the identity gate on the read-back."""
        ...

    def eject(self) -> None: ...


# --- jobs ---------------------------------------------------------------------------------------


class Jobs(Protocol):
    """The durable engine, seen from outside. One row an order; the same job id twice is one job."""

    def submit(
        self, order_id: OrderId, choice: MediaChoice, priority: Priority, *, actor: str
    ) -> OrderId:
        """Job row, audit row and enqueue in one transaction."""
        ...

    def cancel(self, job_id: OrderId, *, actor: str) -> None: ...
    def answer(self, job_id: OrderId, number: int) -> None:
        """Somebody did what question `number` asks for; other numbers are dropped."""
        ...

    def get(self, job_id: OrderId) -> Job: ...
    def newest(self, *, limit: int = 100) -> list[Job]: ...
    def purge(self, *, ended_before: datetime) -> int: ...


# --- journal ------------------------------------------------------------------------------------


class Orders(Protocol):
    """The local table of orders. The kiosk searches nothing else."""

    def add(self, order: Order, *, actor: str) -> None: ...
    def get(self, order_id: OrderId) -> Order: ...
    def released_for(self, patient: PatientIdentity) -> list[Order]:
        """Released orders whose identity is the same by `domain.identity`, newest first."""
        ...

    def set_state(self, order_id: OrderId, state: ReleaseState, *, actor: str) -> None: ...
    def newest(self, *, limit: int = 100) -> list[Order]: ...
    def set_study(self, order_id: OrderId, study_instance_uid: str) -> None:
        """What the archive said an order without a Study Instance UID means; kept once."""
        ...


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """A ticket as stored: the secret only as a hash.

    Attributes:
        secret_hash: Hex; keyed with the site's ticket key.
        failures: Wrong tries so far; locked from `MAX_TRIES` on until staff unlock.
    """

    ticket_id: str
    secret_hash: str
    order_id: OrderId
    expires_at: datetime
    used_at: datetime | None
    failures: int


class Tickets(Protocol):
    """Claim tickets and the counters that survive a restart."""

    def add(self, record: ClaimRecord, *, actor: str) -> None:
        """Voids an earlier ticket of the same order."""
        ...

    def find(self, secret_hash: str) -> ClaimRecord | None: ...
    def count_failure(self, ticket_id: str | None, kiosk: str, at: datetime) -> None: ...
    def failures_since(self, kiosk: str, since: datetime) -> int: ...
    def mark_used(self, ticket_id: str, at: datetime) -> None: ...


class ProgressLog(Protocol):
    """At most one write a second a job; the newest wins."""

    def put(self, job_id: OrderId, progress: Progress) -> None: ...


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
    def put(self, entry: LedgerEntry) -> None: ...
    def free(self, drive: str) -> None: ...


class AuditLog(Protocol):
    """Append-only and hash-chained (PS3.15 A.5)."""

    def append(
        self, event: str, *, actor: str, subject: str, outcome: int, details: dict[str, str]
    ) -> None: ...
    def verify(self) -> int:
        """Number of rows of an intact chain. Raises JournalError naming the first broken row."""
        ...


class Questions(Protocol):
    """Numbered requests to people."""

    def ask(self, job_id: OrderId, wanted: Wanted) -> Question:
        """The open question if it wants the same, else a new one under the next number."""
        ...

    def close(self, job_id: OrderId) -> None: ...
    def answer(self, job_id: OrderId, number: int) -> bool:
        """False, and nothing happens, unless `number` is the open question's."""
        ...

    def is_answered(self, job_id: OrderId, number: int) -> bool: ...


class Presence(Protocol):
    """Whose visit shows at a kiosk just now: rows that count for some seconds only."""

    def touch(self, job_id: OrderId) -> None:
        """The visitor is there."""
        ...

    def leave(self, job_id: OrderId) -> None:
        """The visit has ended."""
        ...

    def seen_at(self, job_id: OrderId) -> datetime | None: ...


class Stations(Protocol):
    """Which engines live: each writes a beat every few seconds."""

    def silent_s(self, name: str = "") -> float | None:
        """Seconds since that station's engine beat last, "" for any engine; None if none ever did.

        Raises JournalError.
        """
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


class JobBook(Protocol):
    """The job rows as the engine sees them. A row that ended changes only by being placed again:
    a run that ended before, and is played back after a crash, must not end the one that followed.
    """

    def get(self, job_id: OrderId) -> Job: ...
    def begin(self, job_id: OrderId, run: int) -> None:
        """CREATING from now on."""
        ...

    def report(self, job_id: OrderId, *, status_info: str, error_code: str) -> None:
        """Why it waits; "NORMAL" and "" when it goes on."""
        ...

    def note_left_out(self, job_id: OrderId, counts: LeftOutCounts) -> None:
        """What its medium lacks, for the visitor and for staff; the newest build counts."""
        ...

    def note_set(self, job_id: OrderId, volume_ids: Sequence[str]) -> DiscSet:
        """What the media of one copy are called; one for a single medium. The same again changes
        nothing; another split begins an unfinished copy anew.
        """
        ...

    def disc_set(self, job_id: OrderId) -> DiscSet | None:
        """None while one medium holds all, as far as is known."""
        ...

    def is_cancelled(self, job_id: OrderId) -> bool: ...
    def is_live(self, job_id: OrderId, run: int) -> bool:
        """Whether it has not ended; one that was placed again is another run."""
        ...

    def finish(self, job_id: OrderId, run: int) -> None:
        """DONE and its order COLLECTED, in one transaction; once."""
        ...

    def fail(
        self, job_id: OrderId, run: int, *, status_info: str, error_code: str, hold_order: bool
    ) -> None:
        """FAILURE, audited; with `hold_order` the kiosk offers the order no more until staff do."""
        ...

    def live(self) -> Sequence[OrderId]:
        """Jobs of this station that have not ended, oldest first."""
        ...


class Spool(Protocol):
    """A private folder per job."""

    def folder(self, job_id: OrderId) -> Path: ...
    def free_bytes(self) -> int: ...
    def wipe(self, job_id: OrderId) -> None: ...
    def job_ids(self) -> Sequence[OrderId]: ...


class Lock(Protocol):
    """Held for the life of a process."""

    def hold(self) -> AbstractContextManager[None]: ...
