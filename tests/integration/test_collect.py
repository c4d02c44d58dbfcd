"""A good medium that waits for its owner: real engine processes, kill -9, a simulated drive and a
stick.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from burner.stick import Stick
from kiosk.adapters.media_stick import StickWriter, files_of_image
from kiosk.domain.model import (
    ExecutionStatus,
    HandOver,
    MediaChoice,
    Medium,
    Order,
    OrderId,
    Priority,
    ReleaseState,
    Wanted,
)
from kiosk.ports import LedgerPhase
from kiosk.services.parts import Image, IsCancelled, OnCount, Policy
from tests.crash.engine import DRIVE, Setting
from tests.crash.station import Station, station
from tests.fakes.durable import FakeEngine
from tests.fakes.orders import an_order
from tests.fakes.station import Station as MemoryStation
from tests.spool import left_in

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

PATIENCE_S = 90.0
POLICY = Policy(delays_s=(0.2,), poll_s=0.05, device_poll_s=0.1, attempts=1000)


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Station]:
    with station(Setting(tmp_path, policy=POLICY)) as made:
        yield made


def place(one: Station, number: int, hand_over: HandOver) -> OrderId:
    order = an_order(number)
    one.journal.orders.add(order, actor="test")
    choice = MediaChoice(Medium.DISC, 1, hand_over)
    one.placed[order.order_id] = 1
    return one.jobs.submit(order.order_id, choice, Priority.WAITING_PATIENT, actor="test")


def until(one: Station, is_over: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_over():
        assert time.monotonic() < deadline, (one.jobs.newest(), one.drive.look())
        time.sleep(0.02)


def asks(one: Station, job_id: OrderId, wanted: Wanted) -> Callable[[], bool]:
    def is_asked() -> bool:
        question = one.jobs.get(job_id).question
        return question is not None and question.wanted is wanted

    return is_asked


def answer(one: Station, job_id: OrderId) -> None:
    question = one.jobs.get(job_id).question
    assert question is not None
    one.jobs.answer(job_id, question.number)


def ended(one: Station, job_id: OrderId) -> Callable[[], bool]:
    return lambda: one.jobs.get(job_id).has_ended


def good_exports(one: Station) -> list[str]:
    rows = one.journal.audit.rows(event="export")
    return [row.subject for row in rows if row.outcome == 0]


def waiting(one: Station) -> OrderId:
    """A good disc in the shut drive, its owner away."""
    one.drive.insert_blank()
    one.start()
    job_id = place(one, 1, HandOver.ON_CLAIM)
    until(one, asks(one, job_id, Wanted.CLAIM))
    assert not one.drive.look().is_open
    return job_id


def test_killed_while_it_waits_and_while_it_lies_in_the_tray(one: Station) -> None:
    job_id = waiting(one)
    question = one.jobs.get(job_id).question
    one.kill(with_children=True)
    one.journal.presence.touch(job_id)
    one.journal.presence.leave(job_id)  # came and went while nothing ran
    one.start()
    until(one, one.is_working)
    until(one, asks(one, job_id, Wanted.CLAIM))
    assert one.jobs.get(job_id).question == question
    assert not one.drive.look().is_open
    assert good_exports(one) == []
    one.journal.presence.touch(job_id)
    until(one, asks(one, job_id, Wanted.TAKE_MEDIUM))
    assert one.drive.look().is_open
    assert good_exports(one) == [job_id]
    one.kill()
    one.start()
    until(one, one.is_working)
    until(one, asks(one, job_id, Wanted.TAKE_MEDIUM))
    one.drive.take()
    one.drive.press_button()  # pushes it in
    until(one, ended(one, job_id))
    assert one.jobs.get(job_id).status is ExecutionStatus.DONE
    assert one.good_discs() == {job_id: 1}
    assert good_exports(one) == [job_id]
    assert one.journal.ledger.owner(DRIVE) is None


def test_not_seen_taken_the_job_ends_and_the_next_one_is_asked(tmp_path: Path) -> None:
    policy = replace(POLICY, removal_s=2.0)
    with station(Setting(tmp_path, policy=policy)) as one:
        first = waiting(one)
        one.journal.presence.touch(first)
        until(one, ended(one, first))
        assert one.jobs.get(first).status is ExecutionStatus.DONE
        until(one, lambda: not left_in(one.setting.spool_folder))
        assert [row.subject for row in one.journal.audit.rows(event="medium.not_taken")] == [first]
        assert one.drive.look().is_open
        second = place(one, 2, HandOver.AT_ONCE)
        until(one, asks(one, second, Wanted.TAKE_MEDIUM))
        until(one, asks(one, second, Wanted.STAFF))
        assert one.jobs.get(second).error_code == "medium.not_taken"
        one.drive.take()
        one.drive.insert_blank()
        until(one, ended(one, second))
        assert one.good_discs() == {first: 1, second: 1}


@pytest.mark.parametrize("how", ["hold", "cancel"])
def test_stopped_while_it_waits(one: Station, how: str) -> None:
    job_id = waiting(one)
    if how == "hold":
        one.journal.orders.set_state(job_id, ReleaseState.HELD, actor="staff")
    else:
        one.jobs.cancel(job_id, actor="staff")
    until(one, asks(one, job_id, Wanted.STAFF))
    one.journal.presence.touch(job_id)
    one.kill()
    one.start()
    until(one, one.is_working)
    assert asks(one, job_id, Wanted.STAFF)()
    assert not one.drive.look().is_open
    answer(one, job_id)
    until(one, ended(one, job_id))
    assert one.jobs.get(job_id).status is ExecutionStatus.FAILURE
    assert one.drive.look().is_open
    assert good_exports(one) == []


def test_the_second_patient_waits_behind_it_and_never_meets_it(one: Station) -> None:
    first = waiting(one)
    second = place(one, 2, HandOver.AT_ONCE)
    until(one, lambda: one.jobs.get(second).error_code == "medium.uncollected")
    assert one.jobs.get(second).status_info == "MCD_BUSY"
    assert not one.drive.look().is_open
    one.journal.presence.touch(first)
    until(one, asks(one, first, Wanted.TAKE_MEDIUM))
    answer(one, first)  # "I have it", with the disc still in the open tray
    until(one, ended(one, first))
    until(one, asks(one, second, Wanted.TAKE_MEDIUM))
    one.drive.press_button()  # the second one pushes it in: it comes out again
    until(one, lambda: one.drive.look().is_open)
    until(one, asks(one, second, Wanted.TAKE_MEDIUM))
    one.drive.take()
    one.drive.insert_blank()
    until(one, ended(one, second))
    assert one.jobs.get(second).status is ExecutionStatus.DONE
    assert one.good_discs() == {first: 1, second: 1}
    assert sorted(good_exports(one)) == sorted([first, second])


# --- sticks


class StickStation:
    """The workflow with a stick's port: an image file that somebody pulls out and pushes in."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "stick"
        self.push_in_another()
        self.writer = StickWriter(
            Stick(self.path, lock_folder=folder), staging=folder, name="stick1"
        )
        self.station = MemoryStation(folder, policy=Policy(poll_s=4.0))
        self.station.brings_blanks = False
        object.__setattr__(self.station.parts, "drives", {Medium.STICK: [self.writer]})
        object.__setattr__(self.station.parts, "compose", self.compose)
        self.pulled: list[Path] = []

    def compose(
        self,
        order: Order,
        medium: Medium,
        folder: Path,
        *,
        inventory: str,
        on_progress: OnCount,
        is_cancelled: IsCancelled,
    ) -> Image:
        import hashlib

        tree, path = folder / "tree", folder / "image.iso"
        tree.mkdir(exist_ok=True)
        (tree / "DICOMDIR").write_text(order.order_id)
        name = f"SH{order.order_id[-4:]}"
        argv = ["genisoimage", "-quiet", "-iso-level", "1", "-V", name, "-o", path, tree]
        subprocess.run(argv, check=True)
        content = path.read_bytes()
        assert files_of_image(path)[0] == name
        digest = hashlib.sha256(content).hexdigest()
        return Image(path.name, len(content), digest, name, 1, 0, "station1")

    def place(self, number: int) -> OrderId:
        order = an_order(number)
        self.station.journal.orders.add(order, actor="test")
        choice = MediaChoice(Medium.STICK, 1, HandOver.ON_CLAIM)
        return self.station.jobs.submit(
            order.order_id, choice, Priority.WAITING_PATIENT, actor="test"
        )

    def asked(self, job_id: OrderId) -> Wanted | None:
        question = self.station.jobs.get(job_id).question
        return None if question is None else question.wanted

    def pull(self) -> None:
        pocket = self.path.with_name(f"pocket{len(self.pulled)}")
        self.path.rename(pocket)
        self.pulled.append(pocket)

    def push_in_another(self) -> None:
        with self.path.open("xb") as file:
            file.truncate(64 << 20)
        argv = ["mkfs.vfat", "-F", "32", self.path]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def test_a_stick_is_released_to_its_owner_and_its_port_free_when_it_is_pulled(
    tmp_path: Path,
) -> None:
    it = StickStation(tmp_path)
    first = it.place(1)
    marks = []

    def owner() -> None:
        if it.asked(first) is Wanted.CLAIM:
            marks.append(it.writer.inspect().volume_id)  # still marked as unfinished
            if len(marks) > 3:
                it.station.journal.presence.touch(first)
        elif it.asked(first) is Wanted.TAKE_MEDIUM:
            it.pull()

    it.station.during_wait = owner
    FakeEngine(it.station.parts).run(first)
    assert it.station.jobs.get(first).status is ExecutionStatus.DONE
    assert set(marks) == {"SH0001"}
    assert it.station.journal.ledger.owner("stick1") is None
    it.station.close()


