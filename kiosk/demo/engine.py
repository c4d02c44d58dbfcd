"""The demo's engine: `sendhome engine` as a child, and whether it still runs."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from kiosk.errors import EngineGoneError, ReceiverError

ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0


class DemoEngine:
    """A process that should outlive every visit."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process, self._log = process, log

    def require(self) -> None:
        """Raises EngineGoneError: it ended; the text names its log."""
        status = self._process.poll()
        if status is not None:
            raise EngineGoneError(f"the engine ended (status {status}); see {self._log}")

    def when_gone(self, call: Callable[[], None]) -> None:
        """Call it, from a thread, when the process has ended, for whatever reason."""

        def wait() -> None:
            self._process.wait()
            call()

        threading.Thread(target=wait, daemon=True).start()


@contextlib.contextmanager
def start_engine(config_file: Path, log: Path) -> Iterator[DemoEngine]:
    """Run it while the block runs; it ends with us, however we end.

    Raises:
        ReceiverError: It did not start.
    """
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-P", "-m", "kiosk.cli.main", "--config", str(config_file), "engine"]
    with log.open("wb") as errors:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "PYTHONPATH": path},
        )
    assert process.stdout is not None
    try:
        readable, _, _ = select.select([process.stdout], [], [], START_S)
        if not readable or process.stdout.readline() != b"READY\n":
            raise ReceiverError(f"the engine did not start; see {log}")
        yield DemoEngine(process, log)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
