"""services.write on a stick: an attempt that was cut off is made good on the same stick."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from burner.stick import Stick
from kiosk.adapters.media_stick import StickWriter
from kiosk.domain.model import OrderId, Wanted
from kiosk.domain.unfit import Unfit
from kiosk.ports import LedgerPhase, MediumProgress
from kiosk.services.write import ImageFacts, NeedsMedium, Outcome, Written, write_once
from tests.fakes.media import FakeLedger

pytestmark = pytest.mark.integration

JOB = OrderId("job-a")


class PowerCutError(Exception):
    """The process ends here."""


@pytest.fixture
def image(tmp_path: Path) -> ImageFacts:
    tree = tmp_path / "tree"
    (tree / "DICOM").mkdir(parents=True)
    for name in ("DICOMDIR", "README.TXT", "DICOM/I1", "DICOM/I2"):
        (tree / name).write_bytes(name.encode() * 999)
    path = tmp_path / "image.iso"
    argv = ["genisoimage", "-quiet", "-iso-level", "1", "-V", "SH0001", "-o", path, tree]
    subprocess.run(argv, check=True)
    import hashlib

    content = path.read_bytes()
    return ImageFacts(path, len(content), hashlib.sha256(content).hexdigest(), "SH0001")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "stick"
    path.touch()
    os.truncate(path, 64 * 1024 * 1024)
    subprocess.run(["mkfs.vfat", "-F", "32", path], check=True, stdout=subprocess.DEVNULL)
    return path


def run(
    path: Path,
    ledger: FakeLedger,
    image: ImageFacts,
    cut: Callable[[str, MediumProgress], None] = lambda step, progress: None,
) -> Outcome:
    """A new process each time: nothing but stick and ledger is remembered."""
    writer = StickWriter(Stick(path, lock_folder=path.parent), staging=path.parent)
    return write_once(
        writer,
        ledger,
        JOB,
        image,
        1,
        on_progress=lambda progress: cut("write", progress),
        on_verify_progress=lambda progress: cut("verify", progress),
        is_cancelled=lambda: False,
    )


@pytest.mark.parametrize("step", ["write", "verify"])
@pytest.mark.parametrize("share", [0.01, 0.5, 1.0])
def test_cut_off_and_begun_again(path: Path, image: ImageFacts, step: str, share: float) -> None:
    ledger = FakeLedger()

    def cut(at: str, progress: MediumProgress) -> None:
        if at == step and progress.done_bytes >= share * progress.total_bytes:
            raise PowerCutError

    with pytest.raises(PowerCutError):
        run(path, ledger, image, cut)
    assert ledger.rows["stick"].phase in (LedgerPhase.WRITING, LedgerPhase.CLOSED)
    outcome = run(path, ledger, image)
    assert isinstance(outcome, Written)
    assert ledger.rows["stick"].phase == LedgerPhase.VERIFIED


def test_finished_stick_is_not_written_twice(path: Path, image: ImageFacts) -> None:
    ledger = FakeLedger()
    assert isinstance(run(path, ledger, image), Written)
    StickWriter(Stick(path, lock_folder=path.parent), staging=path.parent).eject()
    before = path.read_bytes()
    outcome = run(path, ledger, image)  # killed before the hand-over was committed
    assert isinstance(outcome, Written)
    assert outcome.is_recovered
    assert path.read_bytes() == before


def test_stick_of_somebody_with_a_file_set(path: Path, image: ImageFacts) -> None:
    ledger = FakeLedger()
    run(path, ledger, image)
    StickWriter(Stick(path, lock_folder=path.parent), staging=path.parent).eject()
    ledger.free("stick")
    outcome = run(path, ledger, image)
    assert isinstance(outcome, NeedsMedium)
    assert outcome.wanted is Wanted.STICK
    assert outcome.unfit is Unfit.HAS_DICOMDIR
    assert outcome.kept is not None


@pytest.mark.parametrize("step", ["write", "verify"])
def test_pulled_out_midway_and_put_in_again(path: Path, image: ImageFacts, step: str) -> None:
    ledger = FakeLedger()
    pocket = path.with_name("pocket")

    def pull(at: str, progress: MediumProgress) -> None:
        if at == step and path.exists():
            path.rename(pocket)

    outcome = run(path, ledger, image, pull)
    assert isinstance(outcome, NeedsMedium)
    assert outcome.wanted is Wanted.STICK
    pocket.rename(path)
    assert isinstance(run(path, ledger, image), Written)


def test_byte_that_comes_back_wrong(path: Path, image: ImageFacts) -> None:
    ledger = FakeLedger()
    spoiled: list[int] = []

    def spoil(at: str, progress: MediumProgress) -> None:
        if progress.done_bytes == progress.total_bytes and not spoiled:
            content = path.read_bytes()
            spoiled.append(content.index(b"DICOM/I1DICOM/I1"))
            with path.open("r+b") as file:
                file.seek(spoiled[0])
                file.write(b"d")

    outcome = run(path, ledger, image, spoil)
    assert isinstance(outcome, NeedsMedium)
    assert (outcome.wanted, outcome.is_disc_spent) == (Wanted.STICK, True)
    assert isinstance(run(path, ledger, image), Written)
