"""Stand-ins around media: a drive in memory, a ledger in memory or in a file, and small images."""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kiosk.domain.model import OrderId, Wanted
from kiosk.domain.unfit import Unfit
from kiosk.errors import (
    KioskError,
    MediumSpoiledError,
    MediumWantedError,
    StoppedError,
    VerifyFailedError,
)
from kiosk.ports import LedgerEntry, LedgerPhase, LoadedMedium, MediumProgress, WrittenMedium
from kiosk.services.write import ImageFacts

BLOCK_BYTES = 2048


def make_image(
    path: Path, volume_id: str, *, blocks: int = 60, seed: int = 1, has_root: bool = True
) -> ImageFacts:
    """An ISO 9660 volume (ECMA-119 8.4, 9.1) with nothing in its root; random blocks behind it.

    Args:
        has_root: Else its name is all that can be read of it.
    """
    content = bytearray(random.Random(seed).randbytes(blocks * BLOCK_BYTES))
    descriptor = bytearray(BLOCK_BYTES)
    descriptor[:8] = b"\x01CD001\x01\x00"
    descriptor[8:72] = b" " * 32 + volume_id.ljust(32).encode()
    descriptor[80:88] = blocks.to_bytes(4, "little") + blocks.to_bytes(4, "big")
    if has_root:
        descriptor[128:132] = BLOCK_BYTES.to_bytes(2, "little") + BLOCK_BYTES.to_bytes(2, "big")
        root = bytearray(34)
        root[0], root[25], root[32] = 34, 2, 1  # its length, a directory, an identifier of a byte
        root[2:10] = (18).to_bytes(4, "little") + (18).to_bytes(4, "big")
        root[10:18] = BLOCK_BYTES.to_bytes(4, "little") + BLOCK_BYTES.to_bytes(4, "big")
        descriptor[156:190] = root
        content[17 * BLOCK_BYTES : 18 * BLOCK_BYTES] = b"\xffCD001\x01".ljust(BLOCK_BYTES, b"\0")
        both = root + root[:33] + b"\1"  # itself, and its parent
        content[18 * BLOCK_BYTES : 19 * BLOCK_BYTES] = both.ljust(BLOCK_BYTES, b"\0")
    content[16 * BLOCK_BYTES : 17 * BLOCK_BYTES] = descriptor
    path.write_bytes(content)
    return ImageFacts(path, len(content), hashlib.sha256(content).hexdigest(), volume_id)


@dataclass
class FakeDisc:
    """`content` None is blank; `is_whole` False is an interrupted writing."""

    content: bytes | None = None
    is_whole: bool = True
    capacity_blocks: int = 359_844


