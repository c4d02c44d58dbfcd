"""What a simulated robot remembers and is told: its discs, what shall go wrong, its jobs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

SEEN_AS: Final = "\\\\SIMULATED\\robot"
CONDITIONS: Final = ("no_discs", "ink_empty", "cover_open", "tray_stuck", "unknown")
STAGES: Final = ("queued", "loading", "recording", "verifying", "printing", "unloading")
STEPS: Final = {"recording": 4}  # ticks a stage takes, 1 if it is not here


@dataclass(frozen=True, slots=True)
class RobotFaults:
    """What goes wrong.

    Attributes:
        condition: One of `CONDITIONS`; whatever is under way waits until it is over. "" for none.
        rejects: How many of the next discs fail in the recorder.
        max_rejects: After so many in a row the job fails.
        refuses: The next job is refused as wrong.
        vanishes: The next job's files are swept away when it ends, and nothing is told of it.
        ignores_abort: A job cannot be stopped.
        is_silent: The service neither works nor writes.
        dies_in: Stage in which the service stops, once, until it is started; "" for none.
        cuts_status: Every status file is half written.
        says_nonsense: Stages and states are told by numbers that nobody knows.
    """

    condition: str = ""
    rejects: int = 0
    max_rejects: int = 3
    refuses: bool = False
    vanishes: bool = False
    ignores_abort: bool = False
    is_silent: bool = False
    dies_in: str = ""
    cuts_status: bool = False
    says_nonsense: bool = False


@dataclass(frozen=True, slots=True)
class RobotFacts:
    """The whole of robot.json.

    Attributes:
        unaccounted: Jobs that vanished: nobody was told what became of their discs.
    """

    discs: int = 0
    is_kiosk: bool = False
    made: int = 0
    rejected: int = 0
    unaccounted: tuple[str, ...] = ()
    faults: RobotFaults = field(default_factory=RobotFaults)


@dataclass
class SimulatedJob:
    """One job on its way.

    Attributes:
        end: "" while it is under way; "done", "failed", "refused" or "aborted".
        error: In the maker's own code, for the status file.
        waits_for: One of `CONDITIONS`, "" for nothing.
    """

    name: str
    image: Path | None = None
    label: Path | None = None
    stage: str = "queued"
    step: int = 0
    good: int = 0
    bad: int = 0
    end: str = ""
    error: str = ""
    waits_for: str = ""

    @property
    def percent(self) -> int:
        return self.step * 100 // STEPS.get(self.stage, 1)
