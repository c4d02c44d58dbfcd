"""A station under attack: its engine is killed again and again, a person stands in front of it."""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from burner.errors import BurnerError
from burner.simulated import DiscStatus, SimulatedDrive
from kiosk.adapters.jobs import DbosJobs, migrate
from kiosk.domain.model import (
    AccessionNumber,
    ExecutionStatus,
    MediaChoice,
    Medium,
    Order,
    OrderId,
    PatientIdentity,
    Priority,
    ReleaseState,
    Wanted,
)
from kiosk.errors import JournalError
from kiosk.ports import LedgerPhase
from tests.crash.engine import (
    DRIVE,
    IMAGE_BLOCKS,
    Setting,
    image_seed,
    open_crash_journal,
    serve,
    volume_id,
)
from tests.fakes.media import make_image
from tests.spool import left_in

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.crash.engine", "alembic.command", "dbos"])
_PATIENCE_S = 90.0


@dataclass
class Report:
    """What a run of the suite found; printed in one line."""

    seed: int
    kills: int = 0
    cuts: int = 0
    orders: int = 0
    done: int = 0
    spoiled: int = 0
    staff: Counter[str] = field(default_factory=Counter)
    recovered: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)
    deeds: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    late: int = 0

    def __str__(self) -> str:
        median = sorted(self.recovered)[len(self.recovered) // 2] if self.recovered else 0.0
        return (
            f"seed={self.seed} kills={self.kills} (with children: {self.cuts})"
            f" orders={self.orders} done={self.done} not_done={self.orders - self.done}"
            f" double=0 spoiled={self.spoiled} staff={dict(self.staff)}"
            f" restart_median_s={median:.2f}"
            + (f" ended_max_s={max(self.ended):.1f}" if self.ended else "")
            + (
                f" late={self.late} deeds={dict(self.deeds)} refused={dict(self.refused)}"
                if self.deeds
                else ""
            )
        )


class Station:
    """One folder with journal, spool and drive; the engine's process comes and goes."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.journal = open_crash_journal(setting)
        migrate(self.journal.engine)
        self.jobs = DbosJobs(self.journal)
        self.drive = SimulatedDrive(setting.drive_folder, name=DRIVE)
        self.placed: dict[OrderId, int] = {}
        self.staff: Counter[str] = Counter()
        self.brings_blanks = True
        self.answers_staff = True
        self.strays: list[str] = []
        self._expected: dict[str, OrderId] = {}
        self._good_taken: Counter[OrderId] = Counter()
        self._beat_before: datetime | None = None
        self._process: multiprocessing.process.BaseProcess | None = None

    # --- the engine

    def start(self, kill: tuple[str, int] | None = None) -> None:
        self._beat_before = self._beat()
        self._process = _CONTEXT.Process(
            target=serve, args=(replace(self.setting, kill=kill),), daemon=True
        )
        self._process.start()

    def is_working(self) -> bool:
        """Whether the process that was started last has locked, migrated and cleaned."""
        return self._beat() != self._beat_before

    def _beat(self) -> datetime | None:
        return self.journal.stations.beats().get(self.journal.station)

    def is_up(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def kill(self, *, with_children: bool = False) -> None:
        """SIGKILL; with its children, as when the power fails."""
        assert self._process is not None
        pid = self._process.pid
        assert pid is not None
        if with_children:
            with contextlib.suppress(ProcessLookupError):
                if os.getpgid(pid) == pid:  # it has begun to be itself
                    os.killpg(pid, signal.SIGKILL)
        self._process.kill()
        self._process.join()

    def stop(self) -> int | None:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self.attend_until(self.is_working)
        self._process.terminate()
        return self.ended(60)

    def ended(self, within_s: float) -> int | None:
        """The exit code, if it ends in time."""
        assert self._process is not None
        self._process.join(within_s)
        return self._process.exitcode

    # --- people

    def place(self, number: int, *, copies: int = 1, like: OrderId | None = None) -> OrderId:
        """An order and its job; `like` another one: of the same patient and study."""
        order_id = OrderId(f"order-{number:04}")
        order = Order(
            order_id,
            PatientIdentity(f"P{number}", "", f"DOE{number}^JANE", "19700101"),
            AccessionNumber(f"A{number}"),
            f"1.2.3.{number}",
            "CT",
            "20250101",
            ReleaseState.RELEASED,
            False,
            datetime.now(UTC),
        )
        if like is not None:
            twin = self.journal.orders.get(like)
            order = replace(
                order,
                patient=twin.patient,
                accession_number=twin.accession_number,
                study_instance_uid=twin.study_instance_uid,
            )
        self.journal.orders.add(order, actor="test")
        self.jobs.submit(
            order_id,
            MediaChoice(Medium.DISC, copies),
            Priority.WAITING_PATIENT,
            actor="test",
        )
        self.placed[order_id] = copies
        return order_id

    def attend(self) -> None:
        """Do once what a person would: take discs out, put blank ones in, call staff."""
        try:
            look = self.drive.look()
            if look.is_open and look.in_tray is not None:
                self.take()
            wanted = {
                job.question.wanted: (job.question, job.error_code)
                for job in self.jobs.newest(limit=20)
                if job.question is not None
            }
            if self.brings_blanks and wanted.keys() & {
                Wanted.BLANK_DISC,
                Wanted.OTHER_DISC,
                Wanted.LARGER_MEDIUM,
                Wanted.TAKE_MEDIUM,
            }:
                look = self.drive.look()
                if look.is_open or look.in_tray is None:
                    self.drive.insert_blank()
            if any(one.name == "TAKE_MEDIUM" for one in wanted) and self.drive.look().is_open:
                self.take()
                self.drive.press_button()
            if self.answers_staff and Wanted.STAFF in wanted:
                question, code = wanted[Wanted.STAFF]
                self.staff[f"{code} {question.job_id} {question.number}"] += 1
                self.jobs.answer(question.job_id, question.number)
        except (BurnerError, JournalError):
            return  # busy just now; people try again

    def take(self) -> None:
        """Take what lies in the open tray. A good disc that is not on record is noted as a stray.

        Raises:
            BurnerError: The drive's state cannot be read.
            JournalError: The same of the journal; the disc is taken all the same.
        """
        path = self.drive.take()
        if path is None or not path.exists():
            return
        order_id = self._order_on(path)
        if order_id is None:
            return
        self._good_taken[order_id] += 1
        exports = list(self.journal.audit.rows(event="export", subject=order_id))
        if self._good_taken[order_id] > len(exports):  # handed over, or scrap that staff took
            self.strays.append(f"{path.name} of {order_id}: {len(exports)} on record")

    def _order_on(self, path: Path) -> OrderId | None:
        """Whose whole image a disc holds."""
        for order_id in self.placed.keys() - set(self._expected.values()):
            self._expected[self._expect(order_id)] = order_id
        with path.open("rb") as file:
            digest = hashlib.sha256(file.read(IMAGE_BLOCKS * 2048)).hexdigest()
        return self._expected.get(digest)

    def _expect(self, order_id: OrderId) -> str:
        scratch = self.setting.folder / "expected.iso"
        facts = make_image(
            scratch, volume_id(order_id), blocks=IMAGE_BLOCKS, seed=image_seed(order_id)
        )
        return facts.sha256

    def attend_until(self, is_over: Callable[[], bool], *, patience_s: float = _PATIENCE_S) -> None:
        """Raises TimeoutError with the jobs' states."""
        deadline = time.monotonic() + patience_s
        while not is_over():
            self.attend()
            if time.monotonic() > deadline:
                states = [
                    (job.job_id, job.status.value, job.error_code, job.question)
                    for job in self.jobs.newest()
                    if job.status is not ExecutionStatus.DONE
                ]
                raise TimeoutError(f"{states}; {self.drive.look()}; {self._log()}")
            time.sleep(0.01)

    def rest(self, seconds: float) -> None:
        """Let the world go on for a while."""
        end = time.monotonic() + seconds
        self.attend_until(lambda: time.monotonic() >= end)

    def _log(self) -> str:
        path = self.setting.folder / "engine.log"
        return path.read_text()[-3000:] if path.exists() else ""

    def live(self) -> list[OrderId]:
        ended = (ExecutionStatus.DONE, ExecutionStatus.FAILURE)
        return [job.job_id for job in self.jobs.newest(limit=500) if job.status not in ended]

    # --- what must be true

    def good_discs(self) -> Counter[str]:
        """Order to closed discs with its whole image, wherever they lie.

        A disc that lacks nothing but its end is scrap all the same: it was never closed.
        """
        found: Counter[str] = Counter()
        for disc in self.drive.look().discs:
            path = self.drive.file_of(disc.name)
            if disc.status is DiscStatus.WRITTEN and path.exists():
                order_id = self._order_on(path)
                if order_id is not None:
                    found[order_id] += 1
        return found

    def check(self, report: Report) -> None:
        """All that the suite promises, once every order has come to its end."""
        jobs = {job.job_id: job for job in self.jobs.newest(limit=10_000)}
        report.orders = len(self.placed)
        report.done = sum(jobs[o].status is ExecutionStatus.DONE for o in self.placed)
        report.staff = self.staff
        assert report.done == report.orders, [
            (job.job_id, job.status, job.error_code)
            for job in jobs.values()
            if job.status is not ExecutionStatus.DONE
        ]
        good = self.good_discs()
        assert good == Counter(self.placed), good
        exports = Counter(
            row.subject for row in self.journal.audit.rows(event="export") if row.outcome == 0
        )
        assert exports == Counter(self.placed), exports
        spoiled = [row for row in self.journal.audit.rows(event="export") if row.outcome]
        report.spoiled = len(spoiled)
        assert self.journal.audit.verify(self.journal.audit.head()) > 0
        spool = self.setting.spool_folder
        assert left_in(spool) == []
        assert not self.strays, self.strays
        owner = self.journal.ledger.owner(DRIVE)
        assert owner is None or owner.phase == LedgerPhase.OUT
        for order_id in self.placed:
            assert self.journal.orders.get(order_id).state is ReleaseState.COLLECTED
            assert self.journal.ledger.delivered(order_id) == self.placed[order_id]

    def is_drive_settled(self) -> bool:
        """Nothing of value is in the drive. What came out stays on record until the next look."""
        owner = self.journal.ledger.owner(DRIVE)
        return owner is None or owner.phase in (LedgerPhase.OUT, LedgerPhase.SCRAP)

    def close(self) -> None:
        if self.is_up():
            self.kill(with_children=True)
        self.close_journal()

    def close_journal(self) -> None:
        self.jobs.close()
        self.journal.close()


@contextlib.contextmanager
def station(setting: Setting) -> Iterator[Station]:
    setting.folder.mkdir(parents=True, exist_ok=True)
    made = Station(setting)
    try:
        yield made
    finally:
        made.close()
