"""The journal's promises, on both databases."""

from __future__ import annotations

import dataclasses
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from kiosk.adapters.jobs import DbosJobs, migrate
from kiosk.adapters.journal import Journal, open_journal
from kiosk.adapters.journal.audit import AuditHead
from kiosk.adapters.journal.engine import make_engine, reading, writing
from kiosk.adapters.journal.migrate import alembic_config, revision
from kiosk.adapters.journal.step_times import KEPT
from kiosk.adapters.journal.stock import MAX_STOCK
from kiosk.adapters.journal.tables import PREFIX, VERSION_TABLE, audit, metadata
from kiosk.domain.contents import ObjectCounts
from kiosk.domain.disc_set import DiscPlace, DiscSet
from kiosk.domain.facts import DeskReason, SecondFacts
from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.model import (
    MediaChoice,
    Medium,
    OrderId,
    PatientIdentity,
    Priority,
    Progress,
    ReleaseState,
    Step,
    Wanted,
)
from kiosk.domain.rates import StepTime
from kiosk.domain.report import KeptReport
from kiosk.domain.waiver import WaiverReason
from kiosk.errors import (
    ConfigError,
    InvalidValueError,
    JournalError,
    OrderNotReleasedError,
    PasswordLostError,
    UnknownJobError,
    UnknownOrderError,
)
from kiosk.ports import ClaimRecord, DriveCounts, LedgerEntry, LedgerPhase, Stations
from tests.fakes.clock import START, FakeClock
from tests.fakes.orders import an_order
from tests.fakes.station import AUDIT_KEY, open_test_journal
from tests.fakes.stations import FakeStations

JOB = OrderId("order-1")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def journal(journal_url: str, clock: FakeClock) -> Iterator[Journal]:
    opened = open_test_journal(journal_url, clock)
    yield opened
    opened.close()


# --- orders


def test_an_order_comes_back_as_it_was(journal: Journal) -> None:
    order = an_order(1, name="MÜLLER^JÜRGEN=李^小明", with_report=True)
    journal.orders.add(order, actor="ris")
    journal.orders.add(order, actor="ris")
    assert journal.orders.get(order.order_id) == order
    assert journal.orders.newest() == [order]
    assert [row.event for row in journal.audit.rows()] == ["order.created"]


def test_another_order_under_the_same_id_is_refused(journal: Journal) -> None:
    order = an_order(1)
    journal.orders.add(order, actor="ris")
    with pytest.raises(InvalidValueError):
        journal.orders.add(an_order(1, patient_id="SOMEBODY-ELSE"), actor="ris")
    assert journal.orders.get(order.order_id) == order


def test_only_released_orders_of_the_same_person_are_found(journal: Journal) -> None:
    mine = an_order(1)
    older = an_order(2, patient_id=mine.patient.patient_id, created_at=START - timedelta(days=1))
    held = an_order(3, patient_id=mine.patient.patient_id, state=ReleaseState.HELD)
    twin = an_order(4, patient_id="OTHER", name="GARCIA^MARTA")
    for order in (older, mine, held, twin):
        journal.orders.add(order, actor="ris")
    assert journal.orders.released_for(mine.patient) == [mine, older]
    nobody = PatientIdentity("X", "", "NOBODY^AT ALL", "19990101")
    assert journal.orders.released_for(nobody) == []


def test_states_change_once_and_are_audited(journal: Journal) -> None:
    order = an_order(1)
    journal.orders.add(order, actor="ris")
    for _ in range(2):
        journal.orders.set_state(order.order_id, ReleaseState.HELD, actor="staff")
    assert journal.orders.get(order.order_id).state is ReleaseState.HELD
    (row,) = journal.audit.rows(event="order.state")
    assert (row.actor, row.details) == ("staff", {"from": "released", "to": "held"})
    with pytest.raises(UnknownOrderError):
        journal.orders.set_state(OrderId("no-such"), ReleaseState.HELD, actor="staff")
    with pytest.raises(UnknownOrderError):
        journal.orders.get(OrderId("no-such"))


def test_facts_and_marks_come_back_and_marks_change_once(journal: Journal) -> None:
    facts = SecondFacts("V-0001", "0042", "SW1A1AA")
    order = an_order(1, facts=facts, send_home=True, desk_only=DeskReason.VIP)
    known = journal.orders
    known.add(order, actor="ris")
    assert known.get(order.order_id) == order
    for _ in range(2):
        known.set_marks(order.order_id, desk_only=None, send_home=True, actor="staff")
    assert known.get(order.order_id) == dataclasses.replace(order, desk_only=None)
    (row,) = journal.audit.rows(event="order.marked")
    assert (row.actor, row.details) == ("staff", {"desk_only": "", "send_home": "yes"})
    with pytest.raises(UnknownOrderError):
        known.set_marks(OrderId("no-such"), desk_only=None, send_home=True, actor="staff")


def test_a_waiver_is_kept_with_its_reason(journal: Journal) -> None:
    known, order = journal.orders, an_order(1, waiver=WaiverReason.OUR_ERROR)
    known.add(order, actor="ris")
    assert known.get(order.order_id) == order
    for waiver in (WaiverReason.OUR_ERROR, WaiverReason.HARDSHIP, None):
        known.set_waiver(order.order_id, waiver, actor="staff")
        assert known.get(order.order_id).waiver is waiver
    rows = journal.audit.rows(event="order.waived")
    assert [row.details for row in rows] == [{"reason": "hardship"}, {"reason": ""}]
    with pytest.raises(UnknownOrderError):
        known.set_waiver(OrderId("no-such"), None, actor="staff")


