"""How a robot is to make discs, and what it made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KINDS: Final = {
    "cd": "CD-R",
    "dvd": "DVD-R",
    "dvd-dl": "DVD-R DL",
    "bd": "BD-R",
    "bd-dl": "BD-R DL",
}


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """
    Attributes:
        client: What our jobs' names begin with: 1 to 12 letters, digits, "-" and "_". Stations that
            share a robot have different ones.
        disc: What is in the bins, a key of `KINDS`.
        capacity_blocks: Of such a disc, in blocks of 2048 bytes; no robot tells.
        speed: Multiples of 1x, 0 for the robot's own choice.
        is_kiosk: Whether discs are meant to come out at the front; None: not looked at.
    """

    client: str
    disc: str
    capacity_blocks: int
    speed: int = 0
    is_kiosk: bool | None = None


@dataclass(frozen=True, slots=True)
class RobotDisc:
    """A disc that the robot says is good, of an image that we say is.

    Attributes:
        rejected: Discs that the robot threw out before it.
    """

    kind: str
    sha256: str
    image_bytes: int
    rejected: int
