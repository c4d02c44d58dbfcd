"""Where the visitor's medium is, as a job's row tells it."""

from __future__ import annotations

from kiosk.domain.model import Job, Step, Wanted
from kiosk.services.drawer import NOT_TAKEN_NOTE


def is_out(job: Job) -> bool:
    """Whether the visitor's own medium is in the open tray, and not anybody's before him."""
    question, progress = job.question, job.progress
    is_take = question is not None and question.wanted is Wanted.TAKE_MEDIUM
    return is_take and progress is not None and progress.step is Step.HAND_OVER


def is_untaken(job: Job) -> bool:
    """Whether it is done, and its medium may still lie in the open tray."""
    return job.progress is not None and job.progress.note == NOT_TAKEN_NOTE