def test_open_orders_are_found_by_their_age(journal: Journal) -> None:
    states = (ReleaseState.RELEASED, ReleaseState.HELD, ReleaseState.COLLECTED)
    orders = [an_order(n, state=state) for n, state in enumerate(states, 1)]
    orders.append(an_order(4, state=ReleaseState.CANCELLED))
    orders.append(an_order(5, created_at=START - timedelta(days=8)))
    orders.append(an_order(6, created_at=START - timedelta(days=7)))
    for order in orders:
        journal.orders.add(order, actor="ris")
    found = journal.orders.open_since(START - timedelta(days=7))
    assert found == [orders[0], orders[1], orders[5]]


def test_a_study_is_filled_in_once(journal: Journal) -> None:
    order = an_order(1)
    known = journal.orders
    known.add(order, actor="ris")
    with writing(journal.engine) as connection:
        connection.exec_driver_sql(f"UPDATE {PREFIX}orders SET study_instance_uid = ''")
    known.set_study(order.order_id, "1.2.3")
    known.set_study(order.order_id, "9.9.9")
    assert known.get(order.order_id).study_instance_uid == "1.2.3"
    with pytest.raises(InvalidValueError):
        known.set_study(order.order_id, "../etc")


# --- tickets


def a_claim(order_id: OrderId, number: int = 1) -> ClaimRecord:
    return ClaimRecord(f"t{number}", f"hash{number}", order_id, START, None, 0)


def test_a_new_ticket_voids_the_one_before(journal: Journal) -> None:
    order = an_order(1)
    journal.orders.add(order, actor="ris")
    journal.tickets.add(a_claim(order.order_id, 1), actor="staff")
    journal.tickets.add(a_claim(order.order_id, 2), actor="staff")
    assert journal.tickets.find("hash1") is None
    assert journal.tickets.find("hash2") == a_claim(order.order_id, 2)
    assert journal.tickets.find("hash3") is None


def test_tickets_are_used_once_and_failures_counted(journal: Journal, clock: FakeClock) -> None:
    order = an_order(1)
    journal.orders.add(order, actor="ris")
    journal.tickets.add(a_claim(order.order_id), actor="staff")
    journal.tickets.mark_used("t1", START)
    journal.tickets.mark_used("t1", START + timedelta(hours=1))
    for second in range(3):
        journal.tickets.count_failure("t1", "kiosk1", START + timedelta(seconds=second))
    journal.tickets.count_failure(None, "kiosk1", START)
    journal.tickets.count_failure(None, "kiosk2", START)
    found = journal.tickets.find("hash1")
    assert found is not None
    assert (found.used_at, found.failures) == (START, 3)
    assert journal.tickets.failures_since("kiosk1", START) == 4
    assert journal.tickets.failures_since("kiosk1", START + timedelta(seconds=2)) == 1
    journal.tickets.unlock("t1", actor="staff")
    unlocked = journal.tickets.find("hash1")
    assert unlocked is not None
    assert unlocked.failures == 0
    with pytest.raises(UnknownOrderError):
        journal.tickets.unlock("t9", actor="staff")


def test_tries_at_claims_are_counted_whether_anybody_knows_them_or_not(journal: Journal) -> None:
    order = an_order(1)
    journal.orders.add(order, actor="ris")
    journal.tickets.add(a_claim(order.order_id), actor="staff")
    count, failures = journal.tickets.count_failure, journal.tickets.claim_failures
    assert failures(["k1", "k2"]) == failures([]) == 0
    count(None, "kiosk1", START, claims=["k1"])
    count(None, "kiosk2", START, claims=["k1", "k2"], order_id=order.order_id)
    count(None, "kiosk1", START, claims=["k2"])  # where it led is not forgotten
    count("t1", "kiosk1", START, claims=["k3"])
    assert [failures([key]) for key in ("k1", "k2", "k3", "k4")] == [2, 2, 1, 0]
    assert failures(["k3", "k1"]) == 2
    assert journal.tickets.failures_since("kiosk1", START) == 3
    assert journal.tickets.unlock_order(order.order_id, ["k3", "k9"], actor="staff") == 4
    assert failures(["k1", "k2", "k3"]) == 0
    found = journal.tickets.find("hash1")
    assert found is not None
    assert found.failures == 0
    (row,) = journal.audit.rows(event="claim.unlocked")
    assert (row.actor, row.subject, row.details) == ("staff", order.order_id, {"counters": "4"})
    with pytest.raises(UnknownOrderError):
        journal.tickets.unlock_order(OrderId("no-such"), [], actor="staff")
    count(None, "kiosk1", START, claims=["k5"])
    count(None, "kiosk1", START + timedelta(days=31), claims=["k6"])
    assert failures(["k5"]) == 0  # nothing the kiosk hands out is as old


