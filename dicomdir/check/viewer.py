"""The viewer of ours on a medium: all its files, and what its own list of hashes says (PDI-21).

`VIEWER/HASHES.JS` (docs/viewer-format.md) names every file of the medium but two. Names and sizes
are always compared; digests of the program always, for a program that differs runs all the same;
those of other files where everything is hashed anyway.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from html.parser import HTMLParser
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from dicomdir.check.tree import Collector, Tree, TreeFile
from dicomdir.errors import DicomdirError
from dicomdir.pdi import EXTRA_FOLDER, HASHES, OBJECTS_FOLDER, VIEWER_FOLDER, WEB_FOLDER

_VIEWER: Final = f"{VIEWER_FOLDER}/"
_START: Final = f"{_VIEWER}START.HTM"
_MANIFEST: Final = f"{_VIEWER}MANIFEST.JS"
_DATA: Final = f"{_VIEWER}D/"
_OURS: Final = b"SENDHOME_BASE"  # what our start page hands to its script
_LOADED = re.compile(rb'"([A-Z0-9_]{1,8}\.(?:JS|CSS))"')  # files that this script names
_LOCK: Final = "SENDHOME.lock("
_LOCK_BYTES: Final = 2048
_FOLDERS: Final = frozenset((OBJECTS_FOLDER, WEB_FOLDER, VIEWER_FOLDER, EXTRA_FOLDER))
_MAX_START_BYTES: Final = 64 << 10
MAX_HASHES_BYTES: Final = 8 << 20  # of 160,000 files
_MAX_PROGRAM_BYTES: Final = 16 << 20
_LEAST_BYTES: Final = 1 << 20  # of a list, inflated
_ROW_BYTES: Final = 400  # of a file in it, at most
_CALL = re.compile(r'SENDHOME\("HASHES",(\d{1,9}),(\d{1,10}),"([\u3000-\uafff]*)"\)')
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FIRST: Final = 0x3000
_PIECE: Final = 8 * 4096  # characters, which make whole bytes


class HashRow(NamedTuple):
    """A file as the list has it; the digest in hex."""

    path: str
    size_bytes: int
    sha256: str


def check_viewer(tree: Tree, found: Collector, *, is_encrypted: bool = False) -> None:
    """What can be told without reading everything.

    Args:
        is_encrypted: The DICOMDIR cannot say which files belong to the medium: the list does.
    """
    there = {file.path.upper(): file for file in tree.files}
    start = there.get(_START)
    if start is None:
        return
    page = _read(tree, start.path, min(start.size_bytes, _MAX_START_BYTES), found)
    needed, is_ours = _references(page), _OURS in page
    report = found.error if is_ours else found.warn
    if is_ours:
        needed |= {_VIEWER + name.decode("ascii") for name in _LOADED.findall(page)} | {_MANIFEST}
    folders = {path.upper() for path in tree.folders}
    for path in sorted(it for it in needed if it.upper() not in there.keys() | folders):
        report("PDI-21", start.path, f"the viewer's page needs {path}, which is not there")
    manifest = there.get(_MANIFEST)
    if HASHES not in there:
        if is_ours and manifest is not None and _wants_list(tree, manifest, found, is_encrypted):
            found.warn("PDI-21", start.path, "beside the viewer there is no list of hashes")
        return
    left = _MAX_PROGRAM_BYTES
    rows = list(_table(tree, found))
    if is_encrypted and rows:
        _check_added(there, rows, found)
    for row in rows:
        file = there.get(row.path.upper())
        rule = _rule(row.path)
        if file is None:
            found.error(rule, row.path, "it is on the viewer's list and not on the medium")
        elif file.size_bytes != row.size_bytes:
            found.error(rule, file.path, "it has another size than on the viewer's list")
        elif _is_program(row.path) and file.size_bytes <= left:
            left -= file.size_bytes
            data = _read(tree, file.path, file.size_bytes, found)
            if hashlib.sha256(data).hexdigest() != row.sha256:
                found.error(rule, file.path, "it is not the file on the viewer's list")


def compare_digests(tree: Tree, digests: Mapping[str, str], found: Collector) -> None:
    """The other files, once all are hashed; what `check_viewer` finds is not found again.

    Args:
        digests: SHA-256 in hex by path.
    """
    own = {path.upper(): (path, digest) for path, digest in digests.items()}
    sizes = {file.path.upper(): file.size_bytes for file in tree.files}
    if _START not in sizes or HASHES not in sizes:
        return
    for row in _table(tree, Collector()):
        path = row.path.upper()
        if _is_program(row.path):
            continue
        if path in own and sizes[path] == row.size_bytes and own[path][1] != row.sha256:
            reason = "it is not the file on the viewer's list"
            found.error(_rule(row.path), own[path][0], reason)


def _rule(path: str) -> str:
    return "PDI-21" if path.startswith(_VIEWER) else "PDI-105"


def _is_program(path: str) -> bool:
    return path.startswith(_VIEWER) and not path.startswith(_DATA)


def _read(tree: Tree, path: str, size: int, found: Collector) -> bytes:
    try:
        return tree.read(path, 0, size)
    except DicomdirError as error:
        found.error("PDI-21", path, f"it cannot be read: {error}")
        return b""


def _wants_list(tree: Tree, manifest: TreeFile, found: Collector, is_encrypted: bool) -> bool:
    """Protected media of earlier programs have none, nor have those that were decrypted."""
    text = _read(tree, manifest.path, _LOCK_BYTES, found)[2:].decode("utf-16-le", "replace")
    if not text.startswith(_LOCK):
        return True
    return is_encrypted and '"hashes":"' in text.partition(")")[0]


def _check_added(there: Mapping[str, TreeFile], rows: Sequence[HashRow], found: Collector) -> None:
    """Files beside those on the list: on a protected medium nothing else tells which belong."""
    known = {row.path.upper() for row in rows} | {_MANIFEST, HASHES}
    for name, file in there.items():
        if name not in known and name.partition("/")[0] in _FOLDERS:
            found.warn(_rule(name), file.path, "it is not on the viewer's list")


# --- the start page -------------------------------------------------------------------------------


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {value for name, value in attrs if name in ("src", "href") and value}


def _references(page: bytes) -> set[str]:
    """Paths that the page's elements lead to, as far as they are of the medium."""
    parser = _Links()
    with suppress(AssertionError):  # a declaration that it does not know: what came before counts
        parser.feed(page.decode("utf-8", "replace"))
    paths = set()
    for link in parser.found:
        try:
            parts = urlsplit(link)
        except ValueError:
            continue
        path = unquote(parts.path)
        if parts.scheme or parts.netloc or not path or path.startswith("/"):
            continue
        at: list[str] = [VIEWER_FOLDER]
        for part in path.split("/"):
            if part == "..":
                del at[-1:]
            elif part not in ("", "."):
                at.append(part)
        paths.add("/".join(at))
    return paths - {""}


