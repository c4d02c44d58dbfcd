"""A disk that is full: the job is kept with its reason, and goes on when there is room again."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from burner.simulated import Faults
from kiosk import bootstrap, config_file
from kiosk.cli import main as cli
from kiosk.domain.model import OrderId
from kiosk.errors import JournalError, SpoolFullError
from kiosk.ports import LedgerPhase
from tests.crash.engine import DRIVE, OBJECT_BYTES, OBJECTS, Setting
from tests.crash.station import Report, Station, station

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system"),
]


class SmallDisk:
    """A tmpfs of a size that can change."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self.folder = folder
        folder.mkdir()
        self._mount("size", size_bytes, "-t", "tmpfs", "tmpfs")

    def _mount(self, option: str, size_bytes: int, *args: str) -> None:
        command = ["mount", "-o", f"{option}={size_bytes},mode=0700", *args, str(self.folder)]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            pytest.skip("mounting is not allowed here")

    def grow(self, size_bytes: int) -> None:
        self._mount("remount,size", size_bytes)

    def fill(self) -> None:
        """Leave no byte."""
        with (self.folder / "filler").open("wb", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def empty(self) -> None:
        (self.folder / "filler").unlink()

    def unmount(self) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


@contextlib.contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[SmallDisk]:
    disk = SmallDisk(folder, size_bytes)
    try:
        yield disk
    finally:
        disk.unmount()


def waits_for_space(one: Station, order_id: OrderId) -> bool:
    job = one.jobs.get(order_id)
    return (job.error_code, job.status_info) == (SpoolFullError.code, "OUT_OF_SUPPLIES")


@pytest.mark.parametrize(
    "size_bytes",
    [OBJECTS * OBJECT_BYTES // 2, OBJECTS * OBJECT_BYTES * 2],
    ids=["receiving", "building"],
)
def test_the_spool_is_full(tmp_path: Path, size_bytes: int) -> None:
    with small_disk(tmp_path / "spool", size_bytes) as disk:
        with station(Setting(tmp_path / "station", spool=disk.folder)) as one:
            one.start()
            order_id = one.place(1)
            one.attend_until(lambda: waits_for_space(one, order_id))
            disk.grow(8 << 20)
            one.attend_until(lambda: not one.live())
            assert one.stop() == 0
            report = Report(0)
            one.check(report)
            assert (report.done, report.spoiled, len(report.staff)) == (1, 0, 0)


@pytest.mark.parametrize("when", ["before", "while"])
def test_the_journals_disk_is_full(tmp_path: Path, when: str) -> None:
    """Nothing can be recorded, before the laser is on or while it is."""
    with small_disk(tmp_path / "station", 24 << 20) as disk:
        with station(Setting(disk.folder, drive=tmp_path / "drive")) as one:
            one.drive.set_faults(Faults(speed=1))
            one.brings_blanks = False
            one.start()
            order_id = one.place(1)
            one.attend_until(lambda: one.jobs.get(order_id).question is not None)
            if when == "before":
                disk.fill()
                one.drive.insert_blank()
            else:
                one.drive.insert_blank()
                one.attend_until(lambda: is_writing(one))
                disk.fill()
            one.rest(1.5)
            disk.empty()
            one.brings_blanks = True
            one.attend_until(lambda: restarted(one) and not one.live())
            assert one.stop() == 0
            report = Report(0)
            one.check(report)
            assert report.done == 1


def is_writing(one: Station) -> bool:
    owner = one.journal.ledger.owner(DRIVE)
    return owner is not None and owner.phase == LedgerPhase.WRITING


def restarted(one: Station) -> bool:
    """What systemd does with an engine that could not go on."""
    if not one.is_up():
        one.start()
    return True


def test_a_full_disk_is_named_where_the_engine_seems_to_have_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its beats cannot be written; and a journal that nobody has open cannot even be read."""
    with small_disk(tmp_path / "state", 8 << 20) as disk:
        path = tmp_path / "sendhome.toml"
        path.write_text(f'[store]\nstate_dir = "{disk.folder}"\n')
        is_full = f"the disk of {disk.folder} is full"

        def said(code: int) -> str:
            assert cli.main(["--config", str(path), "jobs", "list"]) == code
            return capsys.readouterr().err

        with bootstrap.journal(config_file.load(path)) as journal:
            journal.stations.silent_s()  # as an engine has it open
            disk.fill()
            assert is_full in said(0)
            disk.empty()
            assert "no engine is running" in said(0)
        disk.fill()
        assert is_full in said(JournalError.exit_code)
