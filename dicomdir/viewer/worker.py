"""A process that encodes: `python -P -m dicomdir.viewer.worker NUMBER FOLDER`.

Tasks come as JSON lines on stdin, one answer each goes to stdout. What is made goes into two files
of this worker's own: frames and headers as they are encoded, and data files for the medium, made of
what all workers have encoded. A hostile object can at worst kill this process.
"""

from __future__ import annotations

import ctypes
import dataclasses
import errno
import hashlib
import json
import os
import resource
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from struct import error as StructError  # noqa: N812 - it is an exception, and named like one here
from typing import Any, Final

from isal import isal_zlib

from dicomdir.errors import DicomdirError
from dicomdir.viewer.encode import Chooser, EncodedFrame
from dicomdir.viewer.facts import header_texts
from dicomdir.viewer.preview import Preview
from dicomdir.viewer.seal import seal
from dicomdir.viewer.source import OpenObject, jpeg_frames, open_object
from dicomdir.viewer.text import data_file

MEMORY_BYTES: Final = 4 << 30  # of address space; a frame may have 512 MiB
CPU_STEP_S: Final = 120  # for one frame, or one data file
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_DEFLATE_LEVEL: Final = 3
_PIECE_BYTES: Final = 1 << 20
_NICENESS: Final = 5  # more than the builder's: what still arrives comes first
_ANY_FAULT: Final = (
    DicomdirError, ValueError, TypeError, IndexError, KeyError, OverflowError, ZeroDivisionError,
    RuntimeError, MemoryError, StructError,
)  # fmt: skip


def encoded_path(folder: Path, worker: int) -> Path:
    """Frames and headers that a worker has made."""
    return folder / f"e{worker:04d}"


def made_path(folder: Path, worker: int) -> Path:
    """Data files that a worker has made."""
    return folder / f"d{worker:04d}"


def deflated(data: bytes) -> bytes:
    """Raw deflate of a text or of headers."""
    packer = isal_zlib.compressobj(level=_DEFLATE_LEVEL, wbits=-isal_zlib.MAX_WBITS, memLevel=9)
    return packer.compress(data) + packer.flush()


class _Out:
    """A file that grows."""

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor = os.open(path, flags, 0o600)
        self.at = 0

    def write(self, data: bytes) -> int:
        """Where it begins."""
        start = self.at
        view = memoryview(data)
        while view:
            done = os.pwrite(self._descriptor, view, self.at)
            view = view[done:]
            self.at += done
        return start

    def back_to(self, at: int) -> None:
        os.ftruncate(self._descriptor, at)
        self.at = at