def test_alerts_are_remembered_with_the_refusals(journal: Journal) -> None:
    tickets = journal.tickets
    for second in range(2):
        tickets.count_failure(None, "kiosk1", START + timedelta(seconds=second))
    tickets.count_failure(None, "kiosk2", START)
    assert not tickets.has_alerted_since("kiosk1", START)
    tickets.note_alert("kiosk1")
    assert tickets.has_alerted_since("kiosk1", START + timedelta(seconds=1))
    assert not tickets.has_alerted_since("kiosk1", START + timedelta(seconds=2))
    assert not tickets.has_alerted_since("kiosk2", START)


# --- progress and questions


def a_progress(done: int, *, note: str = "", step: Step = Step.RETRIEVE) -> Progress:
    return Progress(step, done, 100, note, START)


def written_progress(journal: Journal) -> list[tuple[str, int, str]]:
    with reading(journal.engine) as connection:
        return [
            (row.step, row.done, row.note)
            for row in connection.execute(sa.text(f"SELECT * FROM {PREFIX}progress"))
        ]


def test_progress_is_written_once_a_second_but_news_at_once(
    journal: Journal, clock: FakeClock
) -> None:
    put = journal.progress.put
    put(JOB, a_progress(1))
    put(JOB, a_progress(2))
    assert written_progress(journal) == [("retrieve", 1, "")]
    clock.advance(1.0)
    put(JOB, a_progress(3))
    put(JOB, a_progress(4, note="archive.retry"))
    assert written_progress(journal) == [("retrieve", 4, "archive.retry")]
    put(JOB, a_progress(100, note="archive.retry"))
    assert written_progress(journal) == [("retrieve", 100, "archive.retry")]
    put(JOB, a_progress(0, step=Step.WRITE))
    assert written_progress(journal) == [("write", 0, "")]


def test_times_of_steps_outlive_the_process_and_are_few(
    journal: Journal, journal_url: str, clock: FakeClock
) -> None:
    assert journal.step_times.rates().usual_s(Step.WRITE, "disc") is None
    for seconds in range(KEPT + 5):
        journal.step_times.add(StepTime(Step.WRITE, "disc", 5_000_000_000, float(seconds)))
    journal.step_times.add(StepTime(Step.WRITE, "stick", 100, 7.5))
    journal.step_times.add(StepTime(Step.VERIFY, "disc", 100, 8.5))
    again = open_test_journal(journal_url, clock)
    rates = again.step_times.rates()
    assert rates.usual_s(Step.WRITE, "disc") == 5 + (KEPT - 1) / 2  # the first five went
    assert rates.usual_s(Step.WRITE, "disc", 10_000_000_000) == pytest.approx(29.0)
    assert rates.usual_s(Step.WRITE, "stick") == 7.5
    assert rates.usual_s(Step.VERIFY, "disc") == 8.5
    with reading(again.engine) as connection:
        rows = connection.scalar(sa.text(f"SELECT count(*) FROM {PREFIX}step_times"))
    again.close()
    assert rows == KEPT + 2


def test_stations_measure_for_themselves(journal: Journal, journal_url: str) -> None:
    other = open_test_journal(journal_url, station="station2")
    other.step_times.add(StepTime(Step.WRITE, "disc", 1, 300.0))
    for _ in range(KEPT + 1):
        journal.step_times.add(StepTime(Step.WRITE, "disc", 1, 60.0))
    assert journal.step_times.rates().usual_s(Step.WRITE, "disc") == 60.0
    assert other.step_times.rates().usual_s(Step.WRITE, "disc") == 300.0
    other.close()


def test_what_a_medium_lacks_is_kept_and_audited_once(
    journal: Journal, journal_url: str, clock: FakeClock
) -> None:
    journal.orders.add(an_order(), actor="test")
    job_id = an_order().order_id
    jobs = DbosJobs(journal)
    jobs.submit(job_id, MediaChoice(Medium.DISC), Priority.WARD, actor="test")
    jobs.close()
    assert journal.jobs.get(job_id).left_out == LeftOutCounts()
    journal.jobs.note_left_out(job_id, LeftOutCounts())  # nothing is nothing new
    counts = LeftOutCounts(videos=1, others=2)
    for _ in range(2):
        journal.jobs.note_left_out(job_id, counts)
    (row,) = journal.audit.rows(event="job.left_out")
    assert (row.subject, row.outcome) == (job_id, 4)
    assert row.details == {"videos": "1", "images": "0", "others": "2"}
    journal.jobs.fail(job_id, 1, status_info="PROC_FAILURE", error_code="x", hold_order=False)
    other = open_test_journal(journal_url, clock)  # after a restart, and when it has ended
    assert other.jobs.get(job_id).left_out == counts
    assert [job.left_out for job in other.jobs.newest()] == [counts]
    other.jobs.note_left_out(job_id, LeftOutCounts())  # built anew, and now whole
    assert other.jobs.get(job_id).left_out == LeftOutCounts()
    assert len(list(other.audit.rows(event="job.left_out"))) == 2
    other.close()


