"""Durable jobs on dbos. Nothing outside of this package imports it.

`DbosJobs` is the outside (kiosk, console, command line), `engine.run_engine` the inside, imported
by the engine's process only.
"""

from __future__ import annotations

from kiosk.adapters.jobs.client import DbosJobs
from kiosk.adapters.jobs.common import migrate

__all__ = ["DbosJobs", "migrate"]
