"""What a study of some size needs: how large its discs are planned, and what else would hold it.

Planning comes before a drive is chosen: an image that is smaller than the largest disc in stock
goes to the drive of the smallest that holds it (`drive_choice`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from kiosk.domain.model import Medium


@dataclass(frozen=True, slots=True)
class DiscsOf:
    """The blanks of one drive.

    Attributes:
        image_blocks: What an image may take on the largest of them, of 2048 bytes.
        in_stock: How many are left; None if nobody counts them.
    """

    image_blocks: int
    in_stock: int | None = None


def disc_limit(drives: Sequence[DiscsOf], *, may_span: bool) -> int:
    """Blocks that one image may take; 0 without drives.

    The largest disc of which there is one makes the fewest of a set. What may be no set is measured
    against the largest of all: staff can put one in, while a study that is refused is refused.
    """
    if not may_span or all(it.in_stock == 0 for it in drives):
        return max((it.image_blocks for it in drives), default=0)
    return max(it.image_blocks for it in drives if it.in_stock != 0)


def blanks_short(drives: Sequence[DiscsOf], images: Sequence[int]) -> int:
    """How many blanks are wanting for the images of a set, by their blocks; 0 where nobody counts
    those of a drive that could make them.
    """
    able = [it for it in drives if it.image_blocks >= max(images, default=0)]
    if not able or any(it.in_stock is None for it in able):
        return 0
    return max(0, len(images) - sum(it.in_stock or 0 for it in able))


def empty_media(
    drives: Mapping[Medium, Collection[str]], in_stock: Mapping[str, int | None]
) -> frozenset[Medium]:
    """What the site has none left of: nobody should choose it where there is something else.

    Args:
        drives: Names of the drives by what they write.
        in_stock: Blanks left by drive; None, or no entry, where nobody counts them.
    Returns:
        Never all of `drives`: then staff must fill up, whatever is chosen. Never what visitors
        bring.
    """
    found = {
        medium
        for medium, names in drives.items()
        if medium is not Medium.STICK and names and all(in_stock.get(it) == 0 for it in names)
    }
    return frozenset() if found == drives.keys() else frozenset(found)


def other_medium(chosen: Medium, offered: Collection[Medium]) -> Medium | None:
    """What may hold a study that the chosen medium does not, at this station.

    Of a stick nobody knows the size before it is there. Nothing holds what does not fit on a stick
    for another reason: a file of 4 GiB is too large for discs as well (PS3.12 Annexes F and R).
    """
    return Medium.STICK if chosen is Medium.DISC and Medium.STICK in offered else None
