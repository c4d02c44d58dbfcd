"""The image alone: to a file beside `genisoimage`, into a pipe beside `cat`.

All write the same tree of objects from the page cache and flush nothing. Ours takes the SHA-256 of
the image as well, in a second thread: what does the same work is a peer with OpenSSL's or
coreutils' hash behind it. A row of ours without the hash stands beside the peer that takes none.
"""

from __future__ import annotations

import os
import resource
import shlex
import subprocess
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from dicomdir.build import ObjectFile, Plan, build_volume
from dicomdir.instance import read_instance
from dicomdir.iso import author, stream
from dicomdir.pdi import PdiVolume
from dicomdir.readme import Site
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

CREATED_AT = datetime(2026, 1, 2, tzinfo=UTC)
_GENISOIMAGE = "genisoimage -quiet -iso-level 1 -V DICOM"
_XORRISO = "xorriso -as mkisofs -quiet -iso-level 1 -V DICOM"
_CAT = "find {tree} -type f -print0 | sort -z | xargs -0 cat"


def shell(text: str, tree: Path, folder: Path) -> dict[str, float]:
    """A pipeline of programs; `{tree}` and `{out}` are filled in."""
    filled = text.format(tree=shlex.quote(str(tree)), out=shlex.quote(str(folder / "image.iso")))
    return run_command(["sh", "-c", filled])


def to_file(volume: PdiVolume, folder: Path) -> dict[str, float]:
    """Warm, as the builder is."""
    out = folder / "image.iso"
    return run_here(
        lambda: _nothing(author(volume, out, created_at=CREATED_AT, sync=False, write_back=False))
    )


def to_file_only(volume: PdiVolume, folder: Path) -> dict[str, float]:
    """Without the hash, which is what the peers do."""

    def work() -> None:
        with (folder / "image.iso").open("wb") as out:
            stream(volume, out.fileno(), created_at=CREATED_AT)

    return run_here(work)


def to_pipe(volume: PdiVolume, _folder: Path) -> dict[str, float]:
    """The reader is `cat`, as the peers' is; its time counts."""

    def work() -> dict[str, float]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        own = resource.getrusage(resource.RUSAGE_SELF)
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as reader:
            assert reader.stdin is not None
            stream(volume, reader.stdin.fileno(), created_at=CREATED_AT)
            reader.stdin.close()
        spent = _spent(before, resource.RUSAGE_CHILDREN) + _spent(own, resource.RUSAGE_SELF)
        return {"cpu": spent}

    return run_here(work)


def _spent(before: resource.struct_rusage, who: int) -> float:
    after = resource.getrusage(who)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _nothing(_made: object) -> None:
    """A made image has no figures."""


def volume_of(wanted: Study, work: Path) -> PdiVolume:
    """As the builder makes it; the objects stay where they are."""
    converted = Path(tempfile.mkdtemp(prefix=f"{wanted.name}-", dir=work))
    site = Site("Bench", ("nowhere",), version="0")

    objects = (ObjectFile(os.fspath(path), read_instance(path)) for path in wanted.files)
    return build_volume(objects, Plan("BENCH", "2.25.1", site, converted)).volume


def compare(name: str, options: Options) -> list[Table]:
    wanted = study(name, options.data)
    volume = volume_of(wanted, options.work)
    tree = wanted.folder
    to_a_file: dict[str, Case] = {
        "genisoimage": partial(shell, _GENISOIMAGE + " -o {out} {tree} 2>/dev/null", tree),
        "ours, no hash": partial(to_file_only, volume),
        "ours": partial(to_file, volume),
        "genisoimage + openssl": partial(
            shell,
            _GENISOIMAGE + " -o {out} {tree} 2>/dev/null && openssl dgst -sha256 {out} >/dev/null",
            tree,
        ),
        "genisoimage + sha256sum": partial(
            shell, _GENISOIMAGE + " -o {out} {tree} 2>/dev/null && sha256sum {out}", tree
        ),
        "xorriso": partial(shell, _XORRISO + " -o {out} {tree} 2>/dev/null", tree),
        "cat": partial(shell, _CAT + " > {out}", tree),
    }
    into_a_pipe: dict[str, Case] = {
        "cat": partial(shell, _CAT + " | cat >/dev/null", tree),
        "ours": partial(to_pipe, volume),
        "genisoimage": partial(shell, _GENISOIMAGE + " {tree} 2>/dev/null | cat >/dev/null", tree),
    }
    tables = []
    to_file_targets = (
        Target("ours, no hash", "wall", 0.85, "genisoimage"),
        Target("ours", "wall", 0.85, "genisoimage + openssl"),
    )
    to_pipe_targets = (Target("ours", "wall", 1.0, "cat"),)
    for where, cases, base, targets in (
        ("to a file", to_a_file, "genisoimage", to_file_targets),
        ("into a pipe", into_a_pipe, "cat", to_pipe_targets),
    ):
        table = Table(
            f"Image {where}, {name}: {wanted}",
            base=base,
            targets=targets,
            size_bytes=wanted.size_bytes,
            objects=len(wanted.files),
        )
        tables.append(interleave(table, cases, options.rounds, options.work))
    return tables


def main(options: Options) -> list[Table]:
    return compare("ct-200" if options.quick else "ct-1000", options)
