"""What we remember of the one disc that a robot makes for us, safe on our own disk.

    (none) -> STAGED -> PLACING -> PLACED -> DONE | SPOILED | LOST -> (none)

A job's file is written aside before PLACING is committed and renamed after it, so that after a
crash the file itself tells whether the robot may have seen it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from burner.errors import DriveError
from burner.robots.text_files import JOB_NAME, sync_folder

MAX_BYTES: Final = 1 << 20
MAX_LEFT: Final = 100
VERSION: Final = 1


class Phase(StrEnum):
    STAGED = "staged"  # the image lies where the robot will read it
    PLACING = "placing"
    PLACED = "placed"
    DONE = "done"  # the robot says that there is a good disc
    SPOILED = "spoiled"  # what there is of discs is scrap
    LOST = "lost"  # nobody can tell; staff were told to destroy what came out


@dataclass(frozen=True, slots=True)
class Disc:
    """The disc that is being made, or is made and not handed over.

    Attributes:
        name: Of the robot's job, and of our files in the shared folder.
        sha256: Of the image, hexadecimal.
        label_suffix: Of the label in the shared folder, "" for none.
        has_begun: A disc was seen being written or thrown out.
        rejected: Discs that the robot threw out before this one.
    """

    name: str
    volume_id: str
    sha256: str
    image_bytes: int
    phase: Phase
    label_suffix: str = ""
    has_begun: bool = False
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Remembered:
    """The whole of it.

    Attributes:
        number: Of the last job; no job of ours ever has another's name.
        left: Names of ended jobs of which files could not be removed yet.
    """

    number: int = 0
    disc: Disc | None = None
    left: tuple[str, ...] = field(default=())


class Memory:
    """A file that is replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Remembered:
        """Raises DriveError if it is damaged: then nobody knows what the robot has of ours."""
        try:
            with self._path.open("rb") as file:
                data = file.read(MAX_BYTES)
            raw: dict[str, Any] = json.loads(data)
            if raw.pop("version") != VERSION:
                raise ValueError("another version")
            disc = raw["disc"] and Disc(**{**raw["disc"], "phase": Phase(raw["disc"]["phase"])})
            found = Remembered(int(raw["number"]), disc, tuple(raw["left"]))
            names = [*found.left, *([disc.name] if disc else [])]
            if not all(JOB_NAME.fullmatch(name) for name in names):
                raise ValueError("a name that is none of ours")
            return found
        except FileNotFoundError:
            return Remembered()
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise DriveError("what is remembered of the robot's jobs cannot be read") from error

    def save(self, remembered: Remembered) -> None:
        """Raises DriveError if it cannot be kept; then nothing may be given to the robot."""
        raw = {"version": VERSION, **asdict(remembered)}
        raw["left"] = list(remembered.left[-MAX_LEFT:])
        temporary = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with temporary.open("w") as file:
                json.dump(raw, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except OSError as error:
            raise DriveError(f"a robot's job cannot be remembered: {error.strerror}") from error
        sync_folder(self._path.parent)
