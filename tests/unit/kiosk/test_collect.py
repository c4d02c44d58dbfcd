"""When a good medium leaves the drive, and when the drive is free again: in front of a person who
comes, goes, forgets and pushes the tray in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk.domain.model import ExecutionStatus, HandOver, Job, OrderId, ReleaseState, Wanted
from kiosk.errors import DriveFaultError
from kiosk.ports import LedgerEntry, LedgerPhase, LoadedMedium
from kiosk.services.drawer import is_drawn_in, is_gone, queued_note
from kiosk.services.parts import Policy
from tests.fakes.durable import CrashError, FakeEngine
from tests.fakes.media import FakeDisc
from tests.fakes.station import Station
from tests.instants import instants

POLICY = Policy(poll_s=4.0, collect_s=600.0, removal_s=60.0, presence_s=10.0)
ENTRY = LedgerEntry("d", OrderId("job-a"), LedgerPhase.OUT, 1, "V1", "ab" * 32)


class Person:
    """In front of one station; `does` is looked at whenever somebody sleeps."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.is_there: set[OrderId] = set()
        self.does: Callable[[], None] = lambda: None
        self.seen: list[tuple[OrderId, Wanted, str, bool]] = []
        station.brings_blanks = False
        station.during_wait = self.look

    def look(self) -> None:
        for job_id in self.is_there:
            self.station.journal.presence.touch(job_id)
        for job in self.station.jobs.newest():
            if job.question is not None:
                seen = (
                    job.job_id, job.question.wanted, job.error_code, self.station.writer.is_open,
                )  # fmt: skip
                if seen not in self.seen[-1:]:
                    self.seen.append(seen)
        self.does()

    def asked(self, job_id: OrderId) -> Wanted | None:
        question = self.station.jobs.get(job_id).question
        return None if question is None else question.wanted

    def answer(self, job_id: OrderId) -> None:
        question = self.station.jobs.get(job_id).question
        assert question is not None
        self.station.jobs.answer(job_id, question.number)

    def wanted(self, job_id: OrderId) -> list[Wanted]:
        return [wanted for job, wanted, _code, _is_open in self.seen if job == job_id]


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    made = Station(tmp_path, policy=POLICY)
    yield made
    made.close()


@pytest.fixture
def person(station: Station) -> Person:
    return Person(station)


def claimed(station: Station, number: int = 1, *, has_blank: bool = True) -> OrderId:
    """A job of the lobby."""
    if has_blank:
        station.writer.insert(FakeDisc())
    return station.place(number, hand_over=HandOver.ON_CLAIM)


def run(station: Station, job_id: OrderId) -> Job:
    FakeEngine(station.parts).run(job_id)
    return station.jobs.get(job_id)


def owner(station: Station) -> LedgerEntry | None:
    return station.journal.ledger.owner("disc1")


# --- who stands at the kiosk


def test_whoever_is_there_gets_it_at_once_and_closes_the_tray(
    station: Station, person: Person
) -> None:
    job_id = claimed(station)
    station.journal.presence.touch(job_id)

    def takes() -> None:
        if person.asked(job_id) is Wanted.TAKE_MEDIUM:
            assert owner(station).phase == LedgerPhase.OUT  # type: ignore[union-attr]  # it is out
            station.writer.insert(None)  # taken, and the tray pushed in

    person.does = takes
    assert run(station, job_id).status is ExecutionStatus.DONE
    assert person.wanted(job_id) == [Wanted.TAKE_MEDIUM]
    assert owner(station) is None
    assert len(station.good_discs()) == 1


def test_i_have_it_ends_the_job_but_not_what_is_known_of_the_drive(
    station: Station, person: Person
) -> None:
    job_id = claimed(station)
    station.journal.presence.touch(job_id)
    person.does = lambda: person.answer(job_id) if person.asked(job_id) else None
    assert run(station, job_id).status is ExecutionStatus.DONE
    entry = owner(station)
    assert entry is not None
    assert entry.phase == LedgerPhase.OUT


def test_it_stays_in_until_its_owner_is_back(station: Station, person: Person) -> None:
    job_id = claimed(station)
    came_at = station.clock.now() + timedelta(seconds=300)

    def comes_back() -> None:
        if station.clock.now() < came_at:
            assert not station.writer.is_open
            assert station.journal.ledger.delivered(job_id) == 0
        else:
            person.is_there.add(job_id)
            if person.asked(job_id) is Wanted.TAKE_MEDIUM:
                station.writer.insert(None)

    person.does = comes_back
    assert run(station, job_id).status is ExecutionStatus.DONE
    assert person.wanted(job_id) == [Wanted.CLAIM, Wanted.TAKE_MEDIUM]


