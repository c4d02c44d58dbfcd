"""Jobs and the devices that come and go: woken by what is told, and a drive that is pulled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.domain.model import ExecutionStatus, OrderId, Wanted
from kiosk.errors import DriveFaultError, MediumError
from kiosk.ports import LoadedMedium
from kiosk.services.parts import Policy
from tests.fakes.durable import FakeEngine
from tests.fakes.media import FakeDisc
from tests.fakes.station import Station

SELDOM_S = 600.0


class ToldOf:
    """Keeps `DeviceWatch`: udev, in front of a person who acts while somebody sleeps."""

    def __init__(self, station: Station, acts: list[Callable[[], None]]) -> None:
        self._station, self._acts = station, acts
        self._count = 0
        self.slept: list[str] = []

    def changes(self, drive: str) -> int:
        return self._count if drive == "disc1" else 0

    def sleep_s(self, drive: str, seen: int, seconds: float) -> None:
        self.slept.append(drive)
        if self._acts and drive == "disc1":
            self._acts.pop(0)()
            self._count += 1
        if self.changes(drive) == seen:
            self._station.clock.sleep_s(seconds)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    made = Station(tmp_path, policy=Policy(poll_s=15.0, device_poll_s=SELDOM_S))
    made.brings_blanks = False
    yield made
    made.close()


def run(station: Station, job_id: OrderId) -> None:
    FakeEngine(station.parts).run(job_id, station.journal.jobs.newest_run(job_id))


def test_a_disc_that_is_told_of_is_looked_at_at_once(station: Station) -> None:
    watch = ToldOf(station, [lambda: station.writer.insert(FakeDisc())])
    station.parts = replace(station.parts, devices=watch)
    job_id = station.place()
    began = station.clock.monotonic_s()
    run(station, job_id)
    assert station.jobs.get(job_id).status is ExecutionStatus.DONE
    assert station.clock.monotonic_s() - began < SELDOM_S
    assert set(watch.slept) == {"disc1"}


def test_who_is_told_nothing_looks_from_time_to_time(station: Station) -> None:
    def bring() -> None:
        if station.writer.disc is None:
            station.writer.insert(FakeDisc())

    station.during_wait = bring
    job_id = station.place()
    began = station.clock.monotonic_s()
    run(station, job_id)
    assert station.jobs.get(job_id).status is ExecutionStatus.DONE
    assert station.clock.monotonic_s() - began >= SELDOM_S


def test_every_change_is_looked_at_once(station: Station) -> None:
    """What is no use does not make it look again and again."""
    looks = []
    real = station.writer.inspect

    def inspect() -> LoadedMedium:
        looks.append(station.clock.monotonic_s())
        return real()

    station.writer.inspect = inspect  # type: ignore[method-assign]
    acts: list[Callable[[], None]] = [lambda: None] * 5
    acts.append(lambda: station.writer.insert(FakeDisc()))
    station.parts = replace(station.parts, devices=ToldOf(station, acts))
    job_id = station.place()
    run(station, job_id)
    assert station.jobs.get(job_id).status is ExecutionStatus.DONE
    assert len(looks) < 25


class Cable:
    """Between the machine and its drive."""

    def __init__(self, station: Station) -> None:
        self.is_in = True
        self._station = station
        self._inspect, self._write = station.writer.inspect, station.writer.write
        station.writer.inspect = self.inspect  # type: ignore[method-assign]

    def inspect(self) -> LoadedMedium:
        if not self.is_in:
            raise DriveFaultError("/dev/sr0 is not there")
        return self._inspect()

    def seen(self, job_id: OrderId) -> tuple[Wanted | None, str]:
        job = self._station.jobs.get(job_id)
        return job.question and job.question.wanted, job.error_code


@pytest.mark.parametrize("is_told", [True, False])
def test_a_drive_that_is_pulled_while_a_job_waits(station: Station, is_told: bool) -> None:
    """Staff are called; back again it goes on without their answer."""
    cable = Cable(station)
    job_id = station.place()
    during: list[tuple[Wanted | None, str]] = []

    def pull() -> None:
        cable.is_in = False

    def plug() -> None:
        during.append(cable.seen(job_id))
        cable.is_in = True
        station.writer.insert(FakeDisc())

    acts: list[Callable[[], None]] = [pull, lambda: None, plug]
    if is_told:
        station.parts = replace(station.parts, devices=ToldOf(station, acts))
    else:
        station.parts = replace(station.parts, policy=Policy(poll_s=15.0, device_poll_s=15.0))
        station.during_wait = lambda: acts.pop(0)() if acts else None
    run(station, job_id)
    job = station.jobs.get(job_id)
    assert during == [(Wanted.STAFF, "medium.drive_fault")]
    assert (job.status, job.error_code, job.question) == (ExecutionStatus.DONE, "", None)
    assert len(station.good_discs()) == 1


def test_a_drive_that_is_pulled_while_it_writes(station: Station) -> None:
    """The torso is scrap and on record; the copy is made on another disc."""
    cable = Cable(station)
    job_id = station.place()
    station.writer.insert(FakeDisc())
    station.writer.break_off_at = 2048 * 20
    torso = station.writer.disc
    real = station.writer.write

    def write(image: Path, **how: object) -> None:
        try:
            real(image, **how)  # type: ignore[arg-type]
        except MediumError:
            cable.is_in = False
            raise

    station.writer.write = write  # type: ignore[method-assign, assignment]
    during: list[tuple[Wanted | None, str]] = []

    def plug() -> None:
        during.append(cable.seen(job_id))
        cable.is_in = True

    acts: list[Callable[[], None]] = [plug, lambda: station.writer.insert(FakeDisc())]
    station.parts = replace(station.parts, devices=ToldOf(station, acts))
    run(station, job_id)
    job = station.jobs.get(job_id)
    assert during == [(Wanted.STAFF, "medium.drive_fault")]
    assert (job.status, job.error_code) == (ExecutionStatus.DONE, "")
    outcomes = [record.outcome for record in station.journal.ledger.history(job_id)]
    assert outcomes == ["scrap", "delivered"]
    assert station.writer.ejected[0] is torso
    assert torso not in station.good_discs()


def test_a_drive_at_fault_that_answers_is_for_staff(station: Station) -> None:
    """Looked into now and then only: it may be in somebody's hands."""
    job_id = station.place()
    station.writer.insert(FakeDisc())
    faults = [DriveFaultError("sense 4/44/00")]
    looks = []
    real_write, real_inspect = station.writer.write, station.writer.inspect

    def write(image: Path, **how: object) -> None:
        if faults:
            raise faults.pop()
        real_write(image, **how)  # type: ignore[arg-type]

    def inspect() -> LoadedMedium:
        looks.append(station.clock.monotonic_s())
        return real_inspect()

    station.writer.write = write  # type: ignore[method-assign, assignment]
    station.writer.inspect = inspect  # type: ignore[method-assign]
    waited = []

    def staff() -> None:
        question = station.jobs.get(job_id).question
        if question is not None and question.wanted is Wanted.STAFF:
            waited.append(station.clock.monotonic_s())
            station.answers_staff = len(waited) > 20

    station.during_wait = staff
    station.parts = replace(station.parts, policy=Policy(poll_s=1.0, device_poll_s=1.0))
    run(station, job_id)
    assert station.jobs.get(job_id).status is ExecutionStatus.DONE
    assert len(waited) > 20
    during = [at for at in looks if waited[0] <= at < waited[-1]]
    assert len(during) <= 3
