"""The parent of the lobby on a real terminal: crashes leave nothing, and end in two seconds."""

from __future__ import annotations

import os
import select
import signal
import sys
import textwrap
from pathlib import Path

import pytest

from kiosk.lobby.wrapper import RESET
from tests.ui.terminal import Terminal

ROOT = Path(__file__).parents[2]

WRAPPER = """
import logging, sys
from kiosk.lobby.wrapper import Wrapper, desk_page
from tests.fakes.clock import FakeClock
import time

class Real(FakeClock):
    def monotonic_s(self):
        return time.monotonic()

logging.basicConfig(filename=sys.argv[1], level=logging.INFO)
page = desk_page("Riverside Imaging", "Please ask at the desk.")
sys.exit(Wrapper([sys.executable, *sys.argv[2:]], page, Real()).run())
"""


class Wrapped:
    """A wrapper in a pty, with a child made of a few lines."""

    def __init__(self, tmp_path: Path, child: str) -> None:
        self.log = tmp_path / "log"
        script = tmp_path / "child.py"
        script.write_text(textwrap.dedent(child))
        self.terminal = Terminal(
            [sys.executable, "-c", WRAPPER, str(self.log), str(script), str(tmp_path)], cwd=ROOT
        )


def starts(tmp_path: Path) -> int:
    return len(list(tmp_path.glob("start-*")))


CRASHING = """
    import os, pathlib, signal, sys, time
    folder = pathlib.Path(sys.argv[1])
    number = len(list(folder.glob("start-*")))
    (folder / f"start-{number}").touch()
    sys.stderr.write("\\x1b[?1049h\\x1b[?1000hCANARY NAME\\r\\n" * 3)
    sys.stderr.flush()
    while not (folder / f"go-{number}").exists():
        time.sleep(0.02)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_dead_child_is_wiped_away_and_started_again(tmp_path: Path) -> None:
    wrapped = Wrapped(tmp_path, CRASHING)
    with wrapped.terminal as terminal:
        terminal.until("CANARY NAME")
        for number in range(3):
            (tmp_path / f"go-{number}").touch()
            terminal.until_sent(b"Please ask at the desk.", number + 1)
            if number < 2:
                terminal.until_sent(b"CANARY NAME", 3 * (number + 2))
        assert b"\x1b[2J\x1b[3J" in RESET  # scroll-back too
        after_each_crash = terminal.raw.split(RESET)[1:]
        assert len(after_each_crash) == 3
        for shown in after_each_crash:
            assert b"CANARY" not in shown.split(b"\x1b[?1049h")[0]  # until the next child began
        for key in (b"\x03", b"\x1a", b"\x1c", b"\x11", b"secret\r"):
            terminal.send(key)
        terminal.read_for(1.5)  # longer than a restart takes: now it waits longer
        assert starts(tmp_path) == 3
        assert "Please ask at the desk." in terminal.text()
        assert "secret" not in terminal.text()
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait() == 0
    log = wrapped.log.read_text()
    assert log.count("ended with -9 and starts again in 1 s") == 2
    assert log.count("ended with -9 and starts again in 30 s") == 1


def test_an_orderly_end_ends_the_wrapper(tmp_path: Path) -> None:
    wrapped = Wrapped(tmp_path, "raise SystemExit(0)")
    with wrapped.terminal as terminal:
        assert terminal.wait() == 0


def test_told_to_stop_it_ends_the_child(tmp_path: Path) -> None:
    wrapped = Wrapped(
        tmp_path,
        "import sys, time\nsys.stderr.write('RUNNING'), sys.stderr.flush()\ntime.sleep(600)",
    )
    with wrapped.terminal as terminal:
        terminal.until("RUNNING")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait() == 0
        assert "RUNNING" not in terminal.text()


def test_signals_from_the_keyboard_reach_nobody(tmp_path: Path) -> None:
    wrapped = Wrapped(
        tmp_path,
        """
        import sys, time
        sys.stderr.write("READY"), sys.stderr.flush()
        line = sys.stdin.buffer.raw.read(3)
        sys.stderr.write(f"GOT {line!r}"), sys.stderr.flush()
        time.sleep(600)
        """,
    )
    with wrapped.terminal as terminal:
        terminal.until("READY")
        terminal.send(b"\x03\x1a\x1c")
        terminal.until("GOT")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait() == 0


def test_the_log_has_places_but_no_values(tmp_path: Path) -> None:
    wrapped = Wrapped(
        tmp_path,
        """
        import sys, threading
        sys.path.insert(0, ".")
        from kiosk.lobby.crash import install_quiet_hooks
        from kiosk.app_process import log_to_parent
        log_to_parent()
        install_quiet_hooks()

        def broken(name):
            raise ValueError(name)

        thread = threading.Thread(target=broken, args=("CANARY THREAD",))
        thread.start()
        thread.join()
        broken("CANARY NAME")
        """,
    )
    with wrapped.terminal as terminal:
        terminal.until("Please ask at the desk.")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait() == 0
        assert b"CANARY" not in terminal.raw
    log = wrapped.log.read_text()
    assert "builtins.ValueError" in log
    assert "in broken" in log
    assert "CANARY" not in log


@pytest.mark.parametrize("name", ["TEXTUAL", "TEXTUAL_DEBUG"])
def test_textuals_switches_are_not_passed_on(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "devtools,debug")
    wrapped = Wrapped(
        tmp_path,
        "import os, sys\nsys.exit(any(it.startswith('TEXTUAL') for it in os.environ))",
    )
    with wrapped.terminal as terminal:
        assert terminal.wait() == 0


def test_a_killed_wrapper_takes_the_child_along(tmp_path: Path) -> None:
    wrapped = Wrapped(
        tmp_path,
        """
        import os, pathlib, sys, time
        (pathlib.Path(sys.argv[1]) / "pid").write_text(str(os.getpid()))
        sys.stderr.write("RUNNING"), sys.stderr.flush()
        time.sleep(600)
        """,
    )
    with wrapped.terminal as terminal:
        terminal.until("RUNNING")
        child = os.pidfd_open(int((tmp_path / "pid").read_text()))
        try:
            os.kill(terminal.pid, signal.SIGKILL)
            readable, _, _ = select.select([child], [], [], 30)
            if not readable:
                signal.pidfd_send_signal(child, signal.SIGKILL)
            assert readable
        finally:
            os.close(child)
