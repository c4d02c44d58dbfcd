"""Which job a line of the log is about, whoever writes it.

A line written while a step runs begins with the job's id, also one of an adapter that knows no
jobs. Threads that a step starts do not inherit it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_job: ContextVar[str] = ContextVar("job", default="")


@contextmanager
def logged_as(job_id: str) -> Iterator[None]:
    """Everything logged inside, in this thread, is about that job."""
    token = _job.set(job_id)
    try:
        yield
    finally:
        _job.reset(token)


class JobFormatter(logging.Formatter):
    """`%(job)s` is "job ID: " inside of `logged_as`, else nothing."""

    def format(self, record: logging.LogRecord) -> str:
        job_id = _job.get()
        record.job = f"job {job_id}: " if job_id else ""
        return super().format(record)
