"""The guest's first file system: busybox, modules for this machine's files over 9p, a script."""

from __future__ import annotations

import gzip
import io
import stat
from pathlib import Path

from tests.acceptance.qemu.packages import Unpacked

_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
_INIT = """#!/bin/busybox sh
B=/bin/busybox
$B mount -t proc p /proc; $B mount -t sysfs s /sys; $B mount -t devtmpfs d /dev
while read m; do $B insmod /mod/$m || echo "insmod $m failed"; done < /mod/order
$B mount -t 9p -o trans=virtio,version=9p2000.L,cache=loose,ro,msize=262144 host /host || exit 1
# what this machine has stays as it is: the guest writes into memory
$B mount -t tmpfs -o size=1500m t /rw; $B mkdir /rw/u /rw/w
$B mount -t overlay -o lowerdir=/host,upperdir=/rw/u,workdir=/rw/w o /new
for d in proc sys dev; do $B mkdir -p /new/$d; $B mount --move /$d /new/$d; done
$B mkdir -p /new/dev/shm /new/run
$B mount -t tmpfs r /new/run; $B mount -t tmpfs r /new/dev/shm
exec $B switch_root /new {command}
"""


def make_initrd(packages: Unpacked, command: str) -> bytes:
    """A compressed cpio archive ("newc", cpio(5)) whose /init ends in `command`."""
    wanted: list[Path] = []
    for module in _MODULES:
        told = packages.module("-d", str(packages.root), "-S", packages.version,
                               "--show-depends", module)  # fmt: skip
        files = [line.split()[1] for line in told.splitlines() if line.startswith("insmod ")]
        wanted += [path for path in map(Path, files) if path not in wanted]
    archive = _Archive()
    for folder in ("bin", "proc", "sys", "dev", "host", "rw", "new", "mod"):
        archive.add(folder, b"", stat.S_IFDIR | 0o755)
    archive.add("bin/busybox", packages.program("busybox").read_bytes(), stat.S_IFREG | 0o755)
    for path in wanted:
        archive.add(f"mod/{path.name}", path.read_bytes(), stat.S_IFREG | 0o644)
    order = "".join(f"{path.name}\n" for path in wanted)
    archive.add("mod/order", order.encode(), stat.S_IFREG | 0o644)
    script = _INIT.replace("{command}", command)
    archive.add("init", script.encode(), stat.S_IFREG | 0o755)
    archive.add("TRAILER!!!", b"", 0)
    return gzip.compress(archive.data.getvalue(), 1)


class _Archive:
    def __init__(self) -> None:
        self.data = io.BytesIO()
        self._number = 0

    def add(self, name: str, content: bytes, mode: int) -> None:
        self._number += 1
        raw = name.encode() + b"\0"
        numbers = (self._number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(raw), 0)
        self.data.write(b"070701" + b"".join(b"%08X" % it for it in numbers) + raw)
        self._pad()
        self.data.write(content)
        self._pad()

    def _pad(self) -> None:
        self.data.write(bytes(-self.data.tell() % 4))
