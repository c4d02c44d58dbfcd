"""Orders made by a robot: the whole workflow on a real journal, a simulated robot at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from burner.robots.simulated import RobotFaults
from kiosk.adapters.robots import RobotWriter, label_beside
from kiosk.domain.model import ExecutionStatus, Medium, OrderId, Wanted
from kiosk.errors import (
    DriveFaultError,
    KioskError,
    MediumSpoiledError,
    MediumWantedError,
    StoppedError,
    VerifyFailedError,
    WrongPatientError,
)
from kiosk.ports import DELIVERED, LedgerPhase, MediumProgress, StagingWriter
from kiosk.services.attempt import ImageFacts, NeedsMedium, Written
from kiosk.services.write import write_once
from tests.fakes.durable import CrashError, FakeEngine
from tests.fakes.media import FakeLedger, make_image
from tests.fakes.station import Station
from tests.instants import instants
from tests.robots import Rig, make_rig

MAKERS = ["primera", "epson"]
JOB = OrderId("job-a")


class Site:
    """A station whose only drive is a robot."""

    def __init__(self, folder: Path, maker: str, *, discs: int = 9) -> None:
        self.station = Station(folder)
        self.rig = make_rig(maker, folder / "robot", discs=discs)
        self.restart()
        self.station.brings_blanks = False
        self.station.during_wait = self.rig.clock.tick  # its service goes on meanwhile

    def restart(self) -> None:
        writer = RobotWriter(self.rig.again(), name="disc1")
        self.station.parts = replace(self.station.parts, drives={Medium.DISC: [writer]})

    def run(self, job_id: OrderId, engine: FakeEngine | None = None) -> FakeEngine:
        engine = engine or FakeEngine(self.station.parts)
        engine.parts = self.station.parts
        engine.run(job_id, self.station.journal.jobs.newest_run(job_id))
        return engine

    def outcomes(self, job_id: OrderId) -> list[str]:
        return [it.outcome for it in self.station.journal.ledger.history(job_id)]

    def require_done(self, job_id: OrderId, *, discs: int = 1) -> None:
        job = self.station.jobs.get(job_id)
        assert (job.status, job.error_code, job.question) == (ExecutionStatus.DONE, "", None)
        assert self.outcomes(job_id).count(DELIVERED) == discs
        assert len(self.rig.machine.discs_out()) == discs
        assert self.rig.files() == set()


@pytest.fixture(params=MAKERS)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, request.param)
    yield made
    made.station.close()


def test_an_order(site: Site) -> None:
    job_id = site.station.place()
    site.run(job_id)
    site.require_done(job_id)
    assert site.station.asked == []
    (row,) = [it for it in site.station.journal.audit.rows(event="export") if it.outcome == 0]
    assert row.details["read_back"] == "no"


def test_copies_and_the_next_order(site: Site) -> None:
    first = site.station.place(1, copies=3)
    site.run(first)
    site.require_done(first, discs=3)
    second = site.station.place(2)
    site.run(second)
    assert site.outcomes(second) == [DELIVERED]
    assert len(site.rig.machine.discs_out()) == 4


def test_rejected_discs_are_counted(site: Site) -> None:
    site.rig.faults(RobotFaults(rejects=2))
    job_id = site.station.place()
    site.run(job_id)
    site.require_done(job_id)
    assert sorted(site.outcomes(job_id)) == [DELIVERED, LedgerPhase.SCRAP, LedgerPhase.SCRAP]
    (counts,) = site.station.journal.stock.counts()
    assert (counts.begun, counts.good, counts.spoiled) == (3, 1, 2)
    assert site.rig.machine.look().discs == 6


def test_a_job_that_fails_with_all_its_discs_is_made_again(site: Site) -> None:
    site.rig.faults(RobotFaults(rejects=3))
    job_id = site.station.place()
    site.run(job_id)
    site.require_done(job_id)
    assert sorted(site.outcomes(job_id)) == [DELIVERED, *[LedgerPhase.SCRAP] * 3]
    (counts,) = site.station.journal.stock.counts()
    assert (counts.begun, counts.good, counts.spoiled) == (4, 1, 3)


def test_an_empty_robot_asks_for_discs(site: Site) -> None:
    site.rig.machine.fill(-9)
    site.rig.clock.tick()

    def fill() -> None:
        if any(job.question for job in site.station.jobs.newest()):
            site.rig.machine.fill(9 - site.rig.machine.look().discs)
        site.rig.clock.tick()

    site.station.during_wait = fill
    job_id = site.station.place()
    site.run(job_id)
    site.require_done(job_id)
    assert site.station.asked == [(job_id, Wanted.BLANK_DISC)]


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_an_open_cover_is_for_staff_and_needs_no_answer(site: Site, when: str) -> None:
    """They close it, and the order goes on: nobody has to tell us. There is one disc."""
    job_id = site.station.place()
    if when == "before":
        site.rig.faults(RobotFaults(condition="cover_open"))
    else:
        site.rig.clock.at_sleep = lambda number: (
            site.rig.faults(RobotFaults(condition="cover_open")) if number == 6 else None
        )

    def close() -> None:
        if any(job.question for job in site.station.jobs.newest()):
            site.rig.faults(RobotFaults())
        site.rig.clock.tick()

    site.station.during_wait = close
    site.run(job_id)
    site.require_done(job_id)
    assert site.station.asked == [(job_id, Wanted.STAFF)]
    assert site.outcomes(job_id) == [DELIVERED]


def test_a_dead_service_lets_orders_wait(site: Site) -> None:
    site.rig.faults(RobotFaults(dies_in="recording"))
    job_id = site.station.place()

    def begin() -> None:
        if any(job.question for job in site.station.jobs.newest()):
            site.rig.machine.begin()
        site.rig.clock.tick()

    site.station.during_wait = begin
    site.run(job_id)
    site.require_done(job_id)
    assert site.station.asked == [(job_id, Wanted.STAFF)]


def test_a_job_that_vanished_is_staffs(site: Site) -> None:
    """They answer when they have destroyed what came out; only then another one is made."""
    site.rig.faults(RobotFaults(vanishes=True))
    site.station.answers_staff = True
    job_id = site.station.place()
    site.run(job_id)
    assert site.station.asked == [(job_id, Wanted.STAFF)]
    assert site.outcomes(job_id).count(DELIVERED) == 1
    assert site.outcomes(job_id).count(LedgerPhase.SCRAP) == 1
    vanished, good = site.rig.machine.discs_out()
    site.rig.machine.reject_unaccounted()
    site.rig.machine.reject_unaccounted()  # once is enough
    assert site.rig.machine.discs_out() == [good]
    (rejected,) = (site.rig.machine.folder / "rejected").glob("*.iso")
    assert not vanished.exists()
    assert rejected.stat().st_size


def test_a_refused_job_is_tried_again(site: Site) -> None:
    site.rig.faults(RobotFaults(refuses=True))
    job_id = site.station.place()
    site.run(job_id)
    site.require_done(job_id)
    assert DELIVERED in site.outcomes(job_id)
    assert LedgerPhase.SCRAP not in site.outcomes(job_id)


def test_cancel_in_the_middle(site: Site) -> None:
    job_id = site.station.place()

    def cancel(number: int) -> None:
        site.station.clock.advance(1)  # the journal is not asked all the time
        if number == 6:
            site.station.jobs.cancel(job_id, actor="test")

    site.rig.clock.at_sleep = cancel
    site.run(job_id)
    assert site.station.jobs.get(job_id).status is ExecutionStatus.FAILURE
    assert site.rig.machine.discs_out() == []
    assert DELIVERED not in site.outcomes(job_id)
    next_id = site.station.place(2)
    site.rig.clock.at_sleep = lambda _number: None
    site.run(next_id)
    assert site.outcomes(next_id) == [DELIVERED]
    assert site.rig.files() == set()


@pytest.mark.parametrize("maker", MAKERS)
def test_every_crash_ends_with_one_disc(tmp_path: Path, maker: str) -> None:
    """Between steps and inside of them."""
    for boundary in instants(3):
        site = Site(_folder(tmp_path, boundary), maker)
        job_id = site.station.place()
        engine = FakeEngine(site.station.parts, crash_at=boundary)
        try:
            site.run(job_id, engine)
        except CrashError:
            site.restart()
            site.run(job_id, engine)
            site.require_done(job_id)
            site.station.close()
        else:
            site.station.close()
            break


@pytest.mark.parametrize("maker", MAKERS)
def test_every_power_cut_while_the_robot_works(tmp_path: Path, maker: str) -> None:
    for instant in instants(4):
        site = Site(_folder(tmp_path, instant), maker)

        def cut(number: int, last: int = instant) -> None:
            if number == last:
                raise CrashError

        site.rig.clock.at_sleep = cut
        job_id = site.station.place()
        engine = FakeEngine(site.station.parts)
        try:
            site.run(job_id, engine)
        except CrashError:
            site.restart()
            site.run(job_id, engine)
            site.require_done(job_id)
            site.station.close()
        else:
            site.station.close()
            break


def _folder(tmp_path: Path, number: int) -> Path:
    folder = tmp_path / str(number)
    folder.mkdir()
    return folder


def test_another_order_finds_the_disc_of_one_that_crashed(site: Site) -> None:
    """The first one is settled first, and delivered as its own."""
    first = site.station.place(1)

    def cut(number: int) -> None:
        if number == 5:
            raise CrashError

    site.rig.clock.at_sleep = cut
    first_engine = FakeEngine(site.station.parts)
    with pytest.raises(CrashError):
        site.run(first, first_engine)
    site.rig.clock.at_sleep = lambda _number: None
    site.restart()
    second = site.station.place(2)
    site.run(second)
    site.run(first, first_engine)
    assert (site.outcomes(first), site.outcomes(second)) == ([DELIVERED], [DELIVERED])
    assert len(site.rig.machine.discs_out()) == 2


# --- one attempt


@pytest.fixture(params=MAKERS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    return make_rig(request.param, tmp_path)


@pytest.fixture
def image(tmp_path: Path) -> ImageFacts:
    return make_image(tmp_path / "a.iso", "PDI_ABCDEFG")


def no_progress(progress: MediumProgress) -> None:
    """Nobody looks."""


def once(
    rig: Rig, ledger: FakeLedger, image: ImageFacts, gate: Callable[[object], None]
) -> Written | NeedsMedium:
    writer = RobotWriter(rig.recorder, name="robot1")
    assert isinstance(writer, StagingWriter)
    outcome = write_once(writer, ledger, JOB, image, 1, no_progress, lambda: False, gate=gate)
    assert isinstance(outcome, Written | NeedsMedium)
    return outcome


def test_the_patient_is_looked_at_before_a_disc_is_made(rig: Rig, image: ImageFacts) -> None:
    ledger = FakeLedger()
    seen: list[bytes] = []

    def refuse(writer: object) -> None:
        assert isinstance(writer, RobotWriter)
        seen.append(writer.read(16 * 2048, 2048))
        raise WrongPatientError("PATIENT_ID")

    with pytest.raises(WrongPatientError):
        once(rig, ledger, image, refuse)
    assert seen[0][1:6] == b"CD001"
    assert (rig.machine.discs_out(), rig.files(), ledger.phases) == ([], set(), [])
    assert rig.machine.look().discs == 5


def test_an_image_that_is_not_what_was_built_costs_no_disc(rig: Rig, image: ImageFacts) -> None:
    other = replace(image, sha256="0" * 64)
    with pytest.raises(VerifyFailedError):
        once(rig, FakeLedger(), other, lambda _writer: None)
    assert (rig.machine.discs_out(), rig.files()) == ([], set())


def test_what_is_written_is_not_called_read_back(rig: Rig, image: ImageFacts) -> None:
    rig.faults(RobotFaults(rejects=1))
    ledger = FakeLedger()
    outcome = once(rig, ledger, image, lambda _writer: None)
    assert isinstance(outcome, Written)
    assert (outcome.medium.is_read_back, outcome.medium.rejected) == (False, 1)
    assert ledger.phases == ["writing", "closed", "rejected", "verified"]


# --- the port


def test_errors_and_words(rig: Rig, image: ImageFacts, tmp_path: Path) -> None:
    writer = RobotWriter(rig.recorder, name="robot1")

    def write() -> None:
        writer.write(image.path, on_progress=no_progress, is_cancelled=lambda: False)

    cases: list[tuple[RobotFaults, type[KioskError], str]] = [
        (RobotFaults(condition="cover_open"), DriveFaultError, "cover is open"),
        (RobotFaults(condition="ink_empty"), DriveFaultError, "ink"),
        (RobotFaults(rejects=3), MediumSpoiledError, "(primera.job.20|epson.STP001)"),
        (RobotFaults(condition="no_discs"), MediumWantedError, "(blank discs)"),
    ]
    for faults, error, words in cases:
        rig.faults(faults)
        with pytest.raises(error, match=words) as caught:
            write()
        assert "ABCDEFG" not in str(caught.value)
        rig.faults(RobotFaults())
        writer.eject()
    with pytest.raises(StoppedError):
        writer.write(image.path, on_progress=no_progress, is_cancelled=lambda: True)
    write()
    assert not writer.inspect().is_empty
    assert writer.is_well()
    rig.faults(RobotFaults(condition="cover_open"))
    assert not writer.is_well()


def test_label_beside_the_image(tmp_path: Path) -> None:
    image = tmp_path / "image.iso"
    assert label_beside(image, (".jpg", ".bmp")) is None
    (tmp_path / "image.bmp").touch()
    assert label_beside(image, (".jpg", ".bmp")) == tmp_path / "image.bmp"
    (tmp_path / "image.jpg").touch()
    assert label_beside(image, (".jpg", ".bmp")) == tmp_path / "image.jpg"