def test_a_stick_that_was_left_is_asked_for_before_the_next(tmp_path: Path) -> None:
    it = StickStation(tmp_path)
    first = it.place(1)
    it.station.journal.presence.touch(first)

    def says_so() -> None:
        it.station.journal.presence.touch(first)
        question = it.station.jobs.get(first).question
        if question is not None:
            it.station.jobs.answer(first, question.number)

    it.station.during_wait = says_so
    FakeEngine(it.station.parts).run(first)
    entry = it.station.journal.ledger.owner("stick1")
    assert entry is not None
    assert entry.phase == LedgerPhase.OUT
    second = it.place(2)
    wanted: list[Wanted] = []

    def next_one() -> None:
        it.station.journal.presence.touch(second)
        asked = it.asked(second)
        if asked is not None and asked not in wanted:
            wanted.append(asked)
        if asked is Wanted.TAKE_MEDIUM and len(it.pulled) < len(wanted):
            it.pull()
        elif asked is Wanted.STICK:
            it.push_in_another()

    it.station.during_wait = next_one
    it.station.journal.presence.touch(second)
    FakeEngine(it.station.parts).run(second)
    assert it.station.jobs.get(second).status is ExecutionStatus.DONE
    assert wanted == [Wanted.TAKE_MEDIUM, Wanted.STICK]
    assert b"order-0001" in it.pulled[0].read_bytes()
    it.station.close()
