"""What a simulated drive remembers: its discs, where they are, what shall go wrong; as JSON and
back.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

CAPACITY_BLOCKS = {  # as blank media of these kinds report it
    "CD-R": 359_844,  # 80 minutes
    "CD-RW": 359_844,
    "DVD-R": 2_298_496,
    "DVD+R": 2_295_104,
    "BD-R": 12_219_392,
}
STATE_VERSION = 1


class DiscStatus(StrEnum):
    BLANK = "blank"
    WRITING = "writing"  # or interrupted, if nobody holds the writer's lock
    WRITTEN = "written"
    SPOILED = "spoiled"


class Place(StrEnum):
    STACK = "stack"
    TRAY = "tray"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class SimulatedDisc:
    """One disc.

    Attributes:
        name: Such as "disc-0001"; also its file's name without ".iso".
        expected_bytes: Length of the file once image and padding are on it; 0 while blank.
    """

    name: str
    kind: str
    capacity_blocks: int
    status: DiscStatus = DiscStatus.BLANK
    place: Place = Place.STACK
    expected_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong next.

    Attributes:
        burns: How many burns `write_error_percent` and `flip_byte` still hit, -1 for all.
        write_error_percent: Writing fails when so much of the image is on the disc; None for never.
        flip_byte: Offset on the disc of a byte that comes out wrong; None for none.
        unreadable_block: Reading this block of any disc fails; None for none.
        speed: Multiples of CD 1x (about 1.2 MB/s here), 0 for as fast as it goes.
        is_gone: The drive does not answer: unplugged.
        is_jammed: The tray does not open.
    """

    burns: int = 1
    write_error_percent: int | None = None
    flip_byte: int | None = None
    unreadable_block: int | None = None
    speed: int = 0
    is_gone: bool = False
    is_jammed: bool = False


@dataclass(frozen=True, slots=True)
class DriveFacts:
    """The whole of drive.json."""

    is_open: bool = False
    discs: tuple[SimulatedDisc, ...] = ()
    faults: Faults = field(default_factory=Faults)

    @property
    def in_tray(self) -> SimulatedDisc | None:
        return next((disc for disc in self.discs if disc.place is Place.TRAY), None)

    @property
    def stack(self) -> tuple[SimulatedDisc, ...]:
        return tuple(disc for disc in self.discs if disc.place is Place.STACK)

    def with_disc(self, disc: SimulatedDisc) -> DriveFacts:
        """`disc` instead of the one of its name, or added."""
        others = tuple(d for d in self.discs if d.name != disc.name)
        return replace(self, discs=tuple(sorted((*others, disc), key=lambda d: d.name)))


def encode(facts: DriveFacts) -> bytes:
    return json.dumps({"version": STATE_VERSION, **asdict(facts)}, indent=1).encode()


def decode(data: bytes) -> DriveFacts:
    """Raises ValueError, KeyError or TypeError on anything but what `encode` wrote."""
    raw: dict[str, Any] = json.loads(data)
    if raw.pop("version") != STATE_VERSION:
        raise ValueError("another version")
    discs = tuple(
        SimulatedDisc(
            **{**disc, "status": DiscStatus(disc["status"]), "place": Place(disc["place"])}
        )
        for disc in raw["discs"]
    )
    return DriveFacts(raw["is_open"], discs, Faults(**raw["faults"]))
