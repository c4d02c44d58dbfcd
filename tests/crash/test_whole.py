"""The whole product under kill -9: `sendhome engine`, a real C-MOVE, the real builder and recorder.

Only the people and the drive are simulated. Fewer kills than in test_kills.py, each costs seconds.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from burner.drive import iso_volume_id
from burner.errors import BurnerError
from burner.simulated import DiscStatus, Faults, Place
from burner.verify import MediumReader
from dicomdir.check.image import check_image
from dicomdir.findings import has_errors
from kiosk import bootstrap
from kiosk.adapters.jobs import DbosJobs
from kiosk.adapters.journal import Journal
from kiosk.config import (
    ArchiveConfig,
    Config,
    DriveConfig,
    EngineConfig,
    ReceiverConfig,
    StoreConfig,
)
from kiosk.config_file import to_toml
from kiosk.demo.launch import start_archive
from kiosk.demo.people import DemoPerson, demo_people
from kiosk.demo.studies import ensure_studies
from kiosk.domain.model import (
    ExecutionStatus,
    MediaChoice,
    Medium,
    Order,
    OrderId,
    Priority,
    ReleaseState,
    Wanted,
)
from kiosk.errors import JournalError
from kiosk.services.compose import volume_id_of
from tests.peers import free_port
from tests.spool import left_in

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
KILLS = 8
PATIENCE_S = 120.0


class Product:
    """A configured station whose engine is the command itself."""

    def __init__(self, config: Config, folder: Path, journal: Journal) -> None:
        self.config, self.folder, self.journal = config, folder, journal
        self.jobs = DbosJobs(journal)
        self.drive = bootstrap.simulated(config.drives[0])
        self.placed: list[OrderId] = []
        self.file = folder / "sendhome.toml"
        self.file.write_text(to_toml(config), encoding="utf-8")
        self.process: subprocess.Popen[bytes] | None = None
        self._beat_before: datetime | None = None

    def is_working(self) -> bool:
        """Whether the engine that was started last has locked and migrated."""
        return self._beat() != self._beat_before

    def _beat(self) -> datetime | None:
        return self.journal.stations.beats().get(self.config.engine.station)

    def start(self) -> None:
        self._beat_before = self._beat()
        command = [sys.executable, "-m", "kiosk.cli.main", "--config", str(self.file), "engine"]
        with (self.folder / "engine.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                start_new_session=True,
            )

    def kill(self, *, with_children: bool) -> None:
        assert self.process is not None
        if with_children:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.attend_until(self.is_working)
        self.process.terminate()
        return self.process.wait(60)

    def place(self, number: int, person: DemoPerson) -> None:
        order_id = OrderId(f"whole-{number}")
        self.journal.orders.add(
            Order(
                order_id,
                person.identity,
                person.accession_number,
                person.study_instance_uid,
                person.modality,
                person.study_date,
                ReleaseState.RELEASED,
                False,
                self.journal.clock.now(),
            ),
            actor="test",
        )
        self.jobs.submit(order_id, MediaChoice(Medium.DISC), Priority.WAITING_PATIENT, actor="test")
        self.placed.append(order_id)

    def live(self) -> list[OrderId]:
        ended = (ExecutionStatus.DONE, ExecutionStatus.FAILURE)
        return [job.job_id for job in self.jobs.newest() if job.status not in ended]

    def attend_until(self, is_over: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not is_over():
            with contextlib.suppress(BurnerError, JournalError):  # busy just now: again
                self._attend()
            if time.monotonic() > deadline:
                log = (self.folder / "engine.log").read_text(errors="replace")[-3000:]
                raise TimeoutError(f"{self.jobs.newest()} {log}")
            time.sleep(0.05)

    def _attend(self) -> None:
        look = self.drive.look()
        if look.is_open and look.in_tray is not None:
            self.drive.take()
        for job in self.jobs.newest():
            if job.question is None:
                continue
            if job.question.wanted is Wanted.STAFF:
                self.jobs.answer(job.job_id, job.question.number)
                continue
            look = self.drive.look()
            if look.is_open or look.in_tray is None:
                self.drive.insert_blank()


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    studies = ensure_studies(tmp_path / "studies")
    receiver = ReceiverConfig(port=free_port())
    config = Config(
        receiver=receiver,
        store=StoreConfig(state_dir=tmp_path / "state", spool_dir=tmp_path / "spool", reserve_mb=1),
        drives=(DriveConfig(name="disc1", kind="simulated", device=str(tmp_path / "drive")),),
        engine=EngineConfig(station="whole", retry_s=(0.5,), poll_s=0.1),
    )
    destination = f"{receiver.ae_title}=127.0.0.1:{receiver.port}"
    with start_archive(studies, destination) as archive:
        found = ArchiveConfig(
            host=archive.host, port=archive.port, ae_title=archive.ae_title, quiet_s=5.0
        )
        with bootstrap.journal(replace(config, archive=found)) as journal:
            made = Product(replace(config, archive=found), tmp_path, journal)
            try:
                yield made
            finally:
                if made.process is not None:
                    made.kill(with_children=True)
                made.jobs.close()


def test_every_order_ends_with_one_good_disc(product: Product) -> None:
    seed = int(os.environ.get("SENDHOME_CRASH_SEED") or random.SystemRandom().randrange(10**6))
    print(f"seed={seed}")
    chance = random.Random(seed)
    people = demo_people()
    product.drive.set_faults(Faults(speed=16))  # slow enough to be hit while it writes
    for kill in range(KILLS):
        product.start()
        while len(product.live()) < 2:
            number = len(product.placed)
            product.place(number, people[number % len(people)])
        product.attend_until(product.is_working)
        end = time.monotonic() + chance.random() * 5.0
        product.attend_until(lambda end=end: time.monotonic() >= end)
        product.kill(with_children=kill % 2 == 0)
    product.start()
    product.attend_until(lambda: not product.live())
    assert product.stop() == 0
    check(product)


def check(product: Product) -> None:
    jobs = {job.job_id: job for job in product.jobs.newest()}
    assert {one: jobs[one].status for one in product.placed} == dict.fromkeys(
        product.placed, ExecutionStatus.DONE
    )
    order_of = {volume_id_of(order_id): order_id for order_id in product.placed}
    good: Counter[OrderId] = Counter()
    for disc in product.drive.look().discs:
        path = product.drive.file_of(disc.name)
        if disc.status is not DiscStatus.WRITTEN or disc.place is not Place.TAKEN:
            continue
        with MediumReader(path) as reader:
            good[order_of[iso_volume_id(reader)]] += 1
        assert not has_errors(check_image(path))
    assert good == Counter(product.placed)
    exports = [row for row in product.journal.audit.rows(event="export") if row.outcome == 0]
    assert Counter(row.subject for row in exports) == Counter(product.placed)
    assert product.journal.audit.verify() > 0
    assert left_in(product.config.store.spool_dir) == []
    print(f"orders={len(product.placed)} kills={KILLS} good={sum(good.values())}")
