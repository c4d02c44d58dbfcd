"""A station for tests: the real journal and spool in a folder, a drive in memory, a person."""

from __future__ import annotations

import functools
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from kiosk.adapters.jobs import DbosJobs, migrate
from kiosk.adapters.journal import Journal, open_journal
from kiosk.adapters.order_files import OrderFiles
from kiosk.adapters.spool import DirectorySpool
from kiosk.domain.contents import ObjectCounts
from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.model import HandOver, MediaChoice, Medium, Order, OrderId, Priority, Wanted
from kiosk.errors import KioskError, SpoolLostError
from kiosk.ports import Clock, MediaWriter
from kiosk.services.parts import EngineParts, Image, IsCancelled, OnCount, Policy
from kiosk.services.reports import Reports
from tests.fakes.clock import FakeClock
from tests.fakes.media import FakeDisc, FakeMediaWriter, make_image
from tests.fakes.orders import an_order

AUDIT_KEY, PASSWORD_KEY = b"k" * 32, b"p" * 32


def open_test_journal(
    url: str,
    clock: Clock | None = None,
    station: str = "station1",
    *,
    keeps_passwords: bool = False,
) -> Journal:
    """Migrated and ready."""
    journal = open_journal(
        url,
        station=station,
        audit_key=AUDIT_KEY,
        clock=clock or FakeClock(),
        password_key=lambda: PASSWORD_KEY,
        keeps_passwords=keeps_passwords,
    )
    migrate(journal.engine)
    return journal


