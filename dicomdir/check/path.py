"""Whatever a path leads to: an ISO 9660 image or disc, a FAT image or stick, or a folder.

What it is is told by its bytes, never by its name. Nothing is mounted and nothing is written.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dicomdir.check.hashes import Hashes, compare, hash_folder, hash_volume
from dicomdir.check.image import check_iso
from dicomdir.check.stick import check_fat
from dicomdir.check.tree import Collector, Tree
from dicomdir.check.udf import has_udf
from dicomdir.check.viewer import compare_digests
from dicomdir.check.volume import check_folder
from dicomdir.directory import Directory
from dicomdir.errors import DicomdirError, ImageError
from dicomdir.fat_reader import SECTOR_BYTES, FatEntry, other_system, partitions
from dicomdir.findings import Finding, Severity
from dicomdir.iso_reader import BLOCK_BYTES, IsoReader, IsoRecord

_MAX_BAD_READS: Final = 8
_HEAD_BYTES: Final = 8 << 10
_MAX_HEADS_BYTES: Final = 32 << 20


class NoMediumError(DicomdirError):
    """Neither a folder nor a medium of a kind that PDI knows."""

    code = "check.no_medium"


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found.

    Attributes:
        kind: "folder", "iso" or "fat".
        findings: Those kept (`tree.Collector`).
        totals: Number of findings by rule and severity, kept or not.
        files: On the medium.
        objects: Records that refer to a file; 0 if there is no DICOMDIR that can be read.
        hashes: None unless asked for.
    """

    kind: str
    findings: list[Finding]
    totals: Mapping[tuple[str, Severity], int]
    files: int
    objects: int
    volume_id: str
    hashes: Hashes | None = None


def check_path(
    path: Path,
    *,
    profile: str = "",
    with_hashes: bool = False,
    wanted: Mapping[str, str] | None = None,
) -> Report:
    """Check a folder, an image or a device with a medium in it.

    Args:
        profile: One of `fileset.PROFILES`, "" for the one that the medium seems to be of.
        with_hashes: Read everything, once and front to back, and hash it.
        wanted: What the hashes have to be (`hashes.compare`).
    Raises:
        NoMediumError: It is nothing of that kind.
        OSError: It cannot be read.
    """
    found = Collector()
    run = _Run(found, profile, with_hashes)
    if path.is_dir():
        run.folder(path)
    else:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            run.file(descriptor)
        finally:
            os.close(descriptor)
    if run.hashes is not None and wanted:
        compare(run.hashes, wanted, found)
    return Report(
        run.kind, found.findings, found.totals, run.files, run.objects, run.volume_id,
        run.hashes,
    )  # fmt: skip


class _Run:
    """One check of one path."""

    def __init__(self, found: Collector, profile: str, with_hashes: bool) -> None:
        self._found = found
        self._profile = profile
        self._with_hashes = with_hashes
        self.kind = "folder"
        self.files = self.objects = 0
        self.volume_id = ""
        self.hashes: Hashes | None = None
        self._tree: Tree | None = None

    def folder(self, path: Path) -> None:
        def on_tree(tree: Tree) -> None:
            self.files, self._tree = len(tree.files), tree
            if self._with_hashes:
                self.hashes = hash_folder(tree, self._found)

        self._note(check_folder(path, self._found, profile=self._profile, on_tree=on_tree))

    def file(self, descriptor: int) -> None:
        facts = os.fstat(descriptor)
        if not (stat.S_ISREG(facts.st_mode) or stat.S_ISBLK(facts.st_mode)):
            raise NoMediumError("neither a file, a folder nor a block device")
        size = os.lseek(descriptor, 0, os.SEEK_END)  # a device has no length of its own
        source = _Source(descriptor)
        try:
            if source.read(16 * BLOCK_BYTES + 1, 5) == b"CD001":
                self._iso(source, size, is_drive=stat.S_ISBLK(facts.st_mode))
            elif _is_fat(source.read):
                self._fat(source, size)
            else:
                raise NoMediumError(_what_else(source.read))
        except ImageError as error:
            rule = "PDI-29" if self.kind == "iso" else "PDI-43"
            self._found.error(rule, "", f"the file system cannot be read: {error}")

    def _iso(self, source: _Source, size: int, *, is_drive: bool) -> None:
        self.kind = "iso"
        reader = IsoReader(source.read)
        self.volume_id = reader.volume_id.decode("latin-1").rstrip(" ")

        def on_tree(tree: Tree, records: dict[str, IsoRecord]) -> None:
            self.files, self._tree = len(tree.files), tree
            if self._with_hashes:
                runs = {
                    path: [(it.offset_bytes, it.size_bytes)] if it.size_bytes else []
                    for path, it in records.items()
                }
                self._hash(source, min(size, reader.blocks * BLOCK_BYTES), runs)

        found, profile = self._found, self._profile
        self._note(
            check_iso(reader, size, found, profile=profile, is_drive=is_drive, on_tree=on_tree)
        )

    def _fat(self, source: _Source, size: int) -> None:
        self.kind = "fat"

        def on_tree(tree: Tree, entries: dict[str, FatEntry]) -> None:
            self.files, self._tree = len(tree.files), tree
            if self._with_hashes:
                self._hash(source, size, {path: it.runs for path, it in entries.items()})

        found, profile = self._found, self._profile
        self._note(check_fat(source.read, size, found, profile=profile, on_tree=on_tree))

    def _hash(self, source: _Source, size: int, runs: Mapping[str, list[tuple[int, int]]]) -> None:
        try:
            self.hashes = hash_volume(source.stream(runs), size, runs)
            for path in sorted(runs.keys() - self.hashes.files.keys()):
                self._found.error("PDI-105", path, "its bytes are not its own: not hashed")
        except ImageError as error:
            self._found.error("PDI-105", "", f"not all of it can be read: {error}")

    def _note(self, directory: Directory | None) -> None:
        if directory is not None:
            self.objects = sum(1 for _ in directory.leaves())
            self.volume_id = self.volume_id or directory.file_set_id
        if self.hashes is not None and self._tree is not None:
            compare_digests(self._tree, self.hashes.files, self._found)


