"""The lobby in a real pseudo-terminal: what bytes it sends, which keys move it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.ui.terminal import Terminal

ROOT = Path(__file__).parents[2]
SEED = 20260305

# All that Textual itself sends: modes, cursor moves, colours, clears, keyboard protocol, queries.
OURS = re.compile(
    rb"\x1b\]22;[a-z-]*\x07|"  # the pointer's shape
    rb"\x1b\[\?[0-9;]+[hl]|\x1b\[\?[0-9;]+\$p|\x1b\[[0-9;]*[HmABCDJKu]|\x1b\[[<>=][0-9;]*u|\x1b\[r"
)
CONTROL = (
    "[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)


def lobby(*arguments: str, columns: int = 80, rows: int = 24) -> Terminal:
    command = [sys.executable, "-m", "tests.ui.terminal_app", *arguments]
    return Terminal(command, cwd=ROOT, columns=columns, rows=rows)


def without_ours(raw: bytes) -> str:
    rest = OURS.sub(b"", raw).replace(b"\r", b"").replace(b"\n", b"")
    return rest.decode("utf-8")  # raises if half a character or a lone byte is there


def foreign(raw: bytes) -> list[str]:
    """Control characters in the output that are no part of Textual's own sequences."""
    return re.findall(f".{{0,20}}{CONTROL}.{{0,20}}", without_ours(raw))


def test_the_scan_of_bytes_finds_what_it_should() -> None:
    assert foreign(b"\x1b[2J\x1b[1;1Hfine\x1b[38;2;1;2;3mM\xc3\xbcller\r\n") == []
    for bad in (b"\x1b]52;c;eA==\x07", b"\x07", b"\x1bc", b"a\x00b", b"\x1b[6n", b"\x1bP1q\x1b\\"):
        assert foreign(b"ok" + bad)
    for code in (0x9B, 0x202E, 0x200B, 0xE0041):
        assert foreign(f"ok{chr(code)}".encode())


def test_hostile_text_sends_no_foreign_byte() -> None:
    with lobby("tour", str(SEED)) as terminal:
        assert terminal.wait(240) == 0, f"seed {SEED}"
        assert foreign(terminal.raw) == [], f"seed {SEED}"
        assert len(terminal.raw) > 100_000
        # The strings were on the screen without their teeth: also those that look like Textual's.
        shown = without_ours(terminal.raw)
        for text in ("X[/]Y", "[bold]loud[/bold]", "[2J[H", "[31;1mred", "[?1049l", "]52;c;ZXZpbA"):
            assert text in shown, text


def test_a_crash_shows_no_value() -> None:
    with lobby("crash", "CANARY^ALICE") as terminal:
        assert terminal.wait() == 1
        before, _, after = terminal.raw.rpartition(b"\x1b[?1049l")
        assert b"Alice C." in before
        assert b"CANARY" not in terminal.raw.upper().replace(b"ALICE C.", b"")
        assert b"Traceback" not in terminal.raw
        assert b"CANARY" not in after.upper()


# Moving the focus and pressing a button is allowed; where that leads, other tests say.
HELP = (b"\x1bOP", b"\x1bOQ", b"\x1b[11~", b"\x1b[12~", b"\x1b[P", b"\x1b[Q")  # F1 and F2 …
PLAIN = (b"\x1b[1;1P", b"\x1b[1;1Q", b"\x1b[11;1~", b"\x1b[12;1~")  # … with no modifier, said so
PRESSES = (*HELP, *PLAIN, b"\r", b"\n", b" ", b"\x1b\r", b"\x1b\n", b"\x1bOM")


def every_key() -> list[bytes]:
    """Whatever a keyboard can send through a terminal."""
    keys = [bytes([code]) for code in range(128)]  # Ctrl with a letter, and plain
    keys += [b"\x1b" + bytes([code]) for code in range(128) if code != ord("[")]  # Alt
    for modifier in range(1, 17):  # Shift, Alt, Ctrl, Meta and all their sums
        keys += [f"\x1b[1;{modifier}{letter}".encode() for letter in "ABCDEFHPQRS"]
        keys += [f"\x1b[{number};{modifier}~".encode() for number in (*range(1, 7), *range(11, 35))]
    keys += [f"\x1b[{letter}".encode() for letter in "ABCDEFGHIZ"]
    keys += [f"\x1bO{letter}".encode() for letter in "ABCDFHPQRSMjklmnopqrstuvwxy"]
    keys += [f"\x1b[{number}~".encode() for number in range(1, 35)]
    keys += [
        f"\x1b[{code};{modifier}u".encode()
        for code in (99, 113, 122, 112, 27, 9, 57358)
        for modifier in range(1, 17)
    ]
    keys += [b"\x1b[200~\x1b[2J03031961\x1b[201~", b"\x1b[I", b"\x1b[O", b"\x1b[?2026;2$y"]
    return keys


@pytest.mark.parametrize("scanned", [False, True], ids=["welcome", "birth_date"])
def test_no_key_leaves_the_app(scanned: bool) -> None:
    keys = every_key()
    assert len(keys) > 600
    with lobby("lobby") as terminal:
        terminal.until("Take your images home")
        if scanned:
            terminal.send(f"SH1{'0' * 44}\r".encode())
            terminal.until("When were you born?")
        for batch in _batched(keys):
            for key in batch:
                if key not in PRESSES:
                    terminal.send(key)
            terminal.read_for(0.3)
            assert terminal.is_alive
        terminal.read_for(0.5)
        assert ("When were you born?" if scanned else "Take your images home") in terminal.text()
        assert not _children(terminal.pid)
        # Alive not only as a process: it still answers.
        terminal.send(f"SH1{'0' * 44}\r".encode())
        terminal.until("When were you born?")


def _batched(keys: list[bytes]) -> list[list[bytes]]:
    return [keys[at : at + 40] for at in range(0, len(keys), 40)]


def _children(pid: int) -> str:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().strip()
