"""Drives and sticks as the services see them: `kiosk.ports.MediaWriter` over `burner`.

The texts of burner's errors hold codes, never patient data, and are handed on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from burner.children import never
from burner.drive import DiscDrive, MediaState, MediaStatus
from burner.errors import (
    BurnerError,
    CancelledError,
    DriveError,
    EngineError,
    MediumTooSmallError,
    NoMediumError,
    SpoiledMediumError,
    UnsuitableMediumError,
    VerificationError,
)
from burner.record import record
from burner.verify import verify
from kiosk.domain.model import Wanted
from kiosk.errors import (
    DriveFaultError,
    KioskError,
    MediumError,
    MediumSpoiledError,
    MediumWantedError,
    StoppedError,
    VerifyFailedError,
)
from kiosk.ports import LoadedMedium, MediumProgress, WrittenMedium


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
    """One class for one class; who can mend it stays the same."""
    text = str(error)
    match error:
        case CancelledError():
            return MediumSpoiledError(text) if error.spoiled else StoppedError(text)
        case NoMediumError():
            return MediumWantedError(text, reason=missing.name)
        case MediumTooSmallError():
            return MediumWantedError(text, reason=Wanted.LARGER_MEDIUM.name)
        case UnsuitableMediumError():
            return MediumWantedError(text, reason=Wanted.OTHER_DISC.name)
        case SpoiledMediumError():
            return MediumSpoiledError(text)
        case VerificationError():
            return VerifyFailedError(text)
        case DriveError():
            return DriveFaultError(text)
        case EngineError():
            return MediumError(text)
        case _:
            return MediumError(f"{error.code}: {text}")


def wanted_for(state: MediaState) -> Wanted | None:
    """What a person must do before a disc can be written here; its size is not judged."""
    if state.status is MediaStatus.NONE:
        return Wanted.BLANK_DISC
    if state.status is not MediaStatus.BLANK or state.is_rewritable:
        return Wanted.OTHER_DISC
    return None


class DiscWriter:
    """A drive, real or simulated. Keeps `MediaWriter`."""

    def __init__(self, drive: DiscDrive, *, name: str | None = None) -> None:
        """`name` is the station's name for it, the drive's own by default."""
        self.name = name or drive.name
        self._drive = drive

    def inspect(self) -> LoadedMedium:
        """Raises DriveFaultError."""
        with kiosk_errors(missing=Wanted.BLANK_DISC):
            state = self._drive.inspect()
        return LoadedMedium(wanted_for(state), state.kind, state.capacity_blocks, state.volume_id)

    def write(
        self,
        image: Path,
        *,
        on_progress: Callable[[MediumProgress], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        """Raises:
        MediumWantedError: Nothing was written; another medium is needed.
        MediumSpoiledError: Writing began and did not end well, or was stopped: scrap.
        StoppedError: Stopped before anything was written.
        DriveFaultError, MediumError: Look at the medium again before anything else.
        """
        with kiosk_errors(missing=Wanted.BLANK_DISC):
            record(
                self._drive,
                image,
                on_progress=lambda done, total: on_progress(MediumProgress(done, total)),
                is_cancelled=is_cancelled,
            )

    def verify(
        self, image_bytes: int, sha256: str, *, on_progress: Callable[[MediumProgress], None]
    ) -> WrittenMedium:
        """Reloads the tray, then reads the image's extent from the disc.

        Raises:
            MediumWantedError: The tray must be closed by hand.
            VerifyFailedError: Something else than the image is on the disc.
            DriveFaultError: The drive.
        """
        with kiosk_errors(missing=Wanted.CLOSE_TRAY):
            self._drive.reload()
            state = self._drive.inspect()
            if state.status is not MediaStatus.CLOSED:
                raise VerificationError(f"the disc is {state.status.value}, not closed")
            with self._drive.open_reader() as reader:
                result = verify(
                    reader,
                    image_bytes,
                    sha256,
                    on_progress=lambda done, total: on_progress(MediumProgress(done, total)),
                    is_cancelled=never,
                )
        return WrittenMedium(state.kind, result.sha256, result.image_bytes)

    def read(self, offset_bytes: int, size_bytes: int) -> bytes:
        with kiosk_errors(missing=Wanted.CLOSE_TRAY):
            with self._drive.open_reader() as reader:
                return reader.read(offset_bytes, size_bytes)

    def eject(self) -> None:
        with kiosk_errors(missing=Wanted.CLOSE_TRAY):
            self._drive.eject()
