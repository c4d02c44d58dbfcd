"""The served kiosk in real Chromium, by fingers: a whole visit, and what must not work there."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browsers import PROGRAMS, Browser, browser
from tests.served import Kiosk, served

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("demo"),
    pytest.mark.skipif(PROGRAMS["chromium"] is None, reason="chromium is not installed"),
]
LETTERS = "(window.sendhomeTerminal?.options.fontSize ?? 0)"
_NOT_OURS = (
    "Automatic fallback to software WebGL",  # no graphics processor here
    "task queue exceeded allotted deadline",  # xterm.js, of a busy processor: a matter of speed
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    demo = ["demo", "--folder", str(folder / "demo"), "--serve", "0"]
    with served(demo, folder / "demo.out") as found:
        yield found


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Browser]:
    with browser("chromium", tmp_path / "profile") as made:
        yield made


@pytest.fixture
def kiosk(web: Browser, address: str, record_property: Callable[[str, object], None]) -> Kiosk:
    count = 0

    def report(name: str, text: str) -> None:
        nonlocal count
        count += 1
        record_property(f"{count:02} {name}", text)
        print(f"--- {count:02} {name}\n{text}")

    return Kiosk(web, address, report=report)


def complaints(web: Browser) -> list[str]:
    return [it for it in web.complaints() if not any(known in it for known in _NOT_OURS)]


def test_a_whole_visit_by_touch(kiosk: Kiosk, web: Browser, folder: Path) -> None:
    welcome = kiosk.sees("Take your images home", "Helen Carter")
    found = re.search(r"Helen Carter +ticket (\S+) +born (\S+)", welcome)
    assert found is not None
    ticket, born = found[1].replace("-", ""), found[2].replace("/", "")
    kiosk.tap("English")
    kiosk.sees("type its 8 characters")
    for character in ticket:
        kiosk.touch_key(character)
    kiosk.tap("Next")
    kiosk.sees("When were you born?")
    for digit in born:
        kiosk.touch_key(digit)
    kiosk.tap("Continue")
    kiosk.sees("Is this you?", "Helen C.")
    assert "Carter" not in kiosk.text()
    kiosk.tap("Yes")
    kiosk.sees("What you will take home")
    kiosk.tap("Continue")
    kiosk.sees("For whom are the images?")
    kiosk.tap("For me")
    kiosk.sees("On what would you like")
    kiosk.tap("Disc")
    kiosk.sees("What it costs")
    kiosk.tap("Continue")
    for page in range(1, 40):
        if f"{page} / {page}" in kiosk.sees("read this, then sign", f"{page} / "):
            break
        kiosk.tap("▼")
    kiosk.tap("Sign with my finger")
    text = kiosk.sees("Sign in the box")
    top = next(row for row, line in enumerate(text.split("\n")) if "╭" in line) + 3
    kiosk.draw([(20 + step, top + step % 3) for step in range(24)])
    kiosk.draw([(30 + step, top + 2 - step % 2) for step in range(16)])
    web.ask("screenshot", path=str(folder / "signed.png"))
    kiosk.tap("I sign")
    kiosk.sees("Please put in a blank disc")
    kiosk.tap("Do it for me")
    kiosk.sees("Now press “Done”")
    kiosk.tap(" Done ")  # the sentence above names the button too
    kiosk.sees("Please take your disc")
    kiosk.tap("I have it")
    kiosk.sees("Your receipt", "Helen C.")
    kiosk.tap("Goodbye")
    after = kiosk.sees("Take your images home")
    assert "Helen C." not in after
    assert complaints(web) == []
    assert all(it.startswith(kiosk.address) for it in web.requests())


@pytest.mark.sampled(2)
@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (1024, 768), (1080, 1920)])
def test_letters_are_as_large_as_they_can_be(
    web: Browser, address: str, size: tuple[int, int]
) -> None:
    kiosk = Kiosk(web, address, size=size)
    kiosk.sees("Take your images home")
    columns, rows = kiosk.cells
    assert columns >= 80
    assert rows >= 24
    assert columns < 90 or rows < 27  # one more pixel and something would not be there


@pytest.mark.sampled(2)
@pytest.mark.parametrize("size", [(1280, 800), (800, 1280)])
def test_large_text_makes_letters_larger_and_the_visit_goes_on(
    web: Browser, address: str, size: tuple[int, int]
) -> None:
    kiosk = Kiosk(web, address, size=size)
    kiosk.sees("Take your images home")
    kiosk.tap("English")
    kiosk.sees("type its 8 characters")
    kiosk.touch_key("7")
    usual = web.evaluate(LETTERS)
    kiosk.tap("Help, language")
    kiosk.sees("Large text")
    kiosk.tap("Large text")
    until(web, f"{LETTERS} > {usual}")
    until_cells(kiosk, lambda cells: 64 <= cells[0] < 80 and cells[1] >= 20)
    kiosk.tap("Close")
    kiosk.sees("7 _ _ _")  # what was typed is still there
    kiosk.touch_key("K")  # and a finger meets what it sees
    kiosk.sees("7 K _ _")
    kiosk.tap("Back")
    kiosk.sees("Take your images home")
    until(web, f"{LETTERS} === {usual}")  # the next person's letters are the usual ones
    until_cells(kiosk, lambda cells: cells[0] >= 80)
    assert complaints(web) == []


def test_a_screen_that_is_turned_keeps_the_visit(web: Browser, address: str) -> None:
    kiosk = Kiosk(web, address, size=(1280, 800))
    kiosk.sees("Take your images home")
    kiosk.tap("English")
    kiosk.sees("type its 8 characters")
    kiosk.touch_key("7")
    kiosk.sees("7 _ _ _")
    usual = web.evaluate(LETTERS)
    web.ask("resize", width=800, height=1280)
    until(web, f"{LETTERS} < {usual}")
    until_cells(kiosk, lambda cells: cells[0] >= 80 and cells[1] > 40)
    kiosk.sees("7 _ _ _", "Call staff")
    kiosk.touch_key("K")
    kiosk.sees("7 K _ _")
    kiosk.tap("Back")


def test_arabic_letters_stand_in_their_cells(web: Browser, address: str) -> None:
    """The page's font has none: those that come in must be as wide as its own."""
    kiosk = Kiosk(web, address)
    kiosk.sees("Take your images home")
    widths = web.evaluate(
        """(async () => {
            await document.fonts.load('40px "Roboto Mono"', "\ufe8d");
            const pen = document.createElement("canvas").getContext("2d");
            pen.font = "40px 'Roboto Mono', Monaco, 'Courier New', monospace";
            return [..."W\ufe8d\ufeb4\ufefb\ufeea"].map(it => pen.measureText(it).width);
        })()"""
    )
    assert max(widths) <= widths[0] * 1.02


