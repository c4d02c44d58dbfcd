"""`sendhome stock` on a journal in a file, and what doctor says of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiosk import bootstrap, config_file
from kiosk.cli.doctor import _stock
from kiosk.cli.main import main
from kiosk.ports import DriveCounts
from kiosk.services.diagnose import Doubt


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "sendhome.toml"
    file.write_text(
        f'[store]\nstate_dir = "{tmp_path / "state"}"\nspool_dir = "{tmp_path / "spool"}"\n'
        '[[drives]]\nname = "left"\ndevice = "/dev/sr0"\n'
        '[[drives]]\nname = "right"\ndevice = "/dev/sr1"\n'
    )
    with bootstrap.journal(config_file.load(file)):
        return file


def test_blanks_are_counted_and_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--config", str(config), "stock"]
    assert main([*command, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["drive"], row["in_stock"]) for row in rows] == [("left", None), ("right", None)]
    assert main([*command, "right", "25"]) == 0
    said = capsys.readouterr().out
    assert "right  25" in said
    assert "left" not in said
    assert main([*command, "right", "uncounted", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["in_stock"] is None


@pytest.mark.parametrize("words", [["middle"], ["middle", "3"]])
def test_a_drive_that_nobody_configured(
    words: list[str], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(config), "stock", *words]) != 0
    assert "middle" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["some", "1.5", "100001", "9999999999", "\u0663"])
def test_what_is_no_number(number: str, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(config), "stock", "left", number]) == 64
    assert "config.invalid" not in capsys.readouterr().err


def test_doctor_warns_before_the_last_one_is_gone() -> None:
    plenty, few = DriveCounts("left", 5, 5, 0, 30, None), DriveCounts("right", 5, 4, 1, 2, None)
    gone = DriveCounts("sold", 1, 1, 0, 0, None)  # not configured any more
    assert _stock([], ["left"]) == "nobody counts the blanks"
    assert _stock([plenty, gone], ["left"]) == "blanks left, left: 30"
    low = _stock([plenty, few], ["left", "right"])
    assert isinstance(low, Doubt)
    assert low.text.startswith("blanks left, left: 30, right: 2: bring more")
    assert "sendhome stock right N" in low.text
