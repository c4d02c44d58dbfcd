"""Sealing a volume beside `openssl enc -aes-256-cbc` of the same bytes in one file.

Ours also takes the SHA-256 of every object, which DigestedData holds (PDI-87), and derives the key
with 600,000 rounds of PBKDF2; `openssl, PBKDF2` does the latter too. Everything is read from the
page cache, nothing is flushed. Opening again is beside `openssl enc -d`.
"""

from __future__ import annotations

import os
import shutil
import sys
from functools import partial
from pathlib import Path

from dicomdir.encrypt.restore import verify
from dicomdir.encrypt.volume import encrypt_volume
from dicomdir.iso import author
from dicomdir.pdi import PdiVolume
from dicomdir.readme import Site
from tests.bench.bench_iso import CREATED_AT, volume_of
from tests.bench.harness import Case, Options, Table, Target, interleave, run_command, run_here
from tests.bench.studies import study

PASSWORD = "H7KQ-3MXA-9PTD-VW4E"
SITE = Site("Bench", ("nowhere",), version="0")
_KEY = ("-K", "0123456789abcdef" * 4, "-iv", "0123456789abcdef" * 2)
_PASSWORD = ("-pbkdf2", "-iter", "600000", "-md", "sha256", "-pass", f"pass:{PASSWORD}")
_LARGE_BYTES = 1 << 30
# A volume of one large file, sealed in a process of its own: its peak memory is what counts.
_LARGE = """
import sys
from pathlib import Path
from dicomdir.encrypt.volume import encrypt_volume
from dicomdir.pdi import Entry, FileSource, PdiVolume
from dicomdir.readme import Site
source, size, work = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
entries = [Entry("DICOMDIR", b"x"), Entry("DICOM/I0000001", FileSource(source, size))]
volume = PdiVolume("BENCH", entries)
encrypt_volume(volume, "H7KQ-3MXA-9PTD-VW4E", work, site=Site("Bench", ("nowhere",), version="0"))
# not ru_maxrss, which counts what our parent had before exec
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(f"peak_mb={int(status['VmHWM'].split()[0]) / 1024:.1f}")
"""


def openssl(source: Path, words: tuple[str, ...], folder: Path) -> dict[str, float]:
    out = folder / "out"
    return run_command(["openssl", "enc", "-aes-256-cbc", *words, "-in", source, "-out", out])


def ours(volume: PdiVolume, folder: Path) -> dict[str, float]:
    return run_here(lambda: _nothing(encrypt_volume(volume, PASSWORD, folder, site=SITE)))


def opened(image: Path, _folder: Path) -> dict[str, float]:
    return run_here(lambda: _nothing(verify(image, PASSWORD)))


def large(source: Path, size: int, folder: Path) -> dict[str, float]:
    return run_command([sys.executable, "-c", _LARGE, source, str(size), folder])


def _nothing(_made: object) -> None:
    """What was made has no figures."""


def _joined(volume: PdiVolume, path: Path) -> int:
    """All of the volume's files one after the other; how many bytes."""
    with path.open("wb") as out:
        for entry in volume.entries:
            out.write(entry.head)
            if isinstance(entry.source, bytes):
                out.write(entry.source)
                continue
            with open(entry.source.path, "rb") as source:
                source.seek(entry.source.offset_bytes)
                shutil.copyfileobj(source, out, 1 << 20)
    return path.stat().st_size


def main(options: Options) -> list[Table]:
    wanted = study("ct-200" if options.quick else "ct-1000", options.data)
    volume = volume_of(wanted, options.work)
    joined = options.work / "joined"
    size = _joined(volume, joined)
    sealing = Table(
        f"Sealing {wanted}",
        base="openssl, key given",
        targets=tuple(
            Target("ours", figure, 1.5, base)
            for figure in ("wall", "cpu")
            for base in ("openssl, key given", "openssl, PBKDF2")
        ),
        size_bytes=size,
        objects=len(wanted.files),
    )
    cases: dict[str, Case] = {
        "openssl, key given": partial(openssl, joined, _KEY),
        "ours": partial(ours, volume),
        "openssl, PBKDF2": partial(openssl, joined, _PASSWORD),
    }
    tables = [interleave(sealing, cases, options.rounds, options.work)]
    sealed = options.work / "sealed"
    sealed.mkdir()
    protected = encrypt_volume(volume, PASSWORD, sealed, site=SITE)
    image = author(protected, options.work / "sealed.iso", created_at=CREATED_AT, sync=False)
    encrypted = options.work / "encrypted"
    run_command(["openssl", "enc", "-aes-256-cbc", *_KEY, "-in", joined, "-out", encrypted])
    opening = Table("Opening it again, all checked", base="openssl enc -d", size_bytes=size)
    cases = {
        "openssl enc -d": partial(openssl, encrypted, ("-d", *_KEY)),
        "ours": partial(opened, image.path),
    }
    tables.append(interleave(opening, cases, options.rounds, options.work))
    os.truncate(joined, 0)
    os.truncate(joined, _LARGE_BYTES)
    memory = Table(
        "One file of 1 GiB, in a process of its own",
        base="1 MiB",
        columns=("peak mb",),
        targets=(
            Target("1 GiB", "peak mb", 1.05, "1 MiB"),
            Target("1 GiB", "peak mb", 100),
        ),
    )
    cases = {
        "1 MiB": partial(large, joined, 1 << 20),
        "1 GiB": partial(large, joined, _LARGE_BYTES),
    }
    tables.append(interleave(memory, cases, 1, options.work, warm_up=False))
    return tables
