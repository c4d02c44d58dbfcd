"""SHA-256 of every file and of the volume, out of one read front to back (PDI-105).

A second thread hashes the volume while this one hashes the files: hashlib lets go of the
interpreter for blocks of this size.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from dicomdir.check.tree import Collector, Tree
from dicomdir.errors import DicomdirError, ImageError

_CHUNK_BYTES: Final = 1 << 20
_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](?:\./)?(.+)")
VOLUME: Final = "-"
"""Name of the whole volume in a list, as `sha256sum` names standard input."""

Run = tuple[int, int]


@dataclass(slots=True)
class Hashes:
    """Hex digests.

    Attributes:
        volume: "" for a folder, which has no bytes of its own.
        files: By path on the medium.
        read_bytes: Of the medium, in all.
    """

    volume: str = ""
    files: dict[str, str] = field(default_factory=dict)
    read_bytes: int = 0


def hash_volume(
    read: Callable[[int, int], bytes], size_bytes: int, files: Mapping[str, list[Run]]
) -> Hashes:
    """One sequential read of the medium.

    Args:
        read: Gives `size` bytes at `offset` of the medium; fewer only at its end.
        size_bytes: Of the volume.
        files: Path to its pieces: first byte and length, in order.
    Raises:
        ImageError: The medium is shorter, or files share bytes in part.
        OSError: It cannot be read.
    """
    hashes = Hashes()
    volume = hashlib.sha256()
    pending = _Pending(files)
    with ThreadPoolExecutor(1, "volume-hash") as pool:
        for start in range(0, size_bytes, _CHUNK_BYTES):
            chunk = read(start, min(_CHUNK_BYTES, size_bytes - start))
            if len(chunk) < min(_CHUNK_BYTES, size_bytes - start):
                raise ImageError("the medium is shorter than its volume")
            hashing = pool.submit(volume.update, chunk)
            pending.feed(start, memoryview(chunk))
            hashing.result()
            hashes.read_bytes += len(chunk)
    hashes.volume = volume.hexdigest()
    hashes.files = pending.digests()
    return hashes


class _Pending:
    """Files in the order of the medium, each hashed as its bytes come by.

    Files of the same bytes are hashed once. What overlaps another file in part, or stands in pieces
    out of order, is left out: that keeps the work to one hash a byte.
    """

    def __init__(self, files: Mapping[str, list[Run]]) -> None:
        self._groups: dict[tuple[Run, ...], list[str]] = {}
        for path, runs in files.items():
            self._groups.setdefault(tuple(runs), []).append(path)
        self._hashes = {group: hashlib.sha256() for group in self._groups}
        pieces = sorted((start, size, group) for group in self._groups for start, size in group)
        end = 0
        for start, size, group in pieces:
            if start < end or list(group) != sorted(group):
                self._hashes.pop(group, None)
            else:
                end = start + size
        self._pieces = [piece for piece in pieces if piece[2] in self._hashes][::-1]

    def feed(self, at: int, chunk: memoryview) -> None:
        """The bytes of the medium from `at` on; each call goes on where the last one ended."""
        end = at + len(chunk)
        while self._pieces and self._pieces[-1][0] < end:
            start, size, group = self._pieces[-1]
            self._hashes[group].update(chunk[max(0, start - at) : start + size - at])
            if start + size > end:
                return
            self._pieces.pop()

    def digests(self) -> dict[str, str]:
        """Of the files that were hashed whole."""
        for _, _, group in self._pieces:
            self._hashes.pop(group, None)  # the volume ended before
        return {
            path: digest.hexdigest()
            for group, digest in self._hashes.items()
            for path in sorted(self._groups[group])
        }


def hash_folder(tree: Tree, found: Collector) -> Hashes:
    """Every file of a tree, one after the other.

    Raises:
        OSError: A file cannot be read.
    """
    hashes = Hashes()
    for file in sorted(tree.files, key=lambda it: it.path):
        digest = hashlib.sha256()
        try:
            for start in range(0, file.size_bytes, _CHUNK_BYTES):
                chunk = tree.read(file.path, start, min(_CHUNK_BYTES, file.size_bytes - start))
                digest.update(chunk)
                hashes.read_bytes += len(chunk)
        except DicomdirError as error:
            found.error("PDI-105", file.path, f"it cannot be read: {error}")
            continue
        hashes.files[file.path] = digest.hexdigest()
    return hashes


def parse_list(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Path and digest of each line as `sha256sum` prints them.

    Raises:
        ValueError: A line is none, with its number.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        is_escaped = line.startswith("\\")
        match = _LINE.fullmatch(line[is_escaped:].rstrip("\r\n"))
        if match is None:
            raise ValueError(f"line {number} is not a SHA-256, two spaces and a path")
        yield _unescaped(match[2]) if is_escaped else match[2], match[1].lower()


def listed(path: str, digest: str) -> str:
    """A line of such a list. As `sha256sum` does, a name with a newline or a backslash is escaped
    and the line begins with a backslash; here so is every other character that is not printable,
    as its number in six digits (\\u00001b; \\u00dcff for a byte that is no UTF-8).
    """
    escaped = "".join(
        _ESCAPES.get(c) or (c if c.isprintable() else f"\\u{ord(c):06x}") for c in path
    )
    return f"{digest}  {path}" if escaped == path else f"\\{digest}  {escaped}"


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda it: _UNESCAPES.get(it[0]) or chr(int(it[1], 16)), text)


_ESCAPES: Final = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_UNESCAPES: Final = {escaped: character for character, escaped in _ESCAPES.items()}
_ESCAPED: Final = re.compile(r"\\\\|\\n|\\r|\\u([0-9a-f]{6})")


def compare(hashes: Hashes, wanted: Mapping[str, str], found: Collector) -> None:
    """What the list says against what the medium holds; what it does not name is no fault.

    Args:
        wanted: Path, in any letter case, or VOLUME, to digest.
    """
    own = {path.upper(): (path, digest) for path, digest in hashes.files.items()}
    for path, digest in wanted.items():
        if path == VOLUME:
            if hashes.volume and hashes.volume != digest:
                found.error("PDI-105", "", "the volume is not what it was")
            continue
        there = own.get(path.upper())
        if there is None:
            found.error("PDI-105", path, "the list names a file that is not there")
        elif there[1] != digest:
            found.error("PDI-105", there[0], "the file is not what it was")
