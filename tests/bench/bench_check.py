"""`sendhome check` of a disc's image: as the builder runs it, and with hashes beside sha256sum.

The promise of 1.5 s is for 1,000 objects; what we aim at is 0.3 s of processor time.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

from dicomdir.check.image import check_image
from dicomdir.iso import author
from tests.bench.bench_iso import CREATED_AT, volume_of
from tests.bench.harness import (
    Case,
    Options,
    Table,
    Target,
    interleave,
    run_command,
    run_here,
)
from tests.bench.studies import study

_ROOT = Path(__file__).parents[2]


def warm(image: Path, _folder: Path) -> dict[str, float]:
    """In this process, as the builder checks before a disc is spent."""

    def work() -> dict[str, float]:
        return {"findings": len(check_image(image))}

    return run_here(work)


def command(image: Path, words: tuple[str, ...], _folder: Path) -> dict[str, float]:
    """As a person types it: Python's own start counts."""
    program = [sys.executable, "-m", "kiosk.cli.main", "check", *words, os.fspath(image)]
    return run_command(program, cwd=_ROOT)


def sha256sum(image: Path, _folder: Path) -> dict[str, float]:
    return run_command(["sha256sum", os.fspath(image)])


def compare(name: str, options: Options) -> Table:
    wanted = study(name, options.data)
    image = options.work / f"{name}.iso"
    author(volume_of(wanted, options.work), image, created_at=CREATED_AT, sync=False)
    cases: dict[str, Case] = {
        "sha256sum": partial(sha256sum, image),
        "check --hashes": partial(command, image, ("--hashes",)),
        "check": partial(command, image, ()),
        "check, in the builder": partial(warm, image),
    }
    objects = len(wanted.files)
    table = Table(
        f"Check of an image, {name}: {wanted}",
        base="sha256sum",
        columns=("findings",),
        targets=(
            Target("check", "cpu", 1.5 * objects / 1000, note="1,000 objects"),
            Target("check, in the builder", "cpu", 0.3 * objects / 1000, note="what we aim at"),
            Target("check --hashes", "wall", 1.3, "sha256sum", note="530 MB"),
        ),
        size_bytes=image.stat().st_size,
        objects=objects,
    )
    try:
        return interleave(table, cases, options.rounds, options.work)
    finally:
        image.unlink()


def main(options: Options) -> list[Table]:
    return [compare("ct-200" if options.quick else "ct-1000", options)]
