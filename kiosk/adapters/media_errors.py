"""burner's errors and states as the services see them.

The texts of burner's errors hold codes, never patient data, and are handed on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from burner.drive import MediaState, MediaStatus
from burner.errors import (
    BurnerError,
    CancelledError,
    DriveError,
    EngineError,
    MediumTooSmallError,
    NoMediumError,
    SpoiledMediumError,
    UnsuitableMediumError,
    UnsuitableStickError,
    VerificationError,
)
from kiosk.domain.model import Wanted
from kiosk.domain.unfit import Unfit
from kiosk.errors import (
    DriveFaultError,
    KioskError,
    MediumError,
    MediumSpoiledError,
    MediumWantedError,
    StoppedError,
    VerifyFailedError,
)
from kiosk.ports import MediumProgress


def as_progress(tell: Callable[[MediumProgress], None]) -> Callable[[int, int], None]:
    """For burner's functions, which tell of done and of all bytes."""
    return lambda done, total: tell(MediumProgress(done, total))


@contextlib.contextmanager
def kiosk_errors(*, missing: Wanted) -> Iterator[None]:
    """burner's errors as the kiosk's.

    Args:
        missing: What to ask a person for when there is no medium.
    """
    try:
        yield
    except BurnerError as error:
        raise to_kiosk_error(error, missing=missing) from error


def to_kiosk_error(error: BurnerError, *, missing: Wanted) -> KioskError:
    """One class for one class; who can mend it stays the same, and what became of the medium."""
    found = _by_class(error, missing)
    if isinstance(found, MediumError):
        found.has_begun = error.has_begun
    return found


def _by_class(error: BurnerError, missing: Wanted) -> KioskError:
    text = str(error)
    match error:
        case CancelledError():
            if error.spoiled:
                return MediumSpoiledError(text, was_stopped=True)
            return StoppedError(text)
        case NoMediumError():
            return MediumWantedError(text, reason=missing.name)
        case MediumTooSmallError():
            wanted = Wanted.LARGER_MEDIUM
            return MediumWantedError(text, reason=wanted.name, unfit=error.reason)
        case UnsuitableMediumError():
            is_stick = isinstance(error, UnsuitableStickError)
            wanted = Wanted.STICK if is_stick else Wanted.OTHER_DISC
            return MediumWantedError(text, reason=wanted.name, unfit=error.reason)
        case SpoiledMediumError():
            return MediumSpoiledError(text, discs=error.discs)
        case VerificationError():
            return VerifyFailedError(text)
        case DriveError():
            return DriveFaultError(text)
        case EngineError():
            return MediumError(text)
        case _:
            return MediumError(f"{error.code}: {text}")


def wanted_for(state: MediaState, *, takes_rewritable: bool = False) -> Wanted | None:
    """What a person must do before a disc can be written here; its size is not judged."""
    if state.status is MediaStatus.NONE:
        return Wanted.BLANK_DISC
    is_refused = state.is_rewritable and not takes_rewritable
    if state.status is not MediaStatus.BLANK or is_refused:
        return Wanted.OTHER_DISC
    return None


def unfit_for(state: MediaState, *, takes_rewritable: bool = False) -> Unfit | None:
    """What speaks against the disc that is there; its size is not judged."""
    if state.status in (MediaStatus.NONE, MediaStatus.BLANK):
        is_refused = state.is_rewritable and not takes_rewritable
        return Unfit.REWRITABLE if is_refused else None
    if state.status is MediaStatus.UNKNOWN:
        return Unfit.UNKNOWN_DISC
    return Unfit.NOT_BLANK