class _Source:
    """Reads of a file or device. What was streamed and will be wanted again is kept, a little."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._heads: dict[int, bytes] = {}
        self._bad = 0

    def read(self, offset: int, size: int) -> bytes:
        """Fewer bytes only at the end.

        Raises:
            ImageError: The drive cannot read there.
            OSError: It cannot read at all.
        """
        head = self._heads.get(offset)
        if head is not None and size <= len(head):
            return head[:size]
        try:
            return os.pread(self._descriptor, size, offset)
        except OverflowError:
            return b""  # behind any end
        except OSError as error:
            self._bad += 1
            # A scratched disc has some bad places, each of which takes the drive half a minute.
            if error.errno not in (errno.EIO, errno.EILSEQ) or self._bad > _MAX_BAD_READS:
                raise
            raise ImageError("the drive cannot read this place") from error

    def stream(self, runs: Mapping[str, list[tuple[int, int]]]) -> Callable[[int, int], bytes]:
        """A `read` for one pass, which keeps the first bytes of each file for the checks."""
        starts = sorted(pieces[0][0] for pieces in runs.values() if pieces)
        room = _MAX_HEADS_BYTES // _HEAD_BYTES
        waiting = starts[:room][::-1]

        def read(offset: int, size: int) -> bytes:
            chunk = self.read(offset, size)
            while waiting and waiting[-1] < offset + len(chunk):
                at = waiting.pop() - offset
                if 0 <= at <= len(chunk) - _HEAD_BYTES:
                    self._heads[offset + at] = chunk[at : at + _HEAD_BYTES]
            return chunk

        return read


def _is_fat(read: Callable[[int, int], bytes]) -> bool:
    """A FAT boot sector, or a partition table; what is wrong with them is found later."""
    sector = read(0, SECTOR_BYTES)
    if len(sector) < SECTOR_BYTES or sector[510:512] != b"\x55\xaa" or other_system(sector):
        return False
    if sector[0] in (0xEB, 0xE9):
        return True
    try:
        return bool(partitions(read))
    except ImageError:
        return False


def _what_else(read: Callable[[int, int], bytes]) -> str:
    """Why it cannot be checked, in words for whoever holds it."""
    if has_udf(lambda number: read(number * BLOCK_BYTES, BLOCK_BYTES)):
        return "the file system is UDF alone, which this check does not read (PDI-39)"
    sector = read(0, SECTOR_BYTES)
    if system := other_system(sector):
        return f"the file system is {system}, which is not allowed (PDI-43)"
    if sector[450:451] == b"\xee":
        return "it has a GUID partition table (PDI-43)"
    if read(0, 12) == b"\0" + b"\xff" * 10 + b"\0":
        return "an image of raw sectors: make one of 2048 bytes a block (PDI-33)"
    return "neither ISO 9660 nor FAT is on it"