@functools.cache
def _template() -> bytes:
    """A migrated, empty SQLite file: making it anew for each test is what would take longest."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        open_test_journal(f"sqlite:///{path}").close()
        return path.read_bytes()


def sqlite_url(folder: Path) -> str:
    """A new journal in the folder, or the one that is there."""
    path = folder / "journal.sqlite"
    if not path.exists():
        path.write_bytes(_template())
    return f"sqlite:///{path}"


@dataclass
class Archive:
    """What the archive and the builder do; each list is worked off, then all is well.

    Attributes:
        troubles: Raised by the next retrievals.
        build_troubles: Raised by the next builds.
        gate_trouble: Raised by every look at a finished medium.
        forgotten: Folders whose early build nobody waits for any more.
        lacks: What the builds leave out.
        holds: What each of their media has.
        discs: Media that one copy takes.
        split: Another one gives a set that fits no earlier one.
        is_noise: Of its images nothing can be read but the name.
        reports_of: What goes onto the next image from outside, by its digest.
    """

    troubles: list[KioskError] = field(default_factory=list)
    build_troubles: list[KioskError] = field(default_factory=list)
    gate_trouble: KioskError | None = None
    lacks: LeftOutCounts = LeftOutCounts()
    holds: ObjectCounts = ObjectCounts(images=1)
    discs: int = 1
    split: int = 0
    is_noise: bool = False
    reports_of: Callable[[OrderId], str] = lambda _order_id: ""
    retrieved: int = 0
    forgotten: list[Path] = field(default_factory=list)
    _built: int = 0
    during_retrieve: Callable[[], None] = lambda: None

    def retrieve(
        self,
        order: Order,
        medium: Medium,
        folder: Path,
        *,
        on_progress: OnCount,
        on_trouble: OnCount,
        is_cancelled: IsCancelled,
    ) -> str:
        self.retrieved += 1
        self.during_retrieve()
        if self.troubles:
            raise self.troubles.pop(0)
        (folder / "objects").mkdir(exist_ok=True)
        on_progress(0, 1)  # nothing is there from an earlier try
        on_progress(1, 1)
        return "inventory"

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
        assert inventory == "inventory"
        if self.build_troubles:
            raise self.build_troubles.pop(0)
        if not (folder / "objects").exists():
            raise SpoolLostError("nothing was retrieved")
        number = zlib.crc32(order.order_id.encode())
        if self.discs > 1:
            on_progress(1, 1)
            places = range(1, self.discs + 1)
            first, *more = (self._disc(order.order_id, folder, number, it) for it in places)
            return replace(first, more=tuple(more))
        image, name = folder / "image.iso", f"V{number:08X}"
        facts = make_image(image, name, blocks=40, seed=number, has_root=not self.is_noise)
        on_progress(1, 1)
        made = (facts.size_bytes, facts.sha256, facts.volume_id)
        lacks, reports = self.lacks, self.reports_of(order.order_id)
        kinds = (lacks, self.holds)
        return Image("image.iso", *made, 1, lacks.total, "station1", *kinds, reports=reports)

    def _disc(self, order_id: OrderId, folder: Path, number: int, place: int) -> Image:
        """Never the same bytes twice: a set that is built again has other UIDs."""
        self._built += 1
        name = "image.iso" if place == 1 else f"image{place}.iso"
        volume_id = f"V{number % 0xFFFFFF:06X}{self.split}{place}{self.discs}"
        seed = number + 1000 * self._built
        facts = make_image(folder / name, volume_id, blocks=40, seed=seed)
        made = (facts.size_bytes, facts.sha256, facts.volume_id)
        reports = self.reports_of(order_id)
        more = {"number": place, "of": self.discs}
        kinds = (LeftOutCounts(), self.holds)
        return Image(name, *made, 1, 0, "station1", *kinds, reports=reports, **more)

    def gate(self, order: Order, medium: Medium, writer: MediaWriter) -> None:
        if self.gate_trouble is not None:
            raise self.gate_trouble

    def find(self, order: Order) -> str:
        return "1.2.3.99"


class Station:
    """Everything of one station, with orders that can be placed on it.

    The person looks whenever somebody sleeps on the clock: a blank disc is put in when one is asked
    for, and answers are given to staff's questions while `answers_staff`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        url: str = "",
        policy: Policy | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or PersonClock(self.attend)
        self.journal = open_test_journal(url or sqlite_url(folder), self.clock)
        self.jobs = DbosJobs(self.journal)
        self.archive = Archive()
        self.writer = FakeMediaWriter(name="disc1")
        self.answers_staff = False
        self.brings_blanks = True
        self.asked: list[tuple[OrderId, Wanted]] = []
        self.during_wait: Callable[[], None] = lambda: None
        self.reports = Reports(
            self.journal.reports,
            OrderFiles(folder / "reports"),
            self.journal.orders,
            self.clock,
            "station1",
        )
        self.archive.reports_of = self.reports.digest
        self.parts = EngineParts(
            station="station1",
            clock=self.clock,
            orders=self.journal.orders,
            jobs=self.journal.jobs,
            progress=self.journal.progress,
            step_times=self.journal.step_times,
            questions=self.journal.questions,
            ledger=self.journal.ledger,
            media=self.journal.ledger,
            spool=DirectorySpool(folder / "spool"),
            drives={Medium.DISC: [self.writer]},
            find=self.archive.find,
            retrieve=self.archive.retrieve,
            compose=self.archive.compose,
            gate=self.archive.gate,
            forget=self.archive.forgotten.append,
            policy=policy or Policy(poll_s=15.0),
            presence=self.journal.presence,
            reports=self.reports,
            passwords=self.journal.passwords,
            stock=self.journal.stock,
        )

    def place(
        self, number: int = 1, *, copies: int = 1, hand_over: HandOver = HandOver.AT_ONCE
    ) -> OrderId:
        order = an_order(number)
        self.journal.orders.add(order, actor="test")
        choice = MediaChoice(Medium.DISC, copies, hand_over)
        return self.jobs.submit(order.order_id, choice, Priority.WAITING_PATIENT, actor="test")

    def attend(self) -> None:
        self.during_wait()
        for job in self.jobs.newest():
            question = job.question
            if question is None:
                continue
            if (job.job_id, question.wanted) not in self.asked[-1:]:
                self.asked.append((job.job_id, question.wanted))
            if question.wanted is Wanted.STAFF:
                if self.answers_staff:
                    self.jobs.answer(job.job_id, question.number)
            elif self.brings_blanks:
                self.writer.insert(FakeDisc())

    def good_discs(self) -> list[FakeDisc]:
        """Whole discs that left the drive."""
        return [disc for disc in self.writer.ejected if disc.content and disc.is_whole]

    def close(self) -> None:
        self.jobs.close()
        self.journal.close()


class PersonClock(FakeClock):
    """A clock on which a person looks around at every sleep."""

    def __init__(self, attend: Callable[[], None]) -> None:
        super().__init__()
        self._attend = attend

    def sleep_s(self, seconds: float) -> None:
        super().sleep_s(seconds)
        self._attend()
