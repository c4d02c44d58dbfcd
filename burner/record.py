"""Recording an image to a disc.

A disc counts as made only if four signs hold: the engine ended with 0; it said "completed
successfully"; the medium, looked at again, is written and closed; and what is read back is the
image. The first three are `record`'s, the fourth `burner.verify`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from burner import messages
from burner.children import never
from burner.drive import DiscDrive, MediaState, is_finished, require_writable
from burner.engine import EngineRun, classify, no_event
from burner.errors import BurnerError, EngineError, SpoiledMediumError
from burner.messages import Event
from burner.verify import BLOCK_BYTES, Verification, verify

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Recording:
    """A disc that was written and closed, not yet read back."""

    kind: str
    image_bytes: int


def record(
    drive: DiscDrive,
    image: Path,
    *,
    on_progress: Callable[[int, int], None],
    on_event: Callable[[Event], None] = no_event,
    is_cancelled: Callable[[], bool] = never,
    takes_rewritable: bool = False,
) -> Recording:
    """Burn `image`, a file of whole 2048-byte blocks, in one closed session.

    Args:
        on_progress: Bytes written and bytes in all, about once a second.
        takes_rewritable: A blank rewritable medium will do: for trying a drive out, never for
            patients.
    Raises:
        NoMediumError, UnsuitableMediumError, MediumTooSmallError: Nothing was written, the medium
            is as it was.
        SpoiledMediumError: Writing began and one of the signs lacks: the disc is scrap.
        DriveError: The drive. EngineError: The image cannot be read, the engine cannot be run. Of
            both `has_begun` says what became of the medium.
        CancelledError: Asked to stop; says whether the disc is spoiled.
    """
    try:
        image_bytes = measure(image)
        state = drive.inspect()
        require_writable(state, image_bytes // BLOCK_BYTES, takes_rewritable=takes_rewritable)
    except BurnerError as error:
        error.has_begun = False
        raise

    def on_engine_event(event: Event) -> None:
        if isinstance(event, messages.Progressed):
            on_progress(min(event.written_mib * MIB, image_bytes), image_bytes)
        on_event(event)

    run = drive.burn(image, state, on_event=on_engine_event, is_cancelled=is_cancelled)
    judge(run)
    if run.assessed is None or not run.assessed.is_closed:  # the engine could not tell: look again
        _require_closed(drive.inspect(), image_bytes, takes_rewritable=takes_rewritable)
    on_progress(image_bytes, image_bytes)
    return Recording(state.kind, image_bytes)


def record_and_verify(
    drive: DiscDrive,
    image: Path,
    sha256: str,
    *,
    on_progress: Callable[[int, int], None],
    on_verify_progress: Callable[[int, int], None],
    is_cancelled: Callable[[], bool] = never,
) -> Verification:
    """All four signs. Raises as `record` and `verify`."""
    recording = record(drive, image, on_progress=on_progress, is_cancelled=is_cancelled)
    drive.reload()
    with drive.open_reader() as reader:
        return verify(
            reader,
            recording.image_bytes,
            sha256,
            on_progress=on_verify_progress,
            is_cancelled=is_cancelled,
        )


def measure(image: Path) -> int:
    """Bytes of an image file. Raises EngineError if it is missing, empty or no number of blocks."""
    try:
        size = image.stat().st_size
    except OSError as error:
        raise EngineError(f"the image cannot be read: {error.strerror}") from error
    if size <= 0 or size % BLOCK_BYTES:
        raise EngineError(f"an image of {size} bytes is not a number of blocks")
    return size


def judge(run: EngineRun) -> None:
    """The engine's own signs; raises what `classify` makes of their absence.

    A wish to cancel that came after the last sector changes nothing: the disc is whole. Then the
    engine was told to stop and may not end with 0; its other words, a new look at the medium and
    the read-back have to do.
    """
    is_written = run.assessed is not None and run.assessed.is_written
    is_too_late = run.was_stopped and is_written
    if not run.has_begun or not run.has_completed or (run.exit_code != 0 and not is_too_late):
        raise classify(run)
    if not is_written:
        raise SpoiledMediumError("the engine did not find the disc written afterwards")


def _require_closed(state: MediaState, image_bytes: int, *, takes_rewritable: bool) -> None:
    """The third sign, from a new look at the drive; how long it is is seen when it is read back."""
    if not is_finished(state, takes_rewritable=takes_rewritable):
        raise SpoiledMediumError(f"the disc is {state.status.value} after writing, not closed")
    if state.written_blocks * BLOCK_BYTES < image_bytes:
        raise SpoiledMediumError("the disc holds fewer blocks than the image")
