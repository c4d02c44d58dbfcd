"""C-MOVE: ours beside DCMTK's, from Orthanc and from dcmqrscp, in turn, as ratios.

    python -m tests.bench.bench_retrieve --study /data/ct-1000 --rounds 3 [--archive orthanc]

The peer is `movescu` asking for `storescp` tuned as well as it can be (TCP_NODELAY, PDUs of 128 K,
+B: bytes as they come); it neither lists, nor hashes, nor looks into what it receives. Ours is
what the product does: list, move, hash, read headers, check the patient, keep the index. Times are
of the whole and of the move within it; the processor time is that of engine and receiver, or of
both DCMTK programs. "cold" starts a Python for it; the product does not, its engine is there
already.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dicomdir.instance import read_instance
from kiosk.adapters.clock import SystemClock
from kiosk.adapters.dimse.requestor import Address
from kiosk.adapters.pacs import DicomPacs
from kiosk.adapters.storage_scp.limits import Peer, ScpSettings
from kiosk.adapters.storage_scp.supervisor import StorageReceiver
from kiosk.domain.model import Uid
from kiosk.services.arrivals import objects_folder
from kiosk.services.gates import identity_of
from kiosk.services.retrieve import RetrievePolicy, retrieve
from tests.peers import DCMTK, Archive, dcmqrscp, files_in, free_port, orthanc

AE_TITLE = "MEDIA"
Figures = Mapping[str, float]
_TICK = os.sysconf("SC_CLK_TCK")


class _Timed:
    """A Pacs that notes how long its moves took."""

    def __init__(self, pacs: DicomPacs) -> None:
        self._pacs = pacs
        self.move_s = 0.0
        self.list_study = pacs.list_study

    def move(self, *args: Any, **options: Any) -> Any:
        started = time.perf_counter()
        try:
            return self._pacs.move(*args, **options)
        finally:
            self.move_s += time.perf_counter() - started


def process_cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def own_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def receiver_for(archive_ae_title: str, port: int) -> StorageReceiver:
    peers = (Peer(archive_ae_title, ("127.0.0.1",)),)
    return StorageReceiver(ScpSettings(AE_TITLE, peers, 64 << 20), host="127.0.0.1", port=port)


def ours(archive: Archive, receiver: StorageReceiver, sample: Path, folder: Path) -> Figures:
    """One retrieval in this process, as the engine does it."""
    instance = read_instance(sample)
    address = Address(archive.host, archive.port, archive.ae_title, AE_TITLE)
    pacs = _Timed(DicomPacs(address, receiver))
    receiver_cpu, cpu, started = process_cpu_s(receiver.pid), own_cpu_s(), time.perf_counter()
    got = retrieve(
        pacs,  # type: ignore[arg-type]  # the two methods that retrieve uses
        identity_of(instance),
        Uid(instance.study_instance_uid),
        folder,
        clock=SystemClock(),
        policy=RetrievePolicy(reserve_bytes=0, space_factor=1),
        on_progress=lambda _done, _total: None,
        is_cancelled=lambda: False,
    )
    wall = time.perf_counter() - started
    cpu = own_cpu_s() - cpu + process_cpu_s(receiver.pid) - receiver_cpu
    return {"wall": wall, "cpu": cpu, "move": pacs.move_s, "objects": got.instances}


def cold(archive: Archive, port: int, sample: Path, folder: Path) -> Figures:
    """The same, with interpreter, imports and the receiver's start."""
    command = [sys.executable, "-m", "tests.bench.bench_retrieve", "--one", archive.ae_title]
    command += [str(archive.port), str(port), str(sample), str(folder)]
    figures = _timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    return figures | {"objects": float(len(list(objects_folder(folder).iterdir())))}


def theirs(archive: Archive, port: int, sample: Path, folder: Path) -> Figures:
    """movescu and storescp, tuned."""
    study = read_instance(sample).study_instance_uid
    tuned = os.environ | {"TCP_NODELAY": "1"}
    receive = [str(DCMTK / "storescp"), "+B", "-pdu", "131072", "-od", str(folder), str(port)]
    ask = [str(DCMTK / "movescu"), "-S", "-aet", AE_TITLE, "-aec", archive.ae_title]
    ask += ["-aem", AE_TITLE, "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}"]
    ask += [archive.host, str(archive.port)]

    def work() -> None:
        with subprocess.Popen(receive, env=tuned) as scp:
            try:
                wait_until_listening(port)
                subprocess.run(ask, check=True, env=tuned)
            finally:
                scp.terminate()

    return _timed(work) | {"objects": float(len(list(folder.iterdir())))}


