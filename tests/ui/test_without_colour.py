"""A short visit on terminals without colour, in a real pseudo-terminal: what is read, and where the
focus is, has to be in the characters alone.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import Final

import pytest

from tests.ui.terminal import Terminal

ROOT: Final = Path(__file__).parents[2]
TERMINALS: Final = {
    "vt100": {"TERM": "vt100"},
    "no-color": {"TERM": "xterm-256color", "NO_COLOR": "1"},
    "dumb": {"TERM": "dumb"},
    "mono": {"TERM": "xterm-mono"},
}
COLOURS: Final = re.compile(rb"\x1b\[(?:[0-9;]*;)?[34]8;2;([0-9]+);([0-9]+);([0-9]+)")
BOXED: Final = re.compile(r"║ *([^║\n]*?) *║")
MARKED: Final = re.compile(r"◆ ?([^◆\n]*?) ?◆")


def focused(terminal: Terminal) -> list[str]:
    """What the characters on the screen say has the focus."""
    text = terminal.text()
    framed = [it for it in BOXED.findall(text) if it]
    return [*framed, *MARKED.findall(text)]


def waits_for(terminal: Terminal, label: str) -> None:
    """Until that button has the focus."""
    end = time.monotonic() + 20
    while label not in focused(terminal):
        assert time.monotonic() < end, f"{label!r} not in {focused(terminal)}:\n{terminal.text()}"
        terminal.read_for(0.05)


def goes_to(terminal: Terminal, label: str) -> None:
    """By Tab; each stop can be seen, and there is one of them at a time."""
    for stops in range(20):
        terminal.read_for(0.15)
        at = focused(terminal)
        assert at or not stops, f"nothing has the focus:\n{terminal.text()}"
        if label in at:
            return
        terminal.send(b"\t")
        end = time.monotonic() + 10
        while focused(terminal) == at:
            assert time.monotonic() < end, f"no Tab leaves {at}:\n{terminal.text()}"
            terminal.read_for(0.05)
    raise AssertionError(f"no way to {label!r}:\n{terminal.text()}")


@pytest.mark.parametrize("kind", TERMINALS)
@pytest.mark.parametrize("size", [(80, 24), (64, 20)], ids=["80x24", "64x20"])
def test_a_visit_without_colour(kind: str, size: tuple[int, int], tmp_path: Path) -> None:
    note = tmp_path / "ticket"
    command = [sys.executable, "-m", "tests.ui.terminal_app", "visit", str(note)]
    columns, rows = size
    with Terminal(
        command, cwd=ROOT, columns=columns, rows=rows, environment=TERMINALS[kind]
    ) as terminal:
        terminal.until("Take your images home")
        waits_for(terminal, "Start")
        goes_to(terminal, "Deutsch")
        goes_to(terminal, "Call staff")
        terminal.send(f"{note.read_text()}\r".encode())
        terminal.until("When were you born?")
        for at, digit in enumerate("03031961", 1):
            terminal.send(digit.encode())
            left = 8 - at
            terminal.until_seen(lambda left=left: terminal.text().count("_") == left)
        terminal.until("3 March 1961")
        goes_to(terminal, "Continue")
        terminal.send(b"\r")
        terminal.until("Maria G.")
        goes_to(terminal, "Yes")  # nothing has the focus before: no Enter may answer this
        goes_to(terminal, "Help, language")
        terminal.send(b"\r")
        terminal.until("Large text")
        goes_to(terminal, "Large text")
        goes_to(terminal, "Close")
        terminal.send(b"\r")
        goes_to(terminal, "Yes")
        terminal.send(b"\r")
        terminal.until("CT scan")
        goes_to(terminal, "Continue")
        terminal.send(b"\r")
        terminal.until("CD or DVD")
        goes_to(terminal, "Disc")
        terminal.send(b"\r")
        terminal.until("Number 100")
        goes_to(terminal, "Leave this page")
        terminal.send(b"\r")
        terminal.until("Take your images home")
        assert terminal.is_alive
        shades = {tuple(map(int, it)) for it in COLOURS.findall(terminal.raw)}
        assert all(len(set(shade)) == 1 for shade in shades), "something is coloured"


def test_the_look_for_colours_finds_them() -> None:
    shown = b"\x1b[1;38;2;20;34;47;48;2;251;250;246mx\x1b[0m"
    assert COLOURS.findall(shown)
