"""Programs that are run: bounded lines, patient stopping, locks that outlive us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from burner import children
from burner.children import MAX_LINE_BYTES, DriveLock, environment, run_lines
from burner.errors import CancelledError, DriveError, EngineError


def run(code: str, **options: object) -> tuple[int, bool, list[str]]:
    lines: list[str] = []
    code_, was_stopped = run_lines(["python3", "-c", code], lines.append, **options)  # type: ignore[arg-type]  # options of run_lines
    return code_, was_stopped, lines


def test_lines_as_they_come() -> None:
    assert run("print('a'); import sys; print('b', file=sys.stderr); sys.exit(3)") in (
        (3, False, ["a", "b"]),
        (3, False, ["b", "a"]),  # stderr is not buffered
    )


def test_last_line_without_an_end() -> None:
    assert run("print('a\\nb', end='')") == (0, False, ["a", "b"])


def test_endless_line_is_cut() -> None:
    code, _, lines = run("print('x' * 5_000_000); print('y')")
    assert code == 0
    assert lines[0] == "x" * MAX_LINE_BYTES
    assert lines[-1] == "y"
    assert len(lines) == 2


def test_bytes_that_are_no_text() -> None:
    _, _, lines = run("import sys; sys.stdout.buffer.write(b'\\xff\\xfe\\n')")
    assert lines == ["\ufffd\ufffd"]


def test_bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    _, _, lines = run("import os; print(sorted(os.environ))")
    assert "SECRET" not in lines[0]
    assert "HOME" not in lines[0]
    assert environment({"A": "b"})["A"] == "b"


def test_stop_is_a_request_first() -> None:
    """The program may finish what it must; its own exit code counts."""
    code, was_stopped, lines = run(
        "import signal, sys, time\n"
        "def stop(*_):\n"
        "    print('letting go'); sys.exit(1)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "print('ready', flush=True)\n"
        "while True: time.sleep(0.1)\n",
        is_cancelled=iter([False] * 20 + [True] * 10_000).__next__,
    )
    assert (code, was_stopped) == (1, True)
    assert lines[-1] == "letting go"


def test_who_does_not_hear_is_killed_in_the_end() -> None:
    code, was_stopped, _ = run(
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready', flush=True)\n"
        "while True: time.sleep(0.1)\n",
        is_cancelled=lambda: True,
        cancel_patience_s=0.5,
    )
    assert (code, was_stopped) == (-9, True) or code == -15  # stopped before it could refuse


def test_a_pipe_that_its_child_keeps_holds_nobody_up() -> None:
    code, was_stopped, lines = run(
        "import subprocess, time\n"
        "print(subprocess.Popen(['sleep', '600']).pid, flush=True)\n"
        "time.sleep(600)\n",
        is_cancelled=iter([False] * 10 + [True] * 10_000).__next__,
        cancel_patience_s=0.5,
    )
    assert (code, was_stopped) == (-15, True)
    os.kill(int(lines[0]), signal.SIGKILL)


def test_a_killed_program_that_does_not_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that waits in the kernel for its device: here no signal reaches it at all."""
    started: list[subprocess.Popen[bytes]] = []

    class Deaf(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            started.append(self)

        def send_signal(self, sig: int) -> None:
            """Not taken."""

    monkeypatch.setattr(subprocess, "Popen", Deaf)
    monkeypatch.setattr(children, "KILL_PATIENCE_S", 0.3)
    with pytest.raises(DriveError, match="does not end"):
        run("import time; time.sleep(600)", is_cancelled=lambda: True, cancel_patience_s=0.3)
    (left,) = started
    assert left.poll() is None
    os.kill(left.pid, signal.SIGKILL)
    assert left.wait() == -signal.SIGKILL


def test_exception_of_the_listener_ends_the_program() -> None:
    def fail(line: str) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_lines(["python3", "-c", "import time; print(1, flush=True); time.sleep(60)"], fail)


@pytest.mark.parametrize("patience_s", [30.0, 0.5])
def test_exception_of_who_cancels_ends_a_talkative_program(
    tmp_path: Path, patience_s: float
) -> None:
    """It says more than a pipe holds before it comes to rest; one that never does is killed."""
    path = tmp_path / "rested"
    code = (
        "import os, pathlib, signal, time\n"
        "def stop(*_):\n"
        "    os.write(1, b'x' * 1_000_000)\n"
        f"    while {patience_s < 1}: time.sleep(0.1)\n"
        f"    pathlib.Path({str(path)!r}).touch()\n"
        "    os._exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "os.write(1, b'ready\\n')\n"  # print is not to be interrupted by what prints
        "while True: time.sleep(0.1)\n"
    )
    lines: list[str] = []

    def fail() -> bool:
        if lines:
            raise ZeroDivisionError
        return False

    with pytest.raises(ZeroDivisionError):
        run_lines(
            ["python3", "-c", code], lines.append, is_cancelled=fail, cancel_patience_s=patience_s
        )
    assert path.exists() == (patience_s > 1)


def test_not_installed() -> None:
    with pytest.raises(EngineError, match="no-such-program"):
        run_lines(["no-such-program"], print)


def test_file_size_is_limited(tmp_path: Path) -> None:
    path = tmp_path / "file"
    code, _, _ = run(f"open({str(path)!r}, 'wb').write(bytes(10_000))", max_file_bytes=5_000)
    assert code != 0
    assert path.stat().st_size == 5_000


def test_lock_is_one_at_a_time(tmp_path: Path) -> None:
    lock, same = DriveLock(tmp_path / "a" / "lock"), DriveLock(tmp_path / "a" / "lock")
    assert not lock.is_held()
    with lock.hold():
        assert same.is_held()
        with pytest.raises(DriveError), same.hold(patience_s=0.0):
            pytest.fail("held twice")
        with pytest.raises(CancelledError), same.hold(is_cancelled=lambda: True):
            pytest.fail("held twice")
    assert not same.is_held()
    with same.hold():
        pass


def test_lock_lives_as_long_as_a_child_that_has_it(tmp_path: Path) -> None:
    lock = DriveLock(tmp_path / "lock")
    with lock.hold() as descriptor:
        child = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"],
            stdin=subprocess.PIPE,
            pass_fds=(descriptor,),
        )
    assert lock.is_held()
    child.communicate()
    assert not lock.is_held()


def test_lock_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DriveError), DriveLock(tmp_path / "lock").hold():
        pytest.fail("followed")
    assert not os.path.lexists(tmp_path / "elsewhere")
