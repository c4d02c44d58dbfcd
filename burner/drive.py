"""A disc drive: what is in it, its tray, and the way to its sectors."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from burner import messages
from burner.children import DriveLock
from burner.door import set_door
from burner.engine import PAD_BLOCKS, Engine, EngineRun, classify
from burner.errors import (
    DriveError,
    EngineError,
    MediumTooSmallError,
    NoMediumError,
    UnsuitableMediumError,
)
from burner.messages import Event
from burner.survey import Survey, read_survey
from burner.verify import BLOCK_BYTES, MediumReader

RESERVE_BLOCKS = PAD_BLOCKS + 32  # padding, and rounding up to the medium's own unit of writing
LOCK_FOLDER = Path("/run/lock")
BUTTON_PATIENCE_S = 10.0  # a look at the medium ends sooner; whoever waits longer presses again
READY_PATIENCE_S = 60.0  # a drive needs time to spin up after the tray closed
_NEVER_CLOSED = ("DVD+RW", "DVD-RW restricted overwrite", "DVD-RAM", "BD-RE")
MAX_SPEED = {"CD": 16, "DVD": 8, "BD": 4}  # by first letters of the medium; higher ones read worse


class MediaStatus(Enum):
    """What a medium can still take."""

    NONE = "none"
    BLANK = "blank"
    APPENDABLE = "appendable"
    CLOSED = "closed"
    UNKNOWN = "unknown"  # there is something, but not a medium that the drive knows


@dataclass(frozen=True, slots=True)
class MediaState:
    """What is in a drive now.

    Attributes:
        kind: As the engine names it, such as "CD-R" or "DVD+R"; "" if there is none.
        capacity_blocks: Free blocks of 2048 bytes as the drive tells them; 0 if none or unknown.
        written_blocks: Readable blocks; 0 on a blank medium.
        volume_id: Of the last ISO 9660 session, "" if there is none.
        is_tray_open: Known for sure to be open; False also if the drive does not tell.
    """

    status: MediaStatus
    kind: str = ""
    capacity_blocks: int = 0
    written_blocks: int = 0
    volume_id: str = ""
    is_tray_open: bool = False

    @property
    def is_rewritable(self) -> bool:
        """Anybody could change what is on it later: not for patients."""
        return self.kind.startswith(("CD-RW", "DVD-RW", "DVD+RW", "DVD-RAM", "BD-RE"))


class DiscDrive(Protocol):
    """What recording needs of a drive; `Drive` and `burner.simulated.SimulatedDrive` keep it."""

    name: str

    def inspect(self) -> MediaState: ...
    def burn(
        self,
        image: Path,
        state: MediaState,
        *,
        on_event: Callable[[Event], None],
        is_cancelled: Callable[[], bool],
    ) -> EngineRun:
        """Run the engine on the medium that was just seen, hold the drive's lock meanwhile. Judges
        nothing.
        """
        ...

    def reload(self) -> MediaState:
        """Make drive and system forget what they believe of the medium, and look at it anew.
        Raises NoMediumError if it stays out.
        """
        ...

    def open_reader(self) -> MediumReader: ...
    def survey(self, first_block: int, end_block: int) -> Survey:
        """Which of these blocks can be read; for a disc whose read-back failed. May take a minute.
        Raises DriveError.
        """
        ...

    def eject(self) -> None: ...
    def open_if(self, may_open: Callable[[], bool]) -> bool:
        """Eject if `may_open` says so while nobody else works with the drive, nor can begin to.
        Returns whether it did. Raises DriveError, also if somebody goes on working with it.
        """
        ...


def require_writable(
    state: MediaState, image_blocks: int, *, takes_rewritable: bool = False
) -> None:
    """The look before the laser.

    Args:
        takes_rewritable: Only for trying a drive out, never for patients.
    Raises:
        NoMediumError: Nothing is in, or the tray is open.
        UnsuitableMediumError: Not blank, or rewritable. MediumTooSmallError by `require_space`.
    """
    if state.is_tray_open:
        raise NoMediumError("the tray is open")
    if state.status is MediaStatus.NONE:
        raise NoMediumError("no medium in the drive")
    if state.is_rewritable and not takes_rewritable:
        raise UnsuitableMediumError(f"rewritable medium {state.kind}", reason="rewritable")
    if state.status is MediaStatus.UNKNOWN:
        raise UnsuitableMediumError("the drive does not know the medium", reason="unknown_disc")
    if state.status is not MediaStatus.BLANK:
        raise UnsuitableMediumError(
            f"the medium is not blank: {state.status.value}", reason="not_blank"
        )
    require_space(state.capacity_blocks, image_blocks)


def is_finished(state: MediaState, *, takes_rewritable: bool = False) -> bool:
    """Whether nothing can be added to what was written.

    Args:
        takes_rewritable: As in `require_writable`. What can be overwritten anywhere has no end that
            could be closed: that something is written has to do for trying a drive out.
    """
    if takes_rewritable and state.kind.startswith(_NEVER_CLOSED):
        return state.status in (MediaStatus.CLOSED, MediaStatus.APPENDABLE)
    return state.status is MediaStatus.CLOSED


def require_space(capacity_blocks: int, image_blocks: int) -> None:
    """Raises MediumTooSmallError unless image, padding and rounding fit."""
    needed = image_blocks + RESERVE_BLOCKS
    if capacity_blocks < needed:
        raise MediumTooSmallError(f"{needed} blocks needed, {capacity_blocks} free")


class Tray(Enum):
    """CDROM_DRIVE_STATUS of linux/cdrom.h."""

    UNKNOWN = 0
    NO_DISC = 1
    OPEN = 2
    NOT_READY = 3
    DISC = 4


def probe_tray(node: Path) -> Tray:
    """Ask the kernel without touching the tray: the engine's own look would close it on somebody's
    fingers.

    Raises DriveError if there is no such node.
    """
    drive_status = 0x5326  # CDROM_DRIVE_STATUS; its argument CDSL_CURRENT is INT_MAX
    try:
        descriptor = os.open(node, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise DriveError(f"the drive cannot be opened: {error.strerror}") from error
    try:
        return Tray(fcntl.ioctl(descriptor, drive_status, 0x7FFFFFFF))
    except (OSError, ValueError):
        return Tray.UNKNOWN  # not every bridge answers; the engine gives the final word
    finally:
        os.close(descriptor)


def read_state(run: EngineRun, events: list[Event]) -> MediaState:
    """The engine's answer to a query as a MediaState.

    Raises:
        DriveError, EngineError: It could not ask the drive.
    """
    if run.assessed is None:
        raise (
            classify(run) if run.problems else EngineError("the engine said nothing of the medium")
        )
    kind = volume_id = ""
    space = readable = 0
    for event in events:
        match event:
            case messages.MediaNamed():
                kind = event.kind
            case messages.SpaceTold():
                space = event.blocks
            case messages.BlocksTold():
                readable = event.readable
            case messages.SessionSeen():
                volume_id = event.volume_id
            case _:
                pass
    assessed = run.assessed
    if not assessed.is_present:
        return MediaState(MediaStatus.NONE)
    if assessed.is_blank:
        return MediaState(MediaStatus.BLANK, kind, space)
    if assessed.is_closed:
        return MediaState(MediaStatus.CLOSED, kind, 0, readable, volume_id)
    if assessed.is_appendable:
        return MediaState(MediaStatus.APPENDABLE, kind, space, readable, volume_id)
    return MediaState(MediaStatus.UNKNOWN, kind, 0, readable, volume_id)


def speed_for(kind: str) -> int:
    """Policy by type of medium, in multiples of its 1x; 0 lets the drive choose."""
    for prefix, speed in MAX_SPEED.items():
        if kind.startswith(prefix):
            return speed
    return 0


class Drive:
    """An optical drive at a device node.

    Whenever one of ours ends with a medium in it that is written, if only in part, its door stays
    locked until `eject` or `open_if`: its own button gives it to nobody.
    """

    def __init__(
        self,
        node: Path,
        *,
        engine: Engine | None = None,
        lock_folder: Path = LOCK_FOLDER,
        probe: Callable[[Path], Tray] = probe_tray,
        door: Callable[[Path, bool], bool] = set_door,
        sectors: Path | None = None,
    ) -> None:
        """
        Args:
            node: Such as /dev/sr0, or a link that finds the drive after re-plugging; it is followed
                anew at every use.
            lock_folder: Where the drive's lock file stands; the same for all who use the drive.
            probe: How the tray is asked; an emulated drive without a kernel has none.
            door: How the door is locked; the same.
            sectors: Where the medium's sectors are read, `node` by default.
        """
        self.name = node.name
        self._node = node
        self._engine = engine or Engine()
        self._lock = DriveLock(lock_folder / f"sendhome-{node.name}.lock")
        self._probe = probe
        self._door = door
        self._sectors = sectors or node

    def inspect(self) -> MediaState:
        """Raises DriveError. An open tray is left open; a drive that spins up is waited for."""
        deadline = time.monotonic() + READY_PATIENCE_S
        while (tray := self._probe(self._node)) is Tray.NOT_READY:
            if time.monotonic() > deadline:
                raise DriveError("the drive does not become ready")
            time.sleep(0.5)
        if tray is Tray.OPEN:
            return MediaState(MediaStatus.NONE, is_tray_open=True)
        if tray is Tray.NO_DISC:
            return MediaState(MediaStatus.NONE)
        return self._query()

    def burn(
        self,
        image: Path,
        state: MediaState,
        *,
        on_event: Callable[[Event], None],
        is_cancelled: Callable[[], bool],
    ) -> EngineRun:
        with self._lock.hold(is_cancelled=is_cancelled) as lock_fd:
            try:
                return self._engine.burn(
                    self._device(),
                    image,
                    lock_fd=lock_fd,
                    speed=speed_for(state.kind),
                    on_event=on_event,
                    is_cancelled=is_cancelled,
                )
            finally:
                # Nobody looked yet at what lies there; whoever does finds a blank one and unlocks.
                self._door(self._node, True)

    def is_busy(self) -> bool:
        """Whether one of ours works with the drive; then `inspect` would wait."""
        return self._lock.is_held()

    def reload(self) -> MediaState:
        """Out and in again, so that neither drive nor kernel answers from memory.

        The look that closes the tray is the answer: each one costs two seconds, as libburn waits
        half of one whenever it starts or stops a drive.

        Raises:
            NoMediumError: The tray does not close by itself (notebook and slot-in drives): somebody
                must push.
        """
        self.eject()
        state = self._query()  # closes the tray
        if state.status is MediaStatus.NONE:
            raise NoMediumError("the tray must be closed by hand")
        if self._sectors is not self._node:
            return state
        deadline = time.monotonic() + READY_PATIENCE_S
        while not self._has_length():
            if time.monotonic() > deadline:
                raise DriveError("the system does not see the written disc")
            time.sleep(0.5)
        return state

    def open_reader(self) -> MediumReader:
        return MediumReader(self._sectors)

    def survey(self, first_block: int, end_block: int) -> Survey:
        with self._lock.hold() as lock_fd:
            run, events = self._engine.survey(
                self._device(), first_block, end_block, lock_fd=lock_fd
            )
            self._door(self._node, True)
        found = read_survey(events, first_block, end_block)
        if not found.regions:
            raise DriveError(f"the drive cannot be surveyed, exit code {run.exit_code}")
        return found

    def eject(self) -> None:
        """Raises DriveError if the tray stays closed."""
        with self._lock.hold() as lock_fd:
            self._open(lock_fd)

    def open_if(self, may_open: Callable[[], bool]) -> bool:
        with self._lock.hold(patience_s=BUTTON_PATIENCE_S) as lock_fd:
            if not may_open():
                return False
            self._open(lock_fd)
            return True

    def _open(self, lock_fd: int) -> None:
        self._door(self._node, False)
        run = self._engine.eject(self._device(), lock_fd=lock_fd)
        if run.exit_code != 0:
            raise DriveError(f"the tray does not open, exit code {run.exit_code}")

    def _device(self) -> str:
        return os.path.realpath(self._node)  # the engine knows drives by their nodes

    def _query(self) -> MediaState:
        with self._lock.hold() as lock_fd:
            is_shut = True
            try:
                state = read_state(*self._engine.query(self._device(), lock_fd=lock_fd))
                is_shut = state.status not in (MediaStatus.NONE, MediaStatus.BLANK)
            finally:
                self._door(self._node, is_shut)
        return state

    def _has_length(self) -> bool:
        with contextlib.suppress(NoMediumError):
            with self.open_reader() as reader:
                return reader.length_bytes() > 0
        return False


def iso_volume_id(reader: MediumReader) -> str:
    """ISO 9660 volume identifier in the primary volume descriptor (ECMA-119 8.4.7), "" if there is
    none.
    """
    descriptor = reader.read(16 * BLOCK_BYTES, BLOCK_BYTES)
    if descriptor[:6] != b"\x01CD001":
        return ""
    return messages.clean(descriptor[40:72].decode("ascii", "replace"), 32)
