"""Orders on sticks that cannot be used as they are: one question that says why, for as long as
nobody does anything, and on when somebody does.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from burner.stick import Stick
from kiosk.adapters.media_stick import HouseStickWriter, StickWriter
from kiosk.domain.model import (
    ExecutionStatus,
    MediaChoice,
    Medium,
    Order,
    OrderId,
    Priority,
    Question,
    Wanted,
)
from kiosk.domain.unfit import Unfit, unfit_of
from kiosk.services.parts import Image, IsCancelled, OnCount
from tests.fakes.durable import FakeEngine
from tests.fakes.orders import an_order
from tests.fakes.station import Station

pytestmark = pytest.mark.integration

MIB = 1 << 20
LONG = 60
"""Looks at the drive before the person does something: more than rounds before staff are asked."""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image with 6 MB of files."""
    folder = tmp_path_factory.mktemp("image")
    tree = folder / "tree"
    (tree / "DICOM").mkdir(parents=True)
    dice = random.Random(7)
    for name in ("DICOMDIR", "README.TXT", "DICOM/I1", "DICOM/I2"):
        (tree / name).write_bytes(dice.randbytes(6 * MIB // 4))
    path = folder / "image.iso"
    argv = ["genisoimage", "-quiet", "-iso-level", "1", "-V", "SH0001", "-o", path, tree]
    subprocess.run(argv, check=True)
    return path


def tool(*argv: str | Path) -> None:
    environment = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, env=environment)


def make_stick(path: Path, size: int = 64 * MIB, bits: int = 32) -> None:
    """Put in at once: nobody sees the port empty."""
    fresh = path.with_name("fresh")
    fresh.touch()
    os.truncate(fresh, size)
    small = ["-s", "1"] if bits == 16 else []
    tool("mkfs.vfat", "-F", str(bits), *small, fresh)
    fresh.rename(path)


def small(path: Path) -> None:
    make_stick(path, 5 * MIB, 16)


def exfat(path: Path) -> None:
    make_stick(path)
    overwrite(path, 3, b"EXFAT   ")


def empty_of_all(path: Path) -> None:
    path.touch()
    os.truncate(path, 64 * MIB)


def read_only(path: Path) -> None:
    make_stick(path)
    path.chmod(0o444)


def with_dicomdir(path: Path) -> None:
    make_stick(path)
    tool("mcopy", "-i", path, Path(__file__), "::/DICOMDIR")


def with_our_name(path: Path) -> None:
    make_stick(path)
    tool("mmd", "-i", path, "::/DICOM")


def pulled_too_early(path: Path) -> None:
    make_stick(path)
    overwrite(path, 0x41, b"\x01")


def overwrite(path: Path, offset: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


Person = Callable[["StickStation"], None]


class StickStation(Station):
    """A station with one port, and a person who looks on for a while and then acts.

    Attributes:
        patience: How many looks long.
        actions: What the person does, one after the other.
        questions: Every question that was seen open, in order.
    """

    def __init__(self, folder: Path, image: Path) -> None:
        super().__init__(folder)
        self.brings_blanks = False
        self.path = folder / "port"
        self.actions: list[Person] = []
        self.questions: list[Question] = []
        self.looks, self.patience = 0, 8
        self._iso = image
        writer = StickWriter(Stick(self.path, lock_folder=folder), staging=folder)
        self.parts.drives[Medium.STICK] = [writer]  # type: ignore[index]  # a dict, as it was made
        self.medium = Medium.STICK
        object.__setattr__(self.parts, "compose", self.make_image)  # frozen, but not for a test
        self.during_wait = self.look_on

    def make_image(
        self,
        order: Order,
        medium: Medium,
        folder: Path,
        *,
        inventory: str,
        on_progress: OnCount,
        is_cancelled: IsCancelled,
    ) -> Image:
        shutil.copyfile(self._iso, folder / "image.iso")
        content = self._iso.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        return Image("image.iso", len(content), sha256, "SH0001", 1, 0, "station1")

    def order_stick(self) -> OrderId:
        order = an_order(1)
        self.journal.orders.add(order, actor="test")
        choice = MediaChoice(self.medium)
        return self.jobs.submit(order.order_id, choice, Priority.WAITING_PATIENT, actor="test")

    def look_on(self) -> None:
        (job,) = self.jobs.newest()
        if job.question is None:
            return
        assert job.progress is not None
        assert unfit_of(job.progress.note) is job.question.unfit
        if job.question not in self.questions:
            self.questions.append(job.question)
            self.looks = 0
        self.looks += 1
        if self.looks == self.patience:
            self.looks = 0
            assert self.actions, "nobody knows what to do"
            self.actions.pop(0)(self)

    def answer(self) -> None:
        self.jobs.answer(self.questions[-1].job_id, self.questions[-1].number)

    @property
    def asked_for(self) -> list[tuple[Wanted, Unfit | None]]:
        return [(it.wanted, it.unfit) for it in self.questions]


@pytest.fixture
def one(tmp_path: Path, image: Path) -> Iterator[StickStation]:
    made = StickStation(tmp_path, image)
    yield made
    made.close()


def run(one: StickStation) -> None:
    job_id = one.order_stick()
    FakeEngine(one.parts).run(job_id)
    assert one.jobs.get(job_id).status is ExecutionStatus.DONE
    tool("mtype", "-i", one.path, "::/DICOM/I2")
    assert not one.actions


def swap(one: StickStation) -> None:
    make_stick(one.path)


def pull(one: StickStation) -> None:
    one.path.unlink()


def press(one: StickStation) -> None:
    one.answer()


LARGER = (Wanted.LARGER_MEDIUM, Unfit.TOO_SMALL)


@pytest.mark.parametrize("actions", [[swap], [pull, swap]], ids=["in its place", "out and in"])
def test_a_stick_that_is_too_small_is_asked_about_once(
    one: StickStation, actions: list[Person]
) -> None:
    small(one.path)
    one.patience = LONG
    one.actions = list(actions)
    run(one)
    assert one.asked_for == [LARGER]


def test_an_answer_looks_again_and_asks_again(one: StickStation) -> None:
    small(one.path)
    one.actions = [press, lambda one: (swap(one), press(one))[0]]
    run(one)
    assert one.asked_for == [LARGER, LARGER]
    assert [it.number for it in one.questions] == [1, 2]


@pytest.mark.parametrize(
    ("spoil", "unfit"),
    [
        (exfat, Unfit.OTHER_FILE_SYSTEM),
        (empty_of_all, Unfit.NO_FILE_SYSTEM),
        (read_only, Unfit.READ_ONLY),
        (with_dicomdir, Unfit.HAS_DICOMDIR),
        (with_our_name, Unfit.NAME_COLLISION),
        (pulled_too_early, Unfit.DIRTY),
    ],
)
def test_a_stick_that_is_no_use_is_asked_about_once_and_says_why(
    one: StickStation,
    spoil: Callable[[Path], None],
    unfit: Unfit,
    caplog: pytest.LogCaptureFixture,
) -> None:
    spoil(one.path)
    one.actions = [swap]
    run(one)
    assert one.asked_for == [(Wanted.STICK, unfit)]
    assert sum(f"medium.wanted: {unfit.value}" in line for line in caplog.messages) == 1


def test_what_is_put_in_next_has_its_own_reason(one: StickStation) -> None:
    one.actions = [
        lambda one: exfat(one.path),
        lambda one: small(one.path),
        pull,
        lambda one: read_only(one.path),
        swap,
    ]
    run(one)
    assert one.asked_for == [
        (Wanted.STICK, None),
        (Wanted.STICK, Unfit.OTHER_FILE_SYSTEM),
        LARGER,
        (Wanted.STICK, Unfit.READ_ONLY),
    ]


# --- the facility's own, sealed ones


@pytest.fixture
def house(one: StickStation) -> StickStation:
    """The same port, for sticks of the house."""
    drives = one.parts.drives
    del drives[Medium.STICK]  # type: ignore[attr-defined]  # a dict, as it was made
    writer = HouseStickWriter(Stick(one.path, lock_folder=one.path.parent), staging=one.path.parent)
    drives[Medium.HOUSE_STICK] = [writer]  # type: ignore[index]
    one.medium = Medium.HOUSE_STICK
    return one


def with_a_letter(path: Path) -> None:
    make_stick(path)
    tool("mcopy", "-i", path, Path(__file__), "::/letter.txt")


def new_from_the_box(one: StickStation) -> None:
    empty_of_all(one.path)


def test_somebodys_own_stick_is_not_taken_for_one_of_the_house(house: StickStation) -> None:
    """It comes out as it went in; a new one is made anew and goes on its way."""
    with_a_letter(house.path)
    before = house.path.read_bytes()
    after: list[bytes] = []

    def change(one: StickStation) -> None:
        after.append(one.path.read_bytes())
        one.path.unlink()
        new_from_the_box(one)

    house.actions = [change]
    job_id = house.order_stick()
    FakeEngine(house.parts).run(job_id)
    assert after == [before]
    assert house.asked_for == [(Wanted.STICK, Unfit.NOT_FRESH)]
    assert house.jobs.get(job_id).status is ExecutionStatus.DONE
    assert house.jobs.get(job_id).choice.medium is Medium.HOUSE_STICK
    tool("mtype", "-i", f"{house.path}@@1M", "::/DICOM/I2")


def test_nor_is_one_that_the_kiosk_has_written_before(house: StickStation) -> None:
    with_dicomdir(house.path)
    house.actions = [pull, new_from_the_box]
    job_id = house.order_stick()
    FakeEngine(house.parts).run(job_id)
    assert house.asked_for[0] == (Wanted.STICK, Unfit.NOT_FRESH)
    assert house.jobs.get(job_id).status is ExecutionStatus.DONE


def test_nor_is_a_finished_one_that_waits_for_its_patient(
    house: StickStation, image: Path, tmp_path: Path
) -> None:
    """It is asked about once, and stays as it is: its own job has not handed it over."""
    new_from_the_box(house)
    other = tmp_path / "other.iso"
    other.write_bytes(image.read_bytes().replace(b"SH0001", b"SH0002", 1))
    (writer,) = house.parts.drives[Medium.HOUSE_STICK]
    writer.write(other, on_progress=lambda _at: None, is_cancelled=lambda: False)
    content = other.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    writer.verify(len(content), sha256, on_progress=lambda _at: None)
    before = house.path.read_bytes()
    after: list[bytes] = []

    def change(one: StickStation) -> None:
        after.append(one.path.read_bytes())
        one.path.unlink()
        new_from_the_box(one)

    house.patience = LONG
    house.actions = [change]
    job_id = house.order_stick()
    FakeEngine(house.parts).run(job_id)
    assert after == [before]
    assert house.asked_for == [(Wanted.STICK, Unfit.NOT_FRESH)]
    assert house.jobs.get(job_id).status is ExecutionStatus.DONE
