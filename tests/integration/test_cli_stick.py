"""`sendhome stick`: only the stick that was named, then empty, whole and in stock."""

from __future__ import annotations

import json
import os
import pty
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk import bootstrap, config_file
from kiosk.adapters.jobs.engine import station_lock
from kiosk.cli import main as cli
from kiosk.domain.model import OrderId
from kiosk.errors import (
    ConfigError,
    DriveFaultError,
    ExecutorBusyError,
    InvalidValueError,
    MediumError,
    MediumWantedError,
)
from kiosk.ports import LedgerEntry, LedgerPhase
from tests.factories import make_study

pytestmark = pytest.mark.integration

MIB = 1 << 20
ROOT = Path(__file__).parents[2]


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """Somebody's, with things on it."""
    path = tmp_path / "port" / "stick.img"
    path.parent.mkdir()
    path.write_bytes(random.Random(1).randbytes(2 * MIB))
    os.truncate(path, 100 * MIB)
    return path


@pytest.fixture
def config(tmp_path: Path, stick: Path) -> Path:
    path = tmp_path / "sendhome.toml"
    path.write_text(
        f'[store]\nstate_dir = "{tmp_path / "state"}"\nspool_dir = "{tmp_path / "spool"}"\n'
        f'[[drives]]\nname = "port"\nkind = "simulated-stick"\ndevice = "{stick}"\n'
        f'[[drives]]\nname = "disc1"\nkind = "simulated"\ndevice = "{tmp_path / "drive"}"\n'
    )
    return path


def run(config: Path, *words: object) -> int:
    return cli.main(["--config", str(config), *map(str, words)])


def test_named_it_is_made_anew_and_takes_a_study(
    config: Path, stick: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(config, "stick", stick, "--erase", "image file stick.img", "--json") == 0
    made = json.loads(capsys.readouterr().out)
    assert made["identity"] == "image file stick.img"
    assert made["label"] == "IMAGES"
    assert made["size_bytes"] == 100 * MIB
    assert 95 * MIB < made["free_bytes"] < 100 * MIB
    checked = subprocess.run(["blkid", "-p", "-O", str(MIB), stick], capture_output=True, text=True)
    assert 'TYPE="vfat"' in checked.stdout
    make_study(tmp_path / "study", kinds=("CT",))
    assert run(config, "build", tmp_path / "study", "-o", tmp_path / "out.iso") == 0
    assert run(config, "burn", tmp_path / "out.iso", "--drive", "port") == 0


def test_each_one_made_is_one_more_in_stock(
    config: Path, stick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (
        "stick",
        stick,
        "--erase",
        "image file stick.img",
        "--label",
        "RAD_2",
        "--stock",
        "port",
    )
    for expected in (1, 2):
        assert run(config, *words) == 0
        assert "RAD_2, FAT32" in capsys.readouterr().out
        with bootstrap.journal(config_file.load(config)) as journal:
            (counts,) = journal.stock.counts()
            assert (counts.drive, counts.in_stock) == ("port", expected)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ((), InvalidValueError),
        (("--erase", ""), InvalidValueError),
        (("--erase", "stick.img"), InvalidValueError),
        (("--erase", "image file stick.img", "--label", "too long a name"), MediumError),
        (("--erase", "image file stick.img", "--stock", "disc1"), ConfigError),
        (("--erase", "image file stick.img", "--stock", "nowhere"), ConfigError),
    ],
)
def test_without_the_right_words_nothing_is_lost(
    config: Path, stick: Path, words: tuple[str, ...], error: type[Exception]
) -> None:
    before = stick.read_bytes()
    assert run(config, "stick", stick, *words) == error.exit_code  # type: ignore[attr-defined]
    assert stick.read_bytes() == before
    assert not (config.parent / "state").exists()


def test_it_says_what_would_be_lost(
    config: Path, stick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(config, "stick", stick) == InvalidValueError.exit_code
    assert "image file stick.img, 0.10 GB" in capsys.readouterr().err


@pytest.mark.parametrize("answer", ["image file stick.img", "yes"])
def test_asked_at_a_terminal(config: Path, stick: Path, answer: str) -> None:
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-P", "-m", "kiosk.cli.main", "--config", config, "stick", stick]
    process = subprocess.Popen(
        argv, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, answer.encode() + b"\n")
    out, err = process.communicate(timeout=60)
    os.close(ours)
    assert "everything on it will be lost" in err
    is_agreed = answer != "yes"
    assert process.returncode == (0 if is_agreed else InvalidValueError.exit_code)
    assert ("FAT32" in out) == is_agreed


@pytest.mark.parametrize("what", ["small", "read_only", "missing", "folder"])
def test_what_is_no_stick_to_make(config: Path, stick: Path, tmp_path: Path, what: str) -> None:
    target = tmp_path / "other.img"
    if what == "small":
        target.write_bytes(bytes(63 * MIB))
    elif what == "read_only":
        target.write_bytes(bytes(100 * MIB))
        target.chmod(0o444)
    elif what == "folder":
        target.mkdir()
    code = run(config, "stick", target, "--erase", "image file other.img")
    assert code in (MediumWantedError.exit_code, DriveFaultError.exit_code)
    assert stick.stat().st_size == 100 * MIB


def test_a_configured_port_is_the_engine_s_while_it_runs(config: Path, stick: Path) -> None:
    before = stick.read_bytes()
    loaded = config_file.load(config)
    words = ("stick", stick, "--erase", "image file stick.img")
    with bootstrap.journal(loaded) as journal:
        with station_lock(journal, loaded.store.state_dir).hold():
            assert run(config, *words) == ExecutorBusyError.exit_code
        row = LedgerEntry("port", OrderId("job-1"), LedgerPhase.VERIFIED, 1, "V", "ab" * 32)
        journal.ledger.put(row)
    assert run(config, *words) == ExecutorBusyError.exit_code
    assert stick.read_bytes() == before


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "loop.img"
    file.write_bytes(bytes(100 * MIB))
    argv = ["losetup", "-f", "--show", str(file)]
    try:
        device = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no loop devices here")
    yield Path(device)
    subprocess.run(["losetup", "-d", device], check=True)


def test_a_disk_that_is_not_on_usb_is_left_alone(
    config: Path, loop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(config, "stick", loop, "--erase", "") == DriveFaultError.exit_code
    assert "no removable USB stick" in capsys.readouterr().err
    assert not any(loop.read_bytes()[:MIB])
