"""A robot's folder service made of a thread: for the demo, for training and for tests, with faults
on demand.

    robot.json   blank discs, mode and faults; replaced as a whole, so any process may look and act
    out/         discs that came out, as images, each with the label that was printed
    rejected/    discs that were thrown out

The job folder itself is as the maker's service has it. `simulated_primera` and `simulated_epson`
speak the two languages; what is here is the machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from burner.children import DriveLock
from burner.errors import DriveError, EngineError
from burner.robots.shares import SharedFolder
from burner.robots.simulated_facts import (
    CONDITIONS,
    SEEN_AS,
    STAGES,
    STEPS,
    RobotFacts,
    RobotFaults,
    SimulatedJob,
)
from burner.robots.staging import Staging

__all__ = ["CONDITIONS", "SEEN_AS", "RobotFacts", "RobotFaults", "SimulatedJob", "SimulatedRobot"]

_MAX_ENDED: Final = 20
_START_S: Final = 10.0


class SimulatedRobot(ABC):
    """The machine. A subclass is its maker's service.

    Used as a context manager it works in a thread of its own; `tick` is one step of it.
    """

    request_suffixes: tuple[str, ...]
    begun_suffixes: tuple[str, ...]

    def __init__(self, folder: Path, *, tick_s: float = 0.2) -> None:
        """
        Args:
            folder: The job folder; made if it is not there.
            tick_s: Seconds a step takes.
        """
        self.folder = folder.absolute()
        self.share = SharedFolder(self.folder, SEEN_AS)
        self._tick_s = tick_s
        for sub in ("", "out", "rejected", "images"):
            (self.folder / sub).mkdir(parents=True, exist_ok=True)
        self._state_lock = DriveLock(self.folder / "robot.lock")
        self._service_lock = DriveLock(self.folder / "service.lock")
        self.jobs: dict[str, SimulatedJob] = {}
        self._stop = threading.Event()
        self._has_looked = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_dead = False
        self.ticks = 0

    # --- the person in front of it

    def look(self) -> RobotFacts:
        """Raises DriveError if robot.json is damaged."""
        try:
            raw: dict[str, Any] = json.loads((self.folder / "robot.json").read_bytes())
            lost = tuple(raw.get("unaccounted", ()))
            known = {"faults": RobotFaults(**raw["faults"]), "unaccounted": lost}
            return RobotFacts(**{**raw, **known})
        except FileNotFoundError:
            return RobotFacts()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DriveError("the simulated robot's state cannot be read") from error

    def fill(self, discs: int) -> None:
        """Put blank discs in."""
        self._change(lambda facts: replace(facts, discs=facts.discs + discs))

    def set_faults(self, faults: RobotFaults) -> None:
        self._change(lambda facts: replace(facts, faults=faults))

    def set_kiosk(self, *, is_on: bool) -> None:
        self._change(lambda facts: replace(facts, is_kiosk=is_on))

    def discs_out(self) -> list[Path]:
        """Every disc that came out, oldest first."""
        return sorted((self.folder / "out").glob("*.iso"))

    def reject_unaccounted(self) -> None:
        """Take out of the output bin what came of jobs that vanished: it is nobody's."""
        for name in self.look().unaccounted:
            if self._disc(name).exists():
                self._reject_disc(self._disc(name))
        self._change(lambda facts: replace(facts, unaccounted=()))

    def _change(self, change: Callable[[RobotFacts], RobotFacts]) -> RobotFacts:
        with self._state_lock.hold():
            facts = change(self.look())
            temporary = self.folder / "robot.json.new"
            temporary.write_text(json.dumps(asdict(facts), indent=1))
            temporary.replace(self.folder / "robot.json")
            return facts

    # --- its service

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Work in a thread, as soon as no other process is this robot's service any more.

        When it returns, what the status files say is of now.
        """
        self._has_looked.clear()
        if self._thread is not None and self._thread.is_alive():
            self._has_looked.wait(_START_S)
            return
        self._stop.clear()
        self.begin()
        self._thread = threading.Thread(target=self._run, name="simulated-robot", daemon=True)
        self._thread.start()
        self._has_looked.wait(_START_S)

    def begin(self) -> None:
        """The service starts: what it had begun is tried again."""
        self.jobs.clear()
        self._is_dead = False

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._stop.is_set():
            if not self._service_lock.is_held():
                with contextlib.suppress(DriveError), self._service_lock.hold(patience_s=0):
                    self.jobs.clear()  # another process had them meanwhile
                    while not self._stop.is_set() and not self._is_dead:
                        self.tick()
                        self._has_looked.set()
                        self._stop.wait(self._tick_s)
            self._has_looked.set()
            if self._is_dead:
                return
            self._stop.wait(self._tick_s)

    def tick(self) -> None:
        """One step of everything."""
        facts = self.look()
        if facts.faults.is_silent or self._is_dead:
            return
        self.ticks += 1
        if not facts.faults.ignores_abort:
            for name in self.take_cancels():
                self._cancel(name)
        self._accept()
        for job in list(self.jobs.values()):
            if not job.end:
                if not self._advance(job):
                    return  # without a word
                break  # one disc at a time
        self.write_status(self.look())
        for name in list(self.jobs)[:-_MAX_ENDED]:
            if self.jobs[name].end:
                del self.jobs[name]

    def _accept(self) -> None:
        for path, is_new in self._requests():
            name = path.stem
            if name in self.jobs:
                continue
            job = self.jobs[name] = SimulatedJob(name)
            if is_new and self.look().faults.refuses:
                self._change(lambda it: replace(it, faults=replace(it.faults, refuses=False)))
                self._end(job, "refused", self.code_of("refused"))
                continue
            try:
                self.read_request(path, job)
                if job.image is None or not job.image.is_file():
                    raise EngineError(self.code_of("no_image"))
            except EngineError as error:
                self._end(job, "refused", str(error))
                continue
            self.rename(job)

    def _requests(self) -> Iterator[tuple[Path, bool]]:
        """Whatever is to be made, first what a service that died had begun."""
        for suffixes, is_new in ((self.begun_suffixes, False), (self.request_suffixes, True)):
            for suffix in suffixes:
                for path in sorted(self.folder.glob(f"*.{suffix}")):
                    yield path, is_new

    def _advance(self, job: SimulatedJob) -> bool:
        """False if the service died of it."""
        facts = self.look()
        if facts.faults.dies_in == job.stage:
            self._change(lambda it: replace(it, faults=replace(it.faults, dies_in="")))
            self._is_dead = True
            return False
        job.waits_for = facts.faults.condition
        if not job.waits_for and job.stage == "loading" and facts.discs == 0:
            job.waits_for = "no_discs"
        if not job.waits_for:
            job.step += 1
            if job.step >= STEPS.get(job.stage, 1):
                self._finish_stage(job, facts)
        if not job.end:
            self.rename(job)
        return True

    def _finish_stage(self, job: SimulatedJob, facts: RobotFacts) -> None:
        following = STAGES[min(STAGES.index(job.stage) + 1, len(STAGES) - 1)]
        if job.stage == "loading":
            self._change(lambda it: replace(it, discs=it.discs - 1))
        elif job.stage == "recording":
            if facts.faults.rejects > 0:
                self._reject(job, facts)
                return
            assert job.image is not None
            shutil.copyfile(job.image, self._disc(job.name).with_suffix(".part"))
        elif job.stage == "verifying":
            assert job.image is not None
            disc = self._disc(job.name).with_suffix(".part")
            if Staging.hash_of(disc) != Staging.hash_of(job.image):
                self._reject(job, facts)
                return
            following = "printing" if job.label is not None else "unloading"
        elif job.stage == "printing":
            assert job.label is not None
            shutil.copyfile(job.label, self._disc(job.name).with_suffix(job.label.suffix))
        elif job.stage == "unloading":
            self._disc(job.name).with_suffix(".part").replace(self._disc(job.name))
            job.good += 1
            self._change(lambda it: replace(it, made=it.made + 1))
            self._end(job, "done", "")
            return
        job.stage, job.step = following, 0

    def _reject(self, job: SimulatedJob, facts: RobotFacts) -> None:
        job.bad += 1
        self._throw_out(job)
        left = max(facts.faults.rejects - 1, 0)
        self._change(lambda it: replace(it, faults=replace(it.faults, rejects=left)))
        if job.bad >= facts.faults.max_rejects:
            self._end(job, "failed", self.code_of("too_many_rejects"))
        else:
            job.stage, job.step = "loading", 0

    def _throw_out(self, job: SimulatedJob) -> None:
        self._reject_disc(self._disc(job.name).with_suffix(".part"))

    def _reject_disc(self, disc: Path) -> None:
        number = self._change(lambda it: replace(it, rejected=it.rejected + 1)).rejected
        with contextlib.suppress(FileNotFoundError):
            disc.rename(self.folder / "rejected" / f"disc-{number:04}.iso")

    def _disc(self, name: str) -> Path:
        return self.folder / "out" / f"{name}.iso"

    def _cancel(self, name: str) -> None:
        job = self.jobs.get(name)
        if job is None or job.end:
            return
        if job.stage not in ("queued", "loading"):
            job.bad += 1
            self._throw_out(job)
        self._end(job, "aborted", self.code_of("aborted"))

    def _end(self, job: SimulatedJob, end: str, error: str) -> None:
        job.end, job.error, job.waits_for = end, error, ""
        if self.look().faults.vanishes:
            self._change(
                lambda it: replace(
                    it,
                    faults=replace(it.faults, vanishes=False),
                    unaccounted=(*it.unaccounted, job.name),
                )
            )
            self.sweep(job)
            del self.jobs[job.name]
        else:
            self.rename(job)

    def rename_to(self, name: str, suffix: str) -> None:
        """Give the job's file another suffix, whichever it has."""
        known = (*self.request_suffixes, *self.begun_suffixes)
        for path in (self.folder / f"{name}.{it}" for it in known):
            if path.exists() and path.suffix != f".{suffix}":
                path.rename(path.with_suffix(f".{suffix}"))

    def write_file(self, path: Path, lines: list[str], faults: RobotFaults) -> None:
        """As the real ones do: in place, so that a reader may find half of it."""
        data = "".join(f"{line}\r\n" for line in lines).encode("cp1252")
        if faults.cuts_status:
            data = data[: len(data) // 5]
        path.parent.mkdir(exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)

    def file_of(self, seen: str) -> Path:
        """Raises EngineError with the maker's code for a file that is not to be found."""
        try:
            return self.share.localize(seen)
        except EngineError as error:
            raise EngineError(self.code_of("no_image")) from error

    # --- the maker's language

    @abstractmethod
    def take_cancels(self) -> list[str]:
        """Names of jobs that are to be stopped; each is told once."""

    @abstractmethod
    def read_request(self, path: Path, job: SimulatedJob) -> None:
        """Fill in image and label. Raises EngineError with the maker's code."""

    @abstractmethod
    def code_of(self, what: str) -> str:
        """The maker's code for refused, no_image, too_many_rejects, aborted or a condition."""

    @abstractmethod
    def rename(self, job: SimulatedJob) -> None: ...

    def sweep(self, job: SimulatedJob) -> None:
        for suffix in (*self.request_suffixes, *self.begun_suffixes, "DON", "ERR"):
            (self.folder / f"{job.name}.{suffix}").unlink(missing_ok=True)

    @abstractmethod
    def write_status(self, facts: RobotFacts) -> None: ...
