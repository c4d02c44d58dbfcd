"""Retrieving alone, from Orthanc and from dcmqrscp, beside DCMTK's tuned `storescp`.

The peer neither lists, nor hashes, nor looks into what it receives; ours is all that `retrieve`
does, in a process that is there already. `move` is the C-MOVE within it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from tests.bench.bench_retrieve import AE_TITLE, ours, receiver_for, theirs
from tests.bench.harness import Case, Options, Table, Target, interleave, tree_cpu_s
from tests.bench.studies import Study, study
from tests.peers import Archive, dcmqrscp, free_port, orthanc

THEIRS, OURS = "storescp, tuned", "ours"
_LIMITS = {  # wall and cpu, at most so many times theirs
    "ct-1000": (0.8, 1.5),
    "ct-200": (0.8, 1.5),
    "small-400": (0.07, None),
    "mg-4": (1.2, None),
}
_ARCHIVES: dict[str, Callable[..., AbstractContextManager[Archive]]] = {
    "Orthanc": orthanc,
    "dcmqrscp": dcmqrscp,
}


def _whole(case: Case, archive: Archive, wanted: Study, folder: Path) -> dict[str, float]:
    """A case with what the archive spent meanwhile; all objects must have come."""
    before = tree_cpu_s(archive.pid)
    figures = dict(case(folder))
    if figures.pop("objects") != len(wanted.files):
        raise RuntimeError("not every object came")
    return figures | {"archive cpu": tree_cpu_s(archive.pid) - before}


def _ours(archive: Archive, port: int, sample: Path, folder: Path) -> Mapping[str, float]:
    with receiver_for(archive.ae_title, port) as receiver:
        return ours(archive, receiver, sample, folder)


def compare(name: str, archive_name: str, options: Options) -> Table:
    wanted = study(name, options.data)
    port = free_port()
    wall, cpu = _LIMITS[name]
    targets = [Target(OURS, "wall", wall, THEIRS)]
    if cpu is not None:
        targets.append(Target(OURS, "cpu", cpu, THEIRS))
    table = Table(
        f"Receive, {name} from {archive_name}: {wanted}",
        base=THEIRS,
        columns=("move", "archive cpu"),
        targets=tuple(targets),
        size_bytes=wanted.size_bytes,
        objects=len(wanted.files),
    )
    with _ARCHIVES[archive_name](wanted.files, {AE_TITLE: port}, options.work) as archive:
        sample = wanted.files[0]
        both: dict[str, Case] = {
            THEIRS: partial(theirs, archive, port, sample),
            OURS: partial(_ours, archive, port, sample),
        }
        cases: dict[str, Case] = {
            case: partial(_whole, work, archive, wanted) for case, work in both.items()
        }
        return interleave(table, cases, options.rounds, options.work)


def main(options: Options) -> list[Table]:
    names = ("ct-200", "small-400") if options.quick else ("ct-1000", "small-400", "mg-4")
    return [compare(name, archive, options) for archive in _ARCHIVES for name in names]
