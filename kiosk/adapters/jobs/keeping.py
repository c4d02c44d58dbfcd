"""The journal's health while the engine runs: whole at the start, copied every hour."""

from __future__ import annotations

import logging
import time

from kiosk.adapters.journal import Journal
from kiosk.adapters.journal.audit import BROKEN_AT
from kiosk.adapters.journal.engine import database_file
from kiosk.adapters.journal.snapshots import EVERY_S, is_due, require_sound, take
from kiosk.errors import JournalDamagedError, JournalError

log = logging.getLogger(__name__)


class Keeper:
    """Looks after one journal; on PostgreSQL its own tools do, and this does nothing.

    Args:
        keep: Snapshots kept; 0 makes none.
    """

    def __init__(self, journal: Journal, keep: int) -> None:
        self._journal, self._keep = journal, keep
        self._file = database_file(journal.engine.url)
        self._taken_at = time.monotonic()
        if self._file is not None and is_due(self._file):
            self._taken_at -= EVERY_S

    def check(self) -> None:
        """Before anything is read out of it. Raises JournalDamagedError or JournalError."""
        if self._file is not None:
            require_sound(self._file)

    def check_trail(self) -> None:
        """The audit trail, by its chain; for journals of one site's size.

        Raises:
            JournalDamagedError: A row is not what it was.
        """
        if self._file is None:
            return
        try:
            rows = self._journal.audit.verify()
        except JournalError as error:
            if str(error) == f"{BROKEN_AT} 1":
                # Every row then: the key is another one, and no snapshot would help.
                log.error("%s: is the audit key the right one?", error)
                return
            raise JournalDamagedError(f"the journal is damaged: {error}") from error
        log.info("the journal is whole: %d audit rows", rows)

    def look(self) -> None:
        """Make a copy if an hour has gone by.

        Raises:
            JournalDamagedError: The journal turned out to be damaged.
        """
        if self._file is None or not self._keep or time.monotonic() - self._taken_at < EVERY_S:
            return
        self._taken_at = time.monotonic()
        try:
            made = take(self._file, self._journal.clock.now(), self._keep)
        except JournalDamagedError:
            raise
        except JournalError as error:
            log.warning("%s", error)
        else:
            log.info("snapshot %s", made.path.name)