def test_what_media_hold_is_kept_of_the_newest_build(
    journal: Journal, journal_url: str, clock: FakeClock
) -> None:
    journal.orders.add(an_order(), actor="test")
    job_id = an_order().order_id
    jobs = DbosJobs(journal)
    jobs.submit(job_id, MediaChoice(Medium.DISC), Priority.WARD, actor="test")
    assert jobs.get(job_id).holds is None
    for counts in (ObjectCounts(412, 1, 2), ObjectCounts(412, 1, 2), ObjectCounts(400)):
        journal.jobs.note_contents(job_id, counts)
        assert jobs.get(job_id).holds == counts
    journal.jobs.finish(job_id, 1)
    jobs.purge(ended_before=clock.now() + timedelta(days=1))
    jobs.close()
    other = open_test_journal(journal_url, clock)  # a receipt may be asked for later
    assert [job.holds for job in other.jobs.newest()] == [ObjectCounts(400)]
    other.close()


def test_questions_are_numbered_and_stale_answers_dropped(journal: Journal) -> None:
    first = journal.questions.ask(JOB, Wanted.BLANK_DISC)
    assert journal.questions.ask(JOB, Wanted.BLANK_DISC) == first
    second = journal.questions.ask(JOB, Wanted.STAFF)
    assert (first.number, second.number) == (1, 2)
    assert not journal.questions.answer(JOB, first.number)
    assert not journal.questions.is_answered(JOB, second.number)
    assert not journal.questions.answer(JOB, 3)
    assert journal.questions.answer(JOB, second.number)
    assert journal.questions.is_answered(JOB, second.number)
    journal.questions.close(JOB)
    assert not journal.questions.answer(JOB, second.number)
    assert journal.questions.ask(JOB, Wanted.STAFF).number == 3


# --- ledger and media


def an_entry(phase: str, *, attempt: int = 1, drive: str = "d1") -> LedgerEntry:
    return LedgerEntry(drive, JOB, phase, attempt, "VOL1", "ab" * 32)


def test_blanks_are_counted_down_with_the_media_that_are_begun(
    journal: Journal, clock: FakeClock
) -> None:
    journal.orders.add(dataclasses.replace(an_order(1), order_id=JOB), actor="ris")
    journal.stock.count("d1", 3, actor="staff:jo")
    counted_at = clock.now()
    clock.advance(5)
    journal.ledger.put(an_entry(LedgerPhase.WRITING))
    journal.ledger.put(an_entry(LedgerPhase.SCRAP))
    journal.ledger.put(an_entry(LedgerPhase.SCRAP))  # once more changes nothing
    journal.ledger.free("d1")
    assert journal.stock.counts() == [DriveCounts("d1", 1, 0, 1, 2, counted_at)]
    journal.ledger.put(an_entry(LedgerPhase.WRITING, attempt=2))
    journal.ledger.free("d1")  # nothing was written on it
    assert journal.stock.counts() == [DriveCounts("d1", 1, 0, 1, 2, counted_at)]
    journal.ledger.put(an_entry(LedgerPhase.WRITING, attempt=2))  # nor is it another one then
    for phase in (LedgerPhase.CLOSED, LedgerPhase.VERIFIED):
        journal.ledger.put(an_entry(phase, attempt=2))
    done = an_entry(LedgerPhase.VERIFIED, attempt=2)
    assert journal.ledger.deliver(done, actor="engine", details={})
    assert not journal.ledger.deliver(done, actor="engine", details={})
    assert journal.stock.counts() == [DriveCounts("d1", 2, 1, 1, 1, counted_at)]


def test_more_blanks_than_were_counted_are_no_fault(journal: Journal) -> None:
    journal.stock.count("d1", 0, actor="staff:jo")
    journal.ledger.put(an_entry(LedgerPhase.WRITING))
    assert [it.in_stock for it in journal.stock.counts()] == [0]
    journal.stock.count("d1", None, actor="staff:jo")
    assert journal.stock.counts() == [DriveCounts("d1", 1, 0, 0, None, None)]
    assert [row.details["blanks"] for row in journal.audit.rows(event="stock.counted")] == ["0", ""]
    for wrong in (-1, MAX_STOCK + 1):
        with pytest.raises(InvalidValueError):
            journal.stock.count("d1", wrong, actor="staff:jo")


def test_discs_that_a_robot_threw_out_are_media_of_the_job(journal: Journal) -> None:
    journal.stock.count("d1", 9, actor="staff:jo")
    entry = an_entry(LedgerPhase.WRITING)
    journal.ledger.put(entry)
    for _ in range(2):  # twice is once
        journal.ledger.reject(entry, 2)
    journal.ledger.reject(entry, 0)
    for phase in (LedgerPhase.CLOSED, LedgerPhase.VERIFIED):
        journal.ledger.put(dataclasses.replace(entry, phase=phase))
    outcomes = {it.attempt: it.outcome for it in journal.ledger.history(entry.job_id)}
    assert outcomes == {1: LedgerPhase.VERIFIED, 2: LedgerPhase.SCRAP, 3: LedgerPhase.SCRAP}
    (counts,) = journal.stock.counts()
    assert (counts.begun, counts.spoiled, counts.in_stock) == (3, 2, 6)
    owner = journal.ledger.owner("d1")
    assert owner is not None
    assert (owner.attempt, owner.phase) == (1, LedgerPhase.VERIFIED)
    assert journal.ledger.begun(entry.job_id) == 3


