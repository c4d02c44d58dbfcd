"""The device ledger, and the history of media that follows from it.

One row a drive says which job owns the medium in it; each change also moves the row of that medium
in the history, in the same transaction, so that no disc is ever begun without a trace.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from typing import Final

import sqlalchemy as sa

from kiosk.adapters.journal.audit import MINOR_FAILURE, SERIOUS_FAILURE, SUCCESS, AuditChain
from kiosk.adapters.journal.engine import reading, writing
from kiosk.adapters.journal.stock import count_on
from kiosk.adapters.journal.tables import audit, jobs, ledger, media, orders
from kiosk.domain.model import OrderId, ReleaseState
from kiosk.errors import JournalError, OrderNotReleasedError
from kiosk.ports import DELIVERED, Clock, LedgerEntry, LedgerPhase, MediumRecord

UNUSED = "unused"
"""It was announced, but nothing was written on it."""


# Asked several times a second with a job's view: to make a query costs more than to ask it.
_DELIVERED_NOW: Final = (
    sa.select(jobs.c.job_id, sa.func.count() - jobs.c.delivered_before)
    .where(
        media.c.job_id == jobs.c.job_id,
        media.c.outcome == DELIVERED,
        jobs.c.job_id.in_(sa.bindparam("ids", expanding=True)),
    )
    .group_by(jobs.c.job_id, jobs.c.delivered_before)
)


def count_delivered(connection: sa.Connection, job_id: OrderId) -> int:
    """In somebody's transaction: good media of a job ever handed over."""
    return (
        connection.scalar(
            sa.select(sa.func.count())
            .select_from(media)
            .where(media.c.job_id == job_id, media.c.outcome == DELIVERED)
        )
        or 0
    )


def delivered_now(connection: sa.Connection, job_ids: Collection[str]) -> dict[str, int]:
    """In somebody's transaction: good media handed over since each was placed last, if any."""
    rows = connection.execute(_DELIVERED_NOW, {"ids": list(job_ids)})
    return {job_id: int(out) for job_id, out in rows}


