"""Files that orders keep, reports and release forms: STATE/reports/ORDER/NAME, mode 0700 and 0600.

Names say nothing of what is in a file. It is synced and renamed before the journal
speaks of it, and removed after the journal has stopped to: what a cut between both leaves is found
by `keep_only`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from kiosk.adapters.lock import FileLock
from kiosk.disk import sync
from kiosk.domain.model import OrderId

_NEW: Final = ".new-"
_LOCK: Final = ".lock"


class OrderFiles:
    """Keeps `ReportFiles` of `kiosk.services.reports` and `FormFiles` of
    `kiosk.services.release_forms` below one folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """One process at a time, so that none takes another's new file for a leftover."""
        self._make(self._root)
        with FileLock(self._root / _LOCK, "the folder of orders' files").hold(wait=True):
            yield

    @contextlib.contextmanager
    def workshop(self) -> Iterator[Path]:
        """A private folder that goes again, on the same file system."""
        self._make(self._root)
        with tempfile.TemporaryDirectory(prefix=_NEW, dir=self._root) as folder:  # mode 0700
            yield Path(folder)

    def keep(self, order_id: OrderId, source: Path, name: str = "") -> str:
        """Move a file out of the workshop to its order, durably; one of that name is replaced.

        Args:
            name: A plain one; "" for one of chance.
        Returns:
            Its name there.
        """
        folder = self._root / OrderId(order_id)
        self._make(folder)
        source.chmod(0o600)
        sync(source)
        name = name or secrets.token_hex(8)
        source.rename(folder / name)
        sync(folder)
        sync(self._root)
        return name

    def path(self, order_id: OrderId, name: str) -> Path:
        return self._root / OrderId(order_id) / name

    def digest(self, order_id: OrderId, name: str) -> str:
        """Hex SHA-256 of a file, "" if it is not there."""
        try:
            with self.path(order_id, name).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return ""

    def keep_only(self, wanted: Collection[tuple[OrderId, str]]) -> int:
        """Remove whatever is not one of these; call while `changing`. Returns how many files."""
        if not self._root.exists():
            return 0
        names = {(str(order_id), name) for order_id, name in wanted}
        gone = 0
        for folder in sorted(self._root.iterdir()):
            if folder.name == _LOCK or folder.is_symlink() or not folder.is_dir():
                continue
            if folder.name.startswith(_NEW):
                if _is_old(folder):  # of a process that was killed; others are at work
                    shutil.rmtree(folder, ignore_errors=True)
                continue
            for file in sorted(folder.iterdir()):
                if (folder.name, file.name) not in names:
                    file.unlink()
                    gone += 1
            with contextlib.suppress(OSError):  # not empty
                folder.rmdir()
        return gone

    def _make(self, folder: Path) -> None:
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync(folder.parent)


def _is_old(folder: Path) -> bool:
    """Nobody works for an hour on one report; by the file system's own clock."""
    marker = folder.parent / _LOCK
    os.utime(marker)
    return marker.stat().st_mtime - folder.stat().st_mtime > 3600
