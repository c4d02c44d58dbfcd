"""What the services need of the world, as Protocols. Adapters keep them, tests have stand-ins.

Each part of the world has a room; callers import from here.
"""

from kiosk.ports.archive import ListedInstance, ListedStudy, MoveOutcome, Pacs, StoredInstance
from kiosk.ports.jobs import JobBook, Jobs, Passwords, ProgressLog, Questions, StepTimes
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
    ButtonWriter,
    DeviceWatch,
    DriveCounts,
    Ledger,
    LedgerEntry,
    LedgerPhase,
    LoadedMedium,
    MediaLog,
    MediaStock,
    MediaWriter,
    MediumProgress,
    MediumRecord,
    StagingWriter,
    WrittenMedium,
)
from kiosk.ports.paper import (
    PagePrinter,
    Printed,
    PrinterState,
    PrinterStatus,
    ReceiptPrinter,
)

__all__ = [
    "DELIVERED",
    "AuditLog",
    "ButtonWriter",
    "ClaimRecord",
    "Clock",
    "DeviceWatch",
    "DriveCounts",
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
    "MediaStock",
    "MediaWriter",
    "MediumProgress",
    "MediumRecord",
    "MoveOutcome",
    "Orders",
    "Pacs",
    "PagePrinter",
    "Passwords",
    "Presence",
    "Printed",
    "PrinterState",
    "PrinterStatus",
    "ProgressLog",
    "Questions",
    "ReceiptPrinter",
    "Speech",
    "Spool",
    "StaffCall",
    "StaffCalls",
    "StagingWriter",
    "Stations",
    "StepTimes",
    "StoredInstance",
    "Tickets",
    "WrittenMedium",
]
