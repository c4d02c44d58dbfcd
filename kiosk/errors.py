"""Everything that the kiosk raises on purpose.

Each concrete class states four facts that the command line, the wording for patients and the retry
policy read: `code` (stable, documented), `exit_code` (unique; 64-69 usage and configuration, 70-79
archive, 80-89 build, 90-99 media, 100-109 jobs and journal, 110-115 identity, 116-127 paper),
`status_info` (DICOM Media Creation Management, PS3.3 C.22.1) and `retry`. Text holds codes and
UIDs, never a patient's name, ID or birth date.
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar


class Retry(Enum):
    """When trying again can help."""

    NEVER = "never"
    LATER = "later"
    AFTER_STAFF = "after_staff"


class KioskError(Exception):
    """Base of all."""

    code: ClassVar[str] = "kiosk"
    exit_code: ClassVar[int] = 1
    status_info: ClassVar[str] = "PROC_FAILURE"
    retry: ClassVar[Retry] = Retry.NEVER


def every_error() -> list[type[KioskError]]:
    """Every kind of error in this module and in whatever else is imported, by exit code."""
    found, waiting = [], [KioskError]
    while waiting:
        kind = waiting.pop()
        found.append(kind)
        waiting += kind.__subclasses__()
    return sorted(found, key=lambda it: it.exit_code)


def meaning(code: str) -> str:
    """What a code says, for staff; "" for one that is not ours."""
    kind = next((it for it in every_error() if it.code == code), None)
    return " ".join(((kind and kind.__doc__) or "").partition("\n\n")[0].split())


class InvalidValueError(KioskError, ValueError):
    """A value from outside is not of the form it must have."""

    code, exit_code = "value.invalid", 64


class ConfigError(KioskError):
    """The configuration file is missing, unreadable or wrong; the text names the key."""

    code, exit_code = "config.invalid", 65


class MissingProgramError(KioskError):
    """A program that we call is not installed; the text names it and its package."""

    code, exit_code, retry = "system.missing_program", 66, Retry.AFTER_STAFF


class StoppedError(KioskError):
    """Work ended because somebody asked for it."""

    code, exit_code = "job.cancelled", 67


# Archive, 70-79


class ArchiveError(KioskError):
    """Base of what the archive does to us."""

    code, exit_code, retry = "archive.failed", 70, Retry.LATER


class ArchiveUnreachableError(ArchiveError):
    """No connection: wrong address, switched off, network."""

    code, exit_code = "archive.unreachable", 71


class ArchiveRefusedError(ArchiveError):
    """The association or the query was refused (AE titles, access rights)."""

    code, exit_code, retry = "archive.refused", 72, Retry.AFTER_STAFF


class ArchiveAbortedError(ArchiveError):
    """The archive broke off midway, takes no more for now, or nothing more came."""

    code, exit_code = "archive.aborted", 73


class UnknownDestinationError(ArchiveError):
    """The archive does not know our AE title as a move destination."""

    code, exit_code, retry = "archive.unknown_destination", 74, Retry.AFTER_STAFF

    def __init__(self, text: str, *, is_certain: bool = True) -> None:
        super().__init__(text)
        self.is_certain = is_certain  # the archive says so itself; else it only looks like it


class StudyNotFoundError(ArchiveError):
    """The archive lists no object of this study."""

    code, exit_code, status_info = "archive.no_study", 75, "NO_INSTANCE"


class MoveIncompleteError(ArchiveError):
    """After all rounds some listed objects are still missing; `missing` counts them."""

    code, exit_code, status_info = "archive.incomplete", 76, "NO_INSTANCE"

    def __init__(self, text: str, *, missing: int) -> None:
        super().__init__(text)
        self.missing = missing


class ReceiverError(KioskError):
    """Our own storage receiver cannot listen or died."""

    code, exit_code, retry = "receiver.failed", 77, Retry.LATER


class ConflictingInstanceError(ArchiveError):
    """One SOP Instance UID came with two contents: held until somebody finds out which is right."""

    code, exit_code, retry = "archive.conflict", 78, Retry.AFTER_STAFF


class UnreadableInstanceError(ArchiveError):
    """An object arrived whose header cannot be read: whose it is cannot be told."""

    code, exit_code, retry = "archive.unreadable", 79, Retry.AFTER_STAFF


# Build, 80-89


class ComposeError(KioskError):
    """The volume could not be built."""

    code, exit_code, status_info, retry = "build.failed", 80, "DIR_PROC_ERR", Retry.AFTER_STAFF


class CheckFailedError(ComposeError):
    """Our own check found errors on the finished image; no disc is spent on it."""

    code, exit_code = "build.check_failed", 81


class SetOversizedError(ComposeError):
    """The study does not fit on the medium."""

    code, exit_code, status_info = "build.too_large", 82, "SET_OVERSIZED"


class NeedsStickError(SetOversizedError):
    """The study does not fit on the discs of this station, but on a stick that is large enough."""

    code, exit_code, status_info = "build.needs_stick", 112, "SET_OVERSIZED"  # 80 to 89 are taken


class SpoolLostError(KioskError):
    """Objects that had been retrieved are no longer whole in the spool: retrieve again."""

    code, exit_code, retry = "spool.lost", 83, Retry.LATER


class SpoolFullError(KioskError):
    """Not enough free space for this job; nothing was begun, or what was begun is kept."""

    code, exit_code, status_info, retry = "spool.full", 84, "OUT_OF_SUPPLIES", Retry.LATER


class SpoolTakenError(ConfigError):
    """The spool is no folder of ours: other things lie in it; nothing was made or removed there."""

    code, exit_code, retry = "spool.taken", 68, Retry.AFTER_STAFF


class SpoolTooSmallError(SpoolFullError):
    """The job needs more than the spool's whole file system has: waiting does not help."""

    code, exit_code, retry = "spool.too_small", 86, Retry.AFTER_STAFF


