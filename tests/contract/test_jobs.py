"""The durable engine's promises on both databases; the pitfalls of jobs that were each seen once.

One engine runs in a thread of the test's process; the drive is in memory, a person stands by.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kiosk.adapters.clock import SystemClock
from kiosk.adapters.jobs import DbosJobs
from kiosk.adapters.jobs.common import (
    VERSION,
    PickleRefusedError,
    drive_queue,
    make_client,
    serializer,
    work_queue,
)
from kiosk.adapters.jobs.engine import EngineOptions, run_engine
from kiosk.adapters.jobs.rescue import MAX_RESCUES, Rescue
from kiosk.adapters.journal.engine import reading, writing
from kiosk.adapters.journal.tables import bills, passwords, staff_calls
from kiosk.adapters.lock import FileLock
from kiosk.bootstrap import lobby_parts
from kiosk.config import Config, DriveConfig, LobbyConfig
from kiosk.domain.facts import DeskReason
from kiosk.domain.fee import (
    AverageSchedule,
    Ceiling,
    FeePolicy,
    FeeRequest,
    RequestKind,
    quote,
)
from kiosk.domain.model import (
    ExecutionStatus,
    HandOver,
    Job,
    MediaChoice,
    Medium,
    OrderId,
    Priority,
    ReleaseState,
    Step,
)
from kiosk.domain.rates import TIMED, kind_of
from kiosk.domain.waiver import WaiverReason
from kiosk.errors import (
    ExecutorBusyError,
    InvalidValueError,
    JournalError,
    OrderNotReleasedError,
    UnknownJobError,
    UnknownOrderError,
)
from kiosk.ports import LedgerEntry, LedgerPhase
from kiosk.services.parts import EngineParts, Policy
from tests.fakes.clock import START, FakeClock
from tests.fakes.media import FakeDisc, FakeMediaWriter
from tests.fakes.orders import an_order
from tests.fakes.station import Station, open_test_journal

QUICK = Policy(delays_s=(0.05,), poll_s=0.05, device_poll_s=0.1)
OPTIONS = EngineOptions(poll_s=0.05, background_poll_s=0.1, beat_s=0.2, stop_within_s=20.0)
DISC = MediaChoice(Medium.DISC)


@pytest.fixture
def station(journal_url: str, tmp_path: Path) -> Iterator[Station]:
    made = Station(tmp_path, url=journal_url, policy=QUICK, clock=SystemClock())
    yield made
    made.close()


@contextlib.contextmanager
def running(station: Station, folder: Path, parts: EngineParts | None = None) -> Iterator[None]:
    """An engine in a thread, up when the body begins, gone when it ends."""
    stop, up, failures = threading.Event(), threading.Event(), []

    def serve() -> None:
        try:
            run_engine(
                parts or station.parts,
                station.journal,
                folder,
                OPTIONS,
                on_ready=up.set,
                stop=stop,
            )
        except BaseException as error:
            failures.append(error)
            up.set()

    thread = threading.Thread(target=serve)
    thread.start()
    up.wait(30)
    try:
        if not failures:
            yield
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()
    if failures:
        raise failures[0]


def until(station: Station, is_over: Callable[[], bool], patience_s: float = 60.0) -> None:
    deadline = time.monotonic() + patience_s
    while not is_over():
        station.attend()
        assert time.monotonic() < deadline, station.jobs.newest()
        time.sleep(0.02)


def status_of(station: Station, job_id: OrderId) -> ExecutionStatus:
    return station.jobs.get(job_id).status


def is_done(station: Station, *job_ids: OrderId) -> Callable[[], bool]:
    return lambda: all(status_of(station, one) is ExecutionStatus.DONE for one in job_ids)


def has_question(station: Station, job_id: OrderId) -> Callable[[], bool]:
    return lambda: station.jobs.get(job_id).question is not None


@contextlib.contextmanager
def looks_counted(station: Station) -> Iterator[list[int]]:
    """Numbers of the questions that the engine looks at, each look as it ends."""
    looks: list[int] = []
    questions = station.journal.questions
    real = questions.is_answered

    def is_answered(job_id: OrderId, number: int) -> bool:
        answered = real(job_id, number)
        looks.append(number)
        return answered

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(questions, "is_answered", is_answered)
        yield looks


# --- placing


def test_row_audit_and_queue_are_one_transaction(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = an_order(1)
    station.journal.orders.add(order, actor="test")

    def fail(*_: object, **__: object) -> None:
        raise sa.exc.OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr(station.jobs, "enqueue", fail)
    with pytest.raises(JournalError):
        station.jobs.submit(order.order_id, DISC, Priority.WAITING_PATIENT, actor="test")
    monkeypatch.undo()
    with pytest.raises(UnknownJobError):
        station.jobs.get(order.order_id)
    assert list(station.journal.audit.rows(event="job.submitted")) == []
    assert station.jobs.client.list_workflows() == []
    station.jobs.submit(order.order_id, DISC, Priority.WAITING_PATIENT, actor="test")
    assert len(station.jobs.client.list_workflows()) == 1


def test_placed_twice_is_one_job_even_from_two_kiosks(station: Station) -> None:
    job_id = station.place()
    others = [DbosJobs(station.journal) for _ in range(4)]
    threads = [
        threading.Thread(
            target=other.submit, args=(job_id, DISC, Priority.WARD), kwargs={"actor": "kiosk"}
        )
        for other in others
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(station.journal.audit.rows(event="job.submitted"))) == 1
    (workflow,) = station.jobs.client.list_workflows()
    assert workflow.workflow_id == f"{job_id}.1"
    for other in others:
        other.close()


def test_only_released_orders_are_taken(station: Station) -> None:
    order = an_order(1, state=ReleaseState.HELD)
    station.journal.orders.add(order, actor="test")
    with pytest.raises(OrderNotReleasedError):
        station.jobs.submit(order.order_id, DISC, Priority.WARD, actor="test")
    with pytest.raises(UnknownOrderError):
        station.jobs.submit(OrderId("no-such"), DISC, Priority.WARD, actor="test")
    with pytest.raises(InvalidValueError):
        station.jobs.submit(
            order.order_id, MediaChoice(Medium.DISC, 0), Priority.WARD, actor="test"
        )
    with pytest.raises(UnknownJobError):
        station.jobs.cancel(order.order_id, actor="test")


@pytest.mark.parametrize("reason", ["held", "cancelled", "collected", "desk_only"])
def test_several_are_placed_all_or_none(station: Station, reason: str) -> None:
    """A hold between "is this you" and the order: seen in the transaction that would place it."""
    ids = [an_order(number).order_id for number in (1, 2, 3)]
    for number in (1, 2, 3):
        station.journal.orders.add(an_order(number), actor="test")
    choice = MediaChoice(Medium.DISC, hand_over=HandOver.ON_CLAIM, is_protected=True)

    def mark(*, desk_only: DeskReason | None) -> None:
        orders = station.journal.orders
        orders.set_marks(ids[1], desk_only=desk_only, send_home=False, actor="staff:eve")

    def place() -> tuple[OrderId, ...]:
        waiting = Priority.WAITING_PATIENT
        return station.jobs.submit_all(ids, choice, waiting, actor="kiosk:hall")

    if reason == "desk_only":
        mark(desk_only=DeskReason.VIP)
    else:
        station.journal.orders.set_state(ids[1], ReleaseState(reason), actor="staff:eve")
    with pytest.raises(OrderNotReleasedError):
        place()
    assert station.jobs.newest() == []
    assert station.jobs.client.list_workflows() == []
    with reading(station.journal.engine) as connection:
        assert connection.execute(sa.select(passwords)).all() == []
    assert list(station.journal.audit.rows(event="job.submitted")) == []
    (row,) = station.journal.audit.rows(event="job.refused")
    assert (row.actor, row.subject, row.outcome) == ("kiosk:hall", ids[1], 4)
    assert row.details == {"reason": reason, "orders": " ".join(ids)}
    mark(desk_only=None)
    station.journal.orders.set_state(ids[1], ReleaseState.RELEASED, actor="staff:eve")
    assert place() == tuple(ids)
    assert len(station.jobs.client.list_workflows()) == 3
    assert place() == tuple(ids)  # again is once
    assert len(list(station.journal.audit.rows(event="job.submitted"))) == 3
    assert station.journal.audit.verify() > 0


def test_what_runs_is_joined_but_not_past_a_hold(station: Station) -> None:
    running = station.place()
    station.journal.orders.add(an_order(2), actor="test")
    ids = [running, an_order(2).order_id]
    stick, waiting = MediaChoice(Medium.STICK), Priority.WAITING_PATIENT
    station.journal.orders.set_state(running, ReleaseState.HELD, actor="staff:eve")
    with pytest.raises(OrderNotReleasedError):
        station.jobs.submit_all(ids, stick, waiting, actor="kiosk:hall")
    with pytest.raises(UnknownJobError):
        station.jobs.get(ids[1])
    station.journal.orders.set_state(running, ReleaseState.RELEASED, actor="staff:eve")
    assert station.jobs.submit_all(ids, stick, waiting, actor="kiosk:hall") == tuple(ids)
    assert [station.jobs.get(it).choice.medium for it in ids] == [Medium.DISC, Medium.STICK]
    with pytest.raises(UnknownOrderError):
        station.jobs.submit_all([OrderId("no-such")], stick, waiting, actor="kiosk:hall")


COST = quote(
    FeePolicy(
        patient=AverageSchedule({Medium.DISC: 600}, {Medium.DISC: 50}),
        ceilings={RequestKind.PATIENT: Ceiling("TX", 650)},
    ),
    FeeRequest(RequestKind.PATIENT, Medium.DISC, 2, waiver=WaiverReason.HARDSHIP),
)
WAITING = Priority.WAITING_PATIENT


def test_a_waiver_is_used_up_by_the_copy_that_it_was_for(station: Station) -> None:
    ids = [an_order(number).order_id for number in range(1, 4)]
    for number in range(1, 4):
        order = an_order(number, waiver=WaiverReason.FAULTY_MEDIUM)
        station.journal.orders.add(order, actor="test")
    waivers = station.journal.orders
    station.jobs.submit(ids[0], DISC, Priority.WARD, actor="staff:eve")  # of staff's own: no price
    assert waivers.get(ids[0]).waiver is WaiverReason.FAULTY_MEDIUM
    station.jobs.submit_all(ids[:2], DISC, WAITING, actor="kiosk:hall", fee=COST)
    assert [waivers.get(it).waiver for it in ids] == [
        WaiverReason.FAULTY_MEDIUM,  # its copy was under way before, and has no part in the bill
        None,
        WaiverReason.FAULTY_MEDIUM,
    ]


def test_what_a_visit_places_has_one_public_number(station: Station) -> None:
    ids = [an_order(number).order_id for number in range(1, 6)]
    for number in range(1, 6):
        station.journal.orders.add(an_order(number), actor="test")
    mine, book = MediaChoice(Medium.DISC, hand_over=HandOver.ON_CLAIM), station.journal.jobs
    place = station.jobs.submit_all
    place(ids[:2], mine, WAITING, actor="kiosk:hall")
    place([ids[2]], mine, WAITING, actor="kiosk:hall")
    place([ids[3]], DISC, WAITING, actor="staff:eve")
    assert [book.get(it).wall_number for it in ids[:4]] == [100, 100, 101, 0]
    place([ids[1], ids[4]], mine, WAITING, actor="kiosk:hall")  # he comes back for one more
    assert book.get(ids[4]).wall_number == 100
    now = station.journal.clock.now()
    assert [it.job_id for it in book.on_the_wall(now)] == [ids[0], ids[1], ids[2], ids[4]]
    book.fail(ids[2], 1, status_info="PROC_FAILURE", error_code="x", hold_order=False)
    assert ids[2] in [it.job_id for it in book.on_the_wall(now - timedelta(minutes=1))]
    assert ids[2] not in [it.job_id for it in book.on_the_wall(now + timedelta(minutes=1))]
    place([ids[2]], mine, WAITING, actor="kiosk:hall")
    assert book.get(ids[2]).wall_number == 102  # placed anew, called anew


def test_two_kiosks_at_once_get_two_numbers(station: Station, journal_url: str) -> None:
    count = 8
    for number in range(1, count + 1):
        station.journal.orders.add(an_order(number), actor="test")
    choice = MediaChoice(Medium.DISC, hand_over=HandOver.ON_CLAIM)
    failed: list[BaseException] = []

    def place(number: int) -> None:
        try:
            with contextlib.closing(DbosJobs(station.journal)) as jobs:
                ids = [an_order(number).order_id]
                jobs.submit_all(ids, choice, WAITING, actor=f"kiosk:{number}")
        except BaseException as error:  # told below, in the test's own thread
            failed.append(error)

    threads = [threading.Thread(target=place, args=(number,)) for number in range(1, count + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    numbers = {it.wall_number for it in station.journal.jobs.newest()}
    assert numbers == set(range(100, 100 + count))


def test_what_was_agreed_to_is_kept_with_the_jobs(station: Station, journal_url: str) -> None:
    ids = [an_order(number).order_id for number in (1, 2, 3)]
    for number in (1, 2, 3):
        station.journal.orders.add(an_order(number), actor="test")
    jobs, kiosk = station.jobs, "kiosk:hall"
    jobs.submit_all(ids[:2], DISC, WAITING, actor=kiosk, fee=COST)
    first, second = (jobs.get(it).bill for it in ids[:2])
    assert first is not None
    assert first == second  # one for both
    assert (first.fee, first.exams) == (COST, 2)
    assert [line.amount.amount for line in first.fee.lines] == [600, 100, -50, -650]
    row = next(iter(station.journal.audit.rows(event="job.submitted")))
    assert (row.details["bill"], row.details["fee"]) == (first.bill_id, "0 USD")
    # He comes back, the site has other fees by now: what runs keeps its bill, what is new has one.
    other = quote(FeePolicy(currency="EUR"), FeeRequest(RequestKind.PATIENT, Medium.DISC))
    jobs.submit_all(ids, DISC, WAITING, actor=kiosk, fee=other)
    assert [bill and bill.fee for bill in (jobs.get(it).bill for it in ids)] == [COST, COST, other]
    assert [bill and bill.exams for bill in (jobs.get(it).bill for it in ids)] == [2, 2, 1]
    jobs.submit_all(ids, DISC, WAITING, actor=kiosk, fee=COST)  # all run: no bill of anything
    with reading(station.journal.engine) as connection:
        assert len(connection.execute(sa.select(bills)).all()) == 2
    journal = station.journal
    journal.jobs.fail(ids[0], 1, status_info="PROC_FAILURE", error_code="x", hold_order=False)
    jobs.submit(ids[0], DISC, Priority.WARD, actor="staff:eve")  # the same copy, at the desk
    assert jobs.get(ids[0]).bill == first
    journal.jobs.finish(ids[1], 1)
    jobs.purge(ended_before=station.clock.now() + timedelta(days=1))
    again = open_test_journal(journal_url)
    assert again.jobs.get(ids[1]).bill == first  # after a restart, and when the job was purged
    again.close()
    journal.orders.set_state(ids[1], ReleaseState.RELEASED, actor="staff:eve")
    jobs.submit(ids[1], DISC, Priority.WARD, actor="staff:eve")  # a second copy: nobody was asked
    assert jobs.get(ids[1]).bill is None


def test_what_failed_keeps_its_bill_and_is_not_charged_again(station: Station) -> None:
    """Only a copy that nobody has got: what was handed out is paid for with it."""
    ids = [an_order(number).order_id for number in (1, 2, 3)]
    for number in (1, 2, 3):
        station.journal.orders.add(an_order(number), actor="test")
    journal, jobs, kiosk = station.journal, station.jobs, "kiosk:hall"
    jobs.submit_all(ids[:2], DISC, WAITING, actor=kiosk, fee=COST)
    first = jobs.get(ids[0]).bill
    for failed in ids[:2]:
        journal.jobs.fail(failed, 1, status_info="X", error_code="job.cancelled", hold_order=False)
    assert jobs.get(ids[0]).owed == first
    entry = LedgerEntry("disc1", ids[1], LedgerPhase.VERIFIED, 1, "V1", "0" * 64, START)
    journal.ledger.put(entry)
    journal.ledger.deliver(entry, actor="test", details={})  # one of two copies was out
    assert (jobs.get(ids[1]).delivered, jobs.get(ids[1]).owed) == (1, None)

    jobs.submit_all(ids, DISC, WAITING, actor=kiosk, fee=COST)
    kept, other, new = (jobs.get(it).bill for it in ids)
    assert kept == first
    assert other == new
    assert new is not None
    assert new != first
    assert new.exams == 2
    rows = [it.details for it in journal.audit.rows(event="job.submitted") if it.subject == ids[0]]
    assert [it.get("agreed") for it in rows] == [None, "before"]
    assert first is not None
    assert {it["bill"] for it in rows} == {first.bill_id}
    journal.jobs.fail(ids[0], 2, status_info="X", error_code="x", hold_order=False)
    jobs.submit_all(ids[:1], DISC, WAITING, actor=kiosk, fee=COST)
    assert jobs.get(ids[0]).bill == first  # however often
    journal.jobs.fail(ids[0], 3, status_info="X", error_code="x", hold_order=False)
    for_another = quote(FeePolicy(), FeeRequest(RequestKind.THIRD_PARTY, Medium.DISC))
    jobs.submit_all(ids[:1], DISC, WAITING, actor=kiosk, fee=for_another)
    assert jobs.get(ids[0]).bill != first  # a copy for somebody else is another request
    with reading(journal.engine) as connection:
        assert len(connection.execute(sa.select(bills)).all()) == 3


def test_a_bill_of_an_earlier_version_is_for_the_jobs_that_have_it(station: Station) -> None:
    ids = [an_order(number).order_id for number in (1, 2, 3)]
    for number in (1, 2, 3):
        station.journal.orders.add(an_order(number), actor="test")
    station.jobs.submit_all(ids[:2], DISC, WAITING, actor="kiosk:hall", fee=COST)
    station.jobs.submit_all(ids[2:], DISC, WAITING, actor="kiosk:hall", fee=COST)
    with writing(station.journal.engine) as connection:
        connection.execute(sa.update(bills).values(exams=None))
    assert [bill and bill.exams for bill in (station.jobs.get(it).bill for it in ids)] == [2, 2, 1]


def test_a_bill_that_cannot_be_read_is_not_guessed(station: Station) -> None:
    station.journal.orders.add(an_order(1), actor="test")
    (job_id,) = station.jobs.submit_all(
        [an_order(1).order_id], DISC, WAITING, actor="kiosk:hall", fee=COST
    )
    for lines in ("[", "[[1, 2]]", '[["unknown", 1, 5]]', '{"a": 1}'):
        with writing(station.journal.engine) as connection:
            connection.execute(sa.update(bills).values(lines=lines))
        with pytest.raises(JournalError, match="bill"):
            station.jobs.get(job_id)


def test_a_trouble_with_the_last_one_places_none(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [an_order(number).order_id for number in (1, 2)]
    for number in (1, 2):
        station.journal.orders.add(an_order(number), actor="test")
    real = station.jobs.enqueue

    def fail(connection: sa.Connection, job_id: OrderId, run: int, priority: Priority) -> None:
        if job_id == ids[1]:
            raise sa.exc.OperationalError("INSERT", {}, Exception("disk full"))
        real(connection, job_id, run, priority)

    monkeypatch.setattr(station.jobs, "enqueue", fail)
    with pytest.raises(JournalError):
        station.jobs.submit_all(ids, DISC, WAITING, actor="kiosk:hall", fee=COST)
    with reading(station.journal.engine) as connection:
        assert connection.execute(sa.select(bills)).all() == []
    assert station.jobs.newest() == []
    assert station.jobs.client.list_workflows() == []


@pytest.mark.parametrize("priority", list(Priority))
def test_what_is_queued_names_version_queue_and_a_priority_that_is_never_0(
    station: Station, priority: Priority
) -> None:
    order = an_order(1)
    station.journal.orders.add(order, actor="test")
    station.jobs.submit(order.order_id, DISC, priority, actor="test")
    (row,) = station.jobs.client.list_workflows()
    assert row.app_version == VERSION == "wf-1"
    assert row.priority == int(priority) >= 1
    queue = "prefetch-station1" if priority is Priority.PREFETCH else "work-station1"
    assert row.queue_name == queue
    assert row.input is not None
    assert row.input["args"] == (order.order_id,)


# --- running


def test_an_order_is_fulfilled_and_leaves_no_patient_in_the_engines_tables(
    station: Station, tmp_path: Path
) -> None:
    with running(station, tmp_path):
        job_id = station.place()
        until(station, is_done(station, job_id))
    order = station.journal.orders.get(job_id)
    assert len(station.good_discs()) == 1
    kept = "\n".join(engine_rows(station))
    assert job_id in kept
    for secret in (order.patient.name, order.patient.patient_id, order.patient.birth_date):
        assert secret not in kept
    assert "py_pickle" not in kept


def test_a_job_leaves_what_its_steps_took_for_whoever_starts_next(
    station: Station, journal_url: str, tmp_path: Path
) -> None:
    assert station.journal.step_times.rates().usual_s(Step.WRITE, "disc") is None
    station.writer.before_laser = lambda: time.sleep(0.05)
    began_s = time.monotonic()
    with running(station, tmp_path):
        job_id = station.place()
        until(station, is_done(station, job_id))
    lasted_s = time.monotonic() - began_s
    later = open_test_journal(journal_url)
    rates = later.step_times.rates()
    later.close()
    took_s = [rates.usual_s(step, kind_of(step, DISC)) for step in TIMED]
    known_s = [it for it in took_s if it is not None]
    assert len(known_s) == len(TIMED)
    assert 0.05 <= sum(known_s) <= lasted_s
    written_s = rates.usual_s(Step.WRITE, "disc")
    assert written_s is not None
    assert written_s >= 0.05


def engine_rows(station: Station) -> Iterator[str]:
    """Every row of every table that is not ours, as text."""
    schema = None if station.journal.engine.dialect.name == "sqlite" else "dbos"
    tables = sa.MetaData()
    tables.reflect(station.journal.engine, schema=schema)
    with reading(station.journal.engine) as connection:
        for table in tables.tables.values():
            if not table.name.startswith("sendhome_"):
                for row in connection.execute(sa.select(table)):
                    yield str(tuple(row))


def test_a_second_engine_of_the_same_station_is_refused(station: Station, tmp_path: Path) -> None:
    with running(station, tmp_path):
        with pytest.raises(ExecutorBusyError):
            run_engine(station.parts, station.journal, tmp_path, OPTIONS)


def test_a_second_machine_with_the_same_name_is_refused(postgres_url: str, tmp_path: Path) -> None:
    one = Station(tmp_path, url=postgres_url, policy=QUICK, clock=SystemClock())
    elsewhere = tmp_path / "other-machine"
    with running(one, tmp_path), pytest.raises(ExecutorBusyError):
        run_engine(one.parts, one.journal, elsewhere, OPTIONS)
    one.close()


def test_the_lock_is_free_after_the_engine(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "l", "engine")
    with lock.hold(), pytest.raises(ExecutorBusyError):
        with FileLock(tmp_path / "l", "engine").hold():
            raise AssertionError
    with lock.hold():
        assert (tmp_path / "l").exists()


def test_stopped_in_the_middle_it_goes_on_with_the_next_start(
    station: Station, tmp_path: Path
) -> None:
    station.brings_blanks = False
    with running(station, tmp_path):
        job_id = station.place()
        until(station, has_question(station, job_id))
        before = station.jobs.get(job_id).question
    assert status_of(station, job_id) is ExecutionStatus.CREATING
    with looks_counted(station) as looks, running(station, tmp_path):
        until(station, lambda: len(looks) >= 2)  # it waits again
        assert station.jobs.get(job_id).question == before  # the same number: nothing asked twice
        station.brings_blanks = True
        until(station, is_done(station, job_id))
    assert station.archive.retrieved == 1


def test_a_drive_serves_one_burn_at_a_time(station: Station, tmp_path: Path) -> None:
    at_once, most = [0], [0]
    real = station.writer.verify

    def verify(*args, **kwargs):  # type: ignore[no-untyped-def]
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        time.sleep(0.2)
        at_once[0] -= 1
        return real(*args, **kwargs)

    station.writer.verify = verify  # type: ignore[method-assign]
    with running(station, tmp_path):
        jobs = [station.place(number) for number in range(1, 5)]
        until(station, is_done(station, *jobs))
        queue = make_client(station.journal.engine).retrieve_queue(drive_queue("station1", "disc1"))
    assert most == [1]
    assert queue is not None
    assert queue._worker_concurrency == 1
    assert len(station.good_discs()) == 4


def test_the_waiting_patient_comes_before_the_ward(station: Station, tmp_path: Path) -> None:
    station.brings_blanks = False
    ended: list[OrderId] = []
    with running(station, tmp_path):
        first = station.place(1)
        until(station, has_question(station, first))
        for number, priority in ((2, Priority.WARD), (3, Priority.WAITING_PATIENT)):
            order = an_order(number)
            station.journal.orders.add(order, actor="test")
            station.jobs.submit(order.order_id, DISC, priority, actor="test")
        ward, patient = OrderId(an_order(2).order_id), OrderId(an_order(3).order_id)
        until(station, lambda: len(burns_waiting(station)) == 2)
        station.brings_blanks = True

        def note() -> bool:
            ended.extend(
                one
                for one in (first, ward, patient)
                if one not in ended and station.journal.ledger.delivered(one)
            )
            return len(ended) == 3

        until(station, note)
        until(station, is_done(station, first, ward, patient))
    assert ended == [first, patient, ward]


def burns_waiting(station: Station) -> list[str]:
    found = station.jobs.client.list_workflows(
        queue_name=drive_queue("station1", "disc1"), status="ENQUEUED"
    )
    return [one.workflow_id for one in found]


def test_cancelling_a_job_that_waits_frees_its_drive(station: Station, tmp_path: Path) -> None:
    station.brings_blanks = False
    with running(station, tmp_path):
        first, second = station.place(1), station.place(2)
        until(
            station,
            lambda: bool(has_question(station, first)() or has_question(station, second)()),
        )
        holder = first if has_question(station, first)() else second
        other = second if holder == first else first
        station.jobs.cancel(holder, actor="patient")
        until(station, has_question(station, other))
        until(station, lambda: status_of(station, holder) is ExecutionStatus.FAILURE)
        assert station.jobs.get(holder).error_code == "job.cancelled"
        station.brings_blanks = True
        until(station, is_done(station, other))


def test_cancelling_a_job_that_waits_for_the_drive_ends_it_at_once(
    station: Station, tmp_path: Path
) -> None:
    station.brings_blanks = False
    with running(station, tmp_path):
        first = station.place(1)
        until(station, has_question(station, first))
        second = station.place(2)
        until(station, lambda: len(burns_waiting(station)) == 1)
        station.jobs.cancel(second, actor="patient")
        until(station, lambda: status_of(station, second) is ExecutionStatus.FAILURE)
        assert has_question(station, first)()
        station.brings_blanks = True
        until(station, is_done(station, first))


def test_an_answer_to_an_older_question_is_dropped(station: Station, tmp_path: Path) -> None:
    station.brings_blanks = False
    with running(station, tmp_path):
        job_id = station.place()
        until(station, has_question(station, job_id))
        question = station.jobs.get(job_id).question
        assert question is not None
        for stale in (question.number - 1, question.number + 1, 0, -1):
            station.jobs.answer(job_id, stale)
        with looks_counted(station) as looks:
            until(station, lambda: len(looks) >= 2)  # the first may have begun before
        assert station.jobs.get(job_id).question == question
        station.writer.insert(FakeDisc())  # the tray is the truth
        until(station, is_done(station, job_id))


def test_a_failed_job_can_be_placed_again(station: Station, tmp_path: Path) -> None:
    with running(station, tmp_path):
        station.brings_blanks = False
        job_id = station.place()
        until(station, has_question(station, job_id))
        station.jobs.cancel(job_id, actor="patient")
        until(station, lambda: status_of(station, job_id) is ExecutionStatus.FAILURE)
        station.brings_blanks = True
        station.jobs.submit(job_id, DISC, Priority.WAITING_PATIENT, actor="staff")
        until(station, is_done(station, job_id))
    assert len(station.good_discs()) == 1


def test_a_collected_order_is_made_again_only_if_staff_release_it(
    station: Station, tmp_path: Path
) -> None:
    with running(station, tmp_path):
        job_id = station.place()
        until(station, is_done(station, job_id))
        with pytest.raises(OrderNotReleasedError):
            station.jobs.submit(job_id, DISC, Priority.WAITING_PATIENT, actor="staff")
        assert status_of(station, job_id) is ExecutionStatus.DONE
        station.journal.orders.set_state(job_id, ReleaseState.RELEASED, actor="staff")
        station.jobs.submit(job_id, DISC, Priority.WAITING_PATIENT, actor="staff")
        until(station, is_done(station, job_id))
    assert len(station.good_discs()) == 2
    submitted = list(station.journal.audit.rows(event="job.submitted"))
    assert [row.actor for row in submitted] == ["test", "staff"]
    assert len(list(station.journal.audit.rows(event="export"))) == 2
    assert station.journal.orders.get(job_id).state is ReleaseState.COLLECTED


def test_a_job_that_runs_keeps_its_choice(station: Station) -> None:
    job_id = station.place()
    with pytest.raises(InvalidValueError, match="already"):
        station.jobs.submit(job_id, MediaChoice(Medium.DISC, 2), Priority.WARD, actor="staff")
    with pytest.raises(InvalidValueError, match="already"):
        station.jobs.submit(job_id, MediaChoice(Medium.STICK), Priority.WARD, actor="staff")
    assert station.jobs.submit(job_id, DISC, Priority.WARD, actor="staff") == job_id
    assert len(list(station.journal.audit.rows(event="job.submitted"))) == 1


def test_ended_jobs_are_purged_but_the_record_stays(station: Station, tmp_path: Path) -> None:
    calls = station.journal.calls
    for kiosk in ("hall", "lobby"):
        calls.answer(calls.call(kiosk, "TicketScreen").number, actor="staff:eve")
    with writing(station.journal.engine) as connection:
        long_ago = station.clock.now() - timedelta(days=OPTIONS.keep_days, seconds=1)
        connection.execute(sa.update(staff_calls).values(answered_at=long_ago))
    with running(station, tmp_path):
        job_id = station.place()
        until(station, is_done(station, job_id))
        until(station, lambda: calls.get(1) is None)  # housekeeping of the engine's own
    assert [it.number for it in calls.newest()] == [2]  # the next one is not number 1 again
    now = station.clock.now()
    assert station.jobs.purge(ended_before=now - timedelta(days=1)) == 0
    assert station.jobs.purge(ended_before=now + timedelta(days=1)) == 1
    assert station.jobs.purge(ended_before=now + timedelta(days=1)) == 0
    assert station.jobs.client.list_workflows() == []
    assert not any(str(job_id) in row for row in engine_rows(station))
    assert status_of(station, job_id) is ExecutionStatus.DONE
    assert station.journal.ledger.delivered(job_id) == 1
    assert station.journal.audit.verify() > 0


# --- what could run foreign code


def test_a_pickled_row_runs_nothing(station: Station, tmp_path: Path) -> None:
    """An opcode that would make a folder, in a row that says "py_pickle"."""
    marker = tmp_path / "pwned"
    payload = f"cposix\nmkdir\n(V{marker}\ntR.".encode()
    import base64

    job_id = station.place()
    with writing(station.journal.engine) as connection:
        schema = "" if connection.dialect.name == "sqlite" else "dbos."
        connection.exec_driver_sql(
            f"UPDATE {schema}workflow_status SET serialization = 'py_pickle'"
        )
        changed = connection.exec_driver_sql(
            f"UPDATE {schema}workflow_input SET inputs = '{base64.b64encode(payload).decode()}'"
        )
        assert changed.rowcount == 1
    with running(station, tmp_path / "state"):
        until(station, is_done(station, job_id))  # rescued by a new run from the journal
    assert not marker.exists()


def test_the_serializer_refuses_what_is_not_json() -> None:
    with pytest.raises(TypeError):
        serializer().serialize(object())
    import dbos._serialization as inner

    with pytest.raises(PickleRefusedError):
        inner.DBOSDefaultSerializer.serialize({})
    with pytest.raises(PickleRefusedError):
        inner.DBOSDefaultSerializer.deserialize("")


# --- rescue and take-over


def test_a_job_that_the_engine_lost_is_run_again(station: Station, tmp_path: Path) -> None:
    job_id = station.place()
    with writing(station.journal.engine) as connection:
        schema = "" if connection.dialect.name == "sqlite" else "dbos."
        connection.exec_driver_sql(f"UPDATE {schema}workflow_status SET status = 'ERROR'")
    with running(station, tmp_path):
        until(station, is_done(station, job_id))
    assert f"{job_id}.2" in {one.workflow_id for one in station.jobs.client.list_workflows()}


def test_a_job_that_nobody_runs_is_resumed_on_its_own_queue(station: Station) -> None:
    job_id = station.place()
    with writing(station.journal.engine) as connection:
        schema = "" if connection.dialect.name == "sqlite" else "dbos."
        connection.exec_driver_sql(f"UPDATE {schema}workflow_status SET status = 'PENDING'")
    rescue = Rescue(station.journal, station.jobs, station.parts, 600.0)
    rescue.look(frozenset({f"{job_id}.1"}))
    rescue.look(frozenset())
    (row,) = station.jobs.client.list_workflows()
    assert row.status == "PENDING"  # seen once: it may just have begun
    rescue.look(frozenset())
    (row,) = station.jobs.client.list_workflows()
    assert (row.status, row.queue_name) == ("ENQUEUED", work_queue("station1"))


def test_a_job_is_given_up_after_many_rescues(station: Station) -> None:
    job_id = station.place()
    schema = "" if station.journal.engine.dialect.name == "sqlite" else "dbos."
    rescue = Rescue(station.journal, station.jobs, station.parts, 600.0)
    for _ in range(MAX_RESCUES + 1):
        with writing(station.journal.engine) as connection:
            connection.exec_driver_sql(f"UPDATE {schema}workflow_status SET status = 'ERROR'")
        rescue.look(frozenset())
    job: Job = station.jobs.get(job_id)
    assert (job.status, job.error_code) == (ExecutionStatus.FAILURE, "engine.fault")


def test_a_dead_stations_work_is_moved_but_never_its_burns(
    journal_url: str, tmp_path: Path
) -> None:
    clock = FakeClock()
    dead = Station(tmp_path, url=journal_url, clock=clock)
    dead.journal.stations.start("station1")
    waiting, burning = dead.place(1), dead.place(2)
    dead.jobs.client.enqueue(
        {
            "workflow_name": "burn",
            "queue_name": drive_queue("station1", "disc1"),
            "workflow_id": f"{burning}.1.1",
            "app_version": VERSION,
            "priority": 1,
        },
        {},
    )
    journal = open_test_journal(journal_url, clock, "station2")
    journal.stations.start("station2")
    rescue = Rescue(journal, DbosJobs(journal), dead.parts, 600.0)
    rescue.take_over()
    assert [job.job_id for job in journal.jobs.running()] == []
    clock.advance(601)
    journal.stations.beat("station2")
    rescue.take_over()
    assert [job.job_id for job in journal.jobs.running()] == [waiting]
    assert [job.job_id for job in dead.journal.jobs.running()] == [burning]
    queues = {row.workflow_id: row.queue_name for row in dead.jobs.client.list_workflows()}
    assert queues[f"{waiting}.1"] == work_queue("station2")
    assert queues[f"{burning}.1"] == work_queue("station1")
    journal.close()
    dead.close()


def test_a_stick_goes_the_same_way(station: Station, tmp_path: Path) -> None:
    port = FakeMediaWriter(name="stick1")
    port.insert(FakeDisc())
    object.__setattr__(station.parts, "drives", {Medium.STICK: [port]})
    order = an_order(1)
    station.journal.orders.add(order, actor="test")
    with running(station, tmp_path):
        choice = MediaChoice(Medium.STICK)
        job_id = station.jobs.submit(order.order_id, choice, Priority.WARD, actor="test")
        until(station, is_done(station, job_id))
    (record,) = station.journal.ledger.history(job_id)
    assert (record.drive, record.outcome) == ("stick1", "delivered")


def test_a_stop_lets_a_disc_that_is_being_written_be_finished(
    station: Station, tmp_path: Path
) -> None:
    station.writer.insert(FakeDisc())
    writing_now = threading.Event()
    station.writer.before_laser = lambda: (writing_now.set(), time.sleep(1.0))[0]
    with running(station, tmp_path):
        job_id = station.place()
        assert writing_now.wait(30)
    assert station.writer.disc is not None
    assert station.writer.disc.content
    assert station.writer.disc.is_whole
    assert status_of(station, job_id) is ExecutionStatus.CREATING
    station.writer.before_laser = lambda: None
    with running(station, tmp_path):
        until(station, is_done(station, job_id))
    assert [one.outcome for one in station.journal.ledger.history(job_id)] == ["delivered"]


@pytest.mark.parametrize("copies", [1, 3])
def test_the_site_says_how_many_copies_are_offered(station: Station, copies: int) -> None:
    lobby = LobbyConfig(max_copies=copies, release_form=False, receipt=False)
    parts = lobby_parts(Config(lobby=lobby), station.journal, station.jobs)
    assert parts.max_copies == copies


def test_the_kiosk_knows_what_was_counted(station: Station) -> None:
    drives = (DriveConfig("d1"), DriveConfig("port", "stick", "/dev/sdz"))
    config = Config(drives=drives, lobby=LobbyConfig(release_form=False, receipt=False))
    parts = lobby_parts(config, station.journal, station.jobs)
    assert parts.find_empty() == set()
    station.journal.stock.count("d1", 0, actor="staff:test")
    assert parts.find_empty() == {Medium.DISC}
    station.journal.stock.count("d1", 50, actor="staff:test")
    assert parts.find_empty() == set()
