"""Media that were made to hurt whoever reads them: each check ends, in little memory.

Each runs in a process of its own whose address space and processor time are limited.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dicomdir.elements import element, item
from dicomdir.iso_reader import BLOCK_BYTES
from dicomdir.part10 import encode_meta
from tests.fat_image import fat_image

pytestmark = pytest.mark.integration

_CPU_S = 120
_MEMORY_BYTES = 1 << 30  # of address space; what is resident is a fraction
_CHECK = """
import json, resource, sys
from pathlib import Path
from dicomdir.check.path import check_path
report = check_path(Path(sys.argv[1]), with_hashes=len(sys.argv) > 2)
print(json.dumps([sorted({f.rule for f in report.findings}),
                  resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024]))
"""


def check(path: Path, *more: str) -> tuple[set[str], int]:
    """Rules and peak of resident memory in MiB."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))

    done = subprocess.run(
        [sys.executable, "-c", _CHECK, str(path), *more],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        preexec_fn=limit,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    rules, peak = json.loads(done.stdout)
    return set(rules), peak


def directory_record(name: bytes, extent: int, size: int, flags: int = 0) -> bytes:
    """ECMA-119 9.1."""
    length = 33 + len(name) + (len(name) % 2 == 0)
    body = bytearray(length)
    body[0], body[25], body[32] = length, flags, len(name)
    for at, value in ((2, extent), (10, size)):
        body[at : at + 4] = value.to_bytes(4, "little")
        body[at + 4 : at + 8] = value.to_bytes(4, "big")
    body[18:25] = bytes((126, 3, 4, 5, 6, 7, 0))
    body[33 : 33 + len(name)] = name
    return bytes(body)


def iso(path: Path, blocks: int, root: tuple[int, int], parts: dict[int, bytes]) -> Path:
    """A sparse image: a primary descriptor, its terminator, and blocks as given."""
    primary = bytearray(BLOCK_BYTES)
    primary[0:7] = b"\1CD001\1"
    primary[8:72] = b" " * 64
    for at, value in ((80, blocks), (132, 10)):
        primary[at : at + 4] = value.to_bytes(4, "little")
        primary[at + 4 : at + 8] = value.to_bytes(4, "big")
    primary[128:132] = b"\x00\x08\x08\x00"
    primary[140:144] = primary[148:152] = bytes(4)
    record = directory_record(b"\0", *root, 2)
    primary[156 : 156 + len(record)] = record
    with path.open("wb") as file:
        file.truncate(blocks * BLOCK_BYTES)
        for block, data in {16: bytes(primary), 17: b"\xffCD001\1", **parts}.items():
            file.seek(block * BLOCK_BYTES)
            file.write(data)
    return path


def packed(records: list[bytes]) -> bytes:
    """Records in whole blocks, none across their borders."""
    out = bytearray()
    for record in records:
        if len(out) % BLOCK_BYTES + len(record) > BLOCK_BYTES:
            out += bytes(-len(out) % BLOCK_BYTES)
        out += record
    return bytes(out + bytes(-len(out) % BLOCK_BYTES))


def dots(extent: int) -> list[bytes]:
    return [directory_record(name, extent, BLOCK_BYTES, 2) for name in (b"\0", b"\1")]


def directory_loop(path: Path) -> Path:
    inside = packed([*dots(20), directory_record(b"A", 20, BLOCK_BYTES, 2)])
    return iso(path, 100, (20, BLOCK_BYTES), {20: inside})


def many_empty_directories(path: Path) -> Path:
    """Each claims the largest size; all hold nothing."""
    records = [*dots(20), *(directory_record(b"D%06d" % n, 1000 + n, 32 << 20, 2)
                            for n in range(20_000))]  # fmt: skip
    root = packed(records)
    return iso(path, 60_000, (20, len(root)), {20: root})


def overlapping_files(path: Path) -> Path:
    """100,000 files of 100 MB on the same blocks, one beside the other."""
    records = [*dots(20), *(directory_record(b"F%06d.;1" % n, 5000 + n % 3000, 100 << 20)
                            for n in range(100_000))]  # fmt: skip
    root = packed(records)
    return iso(path, 60_000, (20, len(root)), {20: root})


def endless_names(path: Path) -> Path:
    """Names of 200 bytes that need escapes, on many levels."""
    parts: dict[int, bytes] = {}
    for level in range(40):
        records = [*dots(20 + level)]
        if level < 39:
            records.append(directory_record(b"\x9b" * 200, 21 + level, BLOCK_BYTES, 2))
        records += [directory_record(b"\x1b" * 200 + b"%d" % n, 90, 9) for n in range(5)]
        parts[20 + level] = packed(records)
    return iso(path, 100, (20, BLOCK_BYTES), parts)


def many_records(path: Path) -> Path:
    """A DICOMDIR of 200,000 records in one chain, all naming one file."""
    start = len(encode_meta("1.2.840.10008.1.3.10", "2.25.7", "1.2.840.10008.1.2.1"))
    header = (
        element(0x00041130, "CS", b"PDI_1") + element(0x00041200, "UL", bytes(4))
        + element(0x00041202, "UL", bytes(4)) + element(0x00041212, "US", bytes(2))
    )  # fmt: skip
    first = start + len(header) + 12

    def record(number: int, size: int) -> bytes:
        return item(
            element(0x00041400, "UL", (first + (number + 1) * size).to_bytes(4, "little"))
            + element(0x00041410, "US", b"\xff\xff")
            + element(0x00041420, "UL", first.to_bytes(4, "little"))
            + element(0x00041430, "CS", b"IMAGE")
            + element(0x00041500, "CS", b"DICOM\\I1")
        )

    size = len(record(0, 0))
    body = b"".join(record(number, size) for number in range(200_000))
    header = header.replace(
        element(0x00041200, "UL", bytes(4)), element(0x00041200, "UL", first.to_bytes(4, "little"))
    )
    data = (
        encode_meta("1.2.840.10008.1.3.10", "2.25.7", "1.2.840.10008.1.2.1")
        + header + b"\x04\0\x20\x12SQ\0\0" + len(body).to_bytes(4, "little") + body
    )  # fmt: skip
    path.mkdir()
    (path / "DICOMDIR").write_bytes(data)
    (path / "DICOM").mkdir()
    (path / "DICOM" / "I1").write_bytes(bytes(128) + b"DICM" + bytes(1000))
    return path


def _directory(path: Path, inside: bytes, behind: bytes = b"") -> Path:
    meta = encode_meta("1.2.840.10008.1.3.10", "2.25.7", "1.2.840.10008.1.2.1")
    length = len(inside).to_bytes(4, "little")
    path.mkdir()
    (path / "DICOMDIR").write_bytes(
        b"".join((meta, behind, b"\x04\0\x20\x12SQ\0\0", length, inside))
    )
    return path


def many_elements(path: Path) -> Path:
    """One record of millions of empty elements."""
    return _directory(path, item(_empties(6_000_000)))


def many_elements_before(path: Path) -> Path:
    return _directory(path, b"", _empties(6_000_000))


def _empties(count: int) -> bytes:
    return b"".join(
        bytes((n >> 16 & 255, 0x11, n & 255, n >> 8 & 255)) + b"LO\0\0" for n in range(count)
    )


def deep_page(path: Path) -> Path:
    path.mkdir()
    page = "<html>" + "".join(f'<p id="{n}">x' for n in range(250_000))
    (path / "INDEX.HTM").write_text(page)
    (path / "IHE_PDI").mkdir()
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 20}">' for n in range(1, 12))
    page = f'<!DOCTYPE html [<!ENTITY a0 "ha">{laughs}]><html>&a11;</html>'
    (path / "IHE_PDI" / "INDEX.HTM").write_text(page)
    return path


