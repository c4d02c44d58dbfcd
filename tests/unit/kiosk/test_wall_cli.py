"""`sendhome wall --plain` and `--json` on a journal in a file."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from kiosk import bootstrap, config_file
from kiosk.cli.main import main
from kiosk.domain.model import HandOver, MediaChoice, Medium, Priority, Wanted
from tests.fakes.orders import an_order
from tests.ui.terminal import Terminal

ROOT = Path(__file__).parents[3]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Two visits of a kiosk, one asked for a disc, and a job of staff's."""
    file = tmp_path / "sendhome.toml"
    file.write_text(
        f'[store]\nstate_dir = "{tmp_path / "state"}"\nspool_dir = "{tmp_path / "spool"}"\n'
        '[[drives]]\nname = "left"\ndevice = "/dev/sr0"\n'
    )
    loaded = config_file.load(file)
    with bootstrap.journal(loaded) as journal, bootstrap.jobs(journal) as jobs:
        ways = (HandOver.ON_CLAIM, HandOver.ON_CLAIM, HandOver.AT_ONCE)
        for number, way in enumerate(ways, 1):
            order = an_order(number)
            journal.orders.add(order, actor="test")
            choice = MediaChoice(Medium.DISC, hand_over=way)
            jobs.submit_all([order.order_id], choice, Priority.WAITING_PATIENT, actor="test")
        journal.questions.ask(an_order(2).order_id, Wanted.BLANK_DISC)
    return file


def test_a_line_a_number(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--config", str(config), "wall"]
    assert main([*command, "--plain"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "101    ▶ Please come to the kiosk",
        "100    Your turn comes next",
    ]
    assert main([*command, "--plain", "--language", "de"]) == 0
    said = capsys.readouterr().out
    assert "Bitte kommen Sie zum Gerät" in said
    assert "GARCIA" not in said.upper()
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"number": 101, "call": "kiosk", "step": ""},
        {"number": 100, "call": "wait", "step": ""},
    ]


def test_it_owns_a_terminal_until_it_is_told_to_stop(config: Path) -> None:
    """The process as it is started, with its parent; no key ends it, SIGTERM leaves nothing."""
    with bootstrap.existing_journal(config_file.load(config)) as journal:
        journal.stations.start(journal.station)  # an engine beats
    command = [sys.executable, "-P", "-m", "kiosk.cli.main", "--config", str(config), "wall"]
    with Terminal(command, cwd=ROOT) as terminal:
        terminal.until("101    ▶ Please come to the kiosk")
        assert "100    Your turn comes next" in terminal.text()
        assert "GARCIA" not in terminal.text().upper()
        terminal.send(b"\x03\x11q\r\x1b")
        terminal.read_for(0.5)
        assert terminal.is_alive
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait() == 0
        assert "100" not in terminal.text()


def test_without_a_terminal_it_says_what_to_do(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(config), "wall"]) != 0
    assert "sendhome wall --plain" in capsys.readouterr().err
