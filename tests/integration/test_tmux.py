"""A visit in tmux: keys and a simulated scanner on one side, what the pane shows on the other.

The captures of every screen are printed: `pytest -rP` shows them, and they stand in the report of a
failure. A JUnit report has them as properties.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_LONGEST_S = 120.0
pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("demo"),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]


class Pane:
    """One pane of a tmux server of its own.

    Args:
        report: Takes the name and the text of each capture.
    """

    def __init__(self, folder: Path, command: str, report: Callable[[str, str], None]) -> None:
        self._socket, self._report, self._count = folder / "tmux", report, 0
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", command)

    def close(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):  # it went with its command
            self._tmux("kill-server")

    def text(self) -> str:
        return self._tmux("capture-pane", "-p")

    def resize(self, columns: int, rows: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def sees(self, *texts: str) -> str:
        """Until all of it is on the screen; into the report."""
        end = time.monotonic() + _LONGEST_S
        while not all(it in (text := self.text()) for it in texts):
            assert time.monotonic() < end, f"never said {texts}:\n{text}"
            time.sleep(0.05)
        self._count += 1
        self._report(f"{self._count:02} {texts[0]}", text)
        return text

    def scan(self, code: str) -> None:
        """As a scanner does: all keys at once, then Enter."""
        self._tmux("send-keys", "-l", code)
        self._tmux("send-keys", "Enter")

    def types(self, text: str, seen: Callable[[str], bool]) -> None:
        """As a person does: each key is answered on the screen before the next."""
        for character in text:
            before = self.text()
            self._tmux("send-keys", "-l", character)
            self._until(lambda before=before: self.text() != before)
        self._until(lambda: seen(self.text()))

    def enter(self) -> None:
        self._tmux("send-keys", "Enter")

    def press(self, label: str) -> None:
        """Tab to the button of that label, which has a double border then, and Enter."""
        focused = re.compile(rf"║\s*{re.escape(label)}\s*║")
        for _ in range(20):
            if focused.search(text := self.text()):
                self._tmux("send-keys", "Enter")
                return
            self._tmux("send-keys", "Tab")
            end = time.monotonic() + 1  # the bar's buttons look the same with the focus and without
            while self.text() == text and time.monotonic() < end:
                time.sleep(0.05)
        raise AssertionError(f"no way to {label!r}:\n{self.text()}")

    def _until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end, self.text()
            time.sleep(0.05)

    def _tmux(self, *words: str) -> str:
        return subprocess.run(
            ["tmux", "-S", self._socket, *words],
            check=True,
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)},
        ).stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tmux")


@pytest.fixture
def pane(folder: Path, record_property: Callable[[str, object], None]) -> Iterator[Pane]:
    def report(name: str, text: str) -> None:
        record_property(name, text)
        print(f"--- {name}\n{text}")

    demo = f"exec {sys.executable} -m kiosk.cli.main demo --folder {folder / 'demo'}"
    made = Pane(folder, f"cd {ROOT} && {demo}", report)
    try:
        yield made
    finally:
        made.close()


def a_ticket(folder: Path) -> str:
    """What a scanner reads off a fresh ticket of the second demo patient."""
    command = [sys.executable, "-m", "kiosk.cli.main", "--config", folder / "demo/sendhome.toml"]
    told = subprocess.run(
        [*command, "order", "ticket", "demo-2"],
        check=True,
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
    ).stdout
    return told.partition("qr_text: ")[2].split()[0]


def test_a_visit_by_keys_and_scanner(pane: Pane, folder: Path) -> None:
    welcome = pane.sees("Take your images home", "Jörg Schröder")
    born = re.search(r"Schröder +ticket \S+ +born (\S+)", welcome)
    assert born is not None

    pane.resize(20, 5)
    pane.sees("The screen is too")
    pane.resize(64, 20)
    small = pane.sees("Take your images home", "Call staff").splitlines()
    assert max(map(len, small)) <= 64
    pane.resize(80, 24)
    pane.sees("Jörg Schröder")

    pane.scan("5901234123457")  # off a bottle of water
    pane.sees("not one of our tickets")
    pane.scan(a_ticket(folder))
    pane.sees("When were you born?")
    pane.types(born[1].replace("/", ""), lambda text: "1971" in text and "_" not in text)
    pane.press("Continue")
    pane.sees("Is this you?", "Jörg S.")
    assert "Schröder" not in pane.text()
    pane.press("Yes")
    pane.sees("What you will take home", "X-ray")
    pane.press("Continue")
    pane.sees("For whom are the images?")
    pane.press("For me")
    pane.sees("On what would you like", "USB stick")
    pane.press("Disc")
    pane.sees("What it costs", "no charge")
    pane.press("Continue")
    pane.sees("read this, then sign")
    for page in range(1, 40):
        pane.sees(f"{page} / ")
        if f"{page} / {page}" in pane.text():
            break
        pane.enter()  # the arrow has the focus
    pane.press("Sign by typing my name")
    pane.sees("Type your first and last name")
    pane.types("jorg schroder", lambda text: "jorg schroder" in text.lower())
    pane.enter()
    pane.sees("Please put in a blank disc")
    pane.press("Do it for me")
    pane.sees("Now press “Done”")
    pane.press("Done")
    pane.sees("Please take your disc")
    pane.press("I have it")
    pane.sees("Your receipt", "Jörg S.")
    pane.press("Goodbye")
    after = pane.sees("Take your images home")
    assert "Jörg S." not in after
