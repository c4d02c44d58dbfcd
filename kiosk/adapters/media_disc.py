"""Disc drives as the services see them: `kiosk.ports.MediaWriter` over `burner`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from burner.children import never
from burner.drive import DiscDrive, MediaStatus, is_finished
from burner.errors import BurnerError, VerificationError
from burner.record import record
from burner.verify import verify
from dicomdir.iso_reader import BLOCK_BYTES
from kiosk.adapters.media_errors import as_progress, kiosk_errors, unfit_for, wanted_for
from kiosk.domain.model import Wanted
from kiosk.ports import LoadedMedium, MediumProgress, WrittenMedium

log = logging.getLogger(__name__)


class DiscWriter:
    """A drive, real or simulated. Keeps `MediaWriter` and `ButtonWriter`."""

    def __init__(
        self, drive: DiscDrive, *, name: str | None = None, takes_rewritable: bool = False
    ) -> None:
        """
        Args:
            name: The station's name for it, the drive's own by default.
            takes_rewritable: A blank rewritable disc will do: for trying a drive out, never for
                patients.
        """
        self.name = name or drive.name
        self._drive = drive
        self._takes_rewritable = takes_rewritable

    def inspect(self) -> LoadedMedium:
        """Raises DriveFaultError."""
        with kiosk_errors(missing=Wanted.BLANK_DISC):
            state = self._drive.inspect()
        return LoadedMedium(
            wanted_for(state, takes_rewritable=self._takes_rewritable),
            state.kind,
            state.capacity_blocks,
            state.volume_id,
            is_open=state.is_tray_open,
            is_empty=state.status is MediaStatus.NONE and not state.is_tray_open,
            unfit=unfit_for(state, takes_rewritable=self._takes_rewritable),
        )

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
        DriveFaultError, MediumError: `has_begun` says what became of the medium; if that is not
            known, look at it again before anything else.
        """
        with kiosk_errors(missing=Wanted.BLANK_DISC):
            record(
                self._drive,
                image,
                on_progress=as_progress(on_progress),
                is_cancelled=is_cancelled,
                takes_rewritable=self._takes_rewritable,
            )

    def verify(
        self,
        image_bytes: int,
        sha256: str,
        *,
        on_progress: Callable[[MediumProgress], None],
        image: Path | None = None,
    ) -> WrittenMedium:
        """Reloads the tray, then reads the image's extent from the disc; `image` is not needed.

        Raises:
            MediumWantedError: The tray must be closed by hand.
            VerifyFailedError: Something else than the image is on the disc.
            DriveFaultError: The drive.
        """
        del image
        with kiosk_errors(missing=Wanted.CLOSE_TRAY):
            state = self._drive.reload()
            if not is_finished(state, takes_rewritable=self._takes_rewritable):
                raise VerificationError(f"the disc is {state.status.value}, not closed")
            try:
                with self._drive.open_reader() as reader:
                    result = verify(
                        reader,
                        image_bytes,
                        sha256,
                        on_progress=as_progress(on_progress),
                        is_cancelled=never,
                    )
            except VerificationError as error:
                self._survey(error, min(image_bytes // BLOCK_BYTES, state.written_blocks))
                raise
        log.info(
            "%s: %s read back, all %d blocks are readable and the image's; slowest read %.1f s",
            *(self.name, state.kind, image_bytes // BLOCK_BYTES, result.slowest_chunk_s),
        )
        return WrittenMedium(state.kind, result.sha256, result.image_bytes)

    def _survey(self, error: VerificationError, end_block: int) -> None:
        """Into the log: which blocks are bad. The refusal stands, whatever becomes of this."""
        log.warning("%s: read back in vain: %s", self.name, error)
        if error.survey_from >= end_block:
            return  # a torso: that it ends is all there is to know
        try:
            survey = self._drive.survey(error.survey_from, end_block)
        except BurnerError as failure:
            log.warning("%s: no survey of the disc: %s: %s", self.name, failure.code, failure)
        else:
            log.warning("%s: survey of the disc: %s", self.name, survey.text)

    def read(self, offset_bytes: int, size_bytes: int) -> bytes:
        with kiosk_errors(missing=Wanted.CLOSE_TRAY):
            with self._drive.open_reader() as reader:
                return reader.read(offset_bytes, size_bytes)

    def eject(self) -> None:
        with kiosk_errors(missing=Wanted.CLOSE_TRAY):
            self._drive.eject()

    def open_if(self, may_open: Callable[[], bool]) -> bool:
        with kiosk_errors(missing=Wanted.CLOSE_TRAY):
            return self._drive.open_if(may_open)
