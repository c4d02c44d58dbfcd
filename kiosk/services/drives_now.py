"""The drives of a station as they stand, for the choice of one."""

from __future__ import annotations

import logging

from kiosk.domain.drive_choice import DriveNow
from kiosk.domain.model import Medium
from kiosk.errors import MediumError
from kiosk.ports import MediaWriter, StagingWriter
from kiosk.services.parts import EngineParts

log = logging.getLogger(__name__)


def drives_now(parts: EngineParts, medium: Medium) -> list[DriveNow]:
    """All that write this medium. Those that are nobody's are looked into, if there is a choice; a
    drive in which somebody's medium lies is left alone.
    """
    writers = parts.drives[medium]
    empty = {it.drive for it in parts.stock.counts() if it.in_stock == 0}
    found = []
    for writer in writers:
        is_free = parts.ledger.owner(writer.name) is None
        is_well, free_blocks = True, None
        if len(writers) > 1 and is_free:
            is_well, free_blocks = _look(writer)
        found.append(
            DriveNow(
                writer.name,
                is_free=is_free,
                is_well=is_well,
                has_stock=writer.name not in empty,
                planned_blocks=parts.planned_blocks.get(writer.name),
                free_blocks=free_blocks,
            )
        )
    return found


def _look(writer: MediaWriter) -> tuple[bool, int | None]:
    """Whether it answers, and what is free on what is in it. No robot tells what its bins hold."""
    if isinstance(writer, StagingWriter):
        return True, None
    try:
        loaded = writer.inspect()
    except MediumError as error:
        log.warning("%s cannot be looked into: %s", writer.name, error.code)
        return False, None
    return True, loaded.capacity_blocks if loaded.wanted is None else None
