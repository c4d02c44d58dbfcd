"""A protected order with a report from outside, all the way: archive, engine, builder, drive, and a
kill -9 on the way. Then others' tools open what came out, and nobody finds the password.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from burner.simulated import SimulatedDrive
from dicomdir.check.image import check_image
from dicomdir.findings import Severity
from dicomdir.instance import read_instance
from dicomdir.iso_reader import open_image
from kiosk import bootstrap
from kiosk.cli import main as cli
from kiosk.config_file import load
from kiosk.demo.launch import start_archive
from kiosk.domain.model import (
    AccessionNumber,
    ExecutionStatus,
    Job,
    Order,
    OrderId,
    ReleaseState,
    Step,
    Wanted,
)
from kiosk.services.gates import identity_of
from tests.factories import Patient, make_study
from tests.integration.test_disc_set import engine
from tests.peers import free_port
from tests.spool import left_in

JOB = OrderId("order-protected")
PATIENCE_S = 240.0
pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def seen_by_others() -> bytes:
    """Arguments and environment of all processes that may be looked at."""
    found = b""
    for name in ("cmdline", "environ"):
        for path in Path("/proc").glob(f"[0-9]*/{name}"):
            try:
                found += path.read_bytes()
            except OSError:
                continue  # ended meanwhile
    return found


def test_a_protected_disc_with_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    patient = Patient(name="Canary^Käthe", patient_id="CANARY1")
    files = make_study(tmp_path / "studies", ("CT",) * 6, patient=patient)
    first = read_instance(files[0])
    receiver, path = free_port(), tmp_path / "sendhome.toml"
    report = tmp_path / "report.txt"
    report.write_text("The lungs are clear, no quokkaform shadow.")
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
[engine]
retry_s = [0.5]
"""
        )
        drive = SimulatedDrive(tmp_path / "drive", name="disc1")

        def staff(*words: str) -> str:
            assert cli.main(["--config", str(path), *words]) == 0
            return capsys.readouterr().out

        with bootstrap.journal(load(path)) as journal:
            order = Order(
                order_id=JOB,
                patient=identity_of(first),
                accession_number=AccessionNumber("A0000001"),
                study_instance_uid=first.study_instance_uid,
                modality="CT",
                study_date="20240311",
                state=ReleaseState.RELEASED,
                with_report=False,
                created_at=datetime.now(UTC),
            )
            journal.orders.add(order, actor="test")
            said = staff("order", "place", JOB, "--protect", "--medium", "disc")
            password = said.splitlines()[1].removeprefix("password: ")

            def until(is_so: Callable[[Job], bool]) -> None:
                deadline = time.monotonic() + PATIENCE_S
                while not is_so(job := journal.jobs.get(JOB)):
                    assert not job.has_ended, job
                    assert time.monotonic() < deadline, (job, drive.look())
                    time.sleep(0.05)

            def asks_for_blank(job: Job) -> bool:
                return job.question is not None and job.question.wanted is Wanted.BLANK_DISC

            with engine(path) as process:
                until(lambda job: job.progress is not None and job.progress.step is Step.COMPOSE)
                assert password.encode() not in seen_by_others()
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            with engine(path):
                until(asks_for_blank)
                assert "is made with it" in staff("order", "report", JOB, str(report))
                # The image that waits is thrown away for one with the report, and asks again.
                before = journal.jobs.get(JOB).question
                until(lambda job: asks_for_blank(job) and job.question != before)
                drive.insert_blank()
                until(lambda job: job.status is ExecutionStatus.DONE)
            assert journal.passwords.state(JOB) == "destroyed"
            assert journal.audit.verify() > 0
    disc = drive.take()
    assert disc is not None
    assert not [it for it in check_image(disc) if it.severity is Severity.ERROR]
    kept = [it.read_bytes() for it in (tmp_path / "state").rglob("*") if it.is_file()]
    assert not any(password.encode() in data for data in (*kept, disc.read_bytes()))
    for canary in (b"Canary", b"CANARY1", b"quokkaform"):
        assert canary not in disc.read_bytes()
    assert left_in(tmp_path / "spool") == []
    # With OpenSSL alone, as INDEX.HTM says
    with open_image(disc) as reader:
        record = reader.find("DICOMDIR")
        assert record is not None
        (tmp_path / "in").write_bytes(reader.read(record, 0, record.size_bytes))
    opened = subprocess.run(
        ["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", tmp_path / "in",
         "-pwri_password", password],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert b"DICM" in opened
    assert b"CANARY1" in opened
    # and by our command
    with subprocess.Popen(["printf", "%s\\n", password], stdout=subprocess.PIPE) as secret:
        assert secret.stdout is not None
        words = ["decrypt", str(disc), "-o", str(tmp_path / "out")]
        words += ["--password-fd", str(secret.stdout.fileno())]
        assert cli.main(["--config", str(path), *words]) == 0
    dump = subprocess.run(
        ["dcmdump", tmp_path / "out" / "DICOMDIR"], capture_output=True, check=True
    ).stdout.decode("latin-1")
    assert "ENCAP DOC" in dump
    assert dump.count("[IMAGE]") == len(files)
    assert (tmp_path / "out" / "EXTRA" / "REPORT01.PDF").read_bytes().startswith(b"%PDF-")
