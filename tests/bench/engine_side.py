"""The engine's half of a job in a process of its own: retrieve and compose as the workflow does.

    python -m tests.bench.engine_side FOLDER ARCHIVE_PORT ARCHIVE_AE_TITLE RECEIVER_PORT

Warm like the product: the process, its storage receiver and a spare builder are there before the
clock starts. One JSON line a job comes in, one goes out. `EngineSide` is the bench's end of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.bench.harness import MemoryWatch, tree_cpu_s
from tests.bench.studies import PATIENT, Study, accession_number_of

AE_TITLE = "SENDHOME"
ROLES = {
    "storage_scp": "receiver",
    "kiosk.builder": "builder",
    "dicomdir.viewer": "encoders",
    "xorriso": "xorriso",
}
_ROOT = Path(__file__).parents[2]
_WATCH_S = 0.05


class EngineSide:
    """A running engine side. `pid` is its own process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid

    def job(self, study: Study, folder: Path) -> dict[str, float]:
        """One job: figures of it, its processor time with the receiver's and the builder's.

        Returns:
            wall: From asking the archive to the checked image.
            retrieve, compose: Parts of it.
            tail: From the last object's arrival to the checked image.
            pack: From there to the viewer's last data file, if there is a viewer.
        """
        cpu = tree_cpu_s(self.pid)
        made = self._ask(
            {
                "study": study.study_instance_uid,
                "accession_number": accession_number_of(study.name),
                "folder": str(folder),
            }
        )
        if made["instances"] != len(study.files):
            raise RuntimeError(f"{made['instances']} of {len(study.files)} objects")
        names = ("wall", "retrieve", "compose", "tail", "pack")
        figures = {name: made[name] for name in names if name in made}
        return figures | {"cpu": tree_cpu_s(self.pid) - cpu}

    def watched(self, study: Study, folder: Path) -> dict[str, float]:
        """One job, for its memory: peak resident MiB of each process."""
        with MemoryWatch(self.pid, ROLES, "engine") as watch:
            figures = self.job(study, folder)
        return figures | watch.peaks_mb | {"all at once": watch.total_mb}

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the engine side ended")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"the job failed: {answer['error']}")
        return answer


@contextlib.contextmanager
def engine_side(
    work: Path,
    archive_port: int,
    archive_ae_title: str,
    receiver_port: int,
    *,
    ae_title: str = AE_TITLE,
    viewer: bool = False,
) -> Iterator[EngineSide]:
    """Start one and wait until it is ready; end it afterwards.

    Args:
        viewer: Its media carry the viewer, with its copy of the pixels.
    """
    folder = work / f"engine-{receiver_port}"
    folder.mkdir()
    command = [sys.executable, "-m", "tests.bench.engine_side", str(folder), str(archive_port)]
    command += [archive_ae_title, str(receiver_port), ae_title, "viewer" if viewer else ""]
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", "--", *command],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("the engine side did not start")
        yield EngineSide(process)
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()
        shutil.rmtree(folder, ignore_errors=True)


# --- in the process -----------------------------------------------------------------------------


def _serve(
    folder: Path,
    archive_port: int,
    archive_ae_title: str,
    receiver_port: int,
    ae_title: str,
    *,
    viewer: bool,
) -> None:
    from kiosk import bootstrap
    from kiosk.config import (
        ArchiveConfig,
        Config,
        EngineConfig,
        ReceiverConfig,
        SiteConfig,
        StoreConfig,
    )
    from kiosk.engine_parts import engine_parts

    archive = ArchiveConfig(host="127.0.0.1", port=archive_port, ae_title=archive_ae_title)
    config = Config(
        site=SiteConfig(viewer=viewer),
        archive=archive,
        receiver=ReceiverConfig(ae_title=ae_title, port=receiver_port),
        store=StoreConfig(state_dir=folder / "state", spool_dir=folder / "spool", reserve_mb=64),
        drives=(),
        engine=EngineConfig(station="bench"),
    )
    with bootstrap.journal(config) as journal, engine_parts(config, journal) as parts:
        print("ready", flush=True)
        entered: set[str] = set()
        for line in sys.stdin:
            request = json.loads(line)
            try:
                order = _order(request, parts.clock.now())
                if order.order_id not in entered:  # building asks the job for its password
                    entered.add(order.order_id)
                    _enter(journal, order)
                answer = _job(parts, order, Path(request["folder"]))
            except Exception as error:  # told to the bench, which stops
                answer = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), flush=True)


def _enter(journal: Any, order: Any) -> None:
    """The order, and a job of it that no engine takes."""
    from kiosk import bootstrap
    from kiosk.domain.model import MediaChoice, Medium, Priority

    journal.orders.add(order, actor="bench")
    with bootstrap.jobs(journal) as jobs:
        choice = MediaChoice(Medium.DISC)
        jobs.submit(order.order_id, choice, Priority.WAITING_PATIENT, actor="bench")


def _order(request: dict[str, str], now: Any) -> Any:
    from kiosk.domain.model import AccessionNumber, Order, OrderId, ReleaseState

    return Order(
        order_id=OrderId(f"bench-{os.getpid()}-{request['accession_number'].lower()}"),
        patient=PATIENT,
        accession_number=AccessionNumber(request["accession_number"]),
        study_instance_uid=request["study"],
        modality="CT",
        study_date="20240311",
        state=ReleaseState.RELEASED,
        with_report=True,
        created_at=now,
    )


def _job(parts: Any, order: Any, folder: Path) -> dict[str, Any]:
    from kiosk.builder.protocol import CONVERTED
    from kiosk.domain.model import Medium

    started = time.time()
    packed = _LastWritten(folder / CONVERTED / "viewer")
    with parts.slots.hold(1, lambda: False):
        inventory = parts.retrieve(
            order,
            Medium.DISC,
            folder,
            on_progress=_nothing,
            on_trouble=_nothing,
            is_cancelled=lambda: False,
        )
    retrieved = time.time()
    with parts.slots.hold(1, lambda: False):
        image = parts.compose(
            order,
            Medium.DISC,
            folder,
            inventory=inventory,
            on_progress=_nothing,
            is_cancelled=lambda: False,
        )
    ended = time.time()
    last = max(entry.stat().st_mtime for entry in os.scandir(folder / "objects"))
    pack = {"pack": at - last} if (at := packed.end()) else {}
    return pack | {
        "wall": ended - started,
        "retrieve": retrieved - started,
        "compose": ended - retrieved,
        "tail": ended - last,
        "instances": image.instances,
    }


class _LastWritten:
    """When the last of a folder's files was written to; it goes before anybody can ask."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._at = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> float:
        """Seconds of the clock, 0 if there was none."""
        self._ended.set()
        self._thread.join()
        return self._at

    def _watch(self) -> None:
        while not self._ended.wait(_WATCH_S):
            with contextlib.suppress(FileNotFoundError):
                times = [entry.stat().st_mtime for entry in os.scandir(self._folder)]
                self._at = max([self._at, *times])


def _nothing(_done: int, _total: int) -> None:
    pass


if __name__ == "__main__":
    _serve(
        Path(sys.argv[1]),
        int(sys.argv[2]),
        sys.argv[3],
        int(sys.argv[4]),
        sys.argv[5],
        viewer=sys.argv[6] == "viewer",
    )