def test_nothing_leads_away(kiosk: Kiosk, web: Browser) -> None:
    kiosk.sees("Take your images home")
    assert web.evaluate("window.open('https://example.org/')") is None
    stopped = web.evaluate(
        """["contextmenu", "dragstart", "drop", "auxclick"].map(kind => {
            const event = new MouseEvent(kind, {bubbles: true, cancelable: true});
            return !document.body.dispatchEvent(event);
        })"""
    )
    assert stopped == [True] * 4
    stopped = web.evaluate(
        """[["p", true], ["F11", false], ["F5", false], ["a", false]].map(([key, ctrlKey]) => {
            const event = new KeyboardEvent("keydown", {key, ctrlKey, bubbles: true,
                                                        cancelable: true});
            window.dispatchEvent(event);
            return event.defaultPrevented;
        })"""
    )
    assert stopped == [True, True, True, False]


def test_one_page_at_a_time(kiosk: Kiosk, web: Browser, address: str, tmp_path: Path) -> None:
    kiosk.sees("Take your images home")
    with browser("chromium", tmp_path / "other") as other:
        other.ask("open", url=address)
        until(other, 'document.body?.innerText.includes("shown in another window")')
        web.ask("close")
        until(other, 'document.body?.classList.contains("-first-byte")')


def test_after_a_crash_the_notice_and_then_the_welcome(kiosk: Kiosk, web: Browser) -> None:
    kiosk.sees("Take your images home")
    kiosk.tap("English")
    kiosk.sees("type its 8 characters")
    web.evaluate("window.__mark = 1")
    os.kill(_app_of(kiosk.address), signal.SIGKILL)
    notice = "document.querySelector('#notice')?.checkVisibility() && document.body.innerText"
    assert "Ask at the desk" in until(web, notice)
    assert until(web, "!document.querySelector('#terminal canvas')") is True  # nor what it showed
    until(web, "!window.__mark && document.body?.classList.contains('-first-byte')")
    assert "type its 8 characters" not in kiosk.sees("Take your images home")


def until_cells(kiosk: Kiosk, is_so: Callable[[tuple[int, int]], bool]) -> None:
    """Until the page has asked for so many columns and rows."""
    end = time.monotonic() + 30
    while not is_so(kiosk.cells):
        assert time.monotonic() < end, kiosk.cells
        time.sleep(0.05)


def until(web: Browser, code: str) -> Any:
    """The value of an expression once it is true; pages may come and go meanwhile."""
    end = time.monotonic() + 60
    while True:
        try:
            value = web.evaluate(code)
        except AssertionError as error:
            if "context was destroyed" not in str(error):
                raise
            value = False
        if value:
            return value
        assert time.monotonic() < end, code
        time.sleep(0.02)


def _app_of(address: str) -> int:
    """The process id of the app that the server at this address runs."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        for entry in Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                environment = (entry / "environ").read_bytes()
            except (OSError, NotADirectoryError):
                continue
            if b"--child" in words and b"web_driver" in environment:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if _listens(parent, address):
                    return int(entry.name)
        time.sleep(0.1)
    raise AssertionError("no app")


def _listens(pid: int, address: str) -> bool:
    port = int(address.rstrip("/").rpartition(":")[2])
    table = Path("/proc/net/tcp").read_text().split("\n")[1:]
    inodes = {
        row.split()[9]
        for row in table
        if row.split()[1:2] and row.split()[1].endswith(f":{port:04X}")
    }
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(link.readlink())
        except OSError:  # just closed
            continue
        if any(target == f"socket:[{inode}]" for inode in inodes):
            return True
    return False


def test_the_visit_is_not_in_the_page_after_its_end(kiosk: Kiosk, web: Browser) -> None:
    """Neither in the address, the title, nor in what the browser keeps for the page."""
    kiosk.sees("Take your images home")
    kept = web.evaluate(
        "JSON.stringify([location.href, document.title, Object.keys(localStorage), "
        "Object.keys(sessionStorage), document.cookie])"
    )
    assert json.loads(kept) == [kiosk.address, "sendhome", [], [], ""]
