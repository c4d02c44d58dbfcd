"""What people do to a station at random instants, and what must be true whatever they did.

The whole schedule comes from the seed and can be printed. What the station promised is judged by
the audit trail, which orders a cancel and a hand-over like nothing else does, and by the discs that
lie about in the end.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from burner.errors import BurnerError
from kiosk.adapters.journal.audit import AuditRow
from kiosk.domain.model import (
    ExecutionStatus,
    Job,
    MediaChoice,
    Medium,
    OrderId,
    Priority,
    ReleaseState,
)
from kiosk.errors import (
    InvalidValueError,
    JournalError,
    OrderNotReleasedError,
    UnknownJobError,
)
from tests.crash.station import Report, Station
from tests.spool import left_in


class Deed(StrEnum):
    """One thing that somebody does."""

    PLACE = "place"  # an order more
    TWIN = "twin"  # another order of the same patient and study
    CANCEL = "cancel"  # the job, at the kiosk
    WITHDRAW = "withdraw"  # the order, by staff
    HOLD = "hold"
    RELEASE = "release"
    SUBMIT = "submit"  # the same order again
    ANSWER = "answer"  # "done", whether it is or not
    INSERT = "insert"  # a blank disc, asked for or not
    TAKE = "take"  # whatever lies in the open tray


_WEIGHTS = {
    Deed.PLACE: 1,
    Deed.TWIN: 2,
    Deed.CANCEL: 5,
    Deed.WITHDRAW: 2,
    Deed.HOLD: 4,
    Deed.RELEASE: 4,
    Deed.SUBMIT: 5,
    Deed.ANSWER: 3,
    Deed.INSERT: 4,
    Deed.TAKE: 3,
}
_LIFE_S = 2.5
_CHOICES = 12
_NOTICED = timedelta(seconds=1)  # a step looks for a cancel twice a second


@dataclass(frozen=True, slots=True)
class Act:
    """A deed, its moment in seconds after the engine works (before 0: while it is down) and whom
    it concerns: a number that chooses among the orders alive and the newest two others.
    """

    at_s: float
    deed: Deed
    whom: int

    def __str__(self) -> str:
        return f"{self.at_s:+.2f} {self.deed.value} {self.whom}"


@dataclass(frozen=True, slots=True)
class Round:
    """One life of the engine."""

    life_s: float
    with_children: bool
    is_attended: bool
    acts: tuple[Act, ...]

    def __str__(self) -> str:
        acts = ", ".join(map(str, self.acts))
        cut = "+children" if self.with_children else ""
        blanks = "" if self.is_attended else " unattended"
        return f"lives {self.life_s:.2f} s{cut}{blanks}: {acts}"


def make_schedule(seed: int, rounds: int) -> list[Round]:
    """The same for the same seed."""
    chance = random.Random(seed)
    deeds, weights = list(_WEIGHTS), list(_WEIGHTS.values())
    made = []
    for _ in range(rounds):
        life_s = chance.random() * _LIFE_S
        acts = [
            Act(chance.uniform(-0.3, life_s), deed, chance.randrange(_CHOICES))
            for deed in chance.choices(deeds, weights, k=chance.randint(1, 8))
        ]
        acts.sort(key=lambda act: act.at_s)
        made.append(Round(life_s, chance.random() < 0.5, chance.random() < 0.75, tuple(acts)))
    return made


@dataclass
class People:
    """Those who stand around one station."""

    station: Station
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    number: int = 0

    def place(self) -> OrderId:
        self.number += 1
        return self.station.place(self.number)

    def do(self, deed: Deed, whom: int = 0) -> None:
        """Do it; what the station refuses, or is too busy for, stays undone."""
        live = sorted(self.station.live())
        orders = live + [one for one in self.station.placed if one not in live][-2:]
        target = orders[whom % len(orders)] if orders else None
        try:
            self._do(deed, target)
            self.done[deed.value] += 1
        except (InvalidValueError, OrderNotReleasedError, UnknownJobError) as error:
            self.refused[f"{deed.value}: {error.code}"] += 1
        except (BurnerError, JournalError):
            self.refused[f"{deed.value}: busy"] += 1

    def _do(self, deed: Deed, target: OrderId | None) -> None:
        if deed is Deed.PLACE or target is None:
            self.place()
        elif deed is Deed.TWIN:
            self.number += 1
            self.station.place(self.number, like=target)
        else:
            self.do_to(deed, target)

    def do_to(self, deed: Deed, target: OrderId) -> None:
        """Raises whatever the station says to it."""
        one = self.station
        match deed:
            case Deed.CANCEL:
                one.jobs.cancel(target, actor="patient")
            case Deed.WITHDRAW:
                one.journal.orders.set_state(target, ReleaseState.CANCELLED, actor="staff")
            case Deed.HOLD:
                one.journal.orders.set_state(target, ReleaseState.HELD, actor="staff")
            case Deed.RELEASE:
                one.journal.orders.set_state(target, ReleaseState.RELEASED, actor="staff")
            case Deed.SUBMIT:
                choice = MediaChoice(Medium.DISC, one.placed[target])
                one.jobs.submit(target, choice, Priority.WAITING_PATIENT, actor="staff")
            case Deed.ANSWER:
                question = one.jobs.get(target).question
                if question is not None:
                    one.jobs.answer(target, question.number)
            case Deed.INSERT:
                look = one.drive.look()
                if look.is_open or look.in_tray is None:
                    one.drive.insert_blank()
            case Deed.TAKE:
                one.take()

    def see_to_the_rest(self, most: int = 6) -> None:
        """Whatever ended without its disc can be had after all."""
        failed = [job.job_id for job in self.station.jobs.newest(limit=500)
                  if job.status is ExecutionStatus.FAILURE]  # fmt: skip
        for order_id in failed[:most]:
            self.do_to(Deed.RELEASE, order_id)
            self.do_to(Deed.SUBMIT, order_id)
        self.station.attend_until(lambda: not self.station.live())
        for order_id in failed[:most]:
            assert self.station.jobs.get(order_id).status is ExecutionStatus.DONE, order_id


# --- what must be true


@dataclass
class _Account:
    """One order, as its audit rows tell it."""

    state: str = ""
    copies: int = 0
    is_open: bool = False
    is_cancelled: bool = False
    was_stopped: bool = False
    delivered: int = 0
    out: int = 0
    scrapped: int = 0
    late: int = 0
    complaints: list[str] = field(default_factory=list)

    def must(self, is_so: bool, complaint: str) -> None:
        if not is_so:
            self.complaints.append(complaint)


def judge(one: Station, report: Report) -> None:
    """All that must hold once no job is alive any more.

    Raises:
        AssertionError: Names the order and its audit rows.
    """
    rows = list(one.journal.audit.rows())
    by_order: dict[str, list[AuditRow]] = {order_id: [] for order_id in one.placed}
    for row in rows:
        by_order[row.subject].append(row)
    accounts = {
        order_id: _follow(story, _begun(one, order_id)) for order_id, story in by_order.items()
    }
    jobs = {job.job_id: job for job in one.jobs.newest(limit=10_000)}
    good, complaints = one.good_discs(), list(one.strays)
    for order_id, account in accounts.items():
        _judge_order(one, jobs[OrderId(order_id)], account, good[order_id])
        if account.complaints:
            complaints += [f"{order_id}: {one}" for one in account.complaints]
            complaints.append(tell(by_order[order_id]))
    assert not complaints, "\n".join(complaints)
    assert one.journal.audit.verify(one.journal.audit.head()) > 0
    assert one.is_drive_settled()
    assert left_in(one.setting.spool_folder) == []
    report.staff = one.staff
    report.late = sum(account.late for account in accounts.values())
    report.orders = len(accounts)
    report.done = sum(job.status is ExecutionStatus.DONE for job in jobs.values())
    report.spoiled = sum(account.scrapped for account in accounts.values())


def _judge_order(one: Station, job: Job, account: _Account, good: int) -> None:
    must = account.must
    if job.status is ExecutionStatus.DONE:
        must(account.delivered == account.copies, "done without its discs")
    else:
        must(job.status is ExecutionStatus.FAILURE, "never ended")
        is_of_people = job.error_code in ("job.cancelled", "order.not_released")
        must(account.was_stopped and is_of_people, f"failed by itself: {job.error_code}")
    # A whole disc that was never handed over may be about only as scrap that staff took out.
    must(good >= account.out, f"{account.out} recorded, {good} good discs")
    must(good <= account.out + account.scrapped, f"{good} good discs, {account.out} recorded")
    history = one.journal.ledger.history(job.job_id)
    delivered = [row for row in history if row.outcome == "delivered"]
    must(len(delivered) == account.out, "media and audit disagree")


def _begun(one: Station, order_id: str) -> dict[str, datetime]:
    """Attempt to when its medium was begun."""
    history = one.journal.ledger.history(OrderId(order_id))
    return {str(row.attempt): row.begun_at for row in history}


def _follow(story: Sequence[AuditRow], begun: dict[str, datetime]) -> _Account:
    """Walk along; whatever left must have been allowed to at that moment.

    Staff's word counts at once. A cancel at the kiosk stops a disc that is not begun; one that
    turns out whole all the same is handed over and counted as late.
    """
    account = _Account()
    must = account.must
    cancelled_at = datetime.min.replace(tzinfo=UTC)
    for row in story:
        where = f"audit row {row.seq}"
        match row.event:
            case "order.created":
                account.state = row.details["state"]
            case "order.state":
                account.state = row.details["to"]
                account.was_stopped |= account.state in ("held", "cancelled")
            case "job.submitted":
                must(account.state == "released", f"{where}: placed while {account.state}")
                must(not account.is_open, f"{where}: placed twice")
                account.is_open, account.is_cancelled, account.delivered = True, False, 0
                account.was_stopped = False
                account.copies = int(row.details["copies"])
            case "job.cancelled":
                account.is_cancelled = account.was_stopped = True
                cancelled_at = datetime.fromisoformat(row.at)
            case "job.done" | "job.failed":
                must(account.is_open, f"{where}: ended twice")
                account.is_open = False
            case "export" if row.outcome == 0:
                must(account.is_open, f"{where}: handed over when it had ended")
                must(account.state == "released", f"{where}: handed over while {account.state}")
                if account.is_cancelled:
                    account.late += 1
                    latest = cancelled_at + _NOTICED
                    must(
                        begun[row.details["attempt"]] <= latest, f"{where}: begun after the cancel"
                    )
                account.delivered += 1
                account.out += 1
                must(account.delivered <= account.copies, f"{where}: a disc too many")
            case "export":
                account.scrapped += 1
            case "job.refused":
                must(not account.is_open, f"{where}: refused while it is made")
                must(account.state != "released", f"{where}: refused while released")
            case other:
                raise AssertionError(f"{where}: {other}")
    return account


def tell(story: Sequence[AuditRow]) -> str:
    return "\n".join(
        f"  {row.seq} {row.at} {row.event} {row.actor} {row.outcome} {row.details}" for row in story
    )
