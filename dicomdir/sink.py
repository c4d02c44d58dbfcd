"""Where an image's bytes go: a file that is hashed while it grows, or a pipe.

pycdlib writes descriptors and directories here and there, then the files one after the other. The
Sink keeps the former in memory (they are small) and sends everything in one sequence, so that a
pipe can take it too. A file's content is never read by Python: `Content` stands for it and the
kernel copies it (copy_file_range, sendfile).
"""

from __future__ import annotations

import ctypes
import errno
import os
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Protocol, Self

from dicomdir.errors import ImageError
from dicomdir.following_hash import FollowingHash
from dicomdir.growth import Growth
from dicomdir.pdi import Entry, FileSource

# Into new ext4 files, writes above 64 KiB cost several times the system time (measured).
_COPY_BYTES: Final = 64 << 10
_FLUSH_BYTES: Final = 16 << 20  # write-back is asked for in such steps, not left for the end
_SYNC_FILE_RANGE_WRITE: Final = 2  # linux/fs.h: start write-out, do not wait
_NO_KERNEL_COPY: Final = frozenset((errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP))


class Content:
    """Stands for an entry's content in pycdlib's hands: reading it gives itself."""

    __slots__ = ("entry",)
    mode = "rb"

    def __init__(self, entry: Entry) -> None:
        self.entry = entry

    def __len__(self) -> int:
        return self.entry.size_bytes

    def seek(self, _offset: int, _whence: int = 0) -> int:
        return 0

    def tell(self) -> int:
        return 0

    def read(self, _size: int = -1) -> Content:
        return self


class Output(Protocol):
    """Takes bytes front to back."""

    def write(self, data: bytes) -> None: ...
    def copy(self, descriptor: int, offset: int, size: int) -> None: ...


