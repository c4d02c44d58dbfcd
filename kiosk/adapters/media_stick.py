"""Sticks as the services see them: `kiosk.ports.MediaWriter` over `burner`."""

from __future__ import annotations

import logging
import tempfile
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path

from burner.errors import BurnerError, CancelledError, DriveError, EngineError, NoMediumError
from burner.stick import Stick
from burner.stick_files import StickFile
from burner.stick_volume import StickState
from burner.verify import MediumReader, verify
from dicomdir.errors import DicomdirError
from dicomdir.iso_reader import BLOCK_BYTES, IsoReader
from kiosk.adapters.media_errors import as_progress, kiosk_errors
from kiosk.domain.model import Wanted
from kiosk.domain.unfit import Unfit
from kiosk.errors import MediumWantedError, VerifyFailedError
from kiosk.ports import LoadedMedium, MediumProgress, WrittenMedium

log = logging.getLogger(__name__)


STICK_KIND = "USB stick"


class StickWriter:
    """A stick's port, or an image file that stands for a stick. Keeps `MediaWriter`.

    The files are taken out of the finished image. Until `eject` a stick of ours carries a mark;
    `inspect` shows its volume id then, and it may be written again.
    """

    def __init__(
        self,
        stick: Stick,
        *,
        staging: Path,
        name: str | None = None,
        power_off: Callable[[], None] | None = None,
    ) -> None:
        """
        Args:
            staging: A folder on a disk with room for the largest file. Where no engine has made it
                yet a command stages in the system's folder for temporary files.
            power_off: Switches a good stick off after its release; may raise a DriveError.
        """
        self.name = name or stick.name
        self._power_off = power_off
        self._stick = stick
        self._spool = staging
        self._image: Path | None = None
        self._files: list[StickFile] = []  # of `_image`, by offset

    @property
    def _staging(self) -> Path:
        # Not made here: the engine refuses a spool in which there is something before its mark.
        return self._spool if self._spool.is_dir() else Path(tempfile.gettempdir())

    def inspect(self) -> LoadedMedium:
        try:
            with kiosk_errors(missing=Wanted.STICK):
                state = self._look()
        except MediumWantedError as error:
            if isinstance(error.__cause__, NoMediumError):
                return LoadedMedium(Wanted.STICK, "", 0, "", is_empty=True)
            unfit = Unfit(error.unfit)
            return LoadedMedium(Wanted[error.reason], STICK_KIND, 0, "", unfit=unfit)
        return LoadedMedium(
            None,
            STICK_KIND,
            state.free_bytes // BLOCK_BYTES,
            state.unfinished,
            mark=f"{state.serial}:{state.free_bytes}",
        )

    def _look(self) -> StickState:
        return self._stick.inspect()

    def write(
        self,
        image: Path,
        *,
        on_progress: Callable[[MediumProgress], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        """Raises as `DiscWriter.write`; stopped, it takes away what it began if it can."""
        self._image = None
        with kiosk_errors(missing=Wanted.STICK):
            volume_id, files = files_of_image(image)
            self._prepare(volume_id, is_cancelled)
            self._stick.write(
                files,
                volume_id,
                staging=self._staging,
                on_progress=as_progress(on_progress),
                is_cancelled=is_cancelled,
            )
            self._files = sorted(files, key=lambda file: file.offset)
            self._image = image

    def _prepare(self, volume_id: str, is_cancelled: Callable[[], bool]) -> None:
        """Before anything is written; a visitor's own stick stays as it is."""

    def verify(
        self,
        image_bytes: int,
        sha256: str,
        *,
        on_progress: Callable[[MediumProgress], None],
        image: Path | None = None,
    ) -> WrittenMedium:
        """Every file on the stick against the image, and the image against `sha256`. A stick of
        another process against the files of `image`; it stays as it is.

        Raises:
            VerifyFailedError: Not equal; or this process did not write the stick, and there is no
                `image`: write it again.
        """
        known = self._image or image
        if known is None:
            raise VerifyFailedError("not written by this process")

        tell = as_progress(on_progress)
        with kiosk_errors(missing=Wanted.STICK):
            if self._image is None:
                _, files = files_of_image(known)
                self._stick.compare(files, on_progress=tell)
            else:
                self._stick.verify(self._files, staging=self._staging, on_progress=tell)
            with MediumReader(known) as reader:
                verify(reader, image_bytes, sha256, on_progress=lambda _done, _total: None)
        return WrittenMedium(STICK_KIND, sha256, image_bytes)

    def read(self, offset_bytes: int, size_bytes: int) -> bytes:
        """As if the stick were the image: files' bytes come from the stick, what lies between from
        the image.
        """
        if self._image is None:
            raise VerifyFailedError("not written by this process")
        end = offset_bytes + size_bytes
        with kiosk_errors(missing=Wanted.STICK), MediumReader(self._image) as reader:
            result = bytearray(reader.read(offset_bytes, size_bytes))
            for file in self._files[self._first_after(offset_bytes) :]:
                if file.offset >= end:
                    break
                first, last = max(offset_bytes, file.offset), min(end, file.offset + file.size)
                if first < last:
                    piece = self._stick.read(file, first - file.offset, last - first)
                    result[first - offset_bytes : last - offset_bytes] = piece
        return bytes(result)

    def _first_after(self, offset: int) -> int:
        """Index of the first file, by offset, that ends behind `offset`; extents do not overlap."""
        return bisect_right(self._files, offset, key=lambda file: file.offset + file.size)

    def eject(self) -> None:
        """Releases a stick that was read back; the mark of an unfinished one stays. From then on it
        may be pulled, switched off or not: all was written out, and read back past the caches.
        """
        with kiosk_errors(missing=Wanted.STICK):
            is_released = self._stick.release()
        if self._power_off is None or not is_released or self._image is None:
            return  # not ours: what was refused stays as it is
        try:
            self._power_off()
        except DriveError as error:
            log.warning("%s: may be pulled, but was not switched off: %s", self.name, error)


class HouseStickWriter(StickWriter):
    """The port for the facility's sealed sticks: they are made anew before they are written.

    Only a stick on which nobody has anything is: what a visitor puts in here by mistake is refused.
    """

    def _look(self) -> StickState:
        return self._stick.inspect_fresh()

    def _prepare(self, volume_id: str, is_cancelled: Callable[[], bool]) -> None:
        if is_cancelled():
            raise CancelledError(spoiled=False)
        self._stick.make_anew(volume_id)


def files_of_image(image: Path) -> tuple[str, list[StickFile]]:
    """Volume id and the files of an ISO 9660 image as extents.

    Raises:
        EngineError: Not an image that can be read.
    """
    try:
        with MediumReader(image) as reader:
            iso = IsoReader(reader.read)
            records = [record for record in iso.records() if not record.is_directory]
            volume_id = iso.volume_id.decode("ascii", "replace").strip()
    except (DicomdirError, BurnerError) as error:
        raise EngineError("the image cannot be read") from error
    return volume_id, [
        StickFile(record.path, image, record.offset_bytes, record.size_bytes) for record in records
    ]
