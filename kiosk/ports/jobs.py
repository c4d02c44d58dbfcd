"""Jobs: as those see them who place and watch, and as the engine does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from kiosk.domain.contents import ObjectCounts
from kiosk.domain.disc_set import DiscSet
from kiosk.domain.fee import FeeQuote
from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.model import Job, MediaChoice, OrderId, Priority, Progress, Question, Wanted
from kiosk.domain.protection import JobPassword
from kiosk.domain.rates import Rates, StepTime


class Jobs(Protocol):
    """The durable engine, seen from outside. One row an order; the same job id twice is one job."""

    def submit(
        self, order_id: OrderId, choice: MediaChoice, priority: Priority, *, actor: str
    ) -> OrderId:
        """Job row, audit row and enqueue in one transaction."""
        ...

    def submit_all(
        self,
        order_ids: Sequence[OrderId],
        choice: MediaChoice,
        priority: Priority,
        *,
        actor: str,
        fee: FeeQuote | None = None,
    ) -> tuple[OrderId, ...]:
        """The same of several in one transaction, all or none; what runs is joined as it is, and
        keeps its bill, as does what failed with nothing handed out. `fee` becomes the bill of
        whatever else is placed now.

        Raises OrderNotReleasedError: One may not be handed out; audited, and none was placed.
        """
        ...

    def cancel(self, job_id: OrderId, *, actor: str) -> None: ...
    def answer(self, job_id: OrderId, number: int) -> None:
        """Somebody did what question `number` asks for; other numbers are dropped."""
        ...

    def get(self, job_id: OrderId) -> Job: ...
    def newest(self, *, limit: int = 100) -> list[Job]: ...
    def purge(self, *, ended_before: datetime) -> int: ...


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

    def note_contents(self, job_id: OrderId, counts: ObjectCounts) -> None:
        """What one copy of its media holds; the newest build counts."""
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


class ProgressLog(Protocol):
    """At most one write a second a job; the newest wins."""

    def put(self, job_id: OrderId, progress: Progress) -> None: ...


class StepTimes(Protocol):
    """What the engine measured lately at this station; it outlives engine and kiosk."""

    def add(self, time: StepTime) -> None:
        """The oldest of its step and kind go: no more than some twenty are kept."""
        ...

    def rates(self) -> Rates: ...


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


class Passwords(Protocol):
    """Passwords of protected media, sealed. They are made when a job is placed, in the same
    transaction, and destroyed at its end: never before somebody was told, if a medium is out.
    """

    def of(self, job_id: OrderId) -> JobPassword | None:
        """Of the job as it was placed last; None if its media are not protected.

        Raises:
            PasswordLostError: They are, and it cannot be read.
        """
        ...

    def is_told(self, job_id: OrderId) -> bool:
        """Whether somebody has it; True if there is none to tell. Opens nothing."""
        ...

    def tell(self, password_id: str, *, actor: str) -> None:
        """Somebody has it now, and needs it no more from us; audited the first time."""
        ...
