"""The workflow on a real journal with a drive in memory: every way through it, and every crash."""

from __future__ import annotations

import errno
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kiosk.adapters.journal.engine import reading
from kiosk.adapters.journal.tables import step_times
from kiosk.domain.contents import ObjectCounts
from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.model import (
    ExecutionStatus,
    MediaChoice,
    Medium,
    OrderId,
    Priority,
    ReleaseState,
    Step,
    Wanted,
)
from kiosk.domain.rates import TIMED, kind_of
from kiosk.errors import (
    ArchiveRefusedError,
    ArchiveUnreachableError,
    CheckFailedError,
    DriveFaultError,
    JournalError,
    MediumSpoiledError,
    MoveIncompleteError,
    SetOversizedError,
    SpoolFullError,
    SpoolLostError,
    SpoolTooSmallError,
    WrongPatientError,
)
from kiosk.ports import LedgerEntry, LedgerPhase, LoadedMedium, MediumProgress, WrittenMedium
from kiosk.services.by_hand import BY_HAND
from kiosk.services.durable import EngineStopping
from kiosk.services.parts import Policy
from kiosk.services.write import ImageFacts
from kiosk.widgets.wording import failure_words
from tests.fakes.durable import CrashError, FakeEngine
from tests.fakes.media import FakeDisc, FakeMediaWriter, make_image
from tests.fakes.station import Station
from tests.instants import instants

# One crash more or less must not matter to these; a changed list means a new workflow version:
# orders that are under way when the program is updated are played back against it.
STEPS = [
    "release", "open", "retrieve", "compose", "drive", "write", "ask.blank_disc", "write",
    "hand_over", "open", "finish",
]  # fmt: skip


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    made = Station(tmp_path)
    yield made
    made.close()


def nothing_to_settle(station: Station) -> None:
    """The drive is free, or will be when the open tray is seen again, closed and without it."""
    owner = station.journal.ledger.owner("disc1")
    if owner is not None:
        assert owner.phase in (LedgerPhase.OUT, LedgerPhase.SCRAP)
        assert station.writer.is_open


def finished(station: Station, job_id: OrderId) -> None:
    """What is true after every order that went well."""
    job = station.jobs.get(job_id)
    assert (job.status, job.status_info, job.error_code) == (ExecutionStatus.DONE, "NORMAL", "")
    assert job.question is None
    assert station.journal.orders.get(job_id).state is ReleaseState.COLLECTED
    nothing_to_settle(station)
    assert station.parts.spool.job_ids() == []
    exports = [row for row in station.journal.audit.rows(event="export") if row.outcome == 0]
    assert len(exports) == len(station.good_discs()) == job.choice.copies
    assert station.journal.audit.verify() > 0


def run(station: Station, job_id: OrderId) -> FakeEngine:
    engine = FakeEngine(station.parts)
    engine.run(job_id, station.journal.jobs.newest_run(job_id))
    return engine


def test_an_order_goes_all_the_way_in_these_steps(station: Station) -> None:
    job_id = station.place()
    engine = run(station, job_id)
    finished(station, job_id)
    assert engine.names == STEPS
    assert station.asked == [(job_id, Wanted.BLANK_DISC)]


def test_a_drive_without_blanks_gets_no_job_while_another_has_some(station: Station) -> None:
    other = FakeMediaWriter(name="disc2")
    station.parts = replace(station.parts, drives={Medium.DISC: [station.writer, other]})
    station.journal.stock.count("disc2", 0, actor="staff:jo")
    for number in range(1, 5):  # whatever their ids are
        job_id = station.place(number)
        run(station, job_id)
        finished_on = station.journal.ledger.history(job_id)[-1].drive
        assert finished_on == "disc1"
    (counts,) = [it for it in station.journal.stock.counts() if it.drive == "disc1"]
    assert (counts.begun, counts.good, counts.spoiled) == (4, 4, 0)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_job_goes_where_a_blank_is_in_that_is_large_enough(station: Station, number: int) -> None:
    """Whatever the ids are; and a drive that does not answer is nobody's first."""

    class Ill(FakeMediaWriter):
        def inspect(self) -> LoadedMedium:
            raise DriveFaultError("no such drive")

    small, ill = FakeMediaWriter(name="disc0"), Ill(name="disc9")
    drives = [small, station.writer, ill]
    station.parts = replace(station.parts, drives={Medium.DISC: drives})
    small.insert(FakeDisc(capacity_blocks=30))
    station.writer.insert(FakeDisc())
    job_id = station.place(number)
    run(station, job_id)
    assert {it.drive for it in station.journal.ledger.history(job_id)} == {"disc1"}
    assert small.disc is not None
    assert small.disc.content is None


