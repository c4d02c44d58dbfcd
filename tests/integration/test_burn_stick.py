"""mtools on image files and, where the system allows it, loop devices: files arrive whole,
strangers' stay as they are.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from burner import mtools, stick_files
from burner.devices.policy import require_stick
from burner.errors import (
    BurnerError,
    CancelledError,
    DriveError,
    EngineError,
    MediumTooSmallError,
    NoMediumError,
    SpoiledMediumError,
    UnsuitableStickError,
    VerificationError,
)
from burner.mtools import FatTarget
from burner.stick import Stick
from burner.stick_files import MARKER, VERIFIED, StickFile, copy_batch
from burner.stick_format import format_stick
from burner.stick_volume import open_volume
from kiosk import bootstrap
from kiosk.config import Config, DriveConfig, StoreConfig
from kiosk.errors import DriveFaultError
from tests.faulty_stick import (
    FaultyStick,
    FoldingStick,
    ForgetfulStick,
    UnreadableStick,
    UnwritableStick,
)

pytestmark = pytest.mark.integration

MIB = 1024 * 1024
ENVIRONMENT = {**os.environ, "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C"}


def tool(*argv: str | Path, fails: bool = False) -> str:
    done = subprocess.run(
        [str(word) for word in argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=ENVIRONMENT,
    )
    assert (done.returncode != 0) == fails, done.stdout
    return done.stdout


def make_fat(path: Path, *, size: int = 64 * MIB, bits: int = 32, label: str = "MY STICK") -> Path:
    """A stick without a partition table, as some are sold."""
    with path.open("wb") as file:
        file.truncate(size)
    small = ["-s", "1"] if size < 16 * MIB else []
    tool("mkfs.vfat", "-F", str(bits), *small, "-n", label, path)
    return path


def make_files(folder: Path, *, seed: int = 5) -> list[StickFile]:
    """A volume's files as extents of one image, DICOMDIR first as the image has it."""
    dice = random.Random(seed)
    sizes = {
        "DICOMDIR": 3000,
        "README.TXT": 700,
        "INDEX.HTM": 0,
        "IHE_PDI/STYLE.CSS": 1,
        **{f"DICOM/P0/S{n // 40}/I{n:04}": dice.randint(1, 40_000) for n in range(90)},
        "DICOM/P0/BIG": 3 * MIB + 17,
    }
    source = folder / "image"
    files = []
    with source.open("wb") as image:
        for path, size in sizes.items():
            image.write(dice.randbytes(100))  # extents do not touch
            files.append(StickFile(path, source, image.tell(), size))
            image.write(dice.randbytes(size))
    return files


def content_of(file: StickFile) -> bytes:
    return file.source.read_bytes()[file.offset : file.offset + file.size]


@pytest.fixture
def files(tmp_path: Path) -> list[StickFile]:
    return make_files(tmp_path)


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    path = tmp_path / "staging"
    path.mkdir()
    return path


def nothing(done: int, total: int) -> None:
    """Nobody looks."""


def stick_of(path: Path) -> Stick:
    return Stick(path, lock_folder=path.parent)


def write(stick: Stick, files: list[StickFile], staging: Path) -> None:
    stick.write(files, "SH_TEST", staging=staging, on_progress=nothing)


def write_and_verify(stick: Stick, files: list[StickFile], staging: Path) -> None:
    write(stick, files, staging)
    stick.verify(files, staging=staging, on_progress=nothing)
    assert stick.release()
    assert list(staging.iterdir()) == []


def assert_holds(path: Path, files: list[StickFile], *, offset: int = 0) -> None:
    """By mtools, and by fsck where it can."""
    for file in files:
        assert subprocess.run(
            ["mtype", "-i", f"{path}@@{offset}", f"::/{file.path}"],
            capture_output=True,
            env=ENVIRONMENT,
        ).stdout == content_of(file)
    if offset == 0:
        tool("fsck.vfat", "-n", path)


@pytest.mark.parametrize("bits", [16, 32])
def test_superfloppy(tmp_path: Path, files: list[StickFile], staging: Path, bits: int) -> None:
    path = make_fat(tmp_path / "stick", bits=bits)
    write_and_verify(stick_of(path), files, staging)
    assert_holds(path, files)
    assert "MY STICK" in tool("mlabel", "-s", "-i", path, "::")
    assert "SENDHOME" not in tool("mdir", "-b", "-a", "-i", path, "::/")


def test_house_stick(tmp_path: Path, files: list[StickFile], staging: Path) -> None:
    path = tmp_path / "stick"
    path.write_bytes(random.Random(1).randbytes(MIB))
    os.truncate(path, 100 * MIB)
    format_stick(path, "SH0001", lock_folder=tmp_path)
    write_and_verify(stick_of(path), files, staging)
    assert_holds(path, files, offset=MIB)
    assert "SH0001" in tool("mlabel", "-s", "-i", f"{path}@@1M", "::")
    table = path.read_bytes()[:512]
    assert (table[450], table[510:]) == (0x0C, b"\x55\xaa")
    assert 'TYPE="vfat"' in tool("blkid", "-p", "-O", str(MIB), path)