@pytest.mark.parametrize("seconds", [-11, 11])
def test_a_visit_seen_long_ago_or_in_the_future_is_nobody(station: Station, seconds: int) -> None:
    from kiosk.services.hand_over import is_present

    job_id = claimed(station)
    assert not is_present(station.parts, job_id)
    station.journal.presence.touch(job_id)
    assert is_present(station.parts, job_id)
    station.clock.advance(seconds)  # type: ignore[attr-defined]  # a FakeClock
    assert not is_present(station.parts, job_id)


def test_uncollected_goes_on_the_staffs_list_and_comes_out_to_them(
    station: Station, person: Person, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = claimed(station)
    began = station.clock.now()

    def staff() -> None:
        if person.asked(job_id) is Wanted.STAFF:
            waited = station.clock.now() - began
            assert waited >= timedelta(seconds=600)
            assert not station.writer.is_open
            person.answer(job_id)
        elif person.asked(job_id) is Wanted.TAKE_MEDIUM:
            station.writer.insert(None)

    person.does = staff
    assert run(station, job_id).status is ExecutionStatus.DONE
    assert (job_id, Wanted.STAFF, "medium.uncollected", False) in person.seen
    assert "was not collected" in caplog.text
    assert len(station.good_discs()) == 1


@pytest.mark.parametrize("after", [Wanted.CLAIM, Wanted.STAFF])
@pytest.mark.parametrize("how", ["hold", "cancel"])
def test_stopped_while_it_waits_it_comes_out_for_staff_only(
    station: Station, person: Person, how: str, after: Wanted
) -> None:
    job_id = claimed(station)
    stopped = []

    def stop() -> None:
        asked = person.asked(job_id)
        if asked is after and not stopped:
            stopped.append(True)
            if how == "hold":
                station.journal.orders.set_state(job_id, ReleaseState.HELD, actor="staff")
            else:
                station.jobs.cancel(job_id, actor="staff")
        elif stopped and asked is Wanted.STAFF:
            person.is_there.add(job_id)  # his being there changes nothing any more
            assert not station.writer.is_open
            if station.jobs.get(job_id).error_code != "medium.uncollected":
                person.answer(job_id)

    person.does = stop
    job = run(station, job_id)
    code = "order.not_released" if how == "hold" else "job.cancelled"
    assert (job.status, job.error_code) == (ExecutionStatus.FAILURE, code)
    assert (job_id, Wanted.STAFF, code, False) in person.seen
    assert station.journal.ledger.delivered(job_id) == 0
    assert [record.outcome for record in station.journal.ledger.history(job_id)] == ["scrap"]
    entry = owner(station)
    assert entry is not None
    assert entry.phase == LedgerPhase.SCRAP  # it lies in the open tray: nobody's to write on


def test_every_crash_while_it_waits_ends_with_one_good_disc_for_its_owner(tmp_path: Path) -> None:
    """The visitor was there before the crash and is not after it: he has to come back."""
    is_over = False
    for boundary in instants(3):
        folder = tmp_path / str(boundary)
        folder.mkdir()
        station = Station(folder, policy=POLICY)
        person = Person(station)
        job_id = claimed(station)
        engine = FakeEngine(station.parts, crash_at=boundary)
        station.journal.presence.touch(job_id)

        def takes(
            station: Station = station, person: Person = person, job: OrderId = job_id
        ) -> None:
            if person.asked(job) is Wanted.TAKE_MEDIUM:
                station.writer.insert(None)

        person.does = takes
        try:
            engine.run(job_id)
            is_over = True
        except CrashError:
            was_open = station.writer.is_open
            station.clock.advance(3600)  # type: ignore[attr-defined]  # a FakeClock
            comes_at = station.clock.now() + timedelta(seconds=100)

            def comes(
                station: Station = station,
                person: Person = person,
                job: OrderId = job_id,
                comes_at: object = comes_at,
                was_open: bool = was_open,
            ) -> None:
                if station.clock.now() < comes_at:  # type: ignore[operator]  # both are datetimes
                    assert was_open or not station.writer.is_open
                    return
                person.is_there.add(job)
                if person.asked(job) in (Wanted.TAKE_MEDIUM, Wanted.STAFF):
                    station.writer.insert(None)

            person.does = comes
            engine.run(job_id)
        assert station.jobs.get(job_id).status is ExecutionStatus.DONE
        exports = [row for row in station.journal.audit.rows(event="export") if row.outcome == 0]
        assert len(exports) == len(set(map(id, station.good_discs()))) == 1
        station.close()
        if is_over:
            break
    assert boundary > 20


# --- taken, or not


def test_pushed_in_by_its_owner_it_comes_out_again(station: Station, person: Person) -> None:
    job_id = claimed(station)
    person.is_there.add(job_id)
    station.journal.presence.touch(job_id)
    pushes = []

    def pushes_in_twice() -> None:
        if person.asked(job_id) is Wanted.TAKE_MEDIUM and station.writer.is_open:
            pushes.append(True)
            if len(pushes) <= 2:
                station.writer.push_in()
            else:
                station.writer.insert(FakeDisc())

    person.does = pushes_in_twice
    assert run(station, job_id).status is ExecutionStatus.DONE
    assert len(station.writer.ejected) == 3
    assert owner(station) is None


def test_drawn_in_with_nobody_there_it_is_void_and_comes_out_to_staff(
    station: Station, person: Person, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = claimed(station)
    station.journal.presence.touch(job_id)

    def leaves() -> None:
        station.journal.presence.leave(job_id)
        if person.asked(job_id) is Wanted.TAKE_MEDIUM:
            station.writer.push_in()
        elif person.asked(job_id) is Wanted.STAFF:
            assert not station.writer.is_open
            person.answer(job_id)

    person.does = leaves
    job = run(station, job_id)
    assert (job.status, job.error_code) == (ExecutionStatus.FAILURE, "medium.not_taken")
    assert station.journal.orders.get(job_id).state is ReleaseState.RELEASED
    (voided,) = list(station.journal.audit.rows(event="medium.voided"))
    assert voided.subject == job_id
    assert [record.outcome for record in station.journal.ledger.history(job_id)] == ["delivered"]
    assert "was drawn in: void" in caplog.text
    assert list(station.journal.audit.rows(event="medium.not_taken")) == []
    entry = owner(station)
    assert entry is not None
    assert entry.phase == LedgerPhase.SCRAP
    assert station.writer.is_open


def test_left_in_the_open_tray_the_job_ends_after_a_minute_and_calls_nobody(
    station: Station, person: Person, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = claimed(station)
    station.journal.presence.touch(job_id)
    out_at = []

    def nobody() -> None:
        if station.writer.is_open and not out_at:
            out_at.append(station.clock.now())

    person.does = nobody
    job = run(station, job_id)
    assert (job.status, job.error_code) == (ExecutionStatus.DONE, "")
    assert timedelta(seconds=56) <= station.clock.now() - out_at[0] <= timedelta(seconds=68)
    assert person.wanted(job_id) == [Wanted.TAKE_MEDIUM]
    assert station.parts.spool.job_ids() == []
    entry = owner(station)
    assert entry is not None
    assert entry.phase == LedgerPhase.OUT
    (noted,) = list(station.journal.audit.rows(event="medium.not_taken"))
    assert (noted.subject, noted.outcome) == (job_id, 4)
    assert noted.details["drive"] == "disc1"
    assert job.progress is not None
    assert job.progress.note == "medium.not_taken"
    assert "was not seen taken" in caplog.text
    station.parts.media.note_not_taken(entry)  # a step that is begun anew
    assert len(list(station.journal.audit.rows(event="medium.not_taken"))) == 1


def test_what_is_not_known_to_be_ours_is_not_void_before_the_next_job_looks(
    station: Station, person: Person
) -> None:
    """The tray was closed, and the drive does not tell what is in it."""
    job_id = claimed(station)
    station.journal.presence.touch(job_id)
    real = station.writer.inspect

    def inspect() -> LoadedMedium:
        look = real()
        return loaded(Wanted.OTHER_DISC) if look.is_open else look

    def leaves() -> None:
        station.journal.presence.leave(job_id)
        if person.asked(job_id) is Wanted.TAKE_MEDIUM:
            station.writer.inspect = inspect  # type: ignore[method-assign]

    person.does = leaves
    assert run(station, job_id).status is ExecutionStatus.DONE
    assert person.wanted(job_id) == [Wanted.TAKE_MEDIUM]
    entry = owner(station)
    assert entry is not None
    assert entry.phase == LedgerPhase.OUT
    assert list(station.journal.audit.rows(event="medium.voided")) == []


def test_a_drive_at_fault_takes_nothing_back(
    station: Station, person: Person, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = claimed(station)
    station.journal.presence.touch(job_id)
    real = station.writer.inspect
    faults = []

    def inspect() -> LoadedMedium:
        if station.writer.is_open and len(faults) < 3:
            faults.append(True)
            raise DriveFaultError("gone")
        return real()

    station.writer.inspect = inspect  # type: ignore[method-assign]

    def takes() -> None:
        if len(faults) == 3:
            station.writer.insert(None)

    person.does = takes
    assert run(station, job_id).status is ExecutionStatus.DONE
    assert "cannot be looked into" in caplog.text


# --- the next one


def queued():  # type: ignore[no-untyped-def]
    from kiosk.domain.model import Progress, Step
    from tests.fakes.clock import START

    return Progress(Step.WRITE, 0, 0, queued_note("disc1"), START)


def left_in_the_open_tray(station: Station, person: Person, *, says_so: bool = True) -> OrderId:
    """The first job's disc lies there, its owner said that he has it, or nothing."""
    job_id = claimed(station)
    station.journal.presence.touch(job_id)
    if says_so:
        person.does = lambda: person.answer(job_id) if person.asked(job_id) else None
    assert run(station, job_id).status is ExecutionStatus.DONE
    person.does = lambda: None
    return job_id


@pytest.mark.parametrize("says_so", [True, False])
def test_the_next_one_is_asked_to_take_the_disc_out_first(
    station: Station, person: Person, says_so: bool
) -> None:
    first = left_in_the_open_tray(station, person, says_so=says_so)
    second = station.place(2)

    def does_as_told() -> None:
        if person.asked(second) is Wanted.TAKE_MEDIUM:
            station.writer.insert(None)
        elif person.asked(second) is Wanted.BLANK_DISC:
            station.writer.insert(FakeDisc())

    person.does = does_as_told
    assert run(station, second).status is ExecutionStatus.DONE
    assert person.wanted(second) == [Wanted.TAKE_MEDIUM, Wanted.BLANK_DISC]
    assert len(station.journal.ledger.history(first)) == 1


def test_a_done_with_the_tray_still_open_is_not_believed(station: Station, person: Person) -> None:
    left_in_the_open_tray(station, person)
    second = station.place(2)
    answers = []

    def says_done() -> None:
        if person.asked(second) is Wanted.TAKE_MEDIUM:
            answers.append(True)
            person.answer(second)
            if len(answers) > 3:
                station.writer.insert(FakeDisc())

    person.does = says_done
    assert run(station, second).status is ExecutionStatus.DONE
    assert len(answers) >= 4
    assert len(station.good_discs()) == 2


def test_the_next_one_pushes_it_in_it_comes_out_again_then_staff(
    station: Station, person: Person
) -> None:
    """Never written to, never kept as a blank; after a minute it is void, and out to staff only."""
    first = left_in_the_open_tray(station, person)
    second = station.place(2)
    disc = station.writer.disc
    assert disc is not None
    content = disc.content
    ejected: list[int] = []

    def pushes_in() -> None:
        if person.asked(second) is Wanted.TAKE_MEDIUM and station.writer.is_open:
            station.writer.push_in()
            ejected.append(len(station.writer.ejected))
        elif person.asked(second) is Wanted.STAFF:
            assert not station.writer.is_open
            person.answer(second)
        elif person.asked(second) in (Wanted.OTHER_DISC, Wanted.BLANK_DISC):
            station.writer.insert(FakeDisc())

    person.does = pushes_in
    assert run(station, second).status is ExecutionStatus.DONE
    assert len(ejected) > 3
    assert (second, Wanted.STAFF, "medium.not_taken", False) in person.seen
    assert disc.content == content
    assert len(list(station.journal.audit.rows(event="medium.voided"))) == 1
    assert [record.outcome for record in station.journal.ledger.history(first)] == ["delivered"]


@pytest.mark.parametrize("is_answered", [True, False])
def test_nobody_takes_it_staff_are_told_by_the_next_job(
    station: Station, person: Person, is_answered: bool
) -> None:
    left_in_the_open_tray(station, person)
    second = station.place(2)

    def staff() -> None:
        if person.asked(second) is Wanted.STAFF:
            if is_answered:
                person.answer(second)
            else:
                station.writer.insert(FakeDisc())
        elif person.asked(second) is Wanted.BLANK_DISC:
            station.writer.insert(FakeDisc())

    person.does = staff
    assert run(station, second).status is ExecutionStatus.DONE
    wanted = [Wanted.TAKE_MEDIUM, Wanted.STAFF]
    assert person.wanted(second) == wanted + ([Wanted.BLANK_DISC] if is_answered else [])


def test_a_second_copy_is_asked_for_as_a_blank_disc(station: Station, person: Person) -> None:
    station.writer.insert(FakeDisc())
    job_id = station.place(1, copies=2, hand_over=HandOver.ON_CLAIM)
    person.is_there.add(job_id)
    station.journal.presence.touch(job_id)

    def takes() -> None:
        if person.asked(job_id) is Wanted.TAKE_MEDIUM:
            person.answer(job_id)
        elif person.asked(job_id) is Wanted.BLANK_DISC:
            station.writer.insert(FakeDisc())

    person.does = takes
    assert run(station, job_id).status is ExecutionStatus.DONE
    assert person.wanted(job_id) == [Wanted.TAKE_MEDIUM, Wanted.BLANK_DISC, Wanted.TAKE_MEDIUM]
    assert len(station.good_discs()) == 2


# --- behind a disc that nobody collects


def test_whoever_waits_in_the_queue_is_told_why(station: Station, person: Person) -> None:
    first = claimed(station)
    second = station.place(2)
    station.journal.progress.put(second, queued())
    codes = []

    def looks() -> None:
        job = station.jobs.get(second)
        codes.append((job.error_code, job.status_info))
        if len(codes) > 4:
            person.is_there.add(first)
        if person.asked(first) is Wanted.TAKE_MEDIUM:
            station.writer.insert(None)

    person.does = looks
    run(station, first)
    assert ("medium.uncollected", "MCD_BUSY") in codes
    job = station.jobs.get(second)
    assert (job.error_code, job.status_info) == ("", "NORMAL")


def verified_and_lost(station: Station) -> tuple[OrderId, FakeEngine]:
    """The first job's disc is good and in the drive; its burn died before it waited."""
    first = claimed(station)
    engine = FakeEngine(station.parts, crash_at=3 * 5 + 2)
    with pytest.raises(CrashError):
        engine.run(first)
    entry = owner(station)
    assert entry is not None
    assert entry.phase == LedgerPhase.VERIFIED
    return first, engine


@pytest.mark.parametrize("end", ["owner", "staff", "hold", "ended"])
def test_a_job_that_got_the_drive_first_leaves_a_good_disc_to_its_owner(
    station: Station, person: Person, end: str
) -> None:
    first, engine = verified_and_lost(station)
    second = station.place(2)
    looks = []

    def waits() -> None:
        asked, code = person.asked(second), station.jobs.get(second).error_code
        if asked is Wanted.STAFF and code == "medium.uncollected":
            assert not station.writer.is_open
            looks.append(True)
            if len(looks) < 10:
                return
            if end == "owner":
                station.journal.presence.touch(first)
            elif end == "staff":
                person.answer(second)
            elif end == "hold":
                station.journal.orders.set_state(first, ReleaseState.HELD, actor="staff")
            else:
                station.journal.jobs.fail(
                    first, 1, status_info="NORMAL", error_code="job.cancelled", hold_order=False
                )
        elif asked is Wanted.STAFF:
            assert not station.writer.is_open
            person.answer(second)
        elif asked in (Wanted.TAKE_MEDIUM, Wanted.OTHER_DISC, Wanted.BLANK_DISC):
            station.writer.insert(FakeDisc())

    person.does = waits
    assert run(station, second).status is ExecutionStatus.DONE
    assert len(looks) >= 10
    is_given = end in ("owner", "staff")
    assert station.journal.ledger.delivered(first) == is_given
    outcome = "delivered" if is_given else "scrap"
    assert [it.outcome for it in station.journal.ledger.history(first)] == [outcome]
    if is_given:
        engine.run(first)
        assert station.jobs.get(first).status is ExecutionStatus.DONE
        assert len(station.journal.ledger.history(first)) == 1


# --- what a look tells


def loaded(wanted: Wanted | None, volume_id: str = "", **more: bool) -> LoadedMedium:
    return LoadedMedium(wanted, "", 0, volume_id, **more)


@pytest.mark.parametrize(
    ("look", "gone", "drawn_in"),
    [
        (loaded(Wanted.BLANK_DISC, is_open=True), False, False),  # cannot be seen into
        (loaded(Wanted.BLANK_DISC, is_empty=True), True, False),
        (loaded(Wanted.BLANK_DISC), False, True),  # the drive does not tell: not known
        (loaded(None), True, False),  # blank
        (loaded(Wanted.OTHER_DISC, "V1"), False, True),
        (loaded(Wanted.OTHER_DISC, "V2"), True, False),
        (loaded(Wanted.OTHER_DISC), False, True),  # unreadable: it may be ours
        (loaded(Wanted.STICK, is_empty=True), True, False),  # pulled
        (loaded(Wanted.STICK), False, False),  # a stick with a File-set: it may be ours
        (loaded(None, "V1"), False, True),
    ],
)
def test_what_a_look_into_the_drive_tells(look: LoadedMedium, gone: bool, drawn_in: bool) -> None:
    assert is_gone(ENTRY, look) == gone
    assert is_drawn_in(ENTRY, look) == drawn_in
