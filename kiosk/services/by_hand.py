"""Discs that staff write by a command, on record in the device ledger as those of jobs are.

What is not known to be good must not reach whoever comes to the drive next: the row stays until
that disc has gone, the button keeps it in, and an order finds it and calls staff. Only of drives
with a door: a port's stick carries its own mark, a robot throws out by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, Protocol

from kiosk.domain.model import OrderId, Wanted
from kiosk.errors import (
    MediumError,
    MediumSpoiledError,
    MediumWantedError,
    StoppedError,
    VerifyFailedError,
)
from kiosk.ports import Ledger, LedgerEntry, LedgerPhase, MediaLog, MediaWriter
from kiosk.services.drawer import is_gone, is_missing

BY_HAND: Final = OrderId("by-hand")
"""Stands in the ledger where a job's id does; no order is called so."""

LEFT_UNVERIFIED: Final = "left unverified"
_UNNAMED: Final = "?"  # no disc is called so; an empty name would be a blank's


class Records(Ledger, MediaLog, Protocol):
    """Ledger and history in one."""


@contextmanager
def on_record(
    records: Records, drive: str, volume_id: str, sha256: str
) -> Iterator[Callable[[str], None]]:
    """Around writing, reading back and ejecting one disc; yields what notes each phase's end.

    The row is there before the laser is on. An error leaves it as what is known: scrap, nothing
    written, or unknown until the next look. Afterwards the drive is nobody's: the disc is out.
    """
    attempt = records.begun(BY_HAND) + 1
    row = LedgerEntry(drive, BY_HAND, LedgerPhase.WRITING, attempt, volume_id or _UNNAMED, sha256)
    records.put(row)
    at = LedgerPhase.WRITING

    def note(phase: str) -> None:
        nonlocal at
        records.put(replace(row, phase=phase))
        at = phase

    try:
        yield note
    except (MediumSpoiledError, VerifyFailedError):
        note(LedgerPhase.SCRAP)
        raise
    except (StoppedError, MediumWantedError):
        if at == LedgerPhase.WRITING:
            records.free(drive)
        raise
    except MediumError as error:
        if at == LedgerPhase.WRITING and error.has_begun:
            note(LedgerPhase.SCRAP)
        elif at == LedgerPhase.WRITING and error.has_begun is False:
            records.free(drive)
        raise
    records.free(drive)


def condemn(records: Records, writer: MediaWriter) -> None:
    """A disc was found not to hold what it should: scrap, whoever wrote it."""
    loaded = writer.inspect()
    if loaded.wanted is None or is_missing(loaded):
        return  # nothing is on it, or nothing is there
    name = loaded.volume_id or _UNNAMED
    known = [
        record
        for record in records.history(BY_HAND)
        if (record.drive, record.volume_id) == (writer.name, name)
    ]
    attempt = known[-1].attempt if known else records.begun(BY_HAND) + 1
    sha256 = known[-1].sha256 if known else ""
    row = LedgerEntry(writer.name, BY_HAND, LedgerPhase.SCRAP, attempt, name, sha256)
    records.put(row)


def has_left(ledger: Ledger, writer: MediaWriter, row: LedgerEntry) -> bool:
    """Whether the disc of such a row is known to have gone: the drive is free then. Else it is
    scrap from now on: nobody goes on with it.
    """
    loaded = writer.inspect()
    has_gone = is_gone(row, loaded)
    was_used = loaded.wanted is not None or row.phase != LedgerPhase.WRITING
    if row.phase != LedgerPhase.SCRAP and was_used:
        is_good = has_gone and row.phase == LedgerPhase.VERIFIED
        if not is_good:
            ledger.put(replace(row, phase=LedgerPhase.SCRAP), reason=LEFT_UNVERIFIED)
    if has_gone:
        ledger.free(writer.name)
    return has_gone


def put_out(ledger: Ledger, writer: MediaWriter) -> None:
    """Staff are at the drive and begin another: a bad disc in it comes out first.

    Raises:
        MediumWantedError: It was there; another one has to be put in.
    """
    row = ledger.owner(writer.name)
    if row is None or row.job_id != BY_HAND or has_left(ledger, writer, row):
        return
    if not writer.inspect().is_open:
        writer.eject()
    raise MediumWantedError(
        "wanted: other_disc; the one that was in is scrap", reason=Wanted.OTHER_DISC.name
    )
