"""Images and labels in the folder that a robot's PC reads, and out of it again.

Everything here can be read by whoever may read the share: nothing stays longer than its disc.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from burner.errors import CancelledError, EngineError, RobotSilentError, VerificationError
from burner.robots.text_files import sync_folder

CHUNK_BYTES: Final = 4 << 20
LABELS: Final = (".jpg", ".bmp", ".prn", ".std", ".png", ".tdd")
PART: Final = ".part"


class Staging:
    """The images folder of one robot. File names are the job's, with a suffix."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> None:
        """The folder, in one that is there. Raises OSError."""
        self.folder.mkdir(exist_ok=True)

    def is_there(self) -> bool:
        return self.folder.is_dir()

    def image(self, name: str) -> Path:
        return self.folder / f"{name}.iso"

    def label(self, name: str, suffix: str) -> Path:
        return self.folder / f"{name}{suffix}"

    def put(
        self,
        image: Path,
        name: str,
        sha256: str | None,
        *,
        on_progress: Callable[[int, int], None],
        is_cancelled: Callable[[], bool],
    ) -> str:
        """Copy an image there and read it back.

        Args:
            sha256: What it must be, None if only the copy can be held against it.
        Returns:
            Its SHA-256, hexadecimal.
        Raises:
            EngineError: The image cannot be read. CancelledError: Nothing of it is there.
            RobotSilentError: The folder cannot be reached or has no room.
            VerificationError: What is there is not what was built.
        """
        size = image.stat().st_size
        target = self.image(name)
        part = target.with_suffix(PART)
        try:
            self.make()
            self._require_room(size)
            copied = self._copy(image, part, size, on_progress, is_cancelled)
            part.replace(target)
            sync_folder(self.folder)
            found = self.hash_of(target)
        except OSError as error:
            self.remove(name)
            raise RobotSilentError(f"the robot's images folder: {error.strerror}") from error
        except CancelledError:
            self.remove(name)
            raise
        if found != copied or found != (sha256 or copied).lower():
            self.remove(name)
            raise VerificationError("the image in the robot's folder is not what was built")
        return found

    def _require_room(self, size: int) -> None:
        if shutil.disk_usage(self.folder).free < size:
            raise RobotSilentError("the robot's images folder has no room for the image")

    @staticmethod
    def _copy(
        image: Path,
        part: Path,
        size: int,
        on_progress: Callable[[int, int], None],
        is_cancelled: Callable[[], bool],
    ) -> str:
        digest, done = hashlib.sha256(), 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            source = image.open("rb")
        except OSError as error:
            raise EngineError(f"the image cannot be read: {error.strerror}") from error
        with source, os.fdopen(os.open(part, flags, 0o660), "wb") as target:
            while chunk := source.read(CHUNK_BYTES):
                if is_cancelled():
                    raise CancelledError(spoiled=False)
                digest.update(chunk)
                target.write(chunk)
                done += len(chunk)
                on_progress(done, size)
            target.flush()
            os.fsync(target.fileno())
        return digest.hexdigest()

    @staticmethod
    def hash_of(path: Path) -> str:
        """Of what lies there, as far as a share lets past its cache. Raises OSError."""
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            return hashlib.file_digest(file, "sha256").hexdigest()

    def put_label(self, label: Path, name: str, max_bytes: int = 64 << 20) -> str:
        """Copy a label there. Returns its suffix. Raises EngineError, RobotSilentError."""
        suffix = label.suffix.lower()
        target = self.label(name, suffix)
        try:
            with label.open("rb") as file:
                data = file.read(max_bytes + 1)
        except OSError as error:
            raise EngineError(f"the label cannot be read: {error.strerror}") from error
        if not data or len(data) > max_bytes:
            raise EngineError("the label is empty or too large")
        try:
            part = target.with_suffix(PART)
            with part.open("wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            part.replace(target)
        except OSError as error:
            raise RobotSilentError(f"the robot's images folder: {error.strerror}") from error
        return suffix

    def remove(self, name: str) -> None:
        """Image, label and halves of them. Raises RobotSilentError if one stays."""
        for suffix in (".iso", PART, *LABELS):
            try:
                (self.folder / f"{name}{suffix}").unlink(missing_ok=True)
            except OSError as error:
                raise RobotSilentError(f"an image stays in the share: {error.strerror}") from error