@dataclass
class FakeMediaWriter:
    """Keeps `MediaWriter` and `ButtonWriter` in memory.

    Attributes:
        disc: What lies in the tray, None for nothing.
        ejected: Every disc that was in the tray when it opened, in order.
        break_off_at: Writing fails after so many bytes, once.
        faults: Offset and what is raised there; -1 is before the first byte. Each once.
        flip_byte: Offset of a byte that comes out wrong, once.
        before_laser: Called when `write` begins: somebody may change the disc now.
        before_button: The same of `open_if`.
    """

    name: str = "fake"
    disc: FakeDisc | None = None
    is_open: bool = False
    ejected: list[FakeDisc] = field(default_factory=list)
    break_off_at: int | None = None
    faults: list[tuple[int, KioskError]] = field(default_factory=list)
    flip_byte: int | None = None
    before_laser: Callable[[], None] = lambda: None
    before_button: Callable[[], None] = lambda: None

    def insert(self, disc: FakeDisc | None) -> None:
        self.disc, self.is_open = disc, False

    def inspect(self) -> LoadedMedium:
        if self.is_open or self.disc is None:
            is_open = self.is_open
            return LoadedMedium(Wanted.BLANK_DISC, "", 0, "", is_open=is_open, is_empty=not is_open)
        if self.disc.content is None:
            return LoadedMedium(None, "CD-R", self.disc.capacity_blocks, "")
        start = 16 * BLOCK_BYTES + 40
        volume_id = self.disc.content[start : start + 32].decode("ascii", "replace").strip()
        return LoadedMedium(Wanted.OTHER_DISC, "CD-R", 0, volume_id, unfit=Unfit.NOT_BLANK)

    def write(
        self,
        image: Path,
        *,
        on_progress: Callable[[MediumProgress], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        self.before_laser()
        loaded = self.inspect()
        if loaded.wanted is not None:
            unfit = loaded.unfit.value if loaded.unfit else ""
            raise MediumWantedError("not writable", reason=loaded.wanted.name, unfit=unfit)
        assert self.disc is not None
        content = image.read_bytes()
        if len(content) // BLOCK_BYTES + 182 > self.disc.capacity_blocks:
            wanted, unfit = Wanted.LARGER_MEDIUM.name, Unfit.TOO_SMALL.value
            raise MediumWantedError("too small", reason=wanted, unfit=unfit)
        if is_cancelled():
            raise StoppedError("stopped")
        self._fail(-1)
        self.disc.content, self.disc.is_whole = b"", False
        for end in range(BLOCK_BYTES, len(content) + 1, BLOCK_BYTES):
            if self.break_off_at is not None and end > self.break_off_at:
                self.break_off_at = None
                raise MediumSpoiledError("sense 3/0C/00")
            if is_cancelled():
                raise MediumSpoiledError("stopped on request", was_stopped=True)
            self.disc.content = content[:end]
            on_progress(MediumProgress(end, len(content)))
            self._fail(end)
        if self.flip_byte is not None:
            changed = bytearray(content)
            changed[self.flip_byte] ^= 1
            self.disc.content, self.flip_byte = bytes(changed), None
        self.disc.is_whole = True

    def _fail(self, at: int) -> None:
        if self.faults and at >= self.faults[0][0]:
            raise self.faults.pop(0)[1]

    def verify(
        self,
        image_bytes: int,
        sha256: str,
        *,
        on_progress: Callable[[MediumProgress], None],
        image: Path | None = None,
    ) -> WrittenMedium:
        self.is_open = False
        if self.disc is None:
            raise MediumWantedError("nothing in", reason=Wanted.CLOSE_TRAY.name)
        content = self.disc.content or b""
        on_progress(MediumProgress(len(content), image_bytes))
        if (
            not self.disc.is_whole
            or len(content) < image_bytes
            or hashlib.sha256(content[:image_bytes]).hexdigest() != sha256
        ):
            raise VerifyFailedError("not what was written")
        return WrittenMedium("CD-R", sha256, image_bytes)

    def read(self, offset_bytes: int, size_bytes: int) -> bytes:
        if self.is_open or self.disc is None or self.disc.content is None:
            raise MediumWantedError("nothing in", reason=Wanted.CLOSE_TRAY.name)
        if offset_bytes + size_bytes > len(self.disc.content):
            raise VerifyFailedError("the medium ends before")
        return self.disc.content[offset_bytes : offset_bytes + size_bytes]

    def push_in(self) -> None:
        """Somebody closes the tray with what lies in it."""
        self.is_open = False

    def eject(self) -> None:
        if self.disc is not None and not self.is_open:
            self.ejected.append(self.disc)
        self.is_open = True

    def open_if(self, may_open: Callable[[], bool]) -> bool:
        self.before_button()
        if may_open():
            self.eject()
            return True
        return False


class FakeLedger:
    """Keeps `Ledger`; `phases` is what was put, in order, "free" included."""

    def __init__(self) -> None:
        self.rows: dict[str, LedgerEntry] = {}
        self.phases: list[str] = []

    def owner(self, drive: str) -> LedgerEntry | None:
        return self.rows.get(drive)

    def put(self, entry: LedgerEntry, *, reason: str = "") -> None:
        self.rows[entry.drive] = entry
        self.phases.append(entry.phase)

    def reject(self, entry: LedgerEntry, count: int) -> None:
        self.phases += ["rejected"] * count

    def free(self, drive: str) -> None:
        self.rows.pop(drive, None)
        self.phases.append(LedgerPhase.FREE)


class FileLedger:
    """Keeps `Ledger` for one drive in a file that is replaced as a whole: survives a kill."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def owner(self, drive: str) -> LedgerEntry | None:
        try:
            raw = json.loads(self._path.read_text())
        except FileNotFoundError:
            return None
        if raw is None:
            return None
        return LedgerEntry(**{**raw, "job_id": OrderId(raw["job_id"])})

    def put(self, entry: LedgerEntry, *, reason: str = "") -> None:
        self._save(asdict(entry))

    def reject(self, entry: LedgerEntry, count: int) -> None:
        """No drive of these tests throws anything out."""

    def free(self, drive: str) -> None:
        self._save(None)

    def _save(self, value: object) -> None:
        temporary = self._path.with_suffix(".new")
        with temporary.open("w") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
