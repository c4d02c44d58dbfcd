"""The index of arrivals: what was appended comes back, whatever happened to its tail."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from kiosk.digest import DIGEST_BYTES
from kiosk.domain.model import Uid
from kiosk.errors import InvalidValueError
from kiosk.ports import StoredInstance
from kiosk.services import arrivals
from kiosk.services.arrivals import ArrivalsWriter, boot_id, is_of_this_boot, read_arrivals


def _stored(number: int) -> StoredInstance:
    rng = random.Random(number)
    return StoredInstance(
        sop_instance_uid=Uid(f"1.2.{number}"),
        file_name=f"{number:08d}",
        size_bytes=number * 1000,
        digest=rng.randbytes(DIGEST_BYTES),
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
        writer.append(StoredInstance(Uid("1.2"), "../../etc", 1, bytes(DIGEST_BYTES), b""))
    with pytest.raises(InvalidValueError):
        list(read_arrivals(path))


def test_another_file_has_no_records(tmp_path: Path) -> None:
    (tmp_path / "arrivals").write_bytes(b"something else altogether")
    assert list(read_arrivals(tmp_path / "arrivals")) == []


# --- which boot it is of ----------------------------------------------------------------------


def test_an_index_knows_the_boot_that_it_was_begun_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "arrivals"
    _write(path, range(1, 3))
    assert len(boot_id()) == 36
    assert is_of_this_boot(path)
    (tmp_path / "boot_id").write_text("00000000-0000-4000-8000-000000000000\n")
    monkeypatch.setattr(arrivals, "_BOOT_ID", tmp_path / "boot_id")
    assert not is_of_this_boot(path)
    _write(path, range(3, 4))  # what is appended does not make the rest of it new
    assert not is_of_this_boot(path)
    _write(tmp_path / "new", range(1, 3))
    assert is_of_this_boot(tmp_path / "new")


def test_times_say_nothing_about_the_boot(tmp_path: Path) -> None:
    """A clock that jumps in either direction changes the answer in neither."""
    path = tmp_path / "arrivals"
    _write(path, range(1, 3))
    for moment in (0, 2**31 - 1):
        os.utime(path, (moment, moment))
        assert is_of_this_boot(path)


def test_where_the_kernel_names_no_boot_nothing_is_of_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "_BOOT_ID", tmp_path / "none")
    path = tmp_path / "arrivals"
    _write(path, range(1, 3))
    assert boot_id() == ""
    assert not is_of_this_boot(path)
    assert len(list(read_arrivals(path))) == 2


def test_a_torn_head_is_of_no_boot(tmp_path: Path) -> None:
    path = tmp_path / "arrivals"
    _write(path, range(1, 3))
    whole = path.read_bytes()
    for cut in range(50):
        path.write_bytes(whole[:cut])
        assert not is_of_this_boot(path) or cut >= 48
    path.write_bytes(bytes(len(whole)))
    assert not is_of_this_boot(path)
