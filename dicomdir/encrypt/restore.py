"""A protected medium back into a plain one: everything or nothing, and checked.

Plain files are written into a hidden folder beside the wanted one, which gets its name when every
file agrees with its digest and with the manifest. Media of other makers have no manifest: there the
DICOMDIR, protected itself, says which files there are and which objects they hold.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dicomdir.directory import MAX_DIRECTORY_BYTES, read_directory
from dicomdir.encrypt.manifest import MANIFEST, MAX_MANIFEST_BYTES, Manifest, ProtectedFile
from dicomdir.encrypt.passwords import encode
from dicomdir.encrypt.seal import PIECE_BYTES
from dicomdir.encrypt.source import Medium, open_medium
from dicomdir.encrypt.unseal import Emit, Unsealed, Unsealer, is_sealed
from dicomdir.errors import (
    DamagedMediumError,
    DirectoryError,
    EncryptionError,
    InstanceError,
    NotProtectedError,
    WrongPasswordError,
)
from dicomdir.instance import read_instance_at
from dicomdir.pdi import DICOMDIR, HASHES, VIEWER_FOLDER, broken_name_rule

_START_BYTES: Final = 132
_SOP_INSTANCE: Final = 0x00041511
_HEADER_BYTES: Final = 1 << 20  # of an object, to see which one it is

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was decrypted.

    Attributes:
        files: Plain files, the DICOMDIR included.
        is_authenticated: A manifest under the password vouches for every file.
        ignored: Files on the medium that are no part of it.
    """

    files: int
    size_bytes: int
    is_authenticated: bool
    ignored: int


def restore(
    source: Path,
    password: str,
    out: Path,
    *,
    progress: Progress = lambda _done, _total: None,
) -> Restored:
    """Decrypt a medium into a new folder.

    Args:
        source: A folder, an image or a device node.
        out: Not there yet; its parent is.
        progress: Called with bytes done and in all.
    Raises:
        NotProtectedError: It is no protected medium.
        WrongPasswordError: The password does not open it.
        DamagedMediumError: A file is damaged, cut, missing or not the one that belongs there.
        UnsupportedEncryptionError: Protected in another way.
        ImageError: The source is neither an image nor a folder.
        OSError: Reading or writing failed; FileExistsError: `out` is there. Nothing is left.
    """
    if out.exists() or out.is_symlink():
        raise FileExistsError(f"{out} is already there")
    with open_medium(source) as medium:
        part = Path(tempfile.mkdtemp(prefix=".sendhome-", dir=out.parent))
        try:
            restored = _Restorer(medium, password, part, progress).run()
            os.sync()  # the content before the name
            part.rename(out)
        except BaseException:
            shutil.rmtree(part)
            raise
    return restored


def verify(
    source: Path, password: str, *, progress: Progress = lambda _done, _total: None
) -> Restored:
    """Decrypt all of a medium and keep nothing: that it can be restored. Raises as `restore`."""
    with open_medium(source) as medium:
        return _Restorer(medium, password, None, progress).run()


