"""The units are what systemd understands, and stay as narrow as they were measured to work."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from kiosk.cli.kiosk import SERVE_PORT

FOLDER = Path(__file__).parents[2] / "systemd"
UNITS = sorted(path.name for path in FOLDER.glob("*.service"))
MOST_EXPOSURE = dict.fromkeys(UNITS, 17)  # tenths, of 100: `systemd-analyze security`
MOST_EXPOSURE["sendhome-touch@.service"] = 43  # a browser's sandbox needs more


def analyze(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *args], capture_output=True, text=True, timeout=60, check=False
    )


def test_each_process_of_a_station_has_its_unit() -> None:
    assert UNITS == [
        "sendhome-engine.service",
        "sendhome-kiosk@.service",
        "sendhome-page.service",
        "sendhome-touch@.service",
        "sendhome-wall@.service",
    ]


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_understands_every_line(unit: str, tmp_path: Path) -> None:
    program = tmp_path / "sendhome"
    program.touch(mode=0o755)
    for each in UNITS:  # one may want another
        text = (FOLDER / each).read_text()
        for needed in ("/opt/sendhome/bin/sendhome", "/usr/bin/cage"):
            text = text.replace(needed, str(program))
        (tmp_path / each.replace("@", "@tty1")).write_text(text)
    copy = tmp_path / unit.replace("@", "@tty1")
    text = copy.read_text()
    result = analyze("verify", "--man=no", str(copy))
    complaints = [line for line in result.stderr.splitlines() if "sendhome" in line]
    assert complaints == []
    copy.write_text(text + "\n[Service]\nNoSuchDirective=1\n")
    assert "NoSuchDirective" in analyze("verify", "--man=no", str(copy)).stderr


@pytest.mark.parametrize("unit", UNITS)
def test_little_is_left_to_a_process_that_was_taken_over(unit: str) -> None:
    result = analyze(
        "security", "--offline=true", f"--threshold={MOST_EXPOSURE[unit]}", "--no-pager",
        str(FOLDER / unit),
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-300:]


@pytest.mark.parametrize("unit", UNITS)
def test_a_station_is_started_again_for_ever(unit: str) -> None:
    lines = (FOLDER / unit).read_text().splitlines()
    assert "Restart=always" in lines
    assert "StartLimitIntervalSec=0" in lines


def test_the_browser_is_kept_at_the_page() -> None:
    """The unit opens the port that is served, and the policy allows no other address."""
    unit = (FOLDER / "sendhome-touch@.service").read_text()
    policy = json.loads((FOLDER / "sendhome-touch.json").read_text())
    address = f"http://127.0.0.1:{SERVE_PORT}"
    assert f"{address}/\n" in unit
    assert policy["URLBlocklist"] == ["*"]
    assert policy["URLAllowlist"] == [address]
    lines = unit.splitlines()
    assert "User=sendhome-touch" in lines
    assert "u sendhome-touch " in (FOLDER / "sendhome.sysusers").read_text()


_IN_A_FOLDER_OF_ITS_OWN = """
mount -t tmpfs none /etc/udev/rules.d && mount -t tmpfs none /run || exit 77
cp "$0"/*.rules /etc/udev/rules.d/
echo 'ATTRS{bad=="x"' > /etc/udev/rules.d/71-bad.rules
udevadm test /sys/class/mem/null 2>&1
"""


def test_udev_understands_its_rules() -> None:
    if shutil.which("udevadm") is None or not Path("/etc/udev/rules.d").is_dir():
        pytest.skip("no udev here")
    argv = ["unshare", "-rm", "sh", "-c", _IN_A_FOLDER_OF_ITS_OWN, str(FOLDER)]
    said = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    if "71-bad.rules:1" not in said.stdout:
        pytest.skip("no namespaces of one's own here")
    assert "Reading rules file: /etc/udev/rules.d/70-sendhome.rules" in said.stdout
    assert "70-sendhome.rules:" not in said.stdout
