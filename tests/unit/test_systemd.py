"""The units are what systemd understands, and stay as narrow as they were measured to work."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "systemd"
UNITS = sorted(path.name for path in FOLDER.glob("*.service"))
MOST_EXPOSURE = 17  # tenths, of 100: `systemd-analyze security`


def analyze(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *args], capture_output=True, text=True, timeout=60, check=False
    )


def test_each_process_of_a_station_has_its_unit() -> None:
    assert UNITS == ["sendhome-engine.service", "sendhome-kiosk@.service"]


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_understands_every_line(unit: str, tmp_path: Path) -> None:
    program = tmp_path / "sendhome"
    program.touch(mode=0o755)
    text = (FOLDER / unit).read_text().replace("/opt/sendhome/bin/sendhome", str(program))
    copy = tmp_path / unit.replace("@", "@tty1")
    copy.write_text(text)
    result = analyze("verify", "--man=no", str(copy))
    complaints = [line for line in result.stderr.splitlines() if "sendhome" in line]
    assert complaints == []
    copy.write_text(text + "\n[Service]\nNoSuchDirective=1\n")
    assert "NoSuchDirective" in analyze("verify", "--man=no", str(copy)).stderr


@pytest.mark.parametrize("unit", UNITS)
def test_little_is_left_to_a_process_that_was_taken_over(unit: str) -> None:
    result = analyze(
        "security", "--offline=true", f"--threshold={MOST_EXPOSURE}", "--no-pager",
        str(FOLDER / unit),
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-300:]


@pytest.mark.parametrize("unit", UNITS)
def test_a_station_is_started_again_for_ever(unit: str) -> None:
    lines = (FOLDER / unit).read_text().splitlines()
    assert "Restart=always" in lines
    assert "StartLimitIntervalSec=0" in lines