class Worker:
    """Does tasks; `folder` is on a disk with room."""

    def __init__(self, number: int, folder: Path) -> None:
        self._number = number
        self._folder = folder
        self._chooser = Chooser()
        self._encoded = _Out(encoded_path(folder, number))
        self._made = _Out(made_path(folder, number))

    def do(self, task: dict[str, Any]) -> dict[str, Any]:
        """One task.

        Raises:
            OSError: A file cannot be read, or the disk is full.
        """
        if task["task"] != "encode":
            return self._gather(task)
        before = self._encoded.at
        try:
            answer = self._encode(task)
        except _ANY_FAULT as error:
            self._encoded.back_to(before)
            code = getattr(error, "code", "")
            answer = {"unpackable": f"{type(error).__name__} {code}".strip()}
        if task["hash"]:
            answer["sha256"] = _file_hash(task["path"], *task["hash"])
        return answer

    def _encode(self, task: dict[str, Any]) -> dict[str, Any]:
        path, has_pixels = task["path"], task["pixels"]
        with open_object(path, task["start"], task["end"], has_pixels=has_pixels) as found:
            header = found.header()
            frames, previews = [], []
            for it, preview in self._frames(found, task):
                frames.append(self._written(it))
                if preview is not None:
                    place = self._written(preview.frame)
                    previews.append([len(frames) - 1, *place, preview.step, preview.dropped])
                extend_cpu()
            answer: dict[str, Any] = {
                "worker": self._number,
                "header": [self._encoded.write(header), len(header)],
                "frames": frames,
                "previews": previews,
                "described": found.described and dataclasses.asdict(found.described),
            }
        if task["texts"]:
            answer["texts"] = header_texts(header)
        return answer

    def _written(self, frame: EncodedFrame) -> list[int]:
        """Where it lies, and how it is read."""
        start = self._encoded.write(frame.data)
        return [start, len(frame.data), frame.codec, frame.predictor, frame.crc]

    def _frames(
        self, found: OpenObject, task: dict[str, Any]
    ) -> Iterable[tuple[EncodedFrame, Preview | None]]:
        if task["jpeg"] is not None and found.described is not None:
            path, offset = task["jpeg"]
            if jpeg := jpeg_frames(path, offset, found.described, found.frames):
                return ((it, None) for it in jpeg)
        return found.encoded(self._chooser, task["series"])

    def _gather(self, task: dict[str, Any]) -> dict[str, Any]:
        payload = self._pieces(task["pieces"])
        if task["deflate"]:
            payload = deflated(payload)
        if task["key"]:
            payload = seal(bytes.fromhex(task["key"]), task["disc"], task["name"], payload)
        data = data_file(task["name"], payload)
        at = self._made.write(data)
        answer: dict[str, Any] = {
            "worker": self._number,
            "at": at,
            "size": len(data),
            "payload": len(payload),
        }
        if task["hash"]:
            answer["sha256"] = hashlib.sha256(data).hexdigest()
        return answer

    def _pieces(self, pieces: list[list[int]]) -> bytes:
        """Of several encoded files; neighbours are read at once."""
        merged: list[list[int]] = []
        for worker, offset, length in pieces:
            last = merged[-1] if merged else None
            if last is not None and last[0] == worker and last[1] + last[2] == offset:
                last[2] += length
            else:
                merged.append([worker, offset, length])
        found = []
        for number, offset, length in merged:
            descriptor = os.open(encoded_path(self._folder, number), os.O_RDONLY | os.O_CLOEXEC)
            try:
                data = os.pread(descriptor, length, offset)
            finally:
                os.close(descriptor)
            if len(data) != length:
                raise OSError(errno.EIO, "an encoded file is shorter than it was")
            found.append(data)
        return b"".join(found)


def _file_hash(path: str, head: str, offset: int, size: int) -> str:
    """SHA-256 of `head` and so many bytes of a file."""
    digest = hashlib.sha256(bytes.fromhex(head))
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        end = offset + size
        while offset < end:
            data = os.pread(descriptor, min(_PIECE_BYTES, end - offset), offset)
            if not data:
                raise OSError(errno.EIO, "a file is shorter than it was")
            digest.update(data)
            offset += len(data)
    finally:
        os.close(descriptor)
    return digest.hexdigest()


def extend_cpu() -> None:
    """Another CPU_STEP_S from now: only who makes no progress runs out of them."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    allowed = int(used.ru_utime + used.ru_stime) + CPU_STEP_S
    if most != resource.RLIM_INFINITY:
        allowed = min(allowed, most)
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, most))


def _limit(parent: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0 or os.getppid() != parent:
        os._exit(1)  # nobody is left to work for
    os.nice(_NICENESS)
    for what, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(what)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (allowed, allowed))


def main() -> int:
    number, folder, parent = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    _limit(parent)
    voice = os.dup(1)
    os.dup2(2, 1)
    worker = Worker(number, folder)
    for line in sys.stdin.buffer:
        extend_cpu()
        try:
            answer = worker.do(json.loads(line))
        except OSError as error:
            answer = {"failed": error.errno or 0}
        data = json.dumps(answer).encode("ascii") + b"\n"
        while data:
            data = data[os.write(voice, data) :]
    return 0


if __name__ == "__main__":
    sys.exit(main())
