"""Which blocks of a disc can be read, after its read-back failed: the engine's `-check_media`.

Only then. A read-back that went well has read and compared every block of the image, so it says all
that a second full read could; a failed one says where it stopped, not what is wrong. The survey
begins there, reads by SCSI past the system's caches, and ends after `LIMIT_S`: somebody waits for
the next disc. It judges nothing: the disc is scrap whatever it says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from burner import messages
from burner.messages import Event

LIMIT_S = 60  # a drive may gnaw at each scratched block for seconds
MAX_REGIONS = 200  # after which the engine stops
_NAMED = 5  # regions in one line of a log


@dataclass(frozen=True, slots=True)
class Region:
    """A run of blocks of the same quality, in the engine's words: good, slow, partial, unreadable …

    Attributes:
        is_readable: None where nobody looked.
    """

    first_block: int
    blocks: int
    quality: str
    is_readable: bool | None

    def __str__(self) -> str:
        last = self.first_block + self.blocks - 1
        return f"{self.first_block}-{last} {self.quality}"


@dataclass(frozen=True, slots=True)
class Survey:
    """Regions in order, within what was asked for."""

    regions: tuple[Region, ...]

    @property
    def unreadable_blocks(self) -> int:
        return sum(it.blocks for it in self.regions if it.is_readable is False)

    @property
    def untested_blocks(self) -> int:
        return sum(it.blocks for it in self.regions if it.is_readable is None)

    @property
    def text(self) -> str:
        """One line for the service log."""
        if not self.regions:
            return "no block was looked at"
        total = sum(it.blocks for it in self.regions)
        words = [f"{self.unreadable_blocks} of {total} blocks cannot be read"]
        if self.untested_blocks:
            words.append(f"{self.untested_blocks} not looked at")
        odd = [it for it in self.regions if it.is_readable is not None and it.quality != "good"]
        if odd:
            more = f", and {len(odd) - _NAMED} more" if len(odd) > _NAMED else ""
            words.append("blocks " + ", ".join(map(str, odd[:_NAMED])) + more)
        elif not self.unreadable_blocks and not self.untested_blocks:
            words.append("the drive gives other bytes and reports no error")
        return "; ".join(words)


def read_survey(events: Iterable[Event], first_block: int, end_block: int) -> Survey:
    """What the engine said of the blocks from `first_block` to before `end_block`."""
    regions = []
    for event in events:
        if not isinstance(event, messages.RegionSeen):
            continue
        start = max(event.start_block, first_block)
        end = min(event.start_block + event.blocks, end_block)
        if start < end:
            regions.append(Region(start, end - start, event.quality, event.is_readable))
    return Survey(tuple(regions))
