"""Each rule on the bytes of an image is broken once, and found; mutants never crash the check."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dicomdir.check.image import check_image
from dicomdir.errors import ImageError
from dicomdir.findings import Finding, Severity
from dicomdir.iso import author
from dicomdir.iso_reader import BLOCK_BYTES, IsoReader, open_image
from tests.unit.dicomdir.test_check_volume import volume_of

PRIMARY = 16 * BLOCK_BYTES
CREATED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("image")
    return author(volume_of(folder), folder / "out.iso", created_at=CREATED).path.read_bytes()


def reader_of(data: bytes) -> IsoReader:
    return IsoReader(lambda offset, size: data[offset : offset + size])


def check(data: bytes, tmp_path: Path) -> list[Finding]:
    (tmp_path / "image.iso").write_bytes(data)
    return check_image(tmp_path / "image.iso")


def errors(findings: list[Finding]) -> set[str]:
    return {it.rule for it in findings if it.severity is Severity.ERROR}


def test_our_own_image_is_clean(good: bytes, tmp_path: Path) -> None:
    assert check(good, tmp_path) == []
    assert check_image(reader_of(good)) == []


def record_at(data: bytearray, identifier: bytes) -> int:
    """Offset of the directory record of this identifier."""
    at = data.index(bytes([len(identifier)]) + identifier, 17 * BLOCK_BYTES)
    return at - 32


def poke(offset: int, value: bytes) -> Callable[[bytearray], None]:
    def change(data: bytearray) -> None:
        data[offset : offset + len(value)] = value

    return change


def in_record(identifier: bytes, offset: int, value: bytes) -> Callable[[bytearray], None]:
    def change(data: bytearray) -> None:
        at = record_at(data, identifier) + offset
        data[at : at + len(value)] = value

    return change


def insert_descriptor(kind: int) -> Callable[[bytearray], None]:
    """Put another descriptor where the terminator stands, and the terminator behind it."""

    def change(data: bytearray) -> None:
        at = PRIMARY + BLOCK_BYTES
        while data[at] != 255:
            at += BLOCK_BYTES
        data[at + BLOCK_BYTES : at + 2 * BLOCK_BYTES] = data[at : at + BLOCK_BYTES]
        data[at : at + BLOCK_BYTES] = bytes([kind]) + b"CD001\x01" + bytes(BLOCK_BYTES - 7)
        if kind == 1:
            data[at : at + BLOCK_BYTES] = data[PRIMARY : PRIMARY + BLOCK_BYTES]

    return change


def overlap(data: bytearray) -> None:
    """INDEX.HTM is made to begin inside the DICOMDIR."""
    first = record_at(data, b"DICOMDIR.;1")
    extent = int.from_bytes(data[first + 2 : first + 6], "little") + 1
    second = record_at(data, b"INDEX.HTM;1")
    data[second + 2 : second + 6] = extent.to_bytes(4, "little")


PLANTED: list[tuple[str, Callable[[bytearray], None]]] = [
    ("PDI-29", poke(PRIMARY + 1, b"XXXXX")),
    ("PDI-29", poke(PRIMARY + 128, b"\x00\x04")),
    ("PDI-29", in_record(b"DICOMDIR.;1", 33, b"DICOMDIR;1 ")),
    ("PDI-29", in_record(b"README.TXT;1", 33, b"README.TXT;2")),
    ("PDI-29", in_record(b"README.TXT;1", 33, b"readme.txt;1")),
    ("PDI-29", in_record(b"README.TXT;1", 10, b"\xff\xff\xff\x00")),
    ("PDI-29", overlap),
    ("PDI-29", insert_descriptor(1)),
    ("PDI-29", insert_descriptor(3)),
    ("PDI-27", in_record(b"IHE_PDI", 33, b"ihe_pdi")),
    ("PDI-30", poke(PRIMARY + 40, b"OTHER")),
    ("PDI-31", poke(PRIMARY + 8, b"LINUX")),
    ("PDI-32", in_record(b"README.TXT;1", 1, b"\x01")),
    ("PDI-32", in_record(b"README.TXT;1", 25, b"\x01")),
    ("PDI-32", in_record(b"README.TXT;1", 25, b"\x08")),
    ("PDI-32", in_record(b"README.TXT;1", 25, b"\x10")),
    ("PDI-35", insert_descriptor(2)),
    ("PDI-38", insert_descriptor(0)),
    ("PDI-38", poke(446, b"\x80")),
    ("PDI-03", in_record(b"I0000001.;1", 33, b"I0000009.;1")),
    ("PDI-04", in_record(b"README.TXT;1", 33, b"README.TXX;1")),
    ("PDI-18", in_record(b"README.TXT;1", 33, b"AUTORUN.IN;1")),
]


@pytest.mark.parametrize(("rule", "change"), PLANTED)
def test_a_planted_fault_is_found(
    good: bytes, tmp_path: Path, rule: str, change: Callable[[bytearray], None]
) -> None:
    data = bytearray(good)
    change(data)
    assert rule in errors(check(bytes(data), tmp_path))


def test_system_use_data_is_found(good: bytes, tmp_path: Path) -> None:
    """A record made longer than its name needs, as Rock Ridge does."""
    data = bytearray(good)
    at = record_at(data, b"README.TXT;1")  # the last of the root: there is room behind it
    data[at] += 4
    assert "PDI-35" in errors(check(bytes(data), tmp_path))


def test_a_short_image_is_found(good: bytes, tmp_path: Path) -> None:
    assert "PDI-29" in errors(check(good[:-BLOCK_BYTES], tmp_path))


def test_padding_behind_the_volume_is_no_fault(good: bytes, tmp_path: Path) -> None:
    assert check(good + bytes(150 * BLOCK_BYTES), tmp_path) == []


def test_names_on_the_medium_cannot_hurt_a_terminal(good: bytes, tmp_path: Path) -> None:
    data = bytearray(good)
    in_record(b"README.TXT;1", 33, b"\x1b[2J\x07\xff\x9b/..;1")(data)
    for finding in check(bytes(data), tmp_path):
        assert finding.path.isascii()
        assert finding.path.isprintable()


def test_mutants_never_crash_the_check(good: bytes) -> None:
    rng = random.Random(20260304)
    with_errors = 0
    for _ in range(250):
        data = bytearray(good)
        end = rng.choice((len(data), min(len(data), PRIMARY + 20 * BLOCK_BYTES)))
        for _ in range(rng.randint(1, 12)):
            data[rng.randrange(PRIMARY, end)] = rng.choice((0, 1, 0x2F, 0xFF, rng.randrange(256)))
        if rng.random() < 0.1:
            del data[rng.randrange(PRIMARY, len(data)) :]
        try:
            reader = reader_of(bytes(data))
        except ImageError:
            with_errors += 1
            continue
        with_errors += bool(check_image(reader))
    assert with_errors > 100


@pytest.mark.parametrize("data", [b"", b"\0" * 100_000, b"CD001" * 20_000])
def test_what_is_no_image_is_one_finding(data: bytes, tmp_path: Path) -> None:
    assert errors(check(data, tmp_path)) == {"PDI-29"}


def test_paths_of_the_image_are_those_of_the_volume(good: bytes, tmp_path: Path) -> None:
    (tmp_path / "image.iso").write_bytes(good)
    with open_image(tmp_path / "image.iso") as reader:
        paths = [record.path for record in reader.files()]
    assert len(paths) == len(set(paths))
    assert {"DICOMDIR", "INDEX.HTM", "README.TXT", "IHE_PDI/INDEX.HTM"} < set(paths)
    assert sum(path.startswith("DICOM/") for path in paths) == 7
