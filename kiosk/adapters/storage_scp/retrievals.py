"""Which Studies may arrive, and where they go: open retrievals, shared by all associations."""

from __future__ import annotations

import itertools
import os
import socket
import threading
from collections.abc import Callable
from typing import Final

from kiosk.adapters.storage_scp.messages import file_name

_PART: Final = ".part"
_CREATE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class ClosedError(Exception):
    """The retrieval was closed meanwhile: nothing more may be put into its folder."""


class PartFile:
    """An object on its way to disk, under a name of its own in a retrieval's folder.

    Attributes:
        fd: For reading and writing; closed by the association that opened it.
        is_abandoned: The retrieval was closed: the name is gone already.
    """

    def __init__(self, name: str, fd: int) -> None:
        self.name = name
        self.fd = fd
        self.is_abandoned = False


class Retrieval:
    """One Study that the engine asked for.

    Args:
        channel: To the engine; records are sent in the order in which objects became whole.
        folder_fd: Where objects go.
        first_number: Of the counter that names them; nothing in the folder has it or a higher one.
    """

    def __init__(
        self, study_instance_uid: bytes, channel: socket.socket, folder_fd: int, first_number: int
    ) -> None:
        self.study_instance_uid = study_instance_uid
        self.channel = channel
        self._folder_fd = folder_fd
        self._numbers = itertools.count(first_number)
        self._lock = threading.Lock()
        self._parts: set[PartFile] = set()
        self._is_closed = False

    def free_bytes(self) -> int:
        """Raises ClosedError."""
        with self._lock:
            self._check_open()
            free = os.fstatvfs(self._folder_fd)
        return free.f_bavail * free.f_frsize

    def create_part(self) -> PartFile:
        """Raises ClosedError, OSError."""
        with self._lock:
            self._check_open()
            name = file_name(next(self._numbers)) + _PART
            part = PartFile(name, os.open(name, _CREATE, 0o600, dir_fd=self._folder_fd))
            self._parts.add(part)
        return part

    def remove_part(self, part: PartFile) -> None:
        """Take back what was not whole or not wanted; closes it."""
        with self._lock:
            self._parts.discard(part)
            os.close(part.fd)
            if not part.is_abandoned:
                os.unlink(part.name, dir_fd=self._folder_fd)

    def keep_part(self, part: PartFile, origin: Retrieval) -> int:
        """Give a whole object its final name in this retrieval's folder; closes it.

        Args:
            origin: In whose folder it was begun, maybe this one.
        Returns:
            The number that it has from now on.
        Raises:
            ClosedError: Either retrieval was closed meanwhile; the part is still there to be
                removed.
            OSError: Two file systems, or the folder is gone.
        """
        locks = {id(self): self._lock, id(origin): origin._lock}
        ordered = [locks[key] for key in sorted(locks)]  # always in one order: no dead-lock
        for lock in ordered:
            lock.acquire()
        try:
            self._check_open()
            origin._check_open()
            is_home = origin is self
            number = int(part.name.removesuffix(_PART)) if is_home else next(self._numbers)
            os.rename(
                part.name,
                file_name(number),
                src_dir_fd=origin._folder_fd,
                dst_dir_fd=self._folder_fd,
            )
            origin._parts.discard(part)
            os.close(part.fd)
        finally:
            for lock in ordered:
                lock.release()
        return number

    def take_back(self, number: int) -> None:
        """Remove an object that the engine could not be told of."""
        with self._lock:
            if not self._is_closed:
                os.unlink(file_name(number), dir_fd=self._folder_fd)

    def close(self) -> None:
        """From now on nothing is added; what is half-way goes."""
        with self._lock:
            self._is_closed = True
            for part in self._parts:
                part.is_abandoned = True
                os.unlink(part.name, dir_fd=self._folder_fd)
            self._parts.clear()
            os.close(self._folder_fd)
            self.channel.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise ClosedError


class RetrievalTable:
    """All open retrievals, one a Study."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_study: dict[bytes, Retrieval] = {}

    def add(self, retrieval: Retrieval) -> bool:
        """False if the Study is already being retrieved."""
        with self._lock:
            if retrieval.study_instance_uid in self._by_study:
                return False
            self._by_study[retrieval.study_instance_uid] = retrieval
        return True

    def remove(self, retrieval: Retrieval) -> None:
        with self._lock:
            if self._by_study.get(retrieval.study_instance_uid) is retrieval:
                del self._by_study[retrieval.study_instance_uid]

    def find(self, study_instance_uid: bytes) -> Retrieval | None:
        with self._lock:
            return self._by_study.get(study_instance_uid)

    def any_open(self, preferred: Retrieval | None) -> Retrieval | None:
        """`preferred` if it is still open, otherwise the one opened first, None if there is
        none.
        """
        with self._lock:
            if (
                preferred is not None
                and self._by_study.get(preferred.study_instance_uid) is preferred
            ):
                return preferred
            return next(iter(self._by_study.values()), None)

    def tell_all(self, tell: Callable[[Retrieval], None]) -> None:
        with self._lock:
            retrievals = list(self._by_study.values())
        for retrieval in retrievals:
            tell(retrieval)
