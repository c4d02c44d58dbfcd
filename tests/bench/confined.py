"""Memory for a few processes: a control group of the kernel, of its first or second interface."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


class Group:
    """What is begun inside stays inside. Sizes are bytes."""

    def __init__(self, path: Path, limit: str, peak: str) -> None:
        self._path, self._limit, self._peak = path, limit, peak

    @contextmanager
    def inside(self) -> Iterator[None]:
        """This process goes in, and out again; its children of meanwhile stay."""
        before = self._path.parent / "cgroup.procs"
        (self._path / "cgroup.procs").write_text(str(os.getpid()))
        try:
            yield
        finally:
            before.write_text(str(os.getpid()))

    def limit(self, size: int) -> None:
        (self._path / self._limit).write_text(str(size))

    def peak(self) -> int:
        """With what of files was kept, which is given back when it is needed."""
        return int((self._path / self._peak).read_text())


@contextmanager
def memory_group(name: str) -> Iterator[Group]:
    """Raises OSError where we may not make one: it takes root, and a kernel that counts memory."""
    first = _ROOT / "memory"
    old = first.is_dir()
    path = (first if old else _ROOT) / f"{name}-{os.getpid()}"
    path.mkdir()
    try:
        yield (
            Group(path, "memory.limit_in_bytes", "memory.max_usage_in_bytes")
            if old
            else Group(path, "memory.max", "memory.peak")
        )
    finally:
        path.rmdir()
