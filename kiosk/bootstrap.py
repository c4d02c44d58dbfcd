"""The one place that builds adapters and wires them; everything above asks here.

Each function builds one thing out of the configuration; nothing is connected or opened before it is
used, unless the docstring says so.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kiosk.adapters.clock import SystemClock
from kiosk.adapters.journal import Journal, open_journal
from kiosk.adapters.secrets import site_key
from kiosk.config import Config
from kiosk.domain.ticket import TicketKeys

if TYPE_CHECKING:  # dbos and pydicom are slow to import: only where they are used
    from kiosk.adapters.jobs import DbosJobs

TICKET_KEY, AUDIT_KEY = "ticket-key", "audit-key"


@contextlib.contextmanager
def journal(config: Config) -> Iterator[Journal]:
    """The journal, its tables made or brought up to date. Raises JournalError."""
    from kiosk.adapters.jobs import migrate

    opened = open_journal(
        config.database_url,
        station=config.engine.station,
        audit_key=site_key(AUDIT_KEY, config.store.state_dir),
        clock=SystemClock(),
    )
    try:
        migrate(opened.engine)
        yield opened
    finally:
        opened.close()


@contextlib.contextmanager
def jobs(journal: Journal) -> Iterator[DbosJobs]:
    """The durable engine from outside: places and cancels, runs nothing."""
    from kiosk.adapters.jobs import DbosJobs

    opened = DbosJobs(journal)
    try:
        yield opened
    finally:
        opened.close()


def ticket_keys(config: Config) -> TicketKeys:
    """What seals this site's tickets."""
    return TicketKeys((site_key(TICKET_KEY, config.store.state_dir),))
