"""The DICOMDIR alone, beside `dcmmkdir`.

"ours, on arrival" is what the product does: the keys were taken from the bytes while they came
(that is in the figures of receiving); records are made of the index of what arrived. "ours, from
files" reads every header again, as the peer has to. Both in a process that is there already, as the
builder is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from dicomdir.fileset import FileSet, allocate_file_ids, read_directory
from dicomdir.instance import Instance, read_instance
from kiosk.domain.model import Uid
from kiosk.ports import StoredInstance
from kiosk.services.arrivals import ArrivalsWriter, read_arrivals
from tests.bench.harness import (
    Case,
    Options,
    Table,
    Target,
    interleave,
    run_command,
    run_here,
)
from tests.bench.studies import Study, study
from tests.peers import DCMTK

THEIRS, ON_ARRIVAL, FROM_FILES = "dcmmkdir", "ours, on arrival", "ours, from files"


def dcmmkdir(tree: Path, folder: Path) -> dict[str, float]:
    out = folder / "DICOMDIR"
    command: list[str | os.PathLike[str]] = [DCMTK / "dcmmkdir", "-q", "+D", out]
    return run_command([*command, "+id", tree, "+r", "-Nxc", "+I"])


def make(instances: Callable[[], Iterable[Instance]], out: Path) -> None:
    """As the builder does: File IDs in a first walk, records in a second."""
    file_ids = allocate_file_ids(instances())
    fileset = FileSet("BENCH", "2.25.1")
    for instance in instances():
        fileset.add(instance, file_ids[instance.sop_instance_uid])
    out.write_bytes(fileset.encode())


def from_arrivals(index: Path, folder: Path) -> dict[str, float]:
    def instances() -> Iterable[Instance]:
        return (Instance.from_bytes(stored.header) for stored in read_arrivals(index))

    return run_here(lambda: make(instances, folder / "DICOMDIR"))


def from_files(files: Iterable[Path], folder: Path) -> dict[str, float]:
    def work() -> None:
        read = [read_instance(path) for path in files]
        make(lambda: read, folder / "DICOMDIR")

    return run_here(work)


def write_index(wanted: Study, path: Path) -> None:
    """What the receiver and `retrieve` would have written; in the order of the files."""
    with ArrivalsWriter(path) as writer:
        for number, file in enumerate(wanted.files, 1):
            instance = read_instance(file)
            writer.append(
                StoredInstance(
                    sop_instance_uid=Uid(instance.sop_instance_uid),
                    file_name=f"{number:08d}",
                    size_bytes=instance.size_bytes,
                    digest=b"",
                    header=instance.to_bytes(),
                )
            )


def _checked(case: Case, objects: int, folder: Path) -> dict[str, float]:
    figures = dict(case(folder))
    data = (folder / "DICOMDIR").read_bytes()
    leaves = sum(1 for record in read_directory(data).records if record.file_id)
    if leaves != objects:
        raise RuntimeError(f"the DICOMDIR names {leaves} of {objects} objects")
    return figures


def compare(name: str, options: Options) -> Table:
    wanted = study(name, options.data)
    index = options.work / f"{name}.arrivals"
    write_index(wanted, index)
    table = Table(
        f"DICOMDIR, {name}: {wanted}",
        base=THEIRS,
        targets=(Target(ON_ARRIVAL, "wall", 0.2, THEIRS),),
        size_bytes=wanted.size_bytes,
        objects=len(wanted.files),
    )
    cases: dict[str, Case] = {
        THEIRS: partial(dcmmkdir, wanted.folder),
        ON_ARRIVAL: partial(from_arrivals, index),
        FROM_FILES: partial(from_files, wanted.files),
    }
    checked: dict[str, Case] = {
        case: partial(_checked, work, len(wanted.files)) for case, work in cases.items()
    }
    return interleave(table, checked, options.rounds, options.work)


def main(options: Options) -> list[Table]:
    names = ("ct-200", "small-400") if options.quick else ("ct-1000", "small-2000")
    return [compare(name, options) for name in names]