def test_what_a_disc_holds_and_lacks_is_known_whatever_crash_comes_between(
    tmp_path: Path,
) -> None:
    lacks, holds = LeftOutCounts(videos=2), ObjectCounts(300, 1, 2)
    for boundary in instants(3):
        if boundary > 3 * len(STEPS):
            break
        folder = tmp_path / str(boundary)
        folder.mkdir()
        station = Station(folder)
        station.archive.lacks, station.archive.holds = lacks, holds
        job_id = station.place()
        assert station.jobs.get(job_id).holds is None
        engine = FakeEngine(station.parts, crash_at=boundary)
        with pytest.raises(CrashError):
            engine.run(job_id)
        engine.run(job_id)
        job = station.jobs.get(job_id)
        assert (job.left_out, job.holds) == (lacks, holds)
        assert len(list(station.journal.audit.rows(event="job.left_out"))) == 1
        station.close()


def test_every_crash_ends_with_one_good_disc(tmp_path: Path) -> None:
    every = 2
    for boundary in instants(every):
        folder = tmp_path / str(boundary)
        folder.mkdir()
        station = Station(folder)
        job_id = station.place()
        engine = FakeEngine(station.parts, crash_at=boundary)
        try:
            engine.run(job_id)
        except CrashError:
            engine.run(job_id)
            finished(station, job_id)
            station.close()
            continue
        station.close()
        break
    assert 3 * len(STEPS) < boundary <= 3 * len(STEPS) + every


def test_copies_are_made_one_after_the_other(station: Station) -> None:
    job_id = station.place(copies=3)
    run(station, job_id)
    finished(station, job_id)


def test_a_blank_disc_that_waits_already_is_not_asked_for(station: Station) -> None:
    station.writer.insert(FakeDisc())
    job_id = station.place()
    run(station, job_id)
    finished(station, job_id)
    assert station.asked == []


def test_an_archive_that_is_down_is_asked_again_by_the_policy(station: Station) -> None:
    station.archive.troubles = [ArchiveUnreachableError("down")] * 7
    seen = []

    def look() -> None:
        job = station.jobs.get(job_id)
        if job.progress is not None and job.progress.note == "archive.retry":
            seen.append((job.error_code, job.status, station.clock.now()))

    station.during_wait = look
    job_id = station.place()
    began = station.clock.now()
    run(station, job_id)
    finished(station, job_id)
    assert {entry[0] for entry in seen} == {"archive.unreachable"}
    assert {entry[1] for entry in seen} == {ExecutionStatus.CREATING}
    waited = station.clock.now() - began
    assert waited >= timedelta(seconds=5 + 15 + 60 + 300 + 3 * 900)
    assert station.archive.retrieved == 8


def test_a_pause_goes_on_after_a_crash_instead_of_beginning_anew(station: Station) -> None:
    station.archive.troubles = [ArchiveUnreachableError("down")] * 5
    job_id = station.place()
    engine = FakeEngine(station.parts)
    crashed_at = station.clock.now() + timedelta(seconds=5 + 15 + 60 + 300 + 600)

    def crash() -> None:
        if engine.crash_at == 0 and station.clock.now() >= crashed_at:
            engine.crash_at = -1
            raise CrashError

    station.during_wait = crash
    with pytest.raises(CrashError):
        engine.run(job_id)
    again = station.clock.now()
    engine.run(job_id)
    finished(station, job_id)
    assert station.clock.now() - again < timedelta(seconds=320)


