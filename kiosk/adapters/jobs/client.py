"""The outside of the durable engine: place, cancel, answer, look. Runs nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from dbos import DBOSClient, EnqueueOptions

from kiosk.adapters.jobs.common import (
    ORDER_WORKFLOW,
    VERSION,
    make_client,
    queue_for,
)
from kiosk.adapters.journal import Journal
from kiosk.adapters.journal.audit import MINOR_FAILURE, AuditChain
from kiosk.adapters.journal.bills import keep_bill, owed_bills
from kiosk.adapters.journal.engine import translated, writing
from kiosk.adapters.journal.job_rows import ENDED, workflow_id
from kiosk.adapters.journal.ledger import count_delivered
from kiosk.adapters.journal.tables import disc_sets, jobs, orders
from kiosk.adapters.journal.wall import take_number
from kiosk.domain.fee import FeeQuote
from kiosk.domain.model import (
    ExecutionStatus,
    HandOver,
    Job,
    MediaChoice,
    OrderId,
    Priority,
    ReleaseState,
)
from kiosk.errors import (
    InvalidValueError,
    OrderNotReleasedError,
    UnknownJobError,
    UnknownOrderError,
)

MAX_COPIES = 10


@dataclass(frozen=True, slots=True)
class _Bill:
    """What jobs that are placed together cost, if anybody was shown it."""

    fee: FeeQuote | None
    bill_id: str = ""
    owed: Mapping[str, str] = field(default_factory=dict)  # agreed to before, by job

    def words(self, job_id: str) -> dict[str, str]:
        """For the audit trail."""
        if self.fee is None:
            return {}
        if job_id in self.owed:
            return {"bill": self.owed[job_id], "agreed": "before"}
        total = self.fee.total
        return {"bill": self.bill_id, "fee": f"{total.amount} {total.currency}"}


class DbosJobs:
    """Keeps `kiosk.ports.Jobs`; jobs go to the journal's station, where the patient stands.

    A job has its order's id: placing it twice is one job, and when it has ended it is a new run.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._engine = journal.engine
        self._chain: AuditChain = journal.chain
        self._client: DBOSClient | None = None

    @property
    def client(self) -> DBOSClient:
        if self._client is None:
            self._client = make_client(self._engine)
        return self._client

    def close(self) -> None:
        if self._client is not None:
            self._client.destroy()
            self._client = None

    def submit(
        self, order_id: OrderId, choice: MediaChoice, priority: Priority, *, actor: str
    ) -> OrderId:
        """Job row, audit row and enqueue in one transaction.

        The same again while it runs changes nothing. When it has ended, a released order is made
        anew, with as many copies as are asked for now; one that was collected has to be released
        by staff first.

        Raises:
            UnknownOrderError: No such order.
            OrderNotReleasedError: It is held, cancelled or was collected.
            InvalidValueError: No or too many copies; or it runs already with another choice.
            JournalError: Nothing was placed.
        """
        (job_id,) = self._place([order_id], choice, priority, actor, None, joins=False)
        return job_id

    def submit_all(
        self,
        order_ids: Sequence[OrderId],
        choice: MediaChoice,
        priority: Priority,
        *,
        actor: str,
        fee: FeeQuote | None = None,
    ) -> tuple[OrderId, ...]:
        """Job rows, audit rows and enqueues of all orders in one transaction; all of them or none.

        What runs already is joined, whatever its choice, and keeps the bill that it has, as does
        what failed before anything of it was handed out: `fee` is for the others. The orders
        stay locked from the look at their states on: a hold comes before and nothing is placed, or
        after and stops the jobs.

        Raises:
            UnknownOrderError: One is not there.
            OrderNotReleasedError: One is held, cancelled or was collected, or it is the desk's
                alone and its medium would wait for a claim; audited, and nothing was placed.
            InvalidValueError: No or too many copies.
            JournalError: Nothing was placed.
        """
        return self._place(order_ids, choice, priority, actor, fee, joins=True)

    def _place(
        self,
        order_ids: Sequence[OrderId],
        choice: MediaChoice,
        priority: Priority,
        actor: str,
        fee: FeeQuote | None,
        *,
        joins: bool,
    ) -> tuple[OrderId, ...]:
        if not 1 <= choice.copies <= MAX_COPIES:
            raise InvalidValueError(f"1 to {MAX_COPIES} copies")
        with writing(self._engine) as connection:
            found = _locked(connection, order_ids)
            running = _running(connection, order_ids)
            # A strict caller's own job goes on whatever became of its order: it is told so there.
            asked = order_ids if joins else [it for it in order_ids if it not in running]
            reasons = {it: reason for it in asked if (reason := _why_not(found[it], choice))}
            if not reasons:
                bill = _Bill(fee)
                if fee is not None and not set(order_ids) <= set(running):
                    bill = self._bill(connection, fee, set(order_ids) - set(running))
                number = 0
                if choice.hand_over is HandOver.ON_CLAIM and not set(order_ids) <= set(running):
                    # What runs is joined: one visit has one number.
                    given = (it.wall_number for it in running.values() if it.wall_number)
                    number = next(given, 0) or take_number(connection)
                for order_id in order_ids:
                    if (row := running.get(order_id)) is None:
                        self._submit(connection, order_id, choice, priority, actor, bill, number)
                    elif not joins:
                        _require_same(row, choice)
            for order_id, reason in reasons.items():  # kept: the transaction ends well
                self._chain.append(
                    connection,
                    "job.refused",
                    actor=actor,
                    subject=order_id,
                    outcome=MINOR_FAILURE,
                    details={"reason": reason, "orders": " ".join(order_ids)},
                )
        for order_id, reason in reasons.items():
            raise OrderNotReleasedError(f"order {order_id} is {reason}")
        return tuple(order_ids)

    def _bill(self, connection: sa.Connection, fee: FeeQuote, placed: set[OrderId]) -> _Bill:
        """`fee` is for what was not agreed to before: the price of one request is owed once."""
        owed = owed_bills(connection, placed, fee.kind)
        if not (new := placed - set(owed)):
            return _Bill(fee, "", owed)
        # A waiver was for this copy: the next one has its price again.
        used = sa.update(orders).where(orders.c.order_id.in_(new)).values(waiver="")
        connection.execute(used)
        now = self._journal.clock.now()
        return _Bill(fee, keep_bill(connection, fee, now, len(new)), owed)

    def _submit(
        self,
        connection: sa.Connection,
        order_id: OrderId,
        choice: MediaChoice,
        priority: Priority,
        actor: str,
        bill: _Bill,
        wall_number: int,
    ) -> None:
        """In somebody's transaction, of an order that may be made and whose job does not run."""
        before = connection.execute(
            sa.select(jobs.c.run, jobs.c.status, jobs.c.bill_id).where(jobs.c.job_id == order_id)
        ).one_or_none()
        run = None if before is None else before.run
        bill_id = bill.owed.get(order_id, bill.bill_id)
        if before is not None and before.status == ExecutionStatus.FAILURE.value:
            bill_id = bill_id or before.bill_id  # still the same copy, which staff place for him
        # Before the first object is fetched: a medium whose password is not kept cannot be.
        passwords = self._journal.passwords
        password_id = passwords.make(connection, order_id) if choice.is_protected else ""
        values = {
            "password_id": password_id,
            "bill_id": bill_id,
            "wall_number": wall_number,
            "images_only": choice.is_images_only,
            "medium": choice.medium.value,
            "copies": choice.copies,
            "hand_over": choice.hand_over.value,
            "priority": int(priority),
            "station": self._journal.station,
            "status": ExecutionStatus.PENDING.value,
            "status_info": "NORMAL",
            "error_code": "",
            "run": (run or 0) + 1,
            "rescues": 0,
            "cancelled_at": None,
            "ended_at": None,
            "delivered_before": count_delivered(connection, order_id),
        }
        if run is None:
            connection.execute(
                sa.insert(jobs).values(
                    job_id=order_id,
                    order_id=order_id,
                    created_at=self._journal.clock.now(),
                    **values,
                )
            )
        else:
            connection.execute(sa.update(jobs).where(jobs.c.job_id == order_id).values(**values))
            # What is out was made for what was placed before: a set begins with its first.
            connection.execute(sa.delete(disc_sets).where(disc_sets.c.job_id == order_id))
        self._chain.append(
            connection,
            "job.submitted",
            actor=actor,
            subject=order_id,
            details={
                "medium": choice.medium.value,
                "copies": str(choice.copies),
                "priority": str(int(priority)),
                "run": str(values["run"]),
                "protected": "yes" if choice.is_protected else "no",
                "images_only": "yes" if choice.is_images_only else "no",
                **bill.words(order_id),
            },
        )
        self.enqueue(connection, order_id, (run or 0) + 1, priority)

    def enqueue(
        self, connection: sa.Connection, job_id: OrderId, run: int, priority: Priority
    ) -> None:
        """In somebody's transaction: committed with it or not at all."""
        options: EnqueueOptions = {
            "workflow_name": ORDER_WORKFLOW,
            "queue_name": queue_for(self._journal.station, priority),
            "workflow_id": workflow_id(job_id, run),
            "app_version": VERSION,  # without it no engine of ours would take it up
            "priority": max(1, int(priority)),  # 0 would come before everybody
        }
        self.client.enqueue_in_transaction(connection, options, str(job_id))

    def cancel(self, job_id: OrderId, *, actor: str) -> None:
        """Ask for the end; the job ends by itself at the next moment where it can.

        Raises:
            UnknownJobError: No such job.
        """
        with writing(self._engine) as connection:
            row = connection.execute(sa.select(jobs).where(jobs.c.job_id == job_id)).one_or_none()
            if row is None:
                raise UnknownJobError(f"no job {job_id}")
            if row.status in ENDED or row.cancelled_at is not None:
                return
            connection.execute(
                sa.update(jobs)
                .where(jobs.c.job_id == job_id)
                .values(cancelled_at=self._journal.clock.now())
            )
            self._chain.append(connection, "job.cancelled", actor=actor, subject=job_id)
        self._drop_waiting_burns(job_id, row.run)

    def _drop_waiting_burns(self, job_id: OrderId, run: int) -> None:
        """A burn that still waits for its drive would hold up the job's end until its turn.

        Whoever was started in between has read the request to end by now: it was committed first.
        """
        with translated("written"):
            waiting = self.client.list_workflows(
                workflow_id_prefix=f"{workflow_id(job_id, run)}.",
                status="ENQUEUED",
                load_input=False,
                load_output=False,
            )
            for burn in waiting:
                self.client.cancel_workflow(burn.workflow_id)

    def answer(self, job_id: OrderId, number: int) -> None:
        """Mark question `number` as done; any other number than the open one is dropped."""
        self._journal.questions.answer(job_id, number)

    def get(self, job_id: OrderId) -> Job:
        """Raises UnknownJobError."""
        return self._journal.jobs.get(job_id)

    def newest(self, *, limit: int = 100) -> list[Job]:
        return self._journal.jobs.newest(limit=limit)

    def purge(self, *, ended_before: datetime) -> int:
        """Drop the engine's rows, progress and questions of jobs that ended; returns their number.

        Orders, jobs, media and audit stay: they are the record.
        """
        with writing(self._engine) as connection:
            gone = self._journal.jobs.purge(connection, ended_before)
        return self._delete(gone, self.client.delete_workflows)

    def _delete(self, ids: list[str], delete: Callable[..., None]) -> int:
        with translated("written"):
            known = {
                found.workflow_id
                for start in range(0, len(ids), 500)
                for found in self.client.list_workflows(
                    workflow_ids=ids[start : start + 500], load_input=False, load_output=False
                )
            }
            if known:
                delete(sorted(known), delete_children=True)
        return len(known)


