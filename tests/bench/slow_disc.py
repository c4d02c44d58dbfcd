"""A folder read as from an optical drive: a FUSE file system that waits.

    python -m tests.bench.slow_disc SOURCE MOUNT [--kb-per-s 2500] [--open-ms 120]

One request after the other, as a drive has one head: a file opened for the first time costs a seek,
every byte its share of the speed. What the kernel has read once stays in its page cache until the
mount goes, so every run has its own. Ends when its input does.

The kernel's protocol is spoken here directly (linux/fuse.h, 7.31): a binding would want libfuse on
every machine for the twelve requests that a read-only folder needs. Mounting takes root, or
CAP_SYS_ADMIN.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import os
import stat
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

KB_PER_S = 2500
OPEN_MS = 120
_ROOT = 1
_FOREVER_S = 86_400  # how long the kernel may believe names and attributes: nothing changes
_LARGEST = 1 << 17  # bytes of a request
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MNT_DETACH = 1, 2, 4, 2  # linux/mount.h
_KEEP_CACHE = 2  # FOPEN_KEEP_CACHE
_ASYNC_READ = 1  # FUSE_ASYNC_READ
# opcodes (enum fuse_opcode)
_LOOKUP, _FORGET, _GETATTR, _OPEN, _READ, _STATFS, _RELEASE = 1, 2, 3, 14, 15, 17, 18
_FLUSH, _INIT, _OPENDIR, _READDIR, _RELEASEDIR, _ACCESS = 25, 26, 27, 28, 29, 34
_INTERRUPT, _DESTROY, _BATCH_FORGET = 36, 38, 42


class SlowFolder:
    """Answers the kernel for one folder.

    Args:
        device: /dev/fuse, mounted.
        kb_per_s: 1,000 bytes a second.
        open_ms: Of a file's first opening.
    """

    def __init__(self, device: int, source: Path, kb_per_s: float, open_ms: float) -> None:
        self._device = device
        self._bytes_per_s = kb_per_s * 1000
        self._open_s = open_ms / 1000
        self._paths = [source, source]  # by node number, which starts at 1
        self._nodes = {source: _ROOT}
        self._files: dict[int, int] = {}
        self._free_at = 0.0
        self._answers: dict[int, Callable[[int, bytes], bytes]] = {
            _LOOKUP: self._lookup, _GETATTR: self._attributes, _OPEN: self._open,
            _READ: self._read, _STATFS: lambda _node, _body: bytes(80),
            _RELEASE: _nothing, _FLUSH: _nothing, _INIT: self._init,
            _OPENDIR: lambda _node, _body: bytes(16), _READDIR: self._names,
            _RELEASEDIR: _nothing, _ACCESS: _nothing, _DESTROY: _nothing,
        }  # fmt: skip

    def serve(self) -> None:
        """Until it is unmounted."""
        while True:
            try:
                request = os.read(self._device, _LARGEST + 4096)
            except OSError as error:
                if error.errno == errno.ENODEV:
                    return
                if error.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                    continue
                raise
            _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
            if opcode in (_FORGET, _BATCH_FORGET, _INTERRUPT):
                continue  # they want no answer
            body, fault = b"", 0
            try:
                body = self._answers[opcode](node, request[40:])
            except KeyError:
                fault = errno.ENOSYS
            except OSError as error:
                fault = error.errno or errno.EIO
            head = struct.pack("<IiQ", 16 + len(body), -fault, unique)
            try:
                os.write(self._device, head + body)
            except OSError as error:
                if error.errno != errno.ENOENT:  # whoever asked has gone
                    raise

    def _spin(self, seconds: float) -> None:
        """Be busy that long from when the last request was done, or from now."""
        self._free_at = max(time.perf_counter(), self._free_at) + seconds
        time.sleep(max(0.0, self._free_at - time.perf_counter()))

    def _init(self, _node: int, body: bytes) -> bytes:
        _, _, ahead = struct.unpack_from("<III", body)
        return struct.pack(
            "<IIIIHHIIHHI28x", 7, 31, ahead, _ASYNC_READ, 12, 9, _LARGEST, 1, _LARGEST >> 12, 0, 0
        )  # fmt: skip

    def _lookup(self, node: int, body: bytes) -> bytes:
        path = self._paths[node] / os.fsdecode(body.partition(b"\0")[0])
        known = path.lstat()
        if path not in self._nodes:
            self._nodes[path] = len(self._paths)
            self._paths.append(path)
        number = self._nodes[path]
        head = struct.pack("<QQQQII", number, 0, _FOREVER_S, _FOREVER_S, 0, 0)
        return head + _packed(number, known)

    def _attributes(self, node: int, _body: bytes) -> bytes:
        return struct.pack("<QII", _FOREVER_S, 0, 0) + _packed(node, self._paths[node].lstat())

    def _open(self, node: int, _body: bytes) -> bytes:
        if node not in self._files:
            self._files[node] = os.open(self._paths[node], os.O_RDONLY)
            self._spin(self._open_s)
        return struct.pack("<QII", node, _KEEP_CACHE, 0)

    def _read(self, node: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        data = os.pread(self._files[node], size, offset)
        self._spin(len(data) / self._bytes_per_s)
        return data

    def _names(self, node: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        out = b""
        for number, name in enumerate(sorted(os.listdir(self._paths[node]))):  # noqa: PTH208
            raw = os.fsencode(name)
            entry = struct.pack("<QQII", 1, number + 1, len(raw), 0) + raw  # any inode but 0
            entry += bytes(-len(entry) % 8)
            if number >= offset:
                if len(out) + len(entry) > size:
                    break
                out += entry
        return out


def _nothing(_node: int, _body: bytes) -> bytes:
    return b""


def _packed(number: int, known: os.stat_result) -> bytes:
    """struct fuse_attr; all may read."""
    mode = (stat.S_IFDIR | 0o555) if stat.S_ISDIR(known.st_mode) else (stat.S_IFREG | 0o444)
    at = int(known.st_mtime)
    blocks = -(-known.st_size // 512)
    return struct.pack(
        "<QQQQQQIIIIIIIIII",
        number, known.st_size, blocks, at, at, at, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0,
    )  # fmt: skip


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _mount(place: Path) -> int:
    """Mount there and return the device. Raises OSError."""
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
    flags = _MS_RDONLY | _MS_NOSUID | _MS_NODEV
    kind = b"fuse.slow_disc"
    if _libc().mount(b"slow_disc", os.fsencode(place), kind, flags, options.encode()):
        raise OSError(ctypes.get_errno(), "cannot mount", str(place))
    return device


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("mount", type=Path)
    parser.add_argument("--kb-per-s", type=float, default=KB_PER_S)
    parser.add_argument("--open-ms", type=float, default=OPEN_MS)
    options = parser.parse_args()
    device = _mount(options.mount)

    def wait() -> None:
        sys.stdin.read()
        _libc().umount2(os.fsencode(options.mount), _MNT_DETACH)

    threading.Thread(target=wait, daemon=True).start()
    print("ready", flush=True)
    SlowFolder(device, options.source, options.kb_per_s, options.open_ms).serve()
    return 0


@contextmanager
def slow_disc(source: Path, mount: Path) -> Iterator[Path]:
    """The folder as a drive reads it, at `mount` (made), nothing of it read yet.

    Raises:
        RuntimeError: It cannot be mounted here.
    """
    mount.mkdir(parents=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.slow_disc", source, mount],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("no FUSE here: it takes root and /dev/fuse")
        yield mount
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


if __name__ == "__main__":
    sys.exit(main())