def test_a_medium_that_is_out_keeps_the_drive_and_its_place_in_the_history(
    journal: Journal, clock: FakeClock
) -> None:
    ledger = journal.ledger
    journal.orders.add(dataclasses.replace(an_order(1), order_id=JOB), actor="ris")
    for phase in (LedgerPhase.WRITING, LedgerPhase.CLOSED, LedgerPhase.VERIFIED):
        ledger.put(an_entry(phase))
    ledger.put(an_entry(LedgerPhase.OUT))
    assert [record.outcome for record in ledger.history(JOB)] == ["verified"]  # not by this
    ledger.put(an_entry(LedgerPhase.VERIFIED))
    ledger.deliver(an_entry(LedgerPhase.VERIFIED), actor="engine", details={})
    clock.advance(5)
    ledger.put(an_entry(LedgerPhase.OUT))
    owner = ledger.owner("d1")
    assert owner == an_entry(LedgerPhase.OUT)
    assert owner is not None
    assert owner.since == clock.now()
    ledger.put(an_entry(LedgerPhase.SCRAP))  # it was drawn in again
    assert [record.outcome for record in ledger.history(JOB)] == ["delivered"]
    assert ledger.delivered(JOB) == 1
    (voided,) = list(journal.audit.rows(event="medium.voided"))
    assert voided.subject == JOB
    assert len(list(journal.audit.rows(event="export"))) == 1


def test_presence_is_a_row_that_goes_with_the_visit(journal: Journal, clock: FakeClock) -> None:
    presence = journal.presence
    assert presence.seen_at(JOB) is None
    presence.touch(JOB)
    clock.advance(3)
    presence.touch(JOB)
    assert presence.seen_at(JOB) == clock.now()
    presence.leave(JOB)
    presence.leave(JOB)
    assert presence.seen_at(JOB) is None


def test_a_call_stands_until_somebody_answers(journal: Journal, clock: FakeClock) -> None:
    calls = journal.calls
    assert calls.get(1) is None
    assert not calls.answer(1, actor="staff:eve")
    call = calls.call("lobby", "TicketScreen")
    assert calls.call("lobby", "ExamsScreen") == call  # still waiting
    other = calls.call("hall", "WelcomeScreen")
    assert [it.number for it in calls.newest()] == [other.number, call.number]
    clock.advance(60)
    assert calls.answer(call.number, actor="staff:eve")
    assert not calls.answer(call.number, actor="staff:adam")
    answered = calls.get(call.number)
    assert answered is not None
    assert (answered.answered_by, answered.answered_at) == ("staff:eve", clock.now())
    assert calls.newest(only_open=True) == [other]
    assert calls.call("lobby", "TicketScreen").number == 3
    assert [row.event for row in journal.audit.rows()][-4:] == [
        "staff.called",
        "staff.called",
        "staff.answered",
        "staff.called",
    ]
    journal.audit.verify()


def test_answered_calls_are_purged_when_their_time_is_over(
    journal: Journal, clock: FakeClock
) -> None:
    calls = journal.calls
    for kiosk in ("hall", "lobby", "ward"):
        calls.call(kiosk, "WelcomeScreen")
    for number in (1, 3):
        calls.answer(number, actor="staff:eve")
    answered_at = clock.now()
    assert calls.purge(answered_before=answered_at) == 0
    clock.advance(1)
    assert calls.purge(answered_before=clock.now()) == 1  # but the newest, though it is answered
    assert [it.number for it in calls.newest()] == [3, 2]
    assert calls.newest(only_open=True) == [calls.get(2)]  # nobody has answered: it stays
    assert calls.call("hall", "WelcomeScreen").number == 4
    assert calls.purge(answered_before=clock.now()) == 1
    assert [it.number for it in calls.newest()] == [4, 2]
    assert len(list(journal.audit.rows(event="staff.answered"))) == 2


def test_the_ledger_keeps_the_history_of_each_medium(journal: Journal) -> None:
    ledger = journal.ledger
    journal.orders.add(dataclasses.replace(an_order(1), order_id=JOB), actor="ris")
    assert ledger.owner("d1") is None
    assert ledger.begun(JOB) == 0
    ledger.put(an_entry(LedgerPhase.WRITING))
    assert ledger.owner("d1") == an_entry(LedgerPhase.WRITING)
    ledger.put(an_entry(LedgerPhase.SCRAP))
    ledger.free("d1")
    assert ledger.owner("d1") is None
    for phase in (LedgerPhase.WRITING, LedgerPhase.CLOSED, LedgerPhase.VERIFIED):
        ledger.put(an_entry(phase, attempt=2))
    assert ledger.begun(JOB) == 2
    assert ledger.deliver(an_entry(LedgerPhase.VERIFIED, attempt=2), actor="engine", details={})
    assert not ledger.deliver(an_entry(LedgerPhase.VERIFIED, attempt=2), actor="engine", details={})
    assert ledger.delivered(JOB) == 1
    assert [record.outcome for record in ledger.history(JOB)] == ["scrap", "delivered"]
    assert [row.outcome for row in journal.audit.rows(event="export")] == [8, 0]


