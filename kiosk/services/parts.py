"""What the workflow is put together from: the real things in `bootstrap`, fakes in tests."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from kiosk.domain.contents import ObjectCounts
from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.model import Medium, Order, OrderId
from kiosk.domain.protection import JobPassword
from kiosk.domain.rates import Rates, StepTime
from kiosk.errors import ConfigError
from kiosk.ports import (
    Clock,
    DeviceWatch,
    DriveCounts,
    JobBook,
    Ledger,
    LedgerEntry,
    MediaLog,
    MediaStock,
    MediaWriter,
    Orders,
    Passwords,
    Presence,
    ProgressLog,
    Questions,
    Spool,
    StepTimes,
)
from kiosk.services.durable import Facts
from kiosk.services.slots import Slots

OnCount = Callable[[int, int], None]
"""Done and total, total 0 while unknown."""

IsCancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Image:
    """A finished and checked image in the job's spool folder.

    Attributes:
        file_name: Inside the folder; a folder itself for a stick's volume.
        sha256: Hexadecimal, of the whole image.
        volume_id: Made of the job's id, never of patient data.
        left_out: Objects that could not go onto the medium and are listed on it.
        station: In whose spool it is.
        lacks: The same by kind, for people; no fact that a later step decides by.
        holds: What is on it by kind; likewise for people alone.
        number, of: "Disc `number` of `of`".
        more: The others of a set, in order; `left_out` and `lacks` are told of the first alone.
        reports: `domain.report.digest_of` what was handed in and is on it.
    """

    file_name: str
    size_bytes: int
    sha256: str
    volume_id: str
    instances: int
    left_out: int
    station: str
    lacks: LeftOutCounts = LeftOutCounts()
    holds: ObjectCounts = ObjectCounts()
    number: int = 1
    of: int = 1
    more: tuple[Image, ...] = ()
    reports: str = ""

    @property
    def images(self) -> tuple[Image, ...]:
        """One a medium."""
        return (replace(self, more=()), *self.more)

    def facts(self) -> Facts:
        """Of one medium; a set's are a list of them (`services.workflow`)."""
        place = {"number": self.number, "of": self.of} if self.of > 1 else {}
        reports = {"reports": self.reports} if self.reports else {}
        return {
            **place,
            **reports,
            "file_name": self.file_name,
            "size_bytes": self.size_bytes,
            "sha256": self.sha256,
            "volume_id": self.volume_id,
            "instances": self.instances,
            "left_out": self.left_out,
            "station": self.station,
        }

    @classmethod
    def from_facts(cls, facts: Facts) -> Image:
        return cls(**facts)


class Find(Protocol):
    """The Study Instance UID of an order that came without one."""

    def __call__(self, order: Order) -> str: ...


class Retrieve(Protocol):
    """Bring the whole Study into the folder, or raise. What is there already may be kept.

    The medium is told so that building may begin meanwhile.

    Returns:
        The inventory of what is there now: see `arrivals.inventory_of`.
    """

    def __call__(
        self,
        order: Order,
        medium: Medium,
        folder: Path,
        *,
        on_progress: OnCount,
        on_trouble: OnCount,
        is_cancelled: IsCancelled,
    ) -> str: ...


class Compose(Protocol):
    """Build the image out of what was retrieved into the folder, and check it; or a set of them.

    Args:
        inventory: What the retrieval returned; less than that is no study.
    Raises:
        SpoolLostError: Retrieve again.
        SpoolFullError, CheckFailedError, WrongPatientError, SetOversizedError, StoppedError
    """

    def __call__(
        self,
        order: Order,
        medium: Medium,
        folder: Path,
        *,
        inventory: str,
        on_progress: OnCount,
        is_cancelled: IsCancelled,
    ) -> Image: ...


class Gate(Protocol):
    """Is what the medium itself says the order's patient's? Raises WrongPatientError if not."""

    def __call__(self, order: Order, medium: Medium, writer: MediaWriter) -> None: ...


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient the workflow is.

    Attributes:
        delays_s: Waits before trying again; the last one repeats.
        attempts: Tries before staff are asked, for troubles that waiting alone seldom mends.
        max_spoiled: Discs spoiled in a row for one copy before staff are asked.
        poll_s: Between two looks at the journal for what is waited for.
        device_poll_s: Between two looks into a drive.
        collect_s: A good medium waits so long in the shut drive for its owner; then staff are told.
        removal_s: A medium that was handed over may lie in the open tray so long before that is
            noted; the next job asks staff after as long a wait.
        presence_s: So long somebody counts as present whose visit was seen at a kiosk.
        heavy: Jobs that retrieve or build at the same time.
    """

    delays_s: tuple[float, ...] = (5.0, 15.0, 60.0, 300.0, 900.0)
    attempts: int = 5
    max_spoiled: int = 3
    poll_s: float = 0.5
    device_poll_s: float = 1.0
    collect_s: float = 600.0
    removal_s: float = 60.0
    presence_s: float = 10.0
    heavy: int = 2

    def delay_s(self, failures: int) -> float:
        """Before the next try, after so many failures in a row (from 1)."""
        return self.delays_s[min(failures, len(self.delays_s)) - 1]


def require_drive(medium: Medium, offered: Collection[Medium]) -> None:
    """Raises ConfigError: no drive of this station writes such a medium."""
    if medium not in offered:
        raise ConfigError(f"this station has no drive for {medium.value}")


class NobodyPresent:
    """Keeps `kiosk.ports.Presence` where there is no kiosk: visits are nobody's, and not seen."""

    def touch(self, job_id: OrderId) -> None:
        del job_id

    def leave(self, job_id: OrderId) -> None:
        del job_id

    def seen_at(self, job_id: OrderId) -> datetime | None:
        del job_id
        return None


