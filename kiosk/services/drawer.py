"""What is known of a drive whose medium was handed over.

An open tray cannot be seen into (MMC reports no medium then), so it is not known to be empty. Only
a closed tray without the medium tells that it has gone, or a port without a stick.
"""

from __future__ import annotations

from datetime import datetime

from kiosk.domain.model import Job, Step, Wanted
from kiosk.ports import LedgerEntry, LoadedMedium

NOT_TAKEN_NOTE = "medium.not_taken"
"""The progress note of a job whose medium was handed over and not seen taken in time."""


def is_gone(entry: LedgerEntry, loaded: LoadedMedium) -> bool:
    """Whether the entry's medium is known not to be in the drive any more."""
    if loaded.is_open:
        return False
    if loaded.is_empty:
        return True
    if loaded.wanted is None:  # blank, or a stick that can be written
        return loaded.volume_id != entry.volume_id
    # Written: another name is another medium; one without a name cannot be told from ours.
    return loaded.volume_id not in ("", entry.volume_id)


def is_absent(loaded: LoadedMedium) -> bool:
    """Nothing in the drive that may be ours: nothing, an open tray, or a stick that is no use."""
    return loaded.wanted in (Wanted.BLANK_DISC, Wanted.CLOSE_TRAY, Wanted.STICK)


def is_missing(loaded: LoadedMedium) -> bool:
    """Whether nothing is there that could be looked at."""
    return loaded.is_empty or loaded.is_open


def is_drawn_in(entry: LedgerEntry, loaded: LoadedMedium) -> bool:
    """Whether the tray was closed with what may be the entry's medium in it; never of a stick."""
    return not loaded.is_open and loaded.wanted is not Wanted.STICK and not is_gone(entry, loaded)


def queued_note(drive: str) -> str:
    """The progress note of a job that waits for its turn at a drive."""
    return f"queued.{drive}"


def is_waiting_its_turn(job: Job) -> bool:
    """Whether the job was sent to some drive and has not had its turn yet."""
    return job.progress is not None and job.progress.note.startswith(queued_note(""))


def is_at_a_drive(job: Job) -> bool:
    """Whether a medium of it is being written, or may still lie in the drive."""
    progress = job.progress
    if progress is None or is_waiting_its_turn(job):
        return False
    if job.has_ended:
        return progress.note == NOT_TAKEN_NOTE
    return progress.step in (Step.WRITE, Step.VERIFY, Step.HAND_OVER)


def needs_a_hand(job: Job, asked_before: datetime) -> bool:
    """Whether its drive stands still until somebody does what was asked for that long ago."""
    mine = (Wanted.CLAIM, Wanted.TAKE_MEDIUM)  # its owner's, and soon over
    asked = job.question
    return (
        not job.has_ended
        and asked is not None
        and asked.wanted not in mine
        and asked.asked_at < asked_before
    )


def is_queued(job: Job, drive: str) -> bool:
    """Whether the job was sent to that drive and has not had its turn yet."""
    return job.progress is not None and job.progress.note == queued_note(drive)
