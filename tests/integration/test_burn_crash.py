"""Killed at every instant: in the end there is one good disc for one copy, never two, and it is
known.

A child process writes with the real engine on the simulated drive and kills itself (SIGKILL) at a
given instant, or is killed from outside at a random one. Then a new one goes on. A person obeys
what the drive and the outcome say, and does nothing while nobody asks.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from burner.simulated import DiscStatus, Faults, Place, SimulatedDrive
from kiosk.ports import LedgerPhase
from kiosk.services.write import ImageFacts
from tests.fakes.media import FileLedger, make_image
from tests.instants import instants

pytestmark = [pytest.mark.integration, pytest.mark.crash]

ROOT = Path(__file__).parents[2]
CHILD = Path(__file__).with_name("burn_child.py")


@dataclass
class Station:
    """One drive, one ledger, one job's image, in a folder."""

    folder: Path
    image: ImageFacts
    drive: SimulatedDrive
    ledger: FileLedger

    def start(self, last: int = 0, job: str = "job-a") -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(CHILD), str(self.folder), job, self.image.volume_id, str(last)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def run(self, last: int = 0) -> tuple[str, str] | None:
        """Outcome and its word; None if it was killed."""
        child = self.start(last)
        out, err = child.communicate(timeout=120)
        if child.returncode == -signal.SIGKILL:
            return None
        assert child.returncode == 0, err
        name, word, _ = out.split()
        return name, word

    def obey(self, word: str) -> None:
        """What a person does on being asked."""
        assert word in ("BLANK_DISC", "OTHER_DISC"), word
        self.drive.take()
        self.drive.insert()

    def finish(self) -> None:
        """Go on until the job says that it has its disc."""
        for _ in range(6):
            outcome = self.run()
            assert outcome is not None
            name, word = outcome
            if name == "Written":
                return
            assert name == "NeedsMedium"
            self.obey(word)
        pytest.fail("no disc after six tries")

    def good_discs(self) -> list[str]:
        """Closed discs, wherever they are, that hold the image."""
        content = self.image.path.read_bytes()
        return [
            disc.name
            for disc in self.drive.look().discs
            if disc.status is not DiscStatus.BLANK
            and self.drive.file_of(disc.name).exists()
            and self.drive.file_of(disc.name).stat().st_size >= disc.expected_bytes
            and self.drive.file_of(disc.name).read_bytes()[: len(content)] == content
        ]

    def assert_one_good_disc_in_the_tray(self) -> None:
        disc = self.drive.look().in_tray
        assert disc is not None
        assert self.good_discs() == [disc.name]
        assert not self.drive.look().is_open
        row = self.ledger.owner(self.drive.name)
        assert row is not None
        assert row.phase == LedgerPhase.VERIFIED


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return make_station(tmp_path)


def make_station(folder: Path) -> Station:
    folder.mkdir(exist_ok=True)
    image = make_image(folder / "SH_TEST.iso", "SH_TEST", blocks=500)
    drive = SimulatedDrive(folder / "drive")
    drive.add_blanks(6)
    drive.insert()
    return Station(folder, image, drive, FileLedger(folder / "ledger.json"))


def sweep(folder: Path, faults: Faults) -> int:
    """Kill at instants until a run is over before one; returns that."""
    for instant in instants(3):
        station = make_station(folder / f"at-{instant}")
        station.drive.set_faults(faults)
        outcome = station.run(instant)
        if outcome is not None and outcome[0] == "NeedsMedium":
            station.obey(outcome[1])
        station.finish()
        station.assert_one_good_disc_in_the_tray()
        if outcome is not None:
            return instant
    raise AssertionError("endless")


def test_kill_at_every_instant_of_a_good_burn(tmp_path: Path) -> None:
    # owner, inspect, put ×3, write, verify: before and after each, and some progress
    assert sweep(tmp_path, Faults()) > 16


def test_kill_at_every_instant_of_a_bad_burn(tmp_path: Path) -> None:
    """The first disc fails at 60 %: scrap may be known, ejected, or neither when the power goes."""
    assert sweep(tmp_path, Faults(write_error_percent=60)) > 10


def test_kill_at_every_instant_of_a_mismatch(tmp_path: Path) -> None:
    assert sweep(tmp_path, Faults(flip_byte=99_999)) > 16


def test_kill_while_the_engine_writes(station: Station) -> None:
    """The orphaned writer is told to stop, lets go by itself; its torso is found out."""
    station.drive.set_faults(Faults(speed=1))
    child = station.start()
    while not station.drive._writer_lock.is_held() or _length(station) == 0:
        assert child.poll() is None
        time.sleep(0.01)
    child.kill()
    child.communicate()
    station.drive.set_faults(Faults())
    outcome = station.run()
    assert outcome == ("NeedsMedium", "OTHER_DISC")
    spoiled = station.drive.look().in_tray
    assert spoiled is not None
    assert spoiled.status is DiscStatus.SPOILED
    station.obey("OTHER_DISC")
    station.finish()
    station.assert_one_good_disc_in_the_tray()
    taken = [disc for disc in station.drive.look().discs if disc.place is Place.TAKEN]
    assert [disc.name for disc in taken] == [spoiled.name]


def _length(station: Station) -> int:
    disc = station.drive.look().in_tray
    assert disc is not None
    path = station.drive.file_of(disc.name)
    return path.stat().st_size if path.exists() else 0


def test_kill_at_random_instants(tmp_path: Path) -> None:
    """From outside, wherever it is: twelve stations, up to three kills each."""
    seed = int(os.environ.get("BURN_SEED", random.SystemRandom().randrange(2**32)))
    print(f"BURN_SEED={seed}")
    dice = random.Random(seed)
    for number in range(12):
        station = make_station(tmp_path / f"station-{number}")
        for _ in range(dice.randint(1, 3)):
            station.drive.set_faults(Faults(speed=dice.choice([0, 2, 4])))
            child = station.start()
            try:
                out, err = child.communicate(timeout=dice.uniform(0.2, 1.6))
            except subprocess.TimeoutExpired:
                child.kill()
                child.communicate()
                continue
            assert child.returncode == 0, err
            name, word, _ = out.split()
            if name == "NeedsMedium":
                station.obey(word)
        station.drive.set_faults(Faults())
        station.finish()
        station.assert_one_good_disc_in_the_tray()


def test_another_job_after_a_kill_finds_the_disc_taken(station: Station) -> None:
    """The disc was good when the power went: it is not B's to eject, and A takes it without a
    second one.
    """
    written: int | None = None
    for instant in range(1, 60):
        candidate = make_station(station.folder / f"at-{instant}")
        if candidate.run(instant) is not None:
            break
        row = candidate.ledger.owner(candidate.drive.name)
        if row is not None and candidate.good_discs():
            written = instant
            break
    assert written is not None
    child = candidate.start(job="job-b")
    out, err = child.communicate(timeout=60)
    assert out.split()[:2] == ["DriveOccupied", "job-a"], err
    assert candidate.run() == ("Written", "recovered")
    candidate.assert_one_good_disc_in_the_tray()
