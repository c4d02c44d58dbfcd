"""The journal: the one database that kiosk and engine share, and the only channel between them."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from kiosk.adapters.journal.audit import AuditChain, JournalAudit
from kiosk.adapters.journal.engine import make_engine
from kiosk.adapters.journal.job_rows import JournalJobs
from kiosk.adapters.journal.ledger import JournalLedger
from kiosk.adapters.journal.orders import JournalOrders
from kiosk.adapters.journal.presence import JournalPresence
from kiosk.adapters.journal.progress import JournalProgress
from kiosk.adapters.journal.questions import JournalQuestions
from kiosk.adapters.journal.stations import JournalStations
from kiosk.adapters.journal.tickets import JournalTickets
from kiosk.ports import Clock

__all__ = ["Journal", "open_journal"]


@dataclass(frozen=True, slots=True)
class Journal:
    """Everything that is kept in one database, as one station sees it."""

    station: str
    engine: sa.Engine
    chain: AuditChain
    clock: Clock
    orders: JournalOrders
    tickets: JournalTickets
    jobs: JournalJobs
    progress: JournalProgress
    questions: JournalQuestions
    presence: JournalPresence
    ledger: JournalLedger
    audit: JournalAudit
    stations: JournalStations

    def close(self) -> None:
        self.engine.dispose()


def open_journal(url: str, *, station: str, audit_key: bytes, clock: Clock) -> Journal:
    """Connects to nothing yet; `kiosk.adapters.jobs.migrate` makes the tables.

    Args:
        station: Whose drives and jobs this process means.
        audit_key: Seals the audit trail.
    Raises:
        ConfigError: The URL is neither SQLite in a file nor PostgreSQL.
        JournalError: The file cannot be made.
    """
    engine = make_engine(url, application=f"sendhome {station}")
    chain = AuditChain(audit_key, clock)
    return Journal(
        station=station,
        engine=engine,
        chain=chain,
        clock=clock,
        orders=JournalOrders(engine, chain),
        tickets=JournalTickets(engine, chain, clock),
        jobs=JournalJobs(engine, chain, clock, station),
        progress=JournalProgress(engine, clock),
        questions=JournalQuestions(engine, clock),
        presence=JournalPresence(engine, clock),
        ledger=JournalLedger(engine, chain, clock, station),
        audit=JournalAudit(engine, chain),
        stations=JournalStations(engine, clock),
    )
