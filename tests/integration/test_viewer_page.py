"""The viewer's page: its own checks, and that what is committed is what its sources make."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from dicomdir.viewer import assets
from tests.browsers import install_page, node_env, npm_command

pytestmark = pytest.mark.integration

_MAX_PROGRAM_BYTES = 400_000  # without codecs
_MAX_CODECS_BYTES = 300_000  # loaded when an object of another disc needs them


def npm(*arguments: str) -> str:
    done = subprocess.run(
        [*npm_command(), "run", "--silent", *arguments], cwd=install_page(), env=node_env(),
        capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("script", ["lint", "types", "test"])
def test_the_sources_pass(script: str) -> None:
    npm(script)


def test_the_committed_program_is_what_the_sources_make(tmp_path: Path) -> None:
    npm("build", "--", str(tmp_path))
    committed = {it.name: it.read_bytes() for it in assets.FOLDER.iterdir()}
    assert {it.name: it.read_bytes() for it in tmp_path.iterdir()} == committed
    program = [it for it in committed if it != assets.SUMS]
    loaded = [it for it in program if it != "CODECS.JS"]
    assert sum(len(committed[name]) for name in loaded) <= _MAX_PROGRAM_BYTES
    assert len(committed["CODECS.JS"]) <= _MAX_CODECS_BYTES
    assert len(assets.program()) == len(program)


def test_the_program_needs_nothing_that_its_policy_forbids() -> None:
    for script in (assets.FOLDER / name for name in ("VIEWER.JS", "CODECS.JS")):
        _holds_none(script.read_text("ascii"))
    page = (assets.FOLDER / "START.HTM").read_text("utf-8")
    assert "default-src 'none'" in page
    assert "connect-src 'none'" in page
    policy = page.partition('Policy" content="')[2].partition('"')[0]
    assert re.findall(r"\S*unsafe\S*", policy) == ["'wasm-unsafe-eval'"]
    lock = (install_page() / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock  # a registry's address is the installer's business


def _holds_none(script: str) -> None:
    for word in ("eval(", "new Function", "fetch(", "XMLHttpRequest", "WebSocket", "sendBeacon",
                 "innerHTML", "localStorage", "indexedDB", "document.cookie"):  # fmt: skip
        assert word not in script
