"""Disc robots as the services see them: `kiosk.ports.StagingWriter` over `burner.robots`.

What a robot makes cannot be read back by us. What is proven is the image where the robot reads it,
by hash, before and after, and the rest is the robot's own comparison: the log says so every time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from burner.drive import MediaStatus
from burner.robots.recorder import RobotRecorder
from kiosk.adapters.media_errors import as_progress, kiosk_errors, unfit_for, wanted_for
from kiosk.domain.model import Wanted
from kiosk.ports import LoadedMedium, MediumProgress, WrittenMedium

log = logging.getLogger(__name__)

FindLabel = Callable[[Path], Path | None]


def label_beside(image: Path, suffixes: tuple[str, ...]) -> Path | None:
    """A file named as the image, with the first of these suffixes that there is."""
    found = (image.with_suffix(suffix) for suffix in suffixes)
    return next((path for path in found if path.is_file()), None)


class RobotWriter:
    """A robot, real or simulated. Keeps `StagingWriter`.

    Its finished disc counts as being "in it" until `eject`, although it lies in the output bin.
    """

    def __init__(
        self,
        recorder: RobotRecorder,
        *,
        name: str,
        find_label: FindLabel | None = None,
        begin: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Args:
            name: The station's name for it.
            find_label: Where an image's label is; beside it by default.
            begin: Called before the robot is used: a simulated one starts its service then.
        """
        self.name = name
        self._recorder, self._begin = recorder, begin
        suffixes = recorder.label_suffixes
        self._find_label = find_label or (lambda image: label_beside(image, suffixes))
        self._staged: Path | None = None

    def inspect(self) -> LoadedMedium:
        """Raises DriveFaultError: no sign of life, or it waits for a person."""
        self._begin()
        with kiosk_errors(missing=Wanted.BLANK_DISC):
            state = self._recorder.inspect()
        return LoadedMedium(
            wanted_for(state),
            state.kind,
            state.capacity_blocks,
            state.volume_id,
            is_empty=state.status is MediaStatus.NONE,
            unfit=unfit_for(state),
        )

    def stage(
        self,
        image: Path,
        sha256: str | None = None,
        *,
        on_progress: Callable[[MediumProgress], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        """Raises VerifyFailedError, StoppedError, DriveFaultError, MediumError."""
        self._begin()
        self._staged = None
        with kiosk_errors(missing=Wanted.BLANK_DISC):
            self._recorder.stage(
                image,
                sha256,
                label=self._find_label(image),
                on_progress=as_progress(on_progress),
                is_cancelled=is_cancelled,
            )
        self._staged = image

    def write(
        self,
        image: Path,
        *,
        on_progress: Callable[[MediumProgress], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        """Raises as `DiscWriter.write`. A `DriveFaultError` may leave the job with the robot: then
        `inspect` shows its disc, and `verify` waits for it.
        """
        if self._staged != image:
            self.stage(image, on_progress=on_progress, is_cancelled=is_cancelled)
        self._staged = None
        with kiosk_errors(missing=Wanted.BLANK_DISC):
            made = self._recorder.make(
                on_progress=as_progress(on_progress),
                is_cancelled=is_cancelled,
            )
        on_progress(MediumProgress(made.image_bytes, made.image_bytes))

    def verify(
        self,
        image_bytes: int,
        sha256: str,
        *,
        on_progress: Callable[[MediumProgress], None],
        image: Path | None = None,
    ) -> WrittenMedium:
        """Waits for a job that is under way, then proves the image that the robot read.

        Raises:
            VerifyFailedError: The robot made no good disc of that image.
            DriveFaultError: Staff must come; the text says for what.
        """
        del image
        self._begin()
        with kiosk_errors(missing=Wanted.BLANK_DISC):
            made = self._recorder.check(
                image_bytes,
                sha256,
                on_progress=as_progress(on_progress),
            )
        log.info("%s: compared by the robot itself, not read back by us", self.name)
        if made.rejected:
            log.warning("%s: the robot threw out %d discs", self.name, made.rejected)
        return WrittenMedium(
            made.kind, made.sha256, made.image_bytes, is_read_back=False, rejected=made.rejected
        )

    def read(self, offset_bytes: int, size_bytes: int) -> bytes:
        """Of the image where the robot reads it."""
        with kiosk_errors(missing=Wanted.BLANK_DISC):
            with self._recorder.open_reader() as reader:
                return reader.read(offset_bytes, size_bytes)

    def eject(self) -> None:
        """Nothing moves: the disc lies in the output bin. Our files are taken from the share."""
        with kiosk_errors(missing=Wanted.BLANK_DISC):
            self._recorder.eject()

    # --- what only robots have

    def is_well(self) -> bool:
        return self._recorder.is_well()

    def examine(self) -> str:
        self._begin()
        with kiosk_errors(missing=Wanted.BLANK_DISC):
            return self._recorder.examine()

    def abandon(self) -> None:
        self._begin()
        with kiosk_errors(missing=Wanted.BLANK_DISC):
            self._recorder.abandon()
