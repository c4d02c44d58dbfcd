"""What was agreed to be paid: one row for all jobs that were placed together."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from kiosk.adapters.journal.ledger import delivered_now
from kiosk.adapters.journal.tables import bills, jobs
from kiosk.domain.bill import Bill
from kiosk.domain.fee import (
    FeeItem,
    FeeLine,
    FeeMethod,
    FeeQuote,
    Money,
    RequestKind,
)
from kiosk.domain.model import ExecutionStatus
from kiosk.domain.waiver import WaiverReason
from kiosk.errors import InvalidValueError, JournalError

_its = jobs.alias()
_share = sa.select(sa.func.count()).where(_its.c.bill_id == bills.c.bill_id).scalar_subquery()
_BILLS: Final = sa.select(jobs.c.job_id, bills, _share.label("share")).where(
    jobs.c.job_id.in_(sa.bindparam("ids", expanding=True)), jobs.c.bill_id == bills.c.bill_id
)


def keep_bill(connection: sa.Connection, fee: FeeQuote, agreed_at: datetime, exams: int) -> str:
    """In the transaction that places the jobs, `exams` of them. Returns the bill's id."""
    bill_id = secrets.token_hex(8)
    lines = [[line.item.value, line.quantity, line.amount.amount] for line in fee.lines]
    connection.execute(
        sa.insert(bills).values(
            bill_id=bill_id,
            agreed_at=agreed_at,
            exams=exams,
            kind=fee.kind.value,
            method=fee.method.value,
            currency=fee.currency,
            waiver=fee.waiver.value if fee.waiver else "",
            state=fee.state,
            lines=json.dumps(lines),
        )
    )
    return bill_id


def bills_of(connection: sa.Connection, job_ids: Collection[str]) -> dict[str, Bill]:
    """By job, of those that have one.

    Raises:
        JournalError: One cannot be read: what was agreed to is not guessed.
    """
    rows = connection.execute(_BILLS, {"ids": list(job_ids)})
    return {row.job_id: _to_bill(row) for row in rows}


def owed_bills(
    connection: sa.Connection, job_ids: Collection[str], kind: RequestKind
) -> dict[str, str]:
    """Ids by job, of failed ones that nothing was handed out of: agreed to, and not yet got."""
    query = sa.select(jobs.c.job_id, jobs.c.bill_id).where(
        jobs.c.job_id.in_(job_ids),
        jobs.c.status == ExecutionStatus.FAILURE.value,
        jobs.c.bill_id == bills.c.bill_id,
        bills.c.kind == kind.value,
    )
    out = delivered_now(connection, job_ids)
    return {row.job_id: row.bill_id for row in connection.execute(query) if not out.get(row.job_id)}


def _to_bill(row: Any) -> Bill:
    try:
        lines = tuple(
            FeeLine(FeeItem(item), int(quantity), Money(int(amount), row.currency))
            for item, quantity, amount in json.loads(row.lines)
        )
        fee = FeeQuote(
            RequestKind(row.kind),
            FeeMethod(row.method),
            row.currency,
            lines,
            WaiverReason(row.waiver) if row.waiver else None,
            row.state,
        )
    except (ValueError, TypeError, InvalidValueError) as error:
        raise JournalError(f"bill {row.bill_id} cannot be read") from error
    exams = row.share if row.exams is None else row.exams
    return Bill(row.bill_id, fee, row.agreed_at, exams)
