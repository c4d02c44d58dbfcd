"""What can be configured of a disc robot: the table [drives.robot] of a drive."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kiosk.config_option import between, file_or_nothing, one_of, option, plain

ROBOTS: Final = ("primera", "epson")
SIMULATED_ROBOTS: Final = ("simulated-primera", "simulated-epson")
PRIMERA_DISCS: Final = ("cd", "dvd")
"""What a PTBurn job file can name."""


def _client(value: str) -> str | None:
    is_fine = re.fullmatch(r"[A-Za-z0-9_-]{1,12}", value)
    return None if is_fine else "must be 1 to 12 letters, digits, - and _"


def _name(value: str) -> str | None:
    if len(value) > 64 or value != value.strip():
        return "must be at most 64 characters, without blanks around"
    return plain(value)


def _field(value: str) -> str | None:
    return "must not have a = in it" if "=" in value else _name(value)


@dataclass(frozen=True, slots=True)
class RobotConfig:
    """A disc robot behind its maker's folder service. Only for drives of such a kind."""

    seen_as: str = option(
        "",
        "the drive's folder as the robot's PC names it, such as C:\\PTBurnJobs or"
        " \\\\host\\share\\folder",
        plain,
    )
    images: str = option(
        "",
        "local folder for images and labels that the robot's PC reaches too; empty: the folder"
        " sendhome in the drive's own",
        file_or_nothing,
    )
    images_seen_as: str = option(
        "", "that folder as the robot's PC names it; needed with images", plain
    )
    name: str = option("", "the robot's name at its service; empty: there is only one", _name)
    client: str = option(
        "SENDHOME", "what our jobs begin with; stations that share a robot differ in it", _client
    )
    disc: str = option(
        "dvd",
        "what is in its bins; the drive's capacity must not be more",
        one_of("cd", "dvd", "dvd-dl", "bd", "bd-dl"),
    )
    input_bin: int = option(
        -1,
        "Primera: 1 the left or 2 the right bin, put out at the front; 0 from right to left;"
        " -1: not told",
        between(-1, 2),
    )
    output_bin: int = option(
        0, "Epson: output stacker 2, 3 or 4; 0: as the robot is set", between(0, 4)
    )
    kiosk_mode: str = option(
        "any",
        "Primera: whether discs are meant to come out at the front (on, off); otherwise nothing is"
        " made",
        one_of("any", "on", "off"),
    )
    unicode: bool = option(False, "Primera: the service is the Unicode build")
    design: str = option(
        "", "Epson: label design (.tdd) on the robot's PC that our label is put into", plain
    )
    design_field: str = option(
        "", "Epson: name of the picture in that design that our label replaces", _field
    )
    heartbeat_s: float = option(
        30.0, "seconds without a sign of life after which the robot is at fault", between(5, 600)
    )
    help_s: float = option(
        120.0,
        "seconds that it may wait for a person with a disc of ours before staff are told",
        between(5, 3600),
    )
    poll_s: float = option(2.0, "seconds between looks at its folder", between(0.2, 60))


_WINDOWS_FOLDER = re.compile(r"(?:[A-Za-z]:\\|\\\\[^\\/]+\\[^\\/]+)[^/]*")
_NOT_WINDOWS: Final = "must be a Windows folder such as C:\\Jobs or \\\\host\\share\\folder"
DISC_BLOCKS: Final = {
    "cd": 360_000,
    "dvd": 2_298_496,
    "dvd-dl": 4_173_824,
    "bd": 12_219_392,
    "bd-dl": 24_438_784,
}
"""Of 2048 bytes, on the largest disc of its kind."""


def complain(kind: str, device: str, blocks: int, robot: RobotConfig) -> str | None:
    """What is wrong with a robot's table as a whole, beginning with the key; None if nothing.

    Args:
        blocks: Of 2048 bytes, what images for this drive may take.
    """
    if kind not in (*ROBOTS, *SIMULATED_ROBOTS):
        return None if robot == RobotConfig() else "robot: only for kind primera or epson"
    if not Path(device).is_absolute():
        return "device: must be the absolute path of the robot's job folder"
    maker = kind.rpartition("-")[2]
    if maker == "primera" and robot.disc not in PRIMERA_DISCS:
        return f"robot.disc: must be one of {', '.join(PRIMERA_DISCS)} for a Primera"
    if maker == "epson" and robot.output_bin == 1:
        return "robot.output_bin: must be 0, 2, 3 or 4"
    if blocks > DISC_BLOCKS[robot.disc]:
        return f"capacity: more than a {robot.disc} of the robot's bins holds"
    if bool(robot.design) != bool(robot.design_field):
        return "robot.design: design and design_field belong together"
    if kind in SIMULATED_ROBOTS:
        return None
    if not _WINDOWS_FOLDER.fullmatch(robot.seen_as):
        return f"robot.seen_as: {_NOT_WINDOWS}"
    if bool(robot.images) != bool(robot.images_seen_as):
        return "robot.images: images and images_seen_as belong together"
    if robot.images and not _WINDOWS_FOLDER.fullmatch(robot.images_seen_as):
        return f"robot.images_seen_as: {_NOT_WINDOWS}"
    return None
