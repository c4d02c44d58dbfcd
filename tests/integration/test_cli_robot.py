"""burn and doctor with a simulated robot, its service in a thread or process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from burner.robots.simulated import RobotFaults, SimulatedRobot
from burner.robots.simulated_epson import SimulatedEpson
from burner.robots.simulated_primera import SimulatedPrimera
from kiosk import bootstrap, bootstrap_robots, config_file
from kiosk.cli import doctor
from kiosk.cli import main as cli
from kiosk.domain.model import Wanted
from kiosk.errors import DriveFaultError, MediumSpoiledError, MediumWantedError
from kiosk.ports import StagingWriter
from kiosk.services.diagnose import Doubt
from tests.fakes.media import make_image

pytestmark = pytest.mark.integration


@pytest.fixture(params=["primera", "epson"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "sendhome.toml"
    path.write_text(
        f'[store]\nstate_dir = "{tmp_path / "state"}"\n'
        f'[[drives]]\nname = "robot1"\nkind = "simulated-{request.param}"\ncapacity = "cd"\n'
        f'device = "{tmp_path / "robot"}"\n[drives.robot]\ndisc = "cd"\npoll_s = 0.2\n'
        "heartbeat_s = 5\n"
    )
    return path


@pytest.fixture
def robot(config: Path) -> SimulatedRobot:
    """As the program gets at it, which is how the demo does."""
    return bootstrap_robots.simulated(config_file.load(config).drive("robot1"))


def run(config: Path, *words: object) -> int:
    return cli.main(["--config", str(config), *map(str, words)])


def test_burn(
    config: Path, robot: SimulatedRobot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = make_image(tmp_path / "image.iso", "PDI_ABCDEFG", blocks=300)
    words = ("burn", image.path, "--drive", "robot1")
    assert run(config, *words) == MediumWantedError.exit_code
    bootstrap.demo_hand(config_file.load(config))(Wanted.BLANK_DISC)
    assert robot.look().discs == 10
    robot.set_faults(RobotFaults(rejects=1))
    assert run(config, *words, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {
        "kind": "CD-R", "sha256": image.sha256, "image_bytes": image.size_bytes,
        "read_back": False, "rejected": 1,
    }  # fmt: skip
    robot.set_faults(RobotFaults(rejects=3))
    assert run(config, *words) == MediumSpoiledError.exit_code
    (disc,) = robot.discs_out()
    assert disc.read_bytes() == image.path.read_bytes()
    robot.stop()


def test_doctor(config: Path, robot: SimulatedRobot) -> None:
    loaded = config_file.load(config)
    probe = doctor._others(loaded)["drive robot1"]
    assert isinstance(probe(), Doubt)
    robot.fill(4)
    while isinstance(found := probe(), Doubt):
        """Until the service has written it."""
    assert isinstance(found, str)
    assert "4 CD-R" in found
    robot.stop()


def test_doctor_of_a_share_that_is_not_there(tmp_path: Path) -> None:
    text = (
        '[[drives]]\nname = "r"\nkind = "primera"\ncapacity = "cd"\n'
        f'device = "{tmp_path / "share"}"\n'
        "[drives.robot]\nseen_as = 'C:\\PTBurnJobs'\nheartbeat_s = 5\npoll_s = 0.2\n"
        'disc = "cd"\n'
    )
    loaded = config_file.parse(f'[store]\nstate_dir = "{tmp_path / "state"}"\n{text}')
    probe = doctor._others(loaded)["drive r"]
    with pytest.raises(DriveFaultError, match="No such file"):
        probe()
    (tmp_path / "share").mkdir()
    with pytest.raises(DriveFaultError, match="no status file"):
        probe()
    assert isinstance(bootstrap_robots.writer(loaded, loaded.drive("r")), StagingWriter)


def test_a_service_of_another_process(config: Path, tmp_path: Path) -> None:
    """One is enough: the command's own steps back."""
    image = make_image(tmp_path / "image.iso", "PDI_ABCDEFG")
    maker = SimulatedPrimera if "primera" in config.read_text() else SimulatedEpson
    with maker(tmp_path / "robot", tick_s=0.02) as robot:
        robot.fill(2)
        command = ["--config", config, "burn", image.path, "--drive", "robot1"]
        done = subprocess.run(
            [sys.executable, "-P", "-m", "kiosk.cli.main", *command],
            cwd=Path(__file__).parents[2],
            env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    assert "compared by the robot itself" in done.stdout
    assert len(robot.discs_out()) == 1
