"""A file system that forgets at a power cut what was not fsynced; FUSE, spoken by hand, for root.

Everything is in the server's memory twice: as processes see it, and as it would be after a cut.
fsync on a file makes its bytes durable, on a folder its names; nothing else does, as POSIX has it.
At a cut the rest is lost: all of it ("worst"), or by chance page by page and, of each folder, back
to one of its states since the last fsync ("random").

    with VolatileFs(folder) as disk:      mounted; the server is a process of its own
        disk.cut(seed, "random")          every open file is dead, the folder holds what is left
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import multiprocessing
import os
import random
import stat
import struct
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

PAGE = 4096
_MAX_WRITE = 128 * 1024
_ROOT = 1
_IN = struct.Struct("<IIQQIIII")
_ATTR = struct.Struct("<QQQQQQIIIIIIIIII")
_libc = ctypes.CDLL(None, use_errno=True)


class Gone(OSError):
    """An answer that is an error."""


class File:
    """Bytes as written and as durable."""

    def __init__(self, mode: int) -> None:
        self.mode = mode
        self.data = bytearray()
        self.kept = b""
        self.dirty: set[int] = set()

    def write(self, offset: int, data: bytes) -> None:
        if offset > len(self.data):
            self.resize(offset)
        self.data[offset : offset + len(data)] = data
        self.dirty.update(range(offset // PAGE, (offset + len(data)) // PAGE + 1))

    def resize(self, size: int) -> None:
        first = min(size, len(self.data)) // PAGE
        self.dirty.update(range(first, max(size, len(self.data)) // PAGE + 1))
        if size < len(self.data):
            del self.data[size:]
        else:
            self.data.extend(bytes(size - len(self.data)))

    def sync(self) -> None:
        self.kept = bytes(self.data)
        self.dirty.clear()

    def cut(self, chance: random.Random | None) -> None:
        if chance is None or not self.dirty:
            self.data = bytearray(self.kept)
        else:
            size = chance.choice((len(self.kept), len(self.data)))
            left = bytearray(self.kept[:size].ljust(size, b"\0"))
            for page in self.dirty:
                at = page * PAGE
                if at < size and chance.random() < 0.5:
                    piece = self.data[at : min(at + PAGE, size)]
                    left[at : at + len(piece)] = piece
            self.data = left
        self.sync()


class Folder:
    """Names as they are and as they were since the last fsync, oldest first."""

    def __init__(self, mode: int) -> None:
        self.mode = mode
        self.names: dict[str, int] = {}
        self.versions: list[dict[str, int]] = [{}]

    def changed(self) -> None:
        self.versions.append(dict(self.names))

    def sync(self) -> None:
        self.versions = [dict(self.names)]

    def cut(self, chance: random.Random | None) -> None:
        self.names = dict(chance.choice(self.versions) if chance else self.versions[0])
        self.sync()


class Server:
    """Answers the kernel; one mount after the other on the same memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._nodes: dict[int, File | Folder] = {_ROOT: Folder(0o700)}
        self._next = _ROOT + 1
        self._lock = threading.Lock()
        self._fd = -1
        self._is_cut = False
        self._ops: dict[int, Callable[[int, bytes], bytes | None]] = {
            1: self._lookup, 2: self._nothing, 3: self._getattr, 4: self._setattr, 8: self._mknod,
            9: self._mkdir, 10: self._unlink, 11: self._rmdir, 12: self._rename, 14: self._open,
            15: self._read, 16: self._write, 17: self._statfs, 18: self._empty, 20: self._fsync,
            25: self._empty, 26: self._init, 27: self._open, 28: self._readdir, 29: self._empty,
            30: self._fsync, 34: self._empty, 35: self._create, 36: self._nothing,
            38: self._empty, 42: self._nothing, 43: self._fallocate, 45: self._rename2,
        }  # fmt: skip

    # --- mounting

    def mount(self) -> None:
        self._fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self._fd},rootmode=40700,user_id=0,group_id=0,allow_other"
        if _libc.mount(b"volatile", os.fsencode(self._folder), b"fuse", 0, options.encode()):
            number = ctypes.get_errno()
            os.close(self._fd)
            raise OSError(number, os.strerror(number))
        self._is_cut = False
        threading.Thread(target=self._serve, args=(self._fd,), daemon=True).start()

    def unmount(self) -> None:
        _libc.umount2(os.fsencode(self._folder), 2)  # MNT_DETACH

    def cut(self, seed: int, mode: str) -> None:
        """From this moment on nothing arrives any more."""
        with self._lock:
            self._is_cut = True
            chance = random.Random(seed) if mode == "random" else None
            for number in sorted(self._nodes):
                self._nodes[number].cut(chance)
        self.unmount()  # open files of the old mount go on getting EIO

    def _serve(self, fd: int) -> None:
        while True:
            try:
                request = os.read(fd, _MAX_WRITE + PAGE)
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):
                    continue  # the request was interrupted before we read it
                with contextlib.suppress(OSError):
                    os.close(fd)
                return
            length, opcode, unique, node, *_ = _IN.unpack_from(request)
            answer = self._answer(opcode, node, request[_IN.size : length])
            if answer is not None:
                number, body = answer
                head = struct.pack("<IiQ", 16 + len(body), -number, unique)
                with contextlib.suppress(OSError):  # nobody waits for it any more
                    os.write(fd, head + body)

    def _answer(self, opcode: int, node: int, body: bytes) -> tuple[int, bytes] | None:
        with self._lock:
            if self._is_cut:
                return (errno.EIO, b"")
            operation = self._ops.get(opcode)
            if operation is None:
                return (errno.ENOSYS, b"")
            try:
                answer = operation(node, body)
            except Gone as error:
                return (error.errno or errno.EIO, b"")
            except KeyError:
                return (errno.ENOENT, b"")
        return None if answer is None else (0, answer)

    # --- helpers

    def _folder_of(self, node: int) -> Folder:
        found = self._nodes[node]
        if not isinstance(found, Folder):
            raise Gone(errno.ENOTDIR, "")
        return found

    def _file_of(self, node: int) -> File:
        found = self._nodes[node]
        if not isinstance(found, File):
            raise Gone(errno.EISDIR, "")
        return found

    def _attr(self, node: int) -> bytes:
        found = self._nodes[node]
        size = len(found.data) if isinstance(found, File) else 0
        kind = stat.S_IFREG if isinstance(found, File) else stat.S_IFDIR
        mode = kind | (found.mode & 0o7777)
        return _ATTR.pack(
            node, size, (size + 511) // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, PAGE, 0
        )

    def _entry(self, node: int) -> bytes:
        return struct.pack("<QQQQII", node, 0, 1, 1, 0, 0) + self._attr(node)

    def _add(self, parent: int, name: str, made: File | Folder) -> int:
        folder = self._folder_of(parent)
        if name in folder.names:
            raise Gone(errno.EEXIST, "")
        node, self._next = self._next, self._next + 1
        self._nodes[node] = made
        folder.names[name] = node
        folder.changed()
        return node

    # --- operations

    def _nothing(self, node: int, body: bytes) -> None:
        """Has no answer."""

    def _empty(self, node: int, body: bytes) -> bytes:
        return b""

    def _init(self, node: int, body: bytes) -> bytes:
        major, _, readahead, _ = struct.unpack_from("<IIII", body)
        return struct.pack(
            "<IIIIHHIIHHI28x", major, 31, readahead, 1 << 5, 12, 9, _MAX_WRITE, 1, 0, 0, 0
        )  # 1 << 5: writes larger than a page

    def _lookup(self, node: int, body: bytes) -> bytes:
        return self._entry(self._folder_of(node).names[_name(body)])

    def _getattr(self, node: int, body: bytes) -> bytes:
        return struct.pack("<QII", 1, 0, 0) + self._attr(node)

    def _setattr(self, node: int, body: bytes) -> bytes:
        valid, _, _, size = struct.unpack_from("<IIQQ", body)
        if valid & 8:
            self._file_of(node).resize(size)
        if valid & 1:
            self._nodes[node].mode = struct.unpack_from("<I", body, 68)[0] & 0o7777
        return self._getattr(node, body)

    def _mknod(self, node: int, body: bytes) -> bytes:
        mode = struct.unpack_from("<I", body)[0]
        if not stat.S_ISREG(mode):
            raise Gone(errno.EPERM, "")
        return self._entry(self._add(node, _name(body[16:]), File(mode)))

    def _mkdir(self, node: int, body: bytes) -> bytes:
        mode = struct.unpack_from("<I", body)[0]
        return self._entry(self._add(node, _name(body[8:]), Folder(mode)))

    def _create(self, node: int, body: bytes) -> bytes:
        mode = struct.unpack_from("<II", body)[1]
        made = self._add(node, _name(body[16:]), File(mode))
        return self._entry(made) + struct.pack("<QII", 0, 0, 0)

    def _unlink(self, node: int, body: bytes) -> bytes:
        folder = self._folder_of(node)
        del folder.names[_name(body)]
        folder.changed()
        return b""

    def _rmdir(self, node: int, body: bytes) -> bytes:
        if self._folder_of(self._folder_of(node).names[_name(body)]).names:
            raise Gone(errno.ENOTEMPTY, "")
        return self._unlink(node, body)

    def _rename(self, node: int, body: bytes) -> bytes:
        target = struct.unpack_from("<Q", body)[0]
        return self._move(node, target, body[8:], replace=True)

    def _rename2(self, node: int, body: bytes) -> bytes:
        target, flags = struct.unpack_from("<QI", body)
        if flags & ~1:
            raise Gone(errno.EINVAL, "")
        return self._move(node, target, body[16:], replace=not flags)

    def _move(self, node: int, target: int, names: bytes, *, replace: bool) -> bytes:
        old, new = (part.decode() for part in names.split(b"\0")[:2])
        source, into = self._folder_of(node), self._folder_of(target)
        if new in into.names and not replace:
            raise Gone(errno.EEXIST, "")
        into.names[new] = source.names.pop(old)
        source.changed()
        if into is not source:
            into.changed()
        return b""

    def _open(self, node: int, body: bytes) -> bytes:
        self._nodes[node]
        return struct.pack("<QII", 0, 0, 0)

    def _read(self, node: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        return bytes(self._file_of(node).data[offset : offset + size])

    def _write(self, node: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        self._file_of(node).write(offset, body[40 : 40 + size])
        return struct.pack("<II", size, 0)

    def _fallocate(self, node: int, body: bytes) -> bytes:
        _, offset, length, mode = struct.unpack_from("<QQQI", body)
        if mode:
            raise Gone(errno.EOPNOTSUPP, "")
        file = self._file_of(node)
        file.resize(max(len(file.data), offset + length))
        return b""

    def _fsync(self, node: int, body: bytes) -> bytes:
        self._nodes[node].sync()
        return b""

    def _statfs(self, node: int, body: bytes) -> bytes:
        blocks = (1 << 30) // PAGE
        return struct.pack(
            "<QQQQQIIII24x", blocks, blocks, blocks, 1 << 20, 1 << 20, PAGE, 255, PAGE, 0
        )

    def _readdir(self, node: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        names = [(".", node), ("..", _ROOT), *sorted(self._folder_of(node).names.items())]
        made = b""
        for number, (name, inode) in enumerate(names[offset:], offset + 1):
            kind = 8 if isinstance(self._nodes[inode], File) else 4
            encoded = name.encode()
            entry = struct.pack("<QQII", inode, number, len(encoded), kind) + encoded
            entry = entry.ljust((len(entry) + 7) & ~7, b"\0")
            if len(made) + len(entry) > size:
                break
            made += entry
        return made


def _name(body: bytes) -> str:
    return body.split(b"\0")[0].decode()


def _run(folder: Path, orders: Connection, make: type[Server]) -> None:
    server = make(folder)
    try:
        server.mount()
    except OSError as error:
        orders.send(error.strerror)
        return
    orders.send("")
    with contextlib.suppress(EOFError):
        while True:
            seed, mode = orders.recv()
            server.cut(seed, mode)
            server.mount()
            orders.send("")
    server.unmount()


class VolatileFs:
    """The mounted file system, for those who want to cut its power.

    Raises:
        PermissionError: On entering: no /dev/fuse here, or mounting is not allowed.
    """

    server: ClassVar[type[Server]] = Server

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: Any = None

    def __enter__(self) -> VolatileFs:
        self.folder.mkdir(parents=True, exist_ok=True)
        if not os.access("/dev/fuse", os.R_OK | os.W_OK):
            raise PermissionError("no /dev/fuse")
        context = multiprocessing.get_context("spawn")
        self._orders, theirs = context.Pipe()
        self._process = context.Process(
            target=_run, args=(self.folder, theirs, self.server), daemon=True
        )
        self._process.start()
        theirs.close()
        if complaint := self._orders.recv():
            raise PermissionError(complaint)
        return self

    def cut(self, seed: int, mode: str) -> None:
        """Whoever has files open there must be killed before or right after."""
        self._orders.send((seed, mode))
        self._orders.recv()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._orders.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()
            _libc.umount2(os.fsencode(self.folder), 2)
