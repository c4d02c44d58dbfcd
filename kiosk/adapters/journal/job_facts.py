"""What is on record of a job besides its row: what its media hold and lack, how they are split, and
what was agreed to be paid.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from kiosk.adapters.journal.audit import MINOR_FAILURE, SUCCESS, AuditChain
from kiosk.adapters.journal.bills import bills_of
from kiosk.adapters.journal.engine import reading, writing
from kiosk.adapters.journal.ledger import count_delivered, delivered_now
from kiosk.adapters.journal.tables import contents, disc_sets, jobs, left_out
from kiosk.domain.contents import ObjectCounts
from kiosk.domain.disc_set import DiscPlace, DiscSet
from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.model import ExecutionStatus, Job, OrderId

_IDS: Final[sa.BindParameter[Any]] = sa.bindparam("ids", expanding=True)
_LEFT_OUT: Final = sa.select(left_out).where(left_out.c.job_id.in_(_IDS))
_CONTENTS: Final = sa.select(contents).where(contents.c.job_id.in_(_IDS))
_SETS: Final = sa.select(disc_sets).where(disc_sets.c.job_id.in_(_IDS))


def fill_in_facts(connection: sa.Connection, found: Sequence[Job]) -> list[Job]:
    """The same jobs with what is on record of them, with one query each kind."""
    ids = [job.job_id for job in found]
    lacks = {row.job_id: _to_left_out(row) for row in connection.execute(_LEFT_OUT, {"ids": ids})}
    holds = {row.job_id: _to_counts(row) for row in connection.execute(_CONTENTS, {"ids": ids})}
    sets = {row.job_id: _to_set(row) for row in connection.execute(_SETS, {"ids": ids})}
    costs, out = bills_of(connection, ids), delivered_now(connection, ids)
    return [
        dataclasses.replace(
            job,
            bill=costs.get(job.job_id),
            left_out=lacks.get(job.job_id, LeftOutCounts()),
            holds=holds.get(job.job_id),
            disc=_place(connection, job, sets.get(job.job_id)),
            delivered=out.get(job.job_id, 0),
        )
        for job in found
    ]


def delivered(connection: sa.Connection, job_id: OrderId) -> int:
    """Media handed over since the job was placed last."""
    before = connection.scalar(sa.select(jobs.c.delivered_before).where(jobs.c.job_id == job_id))
    return count_delivered(connection, job_id) - (before or 0)


def _to_left_out(row: Any) -> LeftOutCounts:
    return LeftOutCounts(row.videos, row.images, row.others)


def _to_counts(row: Any) -> ObjectCounts:
    return ObjectCounts(row.images, row.reports, row.others)


def _to_set(row: Any) -> DiscSet:
    return DiscSet(tuple(row.volume_ids.split(" ")), row.since, row.copies_before)


def _place(connection: sa.Connection, job: Job, disc_set: DiscSet | None) -> DiscPlace:
    if disc_set is None:
        return DiscPlace()
    if job.status is ExecutionStatus.DONE:
        return DiscPlace(disc_set.discs, disc_set.discs)
    return DiscPlace(disc_set.index(delivered(connection, job.job_id)) + 1, disc_set.discs)


class JobFacts:
    """What the engine puts on record while it works on a job; base of `JournalJobs`."""

    def __init__(self, engine: sa.Engine, chain: AuditChain) -> None:
        self._engine, self._chain = engine, chain

    def note_left_out(self, job_id: OrderId, counts: LeftOutCounts) -> None:
        """Keep and audit what the medium lacks; the same again changes nothing."""
        with writing(self._engine) as connection:
            row = connection.execute(
                sa.select(left_out).where(left_out.c.job_id == job_id)
            ).one_or_none()
            if counts == (_to_left_out(row) if row else LeftOutCounts()):
                return
            values = dataclasses.asdict(counts)
            connection.execute(sa.delete(left_out).where(left_out.c.job_id == job_id))
            connection.execute(sa.insert(left_out).values(job_id=job_id, **values))
            self._chain.append(
                connection,
                "job.left_out",
                actor="engine",
                subject=job_id,
                outcome=MINOR_FAILURE if counts.total else SUCCESS,
                details={kind: str(count) for kind, count in values.items()},
            )

    def note_contents(self, job_id: OrderId, counts: ObjectCounts) -> None:
        """Keep what the media hold; the same again changes nothing."""
        with writing(self._engine) as connection:
            connection.execute(sa.delete(contents).where(contents.c.job_id == job_id))
            connection.execute(
                sa.insert(contents).values(job_id=job_id, **dataclasses.asdict(counts))
            )

    def note_set(self, job_id: OrderId, volume_ids: Sequence[str]) -> DiscSet:
        """Keep how the study is split; audited when a copy that was begun is begun anew."""
        if len(volume_ids) == 1 and self.disc_set(job_id) is None:
            return DiscSet(tuple(volume_ids))  # as nearly always: nothing to write
        with writing(self._engine) as connection:
            row = connection.execute(
                sa.select(disc_sets).where(disc_sets.c.job_id == job_id)
            ).one_or_none()
            out = delivered(connection, job_id)
            before = _to_set(row) if row else None
            # Without a row one medium was a copy.
            after = (before or DiscSet(("",))).split_anew(tuple(volume_ids), out)
            if after == before:
                return after
            connection.execute(sa.delete(disc_sets).where(disc_sets.c.job_id == job_id))
            connection.execute(
                sa.insert(disc_sets).values(
                    job_id=job_id,
                    volume_ids=" ".join(after.volume_ids),
                    since=after.since,
                    copies_before=after.copies_before,
                )
            )
            self._chain.append(
                connection,
                "job.disc_set",
                actor="engine",
                subject=job_id,
                outcome=MINOR_FAILURE if before and before.index(out) else SUCCESS,
                details={"discs": str(after.discs), "volumes": " ".join(after.volume_ids)},
            )
            return after

    def disc_set(self, job_id: OrderId) -> DiscSet | None:
        with reading(self._engine) as connection:
            row = connection.execute(
                sa.select(disc_sets).where(disc_sets.c.job_id == job_id)
            ).one_or_none()
        return _to_set(row) if row else None