class ReportRefusedError(KioskError):
    """A report from outside cannot be used; the text says which one and why."""

    code, exit_code, retry = "report.refused", 87, Retry.AFTER_STAFF


class ReportLostError(KioskError):
    """A report that was handed in is gone, damaged or at another station: hand it in again."""

    code, exit_code, retry = "report.lost", 88, Retry.AFTER_STAFF


class PasswordLostError(KioskError):
    """The password of a protected medium cannot be shown or used: destroyed, or the key differs."""

    code, exit_code = "password.lost", 89


class IncompleteBuildError(KioskError):
    """The image is made and sound, but DICOM files were left out of it; they are listed."""

    code, exit_code, status_info = "build.left_out", 85, "PROC_FAILURE"
    retry = Retry.AFTER_STAFF


# Media, 90-99


class MediumError(KioskError):
    """Base of what goes wrong at the drive.

    Attributes:
        has_begun: Of one that ends a writing: whether the medium was touched, which is scrap then.
            None if nobody can tell before the next look at it.
    """

    code, exit_code, retry = "medium.failed", 90, Retry.LATER
    has_begun: bool | None = None


class MediumWantedError(MediumError):
    """A person has to insert or change the medium.

    Attributes:
        reason: A Wanted name.
        unfit: An Unfit value, what speaks against the medium that is there; "" if none is.
    """

    code, exit_code, status_info = "medium.wanted", 91, "OUT_OF_SUPPLIES"

    def __init__(self, text: str, *, reason: str, unfit: str = "") -> None:
        super().__init__(text)
        self.reason = reason
        self.unfit = unfit


class MediumSpoiledError(MediumError):
    """The disc is scrap; another one is tried.

    Attributes:
        discs: How many became scrap: a robot tries again by itself.
        was_stopped: On request, and not because anything failed.
    """

    code, exit_code = "medium.spoiled", 92

    def __init__(self, text: str, *, discs: int = 1, was_stopped: bool = False) -> None:
        super().__init__(text)
        self.discs = discs
        self.was_stopped = was_stopped


class DriveFaultError(MediumError):
    """The drive is at fault: staff."""

    code, exit_code, retry = "medium.drive_fault", 93, Retry.AFTER_STAFF


class VerifyFailedError(MediumError):
    """The medium does not hold what was written; it stays in the tray until it is scrapped."""

    code, exit_code = "medium.verify_failed", 94


class UncollectedMediumError(MediumError):
    """The drive holds a good medium whose owner is not at the kiosk: it stays shut."""

    code, exit_code, status_info, retry = "medium.uncollected", 95, "MCD_BUSY", Retry.AFTER_STAFF


class MediumNotTakenError(MediumError):
    """A medium that was handed over is not known to have gone; one drawn back in is void."""

    code, exit_code, status_info, retry = "medium.not_taken", 96, "CHECK_MCD_OP", Retry.AFTER_STAFF


class WrongPasswordError(MediumError):
    """The password does not open the protected medium."""

    code, exit_code, retry = "medium.password", 97, Retry.NEVER


class DamagedMediumError(MediumError):
    """A protected medium cannot be restored: a file is damaged, missing or in another's place."""

    code, exit_code, retry = "medium.damaged", 98, Retry.NEVER


class UnsupportedProtectionError(MediumError):
    """The medium is not protected, or in a way that is not read here, such as for certificates."""

    code, exit_code, retry = "medium.not_protected", 99, Retry.NEVER


# Jobs and journal, 100-109


class JournalError(KioskError):
    """The journal cannot be read or written."""

    code, exit_code, retry = "journal.failed", 100, Retry.LATER


