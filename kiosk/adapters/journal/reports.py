"""Which reports were handed in for which order; the files are the station's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kiosk.adapters.journal.audit import AuditChain
from kiosk.adapters.journal.engine import reading, writing
from kiosk.adapters.journal.tables import jobs, orders, reports
from kiosk.domain.model import ExecutionStatus, OrderId, ReleaseState
from kiosk.domain.report import KeptReport
from kiosk.errors import OrderNotReleasedError, UnknownOrderError

_ENDED = (ExecutionStatus.DONE.value, ExecutionStatus.FAILURE.value)


def _to_report(row: Any) -> KeptReport:
    return KeptReport(
        file_name=row.file_name,
        station=row.station,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        pages=row.pages,
        title=row.title,
        is_preliminary=row.is_preliminary,
        received_at=row.received_at,
    )


class JournalReports:
    """Keeps `kiosk.services.reports.ReportRows`."""

    def __init__(self, engine: sa.Engine, chain: AuditChain) -> None:
        self._engine = engine
        self._chain = chain

    def of(self, order_id: OrderId) -> tuple[KeptReport, ...]:
        with reading(self._engine) as connection:
            rows = connection.execute(
                sa.select(reports).where(reports.c.order_id == order_id).order_by(reports.c.number)
            ).all()
        return tuple(map(_to_report, rows))

    def replace(self, order_id: OrderId, kept: Sequence[KeptReport], *, actor: str) -> None:
        """These take the place of all earlier ones; with an audit row, in one transaction.

        Raises:
            UnknownOrderError: No such order.
            OrderNotReleasedError: It was cancelled.
        """
        with writing(self._engine) as connection:
            state = connection.scalar(
                sa.select(orders.c.state).where(orders.c.order_id == order_id).with_for_update()
            )
            if state is None:
                raise UnknownOrderError(f"no order {order_id}")
            if kept and state == ReleaseState.CANCELLED.value:
                raise OrderNotReleasedError(f"order {order_id} is {state}")
            gone = self._drop(connection, order_id)
            for number, one in enumerate(kept, 1):
                connection.execute(
                    sa.insert(reports).values(
                        order_id=order_id,
                        number=number,
                        file_name=one.file_name,
                        station=one.station,
                        sha256=one.sha256,
                        size_bytes=one.size_bytes,
                        pages=one.pages,
                        title=one.title,
                        is_preliminary=one.is_preliminary,
                        received_at=one.received_at,
                    )
                )
            if kept or gone:
                self._chain.append(
                    connection,
                    "report.handed_in" if kept else "report.removed",
                    actor=actor,
                    subject=order_id,
                    details={
                        "reports": str(len(kept)),
                        "replaced": str(gone),
                        "sha256": " ".join(one.sha256[:16] for one in kept),
                    },
                )

    def sweep(self, station: str, ended_before: datetime) -> None:
        """Drop what no medium will need any more: of cancelled orders whose job has ended, and of
        those that were collected so long ago.
        """
        ended = sa.or_(jobs.c.job_id.is_(None), jobs.c.status.in_(_ENDED))
        is_old = sa.or_(jobs.c.ended_at.is_(None), jobs.c.ended_at < ended_before)
        query = (
            sa.select(reports.c.order_id)
            .join(orders, orders.c.order_id == reports.c.order_id)
            .outerjoin(jobs, jobs.c.job_id == reports.c.order_id)
            .where(
                reports.c.station == station,
                ended,
                sa.or_(
                    orders.c.state == ReleaseState.CANCELLED.value,
                    sa.and_(orders.c.state == ReleaseState.COLLECTED.value, is_old),
                ),
            )
            .distinct()
        )
        with reading(self._engine) as connection:
            if connection.execute(query.limit(1)).one_or_none() is None:
                return  # as nearly always: no lock is taken
        with writing(self._engine) as connection:
            for (order_id,) in connection.execute(query).all():
                gone = self._drop(connection, order_id)
                self._chain.append(
                    connection,
                    "report.removed",
                    actor="housekeeping",
                    subject=order_id,
                    details={"reports": "0", "replaced": str(gone), "sha256": ""},
                )

    def files(self, station: str) -> list[tuple[OrderId, str]]:
        """What is in that station's state, by the journal."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                sa.select(reports.c.order_id, reports.c.file_name).where(
                    reports.c.station == station
                )
            ).all()
        return [(OrderId(row.order_id), row.file_name) for row in rows]

    def _drop(self, connection: sa.Connection, order_id: str) -> int:
        gone = connection.execute(sa.delete(reports).where(reports.c.order_id == order_id))
        return int(gone.rowcount)