class _Restorer:
    def __init__(
        self, medium: Medium, password: str, folder: Path | None, progress: Progress
    ) -> None:
        self._medium = medium
        self._unsealer = Unsealer(encode(password))
        self._folder = folder
        self._progress = progress
        self._total = sum(medium.sizes.values())
        self._done = 0
        self._plain_bytes = 0

    def run(self) -> Restored:
        medium = self._medium
        if DICOMDIR not in medium.sizes:
            raise NotProtectedError("there is no DICOMDIR")
        start = medium.read(DICOMDIR, 0, _START_BYTES)
        if start[128:] == b"DICM":
            raise NotProtectedError("the DICOMDIR is not encrypted")
        if MANIFEST in medium.sizes:
            return self._by_manifest(self._manifest())
        if not is_sealed(start):
            raise DamagedMediumError(f"{DICOMDIR}: it is neither a DICOM file nor a protected one")
        return self._by_directory()

    def _manifest(self) -> Manifest:
        size = self._medium.sizes[MANIFEST]
        if size > MAX_MANIFEST_BYTES:
            raise DamagedMediumError(f"{MANIFEST}: it is too large")
        with _named(MANIFEST):
            data = self._medium.read(MANIFEST, 0, size)
            try:
                return Manifest.decode(self._unsealer.unseal_authenticated(data))
            except WrongPasswordError:
                self._unseal(DICOMDIR, lambda _piece: None)  # raises the same if it is the password
                raise DamagedMediumError("its key is damaged") from None

    def _by_manifest(self, manifest: Manifest) -> Restored:
        for file in manifest.clear:
            self._check_clear(file)
        for file in manifest.files:
            with _named(file.stored), self._sink(file.path) as emit:
                try:
                    made = self._unseal(file.stored, emit)
                except WrongPasswordError:
                    raise DamagedMediumError("it is not of this medium") from None
                if (made.size_bytes, made.digest) != (file.size_bytes, file.sha256):
                    raise DamagedMediumError("it is not the file that belongs there")
        known = {MANIFEST, HASHES, *(it.stored for it in (*manifest.files, *manifest.clear))}
        return Restored(
            len(manifest.files), self._plain_bytes, True, len(self._medium.sizes.keys() - known)
        )

    def _check_clear(self, file: ProtectedFile) -> None:
        is_kept = file.stored.startswith(f"{VIEWER_FOLDER}/")  # the plain pages lead to it
        keep = self._sink(file.stored) if is_kept else nullcontext(_nowhere)
        with _named(file.stored), keep as emit:
            if self._medium.sizes.get(file.stored) != file.size_bytes:
                raise DamagedMediumError("it is missing or has another length")
            digest = hashlib.sha256()
            for at in range(0, file.size_bytes, PIECE_BYTES):
                piece = self._medium.read(file.stored, at, PIECE_BYTES)
                digest.update(piece)
                emit(memoryview(piece))
            if digest.hexdigest() != file.sha256:
                raise DamagedMediumError("it is not as it was written")

    def _by_directory(self) -> Restored:
        plain = bytearray()

        def keep(piece: memoryview) -> None:
            if len(plain) + len(piece) > MAX_DIRECTORY_BYTES:
                raise DamagedMediumError("it is too large")
            plain.extend(piece)

        with _named(DICOMDIR), self._sink(DICOMDIR) as emit:
            self._unseal(DICOMDIR, keep)
            emit(memoryview(plain))
            try:
                directory = read_directory(bytes(plain))
            except (DirectoryError, InstanceError) as error:
                raise DamagedMediumError("what is inside is no DICOMDIR") from error
        known = {DICOMDIR}
        for record in directory.records:
            if not record.is_leaf:
                continue
            path = record.file_id
            if broken_name_rule(path) or path in known:
                raise DamagedMediumError(f"{DICOMDIR}: it refers to an impossible file, or twice")
            known.add(path)
            with _named(path), self._sink(path) as emit:
                self._restore_object(path, record.text(_SOP_INSTANCE), emit)
        return Restored(
            len(known), self._plain_bytes, False, len(self._medium.sizes.keys() - known)
        )

    def _restore_object(self, path: str, sop_instance_uid: str, emit: Emit) -> None:
        start = bytearray()

        def note(piece: memoryview) -> None:
            start.extend(piece[: max(0, _HEADER_BYTES - len(start))])
            emit(piece)

        made = self._unseal(path, note)
        head = bytes(start)
        try:
            found = read_instance_at(lambda at, size: head[at : at + size], made.size_bytes)
        except InstanceError as error:
            raise DamagedMediumError("what is inside is no DICOM object") from error
        if found.sop_instance_uid != sop_instance_uid:
            raise DamagedMediumError("it is not the object that the DICOMDIR says")

    def _unseal(self, stored: str, emit: Emit) -> Unsealed:
        size = self._medium.sizes.get(stored)
        if size is None:
            raise DamagedMediumError("it is missing")
        made = self._unsealer.unseal(
            lambda at, count: self._medium.read(stored, at, count), size, emit
        )
        self._done += size
        self._plain_bytes += made.size_bytes
        self._progress(self._done, self._total)
        return made

    @contextmanager
    def _sink(self, path: str) -> Iterator[Emit]:
        """Where a plain file's bytes go."""
        if self._folder is None:
            yield _nowhere
            return
        place = self._folder / path  # a legal path on a medium: cannot lead out of the folder
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb", buffering=0) as file:

            def write(piece: memoryview) -> None:
                while piece:
                    piece = piece[file.write(piece) :]

            yield write


def _nowhere(_piece: memoryview) -> None:
    """What is only checked is not kept."""


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Errors with the file they speak of; its name is a counter, never a patient's."""
    try:
        yield
    except WrongPasswordError:
        raise
    except EncryptionError as error:
        raise type(error)(f"{path}: {error}") from error