class JournalLedger:
    """Keeps `kiosk.ports.Ledger` and `kiosk.ports.MediaLog` for the drives of one station."""

    def __init__(self, engine: sa.Engine, chain: AuditChain, clock: Clock, station: str) -> None:
        self._engine = engine
        self._chain = chain
        self._clock = clock
        self._station = station

    # --- the drive's row

    def owner(self, drive: str) -> LedgerEntry | None:
        """Whose medium is in the drive; None if it is nobody's."""
        with reading(self._engine) as connection:
            row = connection.execute(
                sa.select(ledger).where(ledger.c.station == self._station, ledger.c.drive == drive)
            ).one_or_none()
        if row is None or row.phase == LedgerPhase.FREE:
            return None
        return LedgerEntry(
            row.drive,
            OrderId(row.job_id),
            row.phase,
            row.attempt,
            row.volume_id,
            row.sha256,
            row.updated_at,
        )

    def put(self, entry: LedgerEntry, *, reason: str = "") -> None:
        """Commit a phase before the drive is touched.

        A medium that becomes SCRAP is audited: as a failed export, or as void if it was handed
        over before.
        """
        now = self._clock.now()
        values = {
            "job_id": entry.job_id,
            "phase": entry.phase,
            "attempt": entry.attempt,
            "volume_id": entry.volume_id,
            "sha256": entry.sha256,
            "updated_at": now,
        }
        with writing(self._engine) as connection:
            changed = connection.execute(
                sa.update(ledger)
                .where(ledger.c.station == self._station, ledger.c.drive == entry.drive)
                .values(**values)
            )
            if changed.rowcount == 0:
                connection.execute(
                    sa.insert(ledger).values(station=self._station, drive=entry.drive, **values)
                )
            self._move(connection, entry, {"reason": reason} if reason else {})

    def _move(self, connection: sa.Connection, entry: LedgerEntry, details: dict[str, str]) -> None:
        """Move the medium's row; a delivered or scrapped one never changes again."""
        if entry.phase == LedgerPhase.OUT:
            return  # where it lies is the drive's matter; that it was handed over is on record
        now = self._clock.now()
        mine = sa.and_(
            media.c.job_id == entry.job_id,
            media.c.station == self._station,
            media.c.drive == entry.drive,
            media.c.attempt == entry.attempt,
        )
        before = connection.scalar(sa.select(media.c.outcome).where(mine))
        if before == DELIVERED and entry.phase == LedgerPhase.SCRAP:
            self._audit(connection, entry, SERIOUS_FAILURE, details, event="medium.voided")
        if before in (DELIVERED, LedgerPhase.SCRAP) or before == entry.phase:
            return
        if before in (None, UNUSED):
            count_on(connection, self._station, entry.drive, begun=1)
        if before is None:
            connection.execute(
                sa.insert(media).values(
                    job_id=entry.job_id,
                    station=self._station,
                    drive=entry.drive,
                    attempt=entry.attempt,
                    volume_id=entry.volume_id,
                    sha256=entry.sha256,
                    outcome=entry.phase,
                    begun_at=now,
                    updated_at=now,
                )
            )
        else:
            connection.execute(
                sa.update(media).where(mine).values(outcome=entry.phase, updated_at=now)
            )
        if entry.phase == LedgerPhase.SCRAP:
            count_on(connection, self._station, entry.drive, spoiled=1)
            self._audit(connection, entry, SERIOUS_FAILURE, details)

    def reject(self, entry: LedgerEntry, count: int) -> None:
        """Put on record what a device threw out by itself; twice is once."""
        with writing(self._engine) as connection:
            for attempt in range(entry.attempt + 1, entry.attempt + 1 + count):
                scrap = replace(entry, attempt=attempt, phase=LedgerPhase.SCRAP)
                self._move(connection, scrap, {})

    def free(self, drive: str) -> None:
        """Nobody's from now on; the history keeps what the medium was last known to be."""
        now = self._clock.now()
        with writing(self._engine) as connection:
            row = connection.execute(
                sa.select(ledger).where(ledger.c.station == self._station, ledger.c.drive == drive)
            ).one_or_none()
            if row is None or row.phase == LedgerPhase.FREE:
                return
            connection.execute(
                sa.update(ledger)
                .where(ledger.c.station == self._station, ledger.c.drive == drive)
                .values(phase=LedgerPhase.FREE, updated_at=now)
            )
            unused = connection.execute(
                sa.update(media)
                .where(
                    media.c.job_id == row.job_id,
                    media.c.station == self._station,
                    media.c.drive == drive,
                    media.c.attempt == row.attempt,
                    media.c.outcome.in_([LedgerPhase.WRITING, LedgerPhase.CLOSED]),
                )
                .values(outcome=UNUSED, updated_at=now)
            )
            if unused.rowcount:
                count_on(connection, self._station, drive, begun=-unused.rowcount)

    def note_not_taken(self, entry: LedgerEntry) -> None:
        """Audit that a medium was delivered and not seen taken in time; once a medium."""
        event = "medium.not_taken"
        with writing(self._engine) as connection:
            said = connection.scalars(
                sa.select(audit.c.details).where(
                    audit.c.event == event, audit.c.subject == entry.job_id
                )
            )
            # Attempts are counted over all drives of the job.
            if not any(json.loads(it).get("attempt") == str(entry.attempt) for it in said):
                self._audit(connection, entry, MINOR_FAILURE, {}, event=event)

    # --- the history

    def begun(self, job_id: OrderId) -> int:
        """How many media were begun for a job; the next attempt is one more."""
        with reading(self._engine) as connection:
            newest = connection.scalar(
                sa.select(sa.func.max(media.c.attempt)).where(media.c.job_id == job_id)
            )
        return newest or 0

    def delivered(self, job_id: OrderId) -> int:
        """How many good media of a job were handed over since it was placed last."""
        with reading(self._engine) as connection:
            before = connection.scalar(
                sa.select(jobs.c.delivered_before).where(jobs.c.job_id == job_id)
            )
            return count_delivered(connection, job_id) - (before or 0)

    def deliver(self, entry: LedgerEntry, *, actor: str, details: dict[str, str]) -> bool:
        """Export audit row and the medium's last state in one transaction.

        Returns:
            False if it was delivered before; then nothing changes.
        Raises:
            JournalError: It was never verified on record: it must not leave.
            OrderNotReleasedError: Its order was held or cancelled meanwhile: neither.
        """
        with writing(self._engine) as connection:
            marked = connection.execute(
                sa.update(media)
                .where(
                    media.c.job_id == entry.job_id,
                    media.c.station == self._station,
                    media.c.drive == entry.drive,
                    media.c.attempt == entry.attempt,
                    media.c.outcome == LedgerPhase.VERIFIED,
                )
                .values(outcome=DELIVERED, updated_at=self._clock.now())
            )
            if marked.rowcount == 0:
                self._require_delivered(connection, entry)
                return False
            # In the same transaction: a hold comes either before, or after the medium is out. A
            # job has its order's id.
            state = connection.scalar(
                sa.select(orders.c.state).where(orders.c.order_id == entry.job_id).with_for_update()
            )
            if state != ReleaseState.RELEASED.value:
                raise OrderNotReleasedError(f"order {entry.job_id} is {state}")
            count_on(connection, self._station, entry.drive, good=1)
            self._audit(connection, entry, SUCCESS, details, actor=actor)
            return True

    def _require_delivered(self, connection: sa.Connection, entry: LedgerEntry) -> None:
        outcome = connection.scalar(
            sa.select(media.c.outcome).where(
                media.c.job_id == entry.job_id,
                media.c.station == self._station,
                media.c.drive == entry.drive,
                media.c.attempt == entry.attempt,
            )
        )
        if outcome != DELIVERED:
            raise JournalError(f"medium {entry.attempt} of {entry.job_id} is {outcome}")

    def history(self, job_id: OrderId) -> list[MediumRecord]:
        """Every medium begun for a job, oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                sa.select(media)
                .where(media.c.job_id == job_id)
                .order_by(media.c.begun_at, media.c.attempt)
            ).all()
        return [
            MediumRecord(
                OrderId(row.job_id),
                row.drive,
                row.attempt,
                row.volume_id,
                row.sha256,
                row.outcome,
                row.begun_at,
            )
            for row in rows
        ]

    def _audit(
        self,
        connection: sa.Connection,
        entry: LedgerEntry,
        outcome: int,
        details: dict[str, str],
        *,
        actor: str = "engine",
        event: str = "export",
    ) -> None:
        self._chain.append(
            connection,
            event,
            actor=actor,
            subject=entry.job_id,
            outcome=outcome,
            details={
                "station": self._station,
                "drive": entry.drive,
                "attempt": str(entry.attempt),
                "volume": entry.volume_id,
                "sha256": entry.sha256,
                **details,
            },
        )
