"""`sendhome burn` told to stop: the recorder comes to rest first, and the command says so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from burner.simulated import DiscStatus, Faults, SimulatedDrive
from burner.verify import CHUNK_BYTES
from kiosk import bootstrap, config_file
from kiosk.errors import MediumSpoiledError
from kiosk.ports import LedgerPhase
from kiosk.services.by_hand import BY_HAND
from tests.fakes.media import make_image

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.integration

CONFIG = """
[store]
state_dir = "{folder}/state"
spool_dir = "{folder}/spool"
[[drives]]
name = "disc1"
kind = "simulated"
device = "{folder}/drive"
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_no_recorder_is_left_behind(tmp_path: Path, number: signal.Signals) -> None:
    drive = SimulatedDrive(tmp_path / "drive", name="disc1")
    drive.add_blanks(1)
    drive.insert()
    drive.set_faults(Faults(speed=1))
    image = make_image(tmp_path / "image.iso", "SH00000001", blocks=2000)
    config = tmp_path / "sendhome.toml"
    config.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    # Whoever runs tests in the background has ignored some of these signals for all children.
    command = ["env", "--default-signal=INT,TERM,HUP", sys.executable, "-m", "kiosk.cli.main"]
    command += ["--config", str(config)]
    burn = subprocess.Popen(
        [*command, "burn", image.path, "--drive", "disc1", "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )
    while not drive._writer_lock.is_held() or not begun(drive):
        assert burn.poll() is None, burn.communicate()
        time.sleep(0.01)
    burn.send_signal(number)
    out, _err = burn.communicate(timeout=120)
    assert burn.returncode == MediumSpoiledError.exit_code
    assert json.loads(out)["error"]["code"] == MediumSpoiledError.code
    assert not drive._writer_lock.is_held()  # the recorder has let go
    (disc,) = drive.look().discs
    assert disc.status is DiscStatus.SPOILED


def begun(drive: SimulatedDrive) -> bool:
    """Whether something is on the disc."""
    disc = drive.look().in_tray
    path = None if disc is None else drive.file_of(disc.name)
    return path is not None and path.exists() and path.stat().st_size > 0


# The wish comes when the disc is written and its first block is read back.
SIGNALLED = """
import os, signal, sys
from burner.simulated import SimulatedDrive
from kiosk.cli import main
real = SimulatedDrive.open_reader
def open_reader(self):
    os.kill(os.getpid(), getattr(signal, sys.argv[1]))
    return real(self)
SimulatedDrive.open_reader = open_reader
sys.exit(main.main(sys.argv[2:]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopped_while_it_reads_back_the_disc_is_on_record(
    tmp_path: Path, number: signal.Signals
) -> None:
    drive = SimulatedDrive(tmp_path / "drive", name="disc1")
    drive.insert_blank()
    image = make_image(tmp_path / "image.iso", "SH00000001", blocks=4 * CHUNK_BYTES // 2048)
    config = tmp_path / "sendhome.toml"
    config.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    with bootstrap.journal(config_file.load(config)) as journal:
        assert journal.ledger.owner("disc1") is None
    command = ["env", "--default-signal=INT,TERM,HUP", sys.executable, "-c", SIGNALLED]
    command += [number.name, "--config", str(config)]
    burn = subprocess.run(
        [*command, "burn", image.path, "--drive", "disc1", "--json"],
        cwd=ROOT,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        timeout=120,
        check=False,
    )
    assert burn.returncode == MediumSpoiledError.exit_code, burn.stderr
    assert json.loads(burn.stdout)["error"]["code"] == MediumSpoiledError.code
    assert not drive.look().is_open
    with bootstrap.journal(config_file.load(config)) as journal:
        row = journal.ledger.owner("disc1")
    assert row is not None
    assert (row.job_id, row.phase) == (BY_HAND, LedgerPhase.SCRAP)
