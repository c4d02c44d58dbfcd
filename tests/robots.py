"""Robots for tests: the whole recorder on a simulated robot, which works while we wait for it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from burner.robots.epson import EpsonRobot, EpsonSettings
from burner.robots.follow import Patience
from burner.robots.primera import PrimeraRobot, PrimeraSettings
from burner.robots.recorder import RecorderSettings, RobotRecorder
from burner.robots.robot import Robot
from burner.robots.shares import SharedFolder
from burner.robots.simulated import SEEN_AS, RobotFaults, SimulatedRobot
from burner.robots.simulated_epson import SimulatedEpson
from burner.robots.simulated_primera import SimulatedPrimera
from burner.robots.staging import Staging

PATIENCE = Patience()


class MachineClock:
    """Every sleep of ours is a step of the machine: nothing depends on who is faster.

    Attributes:
        is_running: Whether the robot's service is.
        at_sleep: Called with the number of each sleep, from 1.
    """

    def __init__(self, machine: SimulatedRobot) -> None:
        self._machine, self._now = machine, 0.0
        self.is_running = True
        self.at_sleep: Callable[[int], object] = lambda _number: None
        self._sleeps = 0
        self._started_at = time.time()

    def monotonic(self) -> float:
        return self._now

    def time(self) -> float:
        return self._started_at + self._now

    def stamp(self) -> None:
        """Status files get our time: they were written just now."""
        for path in (*self._machine.folder.glob("Status/*"), *self._machine.folder.glob("TDB*")):
            os.utime(path, (self.time(), self.time()))

    def sleep(self, seconds: float) -> None:
        self._now += seconds
        self._sleeps += 1
        self.at_sleep(self._sleeps)
        if self.is_running:
            self.tick()

    def tick(self) -> None:
        """A step of the machine."""
        before = self._machine.ticks
        self._machine.tick()
        if self._machine.ticks > before:
            self.stamp()


@dataclass
class Rig:
    """A simulated robot and what makes discs with it. `again` is the same after a restart of ours.

    Attributes:
        progress: Percent of what was told, each once.
    """

    maker: str
    machine: SimulatedRobot
    robot: Robot
    clock: MachineClock
    recorder: RobotRecorder
    again: Callable[[], RobotRecorder]
    progress: list[int] = field(default_factory=list)

    def tell(self, done: int, total: int) -> None:
        percent = done * 100 // total
        if percent not in self.progress[-1:]:
            self.progress.append(percent)

    def faults(self, faults: RobotFaults) -> None:
        """From the next look on."""
        self.machine.set_faults(faults)
        self.clock.tick()

    def files(self) -> set[str]:
        """Everything of ours that lies in the folders: job files, images, labels."""
        kept = {"robot.json", "robot.lock", "service.lock", "TDBStatus.txt"}
        found = [*self.machine.folder.iterdir(), *(self.machine.folder / "images").iterdir()]
        return {path.name for path in found if path.is_file()} - kept


def make_rig(
    maker: str,
    folder: Path,
    *,
    discs: int = 5,
    is_kiosk: bool | None = None,
    patience: Patience = PATIENCE,
    design: str = "",
) -> Rig:
    """`maker` is "primera" or "epson". It has written its status once."""
    jobs = folder / "share"
    machine: SimulatedRobot
    robot: Robot
    machine = SimulatedPrimera(jobs) if maker == "primera" else SimulatedEpson(jobs)
    clock = MachineClock(machine)
    images = SharedFolder(machine.folder / "images", SEEN_AS + "\\images")
    if maker == "primera":
        robot = PrimeraRobot(machine.folder, images, PrimeraSettings(), clock)
    else:
        field_name = "picture" if design else ""
        robot = EpsonRobot(
            machine.folder, images, EpsonSettings(design=design, field=field_name), clock
        )
    machine.fill(discs)
    clock.tick()
    settings = RecorderSettings("SENDHOME", "cd", 300_000, is_kiosk=is_kiosk)

    def recorder() -> RobotRecorder:
        return RobotRecorder(
            robot,
            Staging(images.local),
            folder / "state" / "robot.json",
            settings,
            patience,
            clock=clock,
        )

    return Rig(maker, machine, robot, clock, recorder(), recorder)
