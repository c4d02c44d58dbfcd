"""The drive's own button, pressed while its door is locked: somebody wants what is in it.

Only the ledger knows whose that is. What is being made, checked or kept for its patient stays in,
and so does what was spoiled with his images on it; anything else comes out.
"""

from __future__ import annotations

import logging
from enum import Enum

from kiosk.errors import KioskError
from kiosk.ports import ButtonWriter, LedgerEntry, LedgerPhase, LoadedMedium
from kiosk.services.drawer import is_gone
from kiosk.services.parts import EngineParts

log = logging.getLogger(__name__)

_AT_WORK = (LedgerPhase.WRITING, LedgerPhase.CLOSED)


class ButtonAnswer(Enum):
    """What came of it."""

    OPENED = "opened"
    KEPT = "kept"  # a job's medium is in the drive
    FAILED = "failed"  # the drive is busy or does not open
    NO_BUTTON = "no_button"  # no drive for discs of this station


def answer_button(parts: EngineParts, drive: str) -> ButtonAnswer:
    """Open the drive, or leave it shut and tell staff why. May run beside the drive's burn."""
    writer = parts.writer(drive)
    if not isinstance(writer, ButtonWriter):
        return ButtonAnswer.NO_BUTTON
    try:
        entry = parts.ledger.owner(drive)
        if entry is not None and not _is_nobodys(parts, entry, writer):
            return _kept(entry)
        # A job's medium begins as a row, before its writing waits for the drive.
        if writer.open_if(lambda: parts.ledger.owner(drive) == entry):
            log.info("%s: opened by its button", drive)
            return ButtonAnswer.OPENED
        now = parts.ledger.owner(drive)
        return _kept(now) if now is not None else ButtonAnswer.FAILED
    except KioskError as error:
        log.warning("%s: its button was pressed in vain: %s: %s", drive, error.code, error)
        return ButtonAnswer.FAILED


def _kept(entry: LedgerEntry) -> ButtonAnswer:
    log.warning(
        "%s: its button was pressed: the medium of job %s (%s) stays in",
        *(entry.drive, entry.job_id, entry.phase),
    )
    return ButtonAnswer.KEPT


def _is_nobodys(parts: EngineParts, entry: LedgerEntry, writer: ButtonWriter) -> bool:
    """Whether what is in the drive is not the entry's medium, or is its owner's to take."""
    if entry.phase == LedgerPhase.FREE:
        return True
    if entry.phase in _AT_WORK:
        return False  # a look would only wait, and an empty tray may be one that is reloading
    loaded = writer.inspect()
    return is_gone(entry, loaded) or _was_just_handed_out(parts, entry, loaded)


def _was_just_handed_out(parts: EngineParts, entry: LedgerEntry, loaded: LoadedMedium) -> bool:
    """Pushed in again, it comes out again for as long as the engine itself would give it out."""
    if entry.phase != LedgerPhase.OUT or entry.since is None or loaded.is_open:
        return False
    return (parts.clock.now() - entry.since).total_seconds() < parts.policy.removal_s
