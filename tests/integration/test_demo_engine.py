"""The demo whose engine dies says so and ends, with a person before it and without."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.errors import EngineGoneError

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("demo"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for both: its studies are made once."""
    return tmp_path_factory.mktemp("demo") / "folder"


def engine_of(demo: int) -> int:
    """Its process id."""
    children = Path(f"/proc/{demo}/task/{demo}/children").read_text(encoding="ascii").split()
    (found,) = [
        int(child)
        for child in children
        if Path(f"/proc/{child}/cmdline").read_bytes().endswith(b"\0engine\0")
    ]
    return found


def lines_of(fd: int) -> Iterator[bytes]:
    """What is printed until nobody can print any more."""
    while True:
        try:
            read = os.read(fd, 65536)
        except OSError:  # a terminal whose other side is closed
            return
        if not read:
            return
        yield read


@pytest.mark.parametrize("is_auto", [True, False], ids=["auto", "person"])
def test_it_says_that_the_engine_ended(folder: Path, is_auto: bool):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    command = [sys.executable, "-m", "kiosk.cli.main", "demo", "--folder", str(folder)]
    demo = subprocess.Popen(
        [*command, "--auto"] if is_auto else command,
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)},
    )
    os.close(theirs)
    patience = threading.Timer(120, demo.kill)
    patience.start()
    try:
        said, is_killed = b"", False
        for read in lines_of(ours):
            said += read
            begun = b"A visit by" if is_auto else b"Take your images home"
            if not is_killed and begun in said:
                is_killed = True
                os.kill(engine_of(demo.pid), signal.SIGKILL)
        assert demo.wait() == EngineGoneError.exit_code, said
    finally:
        patience.cancel()
        demo.kill()
        demo.wait()
        os.close(ours)
    assert is_killed
    assert b"the engine ended (status -9); see " in said
    assert b"Image of the disc" not in said
