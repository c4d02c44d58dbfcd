"""Compose and author a study that lies in the spool: beside `dcmmkdir` and `genisoimage` after it.

Ours reads the index of what arrived, makes DICOMDIR, README.TXT, start page and pages, and writes
the image with its SHA-256. Pictures for the pages are counted apart: their time is measured around
the call that makes them, and taken off. Neither side flushes. Memory is that of a fresh process
which does just this, with pictures.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from unittest.mock import patch

from dicomdir.build import ObjectFile, Plan, build_volume
from dicomdir.instance import Instance
from dicomdir.iso import author
from dicomdir.pdi import FileSource
from dicomdir.readme import Site
from dicomdir.web import WebContent
from kiosk.services.arrivals import read_arrivals
from tests.bench.bench_dicomdir import write_index
from tests.bench.bench_iso import shell
from tests.bench.harness import (
    Case,
    Options,
    Table,
    Target,
    interleave,
    peak_rss_mb,
    run_command,
    run_here,
)
from tests.bench.studies import Study, study
from tests.peers import DCMTK

_CREATED_AT = datetime(2026, 1, 2, tzinfo=UTC)
_THEIRS, _OURS, _WITH_PICTURES = "dcmmkdir + genisoimage", "ours", "ours, with the pictures"
_ALONE = "ours, a process of its own"
_COMMANDS = (
    f"{DCMTK / 'dcmmkdir'} -q +D {{out}}.dir +id {{tree}} +r -Nxc +I && "
    "genisoimage -quiet -iso-level 1 -V DICOM -graft-points -o {out} "
    "DICOMDIR={out}.dir {tree} 2>/dev/null"
)
_MEMORY_MB = 100


class _Clock:
    """Seconds spent on pictures, on the wall and of the processor."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu


def compose(index: Path, tree: Path, folder: Path) -> _Clock:
    """As the builder does it; what was spent on pictures."""
    clock = _Clock()
    make_pictures = WebContent.add

    def add(content: WebContent, instance: Instance, source: FileSource) -> bytes:
        with clock.running():
            return make_pictures(content, instance, source)

    arrived = zip(sorted(tree.glob("*/*")), read_arrivals(index), strict=True)
    objects = (ObjectFile(str(path), Instance.from_bytes(it.header)) for path, it in arrived)
    with patch.object(WebContent, "add", add):
        plan = Plan("BENCH", "2.25.1", Site("Bench", ("nowhere",), version="0"), folder)
        volume = build_volume(objects, plan).volume
    out = folder / "image.iso"
    author(volume, out, created_at=_CREATED_AT, sync=False, write_back=False)
    return clock


def ours(index: Path, tree: Path, folder: Path, *, with_pictures: bool) -> dict[str, float]:
    clock = _Clock()

    def work() -> None:
        nonlocal clock
        clock = compose(index, tree, folder)

    figures = run_here(work)
    if not with_pictures:
        figures["wall"] -= clock.wall
        figures["cpu"] -= clock.cpu
    return figures


def alone(index: Path, tree: Path, folder: Path) -> dict[str, float]:
    return run_command([sys.executable, "-m", __name__, index, tree, folder])


def compare(name: str, options: Options) -> tuple[Table, dict[str, Case]]:
    """A table with the cases that fill it."""
    wanted = study(name, options.data)
    index = options.work / f"{name}.spool"
    write_index(wanted, index)
    table = Table(
        f"Compose and author, {name} in the spool: {wanted}",
        base=_THEIRS,
        columns=("peak MB",),
        targets=(
            Target(_OURS, "wall", 0.6, _THEIRS),
            Target(_ALONE, "peak MB", _MEMORY_MB),
        ),
        size_bytes=wanted.size_bytes,
        objects=len(wanted.files),
    )
    given = (index, wanted.folder)
    cases: dict[str, Case] = {
        _THEIRS: partial(shell, _COMMANDS, wanted.folder),
        _OURS: partial(ours, *given, with_pictures=False),
        _WITH_PICTURES: partial(ours, *given, with_pictures=True),
        _ALONE: partial(alone, *given),
    }
    return table, cases


def linear(small: Study, large: Study, options: Options) -> tuple[Table, dict[str, Case]]:
    """Ten times the objects."""
    factor = len(large.files) / len(small.files)
    table = Table(
        f"Compose and author, {large.name} beside {small.name}",
        base=small.name,
        columns=("peak MB",),
        targets=(
            *(Target(large.name, figure, 1.05 * factor, small.name) for figure in ("wall", "cpu")),
            Target(f"{large.name}, alone", "peak MB", _MEMORY_MB),
        ),
        objects=len(large.files),
    )
    cases: dict[str, Case] = {}
    for wanted in (small, large):
        index = options.work / f"{wanted.name}.spool"
        write_index(wanted, index)
        cases[wanted.name] = partial(ours, index, wanted.folder, with_pictures=False)
    cases[f"{large.name}, alone"] = partial(alone, index, large.folder)
    return table, cases


def main(options: Options) -> list[Table]:
    one, few, many = (
        ("ct-200", "small-400", "small-2000")
        if options.quick
        else ("ct-1000", "small-1000", "small-10000")
    )
    pairs = [
        compare(one, options),
        linear(study(few, options.data), study(many, options.data), options),
    ]
    return [interleave(table, cases, options.rounds, options.work) for table, cases in pairs]


if __name__ == "__main__":
    compose(*map(Path, sys.argv[1:4]))
    print(f"peak_MB={peak_rss_mb(os.getpid()):.1f}")
