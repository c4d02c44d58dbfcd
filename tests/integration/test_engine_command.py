"""`sendhome engine` as a service manager sees it: ready, alone, ended in order."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kiosk.errors import ExecutorBusyError

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.integration


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "sendhome.toml"
    path.write_text(
        f"""[store]
state_dir = "{tmp_path / "state"}"
spool_dir = "{tmp_path / "spool"}"
reserve_mb = 0
[receiver]
port = 0
[[drives]]
kind = "simulated"
device = "{tmp_path / "drive"}"
"""
    )
    return path


def command(config: Path) -> list[str]:
    return [sys.executable, "-m", "kiosk.cli.main", "--config", str(config), "engine"]


@contextmanager
def engine(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command(config), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def test_ready_then_ended_in_order(config: Path):
    with engine(config) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"READY\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_a_second_engine_of_the_station_is_told_why_not(config: Path):
    with socket.socket() as probe:  # the reason must be the station, not the port
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config.write_text(config.read_text().replace("port = 0", f"port = {port}"))
    with engine(config) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"READY\n"
        second = subprocess.run(command(config), cwd=ROOT, capture_output=True, text=True)
        assert second.returncode == ExecutorBusyError.exit_code
        assert ExecutorBusyError.code in second.stderr
        assert process.poll() is None


def test_after_a_kill_it_starts_again(config: Path):
    with engine(config) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"READY\n"
        process.kill()
    with engine(config) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"READY\n"