def test_a_set_is_kept_counted_and_begun_anew_when_it_is_split_otherwise(journal: Journal) -> None:
    order = an_order()
    job_id = order.order_id
    journal.orders.add(order, actor="test")
    jobs = DbosJobs(journal)
    jobs.submit(job_id, MediaChoice(Medium.DISC, 3), Priority.WARD, actor="test")
    book = journal.jobs

    def deliver(attempt: int) -> None:
        for phase in (LedgerPhase.WRITING, LedgerPhase.CLOSED, LedgerPhase.VERIFIED):
            entry = LedgerEntry("d1", job_id, phase, attempt, "V", "0" * 64)
            journal.ledger.put(entry)
        assert journal.ledger.deliver(entry, actor="engine", details={})

    assert book.note_set(job_id, ["V0"]) == DiscSet(("V0",))
    assert book.disc_set(job_id) is None  # one medium is nothing to keep
    deliver(1)
    pair = DiscSet(("V12", "V22"), 1, 1)
    for _ in range(2):
        assert book.note_set(job_id, ["V12", "V22"]) == book.disc_set(job_id) == pair
    assert book.get(job_id).disc == DiscPlace(1, 2)
    deliver(2)
    assert book.newest()[0].disc == DiscPlace(2, 2)
    other = book.note_set(job_id, ["W12", "W22"])
    assert other == DiscSet(("W12", "W22"), 2, 1)
    assert [other.copies(count) for count in (2, 3, 4, 6)] == [1, 1, 2, 3]
    single = book.note_set(job_id, ["V0"])  # larger discs are in stock now
    assert (single, book.get(job_id).disc) == (DiscSet(("V0",), 2, 1), DiscPlace(1, 1))
    rows = list(journal.audit.rows(event="job.disc_set"))
    assert [row.outcome for row in rows] == [0, 4, 0]
    assert rows[0].details == {"discs": "2", "volumes": "V12 V22"}
    book.fail(job_id, 1, status_info="PROC_FAILURE", error_code="x", hold_order=False)
    jobs.submit(job_id, MediaChoice(Medium.DISC), Priority.WARD, actor="test")
    assert book.disc_set(job_id) is None  # what is placed again begins with the first disc
    jobs.close()


@pytest.mark.parametrize("state", [ReleaseState.HELD, ReleaseState.CANCELLED])
def test_what_staff_held_is_not_delivered(journal: Journal, state: ReleaseState) -> None:
    journal.orders.add(dataclasses.replace(an_order(1), order_id=JOB), actor="ris")
    for phase in (LedgerPhase.WRITING, LedgerPhase.CLOSED, LedgerPhase.VERIFIED):
        journal.ledger.put(an_entry(phase))
    journal.orders.set_state(JOB, state, actor="staff")
    with pytest.raises(OrderNotReleasedError):
        journal.ledger.deliver(an_entry(LedgerPhase.VERIFIED), actor="engine", details={})
    assert journal.ledger.delivered(JOB) == 0
    assert list(journal.audit.rows(event="export")) == []


def test_what_was_never_verified_is_not_delivered(journal: Journal) -> None:
    journal.ledger.put(an_entry(LedgerPhase.CLOSED))
    with pytest.raises(JournalError):
        journal.ledger.deliver(an_entry(LedgerPhase.CLOSED), actor="engine", details={})
    assert list(journal.audit.rows(event="export")) == []


def test_a_disc_that_stayed_blank_is_no_failed_export(journal: Journal) -> None:
    journal.ledger.put(an_entry(LedgerPhase.WRITING))
    journal.ledger.free("d1")
    assert [record.outcome for record in journal.ledger.history(JOB)] == ["unused"]
    assert list(journal.audit.rows(event="export")) == []


def test_stations_do_not_see_each_others_drives(journal: Journal, journal_url: str) -> None:
    other = open_journal(journal_url, station="station2", audit_key=AUDIT_KEY, clock=journal.clock)
    journal.ledger.put(an_entry(LedgerPhase.WRITING))
    assert other.ledger.owner("d1") is None
    other.close()


# --- audit


def fill(journal: Journal, rows: int = 5) -> None:
    for number in range(rows):
        journal.audit.append(
            "test", actor="me", subject=f"s{number}", outcome=0, details={"n": str(number)}
        )


def test_an_untouched_chain_verifies(journal: Journal) -> None:
    assert journal.audit.verify(journal.audit.head()) == 0
    fill(journal)
    assert journal.audit.verify() == 5
    head = journal.audit.head()
    fill(journal)
    assert journal.audit.verify(head) == 10


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE {t} SET actor = 'you' WHERE seq = 3",
        "UPDATE {t} SET details = '{{}}' WHERE seq = 1",
        "UPDATE {t} SET outcome = 4 WHERE seq = 5",
        "DELETE FROM {t} WHERE seq = 3",
        "DELETE FROM {t} WHERE seq = 1",
        "UPDATE {t} SET subject = CASE seq WHEN 2 THEN 's2' ELSE 's1' END WHERE seq IN (2, 3)",
        (
            "INSERT INTO {t} SELECT 6, at, event, actor, subject, outcome, details, mac FROM {t}"
            " WHERE seq = 5"
        ),
    ],
)
def test_a_tampered_chain_does_not(journal: Journal, attack: str) -> None:
    fill(journal)
    with writing(journal.engine) as connection:
        connection.exec_driver_sql(attack.format(t=audit.name))
    with pytest.raises(JournalError, match="broken at row"):
        journal.audit.verify()


