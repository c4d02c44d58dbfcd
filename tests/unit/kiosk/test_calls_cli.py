"""`sendhome calls` on a journal in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiosk import bootstrap, config_file
from kiosk.cli.main import main


def test_calls_are_listed_and_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "sendhome.toml"
    file.write_text(
        f'[store]\nstate_dir = "{tmp_path / "state"}"\nspool_dir = "{tmp_path / "spool"}"\n'
    )
    with bootstrap.journal(config_file.load(file)) as journal:
        journal.calls.call("lobby", "TicketScreen")
    command = ["--config", str(file), "calls"]
    assert main([*command, "list"]) == 0
    assert "TicketScreen" in capsys.readouterr().out
    assert main([*command, "answer", "1"]) == 0
    assert main([*command, "answer", "1"]) == 64
    assert "does not wait" in capsys.readouterr().err
    assert main([*command, "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert main([*command, "list", "--all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["answered_by"].startswith("staff:")
    with bootstrap.journal(config_file.load(file)) as journal:
        journal.calls.call("lobby", "TicketScreen")  # the newest is kept for its number
    assert main(["--config", str(file), "jobs", "purge"]) == 0  # not old enough
    assert main([*command, "list", "--all", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out.partition("\n")[2])) == 2
    assert main(["--config", str(file), "jobs", "purge", "--days", "0"]) == 0
    assert main([*command, "list", "--all", "--json"]) == 0
    (left,) = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert left["number"] == 2
