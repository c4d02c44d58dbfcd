"""What the services need of the world, as Protocols. Adapters keep them, tests have stand-ins.

Each part of the world has a room; callers import from here.
"""

from kiosk.ports.archive import ListedInstance, ListedStudy, MoveOutcome, Pacs, StoredInstance
from kiosk.ports.jobs import JobBook, Jobs, Passwords, ProgressLog, Questions
from kiosk.ports.journal import (
    AuditLog,
    ClaimRecord,
    Orders,
    Presence,
    StaffCall,
    StaffCalls,
    Stations,
    Tickets,
)
from kiosk.ports.machine import Clock, Lock, Speech, Spool
from kiosk.ports.media import (
    DELIVERED,
    Ledger,
    LedgerEntry,
    LedgerPhase,
    LoadedMedium,
    MediaLog,
    MediaWriter,
    MediumProgress,
    MediumRecord,
    WrittenMedium,
)
from kiosk.ports.paper import PrinterState, ReceiptPrinter

__all__ = [
    "DELIVERED",
    "AuditLog",
    "ClaimRecord",
    "Clock",
    "JobBook",
    "Jobs",
    "Ledger",
    "LedgerEntry",
    "LedgerPhase",
    "ListedInstance",
    "ListedStudy",
    "LoadedMedium",
    "Lock",
    "MediaLog",
    "MediaWriter",
    "MediumProgress",
    "MediumRecord",
    "MoveOutcome",
    "Orders",
    "Pacs",
    "Passwords",
    "Presence",
    "PrinterState",
    "ProgressLog",
    "Questions",
    "ReceiptPrinter",
    "Speech",
    "Spool",
    "StaffCall",
    "StaffCalls",
    "Stations",
    "StoredInstance",
    "Tickets",
    "WrittenMedium",
]