def test_a_cut_off_end_is_seen_by_who_remembers_the_head(journal: Journal) -> None:
    fill(journal)
    head = journal.audit.head()
    with writing(journal.engine) as connection:
        connection.exec_driver_sql(f"DELETE FROM {audit.name} WHERE seq > 3")
    assert journal.audit.verify() == 3
    with pytest.raises(JournalError, match="cut off after row 3"):
        journal.audit.verify(head)
    fill(journal, 2)
    with pytest.raises(JournalError, match="rewritten"):
        journal.audit.verify(head)
    with pytest.raises(JournalError, match="cut off"):
        journal.audit.verify(AuditHead(9, "00" * 32))


def test_two_writers_make_one_chain(journal: Journal, journal_url: str) -> None:
    other = open_journal(journal_url, station="station2", audit_key=AUDIT_KEY, clock=journal.clock)
    threads = [threading.Thread(target=fill, args=(one, 20)) for one in (journal, other) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.audit.verify() == 80
    other.close()


def test_without_the_key_nothing_can_be_forged(journal: Journal, journal_url: str) -> None:
    fill(journal)
    forger = open_journal(
        journal_url, station="station1", audit_key=b"guess" * 7, clock=journal.clock
    )
    fill(forger, 1)
    forger.close()
    with pytest.raises(JournalError, match="broken at row 6"):
        journal.audit.verify()


# --- the database itself


def test_autogenerate_sees_nothing_to_do_beside_the_engines_tables(journal: Journal) -> None:
    config = alembic_config()
    with journal.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.check(config)
    schema = None if journal.engine.dialect.name == "sqlite" else "dbos"
    assert sa.inspect(journal.engine).has_table("workflow_status", schema=schema)
    ours = set(metadata.tables) | {VERSION_TABLE}
    assert all(name.startswith(PREFIX) for name in ours)


def test_a_newer_database_is_refused(journal: Journal) -> None:
    with writing(journal.engine) as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(JournalError, match="newer"):
        migrate(journal.engine)


def test_a_broken_migration_leaves_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(database_url)
    real = command.upgrade

    def upgrade_then_fail(*args: object) -> None:
        real(*args)  # type: ignore[arg-type]
        raise sa.exc.OperationalError("CREATE", {}, Exception("power"))

    monkeypatch.setattr(command, "upgrade", upgrade_then_fail)
    with pytest.raises(JournalError):
        migrate(engine)
    assert not sa.inspect(engine).has_table(f"{PREFIX}orders")
    monkeypatch.undo()
    migrate(engine)
    assert revision(engine)
    engine.dispose()


_MIGRATE = """
import sys
from kiosk.adapters.jobs import migrate
from kiosk.adapters.journal.engine import make_engine
migrate(make_engine(sys.argv[1]))
"""


def test_six_processes_migrate_at_once(database_url: str) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", _MIGRATE, database_url]) for _ in range(6)]
    assert [process.wait() for process in processes] == [0] * 6


def test_unknown_rows_have_errors_of_their_own(journal: Journal) -> None:
    with pytest.raises(UnknownJobError):
        journal.jobs.get(JOB)
    with pytest.raises(UnknownJobError):
        journal.jobs.is_cancelled(JOB)
    with pytest.raises(UnknownJobError):
        journal.jobs.begin(JOB, 1)


def test_errors_quote_no_values(journal: Journal) -> None:
    with pytest.raises(JournalError) as caught, writing(journal.engine) as connection:
        connection.execute(
            sa.text(f"INSERT INTO {PREFIX}orders (name) VALUES (:name)"), {"name": "CANARY"}
        )
    chain = [caught.value, caught.value.__cause__]
    assert not any("CANARY" in str(error) for error in chain)


def test_stations_beat_and_are_taken_over_once(journal: Journal, clock: FakeClock) -> None:
    stations = journal.stations
    stations.start("a")
    clock.advance(1000)
    for name in ("b", "c"):
        stations.start(name)
    since = clock.now() - timedelta(seconds=600)
    assert not stations.take_over("b", "c", since)
    assert stations.take_over("a", "b", since)
    assert stations.take_over("a", "b", since)
    assert not stations.take_over("a", "c", since)
    stations.beat("a")
    assert not stations.take_over("a", "c", since)
    assert set(stations.beats()) == {"a", "b", "c"}


def test_how_long_an_engine_is_silent(journal: Journal, clock: FakeClock) -> None:
    check_silence(journal.stations, journal.stations.start, clock)


def test_how_long_an_engine_in_memory_is_silent(clock: FakeClock) -> None:
    stations = FakeStations(clock, alive=False)
    check_silence(stations, stations.beat, clock)


def check_silence(stations: Stations, beat: Callable[[str], None], clock: FakeClock) -> None:
    assert stations.silent_s() is None
    assert stations.silent_s("a") is None
    beat("a")
    clock.advance(40)
    beat("b")
    clock.advance(2.5)
    assert stations.silent_s("a") == 42.5
    assert stations.silent_s("b") == 2.5
    assert stations.silent_s() == 2.5  # any of them
    assert stations.silent_s("c") is None
    beat("a")
    assert stations.silent_s("a") == 0
    clock.advance(-100)  # somebody set it right
    assert stations.silent_s("a") == 0


# --- SQLite only


def test_sqlite_survives_a_power_cut_by_its_settings(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'j.sqlite'}")
    with engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }
    engine.dispose()


