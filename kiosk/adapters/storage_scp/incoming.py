"""One object on its way to disk: bytes, digest, header facts, and the status that answers it.

An object that fits into the association's buffer is judged and answered first, and digested and
written while its sender prepares the next one. So a status of success says: whole, readable and
wanted. That it is on disk is what a record tells the engine, which goes by records alone: what
could not be written after all is missing there, and asked for again.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from collections.abc import Callable
from typing import Final

from dicomdir.errors import DicomdirError, HeaderIncompleteError
from dicomdir.instance import Instance, read_instance_at, scan_data_set
from kiosk.adapters.storage_scp import messages
from kiosk.adapters.storage_scp.file_meta import file_meta
from kiosk.adapters.storage_scp.machine import SOP_CLASS_NOT_SUPPORTED, StoreRequest
from kiosk.adapters.storage_scp.retrievals import ClosedError, PartFile, Retrieval, RetrievalTable
from kiosk.digest import Digest

# C-STORE statuses, PS3.4 table B.2-1 and PS3.7 annex C
STORED: Final = 0x0000
INVALID_INSTANCE: Final = 0x0117
NOT_AUTHORIZED: Final = 0x0124
OUT_OF_RESOURCES: Final = 0xA700
MISMATCH: Final = 0xA900
CANNOT_UNDERSTAND: Final = 0xC000
WRITE_FAILED: Final = 0xC001

_HEAD_BYTES: Final = (
    16 * 1024
)  # of each object, kept until it is whole; most headers end far before
_MAX_PIECES: Final = 512  # a write, below IOV_MAX of 1024; a peer may send a byte at a time
# Of the file, a write: a page that two writes share is handled twice, and for larger ones ext4
# takes memory that a virtual machine's host may have to give first.
_BLOCK_BYTES: Final = 64 * 1024
_REPORT_S: Final = 1.0
_SPACE_CHECK_BYTES: Final = 16 * 1024 * 1024


class StoreSink:
    """Takes the objects of one association to the folders of open retrievals.

    Args:
        originators: AE titles that an object may name as the mover.
        alert: Called with a fixed word when something came that should not have.
        reserve_bytes: Free space below which nothing more is written.
    """

    def __init__(
        self,
        table: RetrievalTable,
        *,
        originators: frozenset[bytes],
        reserve_bytes: int,
        alert: Callable[[str], None],
    ) -> None:
        self._table = table
        self._originators = originators
        self._reserve_bytes = reserve_bytes
        self._alert = alert
        self._retrieval: Retrieval | None = None
        self._request: StoreRequest | None = None
        self._part: PartFile | None = None
        self._status = STORED
        self._pending: list[bytes | memoryview] = []
        self._head = bytearray()
        self._digest = Digest()
        self._size_bytes = self._meta_bytes = self._written_bytes = 0
        self._report_at = 0.0
        self._checked_bytes = 0
        self._owed: bytes | None = None  # answered as stored, still to be written
        self.stored = 0

    @property
    def is_holding(self) -> bool:
        """The buffer behind what was handed over is still needed."""
        return bool(self._pending)

    def begin(self, request: StoreRequest) -> None:
        """Decide by the command alone; what is refused is read and thrown away."""
        self.settle()  # of a peer that does not wait for its answer
        self._request = request
        self._status = self._judge(request)
        if self._status != STORED:
            return
        meta = file_meta(request)
        self._head = bytearray(meta)
        self._digest = Digest()
        self._pending = [meta]
        self._size_bytes = self._meta_bytes = len(meta)
        self._written_bytes = 0
        self._checked_bytes = 0
        self._report_at = time.monotonic() + _REPORT_S

    def _judge(self, request: StoreRequest) -> int:
        if not request.sop_instance_uid:
            self._alert("object.uid")
            return INVALID_INSTANCE
        if not request.sop_class_uid:
            self._alert("object.sop_class")
            return SOP_CLASS_NOT_SUPPORTED
        if request.move_originator and request.move_originator not in self._originators:
            self._alert("object.originator")
            return NOT_AUTHORIZED
        self._retrieval = self._table.any_open(self._retrieval)
        if self._retrieval is None:
            self._alert("object.unasked")
            return NOT_AUTHORIZED
        try:
            if self._is_space_short(self._retrieval):
                return OUT_OF_RESOURCES
            self._part = self._retrieval.create_part()
        except ClosedError:
            return NOT_AUTHORIZED
        except OSError as error:
            return self._write_error(error)
        return STORED

    def data(self, view: memoryview) -> None:
        if self._status != STORED:
            return
        wanted = _HEAD_BYTES - len(self._head)
        if wanted > 0:
            self._head += view[:wanted]
        self._size_bytes += len(view)
        self._pending.append(view)
        if len(self._pending) == _MAX_PIECES:
            self.flush()

    def flush(self) -> None:
        """Digest and write what is pending: the buffer behind it is used again after this."""
        pending, self._pending = self._pending, []
        part = self._part
        if not pending or part is None or self._status != STORED:
            return
        try:
            if part.is_abandoned:
                self._refuse(NOT_AUTHORIZED)
            else:
                self._write(part.fd, pending)
                self._watch()
        except OSError as error:
            self._refuse(self._write_error(error))

    def _write(self, fd: int, pending: list[bytes | memoryview]) -> None:
        pieces: list[bytes | memoryview] = []
        room = _BLOCK_BYTES - self._written_bytes % _BLOCK_BYTES
        for view in pending:
            self._digest.update(view)
            self._written_bytes += len(view)
            while len(view) >= room:
                _write_all(fd, [*pieces, view[:room]])
                pieces, view, room = [], view[room:], _BLOCK_BYTES
            if view:
                pieces.append(view)
                room -= len(view)
        if pieces:
            _write_all(fd, pieces)

    def _watch(self) -> None:
        """While a large object arrives: report it, and look at the free space."""
        retrieval = self._retrieval
        if retrieval is None:
            return
        if self._size_bytes - self._checked_bytes >= _SPACE_CHECK_BYTES:
            self._checked_bytes = self._size_bytes
            try:
                if self._is_space_short(retrieval):
                    self._refuse(OUT_OF_RESOURCES)
            except ClosedError:
                self._refuse(NOT_AUTHORIZED)
        now = time.monotonic()
        if now >= self._report_at:
            self._report_at = now + _REPORT_S
            tell(retrieval, messages.encode_progress(self._size_bytes))

    def end(self) -> int:
        """The object is here: decide whether it is whole and wanted.

        Returns:
            The status that answers it; after 0x0000 `settle` must follow.
        """
        if self._status == STORED:
            self._status = self._judge_object()
        if self._status != STORED:
            self._refuse(self._status)
        return self._status

    def _judge_object(self) -> int:
        part, request = self._part, self._request
        if part is None or request is None:
            return WRITE_FAILED
        try:
            instance = self._read_header(part.fd, request.transfer_syntax.decode())
        except DicomdirError:
            self._alert("object.unreadable")
            return CANNOT_UNDERSTAND
        if self._status != STORED:  # it had to be written to be read
            return self._status
        if (
            instance.sop_instance_uid.encode() != request.sop_instance_uid
            or instance.sop_class_uid.encode() != request.sop_class_uid
        ):
            self._alert("object.mismatch")
            return MISMATCH
        if instance.fault:
            self._alert("object." + instance.fault)
            return CANNOT_UNDERSTAND
        retrieval = self._table.find(instance.study_instance_uid.encode())
        if retrieval is None:
            self._alert("object.foreign_study")
            return NOT_AUTHORIZED
        header = instance.to_bytes()
        if len(header) > messages.MAX_HEADER_BYTES:
            self._alert("object.header")
            return CANNOT_UNDERSTAND
        try:
            retrieval.expect(part)
        except ClosedError:
            return NOT_AUTHORIZED
        self._retrieval, self._owed = retrieval, header
        return STORED

    def settle(self) -> None:
        """Write what was answered as stored, give it its final name and tell the engine."""
        header, self._owed = self._owed, None
        if header is None:
            return
        self.flush()
        part, request, retrieval = self._part, self._request, self._retrieval
        if self._status != STORED or part is None or request is None or retrieval is None:
            return  # it was refused after all
        try:
            number = retrieval.keep_part(part)
            self._part = None
            uid, digest = request.sop_instance_uid, self._digest.digest()
            record = messages.Stored(number, self._size_bytes, digest, uid, header)
            retrieval.report(part, number, messages.encode_stored(record))
        except ClosedError:
            self._refuse(NOT_AUTHORIZED)
        except OSError as error:
            self._refuse(self._write_error(error))
        else:
            self.stored += 1

    def _read_header(self, fd: int, transfer_syntax_uid: str) -> Instance:
        try:
            head = bytes(self._head)
            return scan_data_set(head, self._size_bytes, self._meta_bytes, transfer_syntax_uid)
        except HeaderIncompleteError:
            self.flush()
            return read_instance_at(
                lambda offset, size: os.pread(fd, size, offset), self._size_bytes
            )

    def abandon(self) -> None:
        """The association ended: what is half-way goes."""
        self.settle()
        self._refuse(WRITE_FAILED)

    def _refuse(self, status: int) -> None:
        self._status = status
        self._pending = []
        part, self._part = self._part, None
        if part is not None:
            part.home.remove_part(part)

    def _is_space_short(self, retrieval: Retrieval) -> bool:
        if retrieval.free_bytes() >= self._reserve_bytes:
            return False
        self._table.tell_all(lambda each: tell(each, messages.SPACE_SHORT))
        return True

    def _write_error(self, error: OSError) -> int:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            self._table.tell_all(lambda each: tell(each, messages.SPACE_SHORT))
            return OUT_OF_RESOURCES
        self._alert("object.write")
        return WRITE_FAILED


def _write_all(fd: int, pieces: list[bytes | memoryview]) -> None:
    size = sum(map(len, pieces))
    written = os.writev(fd, pieces)
    if written < size:  # rare: the disk is about to be full
        rest = memoryview(b"".join(pieces))
        while written < size:
            written += os.write(fd, rest[written:])


def tell(retrieval: Retrieval, record: bytes) -> None:
    """Send something that may be missed: a full queue has news enough, a closed one has no
    reader.
    """
    with contextlib.suppress(OSError):
        retrieval.channel.send(record, socket.MSG_DONTWAIT)