def test_only_time_in_which_something_was_done_is_measured(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the pauses before another try, nor the try that failed, nor the wait for a disc."""
    station.archive.troubles = [ArchiveUnreachableError("down")] * 2
    station.archive.during_retrieve = lambda: station.clock.sleep_s(7)
    station.writer.before_laser = lambda: station.clock.sleep_s(30)
    verify = station.writer.verify

    def verify_slowly(*given: Any, **more: Any) -> WrittenMedium:
        station.clock.sleep_s(12)  # the disc is loaded again
        return verify(*given, **more)

    monkeypatch.setattr(station.writer, "verify", verify_slowly)
    station.brings_blanks = False

    def bring_one_late() -> None:
        station.brings_blanks = station.clock.now() - began > timedelta(minutes=5)

    station.during_wait = bring_one_late
    began = station.clock.now()
    job_id = station.place()
    run(station, job_id)
    finished(station, job_id)
    assert station.clock.now() - began > timedelta(minutes=5)
    rates = station.journal.step_times.rates()
    kinds = {step: kind_of(step, station.jobs.get(job_id).choice) for step in TIMED}
    assert {step: rates.usual_s(step, kinds[step]) for step in TIMED} == {
        Step.RETRIEVE: 7.0,
        Step.COMPOSE: 0.0,
        Step.WRITE: 30.0,
        Step.VERIFY: 12.0,
        Step.HAND_OVER: 0.0,
    }
    size_bytes = 40 * 2048
    assert rates.usual_s(Step.WRITE, "disc", 2 * size_bytes) == pytest.approx(60.0)


def test_nothing_is_measured_of_a_disc_that_was_spoiled(station: Station) -> None:
    station.writer.break_off_at = 30_000
    job_id = station.place()
    run(station, job_id)
    finished(station, job_id)
    with reading(station.journal.engine) as connection:
        steps = connection.scalars(sa.select(step_times.c.step).order_by(step_times.c.id)).all()
    assert steps == ["retrieve", "compose", "write", "verify", "hand_over"]


def test_times_that_cannot_be_kept_disturb_nothing(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_time: object) -> None:
        raise JournalError("locked")

    monkeypatch.setattr(station.journal.step_times, "add", fail)
    job_id = station.place()
    run(station, job_id)
    finished(station, job_id)


def test_staff_are_asked_when_the_archive_refuses_us(station: Station) -> None:
    station.archive.troubles = [ArchiveRefusedError("who are you")]
    station.answers_staff = True
    job_id = station.place()
    run(station, job_id)
    finished(station, job_id)
    assert (job_id, Wanted.STAFF) in station.asked


def test_an_incomplete_study_is_asked_for_again_then_waits_for_staff(station: Station) -> None:
    station.archive.troubles = [MoveIncompleteError("9 of 30", missing=21)] * 5
    job_id = station.place()
    shown = []

    def cancel_when_staff_are_called() -> None:
        job = station.jobs.get(job_id)
        if job.question is not None:
            shown.append((job.question.wanted, job.status_info, job.error_code))
            station.jobs.cancel(job_id, actor="staff")

    station.during_wait = cancel_when_staff_are_called
    run(station, job_id)
    assert shown[0] == (Wanted.STAFF, "NO_INSTANCE", "archive.incomplete")
    job = station.jobs.get(job_id)
    assert (job.status, job.error_code) == (ExecutionStatus.FAILURE, "job.cancelled")
    assert station.writer.ejected == []
    assert station.journal.orders.get(job_id).state is ReleaseState.RELEASED
    assert station.parts.spool.job_ids() == []


@pytest.mark.parametrize(
    ("error", "is_held"),
    [
        (WrongPatientError("an object"), True),
        (CheckFailedError("PDI-64"), True),
        (SetOversizedError("too large"), False),
    ],
)
def test_what_must_never_leave_fails_the_job(
    station: Station, error: WrongPatientError, is_held: bool
) -> None:
    station.archive.build_troubles = [error]
    job_id = station.place()
    run(station, job_id)
    job = station.jobs.get(job_id)
    assert (job.status, job.status_info, job.error_code) == (
        ExecutionStatus.FAILURE,
        error.status_info,
        error.code,
    )
    state = station.journal.orders.get(job_id).state
    assert state is (ReleaseState.HELD if is_held else ReleaseState.RELEASED)
    assert station.writer.ejected == []
    assert station.parts.spool.job_ids() == []


def test_what_discs_do_not_hold_a_stick_may(station: Station) -> None:
    """He may choose again with the same ticket, and is told what."""
    port = FakeMediaWriter(name="port")
    drives = {Medium.DISC: [station.writer], Medium.STICK: [port]}
    station.parts = replace(station.parts, drives=drives)
    station.archive.build_troubles = [SetOversizedError("40 media are needed, 35 is the most")]
    job_id = station.place()
    run(station, job_id)
    job = station.jobs.get(job_id)
    assert (job.status, job.status_info, job.error_code) == (
        ExecutionStatus.FAILURE,
        "SET_OVERSIZED",
        "build.needs_stick",
    )
    assert "USB" in failure_words(job.error_code).text
    assert station.journal.orders.get(job_id).state is ReleaseState.RELEASED


def test_staff_read_that_a_set_needs_more_discs_than_there_are(
    station: Station, caplog: pytest.LogCaptureFixture
) -> None:
    station.parts = replace(station.parts, planned_blocks={"disc1": 1000})
    station.journal.stock.count("disc1", 1, actor="test")
    station.archive.discs = 3
    run(station, station.place())
    assert "it takes 3 discs, 2 more than there are" in caplog.text


def test_a_lost_spool_is_retrieved_again(station: Station) -> None:
    station.archive.build_troubles = [SpoolLostError("an object is damaged")]
    job_id = station.place()
    run(station, job_id)
    finished(station, job_id)
    assert station.archive.retrieved == 2


def test_what_an_earlier_version_retrieved_is_retrieved_again(station: Station) -> None:
    """It kept no inventory, and less than the whole study must not look whole."""
    job_id = station.place()
    engine = FakeEngine(station.parts)
    engine.crash_at = 9  # the retrieval is recorded
    with pytest.raises(CrashError):
        engine.run(job_id)
    history = engine.history(f"{job_id}.1")
    assert json.loads(history[-1])["facts"].pop("inventory") == "inventory"
    history[-1] = json.dumps({"name": "retrieve", "facts": {"station": "station1"}})
    engine.crash_at = 0
    engine.run(job_id)
    finished(station, job_id)
    assert station.archive.retrieved == 2


def test_nobody_builds_on_for_a_job_that_ended(station: Station) -> None:
    job_id = station.place()
    station.archive.build_troubles = [WrongPatientError("an object")]
    run(station, job_id)
    assert station.jobs.get(job_id).status is ExecutionStatus.FAILURE
    assert station.archive.forgotten == [station.parts.spool.folder(job_id)]


def test_an_image_that_vanished_is_made_again(station: Station) -> None:
    job_id = station.place()
    vanished = []

    def vanish() -> None:
        if not vanished:
            vanished.append(True)
            station.parts.spool.wipe(job_id)

    station.during_wait = vanish
    run(station, job_id)
    finished(station, job_id)
    assert station.archive.retrieved == 2


def test_a_full_spool_waits_with_its_reason_and_goes_on(station: Station) -> None:
    station.archive.troubles = [SpoolFullError("no room")] * 3
    codes = []
    station.during_wait = lambda: codes.append(
        (station.jobs.get(job_id).error_code, station.jobs.get(job_id).status_info)
    )
    job_id = station.place()
    run(station, job_id)
    finished(station, job_id)
    assert ("spool.full", "OUT_OF_SUPPLIES") in codes


def test_the_reason_stays_until_an_attempt_went_well(station: Station) -> None:
    station.archive.troubles = [SpoolFullError("no room")] * 2
    seen: list[tuple[str, str]] = []

    def look() -> None:
        job = station.jobs.get(job_id)
        seen.append((job.error_code, job.status_info))

    station.archive.during_retrieve = look
    job_id = station.place()
    run(station, job_id)
    finished(station, job_id)
    full = ("spool.full", "OUT_OF_SUPPLIES")
    assert seen == [("", "NORMAL"), full, full]
    job = station.jobs.get(job_id)
    assert (job.error_code, job.status_info) == ("", "NORMAL")


def test_staff_are_asked_about_a_spool_that_stays_full(station: Station) -> None:
    attempts = station.parts.policy.attempts
    station.archive.troubles = [SpoolFullError("no room")] * attempts
    station.answers_staff = True
    codes: list[str] = []
    station.archive.during_retrieve = lambda: codes.append(station.jobs.get(job_id).error_code)
    job_id = station.place()
    run(station, job_id)
    finished(station, job_id)
    assert [wanted for _, wanted in station.asked].count(Wanted.STAFF) == 1
    assert codes == ["", *["spool.full"] * attempts]  # answered is not mended


def test_a_full_spool_goes_on_without_an_answer_when_there_is_room(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.archive.troubles = [SpoolFullError("no room")] * station.parts.policy.attempts
    free = [1 << 20]
    monkeypatch.setattr(station.parts.spool, "free_bytes", lambda: free[0])

    def another_job_ends() -> None:
        if (job_id, Wanted.STAFF) in station.asked:
            free[0] = 1 << 30

    station.during_wait = another_job_ends
    job_id = station.place()
    run(station, job_id)
    finished(station, job_id)
    assert (job_id, Wanted.STAFF) in station.asked


def test_staff_are_asked_at_once_about_a_spool_that_is_too_small(station: Station) -> None:
    station.archive.troubles = [SpoolTooSmallError("too small")]
    station.answers_staff = True
    codes: list[str] = []
    station.during_wait = lambda: codes.append(station.jobs.get(job_id).error_code)
    job_id = station.place()
    run(station, job_id)
    finished(station, job_id)
    assert station.asked[0] == (job_id, Wanted.STAFF)
    assert codes[0] == "spool.too_small"


def test_spoiled_discs_are_replaced_and_staff_called_after_three(station: Station) -> None:
    job_id = station.place()
    spoiled = [0]

    def break_writes() -> None:
        # Four discs in all break off; the person brings new ones.
        spoiled[0] += 1
        station.writer.break_off_at = 30_000 if spoiled[0] <= 4 else None

    station.writer.before_laser = break_writes
    station.answers_staff = True
    run(station, job_id)
    finished(station, job_id)
    assert (job_id, Wanted.STAFF) in station.asked
    failed = [row for row in station.journal.audit.rows(event="export") if row.outcome]
    assert len(failed) == 4
    outcomes = [record.outcome for record in station.journal.ledger.history(job_id)]
    assert outcomes == ["scrap"] * 4 + ["delivered"]


def test_a_broken_drive_waits_for_staff(station: Station) -> None:
    job_id = station.place()
    station.writer.insert(FakeDisc())
    broken = [True]
    real = station.writer.inspect

    def inspect():  # type: ignore[no-untyped-def]
        if broken:
            broken.clear()
            raise DriveFaultError("gone")
        return real()

    station.writer.inspect = inspect  # type: ignore[method-assign]
    station.answers_staff = True
    run(station, job_id)
    finished(station, job_id)
    assert station.asked[0] == (job_id, Wanted.STAFF)


def test_a_medium_of_somebody_else_stays_in_the_closed_drive(station: Station) -> None:
    station.writer.insert(FakeDisc())
    station.archive.gate_trouble = WrongPatientError("read back")
    job_id = station.place()
    at_question = []

    def staff() -> None:
        if station.jobs.get(job_id).question is not None:
            at_question.append(list(station.writer.ejected))
            station.answers_staff = True

    station.during_wait = staff
    run(station, job_id)
    assert at_question[0] == []
    job = station.jobs.get(job_id)
    assert (job.status, job.error_code) == (ExecutionStatus.FAILURE, "identity.wrong_patient")
    assert station.journal.orders.get(job_id).state is ReleaseState.HELD
    assert station.journal.ledger.delivered(job_id) == 0
    nothing_to_settle(station)


def test_an_order_that_is_not_released_is_refused(station: Station) -> None:
    job_id = station.place()
    station.journal.orders.set_state(job_id, ReleaseState.HELD, actor="staff")
    run(station, job_id)
    assert station.jobs.get(job_id).error_code == "order.not_released"
    assert station.archive.retrieved == 0


def test_a_station_without_such_a_drive_says_so(station: Station) -> None:
    job_id = station.place()
    object.__setattr__(station.parts, "drives", {Medium.STICK: [station.writer]})
    run(station, job_id)
    assert station.jobs.get(job_id).error_code == "config.invalid"
    assert station.archive.retrieved == 0


def test_a_cancelled_job_ends_at_its_next_look(station: Station) -> None:
    job_id = station.place()
    station.archive.during_retrieve = lambda: station.jobs.cancel(job_id, actor="patient")
    station.brings_blanks = False
    run(station, job_id)
    job = station.jobs.get(job_id)
    assert (job.status, job.error_code) == (ExecutionStatus.FAILURE, "job.cancelled")
    assert job.question is None


def test_a_cancel_that_comes_too_late_takes_nothing_back(station: Station) -> None:
    job_id = station.place()
    station.writer.insert(FakeDisc())
    real = station.writer.eject

    def eject() -> None:
        station.jobs.cancel(job_id, actor="patient")
        real()

    station.writer.eject = eject  # type: ignore[method-assign]
    run(station, job_id)
    finished(station, job_id)


def test_a_stop_records_nothing_and_the_next_process_goes_on(station: Station) -> None:
    job_id = station.place()
    engine = FakeEngine(station.parts)

    def stop() -> None:
        engine.is_stopped = True

    station.archive.during_retrieve = stop
    with pytest.raises(EngineStopping):
        engine.run(job_id)
    assert engine.names == ["release", "open", "retrieve"]
    engine.is_stopped = False
    station.archive.during_retrieve = lambda: None
    engine.run(job_id)
    finished(station, job_id)


def test_the_good_disc_of_a_job_that_died_is_handed_over_by_the_next(tmp_path: Path) -> None:
    station = Station(tmp_path)
    first, second = station.place(1), station.place(2)
    station.writer.insert(FakeDisc())
    engine = FakeEngine(station.parts)

    def die() -> None:
        raise CrashError

    real, station.writer.eject = station.writer.eject, die  # type: ignore[method-assign]
    with pytest.raises(CrashError):
        engine.run(first)
    station.writer.eject = real  # type: ignore[method-assign]
    engine.run(second)
    assert station.jobs.get(second).status is ExecutionStatus.DONE
    assert station.journal.ledger.delivered(first) == 1
    engine.run(first)
    assert station.jobs.get(first).status is ExecutionStatus.DONE
    assert len(station.good_discs()) == 2
    station.close()


def test_a_disc_that_another_job_handed_over_is_not_made_again(station: Station) -> None:
    """Found by the kill suite: the write was done and not recorded when the process died."""
    first, second = station.place(1), station.place(2)
    station.writer.insert(FakeDisc())
    engine = FakeEngine(station.parts, crash_at=3 * 5 + 2)  # the sixth step done, not recorded
    with pytest.raises(CrashError):
        engine.run(first)
    assert engine.names[-1] == "drive"
    owner = station.journal.ledger.owner("disc1")
    assert owner is not None
    assert owner.phase == LedgerPhase.VERIFIED
    engine.run(second)
    assert station.journal.ledger.delivered(first) == 1
    engine.run(first)
    assert station.jobs.get(first).status is ExecutionStatus.DONE
    assert station.journal.ledger.delivered(first) == 1
    assert len(station.good_discs()) == 2


def test_a_fault_of_ours_calls_staff_and_names_no_values(
    station: Station, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        if station.archive.retrieved == 1:
            raise ValueError("CAN" + "ARY")  # the line itself may be quoted

    station.archive.during_retrieve = broken
    station.answers_staff = True
    job_id = station.place()
    run(station, job_id)
    finished(station, job_id)
    assert station.asked[0] == (job_id, Wanted.STAFF)
    assert "ValueError" in caplog.text
    assert "CANARY" not in caplog.text


def test_a_lost_burn_waits_for_staff_and_is_queued_again(station: Station) -> None:
    job_id = station.place()
    engine = FakeEngine(station.parts)
    engine.lose_burns = 1
    station.answers_staff = True
    engine.run(job_id)
    finished(station, job_id)


def test_delays_follow_the_policy() -> None:
    policy = Policy(delays_s=(1.0, 2.0))
    assert [policy.delay_s(failures) for failures in (1, 2, 3)] == [1.0, 2.0, 2.0]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_space_anywhere_is_a_full_spool(station: Station, number: int) -> None:
    codes = []

    def full() -> None:
        if station.archive.retrieved == 1:
            raise OSError(number, "no space")

    station.archive.during_retrieve = full
    station.during_wait = lambda: codes.append(station.jobs.get(job_id).error_code)
    job_id = station.place()
    run(station, job_id)
    finished(station, job_id)
    assert "spool.full" in codes


# --- an order that staff hold or cancel while its job runs


STOPPED = [ReleaseState.HELD, ReleaseState.CANCELLED]


def withheld(station: Station, job_id: OrderId, state: ReleaseState) -> None:
    job = station.jobs.get(job_id)
    assert (job.status, job.error_code) == (ExecutionStatus.FAILURE, "order.not_released")
    assert station.journal.orders.get(job_id).state is state
    assert station.journal.ledger.delivered(job_id) == 0
    nothing_to_settle(station)
    assert [row for row in station.journal.audit.rows(event="export") if row.outcome == 0] == []


@pytest.mark.parametrize("state", STOPPED)
def test_a_held_order_ends_its_waiting_job(station: Station, state: ReleaseState) -> None:
    job_id = station.place()
    station.brings_blanks = False

    def hold() -> None:
        if station.jobs.get(job_id).question is not None:
            station.journal.orders.set_state(job_id, state, actor="staff")

    station.during_wait = hold
    run(station, job_id)
    withheld(station, job_id, state)
    assert station.writer.ejected == []


def test_an_order_held_before_the_write_leaves_the_blank_disc_alone(station: Station) -> None:
    job_id = station.place()
    disc = FakeDisc()
    station.writer.insert(disc)
    station.archive.during_retrieve = lambda: station.journal.orders.set_state(
        job_id, ReleaseState.HELD, actor="staff"
    )
    run(station, job_id)
    withheld(station, job_id, ReleaseState.HELD)
    assert disc.content is None
    assert station.writer.ejected == []


@pytest.mark.parametrize("state", STOPPED)
def test_a_disc_of_an_order_held_meanwhile_comes_out_for_staff_only(
    station: Station, state: ReleaseState
) -> None:
    job_id = station.place()
    station.writer.insert(FakeDisc())
    station.writer.before_laser = lambda: station.journal.orders.set_state(
        job_id, state, actor="staff"
    )
    looks = []

    def staff() -> None:
        job = station.jobs.get(job_id)
        assert job.question is not None
        looks.append((job.question.wanted, job.error_code, station.writer.is_open))
        station.jobs.cancel(job_id, actor="patient")  # does not open the drive either
        station.answers_staff = len(looks) > 3

    station.during_wait = staff
    run(station, job_id)
    assert set(looks) == {(Wanted.STAFF, "order.not_released", False)}
    withheld(station, job_id, state)
    assert [record.outcome for record in station.journal.ledger.history(job_id)] == ["scrap"]


def test_a_hold_that_comes_after_the_last_copy_stays(station: Station) -> None:
    job_id = station.place()
    station.writer.insert(FakeDisc())
    real = station.writer.eject

    def eject() -> None:
        station.journal.orders.set_state(job_id, ReleaseState.HELD, actor="staff")
        real()

    station.writer.eject = eject  # type: ignore[method-assign]
    run(station, job_id)
    assert station.jobs.get(job_id).status is ExecutionStatus.DONE
    assert station.journal.orders.get(job_id).state is ReleaseState.HELD
    assert len(station.good_discs()) == 1


@pytest.mark.parametrize("has_ended", [False, True])
def test_the_good_disc_of_a_held_order_waits_for_staff_before_the_next_job(
    station: Station, has_ended: bool
) -> None:
    first, second = station.place(1), station.place(2)
    station.writer.insert(FakeDisc())
    engine = FakeEngine(station.parts, crash_at=3 * 5 + 2)  # verified, and not recorded
    with pytest.raises(CrashError):
        engine.run(first)
    station.journal.orders.set_state(first, ReleaseState.HELD, actor="staff")
    if has_ended:
        station.journal.jobs.fail(
            first, 1, status_info="NORMAL", error_code="order.not_released", hold_order=False
        )
    at_question = []

    def staff() -> None:
        question = station.jobs.get(second).question
        if question is not None and question.wanted is Wanted.STAFF:
            at_question.append(list(station.writer.ejected))
            station.answers_staff = True

    station.during_wait = staff
    run(station, second)
    assert at_question[0] == []
    assert station.jobs.get(second).status is ExecutionStatus.DONE
    if not has_ended:
        engine.run(first)
    withheld_records = station.journal.ledger.history(first)
    assert [record.outcome for record in withheld_records] == ["scrap"]
    assert station.jobs.get(first).error_code == "order.not_released"


# --- placed again


def place_again(station: Station, job_id: OrderId, copies: int = 1) -> None:
    choice = MediaChoice(Medium.DISC, copies)
    station.jobs.submit(job_id, choice, Priority.WAITING_PATIENT, actor="staff")


@pytest.mark.parametrize("ends_well", [False, True])
def test_a_run_whose_end_was_not_recorded_does_not_end_the_next(
    tmp_path: Path, ends_well: bool
) -> None:
    """It is played back after the job was placed again, and while that run is at work."""
    boundary = 3 * len(STEPS) - 1  # the last step is done, and not recorded
    station = Station(tmp_path)
    job_id = station.place()
    if not ends_well:
        station.archive.build_troubles = [WrongPatientError("an object")]
        boundary = 3 * 4 + 2
    engine = FakeEngine(station.parts, crash_at=boundary)
    with pytest.raises(CrashError):
        engine.run(job_id)
    done, failed = ExecutionStatus.DONE, ExecutionStatus.FAILURE
    assert station.jobs.get(job_id).status is (done if ends_well else failed)
    station.journal.orders.set_state(job_id, ReleaseState.RELEASED, actor="staff")
    place_again(station, job_id)
    working = FakeEngine(station.parts, crash_at=9)  # what was retrieved is in the spool
    with pytest.raises(CrashError):
        working.run(job_id, 2)
    brought = sorted(station.parts.spool.folder(job_id).iterdir())
    assert brought
    engine.run(job_id)
    assert station.jobs.get(job_id).status is ExecutionStatus.CREATING
    assert sorted(station.parts.spool.folder(job_id).iterdir()) == brought
    assert station.journal.orders.get(job_id).state is ReleaseState.RELEASED
    working.run(job_id, 2)
    assert station.jobs.get(job_id).status is done
    assert len(station.good_discs()) == 1 + ends_well
    assert station.parts.spool.job_ids() == []
    station.close()


def test_a_spool_that_cannot_be_emptied_keeps_nobody_waiting(
    station: Station, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = station.place()

    def refuse(job_id: OrderId) -> None:
        raise PermissionError(errno.EPERM, "not permitted", "name")

    monkeypatch.setattr(station.parts.spool, "wipe", refuse)
    run(station, job_id)
    assert station.jobs.get(job_id).status is ExecutionStatus.DONE
    assert f"the spool of job {job_id} is not emptied: not permitted" in caplog.text


def test_copies_of_an_earlier_placement_do_not_count(station: Station) -> None:
    job_id = station.place(copies=2)

    def cancel_after_the_first() -> None:
        if station.journal.ledger.delivered(job_id) == 1:
            station.jobs.cancel(job_id, actor="patient")

    station.during_wait = cancel_after_the_first
    run(station, job_id)
    assert station.jobs.get(job_id).error_code == "job.cancelled"
    assert len(station.good_discs()) == 1
    station.during_wait = lambda: None
    place_again(station, job_id)
    assert station.journal.ledger.delivered(job_id) == 0
    run(station, job_id)
    assert station.jobs.get(job_id).status is ExecutionStatus.DONE
    assert len(station.good_discs()) == 2
    outcomes = [row.outcome for row in station.journal.audit.rows(event="export")]
    assert outcomes == [0, 0]


def test_a_cancel_at_any_boundary_and_a_new_placement_make_no_disc_too_many(
    tmp_path: Path,
) -> None:
    """Also if the process dies with it, and whether it is this order's turn again or another's."""
    for boundary in instants(3):
        for is_crash in (False, True):
            folder = tmp_path / f"{boundary}-{is_crash}"
            folder.mkdir()
            is_over = not cancelled_at(folder, boundary, is_crash=is_crash)
        if is_over:
            break
    assert boundary > 3 * len(STEPS) - 3


def cancelled_at(folder: Path, boundary: int, *, is_crash: bool) -> bool:
    """Whether there was such a boundary."""
    station = Station(folder)
    station.answers_staff = True
    first, second = station.place(1), station.place(2)
    engine = FakeEngine(station.parts, crash_at=boundary)
    cancelled = []

    def cancel() -> None:
        cancelled.append(True)
        station.jobs.cancel(first, actor="patient")
        if is_crash:
            raise CrashError

    engine.at_crash = cancel
    try:
        engine.run(first)
    except CrashError:
        if boundary % 2:
            run(station, second)  # takes over what lies in the drive
        engine.run(first)
    for job_id in (first, second):
        if station.journal.orders.get(job_id).state is ReleaseState.RELEASED:
            if station.jobs.get(job_id).status is ExecutionStatus.FAILURE:
                place_again(station, job_id)
            run(station, job_id)
        assert station.jobs.get(job_id).status is ExecutionStatus.DONE
        exact_discs(station, job_id)
    station.close()
    return bool(cancelled)


def exact_discs(station: Station, job_id: OrderId) -> None:
    """Good discs that left the drive, told by their bytes: one for each copy that is audited."""
    history = station.journal.ledger.history(job_id)
    images = {record.sha256 for record in history}
    good = [
        disc
        for disc in station.writer.ejected
        if disc.is_whole and hashlib.sha256(disc.content or b"").hexdigest() in images
    ]
    audited = [
        row
        for row in station.journal.audit.rows(event="export")
        if row.subject == job_id and row.outcome == 0
    ]
    delivered = [record for record in history if record.outcome == "delivered"]
    assert len(good) == len(audited) == len(delivered) == 1


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("at_block", [1, 20, 39, 40])
def test_a_cancel_while_writing_and_a_new_placement_make_one_good_disc(
    station: Station, at_block: int, is_late: bool
) -> None:
    """Late: the drive says that it was stopped, and had written every block by then."""
    job_id = station.place()
    station.writer.insert(FakeDisc())
    real = station.writer.write

    def write(
        image: Path,
        *,
        on_progress: Callable[[MediumProgress], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        def cancel_at(progress: MediumProgress) -> None:
            on_progress(progress)
            if progress.done_bytes == at_block * 2048:
                station.jobs.cancel(job_id, actor="patient")

        station.writer.write = real  # type: ignore[method-assign]

        def is_asked_to_stop() -> bool:
            return not is_late and station.journal.jobs.is_cancelled(job_id)

        real(image, on_progress=cancel_at, is_cancelled=is_asked_to_stop)
        if is_late:
            raise MediumSpoiledError("stopped on request", was_stopped=True)

    station.writer.write = write  # type: ignore[method-assign]
    run(station, job_id)
    if station.jobs.get(job_id).status is ExecutionStatus.FAILURE:
        assert not is_late
        place_again(station, job_id)
        run(station, job_id)
    assert station.jobs.get(job_id).status is ExecutionStatus.DONE
    exact_discs(station, job_id)


@pytest.mark.parametrize("phase", [LedgerPhase.WRITING, LedgerPhase.CLOSED, LedgerPhase.SCRAP])
def test_a_bad_disc_of_staffs_command_never_comes_out_to_a_visitor(
    station: Station, tmp_path: Path, phase: str
) -> None:
    bad = FakeDisc(make_image(tmp_path / "bad.iso", "BY_HAND").path.read_bytes(), is_whole=False)
    ledger = station.journal.ledger
    ledger.put(LedgerEntry("disc1", BY_HAND, LedgerPhase.WRITING, 1, "BY_HAND", "0" * 64))
    ledger.put(LedgerEntry("disc1", BY_HAND, phase, 1, "BY_HAND", "0" * 64))
    station.writer.insert(bad)
    seen: list[tuple[Wanted, str, bool]] = []

    def look() -> None:
        question = station.jobs.get(job_id).question
        if question is not None:
            code = station.jobs.get(job_id).error_code
            seen.append((question.wanted, code, station.writer.is_open))

    station.during_wait = look
    station.answers_staff = True
    job_id = station.place()
    run(station, job_id)
    finished(station, job_id)
    assert seen[0] == (Wanted.STAFF, "medium.spoiled", False)
    assert station.writer.ejected[0] is bad
    assert len(station.writer.ejected) == 2
    assert [it.outcome for it in ledger.history(BY_HAND)] == ["scrap"]


def test_what_staff_took_away_themselves_is_asked_of_nobody(station: Station) -> None:
    ledger = station.journal.ledger
    ledger.put(LedgerEntry("disc1", BY_HAND, LedgerPhase.SCRAP, 1, "BY_HAND", "0" * 64))
    station.writer.insert(FakeDisc())
    job_id = station.place()
    run(station, job_id)
    finished(station, job_id)
    assert station.asked == []


def begun_disc(station: Station, folder: Path, phase: str) -> tuple[OrderId, ImageFacts]:
    """An order of which the ledger says so."""
    job_id = station.place()
    number = zlib.crc32(job_id.encode())
    image = make_image(folder / "was.iso", f"V{number:08X}", blocks=40, seed=number)
    begun = LedgerEntry("disc1", job_id, LedgerPhase.WRITING, 1, image.volume_id, image.sha256)
    station.journal.ledger.put(begun)
    station.journal.ledger.put(replace(begun, phase=phase))
    return job_id, image


@pytest.mark.parametrize(
    ("phase", "left"),
    [
        (LedgerPhase.WRITING, "other"),
        (LedgerPhase.CLOSED, "nothing"),
        (LedgerPhase.CLOSED, "blank"),
        (LedgerPhase.CLOSED, "other"),
        (LedgerPhase.VERIFIED, "blank"),
        (LedgerPhase.VERIFIED, "other"),
    ],
)
def test_a_begun_disc_that_somebody_took_is_given_up_when_staff_answered(
    station: Station, tmp_path: Path, phase: str, left: str
) -> None:
    job_id, _ = begun_disc(station, tmp_path, phase)
    other = make_image(tmp_path / "other.iso", "OTHER").path.read_bytes()
    discs = {"blank": FakeDisc(), "other": FakeDisc(other, is_whole=False)}
    station.writer.insert(discs.get(left))
    station.answers_staff = True
    run(station, job_id)
    finished(station, job_id)
    assert [it for it in station.asked if it[1] is Wanted.STAFF] == [(job_id, Wanted.STAFF)]
    rows = station.journal.audit.rows(event="export")
    reasons = [row.details.get("reason") for row in rows if row.outcome]
    assert reasons == ["left unverified"]
    history = station.journal.ledger.history(job_id)
    assert [it.outcome for it in history] == ["scrap", "delivered"]
    (counts,) = station.journal.stock.counts()
    assert (counts.begun, counts.spoiled, counts.good) == (2, 1, 1)


def test_a_begun_disc_that_staff_put_back_is_the_one_handed_over(
    station: Station, tmp_path: Path
) -> None:
    job_id, image = begun_disc(station, tmp_path, LedgerPhase.CLOSED)

    def put_back() -> None:
        if station.jobs.get(job_id).question is not None:
            station.writer.insert(FakeDisc(image.path.read_bytes()))

    station.during_wait = put_back
    station.answers_staff = True
    run(station, job_id)
    finished(station, job_id)
    assert [it.outcome for it in station.journal.ledger.history(job_id)] == ["delivered"]
