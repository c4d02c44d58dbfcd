"""`sendhome test`: every check and test of a source checkout, as CI runs them."""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
from pathlib import Path

from kiosk.errors import MissingProgramError

ROOT = Path(__file__).resolve().parents[2]

_WORKERS = "4"  # on 2 cores: many tests wait for peers, drives and timers half of their time


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "test",
        help="run every check and test (source checkout only)",
        description="Linters, types, layering and all tests. Further words go to pytest, and then "
        "only pytest runs.",
    )
    parser.add_argument("pytest_args", nargs=argparse.REMAINDER, metavar="PYTEST_ARG")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if not (ROOT / "tests").is_dir():
        raise MissingProgramError(
            "the tests are in the source tree, not in the installed package; "
            "`sendhome doctor` checks an installation"
        )
    python = [sys.executable, "-m"]
    checks = [
        [*python, "ruff", "check", "."],
        [*python, "ruff", "format", "--check", "."],
        [*python, "mypy"],
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
    ]
    pytest = [*python, "pytest", "-m", "not hardware"]
    words = [word for word in args.pytest_args if word != "--"]
    everything = [*checks, [*pytest, "-n", _WORKERS, "--dist", "loadgroup"]]
    steps = [[*pytest, *words]] if words else everything
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    if not words:  # tests/sample.py
        environment.setdefault("SENDHOME_SAMPLE", str(secrets.randbelow(10**6)))
    # Tests start Python a thousand times: without byte code each costs a quarter of a second more.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    for step in steps:
        shown = " ".join(Path(word).name if "/" in word else word for word in step)
        print(f"== {shown}", flush=True)
        code = subprocess.run(step, check=False, cwd=ROOT, env=environment).returncode
        if code:
            print(f"sendhome: failed: {shown}", file=sys.stderr)
            return code
    return 0
