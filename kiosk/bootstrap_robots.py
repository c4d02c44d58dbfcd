"""Disc robots out of the configuration. A robot of another maker is plugged in here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from burner.errors import EngineError
from burner.robots.epson import EpsonRobot, EpsonSettings
from burner.robots.follow import Patience
from burner.robots.primera import PrimeraRobot, PrimeraSettings
from burner.robots.recorder import RecorderSettings, RobotRecorder
from burner.robots.robot import Robot
from burner.robots.shares import SharedFolder
from burner.robots.simulated import SEEN_AS, SimulatedRobot
from burner.robots.simulated_epson import SimulatedEpson
from burner.robots.simulated_primera import SimulatedPrimera
from burner.robots.staging import Staging
from kiosk.adapters.robots import FindLabel, RobotWriter
from kiosk.config import RESERVE_BLOCKS, Config, DriveConfig
from kiosk.config_robot import SIMULATED_ROBOTS
from kiosk.domain.model import Wanted
from kiosk.errors import ConfigError

IMAGES = "sendhome"
"""The folder for images and labels in a robot's own, if no other is configured."""

FEW_DISCS = 10

_simulated: dict[Path, SimulatedRobot] = {}
_lock = threading.Lock()


def writer(
    config: Config, drive: DriveConfig, *, find_label: FindLabel | None = None
) -> RobotWriter:
    """The robot of that configuration.

    Args:
        find_label: Where an image's label is, None for beside it.
    Raises:
        ConfigError: A folder of it is none.
    """
    is_simulated = drive.kind in SIMULATED_ROBOTS
    if is_simulated:
        simulated(drive)
    images = _images(drive)
    settings = RecorderSettings(
        client=drive.robot.client,
        disc=drive.robot.disc,
        capacity_blocks=drive.capacity_blocks + RESERVE_BLOCKS,
        speed=drive.speed,
        is_kiosk={"on": True, "off": False}.get(drive.robot.kiosk_mode),
    )
    recorder = RobotRecorder(
        _robot(drive, images),
        Staging(images.local),
        config.store.state_dir / "robots" / f"{drive.name}.json",
        settings,
        Patience(
            heartbeat_s=drive.robot.heartbeat_s,
            help_s=drive.robot.help_s,
            poll_s=drive.robot.poll_s,
        ),
    )

    def begin() -> None:
        if is_simulated:
            serve(drive)

    return RobotWriter(recorder, name=drive.name, find_label=find_label, begin=begin)


def _robot(drive: DriveConfig, images: SharedFolder) -> Robot:
    robot, folder = drive.robot, Path(drive.device)
    if drive.kind.endswith("primera"):
        primera = PrimeraSettings(
            name=robot.name,
            client=robot.client,
            disc=robot.disc,
            bin=None if robot.input_bin < 0 else robot.input_bin,
            is_unicode=robot.unicode,
        )
        return PrimeraRobot(folder, images, primera)
    epson = EpsonSettings(
        name=robot.name,
        disc=robot.disc,
        output_bin=robot.output_bin or None,
        design=robot.design,
        field=robot.design_field,
    )
    return EpsonRobot(folder, images, epson)


def _images(drive: DriveConfig) -> SharedFolder:
    robot = drive.robot
    seen_as = robot.seen_as if drive.kind not in SIMULATED_ROBOTS else SEEN_AS
    try:
        if robot.images:
            key, folder = "images_seen_as", SharedFolder(Path(robot.images), robot.images_seen_as)
        else:
            key = "seen_as"
            own = Path(drive.device) / IMAGES
            folder = SharedFolder(own, seen_as.rstrip("\\") + "\\" + IMAGES)
    except EngineError as error:
        raise ConfigError(f"drives.robot.{key}: {drive.name}: {error}") from error
    return folder


def simulated(drive: DriveConfig) -> SimulatedRobot:
    """The robot made of files, with the hand in front of it; its service is not running yet.

    The same one each time in one process. Discs are put in by `fill`, faults by `set_faults`.
    """
    folder = Path(drive.device).absolute()
    with _lock:
        if folder not in _simulated:
            kind = SimulatedPrimera if drive.kind.endswith("primera") else SimulatedEpson
            _simulated[folder] = kind(folder)
            (folder / IMAGES).mkdir(exist_ok=True)
        return _simulated[folder]


def serve(drive: DriveConfig) -> SimulatedRobot:
    """The same, with its service in a thread of this process, unless another's runs already."""
    robot = simulated(drive)
    with _lock:
        robot.start()
    return robot


def demo_hand(config: Config) -> Callable[[Wanted], None]:
    """Somebody who fills a simulated robot and mends what keeps it from working. Staff also reject
    a disc of which the robot never told whether it is good.

    Raises:
        ConfigError: None of the station's drives is simulated.
    """
    drive = next((it for it in config.drives if it.kind in SIMULATED_ROBOTS), None)
    if drive is None:
        raise ConfigError("drives: none of them is simulated")

    def do(wanted: Wanted) -> None:
        robot = simulated(drive)
        if wanted in (Wanted.BLANK_DISC, Wanted.OTHER_DISC, Wanted.LARGER_MEDIUM, Wanted.STAFF):
            robot.set_faults(replace(robot.look().faults, condition="", is_silent=False))
            if wanted is Wanted.STAFF:
                robot.reject_unaccounted()
            if robot.look().discs < FEW_DISCS:
                robot.fill(FEW_DISCS)

    return do