def _locked(connection: sa.Connection, order_ids: Sequence[OrderId]) -> dict[str, Any]:
    """Their rows, locked to the end of the transaction. Raises UnknownOrderError."""
    rows = connection.execute(
        sa.select(orders)
        .where(orders.c.order_id.in_(order_ids))
        .order_by(orders.c.order_id)  # by everybody in one order: nobody waits in a circle
        .with_for_update()
    )
    found = {row.order_id: row for row in rows}
    for order_id in order_ids:
        if order_id not in found:
            raise UnknownOrderError(f"no order {order_id}")
    return found


def _running(connection: sa.Connection, order_ids: Sequence[OrderId]) -> dict[str, Any]:
    """Rows of their jobs that have not ended."""
    query = sa.select(jobs).where(jobs.c.job_id.in_(order_ids), jobs.c.status.not_in(ENDED))
    return {row.job_id: row for row in connection.execute(query)}


def _why_not(order: Any, choice: MediaChoice) -> str:
    """What stands against handing it out, "" for nothing."""
    if order.state != ReleaseState.RELEASED.value:
        return str(order.state)
    # No claim opens it: its medium would lie in the drive until staff take it out.
    is_claimed = choice.hand_over is HandOver.ON_CLAIM
    return "desk_only" if order.desk_only and is_claimed else ""


def _require_same(row: Any, choice: MediaChoice) -> None:
    """Raises InvalidValueError: it runs with another choice."""
    runs = (row.medium, row.copies, bool(row.password_id), row.images_only)
    wanted = (choice.medium.value, choice.copies, choice.is_protected, choice.is_images_only)
    if runs != wanted:
        how = ", protected" if row.password_id else ""
        how += ", images only" if row.images_only else ""
        raise InvalidValueError(f"job {row.job_id} runs already: {row.copies} on {row.medium}{how}")