class HandedInReports(Protocol):
    """What was handed in for orders from outside (`services.reports`)."""

    def digest(self, order_id: OrderId) -> str:
        """One name for what is kept of an order now, "" for nothing."""
        ...

    def tidy(self, order_id: OrderId) -> None:
        """A job of the order has ended: if it was cancelled, nothing more is needed of it."""
        ...

    def sweep(self, ended_before: datetime) -> None:
        """The same of all orders; what ended before is too old to be made again. Raises OSError."""
        ...


class NothingHandedIn:
    """Keeps `HandedInReports` where there are none."""

    def digest(self, order_id: OrderId) -> str:
        del order_id
        return ""

    def tidy(self, order_id: OrderId) -> None:
        del order_id

    def sweep(self, ended_before: datetime) -> None:
        del ended_before


class KeptForms(Protocol):
    """Release forms that patients signed (`services.release_forms`)."""

    def sweep(self) -> None:
        """Purge what was kept long enough. Raises JournalError, OSError."""
        ...


class NoForms:
    """Keeps `KeptForms` where there are none."""

    def sweep(self) -> None:
        return


class NoPasswords:
    """Keeps `kiosk.ports.Passwords` where no medium is protected."""

    def of(self, job_id: OrderId) -> JobPassword | None:
        del job_id
        return None

    def is_told(self, job_id: OrderId) -> bool:
        del job_id
        return True

    def tell(self, password_id: str, *, actor: str) -> None:
        del password_id, actor


class NothingCounted:
    """A MediaStock of drives whose blanks nobody counts."""

    def counts(self) -> list[DriveCounts]:
        return []


class NothingTimed:
    """Keeps `kiosk.ports.StepTimes` where nobody asks how long anything takes."""

    def add(self, time: StepTime) -> None:
        del time

    def rates(self) -> Rates:
        return Rates()


class MediaLabels(Protocol):
    """What is printed for media (`services.label_prints`)."""

    def handed_out(self, entry: LedgerEntry, medium: Medium) -> None:
        """Print what this site prints for a medium that leaves now; once a medium. Raises
        JournalError alone.
        """
        ...


class NoLabels:
    """Keeps `MediaLabels` where nothing is printed."""

    def handed_out(self, entry: LedgerEntry, medium: Medium) -> None:
        del entry, medium


@dataclass(frozen=True, slots=True)
class EngineParts:
    """Everything that one station's engine works with.

    Attributes:
        devices: None where nobody tells: then drives are looked into from time to time only.
        planned_blocks: What an image may take on the largest blank in stock, by drive; a drive that
            is not in it is asked itself.
    """

    station: str
    clock: Clock
    orders: Orders
    jobs: JobBook
    progress: ProgressLog
    questions: Questions
    ledger: Ledger
    media: MediaLog
    spool: Spool
    drives: Mapping[Medium, Sequence[MediaWriter]]
    find: Find
    retrieve: Retrieve
    compose: Compose
    gate: Gate
    forget: Callable[[Path], None] = lambda _folder: None
    policy: Policy = field(default_factory=Policy)
    presence: Presence = field(default_factory=NobodyPresent)
    reports: HandedInReports = field(default_factory=NothingHandedIn)
    forms: KeptForms = field(default_factory=NoForms)
    passwords: Passwords = field(default_factory=NoPasswords)
    labels: MediaLabels = field(default_factory=NoLabels)
    stock: MediaStock = field(default_factory=NothingCounted)
    step_times: StepTimes = field(default_factory=NothingTimed)
    planned_blocks: Mapping[str, int] = field(default_factory=dict)
    slots: Slots = field(default_factory=lambda: Slots(Policy().heavy))
    devices: DeviceWatch | None = None

    @property
    def media_offered(self) -> Collection[Medium]:
        return [medium for medium, writers in self.drives.items() if writers]

    def writer(self, name: str) -> MediaWriter | None:
        """The drive of that name at this station."""
        for writers in self.drives.values():
            for writer in writers:
                if writer.name == name:
                    return writer
        return None

    def medium_of(self, name: str) -> Medium:
        """What the drive of that name writes; the drive must be one of ours."""
        return next(
            medium
            for medium, writers in self.drives.items()
            if any(writer.name == name for writer in writers)
        )
