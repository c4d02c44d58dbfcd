"""File IDs: what is legal, and how they are given out."""

from __future__ import annotations

import random
import re

import pytest

from dicomdir.elements import element
from dicomdir.errors import DuplicateInstanceError, FileIDError
from dicomdir.file_id import FILES_PER_FOLDER, FileID, allocate_file_ids, integer
from dicomdir.instance import Instance

SEED = 7


def instance(
    uid: str,
    *,
    study: str = "1.1",
    series: str = "1.2",
    numbers: tuple[str, str] = ("1", "1"),
    patient: str = "X",
) -> Instance:
    keys = (
        element(0x00100020, "LO", patient.encode())
        + element(0x00200011, "IS", numbers[0].encode())
        + element(0x00200013, "IS", numbers[1].encode())
    )
    return Instance("1.2.840.10008.5.1.4.1.1.2", uid, "1.2", study, series, keys, 1, 1)


@pytest.mark.parametrize("path", ["A", "DICOM/P0000001/I0000001", "/".join("ABCDEFGH"), "_9_"])
def test_legal(path: str) -> None:
    assert FileID(path).to_value().decode().split("\\") == path.split("/")
    assert FileID(path).components == tuple(path.split("/"))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "A/",
        "a",
        "A.DCM",
        "A-B",
        "A B",
        "ABCDEFGHI",
        "/".join("ABCDEFGHI"),
        "../A",
        "A\\B",
        "A\n",
    ],
)
def test_illegal(path: str) -> None:
    with pytest.raises(FileIDError):
        FileID(path)


def test_counters_in_order_of_numbers() -> None:
    made = allocate_file_ids([
        instance("1.2.2", numbers=("1", "10")),
        instance("1.2.1", numbers=("1", "9")),
        instance("1.3.1", series="1.3", numbers=("", "1")),
        instance("1.4.1", series="1.1", numbers=("2", "1")),
    ])  # fmt: skip
    assert made == {
        "1.2.1": "DICOM/P0000001/ST000001/SE000001/I0000001",
        "1.2.2": "DICOM/P0000001/ST000001/SE000001/I0000002",
        "1.4.1": "DICOM/P0000001/ST000001/SE000002/I0000001",
        "1.3.1": "DICOM/P0000001/ST000001/SE000003/I0000001",
    }
    assert list(made.values()) == sorted(made.values())


def test_the_same_however_they_arrive() -> None:
    chance = random.Random(SEED)
    objects = [
        instance(
            f"1.9.{n}",
            study=f"1.{n % 2}",
            series=f"1.{n % 5}.{n % 2}",
            numbers=(str(n % 5), str(n)),
        )
        for n in range(100)
    ]
    expected = allocate_file_ids(objects)
    for _ in range(5):
        chance.shuffle(objects)
        assert allocate_file_ids(iter(objects)) == expected


def test_names_say_nothing_of_the_patient() -> None:
    one = allocate_file_ids([instance("1.2", patient="SECRET1")])
    assert one == allocate_file_ids([instance("1.2", patient="SECRET2")])
    assert re.fullmatch(r"DICOM/P\d{7}/ST\d{6}/SE\d{6}/I\d{7}", one["1.2"])


def test_large_series_get_folders_of_their_own() -> None:
    count = FILES_PER_FOLDER + 1
    made = allocate_file_ids(instance(f"1.{n}", numbers=("1", str(n))) for n in range(count))
    folders = {path.rpartition("/")[0] for path in made.values()}
    assert len(folders) == 2
    assert made[f"1.{count - 1}"] == "DICOM/P0000001/ST000001/SE000001/D0000002/I0001001"


def test_nothing_and_twice_the_same() -> None:
    assert allocate_file_ids([]) == {}
    with pytest.raises(DuplicateInstanceError):
        allocate_file_ids([instance("1.2"), instance("1.2")])


def test_too_many_studies_to_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dicomdir.file_id._MOST", 20)
    with pytest.raises(FileIDError):
        allocate_file_ids(instance(f"1.{n}", study=f"1.{n}") for n in range(3))


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (b"12 ", 12),
        (b"-3", -3),
        (b"", None),
        (None, None),
        (b"1.5", None),
        (b"+-1", None),
        (b"99999999999", None),
        ("²".encode(), None),
    ],
)
def test_integer(value: bytes | None, number: int | None) -> None:
    assert integer(value) == number
