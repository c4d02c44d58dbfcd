"""MmcDouble: an emulated burner that the unmodified engine believes in, as a context manager."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from burner.drive import Drive, Tray
from burner.engine import Engine
from burner.errors import DriveError
from burner.verify import BLOCK_BYTES, MediumReader

SYSTEM_PYTHON = "/usr/bin/python3"  # PyGObject is built for Debian's own


def is_available() -> bool:
    """Whether umockdev and its bindings are installed."""
    code = "import gi; gi.require_version('UMockdev', '1.0'); from gi.repository import UMockdev"
    try:
        return subprocess.run([SYSTEM_PYTHON, "-c", code], capture_output=True).returncode == 0
    except OSError:
        return False


class _Sectors(MediumReader):
    """What the kernel would give of the disc: EIO where the drive gives up on a sector."""

    def __init__(self, path: Path, bad: tuple[int, int] | None) -> None:
        super().__init__(path)
        self._bad = bad

    def _read_into(self, view: memoryview, offset: int) -> int:
        if self._bad is not None:
            first, last = self._bad[0] * BLOCK_BYTES, (self._bad[1] + 1) * BLOCK_BYTES
            if offset < last and first < offset + len(view):
                if offset >= first:
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
                view = view[: first - offset]  # what comes before is given
        return super()._read_into(view, offset)


class _EmulatedDrive(Drive):
    """The product's drive; only its sectors are read from where the double keeps them."""

    def __init__(self, double: MmcDouble, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._double = double

    def open_reader(self) -> MediumReader:
        bad = self._double.order("release")["fail_read"]  # as its closing will
        return _Sectors(self._double.disc_path, tuple(bad) if bad else None)


class MmcDouble:
    """The process that holds the drive; `order` changes what is in it and what goes wrong."""

    def __init__(self, folder: Path) -> None:
        self.disc_path = folder / "sectors"
        self.disc_path.touch()
        self._folder = folder
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, str(Path(__file__).with_name("serve.py")), str(self.disc_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.environment = {
            "LD_PRELOAD": "libumockdev-preload.so.0",
            "UMOCKDEV_DIR": self._answer()["root"],
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=10)  # closes its stdin, which ends it

    def order(self, do: str, **what: Any) -> dict[str, Any]:
        """One order and what the drive is like afterwards."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **what}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def drive(self, engine: Engine | None = None) -> Drive:
        """The product's drive on the mocked node. Its tray is asked by the engine: we are not under
        the hook.
        """
        return _EmulatedDrive(
            self,
            Path("/dev/sr0"),
            engine=engine or Engine(extra_environment=self.environment),
            lock_folder=self._folder,
            probe=self._tray,
            door=self._lock,
            sectors=self.disc_path,
        )

    def _tray(self, node: Path) -> Tray:
        seen = self.order("release")
        if seen["is_unplugged"]:
            raise DriveError("the drive cannot be opened: No such file or directory")
        if seen["is_open"]:
            return Tray.OPEN
        return Tray.DISC if seen["kind"] else Tray.NO_DISC

    def _lock(self, node: Path, is_shut: bool) -> bool:
        if self.order("look")["is_unplugged"]:
            return False
        self.order("lock", is_shut=is_shut)
        return True

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the emulated drive died"
        answer: dict[str, Any] = json.loads(line)
        return answer