class Sink:
    """The seekable face that pycdlib wants, over an Output that only goes forward.

    Args:
        head_bytes: Where the first file's content begins; everything before it is kept until then.
        patches: Offset and bytes that replace what was written into the head.
        on_bytes: Called with the number of bytes sent, about once a file.
    """

    mode = "wb"

    def __init__(
        self,
        output: Output,
        head_bytes: int,
        patches: Sequence[tuple[int, bytes]],
        on_bytes: Callable[[int], None] | None,
    ) -> None:
        self._output = output
        self._head = bytearray(head_bytes)
        self._patches = patches
        self._on_bytes = on_bytes
        self._at = self._sent = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, max(self._sent, len(self._head)))[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def write(self, data: bytes | Content) -> int:
        size = len(data)
        if self._at + size <= len(self._head) and not self._sent and isinstance(data, bytes):
            self._head[self._at : self._at + size] = data
        else:
            self._forward(data)
        self._at += size
        return size

    def finish(self) -> None:
        """Send the head if no file did."""
        if not self._sent:
            self._send_head()

    def _forward(self, data: bytes | Content) -> None:
        if not self._sent:
            self._send_head()
        if self._at < self._sent:
            raise ImageError("the image is not written front to back")
        if self._at > self._sent:
            self._output.write(bytes(self._at - self._sent))
        if isinstance(data, bytes):
            self._output.write(data)
        else:
            self._send(data.entry)
        self._sent = self._at + len(data)
        if self._on_bytes is not None:
            self._on_bytes(self._sent)

    def _send(self, entry: Entry) -> None:
        if entry.head:
            self._output.write(entry.head)
        if isinstance(entry.source, bytes):
            self._output.write(entry.source)
        else:
            self._copy(entry.source)

    def _copy(self, source: FileSource) -> None:
        descriptor = os.open(source.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._output.copy(descriptor, source.offset_bytes, source.size_bytes)
        finally:
            os.close(descriptor)

    def _send_head(self) -> None:
        for offset, data in self._patches:
            self._head[offset : offset + len(data)] = data
        self._output.write(bytes(self._head))
        self._sent = len(self._head)


class FileOutput:
    """An image file. A second thread hashes what can be read back of it; a third, which waits for
    the disk most of the time, has it written out.

    All its space is reserved first: a full disk is known before anything is copied, and writing
    into reserved space is cheaper. Use as a context manager; `finish` ends the writing and gives
    the hash, which may not be done yet. The descriptor stays the caller's.

    Args:
        descriptor: Of an empty file, open for reading and writing.
        size_bytes: How long it will be.
        write_back: Begin to write out at once, so that a later fsync has little left to do.
    Raises:
        OSError: ENOSPC: there is not enough space.
    """

    def __init__(self, descriptor: int, size_bytes: int, *, write_back: bool) -> None:
        os.posix_fallocate(descriptor, 0, size_bytes)
        self._descriptor = descriptor
        self._size_bytes = size_bytes
        self._at = 0
        self._kernel_copies = True
        self._growth = Growth()
        if write_back:
            _start_flusher(os.dup(descriptor), self._growth)
        self._hash = FollowingHash(descriptor, size_bytes, self._growth)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._growth.end()
        if kind is not None:
            self._hash.join()  # the file may go now

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            done = os.pwrite(self._descriptor, view[:_COPY_BYTES], self._at)
            view = view[done:]
            self._at += done
        self._announce()

    def copy(self, descriptor: int, offset: int, size: int) -> None:
        end = offset + size
        while offset < end:
            done = self._copy_piece(descriptor, offset, end - offset)
            if done == 0:
                raise ImageError("a source file is shorter than it was")
            offset += done
            self._at += done
        self._announce()

    def finish(self) -> FollowingHash:
        """Fill up to the size; the hash is of all of it.

        Raises:
            ImageError: It is longer than it was to be.
        """
        if self._at < self._size_bytes:
            self.write(bytes(self._size_bytes - self._at))
        if self._at != self._size_bytes:
            raise ImageError("the image is longer than its volume")
        return self._hash

    def _copy_piece(self, descriptor: int, offset: int, size: int) -> int:
        if self._kernel_copies:
            try:
                return os.copy_file_range(descriptor, self._descriptor, size, offset, self._at)
            except OSError as error:
                if error.errno not in _NO_KERNEL_COPY:
                    raise
                self._kernel_copies = False
        data = os.pread(descriptor, min(size, _COPY_BYTES), offset)
        return os.pwrite(self._descriptor, data, self._at) if data else 0

    def _announce(self) -> None:
        self._growth.reached(min(self._at, self._size_bytes))


def _start_flusher(descriptor: int, growth: Growth) -> None:
    """Have a file written out while it grows. Never waited for: the disk may be slow.

    Args:
        descriptor: The thread's own.
    """

    def run() -> None:
        flushed, has_ended = 0, False
        while not has_ended:
            available, has_ended = growth.wait_for(flushed + _FLUSH_BYTES)
            if available > flushed:
                _start_write_back(descriptor, flushed, available - flushed)
                flushed = available
        os.close(descriptor)

    threading.Thread(target=run, name="image-out", daemon=True).start()


class PipeOutput:
    """A pipe or socket; nothing is hashed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._at = 0

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            done = os.write(self._descriptor, view)
            view = view[done:]
            self._at += done

    def copy(self, descriptor: int, offset: int, size: int) -> None:
        end = offset + size
        while offset < end:
            done = os.sendfile(self._descriptor, descriptor, offset, end - offset)
            if done == 0:
                raise ImageError("a source file is shorter than it was")
            offset += done
            self._at += done

    def finish(self, size_bytes: int) -> None:
        self.write(bytes(size_bytes - self._at))


def _start_write_back(descriptor: int, offset: int, size: int) -> None:
    """sync_file_range(2): begin to write out now; blocks while the disk's queue is full.

    Advice only, so its failure is of no interest.
    """
    _libc.sync_file_range(
        ctypes.c_int(descriptor),
        ctypes.c_int64(offset),
        ctypes.c_int64(size),
        ctypes.c_uint(_SYNC_FILE_RANGE_WRITE),
    )


_libc = ctypes.CDLL(None, use_errno=True)
