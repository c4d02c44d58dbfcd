"""A PdiVolume into a protected one: everything sealed but two pages that hold nothing (PDI-92).

All sealed files lie one behind the other in a single file of ours: its space is reserved at once,
and a thousand objects do not cost a thousand files.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from dicomdir.encrypt.keys import Derivation
from dicomdir.encrypt.manifest import MANIFEST, Manifest, ProtectedFile, manifest_bytes
from dicomdir.encrypt.pages import protected_index, protected_readme
from dicomdir.encrypt.passwords import encode
from dicomdir.encrypt.seal import PIECE_BYTES, Sealer, authenticated_bytes, sealed_bytes
from dicomdir.errors import FileIDError, ImageError
from dicomdir.pdi import (
    DICOMDIR,
    EXTRA_FOLDER,
    HASHES,
    INDEX,
    OBJECTS_FOLDER,
    README,
    VIEWER_FOLDER,
    Entry,
    FileSource,
    PdiVolume,
    broken_name_rule,
)
from dicomdir.readme import Site
from dicomdir.web import LinkCase

PRIVATE_FOLDER: Final = f"{EXTRA_FOLDER}/PRIVATE"
_FILES_PER_FOLDER: Final = 1000
_SEALED: Final = "sealed"


def encrypt_volume(
    volume: PdiVolume,
    password: str,
    work: Path,
    *,
    site: Site,
    links: LinkCase = LinkCase.LOWER,
    derivation: Derivation | None = None,
    clear: Sequence[Entry] = (),
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> PdiVolume:
    """Seal every file of a finished volume; the order on the medium stays.

    Args:
        password: Checked for strength by whoever took it; see `passwords`.
        work: A folder on a disk with room for the whole volume; the new one refers to a file there.
        derivation: For tests; a fresh one of 600,000 rounds otherwise.
        clear: What else lies in clear, such as a viewer that reads protected files. Nothing of the
            patient may be in it. Beside a viewer stands its list of hashes, which is made here.
        progress: Called with bytes done and in all, after each file.
    Raises:
        WeakPasswordError: Characters that PDI-89 forbids.
        ImageError: A source changed its size.
        OSError: ENOSPC for a full disk: before anything was written.
    """
    sealer = Sealer(encode(password), derivation)
    readme = Entry(README, protected_readme(site))
    index = Entry(INDEX, protected_index(site, links=links))
    in_clear = [readme, index, *clear]
    stored = stored_paths(entry.path for entry in volume.entries)
    total = volume.content_bytes
    path = work / _SEALED
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(
            descriptor, 0, sum(sealed_bytes(entry.size_bytes) for entry in volume.entries)
        )
        files: list[ProtectedFile] = []
        sealed: dict[str, Entry] = {}
        at = done = 0
        write = _writer(descriptor)
        digests: dict[str, bytes] = {}  # of the files as they lie on the medium
        for entry in volume.entries:
            place = stored[entry.path]
            hashed = _Hashed(write)
            made = sealer.seal(_content(entry), entry.size_bytes, hashed.write)
            digests[place] = hashed.digest()
            files.append(ProtectedFile(entry.path, place, entry.size_bytes, made.sha256))
            sealed[place] = Entry(place, FileSource(os.fspath(path), made.size_bytes, at))
            at += made.size_bytes
            done += entry.size_bytes
            progress(done, total)
    except BaseException:
        path.unlink()  # of no use, and as large as the medium
        raise
    finally:
        os.close(descriptor)
    manifest = Manifest(
        volume.volume_id,
        tuple(files),
        tuple(
            ProtectedFile(entry.path, entry.path, entry.size_bytes, _sha256(entry))
            for entry in in_clear
        ),
    )
    private = [sealed[place] for place in sealed if place.startswith(f"{EXTRA_FOLDER}/")]
    objects = [sealed[place] for place in sealed if place.startswith(f"{OBJECTS_FOLDER}/")]
    own = Entry(MANIFEST, sealer.seal_authenticated(manifest.encode()))
    in_clear += _hash_list(in_clear, own, sealed, digests)
    entries = [sealed[DICOMDIR], *in_clear, own, *private, *objects]
    _require_sound(entries, len(sealed) + len(in_clear) + 1)
    return PdiVolume(volume.volume_id, entries)


def stored_paths(paths: Iterable[str]) -> dict[str, str]:
    """Where the files of a plain volume lie on the protected one; DICOM files keep their places.

    The others' names and folders would say what they are, so they are counted.
    """
    found = {}
    count = 0
    for path in paths:
        if path == DICOMDIR or path.startswith(f"{OBJECTS_FOLDER}/"):
            found[path] = path
        else:
            count += 1
            folder = (count - 1) // _FILES_PER_FOLDER + 1
            found[path] = f"{PRIVATE_FOLDER}/D{folder:06d}/F{count:07d}.P7M"
    return found


def protected_clear(site: Site) -> list[tuple[str, int]]:
    """Paths and sizes of what a protected medium has in clear, whatever is on it."""
    return [
        (README, len(protected_readme(site))),
        (INDEX, len(protected_index(site, links=LinkCase.UPPER))),
    ]


def protected_sizes(
    plain: Iterable[tuple[str, int]], site: Site, clear: Iterable[tuple[str, int]] = ()
) -> list[tuple[str, int]]:
    """Paths and sizes on the protected medium, for one who plans it: none will be larger."""
    sizes = dict(plain)
    stored = stored_paths(sizes)
    in_clear = [*protected_clear(site), *clear]
    if _has_viewer(path for path, _ in in_clear):
        from dicomdir.viewer.hash_list import most_hash_bytes

        in_clear.append((HASHES, most_hash_bytes(len(sizes) + len(in_clear) + 1)))
    manifest = authenticated_bytes(manifest_bytes(len(sizes) + len(in_clear)))
    return [
        *((stored[path], sealed_bytes(size)) for path, size in sizes.items()),
        *in_clear,
        (MANIFEST, manifest),
    ]


def _has_viewer(paths: Iterable[str]) -> bool:
    return any(path.startswith(f"{VIEWER_FOLDER}/") for path in paths)


def _hash_list(
    in_clear: Sequence[Entry],
    manifest: Entry,
    sealed: Mapping[str, Entry],
    digests: Mapping[str, bytes],
) -> list[Entry]:
    """The list that a viewer compares the medium with; none where there is no viewer.

    Our own manifest cannot vouch for it: it is on the list itself.
    """
    if not _has_viewer(it.path for it in in_clear):
        return []
    from dicomdir.viewer.hash_list import hash_list  # with numpy, which sealing does not need
    from dicomdir.viewer.manifest import MANIFEST as VIEWER_MANIFEST

    rows = [(it.path, it.size_bytes, digests[it.path]) for it in sealed.values()]
    rows += [
        (it.path, it.size_bytes, bytes.fromhex(_sha256(it)))
        for it in (*in_clear, manifest)
        if it.path != VIEWER_MANIFEST
    ]
    return [hash_list(rows)]


def _require_sound(entries: Sequence[Entry], count: int) -> None:
    if len({entry.path for entry in entries}) != count:
        raise ImageError("two files have one path, or one has none")
    for entry in entries:
        if broken := broken_name_rule(entry.path):
            raise FileIDError(f"a path on the medium breaks {broken}")


def _writer(descriptor: int) -> Callable[[bytes | memoryview], None]:
    def write(data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    return write


class _Hashed:
    """Hashes what goes through it."""

    def __init__(self, write: Callable[[bytes | memoryview], None]) -> None:
        self._write = write
        self._sha256 = hashlib.sha256()

    def write(self, data: bytes | memoryview) -> None:
        self._sha256.update(data)
        self._write(data)

    def digest(self) -> bytes:
        return self._sha256.digest()


def _content(entry: Entry) -> Iterator[memoryview]:
    """Pieces in one buffer that is used again and again."""
    for start in (entry.head, entry.source if isinstance(entry.source, bytes) else b""):
        for at in range(0, len(start), PIECE_BYTES):
            yield memoryview(start)[at : at + PIECE_BYTES]
    source = entry.source
    if isinstance(source, bytes):
        return
    view = memoryview(bytearray(min(PIECE_BYTES, source.size_bytes)))
    descriptor = os.open(source.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        at, end = source.offset_bytes, source.offset_bytes + source.size_bytes
        while at < end:
            count = os.preadv(descriptor, [view[: end - at]], at)
            if count == 0:
                raise ImageError("a source file is shorter than it was")
            yield view[:count]
            at += count
    finally:
        os.close(descriptor)


def _sha256(entry: Entry) -> str:
    digest = hashlib.sha256()
    for piece in _content(entry):
        digest.update(piece)
    return digest.hexdigest()