# --- the list -------------------------------------------------------------------------------------


def _table(tree: Tree, found: Collector) -> Iterator[HashRow]:
    """Rows of the list; one finding and nothing if it cannot be read."""
    file = next(it for it in tree.files if it.path.upper() == HASHES)
    if file.size_bytes > MAX_HASHES_BYTES:
        found.error("PDI-21", file.path, "the list is too large")
        return
    limit = _LEAST_BYTES + _ROW_BYTES * len(tree.files)
    try:
        rows = read_hash_list(_read(tree, file.path, file.size_bytes, found), limit)
    except ValueError:
        found.error("PDI-21", file.path, "the list cannot be read")
        return
    yield from rows


def read_hash_list(data: bytes, limit: int) -> list[HashRow]:
    """What VIEWER/HASHES.JS says; `limit` bytes when it is inflated. Raises ValueError."""
    try:
        return _rows(data, limit)
    except (RecursionError, zlib.error) as error:
        raise ValueError("no list") from error


def _rows(data: bytes, limit: int) -> list[HashRow]:
    call = _CALL.fullmatch(data[2:].decode("utf-16-le"))
    if data[:2] != b"\xff\xfe" or call is None:
        raise ValueError("no call")
    payload = _payload(call[3])[: int(call[1])]
    if len(payload) != int(call[1]) or zlib.crc32(payload) != int(call[2]):
        raise ValueError("another checksum")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    text = inflater.decompress(payload, limit)
    if not inflater.eof:
        raise ValueError("too long or cut")
    made = json.loads(text)
    if not isinstance(made, dict) or not isinstance(made.get("files"), list):
        raise ValueError("no files")
    return [_row(it) for it in made["files"]]


def _row(made: object) -> HashRow:
    match made:
        case [str(path), int(size), str(sha256)] if _DIGEST.fullmatch(sha256.lower()):
            return HashRow(path, size, sha256.lower())
    raise ValueError("no row")


def _payload(text: str) -> bytes:
    """15 bits a character, the least significant one first."""
    pieces = []
    for start in range(0, len(text), _PIECE):
        piece = text[start : start + _PIECE]
        bits = "".join(f"{ord(it) - _FIRST:015b}" for it in reversed(piece))
        pieces.append(int(bits, 2).to_bytes(-(-len(bits) // 8), "little"))
    return b"".join(pieces)