def test_strangers_files_stay_to_the_byte(
    tmp_path: Path, files: list[StickFile], staging: Path
) -> None:
    path = make_fat(tmp_path / "stick")
    dice = random.Random(3)
    mine = tmp_path / "Holiday photos in March.jpeg"
    mine.write_bytes(dice.randbytes(300_000))
    tool("mmd", "-i", path, "::/Letters of mine")
    tool("mcopy", "-m", "-i", path, mine, "::/Letters of mine/")
    tool("mcopy", "-m", "-i", path, mine, "::/")
    before = tool("mdir", "-/", "-a", "-i", path, "::/Letters of mine")
    write_and_verify(stick_of(path), files, staging)
    assert_holds(path, files)
    for place in ("::/Letters of mine/", "::/"):
        back = tmp_path / "back"
        tool("mcopy", "-n", "-i", path, place + mine.name, back)
        assert back.read_bytes() == mine.read_bytes()
    after = tool("mdir", "-/", "-a", "-i", path, "::/Letters of mine")
    free = "bytes free"
    assert [line for line in before.splitlines() if free not in line] == [
        line for line in after.splitlines() if free not in line
    ]


def put(path: Path, name: str, content: bytes = b"x", *, offset: int = 0) -> None:
    source = path.with_name("put")
    source.write_bytes(content)
    tool("mcopy", "-D", "o", "-i", f"{path}@@{offset}", source, f"::/{name}")