class JournalDamagedError(JournalError):
    """The journal's file is damaged: nothing runs on it; `sendhome doctor --restore-snapshot`."""

    code, exit_code, retry = "journal.damaged", 107, Retry.AFTER_STAFF


class JournalMissingError(JournalError):
    """There is no journal yet: `sendhome engine` or the first order makes it."""

    code, exit_code, retry = "journal.missing", 108, Retry.AFTER_STAFF


class DatabaseLostError(JournalError):
    """The database's server went away; the engine ends and is started again until it is back."""

    code, exit_code, retry = "journal.lost", 69, Retry.LATER  # EX_UNAVAILABLE


class UnknownOrderError(KioskError):
    """No such order."""

    code, exit_code = "order.unknown", 101


class UnknownJobError(KioskError):
    """No such job."""

    code, exit_code = "job.unknown", 102


class ExecutorBusyError(KioskError):
    """Another process already works as this station: refused to start."""

    code, exit_code, retry = "engine.already_running", 103, Retry.AFTER_STAFF


class JobFailedError(KioskError):
    """A job that a command waited for ended in FAILURE."""

    code, exit_code = "job.failed", 104


class OrderNotReleasedError(KioskError):
    """The order is held, collected or cancelled: nothing is made of it."""

    code, exit_code, retry = "order.not_released", 105, Retry.AFTER_STAFF


class EngineFaultError(KioskError):
    """The engine gave a job up after several rescues; staff may submit it again."""

    code, exit_code, retry = "engine.fault", 106, Retry.AFTER_STAFF


class EngineGoneError(KioskError):
    """The engine has ended, or none is running: nothing is made until staff start it."""

    code, exit_code, retry = "engine.gone", 109, Retry.AFTER_STAFF


# Identity, 110-119


class WrongPatientError(KioskError):
    """What arrived, was built or was read back is not the verified patient's: nothing leaves."""

    code, exit_code, status_info, retry = (
        "identity.wrong_patient",
        110,
        "PROC_FAILURE",
        Retry.AFTER_STAFF,
    )


class RefusedClaimError(KioskError):
    """A claim at the kiosk was refused; deliberately says nothing more: one neutral answer."""

    code, exit_code = "identity.refused", 111


# Paper, 120-127


class FormIncompleteError(KioskError):
    """A release form lacks recipient, where to send, signature or date: nothing is given out."""

    code, exit_code = "form.incomplete", 120

    def __init__(self, text: str, *, lacks: tuple[str, ...]) -> None:
        super().__init__(text)
        self.lacks = lacks


class FormLostError(KioskError):
    """A signed form cannot be kept or read back: no room, gone, damaged, or at another station."""

    code, exit_code, retry = "form.lost", 121, Retry.AFTER_STAFF


class UnknownFormError(KioskError):
    """No such form of this order."""

    code, exit_code = "form.unknown", 122


class ReceiptPrinterError(KioskError):
    """The receipt was not printed, or not whole: it is shown instead."""

    code, exit_code, retry = "receipt.failed", 123, Retry.AFTER_STAFF


class ReceiptPrinterMissingError(ReceiptPrinterError):
    """No receipt printer is set up, or it is switched off, unplugged or out of reach."""

    code, exit_code, retry = "receipt.no_printer", 124, Retry.AFTER_STAFF


class ReceiptPaperOutError(ReceiptPrinterError):
    """The receipt printer has no paper."""

    code, exit_code, retry = "receipt.paper_out", 125, Retry.AFTER_STAFF


class LabelPrinterError(KioskError):
    """A label or a paper that goes with a medium was not printed; it can be printed again."""

    code, exit_code, retry = "label.failed", 116, Retry.AFTER_STAFF


class LabelPrinterMissingError(LabelPrinterError):
    """CUPS or the queue of the label printer is not there, or none is set up."""

    code, exit_code, retry = "label.no_printer", 117, Retry.AFTER_STAFF


class LabelPrinterStoppedError(LabelPrinterError):
    """The label printer's queue is stopped, takes no jobs, or its printer is at fault."""

    code, exit_code, retry = "label.stopped", 118, Retry.AFTER_STAFF


class LabelPaperOutError(LabelPrinterError):
    """The label printer has nothing to print on."""

    code, exit_code, retry = "label.paper_out", 119, Retry.AFTER_STAFF


class LabelMismatchError(LabelPrinterError):
    """What the medium itself says is not what its order says: no label is made of it."""

    code, exit_code, retry = "label.mismatch", 126, Retry.AFTER_STAFF


class LabelLostError(LabelPrinterError):
    """Nothing is known of such a medium any more, or its label cannot be kept or read."""

    code, exit_code, retry = "label.lost", 127, Retry.AFTER_STAFF
