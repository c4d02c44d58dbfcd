"""What every robot is to us: one interface, and the facts that go over it.

Another maker's robot is plugged in by keeping `Robot` and being built in `kiosk.bootstrap`.
Rimage's is not here: its orders are XML documents against DTDs that only come with the vendor's
kit, over a client library. `prepare` would write the production order, `launch` hand it in, `job`
and `look` map the status messages.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol


class Mend(Enum):
    """Who can help."""

    DISCS = "discs"  # whoever fills the bins with blank discs
    PERSON = "person"  # somebody at the robot: ink, cover, a stuck tray
    RETRY = "retry"  # nobody has to: that disc is scrap, another may do
    ROBOT = "robot"  # the maker's service, or switching it off and on
    OURS = "ours"  # whoever configured it, or we ourselves: the job was wrong


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that a robot reports.

    Attributes:
        code: Maker, kind and number, such as "primera.system.15"; stable.
        text: In plain words. Never the robot's own: those may speak of other jobs on it.
    """

    code: str
    mend: Mend
    text: str

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


class Stage(Enum):
    """Where a job is."""

    ABSENT = "absent"  # there is no file of it: never placed, or ended and swept away
    SUBMITTED = "submitted"  # not seen by the robot's service yet
    QUEUED = "queued"
    LOADING = "loading"  # a disc is taken from the bin, nothing is written yet
    RECORDING = "recording"
    VERIFYING = "verifying"
    PRINTING = "printing"
    UNLOADING = "unloading"
    REJECTING = "rejecting"
    WORKING = "working"  # under way, and the robot does not say at what, or a word that is new
    PAUSED = "paused"  # waits for a person
    ENDING = "ending"  # has ended, and what became of it is not written yet
    DONE = "done"
    FAILED = "failed"
    ABORTED = "aborted"


ENDED = frozenset([Stage.DONE, Stage.FAILED, Stage.ABORTED])
UNTOUCHED = frozenset([Stage.SUBMITTED, Stage.QUEUED, Stage.LOADING])
"""No disc is spent yet."""


@dataclass(frozen=True, slots=True)
class JobStatus:
    """What a robot says of one job.

    Attributes:
        percent: Of the stage, or of the whole job if the stage is WORKING; None if it is not told.
        good: Discs that came out well, -1 if it is not told.
        bad: Discs that were thrown out, 0 also if it is not told.
    """

    stage: Stage
    percent: int | None = None
    good: int = -1
    bad: int = 0
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class RobotState:
    """What a robot says of itself.

    Attributes:
        pulse: Changes as long as the service lives.
        age_s: Seconds since it was written by our clock; the other one may be set differently.
        discs: Blank discs in the bins, -1 if it does not know.
        is_kiosk: Whether it puts discs out at the front; None if it does not say.
        ink: Percent left of each cartridge.
        trouble: What keeps it from working now.
    """

    pulse: str
    age_s: float
    discs: int = -1
    is_kiosk: bool | None = None
    ink: tuple[int, ...] = ()
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class RobotJob:
    """One disc to be made.

    Attributes:
        name: 1 to 32 letters, digits, "-" and "_"; names the job's files, and the job.
        image: Finished ISO 9660 image, where the robot's PC sees it too.
        label: A file of one of `Robot.label_suffixes` beside it; None for a disc without print.
        speed: Multiples of 1x, 0 for the robot's own choice.
    """

    name: str
    image: Path
    volume_id: str
    label: Path | None = None
    speed: int = 0


class Clock(Protocol):
    """Our own time; another one makes hours pass at once."""

    def monotonic(self) -> float: ...
    def time(self) -> float:
        """Seconds since 1970, to be held against files' times."""
        ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """Keeps `Clock`."""

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Robot(Protocol):
    """One robot behind its service. All calls are short; none waits for the robot.

    Raises, wherever a folder is looked into: RobotSilentError if it cannot be reached,
    RobotStatusError if what the service wrote cannot be made sense of (yet).
    """

    label_suffixes: tuple[str, ...]

    def look(self) -> RobotState: ...
    def prepare(self, job: RobotJob) -> None:
        """Write the job's file under a name that the service does not look at, safe on its disk.

        Raises:
            RobotRefusedError: Something of it cannot be written into such a file.
        """
        ...

    def is_prepared(self, name: str) -> bool:
        """Whether it lies there so: then it was never launched."""
        ...

    def launch(self, name: str) -> None:
        """Rename it, at once and as a whole."""
        ...

    def job(self, name: str) -> JobStatus: ...
    def withdraw(self, name: str) -> bool:
        """Take a job back that the service has not seen; False if it has."""
        ...

    def abort(self, name: str) -> None:
        """Ask the service to stop the job; its status tells what became of it."""
        ...

    def tidy(self, name: str) -> None:
        """Remove every file of an ended job. Raises RobotSilentError if one stays."""
        ...

    def folders(self) -> tuple[Path, ...]:
        """What must be reachable and writable."""
        ...
