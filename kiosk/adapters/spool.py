"""A private folder per job, and how much room there is.

What no job needs is removed here at every start of the engine, so the spool carries a mark: a
folder in which other things lie is never taken for one.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

from kiosk.disk import sync
from kiosk.domain.model import OrderId
from kiosk.errors import InvalidValueError, SpoolFullError, SpoolTakenError

MARK = ".sendhome-spool"
_NOT_COUNTED = frozenset(("lost+found",))  # of a file system of its own
_DOOMED = ".wiping-"  # a folder on its way out: never taken for a job's


class DirectorySpool:
    """Keeps `kiosk.ports.Spool` below one folder, mode 0700.

    Args:
        reserve_bytes: Kept free for others; `free_bytes` does not count it.
    """

    def __init__(self, root: Path, *, reserve_bytes: int = 0) -> None:
        self._root = root
        self._reserve_bytes = reserve_bytes
        self._claiming = threading.Lock()
        self._is_claimed = False

    def folder(self, job_id: OrderId) -> Path:
        """The job's folder, made if there is none.

        Raises:
            SpoolFullError: It cannot be made.
            SpoolTakenError: Other things lie in the spool.
        """
        path = self._root / OrderId(job_id)
        try:
            self._claim()
            path.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise SpoolFullError(f"no folder can be made in the spool: {error.strerror}") from error
        return path

    def free_bytes(self) -> int:
        """Bytes that jobs may fill, 0 when the reserve is touched."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = os.statvfs(self._root)
        return max(0, state.f_bavail * state.f_frsize - self._reserve_bytes)

    def wipe(self, job_id: OrderId) -> None:
        """Remove the job's folder; a wipe that was cut short is finished by the next one.

        Raises:
            OSError: Something in it cannot be removed.
        """
        path = self._root / OrderId(job_id)
        doomed = self._root / f"{_DOOMED}{job_id}"
        # Renamed first: nobody ever sees a half emptied folder under the job's name.
        _remove(doomed)
        if path.exists():
            path.rename(doomed)
            _remove(doomed)

    def job_ids(self) -> Sequence[OrderId]:
        """Whose folders there are; leftovers of interrupted wipes are removed on the way.

        Raises:
            SpoolTakenError: Other things lie in the spool.
        """
        try:
            self._claim()
        except OSError:
            if self._root.exists():
                raise
            return []  # it cannot be made yet: each order that needs it says so
        found = []
        for path in sorted(self._root.iterdir()):
            if path.name.startswith(_DOOMED):
                _remove(path)
                continue
            try:
                found.append(OrderId(path.name))
            except InvalidValueError:
                continue  # not ours
        return found

    def _claim(self) -> None:
        """Ours from now on, if it is not yet. Raises SpoolTakenError.

        The mark is on the disk before anything else is made beside it: folders whose mark a power
        cut takes away would lock us out. One that is found may not be, if the power went while it
        was made.
        """
        mark = self._root / MARK
        with self._claiming:
            if self._is_claimed and mark.exists():
                return
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            others = {path.name for path in self._root.iterdir()} - _NOT_COUNTED
            if others and MARK not in others:
                raise SpoolTakenError(
                    "store.spool_dir: other things lie in it, and what no job needs is removed "
                    "there; it wants a folder of its own, empty at the first start"
                )
            mark.touch(mode=0o600)
            sync(mark)
            sync(self._root)
            self._is_claimed = True


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
