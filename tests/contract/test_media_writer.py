"""The MediaWriter port, on the stand-in and on the real adapters alike."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from burner.simulated import Faults, SimulatedDrive
from burner.stick import Stick
from kiosk.adapters.media_disc import DiscWriter
from kiosk.adapters.media_stick import StickWriter
from kiosk.domain.model import Wanted
from kiosk.errors import (
    MediumError,
    MediumSpoiledError,
    MediumWantedError,
    StoppedError,
    VerifyFailedError,
)
from kiosk.ports import MediaWriter, MediumProgress
from kiosk.services.write import ImageFacts
from tests.fakes.media import FakeDisc, FakeMediaWriter

MIB = 1024 * 1024


@dataclass
class Case:
    """A writer and what a person or fate can do to it."""

    writer: MediaWriter
    insert: Callable[[], None]
    insert_small: Callable[[], None]
    missing: Wanted
    spoil_after: Callable[[], None]  # one byte of the image is wrong on the medium from then on


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> ImageFacts:
    folder = tmp_path_factory.mktemp("image")
    tree = folder / "tree"
    (tree / "DICOM" / "S0").mkdir(parents=True)
    dice = random.Random(11)
    (tree / "DICOMDIR").write_bytes(dice.randbytes(3000))
    (tree / "README.TXT").write_bytes(b"read me")
    for number in range(12):
        content = dice.randbytes(dice.randint(1, 90_000))
        (tree / "DICOM" / "S0" / f"I{number}").write_bytes(content)
    path = folder / "image.iso"
    argv = ["genisoimage", "-quiet", "-iso-level", "1", "-V", "SH0001", "-o", path, tree]
    subprocess.run(argv, check=True)
    content = path.read_bytes()
    return ImageFacts(path, len(content), hashlib.sha256(content).hexdigest(), "SH0001")


def fake_case(folder: Path, image: ImageFacts) -> Case:
    writer = FakeMediaWriter()

    def spoil() -> None:
        assert writer.disc is not None
        assert writer.disc.content is not None
        changed = bytearray(writer.disc.content)
        changed[-1] ^= 1
        writer.disc.content = bytes(changed)

    return Case(
        writer,
        lambda: writer.insert(FakeDisc()),
        lambda: writer.insert(FakeDisc(capacity_blocks=200)),
        Wanted.BLANK_DISC,
        spoil,
    )


def disc_case(folder: Path, image: ImageFacts) -> Case:
    drive = SimulatedDrive(folder / "drive")

    def spoil() -> None:
        disc = drive.look().in_tray
        assert disc is not None
        flip(drive.file_of(disc.name), image.size_bytes - 1)

    return Case(
        DiscWriter(drive),
        lambda: print(drive.insert_blank()),
        lambda: print(drive.insert_blank(capacity_blocks=200)),
        Wanted.BLANK_DISC,
        spoil,
    )


def stick_case(folder: Path, image: ImageFacts) -> Case:
    path = folder / "stick"

    def insert(size: int, bits: int) -> None:
        path.touch()
        os.truncate(path, size)
        small = ["-s", "1"] if bits == 16 else []
        argv = ["mkfs.vfat", "-F", str(bits), *small, path]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
        if bits == 16:  # nearly full
            photo = folder / "photo"
            photo.write_bytes(bytes(4 * MIB))
            argv = ["mcopy", "-i", path, photo, "::/PHOTO"]
            subprocess.run(argv, check=True)

    def spoil() -> None:
        instance = image.path.parent / "tree" / "DICOM" / "S0" / "I3"
        flip(path, path.read_bytes().index(instance.read_bytes()[:512]))

    return Case(
        StickWriter(Stick(path, lock_folder=folder), staging=folder),
        lambda: insert(64 * MIB, 32),
        lambda: insert(5 * MIB - 512 * 1024, 16),
        Wanted.STICK,
        spoil,
    )


def flip(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


CASES = [
    fake_case,
    pytest.param(disc_case, marks=pytest.mark.integration),
    pytest.param(stick_case, marks=pytest.mark.integration),
]


@pytest.fixture(params=CASES, ids=["fake", "disc", "stick"])
def case(request: pytest.FixtureRequest, tmp_path: Path, image: ImageFacts) -> Case:
    return request.param(tmp_path, image)  # type: ignore[no-any-return]  # one of CASES


def no_progress(progress: MediumProgress) -> None:
    """Nobody looks."""


def write(case: Case, image: ImageFacts) -> None:
    case.writer.write(image.path, on_progress=no_progress, is_cancelled=lambda: False)


def test_nothing_in(case: Case, image: ImageFacts) -> None:
    assert case.writer.inspect().wanted is case.missing
    with pytest.raises(MediumWantedError) as caught:
        write(case, image)
    assert caught.value.reason == case.missing.name


def test_blank(case: Case) -> None:
    case.insert()
    loaded = case.writer.inspect()
    assert loaded.wanted is None
    assert loaded.capacity_blocks > 1000
    assert loaded.volume_id == ""


def test_write_verify_read_eject(case: Case, image: ImageFacts) -> None:
    case.insert()
    seen: list[MediumProgress] = []
    case.writer.write(image.path, on_progress=seen.append, is_cancelled=lambda: False)
    assert seen
    assert [p.done_bytes for p in seen] == sorted(p.done_bytes for p in seen)
    assert seen[-1].done_bytes == seen[-1].total_bytes > 0
    assert case.writer.inspect().volume_id == "SH0001"
    read_back: list[MediumProgress] = []
    medium = case.writer.verify(image.size_bytes, image.sha256, on_progress=read_back.append)
    assert (medium.sha256, medium.image_bytes) == (image.sha256, image.size_bytes)
    assert read_back[-1].done_bytes >= read_back[-1].total_bytes > 0
    content = image.path.read_bytes()
    dice = random.Random(2)
    for _ in range(50):
        offset = dice.randrange(len(content))
        size = min(dice.randrange(100_000), len(content) - offset)
        assert case.writer.read(offset, size) == content[offset : offset + size]
    case.writer.eject()
    case.writer.eject()


def test_wrong_byte_on_the_medium(case: Case, image: ImageFacts) -> None:
    case.insert()
    write(case, image)
    case.spoil_after()
    with pytest.raises(VerifyFailedError):
        case.writer.verify(image.size_bytes, image.sha256, on_progress=no_progress)


def test_another_image_than_was_written(case: Case, image: ImageFacts) -> None:
    case.insert()
    write(case, image)
    with pytest.raises(VerifyFailedError):
        case.writer.verify(image.size_bytes, "0" * 64, on_progress=no_progress)


def test_too_small(case: Case, image: ImageFacts) -> None:
    case.insert_small()
    assert case.writer.inspect().wanted is None
    with pytest.raises(MediumWantedError) as caught:
        write(case, image)
    assert caught.value.reason == Wanted.LARGER_MEDIUM.name
    assert case.writer.inspect().wanted is None  # as it was


def test_cancelled_before(case: Case, image: ImageFacts) -> None:
    case.insert()
    with pytest.raises((StoppedError, MediumSpoiledError)):
        case.writer.write(image.path, on_progress=no_progress, is_cancelled=lambda: True)


def test_image_missing(case: Case, image: ImageFacts, tmp_path: Path) -> None:
    case.insert()
    with pytest.raises((MediumError, FileNotFoundError)):
        case.writer.write(tmp_path / "no", on_progress=no_progress, is_cancelled=lambda: False)
    assert case.writer.inspect().wanted is None


@pytest.mark.integration
@pytest.mark.parametrize(
    ("faults", "error"),
    [
        (Faults(write_error_percent=50), "MediumSpoiledError"),
        (Faults(is_gone=True), "DriveFaultError"),
    ],
)
def test_faults_of_the_drive(tmp_path: Path, image: ImageFacts, faults: Faults, error: str) -> None:
    drive = SimulatedDrive(tmp_path / "drive")
    drive.insert_blank()
    drive.set_faults(faults)
    with pytest.raises(MediumError) as caught:
        DiscWriter(drive).write(image.path, on_progress=no_progress, is_cancelled=lambda: False)
    assert type(caught.value).__name__ == error
    assert str(image.path) not in str(caught.value)
