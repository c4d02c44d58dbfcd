"""The journal: the one database that kiosk and engine share, and the only channel between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from kiosk.adapters.journal.audit import AuditChain, JournalAudit
from kiosk.adapters.journal.calls import JournalCalls
from kiosk.adapters.journal.engine import make_engine
from kiosk.adapters.journal.forms import JournalForms
from kiosk.adapters.journal.job_rows import JournalJobs
from kiosk.adapters.journal.ledger import JournalLedger
from kiosk.adapters.journal.orders import JournalOrders
from kiosk.adapters.journal.passwords import JournalPasswords
from kiosk.adapters.journal.presence import JournalPresence
from kiosk.adapters.journal.progress import JournalProgress
from kiosk.adapters.journal.questions import JournalQuestions
from kiosk.adapters.journal.reports import JournalReports
from kiosk.adapters.journal.stations import JournalStations
from kiosk.adapters.journal.step_times import JournalStepTimes
from kiosk.adapters.journal.stock import JournalStock
from kiosk.adapters.journal.tickets import JournalTickets
from kiosk.adapters.sealing import Seal, no_key
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
    reports: JournalReports
    forms: JournalForms
    tickets: JournalTickets
    jobs: JournalJobs
    progress: JournalProgress
    step_times: JournalStepTimes
    questions: JournalQuestions
    presence: JournalPresence
    calls: JournalCalls
    passwords: JournalPasswords
    ledger: JournalLedger
    stock: JournalStock
    audit: JournalAudit
    stations: JournalStations

    def close(self) -> None:
        self.engine.dispose()


def open_journal(
    url: str,
    *,
    station: str,
    audit_key: bytes,
    clock: Clock,
    password_key: Callable[[], bytes] = no_key,
    keeps_passwords: bool = False,
) -> Journal:
    """Connects to nothing yet; `kiosk.adapters.jobs.migrate` makes the tables.

    Args:
        station: Whose drives and jobs this process means.
        audit_key: Seals the audit trail.
        password_key: Gives what seals passwords of media, when it is needed.
        keeps_passwords: Staff may look them up until the job is purged.
    Raises:
        ConfigError: The URL is neither SQLite in a file nor PostgreSQL.
        JournalError: The file cannot be made.
    """
    engine = make_engine(url, application=f"sendhome {station}")
    chain = AuditChain(audit_key, clock)
    seal = Seal(password_key)
    passwords = JournalPasswords(engine, chain, clock, seal, is_kept=keeps_passwords)
    return Journal(
        station=station,
        engine=engine,
        chain=chain,
        clock=clock,
        orders=JournalOrders(engine, chain),
        reports=JournalReports(engine, chain),
        forms=JournalForms(engine, chain),
        tickets=JournalTickets(engine, chain, clock),
        jobs=JournalJobs(engine, chain, clock, station, passwords),
        progress=JournalProgress(engine, clock),
        step_times=JournalStepTimes(engine, clock, station),
        questions=JournalQuestions(engine, clock),
        presence=JournalPresence(engine, clock),
        calls=JournalCalls(engine, chain, clock),
        passwords=passwords,
        ledger=JournalLedger(engine, chain, clock, station),
        stock=JournalStock(engine, chain, clock, station),
        audit=JournalAudit(engine, chain),
        stations=JournalStations(engine, clock),
    )
