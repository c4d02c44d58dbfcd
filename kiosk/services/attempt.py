"""What one attempt to write a medium is given, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kiosk.domain.model import Wanted
from kiosk.domain.unfit import Unfit
from kiosk.ports import LedgerEntry, LoadedMedium, WrittenMedium


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """The finished image.

    Attributes:
        sha256: Hexadecimal, of the whole file.
        volume_id: What the medium is called once written; other jobs' images are called otherwise.
    """

    path: Path
    size_bytes: int
    sha256: str
    volume_id: str


@dataclass(frozen=True, slots=True)
class Written:
    """A good medium is in the drive; the ledger says VERIFIED. Hand it over, then free the drive.

    Attributes:
        attempt: Number of the disc that turned out good.
        is_recovered: It had been written before this call.
    """

    medium: WrittenMedium
    attempt: int
    is_recovered: bool


@dataclass(frozen=True, slots=True)
class NeedsMedium:
    """A person has to do something first; then call again.

    Attributes:
        wanted: What.
        reason: Code of why, such as "medium.spoiled".
        detail: For the log; no patient data.
        is_disc_spent: A disc of this job became scrap in this call.
        unfit: What speaks against the medium that was there.
        is_lost: The medium on record is not the one in the drive: when staff have answered, it is
            given up.
        kept: That medium, if it is still there: it is no use to look at the same one again.
    """

    wanted: Wanted
    reason: str
    detail: str = ""
    is_disc_spent: bool = False
    unfit: Unfit | None = None
    kept: LoadedMedium | None = None
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class DriveOccupied:
    """The drive holds what may be a good disc of another job. That job must get the drive first.

    Leave the drive's queue and come back behind `owner`: settle that one with `settle`, or let it
    run.
    """

    owner: LedgerEntry


@dataclass(frozen=True, slots=True)
class DrawnIn:
    """A medium that was handed over is in the closed drive again."""

    owner: LedgerEntry


Outcome = Written | NeedsMedium | DriveOccupied | DrawnIn
