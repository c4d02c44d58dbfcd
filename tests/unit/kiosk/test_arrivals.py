"""The index of arrivals: what was appended comes back, whatever happened to its tail."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from kiosk.domain.model import Uid
from kiosk.errors import InvalidValueError
from kiosk.ports import StoredInstance
from kiosk.services.arrivals import ArrivalsWriter, read_arrivals


def _stored(number: int) -> StoredInstance:
    rng = random.Random(number)
    return StoredInstance(
        sop_instance_uid=Uid(f"1.2.{number}"),
        file_name=f"{number:08d}",
        size_bytes=number * 1000,
        sha256=rng.randbytes(32),
        header=rng.randbytes(rng.randrange(100)),
    )


def _write(path: Path, numbers: range) -> None:
    with ArrivalsWriter(path) as writer:
        for number in numbers:
            writer.append(_stored(number))


def test_nothing_is_there(tmp_path: Path) -> None:
    assert list(read_arrivals(tmp_path / "arrivals")) == []


def test_what_was_appended_comes_back_in_order(tmp_path: Path) -> None:
    _write(tmp_path / "arrivals", range(1, 6))
    _write(tmp_path / "arrivals", range(6, 9))
    assert list(read_arrivals(tmp_path / "arrivals")) == [_stored(each) for each in range(1, 9)]


def test_every_cut_leaves_the_records_before_it(tmp_path: Path) -> None:
    path = tmp_path / "arrivals"
    _write(path, range(1, 4))
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        before = list(read_arrivals(path))
        assert before == [_stored(each) for each in range(1, 4)][: len(before)]
        assert len(before) < 3
    with ArrivalsWriter(path) as writer:  # goes on after the last whole record
        writer.append(_stored(9))
    assert list(read_arrivals(path)) == [_stored(1), _stored(2), _stored(9)]


@pytest.mark.parametrize("seed", [5])
def test_damage_ends_the_reading(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    path = tmp_path / "arrivals"
    _write(path, range(1, 6))
    whole = path.read_bytes()
    good = [_stored(each) for each in range(1, 6)]
    for _ in range(500):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        found = list(read_arrivals(path))
        assert found == good[: len(found)]
        assert len(found) < 5


def test_a_file_name_that_is_a_path_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "arrivals"
    with ArrivalsWriter(path) as writer:
        writer.append(StoredInstance(Uid("1.2"), "../../etc", 1, bytes(32), b""))
    with pytest.raises(InvalidValueError):
        list(read_arrivals(path))


def test_another_file_has_no_records(tmp_path: Path) -> None:
    (tmp_path / "arrivals").write_bytes(b"something else altogether")
    assert list(read_arrivals(tmp_path / "arrivals")) == []
