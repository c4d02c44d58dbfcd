"""A drive that never answers: whoever waits for it hears so, and the engine is asked to stop first.

The program in the engine's place says what it was started for and then waits, as xorriso does in a
command that the drive does not end.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from burner.drive import Drive, Tray
from burner.engine import Engine
from burner.errors import DriveError

SILENT = r"""#!/usr/bin/env python3
import pathlib, signal, sys, time
log = pathlib.Path({log!r})
def say(word):
    with log.open("a") as file:
        file.write(word + "\n")
def stop(*_):
    say("stopped")
    if {obeys}:
        sys.exit(1)
signal.signal(signal.SIGTERM, stop)
print("I:1: Drive current: -outdev '/dev/sr0'", flush=True)
say("eject" if "-eject" in sys.argv else "query")
while True:
    time.sleep(0.05)
"""
LIMIT_S = 2.0  # the program must have come up by then


def silent_drive(tmp_path: Path, *, obeys: bool = True) -> tuple[Drive, Path]:
    log, program = tmp_path / "log", tmp_path / "xorriso"
    program.write_text(SILENT.format(log=str(log), obeys=obeys))
    program.chmod(0o755)
    engine = Engine(
        str(program),
        cancel_patience_s=600.0 if obeys else 0.5,
        query_limit_s=LIMIT_S,
        eject_limit_s=LIMIT_S,
    )
    drive = Drive(
        tmp_path / "sr0",
        engine=engine,
        lock_folder=tmp_path,
        probe=lambda node: Tray.DISC,
        door=lambda node, is_shut: True,
    )
    return drive, log


def test_it_is_asked_to_stop_and_staff_hear_of_the_drive(tmp_path: Path) -> None:
    drive, log = silent_drive(tmp_path)
    with pytest.raises(DriveError, match="has not answered for 2 s"):
        drive.inspect()
    with pytest.raises(DriveError, match="has not answered for 2 s"):
        drive.eject()
    with pytest.raises(DriveError, match="has not answered for 2 s"):
        drive.open_if(lambda: True)
    assert log.read_text().split() == [
        *("query", "stopped"),
        *("eject", "stopped"),
        *("eject", "stopped"),
    ]
    assert not drive.is_busy()


def test_one_that_does_not_stop_is_killed_in_the_end(tmp_path: Path) -> None:
    drive, log = silent_drive(tmp_path, obeys=False)
    with pytest.raises(DriveError, match="has not answered"):
        drive.inspect()
    assert log.read_text().split() == ["query", "stopped"]
    assert not drive.is_busy()
