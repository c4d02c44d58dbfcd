"""A served kiosk in a real browser: what is drawn, read back as text; touches by what is seen."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pyte

from tests.browsers import Browser

ROOT: Final = Path(__file__).parents[1]
_LONGEST_S: Final = 60.0
# Keeps a copy of everything that the app draws, and of each size that the page asks for.
_LISTEN: Final = """
window.__drawn = []; window.__asked = [];
window.WebSocket = class extends WebSocket {
  constructor(url) {
    super(url);
    window.__asked.push(url);
    this.addEventListener("message", (event) => {
      if (typeof event.data === "string") return;
      let text = "";
      for (const byte of new Uint8Array(event.data)) text += String.fromCharCode(byte);
      window.__drawn.push(btoa(text));
    });
  }
  send(data) {
    window.__asked.push(data);
    super.send(data);
  }
};
"""
_SIZE: Final = re.compile(r'\["resize",\{"width":(\d+),"height":(\d+)\}\]|width=(\d+)&height=(\d+)')


@contextmanager
def served(arguments: list[str], log: Path) -> Iterator[str]:
    """Run `sendhome …` that serves a kiosk; gives its address. Ends it with SIGTERM."""
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "kiosk.cli.main", *arguments],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=out,
            stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    try:
        yield _address(process, log)
    finally:
        process.terminate()
        try:
            assert process.wait(60) == 0, log.read_text()
        finally:
            process.kill()


def _address(process: subprocess.Popen[str], log: Path) -> str:
    end = time.monotonic() + 180
    while not (found := re.search(r"http://127\.0\.0\.1:\d+/", log.read_text())):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.1)
    return found[0]


class Kiosk:
    """The kiosk's page in one browser.

    Args:
        report: Takes a name and the text of each screen that was waited for.
    """

    def __init__(
        self,
        browser: Browser,
        address: str,
        *,
        size: tuple[int, int] = (1280, 800),
        report: Callable[[str, str], None] = lambda _name, _text: None,
    ) -> None:
        self.browser, self.address, self._report = browser, address, report
        self._screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._screen)
        browser.ask("open", url=address, before=_LISTEN, touch=True, width=size[0], height=size[1])

    @property
    def cells(self) -> tuple[int, int]:
        """Columns and rows that the page asked for last."""
        asked = self.browser.evaluate("JSON.stringify(window.__asked)")
        sizes = _SIZE.findall(asked.replace('\\"', '"'))
        assert sizes, asked
        width, height = (each for each in sizes[-1] if each)
        return int(width), int(height)

    def text(self) -> str:
        """What stands there now."""
        try:
            drawn = self.browser.evaluate("window.__drawn.splice(0)")
        except AssertionError as error:
            if "context was destroyed" not in str(error):
                raise
            self._screen.reset()  # the page began again
            return ""
        for piece in drawn:
            if self.cells != (self._screen.columns, self._screen.lines):
                self._screen.resize(lines=self.cells[1], columns=self.cells[0])
            self._stream.feed(base64.b64decode(piece))
        return "\n".join(line.rstrip() for line in self._screen.display)

    def sees(self, *texts: str) -> str:
        """Until all of it is on the screen."""
        end = time.monotonic() + _LONGEST_S
        while not all(it in (text := self.text()) for it in texts):
            assert time.monotonic() < end, f"never said {texts}:\n{text}"
            time.sleep(0.05)
        self._report(texts[0], text)
        return text

    def tap(self, label: str) -> None:
        """A finger on the middle of these words, which stand there once."""
        self.sees(label)
        x, y = self.place(label)
        self.browser.ask("touch", fingers=[[[x, y]]])

    def touch_key(self, character: str) -> None:
        """A key on the screen: the character alone in its cell of the keyboard."""
        lines = self.text().split("\n")[:-3]  # the bar at the foot has letters too
        alone = re.compile(rf"(?<!\S){re.escape(character)}(?!\S)")
        places = [(m.start(), row) for row, line in enumerate(lines) for m in alone.finditer(line)]
        assert places, f"no key {character!r}:\n{self.text()}"
        before = self.text()
        self.browser.ask("touch", fingers=[[self.point(*places[-1])]])
        end = time.monotonic() + 10
        while self.text() == before:
            assert time.monotonic() < end, f"{character!r} came to nothing:\n{before}"
            time.sleep(0.02)

    def draw(self, points: list[tuple[int, int]]) -> None:
        """A finger's way over cells."""
        self.browser.ask("touch", fingers=[[self.point(*point) for point in points]])

    def place(self, words: str) -> tuple[float, float]:
        """The middle of words on the screen, in pixels of the page."""
        found = [
            (row, line.index(words))
            for row, line in enumerate(self.text().split("\n"))
            if words in line
        ]
        assert len(found) == 1, f"{words!r} stands there {len(found)} times:\n{self.text()}"
        row, column = found[0]
        return self.point(column + len(words) // 2, row)

    def point(self, column: int, row: int) -> tuple[float, float]:
        """The middle of a cell, in pixels of the page."""
        left, top, width, height = self.browser.evaluate(
            "(r => [r.left, r.top, r.width, r.height])"
            '(document.querySelector(".xterm-screen").getBoundingClientRect())'
        )
        columns, rows = self.cells
        return left + (column + 0.5) * width / columns, top + (row + 0.5) * height / rows

    def keys(self, text: str) -> None:
        """As a keyboard or a scanner types; a line feed is Enter."""
        for character in text:
            self.browser.ask("key", key="Enter" if character == "\n" else character)