def wait_until_listening(port: int) -> None:
    wanted = f":{port:04X} 00000000:0000 0A"
    wanted_6 = f":{port:04X} {'0' * 32}:0000 0A"
    for _ in range(500):
        tables = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
        if wanted in tables or wanted_6 in tables:
            return
        time.sleep(0.005)
    raise RuntimeError("storescp does not listen")


def _timed(work: Callable[[], object]) -> dict[str, float]:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    work()
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "cpu": cpu}


def compare(
    archive_name: str, study: Path, rounds: int, limit: int, with_cold: bool, work: Path
) -> None:
    """Print one table.

    What arrived is kept to the end: ext4 does not reuse inodes that were freed a few seconds ago
    and steps over each of them, so whoever comes after a large removal pays a third more for it.
    """
    files = files_in(study)[: limit or None]
    size_mb = sum(path.stat().st_size for path in files) / 1e6
    port = free_port()
    destinations = {AE_TITLE: port}
    names = ["storescp, tuned", "ours", *(["ours, cold"] if with_cold else [])]
    results: dict[str, list[Figures]] = {name: [] for name in names}
    start = orthanc if archive_name == "orthanc" else dcmqrscp
    with start(files, destinations, work) as archive:
        for turn in range(-1, rounds):  # the first round warms the page cache
            for name, runs in results.items():
                folder = Path(tempfile.mkdtemp(prefix="run-", dir=work))
                if name == "ours":
                    with receiver_for(archive.ae_title, port) as receiver:
                        figures = ours(archive, receiver, files[0], folder)
                elif name == "ours, cold":
                    figures = cold(archive, port, files[0], folder)
                else:
                    figures = theirs(archive, port, files[0], folder)
                if figures["objects"] != len(files):
                    raise RuntimeError(f"{name}: {figures['objects']} of {len(files)} objects")
                if turn >= 0:
                    runs.append(figures)
    print(f"\n{study.name} from {archive_name}: {len(files)} objects, {size_mb:.0f} MB, "
          f"{rounds} rounds, medians")  # fmt: skip
    base = _medians(results["storescp, tuned"])
    print(
        f"{'case':<18}{'wall s':>8}{'move s':>8}{'cpu s':>8}{'wall x':>8}{'move x':>8}{'cpu x':>8}"
    )
    for name, runs in results.items():
        own = _medians(runs)
        move = own.get("move", own["wall"])
        print(
            f"{name:<18}{own['wall']:>8.2f}{move:>8.2f}{own['cpu']:>8.2f}"
            f"{own['wall'] / base['wall']:>8.2f}{move / base['wall']:>8.2f}"
            f"{own['cpu'] / base['cpu']:>8.2f}"
        )


def _medians(runs: list[Figures]) -> Figures:
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--study", type=Path, action="append", default=[], help="folder of objects")
    parser.add_argument("--archive", choices=["orthanc", "dcmqrscp"], action="append", default=[])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cold", action="store_true", help="also with a fresh Python each time")
    parser.add_argument("--limit", type=int, default=0, help="objects of each study, 0: all")
    parser.add_argument("--work", type=Path, help="where to receive; default: the system's choice")
    parser.add_argument("--one", nargs=5, metavar="ARG", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        ae_title, archive_port, port, sample, folder = options.one
        archive = Archive(ae_title, int(archive_port), [], Path(folder))
        with receiver_for(ae_title, int(port)) as receiver:
            ours(archive, receiver, Path(sample), Path(folder))
        return 0
    for study in options.study:
        for archive_name in options.archive or ["orthanc", "dcmqrscp"]:
            with tempfile.TemporaryDirectory(prefix="bench-", dir=options.work) as work:
                compare(
                    archive_name, study, options.rounds, options.limit, options.cold, Path(work)
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
