"""Start the demo archive as a child process and wait until it listens."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kiosk.errors import ArchiveUnreachableError

_ROOT = Path(__file__).parents[2]  # what has to be on the child's path to import `kiosk`


@dataclass(frozen=True, slots=True)
class RunningArchive:
    """Where the archive listens.

    Attributes:
        instances: How many objects it serves.
    """

    host: str
    port: int
    ae_title: str
    pid: int
    instances: int


@contextmanager
def start_archive(
    folder: Path,
    *destinations: str,
    ae_title: str = "DEMOPACS",
    port: int = 0,
    ready_within_s: float = 30.0,
) -> Iterator[RunningArchive]:
    """Run the archive while the block runs. It ends with this process too, however that ends.

    Args:
        folder: From `ensure_studies`.
        destinations: "AET=host:port" each, where C-MOVE may send to.
        port: On the loopback interface; 0 lets the system choose.
    Raises:
        ArchiveUnreachableError: It ended or did not listen in time; the text has its last words.
    """
    command = [sys.executable, "-m", "kiosk.demo.archive", "--folder", str(folder)]
    command += ["--ae-title", ae_title, "--port", str(port), "--parent", str(os.getpid())]
    for destination in destinations:
        command += ["--destination", destination]
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as errors, os.fdopen(reading, "rb") as ready:
        try:
            process = subprocess.Popen(
                [*command, "--ready-fd", str(writing)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                pass_fds=[writing],
                env={**os.environ, "PYTHONPATH": path},
            )
        finally:
            os.close(writing)
        try:
            readable, _, _ = select.select([ready], [], [], ready_within_s)
            line = ready.readline() if readable else b""
            if not line:
                errors.seek(0)
                said = errors.read()[-500:].decode(errors="replace").strip()
                raise ArchiveUnreachableError(f"the demo archive did not start: {said}")
            yield RunningArchive(**json.loads(line))
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes], grace_s: float = 5.0) -> None:
    process.terminate()
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