def cluster_loops(path: Path) -> Path:
    """Each folder's chain leads into itself, and the root is in it."""
    made = fat_image({f"D{n}/A.TXT": b"x" * 600 for n in range(50)}, label="LOOP")
    for number in range(50):
        cluster = made.cluster_of[f"D{number}"]
        made.set_next(cluster, cluster)
        made.set_next(made.cluster_of[f"D{number}/A.TXT"], made.cluster_of["D0"])
    path.write_bytes(made.data)
    return path


MADE: list[tuple[Callable[[Path], Path], str]] = [
    (directory_loop, "PDI-29"),
    (many_empty_directories, "PDI-29"),
    (overlapping_files, "PDI-29"),
    (endless_names, "PDI-29"),
    (many_records, "PDI-64"),
    (many_elements, "PDI-61"),
    (many_elements_before, "PDI-61"),
    (deep_page, "PDI-09"),
    (cluster_loops, "PDI-43"),
]


@pytest.mark.parametrize(("make", "rule"), MADE, ids=[make.__name__ for make, _ in MADE])
def test_it_ends(tmp_path: Path, make: Callable[[Path], Path], rule: str) -> None:
    rules, peak = check(make(tmp_path / "made"))
    assert rule in rules
    assert peak < 500


def test_hashing_overlapping_files_costs_one_read(tmp_path: Path) -> None:
    rules, _ = check(overlapping_files(tmp_path / "made"), "hashes")
    assert {"PDI-29", "PDI-105"} <= rules
