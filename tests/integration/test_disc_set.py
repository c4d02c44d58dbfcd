"""A study on two discs, all the way: archive, engine's process, builder, drive; one kill -9 between
the discs. Then the command line says what became of it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from burner.simulated import SimulatedDrive
from dicomdir.check.image import check_image
from dicomdir.directory import read_directory
from dicomdir.findings import Severity
from dicomdir.instance import read_instance
from dicomdir.iso_reader import open_image
from kiosk import bootstrap
from kiosk.cli import main as cli
from kiosk.config_file import load
from kiosk.demo.launch import start_archive
from kiosk.domain.disc_set import DiscPlace
from kiosk.domain.model import (
    AccessionNumber,
    ExecutionStatus,
    Job,
    MediaChoice,
    Medium,
    Order,
    OrderId,
    Priority,
    ReleaseState,
    Wanted,
)
from kiosk.services.gates import identity_of
from tests.factories import make_study
from tests.peers import free_port
from tests.spool import left_in

ROOT = Path(__file__).parents[2]
JOB = OrderId("order-set")
PATIENCE_S = 240.0
pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


@contextmanager
def engine(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "kiosk.cli.main", "--config", str(config), "engine"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"READY\n"
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def uids_on(path: Path) -> list[str]:
    with open_image(path) as reader:
        record = reader.find("DICOMDIR")
        assert record is not None
        directory = read_directory(reader.read(record, 0, record.size_bytes))
    return [record.text(0x00041511) for record in directory.records if record.is_leaf]


def volume_of(path: Path) -> str:
    with open_image(path) as reader:
        return reader.volume_id.decode("ascii").rstrip()


def test_two_discs_and_a_kill_between_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = make_study(tmp_path / "studies", ("CT",) * 20, rows=256, columns=256)
    first = read_instance(files[0])
    receiver, path = free_port(), tmp_path / "sendhome.toml"
    with start_archive(tmp_path / "studies", f"SENDHOME=127.0.0.1:{receiver}") as archive:
        path.write_text(
            f"""[archive]
port = {archive.port}
ae_title = "{archive.ae_title}"
[receiver]
port = {receiver}
[store]
state_dir = "{tmp_path / "state"}"
spool_dir = "{tmp_path / "spool"}"
reserve_mb = 0
[[drives]]
kind = "simulated"
device = "{tmp_path / "drive"}"
capacity = 1500
[engine]
retry_s = [0.5]
"""
        )
        drive = SimulatedDrive(tmp_path / "drive", name="disc1")
        with bootstrap.journal(load(path)) as journal, bootstrap.jobs(journal) as jobs:
            journal.orders.add(
                Order(
                    order_id=JOB,
                    patient=identity_of(first),
                    accession_number=AccessionNumber("A0000001"),
                    study_instance_uid=first.study_instance_uid,
                    modality="CT",
                    study_date="20240311",
                    state=ReleaseState.RELEASED,
                    with_report=False,
                    created_at=datetime.now(UTC),
                ),
                actor="test",
            )
            jobs.submit(JOB, MediaChoice(Medium.DISC), Priority.WARD, actor="test")

            def until(is_so: Callable[[Job], bool]) -> Job:
                deadline = time.monotonic() + PATIENCE_S
                while not is_so(job := journal.jobs.get(JOB)):
                    assert not job.has_ended, job
                    assert time.monotonic() < deadline, (job, drive.look())
                    time.sleep(0.05)
                return job

            def asks_for_blank(job: Job) -> bool:
                return job.question is not None and job.question.wanted is Wanted.BLANK_DISC

            with engine(path) as process:
                assert until(asks_for_blank).disc == DiscPlace(1, 2)
                drive.insert_blank(capacity_blocks=2000)
                until(lambda job: job.disc == DiscPlace(2, 2) and asks_for_blank(job))
                assert cli.main(["--config", str(path), "jobs", "show", JOB, "--json"]) == 0
                shown = json.loads(capsys.readouterr().out)
                assert (shown["disc"], shown["discs"]) == (2, 2)
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            taken = [drive.take()]
            drive.insert_blank(capacity_blocks=2000)
            with engine(path):
                until(lambda job: job.status is ExecutionStatus.DONE)
            taken.append(drive.take())
            exports = [row for row in journal.audit.rows(event="export") if row.outcome == 0]
            assert [row.details["disc"] for row in exports] == ["1 of 2", "2 of 2"]
            assert journal.audit.verify() > 0
    assert cli.main(["--config", str(path), "jobs", "list", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["status"], listed["disc"], listed["discs"]) == ("DONE", 2, 2)
    discs = [disc for disc in taken if disc is not None]
    assert [volume_of(disc)[-2:] for disc in discs] == ["12", "22"]
    found = [uid for disc in discs for uid in uids_on(disc)]
    assert sorted(found) == sorted(read_instance(file).sop_instance_uid for file in files)
    for disc in discs:
        assert not [it for it in check_image(disc) if it.severity is Severity.ERROR]
    assert left_in(tmp_path / "spool") == []
