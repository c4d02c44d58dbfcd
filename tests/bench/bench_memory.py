"""Peak memory of the product's processes, each study in a fresh engine.

The engine here is `sendhome engine` itself with its durable jobs, a simulated drive and a real
recording program; receiver, builder and recorder are its children.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from kiosk import bootstrap
from kiosk.config import (
    ArchiveConfig,
    Config,
    DriveConfig,
    EngineConfig,
    ReceiverConfig,
    StoreConfig,
)
from kiosk.config_file import to_toml
from kiosk.domain.model import (
    AccessionNumber,
    ExecutionStatus,
    MediaChoice,
    Medium,
    Order,
    OrderId,
    Priority,
    ReleaseState,
    Wanted,
)
from tests.bench.engine_side import AE_TITLE, ROLES
from tests.bench.harness import MemoryWatch, Options, Table, Target, tree_cpu_s
from tests.bench.studies import PATIENT, Study, accession_number_of, study
from tests.peers import free_port, orthanc

_ROOT = Path(__file__).parents[2]
_DVD_BLOCKS = 2_295_104  # what drives plan for unless told otherwise
_WAIT_S = 600.0
_COLUMNS = ("engine", "receiver", "builder", "xorriso", "all at once")


@contextlib.contextmanager
def _engine(config_file: Path, log: Path) -> Iterator[int]:
    command = [sys.executable, "-P", "-m", "kiosk.cli.main", "--config", str(config_file), "engine"]
    with log.open("wb") as errors:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *command],
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
        )
    assert process.stdout is not None
    try:
        readable, _, _ = select.select([process.stdout], [], [], 60)
        if not readable or process.stdout.readline() != b"READY\n":
            raise RuntimeError(f"the engine did not start: {log.read_text()[-800:]}")
        yield process.pid
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _config(folder: Path, archive_port: int, receiver_port: int) -> Config:
    return Config(
        archive=ArchiveConfig(host="127.0.0.1", port=archive_port, ae_title="ORTHANC"),
        receiver=ReceiverConfig(ae_title=AE_TITLE, port=receiver_port),
        store=StoreConfig(state_dir=folder / "state", spool_dir=folder / "spool", reserve_mb=64),
        drives=(DriveConfig(name="disc1", kind="simulated", device=str(folder / "drive")),),
        engine=EngineConfig(station="bench", retry_s=(1.0,)),
    )


def run_job(wanted: Study, work: Path) -> dict[str, float]:
    """One order through a fresh engine until its disc is handed over; peaks in MiB."""
    port = free_port()
    folder = work / f"memory-{wanted.name}"
    folder.mkdir(mode=0o700)
    with orthanc(wanted.files, {AE_TITLE: port}, work) as archive:
        config = _config(folder, archive.port, port)
        path = folder / "sendhome.toml"
        path.write_text(to_toml(config), encoding="utf-8")
        drive = bootstrap.simulated(config.drives[0])
        drive.eject()
        drive.take()
        drive.insert_blank(capacity_blocks=_DVD_BLOCKS)
        with bootstrap.journal(config) as journal, bootstrap.jobs(journal) as jobs:
            with (
                _engine(path, folder / "engine.log") as pid,
                MemoryWatch(pid, ROLES, "engine") as watch,
            ):
                cpu, started = tree_cpu_s(pid), time.perf_counter()
                order = _order(wanted, journal.clock.now())
                journal.orders.add(order, actor="bench")
                choice = MediaChoice(Medium.DISC)
                job = jobs.submit(order.order_id, choice, Priority.WAITING_PATIENT, actor="bench")
                while (now := jobs.get(job)).status is not ExecutionStatus.DONE:
                    if now.question is not None and now.question.wanted is Wanted.TAKE_MEDIUM:
                        drive.take()
                    elif now.status is ExecutionStatus.FAILURE or now.question is not None:
                        raise RuntimeError(f"the job did not end well: {now}")
                    if time.perf_counter() - started > _WAIT_S:
                        raise RuntimeError("the job takes too long")
                    time.sleep(0.1)  # there is no event across processes: the journal is asked
                figures = {"wall": time.perf_counter() - started, "cpu": tree_cpu_s(pid) - cpu}
    return figures | watch.peaks_mb | {"all at once": watch.total_mb}


def _order(wanted: Study, now: datetime) -> Order:
    return Order(
        order_id=OrderId(f"bench-{wanted.name}"),
        patient=PATIENT,
        accession_number=AccessionNumber(accession_number_of(wanted.name)),
        study_instance_uid=wanted.study_instance_uid,
        modality="CT",
        study_date="20240311",
        state=ReleaseState.RELEASED,
        with_report=True,
        created_at=now,
    )


def main(options: Options) -> list[Table]:
    names = ("small-400", "small-1000") if options.quick else (
        "small-1000", "small-10000", "ct-1000", "mg-4",
    )  # fmt: skip
    limits = {"small-1000": 160.0, "ct-1000": 160.0, "mg-4": 160.0}
    targets = [Target(name, "engine", limits[name]) for name in names if name in limits]
    table = Table(
        "Memory: peak resident MiB of each process for one job from order to disc, from Orthanc",
        base="",
        columns=_COLUMNS,
        targets=tuple(targets),
    )
    for name in names:
        figures = run_job(study(name, options.data), options.work)
        table.runs[name] = [figures]
    if "small-10000" in table.runs:
        growth = {
            role: table.runs["small-10000"][0][role] - table.runs["small-1000"][0][role]
            for role in _COLUMNS
        }
        table.runs["10,000 less 1,000"] = [growth]
        more = Target("10,000 less 1,000", "engine", 20.0)
        table.targets = (*table.targets, more)
    return [table]