def test_sqlite_files_are_nobody_elses(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "journal.sqlite").touch(0o644)
    journal = open_test_journal(f"sqlite:///{folder / 'journal.sqlite'}")
    fill(journal, 1)
    files = sorted(folder.iterdir())
    assert [path.name for path in files][:3] == [
        "journal.sqlite",
        "journal.sqlite-shm",
        "journal.sqlite-wal",
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    journal.close()


def test_a_writer_takes_the_lock_before_it_reads(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'j.sqlite'}")
    with writing(engine) as first:
        first.exec_driver_sql("CREATE TABLE t (n INTEGER)")
    with writing(engine), engine.connect() as second:
        second.exec_driver_sql("PRAGMA busy_timeout=1")
        with pytest.raises(sa.exc.OperationalError, match="locked"):
            second.exec_driver_sql("BEGIN IMMEDIATE")
        second.exec_driver_sql("PRAGMA busy_timeout=30000")
    engine.dispose()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "nonsense"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        make_engine(url)


def test_a_server_that_does_not_answer_is_said_without_its_password() -> None:
    engine = make_engine("postgresql://u:secretpw@127.0.0.1:1/db")
    with pytest.raises(JournalError, match=r"store\.database_url does not answer") as caught:
        with reading(engine):
            pass
    assert "secretpw" not in str(caught.value)


def test_an_impossible_folder_is_a_journal_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError):
        make_engine(f"sqlite:///{tmp_path / 'file' / 'j.sqlite'}")


def test_naive_times_are_refused(journal: Journal) -> None:
    order = an_order(1, created_at=datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None))
    with pytest.raises((JournalError, sa.exc.StatementError, ValueError)):
        journal.orders.add(order, actor="ris")


def test_reports_are_kept_replaced_and_swept(journal: Journal, clock: FakeClock) -> None:
    def a_report(name: str, station: str = "station1") -> KeptReport:
        return KeptReport(name, station, name * 64, 3, 1, "Befund ü", True, clock.now())

    for number in (1, 2):
        journal.orders.add(an_order(number), actor="test")
    first, second = an_order(1).order_id, an_order(2).order_id
    both = (a_report("a"), a_report("b"))
    journal.reports.replace(first, both, actor="staff:x")
    journal.reports.replace(second, [a_report("c", "station2")], actor="staff:x")
    assert journal.reports.of(first) == both
    assert journal.reports.files("station1") == [(first, "a"), (first, "b")]
    assert journal.orders.get(first).with_report
    assert journal.orders.get(first).is_report_preliminary
    final = dataclasses.replace(both[1], is_preliminary=False)
    journal.reports.replace(second, [both[0], final], actor="staff:x")
    assert not journal.orders.get(second).is_report_preliminary
    journal.reports.replace(second, [a_report("c", "station2")], actor="staff:x")
    assert [it.with_report for it in journal.orders.newest()] == [True, True]
    journal.reports.replace(first, [a_report("d")], actor="staff:x")
    assert [it.file_name for it in journal.reports.of(first)] == ["d"]
    for order_id in (first, second):
        journal.orders.set_state(order_id, ReleaseState.CANCELLED, actor="test")
    with pytest.raises(OrderNotReleasedError):
        journal.reports.replace(first, both, actor="staff:x")
    with pytest.raises(UnknownOrderError):
        journal.reports.replace(OrderId("nobody"), both, actor="staff:x")
    journal.reports.sweep("station1", clock.now())  # the other station sees to its own
    assert (journal.reports.of(first), len(journal.reports.of(second))) == ((), 1)
    handed_in = [row.details for row in journal.audit.rows(event="report.handed_in")]
    assert [it["replaced"] for it in handed_in] == ["0", "0", "1", "2", "2"]
    assert handed_in[0]["sha256"] == f"{'a' * 16} {'b' * 16}"
    assert len(list(journal.audit.rows(event="report.removed"))) == 1


def test_a_password_is_made_with_its_job_and_goes_with_it(
    journal: Journal, journal_url: str, clock: FakeClock
) -> None:
    journal.orders.add(an_order(), actor="test")
    job_id = an_order().order_id
    jobs = DbosJobs(journal)
    jobs.submit(job_id, MediaChoice(Medium.DISC, is_protected=True), Priority.WARD, actor="test")
    jobs.close()
    password = journal.passwords.of(job_id)
    assert password is not None
    other = open_test_journal(journal_url, clock)
    assert other.passwords.of(job_id) == password
    assert not other.passwords.is_told(job_id)
    other.passwords.tell(password.password_id, actor="kiosk:x")
    other.passwords.tell(password.password_id, actor="kiosk:x")
    assert journal.passwords.is_told(job_id)
    assert len(list(journal.audit.rows(event="password.told"))) == 1
    journal.jobs.finish(job_id, 1)
    assert journal.passwords.state(job_id) == "destroyed"
    with pytest.raises(PasswordLostError):
        journal.passwords.of(job_id)
    with pytest.raises(UnknownJobError):
        journal.passwords.of(OrderId("nobody"))
    other.close()
