"""Which of several drives makes a medium: one that can begin by itself, with what is in it now.

What a medium takes is what its drive reports of it; the configured size of the blanks in stock
counts only where nothing is in. That the medium is a disc or a stick, the person has chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

RESERVE_BLOCKS = 182  # padding and rounding, as `burner.drive` has it


@dataclass(frozen=True, slots=True)
class DriveNow:
    """A drive as it stands.

    Attributes:
        is_free: Nobody's medium is in it.
        is_well: It answers.
        has_stock: Blanks are left for it, or nobody counts them.
        planned_blocks: Image on the largest blank in stock for it; None if that is not known.
        free_blocks: On the blank or stick that is in it; None if there is none that can be written,
            or the drive was not looked into; 0 if it does not tell.
    """

    name: str
    is_free: bool = True
    is_well: bool = True
    has_stock: bool = True
    planned_blocks: int | None = None
    free_blocks: int | None = None


def choose_drive(drives: Sequence[DriveNow], image_blocks: int, seed: int) -> str:
    """The best drive's name; of equally good ones by `seed`, so that none is everybody's first.

    In this order: it answers; what is in it or in stock for it is large enough; there is a blank;
    it is nobody's; it needs no person; a smaller medium before a larger one, so that no BD goes for
    what a CD holds.

    Args:
        drives: At least one.
        image_blocks: Of 2048 bytes.
    """
    ranks = {it.name: _rank(it, image_blocks) for it in drives}
    best = min(ranks.values())
    names = sorted(name for name, rank in ranks.items() if rank == best)
    return names[seed % len(names)]


def _rank(drive: DriveNow, image_blocks: int) -> tuple[bool, bool, bool, bool, bool, int]:
    """Less is better."""
    needed = image_blocks + RESERVE_BLOCKS
    is_loaded = bool(drive.free_blocks) and (drive.free_blocks or 0) >= needed
    is_planned = drive.planned_blocks is None or drive.planned_blocks >= image_blocks
    can_hold = is_loaded or is_planned
    size = (drive.free_blocks or 0) if is_loaded else (drive.planned_blocks or 0)
    return (
        not drive.is_well,
        not can_hold,
        not (is_loaded or drive.has_stock),
        not drive.is_free,
        not is_loaded,
        size,
    )