def damage(path: Path, offset: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


REFUSALS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "foreign DICOMDIR": ("has_dicomdir", lambda p: put(p, "DICOMDIR")),
    "foreign dicomdir by long name": ("has_dicomdir", lambda p: put(p, "dicomdir")),
    "our folder's name": ("name_collision", lambda p: tool("mmd", "-i", p, "::/ihe_pdi")),
    "our file's name": ("name_collision", lambda p: put(p, "ReadMe.txt")),
    "exFAT": ("other_file_system", lambda p: damage(p, 3, b"EXFAT   ")),
    "NTFS": ("other_file_system", lambda p: damage(p, 3, b"NTFS    ")),
    "nothing": ("no_file_system", lambda p: damage(p, 0, bytes(1024))),
    "GPT": (
        "other_file_system",
        lambda p: damage(p, 0, bytes(450) + b"\xee" + bytes(11) + bytes(48) + b"\x55\xaa"),
    ),
    "noise": ("no_file_system", lambda p: damage(p, 0, random.Random(1).randbytes(4096))),
    "not removed cleanly": ("dirty", lambda p: damage(p, 0x41, b"\x01")),
    "hard errors": ("dirty", lambda p: damage(p, 32 * 512 + 4, b"\xff\xff\xff\x03")),
    "tables differ": ("dirty", lambda p: damage(p, 32 * 512 + 400, b"\x03\x00\x00\x00")),
    "cluster size 3": ("damaged", lambda p: damage(p, 13, b"\x03")),
    "root outside": ("damaged", lambda p: damage(p, 44, b"\xff\xff\xff\x0f")),
    "larger than the medium": ("damaged", lambda p: os.truncate(p, 40 * MIB)),
    "write-protected": ("read_only", lambda p: p.chmod(0o444)),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals_change_nothing(
    tmp_path: Path, files: list[StickFile], staging: Path, case: str
) -> None:
    reason, spoil = REFUSALS[case]
    path = make_fat(tmp_path / "stick")
    spoil(path)
    before = hashlib.sha256(path.read_bytes()).digest()
    with pytest.raises(UnsuitableStickError) as caught:
        write(stick_of(path), files, staging)
    assert caught.value.reason == reason
    assert hashlib.sha256(path.read_bytes()).digest() == before


def test_no_stick(tmp_path: Path, files: list[StickFile], staging: Path) -> None:
    stick = stick_of(tmp_path / "nothing")
    with pytest.raises(NoMediumError):
        stick.inspect()
    with pytest.raises(NoMediumError):
        write(stick, files, staging)
    assert not stick.release()


def test_too_small_is_seen_before(tmp_path: Path, files: list[StickFile], staging: Path) -> None:
    path = make_fat(tmp_path / "stick", size=6 * MIB, bits=16)
    put(path, "PHOTO.JPG", bytes(2 * MIB))
    before = path.read_bytes()
    with pytest.raises(MediumTooSmallError):
        write(stick_of(path), files, staging)
    assert path.read_bytes() == before


def test_file_that_fat_cannot_take(tmp_path: Path, staging: Path) -> None:
    source = tmp_path / "huge"
    source.touch()
    os.truncate(source, 4 * 1024 * MIB)
    path = make_fat(tmp_path / "stick")
    files = [StickFile("DICOMDIR", source, 0, 1), StickFile("HUGE", source, 0, 4 * 1024 * MIB)]
    with pytest.raises(UnsuitableStickError) as caught:
        write(stick_of(path), files, staging)
    assert caught.value.reason == "file_too_large"


@pytest.mark.parametrize(
    "names",
    [
        ["README.TXT"],  # no DICOMDIR
        ["DICOMDIR", "readme.txt"],
        ["DICOMDIR", "../ETC/PASSWD"],
        ["DICOMDIR", "A/B/C/D/E/F/G/H/I"],
        ["DICOMDIR", "TOOLONGNAME"],
        ["DICOMDIR", "A", "A"],
        ["DICOMDIR", MARKER],
        ["DICOMDIR", ""],
        ["DICOMDIR", "-I"],
    ],
)
def test_names_that_are_not_ours_to_give(tmp_path: Path, staging: Path, names: list[str]) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x")
    path = make_fat(tmp_path / "stick")
    with pytest.raises(EngineError):
        write(stick_of(path), [StickFile(name, source, 0, 1) for name in names], staging)


def test_image_that_changes_meanwhile_or_ends_too_soon(
    tmp_path: Path, files: list[StickFile], staging: Path
) -> None:
    path = make_fat(tmp_path / "stick")
    stick = stick_of(path)
    write(stick, files, staging)
    last = files[-1]
    damage(last.source, last.offset, b"changed")
    with pytest.raises(VerificationError):
        stick.verify(files, staging=staging, on_progress=nothing)
    os.truncate(last.source, last.offset + last.size - 1)
    with pytest.raises(EngineError, match="shorter"):
        write(stick, files, staging)
    assert list(staging.iterdir()) == []


def test_flipped_bit_on_the_stick(tmp_path: Path, files: list[StickFile], staging: Path) -> None:
    path = make_fat(tmp_path / "stick")
    stick = stick_of(path)
    write(stick, files, staging)
    content = path.read_bytes()
    at = content.index(content_of(files[-1])[-4096:-2048])
    damage(path, at, bytes([content[at] ^ 1]))
    with pytest.raises(VerificationError):
        stick.verify(files, staging=staging, on_progress=nothing)
    assert not stick.release()
    assert stick.inspect().unfinished == "SH_TEST"


@pytest.mark.parametrize("lost", ["DICOM/P0/S1/I0050", "README.TXT", "DICOM/P0/S0"])
def test_file_that_is_not_there(
    tmp_path: Path, files: list[StickFile], staging: Path, lost: str
) -> None:
    path = make_fat(tmp_path / "stick")
    stick = stick_of(path)
    write(stick, files, staging)
    tool("mdeltree", "-i", path, f"::/{lost}")
    with pytest.raises(VerificationError):
        stick.verify(files, staging=staging, on_progress=nothing)


def test_cancel_takes_everything_away(
    tmp_path: Path, files: list[StickFile], staging: Path
) -> None:
    path = make_fat(tmp_path / "stick")
    put(path, "PHOTO.JPG", b"mine")
    before = tool("mdir", "-/", "-b", "-i", path, "::")
    seen: list[int] = []
    with pytest.raises(CancelledError) as caught:
        stick_of(path).write(
            files,
            "SH_TEST",
            staging=staging,
            on_progress=lambda done, total: seen.append(done),
            is_cancelled=lambda: len(seen) > 1,
        )
    assert not caught.value.spoiled
    assert tool("mdir", "-/", "-b", "-i", path, "::") == before
    write_and_verify(stick_of(path), files, staging)


@pytest.mark.parametrize("is_undone", [True, False])
def test_cancel_in_the_middle_of_a_large_file(
    tmp_path: Path, staging: Path, monkeypatch: pytest.MonkeyPatch, is_undone: bool
) -> None:
    """The file ends there; on a stick where nothing can be taken away, the mark stays."""
    path = make_fat(tmp_path / "stick", size=200 * MIB)
    photo = random.Random(4).randbytes(3 * MIB)
    put(path, "PHOTO.JPG", photo)
    put(path, "LETTER.TXT", b"mine")
    listed = tool("mdir", "-/", "-b", "-i", path, "::")
    source = tmp_path / "image"
    source.write_bytes(random.Random(6).randbytes(MIB) * 90)
    files = [
        StickFile("DICOMDIR", source, 0, 3000),
        StickFile("DICOM/LARGE", source, 100, 80 * MIB),
        StickFile("DICOM/NEXT", source, 100, MIB),
    ]
    handed: list[int] = []
    sendfile = os.sendfile

    def slowly(out: int, of: int, offset: int, count: int) -> int:
        threading.Event().wait(0.05)  # about the pace of a USB 2 stick
        handed.append(offset)
        return sendfile(out, of, offset, count)

    def refuse(target: FatTarget, name: str) -> None:
        raise SpoiledMediumError("write error")

    stick = stick_of(path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "sendfile", slowly)
        if not is_undone:
            patched.setattr(mtools, "delete_tree", refuse)
        with pytest.raises(CancelledError) as caught:
            stick.write(
                files,
                "SH_TEST",
                staging=staging,
                on_progress=nothing,
                is_cancelled=lambda: len(handed) > 8,
            )
    assert 8 < len(handed) < 60  # not to the end of the file
    assert caught.value.spoiled is not is_undone
    assert list(staging.iterdir()) == []
    assert (tool("mdir", "-/", "-b", "-i", path, "::") == listed) is is_undone
    assert stick.inspect().unfinished == ("" if is_undone else "SH_TEST")
    tool("fsck.vfat", "-n", path)  # no cluster lost
    write_and_verify(stick, files, staging)
    assert_holds(path, files)
    back = tmp_path / "back"
    tool("mcopy", "-n", "-i", path, "::/PHOTO.JPG", back)
    assert back.read_bytes() == photo
    assert tool("mtype", "-i", path, "::/LETTER.TXT") == "mine"


def test_a_stick_that_fails_while_it_settles_is_spoiled(
    tmp_path: Path, staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system tells of a failed write once; whoever writes out must not lose it."""
    path = make_fat(tmp_path / "stick", size=100 * MIB)
    source = tmp_path / "image"
    source.write_bytes(bytes(30 * MIB))
    files = [
        StickFile("DICOMDIR", source, 0, 3000),
        StickFile("LARGE", source, 0, 30 * MIB),
    ]
    fsync = os.fsync
    feeding: list[int] = []

    def fail_once(descriptor: int) -> None:
        if threading.current_thread().name == "feeding" and not feeding:
            feeding.append(descriptor)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail_once)
    with pytest.raises(SpoiledMediumError, match="the stick fails"):
        write(stick_of(path), files, staging)
    assert stick_of(path).inspect().unfinished == "SH_TEST"


def test_cut_off_stick_is_recognised_and_written_again(
    tmp_path: Path, files: list[StickFile], staging: Path
) -> None:
    """Whatever moment it was: the mark names what is ours, a stranger's files stay."""
    path = make_fat(tmp_path / "stick")
    put(path, "PHOTO.JPG", b"mine")
    states: list[Path] = []

    def keep(done: int, total: int) -> None:
        copy = tmp_path / f"state-{len(states)}"
        shutil.copyfile(path, copy)
        states.append(copy)

    stick = stick_of(path)
    stick.write(files, "SH_TEST", staging=staging, on_progress=keep)
    stick.verify(files, staging=staging, on_progress=nothing)
    keep(0, 0)
    assert len(states) > 4
    for state in states:
        again = stick_of(state)
        assert again.inspect().unfinished == "SH_TEST"
        write_and_verify(again, files, staging)
        assert_holds(state, [file for file in files if file.size < 10_000])
        assert "PHOTO.JPG" in tool("mdir", "-b", "-i", state, "::/")


@pytest.mark.parametrize(
    "mark",
    [
        b"",
        b"{",
        b"[]",
        b"x" * 5000,
        b'{"volume_id": "A", "names": 3}',
        b'{"volume_id": "A", "names": ["*", "../PHOTO.JPG", "photo.jpg", "P*", 3]}',
        b'{"volume_id": "A", "names": ["SENDHOME.TMP", "SENDHOME.OK"]}',
    ],
)
def test_hostile_mark_deletes_nothing(
    tmp_path: Path, files: list[StickFile], staging: Path, mark: bytes
) -> None:
    path = make_fat(tmp_path / "stick")
    put(path, "PHOTO.JPG", b"mine")
    put(path, MARKER, mark)
    with contextlib.suppress(BurnerError):  # refused or written, but nothing else
        write_and_verify(stick_of(path), files, staging)
    assert tool("mtype", "-i", path, "::/PHOTO.JPG") == "mine"


@pytest.mark.parametrize("is_verified", [True, False])
def test_all_of_an_earlier_try_goes(
    tmp_path: Path, files: list[StickFile], staging: Path, is_verified: bool
) -> None:
    """Another patient's pages perhaps: nothing would name them when the mark has gone."""
    path = make_fat(tmp_path / "stick")
    put(path, "PHOTO.JPG", b"mine")
    tool("mmd", "-i", path, "::/VIEWER")
    put(path, "VIEWER/PACK.JS", b"somebody else's")
    put(path, "REPORT.PDF", b"somebody else's")
    put(path, MARKER, b'{"volume_id": "A", "names": ["VIEWER", "REPORT.PDF", "DICOM"]}')
    if is_verified:
        put(path, VERIFIED)
    write_and_verify(stick_of(path), files, staging)
    assert_holds(path, [file for file in files if file.size < 10_000])
    names = {file.path.split("/")[0] for file in files} | {"PHOTO.JPG"}
    listed = tool("mdir", "-b", "-a", "-i", path, "::/").split()
    assert {line.removeprefix("::/").rstrip("/") for line in listed} == names
    assert tool("mtype", "-i", path, "::/PHOTO.JPG") == "mine"


def test_a_stick_that_may_not_be_opened_is_not_called_write_protected(tmp_path: Path) -> None:
    """Another stick would not help: it is the machine's set-up."""
    path = make_fat(tmp_path / "stick")
    path.chmod(0o200)
    program = f"""
import os
from pathlib import Path
from burner.errors import DriveError
from burner.stick_volume import claimed
if os.getuid() == 0:
    os.setuid(65534)
try:
    with claimed(Path({str(path)!r})):
        print("opened")
except DriveError as error:
    print(error)
"""
    said = tool(sys.executable, "-P", "-c", program)
    assert "no right to open the stick" in said
    assert "sendhome doctor" in said


def test_read_of_a_part(tmp_path: Path, files: list[StickFile], staging: Path) -> None:
    path = make_fat(tmp_path / "stick")
    stick = stick_of(path)
    write(stick, files, staging)
    big = files[-1]
    dice = random.Random(9)
    for _ in range(20):
        offset, size = dice.randrange(big.size), dice.randrange(100_000)
        assert stick.read(big, offset, size) == content_of(big)[offset : offset + size]


def test_fuzzed_volumes_end_in_a_refusal(
    tmp_path: Path, files: list[StickFile], staging: Path
) -> None:
    """Noise in boot sector, tables and root: an answer in words, never an endless loop or another
    error.
    """
    seed = int(os.environ.get("STICK_SEED", random.SystemRandom().randrange(2**32)))
    print(f"STICK_SEED={seed}")
    dice = random.Random(seed)
    path = make_fat(tmp_path / "stick", size=5 * MIB, bits=16)
    for n in range(20):
        put(path, f"FILE{n}", dice.randbytes(5000))
    original = path.read_bytes()
    refused = 0
    for _ in range(300):
        content = bytearray(original)
        for _ in range(dice.randint(1, 6)):
            at = dice.choice([dice.randrange(64), dice.randrange(40_960), dice.randrange(70_000)])
            content[at] = dice.randrange(256)
        path.write_bytes(content)
        try:
            stick_of(path).inspect()
        except BurnerError:
            refused += 1
    assert refused > 30


# --- sticks that fail or lie


FAULTY: dict[str, type[FaultyStick]] = {
    "folds": FoldingStick,
    "forgets": ForgetfulStick,
    "fails to write": UnwritableStick,
    "fails to read": UnreadableStick,
}


@pytest.fixture(params=FAULTY)
def faulty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A stick that is good only up to its real end. A file of a file system of ours."""
    try:
        with FAULTY[request.param](tmp_path / "faulty") as disk:
            yield disk.folder / "stick"
    except PermissionError as error:
        pytest.skip(str(error))


def test_house_stick_that_holds_less_than_it_says(
    tmp_path: Path, faulty: Path, request: pytest.FixtureRequest
) -> None:
    faulty.touch()
    os.truncate(faulty, 128 * MIB)
    with pytest.raises((UnsuitableStickError, SpoiledMediumError)) as caught:
        format_stick(faulty, "SH0001", lock_folder=tmp_path)
    if isinstance(caught.value, UnsuitableStickError):
        assert caught.value.reason == "false_capacity"
    else:
        assert "fails to write" in request.node.name


def test_own_stick_that_holds_less_than_it_says_is_never_good(
    tmp_path: Path, staging: Path, faulty: Path
) -> None:
    """Nothing is probed on somebody's stick: the read-back finds it, whoever reads."""
    source = tmp_path / "large"
    source.write_bytes(random.Random(2).randbytes(FaultyStick.REAL_BYTES + 4 * MIB))
    files = [
        StickFile("DICOMDIR", source, 0, 3000),
        StickFile("LARGE", source, 3000, FaultyStick.REAL_BYTES + 3 * MIB),
    ]
    plain = make_fat(tmp_path / "plain", size=128 * MIB)
    with plain.open("rb") as whole, faulty.open("wb") as stick:
        stick.write(whole.read(4 * MIB))  # all that mkfs wrote
    os.truncate(faulty, 128 * MIB)
    with pytest.raises((VerificationError, UnsuitableStickError, SpoiledMediumError)):
        write_and_verify(stick_of(faulty), files, staging)
    with pytest.raises((VerificationError, UnsuitableStickError)):
        stick_of(faulty).compare(files, on_progress=nothing)


def test_full_midway_takes_everything_away(
    tmp_path: Path, files: list[StickFile], staging: Path
) -> None:
    """Room is not judged beforehand where our own earlier try has to go first."""
    path = make_fat(tmp_path / "stick", size=6 * MIB, bits=16)
    photo = random.Random(4).randbytes(3 * MIB)
    put(path, "PHOTO.JPG", photo)
    put(path, "README.TXT", b"of an earlier try")
    put(path, MARKER, b'{"volume_id": "SH_TEST", "names": ["README.TXT"]}')
    with pytest.raises(MediumTooSmallError):
        write(stick_of(path), files, staging)
    back = tmp_path / "back"
    tool("mcopy", "-n", "-i", path, "::/PHOTO.JPG", back)
    assert back.read_bytes() == photo
    assert tool("mdir", "-/", "-b", "-i", path, "::").split() == ["::/PHOTO.JPG"]
    tool("fsck.vfat", "-n", path)


# --- ports: links that lead to another stick as soon as another one is in


@pytest.fixture
def port(tmp_path: Path) -> Path:
    """udev's link of a port, to the stick "mine"; "other" is somebody's."""
    mine, other = make_fat(tmp_path / "mine"), make_fat(tmp_path / "other")
    put(mine, "PHOTO.JPG", b"mine")
    put(other, "README.TXT", b"somebody else's")
    tool("mmd", "-i", other, "::/DICOM")
    link = tmp_path / "port"
    link.symlink_to(mine)
    return link


def change_stick(link: Path) -> None:
    link.unlink()
    link.symlink_to(link.with_name("other"))


@pytest.mark.parametrize("is_cancelled", [True, False])
def test_a_change_in_the_port_midway_does_nothing_to_the_other_stick(
    port: Path, files: list[StickFile], staging: Path, is_cancelled: bool
) -> None:
    before = digest_of(port.with_name("other"))
    seen: list[int] = []

    def change(done: int, total: int) -> None:
        if not seen:
            change_stick(port)
        seen.append(done)

    stick = stick_of(port)
    with pytest.raises(CancelledError) if is_cancelled else contextlib.nullcontext():
        stick.write(
            files,
            "SH_TEST",
            staging=staging,
            on_progress=change,
            is_cancelled=lambda: is_cancelled and bool(seen),
        )
    assert digest_of(port.with_name("other")) == before
    mine = port.with_name("mine")
    assert tool("mtype", "-i", mine, "::/PHOTO.JPG") == "mine"
    assert ("README.TXT" in tool("mdir", "-b", "-i", mine, "::/")) is not is_cancelled


@pytest.mark.parametrize("is_cancelled", [True, False])
def test_another_stick_under_the_same_name_is_left_alone(
    port: Path, files: list[StickFile], staging: Path, is_cancelled: bool
) -> None:
    """As after a node was given away anew; of image files, which nobody claims."""
    before = digest_of(port.with_name("other"))
    seen: list[int] = []

    def change(done: int, total: int) -> None:
        if not seen:
            port.with_name("mine").rename(port.with_name("gone"))
            port.with_name("other").rename(port.with_name("mine"))
        seen.append(done)

    stick = stick_of(port)
    with pytest.raises(CancelledError if is_cancelled else NoMediumError):
        stick.write(
            files,
            "SH_TEST",
            staging=staging,
            on_progress=change,
            is_cancelled=lambda: is_cancelled and bool(seen),
        )
    assert digest_of(port.with_name("mine")) == before
    assert stick_of(port.with_name("gone")).inspect().unfinished == "SH_TEST"


def test_what_is_made_anew_is_what_was_agreed_to(port: Path) -> None:
    """Asked at the claimed node, and again at the one that mkfs is given."""
    before = digest_of(port.with_name("other"))
    mine = port.with_name("mine").stat().st_ino
    asked: list[int] = []

    def require(descriptor: int) -> None:
        if not asked:
            change_stick(port)
        asked.append(os.fstat(descriptor).st_ino)

    format_stick(port, "SH0001", lock_folder=port.parent, require=require)
    assert asked == [mine, mine]
    assert digest_of(port.with_name("other")) == before
    assert "SH0001" in tool("mlabel", "-s", "-i", f"{port.with_name('mine')}@@1M", "::")


def test_nothing_is_made_on_what_is_no_longer_agreed_to(port: Path) -> None:
    asked: list[int] = []

    def require(descriptor: int) -> None:
        asked.append(descriptor)
        if len(asked) == 2:
            raise DriveError("another one")

    with pytest.raises(DriveError, match="another one"):
        format_stick(port, "SH0001", lock_folder=port.parent, require=require)
    assert not any(port.read_bytes()[MIB : MIB + 512])


# --- block devices


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Callable[[Path, bool], Path]]:
    devices: list[str] = []

    def attach(path: Path, is_read_only: bool = False) -> Path:
        argv = ["losetup", "-f", "--show", *(["-r"] if is_read_only else []), str(path)]
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip("no loop devices here")
        devices.append(done.stdout.strip())
        return Path(devices[-1])

    yield attach
    for device in devices:
        subprocess.run(["losetup", "-d", device], check=True)


def test_block_device(
    tmp_path: Path,
    files: list[StickFile],
    staging: Path,
    loop: Callable[[Path, bool], Path],
) -> None:
    path = tmp_path / "backing"
    path.touch()
    os.truncate(path, 100 * MIB)
    node = loop(path, False)
    format_stick(node, "SH0001", lock_folder=tmp_path)
    stick = Stick(node, lock_folder=tmp_path)
    write_and_verify(stick, files, staging)
    assert_holds(node, files, offset=MIB)


def test_read_only_device(
    tmp_path: Path,
    files: list[StickFile],
    staging: Path,
    loop: Callable[[Path, bool], Path],
) -> None:
    node = loop(make_fat(tmp_path / "backing"), True)
    with pytest.raises(UnsuitableStickError) as caught:
        write(Stick(node, lock_folder=tmp_path), files, staging)
    assert caught.value.reason == "read_only"


def test_device_whose_end_is_missing(
    tmp_path: Path,
    files: list[StickFile],
    staging: Path,
    loop: Callable[[Path, bool], Path],
) -> None:
    """The file behind the device is cut off: writes beyond fail, mcopy says nothing of it."""
    backing = make_fat(tmp_path / "backing")
    node = loop(backing, False)
    os.truncate(backing, 2 * MIB)
    stick = Stick(node, lock_folder=tmp_path)
    with pytest.raises(BurnerError):
        write_and_verify(stick, files, staging)


def test_a_configured_disk_that_is_no_stick_is_left_alone(
    tmp_path: Path,
    files: list[StickFile],
    staging: Path,
    loop: Callable[[Path, bool], Path],
) -> None:
    """It takes files in all respects, but is not on USB: another disk got the configured name."""
    backing = make_fat(tmp_path / "backing")
    before = backing.read_bytes()
    store = StoreConfig(spool_dir=tmp_path)
    node = loop(backing, False)
    drive = DriveConfig("usb1", "stick", str(node))
    writer = bootstrap.writer(Config(store=store, drives=(drive,)), drive)
    with pytest.raises(DriveFaultError, match="no removable USB stick"):
        writer.inspect()
    with pytest.raises(DriveFaultError, match="no removable USB stick"):
        writer.eject()
    with pytest.raises(DriveError, match="no removable USB stick"):
        write(Stick(node, lock_folder=tmp_path, require=require_stick), files, staging)
    assert backing.read_bytes() == before


# --- what is handed to mtools without a copy in between


@pytest.mark.parametrize("at", ["first", "middle", "last"])
@pytest.mark.parametrize("what", ["missing", "short"])
def test_a_source_that_fails_ends_the_writing(
    tmp_path: Path, files: list[StickFile], staging: Path, what: str, at: str
) -> None:
    """The reader of the pipes comes to its end, and the stick is known to be unfinished."""
    path = make_fat(tmp_path / "stick")
    number = {"first": 0, "middle": len(files) // 2, "last": len(files) - 1}[at]
    file = files[number]
    if what == "missing":
        files[number] = replace(file, source=tmp_path / "gone")
    else:
        files[number] = replace(file, offset=file.source.stat().st_size - file.size + 1)
    stick = stick_of(path)
    with pytest.raises(EngineError, match="the image"):
        stick.write(files, "V", staging=staging, on_progress=lambda done, total: None)
    assert stick.inspect().unfinished == "V"
    assert list(staging.iterdir()) == []


def test_a_reader_that_ends_before_its_last_file(
    tmp_path: Path, files: list[StickFile], staging: Path
) -> None:
    """mcopy keeps what is there and goes on, or stops: in either case nobody waits for it."""
    path = make_fat(tmp_path / "stick")
    batch = [file for file in files if "/" not in file.path]
    target = FatTarget(path)
    copy_batch(target, batch, staging)
    with pytest.raises(SpoiledMediumError):
        copy_batch(target, batch, staging)
    with pytest.raises(BurnerError):
        copy_batch(FatTarget(tmp_path / "no stick"), batch, staging)
    assert list(staging.iterdir()) == []
    assert not [it for it in threading.enumerate() if it.name == "feeding"]


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOENT])
def test_a_pipe_that_cannot_be_opened_keeps_nobody_waiting(
    tmp_path: Path,
    files: list[StickFile],
    staging: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    """mtools sleeps in the opening of a pipe, where no signal but SIGKILL reaches it."""
    path = make_fat(tmp_path / "stick")
    batch = [file for file in files if file.path.startswith("DICOM/P0/S1/")]
    fails_at = batch[3].path.rpartition("/")[2]
    really = os.open

    def opened(name: str | Path, flags: int, mode: int = 0o777, dir_fd: int | None = None) -> int:
        if flags == os.O_WRONLY and Path(name).name == fails_at:
            raise OSError(number, os.strerror(number))
        return really(name, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", opened)
    failures: list[BaseException] = []

    def copy() -> None:
        try:
            stick_of(path).write([*batch, files[0]], "V", staging=staging, on_progress=nothing)
        except BurnerError as error:
            failures.append(error)

    waiting = threading.Thread(target=copy, daemon=True)
    waiting.start()
    waiting.join(60)
    assert not waiting.is_alive()
    assert [type(it) for it in failures] == [EngineError]
    assert os.strerror(number) in str(failures[0])
    assert stick_of(path).inspect().unfinished == "V"
    tool("fsck.vfat", "-n", path)  # it was let go, not killed
    assert list(staging.iterdir()) == []


def test_a_stick_that_takes_nothing_any_more_ends_the_writing(
    tmp_path: Path, files: list[StickFile], staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """mcopy is stopped where it would sleep in the write to a device that hangs."""
    path = make_fat(tmp_path / "stick")
    really = stick_files._Feeder._fill

    def fill(self: stick_files._Feeder, file: StickFile, descriptor: int) -> None:
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                words = process.read_bytes().split(b"\0")
                if words[0].endswith(b"/mcopy") and f"{path}@@0".encode() in words:
                    os.kill(int(process.parent.name), signal.SIGSTOP)
        really(self, file, descriptor)

    monkeypatch.setattr(stick_files._Feeder, "_fill", fill)
    monkeypatch.setattr(stick_files, "STALL_S", 0.5)
    monkeypatch.setattr(mtools, "_STOP_PATIENCE_S", 0.5)
    with pytest.raises(SpoiledMediumError, match="waited in vain"):
        copy_batch(FatTarget(path), [replace(files[-1], path="BIG")], staging)
    assert list(staging.iterdir()) == []
    assert not [it for it in threading.enumerate() if it.name == "feeding"]


# --- sticks of the house: made anew, but never somebody's


def make_superfloppy(path: Path) -> None:
    make_fat(path)


def make_partitioned(path: Path) -> None:
    make_blank(path)
    format_stick(path, "NEW", lock_folder=path.parent)


def make_blank(path: Path) -> None:
    path.touch()
    os.truncate(path, 100 * MIB)


@pytest.mark.parametrize("make", [make_superfloppy, make_partitioned, make_blank])
def test_a_stick_on_which_nothing_is_is_made_anew(
    tmp_path: Path, files: list[StickFile], staging: Path, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "stick"
    make(path)
    stick = stick_of(path)
    before = digest_of(path)
    assert stick.inspect_fresh().free_bytes > 50 * MIB
    assert digest_of(path) == before  # only looked at
    stick.make_anew("PDI_0001")
    assert path.read_bytes()[510:512] == b"\x55\xaa"
    write_and_verify(stick, files, staging)
    assert_holds(path, files, offset=MIB)
    assert "PDI_0001" in tool("mlabel", "-s", "-i", f"{path}@@1M", "::")


def with_a_file(path: Path) -> None:
    make_fat(path)
    tool("mcopy", "-i", path, Path(__file__), "::/letter.txt")


def with_a_hidden_folder(path: Path) -> None:
    make_fat(path)
    tool("mmd", "-i", path, "::/System Volume Information")
    tool("mattrib", "+h", "+s", "-i", path, "::/System Volume Information")


def with_our_images_of_an_earlier_visit(path: Path) -> None:
    make_fat(path)
    tool("mcopy", "-i", path, Path(__file__), "::/DICOMDIR")


def with_a_file_beside_our_unfinished_ones(path: Path) -> None:
    with_a_file(path)
    marker = path.parent / "marker"
    marker.write_text('{"volume_id": "PDI_0001", "names": ["DICOMDIR", "DICOM"]}')
    tool("mcopy", "-i", path, marker, f"::/{MARKER}")


def with_a_second_partition(path: Path) -> None:
    make_partitioned(path)
    with path.open("r+b") as file:
        file.seek(446 + 16 + 4)
        file.write(b"\x83")


def as_exfat(path: Path) -> None:
    make_fat(path)
    with path.open("r+b") as file:
        file.seek(3)
        file.write(b"EXFAT   ")


def as_something_unknown(path: Path) -> None:
    make_blank(path)
    with path.open("r+b") as file:
        file.write(b"LUKS\xba\xbe")


def with_something_at_its_end(path: Path) -> None:
    make_blank(path)
    with path.open("r+b") as file:
        file.seek(-512, os.SEEK_END)
        file.write(b"EFI PART")


def partition(path: Path, size: int) -> None:
    """One empty FAT volume of `size` bytes at 1 MiB."""
    first = struct.pack("<II", MIB // 512, size // 512)
    entry = b"\0\xfe\xff\xff\x0c\xfe\xff\xff" + first
    damage(path, 446, entry + bytes(48) + b"\x55\xaa")
    start = str(MIB // 512)
    tool("mkfs.vfat", "-I", "-F", "32", "--offset", start, "-h", start, path, str(size // 1024))


def with_something_beside_its_partition(path: Path) -> None:
    make_blank(path)
    partition(path, 50 * MIB)
    damage(path, 80 * MIB, b"letters" * 1000)


def with_something_behind_its_file_system(path: Path) -> None:
    make_blank(path)
    tool("mkfs.vfat", "-I", "-F", "32", path, str(50 * 1024))
    damage(path, 80 * MIB, b"letters" * 1000)


def with_something_between_empty_ends(path: Path) -> None:
    make_blank(path)
    damage(path, 3 * MIB, b"letters" * 3 * MIB)


def with_something_only_at_a_round_place(path: Path) -> None:
    make_blank(path)
    damage(path, 64 * MIB, b"LABELONE")


def with_a_root_directory_that_is_lost(path: Path) -> None:
    make_fat(path)
    put(path, "LETTERS", bytes(3 * MIB))
    with open_volume(path) as volume:
        geometry = volume.geometry
    damage(path, geometry.data_offset, bytes(geometry.cluster_bytes))


def with_tables_that_differ(path: Path) -> None:
    make_fat(path)
    damage(path, 32 * 512 + 400, b"\x03\x00\x00\x00")


OTHERS = [
    with_something_beside_its_partition, with_something_behind_its_file_system,
    with_something_between_empty_ends, with_something_only_at_a_round_place,
    with_a_root_directory_that_is_lost, with_tables_that_differ,
    with_a_file, with_a_hidden_folder, with_our_images_of_an_earlier_visit,
    with_a_file_beside_our_unfinished_ones, with_a_second_partition, as_exfat,
    as_something_unknown, with_something_at_its_end,
]  # fmt: skip


@pytest.mark.parametrize("make", OTHERS)
def test_a_stick_on_which_something_is_is_never_made_anew(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "stick"
    make(path)
    before = digest_of(path)
    stick = stick_of(path)
    for look in (stick.inspect_fresh, lambda: stick.make_anew("PDI_0001")):
        with pytest.raises(UnsuitableStickError) as caught:
            look()
        assert caught.value.reason == "not_fresh"
    assert digest_of(path) == before


def with_aligned_partition(path: Path) -> None:
    """As makers do: 4 MiB in front, and some at the end that make up no cylinder."""
    path.touch()
    os.truncate(path, 1024 * MIB)
    first = 4 * MIB // 512
    size = 1010 * MIB
    entry = b"\0\xfe\xff\xff\x0c\xfe\xff\xff" + struct.pack("<II", first, size // 512)
    damage(path, 446, entry + bytes(48) + b"\x55\xaa")
    start = str(first)
    tool("mkfs.vfat", "-I", "-F", "32", "--offset", start, "-h", start, path, str(size // 1024))


def test_how_makers_align_their_partitions_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "stick"
    with_aligned_partition(path)
    assert stick_of(path).inspect_fresh().free_bytes > 1000 * MIB


def test_a_finished_set_that_was_not_handed_over_goes_only_for_its_own_job(
    tmp_path: Path, files: list[StickFile], staging: Path
) -> None:
    """Its patient may be on the way to it; after a cut its own job finds it like that."""
    path = tmp_path / "stick"
    make_partitioned(path)
    stick = stick_of(path)
    write(stick, files, staging)
    stick.verify(files, staging=staging, on_progress=nothing)
    assert stick.inspect_fresh().unfinished == "SH_TEST"
    before = digest_of(path)
    with pytest.raises(UnsuitableStickError) as caught:
        stick.make_anew("PDI_0002")
    assert caught.value.reason == "not_fresh"
    assert digest_of(path) == before
    stick.make_anew("SH_TEST")
    assert stick.inspect_fresh().unfinished == ""


def test_what_a_try_of_ours_left_does_not_stand_in_the_way(
    tmp_path: Path, files: list[StickFile], staging: Path
) -> None:
    path = tmp_path / "stick"
    make_partitioned(path)
    stick = stick_of(path)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt  # a cut

    with pytest.raises(KeyboardInterrupt):
        stick.write(files, "PDI_0001", staging=staging, on_progress=stop)
    assert stick.inspect_fresh().unfinished == "PDI_0001"
    stick.make_anew("PDI_0001")
    write_and_verify(stick, files, staging)
    assert_holds(path, files, offset=MIB)


def test_no_stick_and_a_dirty_one_are_said_as_ever(tmp_path: Path) -> None:
    with pytest.raises(NoMediumError):
        stick_of(tmp_path / "none").inspect_fresh()
    path = make_fat(tmp_path / "stick")
    with path.open("r+b") as file:
        file.seek(0x41)
        file.write(b"\x01")
    with pytest.raises(UnsuitableStickError) as caught:
        stick_of(path).make_anew("PDI_0001")
    assert caught.value.reason == "dirty"


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
