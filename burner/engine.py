"""xorriso run and read: what it said as events, and what went wrong as an error that says who can
mend it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from burner import children, messages
from burner.errors import (
    BurnerError,
    CancelledError,
    DriveError,
    EngineError,
    MediumTooSmallError,
    NoMediumError,
    SpoiledMediumError,
    UnsuitableMediumError,
)
from burner.messages import Event, Message, Sense, Severity
from burner.survey import LIMIT_S, MAX_REGIONS

KEPT_MESSAGES = 50
QUERY_LIMIT_S = 180.0  # seconds as a rule; a drive tries a scratched disc again for a minute or two
EJECT_LIMIT_S = 120.0  # likewise: it may be at its tries when it is told to open
STOP_PATIENCE_S = 60.0  # nothing is written by these two, so there is no session to bring to rest
PAD_BLOCKS = (
    150  # zeros after the image: readers that read ahead must not run into the run-out blocks
)


@dataclass(frozen=True, slots=True)
class EngineRun:
    """One run of the engine, ended.

    Attributes:
        was_stopped: It was asked to stop before it ended.
        has_begun: Data were sent to the medium: whatever came after, it is no longer blank.
        has_completed: "completed successfully" was said.
        assessed: The last `Media status`, None if there was none.
        problems: Messages of severity SORRY and above, oldest first.
    """

    exit_code: int
    was_stopped: bool
    has_begun: bool
    has_completed: bool
    assessed: messages.MediaAssessed | None
    problems: tuple[Message, ...]


def no_event(event: Event) -> None:
    """`on_event` for callers that only want the outcome."""


@dataclass(frozen=True, slots=True)
class Engine:
    """How xorriso is started.

    Attributes:
        extra_environment: Added to the bare environment; tests put an emulated drive underneath
            with it.
        cancel_patience_s: How long a writer that was told to stop may take before it is killed.
        query_limit_s, eject_limit_s: After which a drive counts as one that does not answer.
    """

    program: str = "xorriso"
    extra_environment: Mapping[str, str] | None = None
    cancel_patience_s: float = children.CANCEL_PATIENCE_S
    query_limit_s: float = QUERY_LIMIT_S
    eject_limit_s: float = EJECT_LIMIT_S

    def query(self, address: str, *, lock_fd: int) -> tuple[EngineRun, list[Event]]:
        """What is in the drive; never writes. Closes the tray if the drive can.

        Raises DriveError if it does not answer.
        """
        events: list[Event] = []
        run = self._run_within(
            self.query_limit_s,
            ["-outdev", address, "-toc", "-tell_media_space"],
            events.append,
            lock_fd=lock_fd,
        )
        return run, events

    def burn(
        self,
        address: str,
        image: Path,
        *,
        lock_fd: int,
        speed: int = 0,
        on_event: Callable[[Event], None] = no_event,
        is_cancelled: Callable[[], bool] = children.never,
        is_stepwise: bool = False,
        max_file_bytes: int | None = None,
    ) -> EngineRun:
        """Write `image` in one closed session, padded.

        Args:
            address: A device node, or `stdio:` and a path.
            speed: Multiples of the medium's 1x, 0 for what drive and medium agree upon.
            is_stepwise: Only for `stdio:`: 64 KiB at a time, so that `speed` shows on small images
                too.
            max_file_bytes: Only for `stdio:`: writing beyond fails as a medium error would.
        """
        arguments = ["-stdio_sync", "64k"] if is_stepwise else []
        arguments += ["-as", "cdrecord", "-v", f"dev={address}"]
        if is_stepwise:
            arguments.append("fs=64k")
        if speed:
            arguments.append(f"speed={speed}")
        arguments += ["-sao", f"padsize={PAD_BLOCKS}s", str(image.absolute())]
        return self._run(
            arguments,
            on_event,
            lock_fd=lock_fd,
            is_cancelled=is_cancelled,
            max_file_bytes=max_file_bytes,
        )

    def survey(
        self,
        address: str,
        first_block: int,
        end_block: int,
        *,
        lock_fd: int,
        limit_s: int = LIMIT_S,
    ) -> tuple[EngineRun, list[Event]]:
        """Try to read blocks of a written medium, by SCSI. What is unreadable is told in events,
        and is no failure of the run.
        """
        events: list[Event] = []
        deadline = time.monotonic() + 2 * limit_s  # one read may outlast the engine's own limit
        run = self._run(
            [
                *("-abort_on", "NEVER", "-outdev", address),
                *("-check_media", "use=outdev", "what=disc", f"min_lba={first_block}"),
                *(f"max_lba={end_block - 1}", f"time_limit={limit_s}"),
                *(f"item_limit={MAX_REGIONS}", "--"),
            ],
            events.append,
            lock_fd=lock_fd,
            is_cancelled=lambda: time.monotonic() > deadline,
        )
        return run, events

    def eject(self, address: str, *, lock_fd: int) -> EngineRun:
        """Unlock and open the tray. Raises DriveError if the drive does not answer."""
        arguments = ["-outdev", address, "-eject", "all"]
        return self._run_within(self.eject_limit_s, arguments, no_event, lock_fd=lock_fd)

    def _run_within(
        self,
        limit_s: float,
        arguments: Sequence[str],
        on_event: Callable[[Event], None],
        *,
        lock_fd: int,
    ) -> EngineRun:
        """`_run`, of what writes nothing. Raises DriveError if it is stopped after `limit_s`: the
        thread that waits has a person in front of it, or other drives' buttons.
        """
        deadline = time.monotonic() + limit_s
        run = self._run(
            arguments,
            on_event,
            lock_fd=lock_fd,
            is_cancelled=lambda: time.monotonic() > deadline,
            stop_patience_s=min(self.cancel_patience_s, STOP_PATIENCE_S),
        )
        if run.was_stopped and run.exit_code != 0:
            raise DriveError(f"the drive has not answered for {limit_s:.0f} s")
        return run

    def _run(
        self,
        arguments: Sequence[str],
        on_event: Callable[[Event], None],
        *,
        lock_fd: int,
        is_cancelled: Callable[[], bool] = children.never,
        max_file_bytes: int | None = None,
        stop_patience_s: float | None = None,
    ) -> EngineRun:
        has_begun = has_completed = False
        assessed: messages.MediaAssessed | None = None
        first: Message | None = None
        problems: deque[Message] = deque(maxlen=KEPT_MESSAGES)

        def on_line(line: str) -> None:
            nonlocal has_begun, has_completed, assessed, first
            event = messages.parse_line(line)
            match event:
                case None:
                    return
                case messages.WritingBegan():
                    has_begun = True
                case messages.WritingCompleted():
                    has_completed = True
                case messages.MediaAssessed():
                    assessed = event
                case Message() if event.severity >= Severity.SORRY:
                    first = first or event
                    problems.append(event)
                case _:
                    pass
            on_event(event)

        exit_code, was_stopped = children.run_lines(
            # -no_rc works only as the very first argument: start-up files must not change what is
            # done
            [self.program, "-no_rc", "-pkt_output", "on", *arguments],
            on_line,
            is_cancelled=is_cancelled,
            extra_environment=self.extra_environment,
            pass_fds=(lock_fd,),
            max_file_bytes=max_file_bytes,
            cancel_patience_s=stop_patience_s or self.cancel_patience_s,
        )
        kept = tuple(problems)
        if first is not None and first not in kept:
            kept = (first, *kept)  # the first one names the cause
        return EngineRun(exit_code, was_stopped, has_begun, has_completed, assessed, kept)


def classify(run: EngineRun) -> BurnerError:
    """Who can mend what ended `run` badly, and whether it spoiled the medium. The text names codes
    and the engine's words, no file name.
    """
    error = _cause(run)
    error.has_begun = run.has_begun
    return error


def _cause(run: EngineRun) -> BurnerError:
    if run.was_stopped:
        return CancelledError(spoiled=run.has_begun)
    for message in run.problems:
        if message.sense is not None:
            return _from_sense(message.sense, has_begun=run.has_begun)
    for message in run.problems:
        for phrase, make, text in _PHRASES:
            if phrase in message.text:
                if run.has_begun and make is not DriveError:
                    return SpoiledMediumError(text)
                return make(text)
    text = f"the engine ended with exit code {run.exit_code}"
    return SpoiledMediumError(f"{text} while writing") if run.has_begun else EngineError(text)


def _not_blank(text: str) -> BurnerError:
    return UnsuitableMediumError(text, reason="not_blank")


_PHRASES: tuple[tuple[str, Callable[[str], BurnerError], str], ...] = (
    ("No media detected", NoMediumError, "no medium in the drive"),
    ("Closed media with data", _not_blank, "the medium is not blank: closed"),
    ("Cannot set write type SAO", _not_blank, "the medium is not blank: appendable"),
    ("exceeds free space on media", MediumTooSmallError, "the image is larger than the medium"),
    ("Could not open data source", EngineError, "the image cannot be read"),
    ("Premature end of input", EngineError, "the image is shorter than announced"),
    ("Cannot access", DriveError, "no such drive"),
    ("Neither stdio-path nor its directory exist", DriveError, "no such drive"),
    ("Cannot open busy device", DriveError, "the drive is in use by another program"),
    ("Cannot acquire drive", DriveError, "the drive does not answer"),
)


def _from_sense(sense: Sense, *, has_begun: bool) -> BurnerError:
    """By sense key and, where it matters, additional sense code (SPC-4 4.5.6, MMC-5 Annex F)."""
    what = f"sense {sense}"
    if sense.key == 4 or sense.key == 0xB:
        return DriveError(f"drive error, {what}")
    if has_begun:
        if sense.key == 5:
            return EngineError(f"illegal request while writing, {what}")
        return SpoiledMediumError(f"writing failed, {what}")
    match (sense.key, sense.asc):
        case (2, 0x3A) | (6, 0x28):
            return NoMediumError(f"no medium in the drive, {what}")
        case (2, 0x30) | (5, 0x30) | (7, _):
            return UnsuitableMediumError(
                f"the medium cannot be written, {what}", reason="unknown_disc"
            )
        case (2, _) | (6, _):
            return NoMediumError(f"the drive is not ready, {what}")
        case (3, _):
            return SpoiledMediumError(f"medium error, {what}")
        case _:
            return EngineError(f"illegal request, {what}")
