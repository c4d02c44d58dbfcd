"""Durable jobs on dbos. Nothing outside of this package imports it."""

from __future__ import annotations

from kiosk.adapters.jobs.client import DbosJobs
from kiosk.adapters.jobs.common import migrate

__all__ = ["DbosJobs", "migrate"]
