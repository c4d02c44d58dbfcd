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
    """An object on its way, under a name of its own in the folder of `home`.

    Attributes:
        fd: For reading and writing.
        wanted_by: The retrieval that it was judged to belong to, once its sender has been told that
            it is stored.
        is_abandoned: The retrieval was closed: the name is gone already.
    """

    def __init__(self, name: str, fd: int, home: Retrieval) -> None:
        self.name = name
        self.fd = fd
        self.home = home
        self.wanted_by: Retrieval | None = None
        self.is_abandoned = False


class Retrieval:
    """One Study that the engine asked for.

    Args:
        channel: To the engine; records are sent in the order in which objects became whole.
        folder_fd: Where objects go.
        first_number: Of the counter that names them; nothing in the folder has it or a higher one.
        lock: One for all retrievals: an object may go from one's folder to another's.
    """

    def __init__(
        self,
        study_instance_uid: bytes,
        channel: socket.socket,
        folder_fd: int,
        first_number: int,
        lock: threading.Lock,
    ) -> None:
        self.study_instance_uid = study_instance_uid
        self.channel = channel
        self.folder_fd = folder_fd
        self._numbers = itertools.count(first_number)
        self._lock = lock
        self.parts: set[PartFile] = set()
        self._owed: set[PartFile] = set()  # answered as stored, not reported yet
        self._is_closing = self._is_closed = False

    def free_bytes(self) -> int:
        """Raises ClosedError."""
        with self._lock:
            self.check_open()
            free = os.fstatvfs(self.folder_fd)
        return free.f_bavail * free.f_frsize

    def create_part(self) -> PartFile:
        """Raises ClosedError, OSError."""
        with self._lock:
            if self._is_closing:
                raise ClosedError
            name = file_name(next(self._numbers)) + _PART
            part = PartFile(name, os.open(name, _CREATE, 0o600, dir_fd=self.folder_fd), self)
            self.parts.add(part)
        return part

    def remove_part(self, part: PartFile) -> None:
        """Take back what was not whole or not wanted; closes it."""
        with self._lock:
            self.parts.discard(part)
            os.close(part.fd)
            if not part.is_abandoned:
                os.unlink(part.name, dir_fd=self.folder_fd)
            if part.wanted_by is not None:
                part.wanted_by.settle(part)
            self.end_if_settled()

    def expect(self, part: PartFile) -> None:
        """Its sender is about to be told that it is stored: `keep` or `remove_part` must follow,
        and `close` waits for that.

        Raises:
            ClosedError: The engine closed the retrieval.
        """
        with self._lock:
            if self._is_closing or part.is_abandoned:
                raise ClosedError
            part.wanted_by = self
            self._owed.add(part)

    def keep_part(self, part: PartFile) -> int:
        """Give a whole object its final name here, wherever it was begun; closes it.

        Returns:
            The number that it is named by; `report` must follow.
        Raises:
            ClosedError: A retrieval was closed meanwhile; the part is still to be removed.
            OSError: Two file systems, or the folder is gone.
        """
        origin = part.home
        with self._lock:
            self.check_open()
            if part.is_abandoned:
                raise ClosedError
            is_home = origin is self
            number = int(part.name.removesuffix(_PART)) if is_home else next(self._numbers)
            os.rename(
                part.name,
                file_name(number),
                src_dir_fd=origin.folder_fd,
                dst_dir_fd=self.folder_fd,
            )
            origin.parts.discard(part)
            os.close(part.fd)
            if not is_home:
                origin.end_if_settled()
        return number

    def report(self, part: PartFile, number: int, record: bytes) -> None:
        """Tell the engine of a kept object; one that it cannot be told of is removed again.

        Raises:
            ClosedError: The engine is gone.
        """
        try:
            self.channel.send(record)
        except OSError as error:
            os.unlink(file_name(number), dir_fd=self.folder_fd)
            raise ClosedError from error
        finally:
            with self._lock:
                self.settle(part)

    def close(self) -> None:
        """From now on nothing is begun; what is half-way goes, what was answered as stored is
        waited for by its own thread, which then lets go of folder and channel.
        """
        with self._lock:
            self._is_closing = True
            for part in [each for each in self.parts if each.wanted_by is None]:
                part.is_abandoned = True
                os.unlink(part.name, dir_fd=self.folder_fd)
                self.parts.discard(part)
            self.end_if_settled()

    def settle(self, part: PartFile) -> None:
        """Nothing more is owed for it. With the lock held."""
        self._owed.discard(part)
        self.end_if_settled()

    def end_if_settled(self) -> None:
        """Let go of folder and channel once nothing is left to do. With the lock held."""
        if self._is_closing and not self._is_closed and not self.parts and not self._owed:
            self._is_closed = True
            os.close(self.folder_fd)
            self.channel.close()

    def check_open(self) -> None:
        if self._is_closed:
            raise ClosedError


class RetrievalTable:
    """All open retrievals, one a Study."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.files_lock = threading.Lock()  # of all retrievals' folders
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
