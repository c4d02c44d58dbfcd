"""House sticks: one FAT32 partition at 1 MiB behind an MBR (PS3.12 Annex R), everything before it
is lost.

Only for sticks of the house, or after somebody agreed to lose what is on theirs; asking is the
caller's part.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import struct
from collections.abc import Callable
from pathlib import Path

from burner.children import DriveLock, run_lines
from burner.drive import LOCK_FOLDER
from burner.errors import EngineError, MediumTooSmallError, SpoiledMediumError
from burner.stick_capacity import require_real_size
from burner.stick_volume import claimed, node_of, sync

PARTITION_OFFSET = 1024 * 1024  # aligned for every flash stick
MIN_BYTES = 64 * 1024 * 1024  # FAT32 needs 65,525 clusters
SECTOR_BYTES = 512
FAT32_LBA = 0x0C  # partition type

_LABEL = re.compile(r"[A-Z0-9_-]{1,11}")
_MAX_SECTORS = 0xFFFFFFFF  # an MBR entry's size field


def format_stick(
    path: Path,
    label: str,
    *,
    name: str | None = None,
    lock_folder: Path = LOCK_FOLDER,
    require: Callable[[int], None] = lambda _descriptor: None,
    look: Callable[[Path], None] = lambda _node: None,
) -> None:
    """Erase the whole stick at `path` (a disk's node, not a partition's, or an image file) and make
    it new.

    Args:
        label: FAT volume label, 1 to 11 of A-Z, 0-9, "_" and "-".
        require: Looks at the opened node before anything is written to it, and again before the
            file system is made; may raise a BurnerError: which stick it is that somebody agreed to
            lose.
        look: Looks once at what is on the claimed node, before anything is written to it; may raise
            a BurnerError.
    Raises:
        NoMediumError, UnsuitableStickError: No stick; read_only or in_use. Nothing was changed.
            Also false_capacity: it does not hold what it says; what was on it may be damaged.
        MediumTooSmallError: Less than 64 MiB. Nothing was changed.
        SpoiledMediumError: Formatting failed, the stick is empty or damaged.
    """
    require_label(label)
    lock = DriveLock(lock_folder / f"sendhome-{name or path.name}.lock")
    with lock.hold():
        node = node_of(path)
        with contextlib.ExitStack() as pinning:
            with claimed(node) as descriptor:
                require(descriptor)
                look(node)
                size = os.lseek(descriptor, 0, os.SEEK_END)
                if size < MIN_BYTES:
                    raise MediumTooSmallError(f"{MIN_BYTES} bytes needed, the stick has {size}")
                require_real_size(node, descriptor, size)
                sectors = min((size - PARTITION_OFFSET) // SECTOR_BYTES, _MAX_SECTORS)
                _write_table(descriptor, size, sectors)
                pin = _reopened(descriptor)
                pinning.callback(os.close, pin)
            require(pin)
            _make_file_system(pin, label, sectors)
            sync(pin)


def _write_table(descriptor: int, size: int, sectors: int) -> None:
    try:
        # old tables at both ends (GPT has a copy at the end) would speak against the new
        os.pwrite(descriptor, bytes(PARTITION_OFFSET), 0)
        os.pwrite(descriptor, bytes(PARTITION_OFFSET), size - PARTITION_OFFSET)
        os.pwrite(descriptor, _partition_table(sectors), 0)
    except OSError as error:
        raise SpoiledMediumError(f"the stick fails: {error.strerror}") from error
    sync(descriptor)


def _reopened(descriptor: int) -> int:
    """The same stick without the claim, which mkfs takes for itself. While it is open, no other
    stick gets its number.
    """
    try:
        return os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise SpoiledMediumError(f"the stick fails: {error.strerror}") from error


def _make_file_system(pin: int, label: str, sectors: int) -> None:
    """On the stick that is open as `pin`, whatever its name leads to by now."""
    first = PARTITION_OFFSET // SECTOR_BYTES
    code, _ = run_lines(
        [
            *("mkfs.vfat", "-I", "-F", "32", "-n", label),
            *("--offset", str(first), "-h", str(first), f"/proc/self/fd/{pin}", str(sectors // 2)),
        ],
        lambda _: None,
        pass_fds=[pin],
    )
    if code != 0:
        raise SpoiledMediumError(f"mkfs.vfat failed, exit code {code}")


def require_label(label: str) -> None:
    """Raises EngineError."""
    if not _LABEL.fullmatch(label):
        raise EngineError("a FAT label has 1 to 11 of A-Z, 0-9, _ and -")


def _partition_table(sectors: int) -> bytes:
    """A master boot record with one FAT32 partition and no boot code."""
    first = PARTITION_OFFSET // SECTOR_BYTES
    beyond = b"\xfe\xff\xff"  # cylinders and heads cannot say it: readers use the sector numbers
    entry = b"\x00" + beyond + bytes([FAT32_LBA]) + beyond + struct.pack("<II", first, sectors)
    signature = secrets.token_bytes(4)
    return bytes(440) + signature + bytes(2) + entry + bytes(48) + b"\x55\xaa"
