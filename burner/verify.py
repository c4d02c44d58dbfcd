"""Reading back what a medium holds: exactly the image's bytes, past the caches in between."""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from burner.children import never
from burner.errors import CancelledError, DriveError, EngineError, NoMediumError, VerificationError

BLOCK_BYTES = 2048
CHUNK_BYTES = 512 * 1024  # one read; a multiple of every sector size
MAX_READ_BYTES = 64 * 1024 * 1024  # of one random access


@dataclass(frozen=True, slots=True)
class Verification:
    """The medium's first `image_bytes` bytes hash to `sha256`.

    Attributes:
        slowest_chunk_s: Longest time one chunk took: a drive that tries again and again is a
            warning sign.
    """

    image_bytes: int
    sha256: str
    slowest_chunk_s: float


class MediumReader:
    """A medium's bytes, from a device node (O_DIRECT) or a file that stands for one. A context
    manager.
    """

    def __init__(self, path: Path, *, block_bytes: int = BLOCK_BYTES) -> None:
        """Raises NoMediumError if there is nothing to read, DriveError if there is no such node.

        Args:
            block_bytes: What reads are rounded to, a multiple of the medium's sectors.
        """
        self._block_bytes = block_bytes
        flags = os.O_RDONLY | os.O_CLOEXEC
        try:
            is_block = stat.S_ISBLK(path.stat().st_mode)
            self._fd = os.open(path, flags | (os.O_DIRECT if is_block else 0))
        except OSError as error:
            if error.errno in (errno.ENOMEDIUM, errno.ENXIO):
                raise NoMediumError("no medium in the drive") from error
            raise DriveError(f"the drive cannot be opened: {error.strerror}") from error
        # anonymous mappings begin at a page: O_DIRECT wants aligned memory
        self._buffer = mmap.mmap(-1, CHUNK_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1  # the buffer goes with us: an error's traceback may still look at it

    def length_bytes(self) -> int:
        """What the system believes the medium's length to be; 0 for a blank one."""
        return os.lseek(self._fd, 0, os.SEEK_END)

    def read_chunk(self, offset: int, size: int) -> memoryview:
        """`size` bytes (at most CHUNK_BYTES) at `offset`, both multiples of a block; valid until
        the next call.

        Raises:
            VerificationError: The medium ends before, or a sector cannot be read.
            NoMediumError: It was taken out.
        """
        view = memoryview(self._buffer)[:size]
        done = 0
        while done < size:
            try:
                count = self._read_into(view[done:], offset + done)
            except OSError as error:
                if error.errno in (errno.ENOMEDIUM, errno.ENXIO, errno.ENODEV):
                    raise NoMediumError("the medium was taken out") from error
                block = (offset + done) // self._block_bytes
                raise VerificationError(
                    f"unreadable at block {block}: {error.strerror}", survey_from=block
                ) from error
            if count == 0:
                block = (offset + done) // self._block_bytes
                raise VerificationError(f"the medium ends at block {block}", survey_from=block)
            done += count
        return view

    def read(self, offset: int, size: int) -> bytes:
        """Any bytes of the medium. Raises as `read_chunk`, ValueError for a range that makes no
        sense.
        """
        if offset < 0 or not 0 <= size <= MAX_READ_BYTES:
            raise ValueError(f"cannot read {size} bytes at {offset}")
        result = bytearray()
        position = offset - offset % self._block_bytes
        end = offset + size
        while position < end:
            wanted = min(CHUNK_BYTES, _round_up(end - position, self._block_bytes))
            chunk = self.read_chunk(position, wanted)
            result += chunk[max(offset - position, 0) : end - position]
            position += wanted
        return bytes(result)

    def _read_into(self, view: memoryview, offset: int) -> int:
        """One read of the system. Stand-ins for bad media override this."""
        return os.preadv(self._fd, [view], offset)


def _round_up(size: int, unit: int) -> int:
    return -(-size // unit) * unit


def verify(
    reader: MediumReader,
    image_bytes: int,
    sha256: str,
    *,
    on_progress: Callable[[int, int], None],
    is_cancelled: Callable[[], bool] = never,
) -> Verification:
    """Hash the image's extent on the medium, not its padding and not the run-out behind it.

    The length is looked at first: after a burn a system may still believe that the disc is blank,
    and the hash of nothing would be compared.

    Args:
        image_bytes: Length of the image, a multiple of 2048, more than 0.
        sha256: Of the image, 64 hexadecimal digits.
        on_progress: Bytes read and bytes in all, after every chunk.
    Raises:
        VerificationError: Not the same, too short, or unreadable.
        NoMediumError: Taken out meanwhile.
        CancelledError: Asked to stop; the medium is as it was.
    """
    if image_bytes <= 0 or image_bytes % BLOCK_BYTES:
        raise EngineError(f"an image of {image_bytes} bytes is not a number of blocks")
    length = reader.length_bytes()
    if length < image_bytes:
        raise VerificationError(
            f"the medium holds {length} bytes, the image has {image_bytes}",
            survey_from=length // BLOCK_BYTES,
        )
    digest = hashlib.sha256()
    slowest_s = 0.0
    position = 0
    while position < image_bytes:
        if is_cancelled():
            raise CancelledError(spoiled=False)
        size = min(CHUNK_BYTES, image_bytes - position)
        begun = time.monotonic()
        chunk = reader.read_chunk(position, size)
        slowest_s = max(slowest_s, time.monotonic() - begun)
        digest.update(chunk)
        chunk.release()
        position += size
        on_progress(position, image_bytes)
    if digest.hexdigest() != sha256.lower():
        raise VerificationError("what was read back is not what was written")
    return Verification(image_bytes, sha256.lower(), slowest_s)
