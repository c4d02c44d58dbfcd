"""A disc drive made of files in a folder: for the demo, for training and for tests, with faults on
demand.

    drive.json    tray, discs and faults; replaced as a whole, so any process may look and act
    drive.lock    held by whoever changes drive.json
    writer.lock   held by whoever writes, and by an orphaned writer until it ends
    discs/        one file a disc, in the stack or in the tray; none while the disc is blank
    taken/        discs that somebody took out of the open tray

The real engine writes to the file of the disc. A disc whose writing was interrupted is spoiled for
ever: that it was begun is in drive.json before the engine starts, and stays there if the power
fails.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from burner.children import DriveLock
from burner.drive import BUTTON_PATIENCE_S, MediaState, MediaStatus, iso_volume_id
from burner.engine import PAD_BLOCKS, Engine, EngineRun
from burner.errors import BurnerError, DriveError, NoMediumError
from burner.messages import Event, RegionSeen
from burner.simulated_state import (
    CAPACITY_BLOCKS,
    DiscStatus,
    DriveFacts,
    Faults,
    Place,
    SimulatedDisc,
    decode,
    encode,
)
from burner.survey import Survey, read_survey
from burner.verify import BLOCK_BYTES, MediumReader

__all__ = [
    "CAPACITY_BLOCKS",
    "DiscStatus",
    "DriveFacts",
    "Faults",
    "Place",
    "SimulatedDisc",
    "SimulatedDrive",
]


class SimulatedDrive:
    """Keeps `burner.drive.DiscDrive`; the methods after `eject` are the person in front of it."""

    def __init__(
        self, folder: Path, *, name: str = "simulated", engine: Engine | None = None
    ) -> None:
        """Uses what is in `folder`, or begins with an empty, closed drive without a stack."""
        self.name = name
        self._folder = folder.absolute()
        self._engine = engine or Engine()
        for sub in ("discs", "taken"):
            (self._folder / sub).mkdir(parents=True, exist_ok=True)
        self._state_lock = DriveLock(self._folder / "drive.lock")
        self._writer_lock = DriveLock(self._folder / "writer.lock")

    # --- what recording needs

    def inspect(self) -> MediaState:
        """Waits for a writer that outlived us, then says what it left. Raises DriveError."""
        with self._writer_lock.hold():
            return self._state_of(self._settled())

    def is_busy(self) -> bool:
        """Whether somebody writes or reads; then `inspect` would wait."""
        return self._writer_lock.is_held()

    def burn(
        self,
        image: Path,
        state: MediaState,
        *,
        on_event: Callable[[Event], None],
        is_cancelled: Callable[[], bool],
    ) -> EngineRun:
        del state  # the speed is a fault here, not a policy
        with self._writer_lock.hold(is_cancelled=is_cancelled) as lock_fd:
            disc, faults = self._begin(image)
            path = self._path(disc)
            run = self._engine.burn(
                f"stdio:{path}",
                image,
                lock_fd=lock_fd,
                speed=faults.speed,
                on_event=on_event,
                is_cancelled=is_cancelled,
                # small steps, else the engine's buffers take a small image at once
                is_stepwise=bool(faults.speed),
                max_file_bytes=(
                    disc.expected_bytes * faults.write_error_percent // 100
                    if faults.write_error_percent is not None
                    else None
                ),
            )
            self._finish(disc, faults)
            return run

    def reload(self) -> MediaState:
        """Closes the tray. Raises NoMediumError if nothing is in it."""
        with self._change() as box:
            _require_present(box.facts.faults)
            box.facts = replace(box.facts, is_open=False)
            if box.facts.in_tray is None:
                raise NoMediumError("no medium in the drive")
        return self.inspect()

    def open_reader(self) -> MediumReader:
        facts = self.look()
        _require_present(facts.faults)
        disc = facts.in_tray
        if disc is None or facts.is_open or not self._path(disc).exists():
            raise NoMediumError("no medium in the drive")
        return _FaultyReader(self._path(disc), facts.faults.unreadable_block)

    def survey(self, first_block: int, end_block: int) -> Survey:
        """By the fault that is set, or where the disc's file ends."""
        with self.open_reader() as reader:
            length = reader.length_bytes() // BLOCK_BYTES
        facts = self.look()
        bad = facts.faults.unreadable_block
        events: list[Event] = []
        for start, end, is_readable in (
            (0, length if bad is None else bad, True),
            *(() if bad is None else ((bad, bad + 1, False), (bad + 1, length, True))),
            (length, end_block, None),
        ):
            quality = {True: "good", False: "unreadable", None: "untested"}[is_readable]
            events.append(RegionSeen(start, max(end - start, 0), quality, is_readable))
        return read_survey(events, first_block, end_block)

    def eject(self) -> None:
        """Opens the tray; the disc lies in it until somebody takes it."""
        with self._change() as box:
            _require_present(box.facts.faults)
            if box.facts.faults.is_jammed:
                raise DriveError("the tray does not open")
            box.facts = replace(box.facts, is_open=True)

    def open_if(self, may_open: Callable[[], bool]) -> bool:
        with self._writer_lock.hold(patience_s=BUTTON_PATIENCE_S):
            if not may_open():
                return False
            self.eject()
            return True

    # --- the person in front of it

    def look(self) -> DriveFacts:
        """Everything there is to see. Raises DriveError if drive.json is damaged."""
        try:
            return decode((self._folder / "drive.json").read_bytes())
        except FileNotFoundError:
            return DriveFacts()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DriveError("the simulated drive's state cannot be read") from error

    def add_blanks(self, count: int, kind: str = "CD-R", *, capacity_blocks: int = 0) -> None:
        """Put blank discs on the stack; capacity 0 is that of the kind."""
        with self._change() as box:
            for _ in range(count):
                number = 1 + max((int(d.name[5:]) for d in box.facts.discs), default=0)
                box.facts = box.facts.with_disc(
                    SimulatedDisc(
                        f"disc-{number:04}", kind, capacity_blocks or CAPACITY_BLOCKS[kind]
                    )
                )

    def insert(self, name: str | None = None) -> str:
        """Take the first disc of the stack, or the disc `name` from wherever it is, put it in,
        close the tray.

        A disc that lies in the open tray is taken out first.

        Returns:
            The disc's name.
        Raises:
            DriveError: Closed with a disc in it, or no such disc.
        """
        self.take()
        with self._change() as box:
            if box.facts.in_tray is not None:
                raise DriveError("there is a disc in the closed tray")
            found = [d for d in box.facts.discs if d.name == name] if name else box.facts.stack[:1]
            if not found:
                raise DriveError("no such disc" if name else "the stack of blank discs is empty")
            disc = found[0]
            if disc.place is Place.TAKEN:
                self._path(disc).rename(self._path(replace(disc, place=Place.TRAY)))
            box.facts = replace(box.facts.with_disc(replace(disc, place=Place.TRAY)), is_open=False)
            return disc.name

    def insert_blank(self, kind: str = "CD-R", *, capacity_blocks: int = 0) -> str:
        """A new blank disc straight into the tray; returns its name."""
        before = {disc.name for disc in self.look().discs}
        self.add_blanks(1, kind, capacity_blocks=capacity_blocks)
        (name,) = {disc.name for disc in self.look().discs} - before
        return self.insert(name)

    def take(self) -> Path | None:
        """Take the disc out of the open tray.

        Returns:
            The file that is the disc now (it may not exist: a blank disc), None if there is none to
            take.
        """
        with self._change() as box:
            disc = box.facts.in_tray
            if disc is None or not box.facts.is_open:
                return None
            taken = replace(disc, place=Place.TAKEN)
            with contextlib.suppress(FileNotFoundError):
                self._path(disc).rename(self._path(taken))
            box.facts = box.facts.with_disc(taken)
            return self._path(taken)

    def press_button(self) -> None:
        """Open a closed tray, close an open one; while a writer holds the drive nothing happens."""
        if self._writer_lock.is_held():
            return
        with self._change() as box:
            box.facts = replace(box.facts, is_open=not box.facts.is_open)

    def set_faults(self, faults: Faults) -> None:
        with self._change() as box:
            box.facts = replace(box.facts, faults=faults)

    def file_of(self, name: str) -> Path:
        """Where the disc's bytes are; the file may not exist yet."""
        return next(self._path(disc) for disc in self.look().discs if disc.name == name)

    # --- inside

    def _path(self, disc: SimulatedDisc) -> Path:
        sub = "taken" if disc.place is Place.TAKEN else "discs"
        return self._folder / sub / f"{disc.name}.iso"

    def _begin(self, image: Path) -> tuple[SimulatedDisc, Faults]:
        """The disc is marked as begun on disk before the engine starts. Returns it and what shall
        go wrong.
        """
        with self._change() as box:
            _require_present(box.facts.faults)
            disc = box.facts.in_tray
            if disc is None or box.facts.is_open:
                raise NoMediumError("no medium in the drive")
            if disc.status is not DiscStatus.BLANK:
                raise DriveError("the simulated disc is not blank")
            disc = replace(
                disc,
                status=DiscStatus.WRITING,
                expected_bytes=image.stat().st_size + PAD_BLOCKS * BLOCK_BYTES,
            )
            faults = box.facts.faults
            if faults.write_error_percent is not None or faults.flip_byte is not None:
                if faults.burns == 0:
                    faults = replace(faults, write_error_percent=None, flip_byte=None)
                elif faults.burns > 0:
                    box.facts = replace(box.facts, faults=replace(faults, burns=faults.burns - 1))
            box.facts = box.facts.with_disc(disc)
        return disc, faults

    def _finish(self, disc: SimulatedDisc, faults: Faults) -> None:
        path = self._path(disc)
        if faults.flip_byte is not None and path.exists():
            with path.open("r+b") as file:
                file.seek(faults.flip_byte)
                byte = file.read(1)
                file.seek(faults.flip_byte)
                file.write(bytes([byte[0] ^ 0x01]) if byte else b"")
        self._settled()

    def _settled(self) -> DriveFacts:
        """The state, after a disc that nobody writes any more was judged. The writer's lock is
        held.
        """
        with self._change() as box:
            disc = box.facts.in_tray
            if disc is not None and disc.status is DiscStatus.WRITING:
                box.facts = box.facts.with_disc(replace(disc, status=self._judge(disc)))
            return box.facts

    def _judge(self, disc: SimulatedDisc) -> DiscStatus:
        """The engine writes front to back: a whole disc has its full length, anything else is
        spoiled.
        """
        try:
            length = self._path(disc).stat().st_size
        except FileNotFoundError:
            length = 0
        return DiscStatus.WRITTEN if length >= disc.expected_bytes else DiscStatus.SPOILED

    def _state_of(self, facts: DriveFacts) -> MediaState:
        _require_present(facts.faults)
        disc = facts.in_tray
        if facts.is_open:
            return MediaState(MediaStatus.NONE, is_tray_open=True)
        if disc is None:
            return MediaState(MediaStatus.NONE)
        if disc.status is DiscStatus.BLANK:
            return MediaState(MediaStatus.BLANK, disc.kind, disc.capacity_blocks)
        status = MediaStatus.CLOSED if disc.status is DiscStatus.WRITTEN else MediaStatus.APPENDABLE
        blocks, volume_id = 0, ""
        with contextlib.suppress(BurnerError):  # nothing readable on it: a spoiled disc
            with MediumReader(self._path(disc)) as reader:
                blocks = reader.length_bytes() // BLOCK_BYTES
                volume_id = iso_volume_id(reader)
        return MediaState(status, disc.kind, 0, blocks, volume_id)

    @contextlib.contextmanager
    def _change(self) -> Iterator[_Box]:
        """Read, change and replace drive.json under its lock; nothing is replaced if the body
        raises.
        """
        with self._state_lock.hold():
            box = _Box(self.look())
            before = box.facts
            yield box
            if box.facts != before:
                self._save(box.facts)

    def _save(self, facts: DriveFacts) -> None:
        temporary = self._folder / "drive.json.new"
        with temporary.open("wb") as file:
            file.write(encode(facts))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / "drive.json")
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class _Box:
    """A value that the body of a `with` replaces."""

    def __init__(self, facts: DriveFacts) -> None:
        self.facts = facts


class _FaultyReader(MediumReader):
    """Fails where a scratched disc would."""

    def __init__(self, path: Path, unreadable_block: int | None) -> None:
        super().__init__(path)
        self._unreadable_block = unreadable_block

    def _read_into(self, view: memoryview, offset: int) -> int:
        if self._unreadable_block is not None:
            bad = self._unreadable_block * BLOCK_BYTES
            if offset <= bad < offset + len(view):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super()._read_into(view, offset)


def _require_present(faults: Faults) -> None:
    if faults.is_gone:
        raise DriveError("no such drive")
