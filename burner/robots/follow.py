"""Watching a robot at one job until it has ended: progress, signs of life, cancel, and what an end
means.

Time is ours alone, counted while we look: the robot's clock may be set otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from burner.errors import (
    BurnerError,
    CancelledError,
    DriveError,
    NoMediumError,
    RobotHelpError,
    RobotLostError,
    RobotRefusedError,
    RobotSilentError,
    RobotStatusError,
    SpoiledMediumError,
)
from burner.robots.memory import Disc, Phase
from burner.robots.robot import (
    ENDED,
    UNTOUCHED,
    Clock,
    JobStatus,
    Mend,
    Robot,
    RobotState,
    Stage,
    Trouble,
)

_AHEAD_S: Final = 5.0  # of a status file's time before ours: clocks differ by a little
_SPAN: Final[dict[Stage, tuple[int, int]]] = {  # percent of the whole at begin and end of a stage
    Stage.RECORDING: (15, 60),
    Stage.VERIFYING: (60, 85),
    Stage.PRINTING: (85, 95),
    Stage.UNLOADING: (95, 99),
    Stage.WORKING: (15, 95),
}
STAGED_PERCENT: Final = 10
"""Of the whole, when the image lies where the robot reads it."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds.

    Attributes:
        heartbeat_s: Without a sign of life, after which a robot counts as dead.
        help_s: That a robot may wait for a person with our disc before staff are told.
        vanished_s: Until a job without any file is believed to be gone.
        accept_s: Until a service that lives must have seen a job.
        abort_s: Until a job must have ended that was asked to.
        stuck_s: Without any change of a job, until staff are told.
        poll_s: Between looks.
    """

    heartbeat_s: float = 30.0
    help_s: float = 120.0
    vanished_s: float = 15.0
    accept_s: float = 120.0
    abort_s: float = 300.0
    stuck_s: float = 3600.0
    poll_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How following ended.

    Attributes:
        disc: What is to be remembered.
        is_untouched: No disc was spent and the robot has nothing of ours: forget it.
        error: What to raise, None for a good disc.
        needs_answer: What is wrong is nothing that the robot says itself.
    """

    disc: Disc
    is_untouched: bool = False
    error: BurnerError | None = None
    needs_answer: bool = False


def needs_discs(state: RobotState) -> bool:
    """Whether blank discs are all that is wanting."""
    if state.trouble is not None:
        return state.trouble.mend is Mend.DISCS
    return state.discs == 0


class Follower:
    """One robot, watched."""

    def __init__(self, robot: Robot, patience: Patience, clock: Clock) -> None:
        self._robot, self._patience, self._clock = robot, patience, clock

    def await_life(self) -> RobotState:
        """The robot's state, once it is sure that the state is of now.

        Raises:
            RobotSilentError: Nothing changed for `Patience.heartbeat_s`, or nothing is there.
        """
        limit_s = self._patience.heartbeat_s
        end = self._clock.monotonic() + limit_s
        first: RobotState | None = None
        while True:
            try:
                state = self._robot.look()
            except RobotStatusError as error:
                if self._clock.monotonic() >= end:
                    raise RobotSilentError(str(error)) from error
                state = None
            if state is not None:
                if self.is_young(state) or (first is not None and state.pulse != first.pulse):
                    return state
                first = first or state
            if self._clock.monotonic() >= end:
                raise RobotSilentError(f"the robot shows no sign of life for {limit_s:g} s")
            self._clock.sleep(self._patience.poll_s)

    def is_young(self, state: RobotState) -> bool:
        """Whether its age alone proves life."""
        return -_AHEAD_S <= state.age_s <= self._patience.heartbeat_s

    def follow(
        self,
        disc: Disc,
        on_progress: Callable[[int, int], None],
        is_cancelled: Callable[[], bool],
        keep: Callable[[Disc], Disc],
        *,
        may_give_back: bool,
    ) -> Outcome:
        """Until the job has ended, or somebody has to come.

        Args:
            keep: Remembers a change of the disc at once.
            may_give_back: Whether a job that waits for blank discs is taken back, so that it can
                be asked for them as of any drive.
        """
        watch = _Watch(self._robot, self._patience, self._clock, disc)
        while True:
            status = watch.look()
            if not watch.disc.has_begun and _has_begun(status):
                watch.disc = keep(replace(watch.disc, has_begun=True))
            if status.stage in ENDED:
                return self._judge(watch, status)
            if watch.is_lost(status):
                lost = replace(watch.disc, phase=Phase.LOST)
                text = f"robot.lost: job {disc.name} vanished: destroy its disc if one came out"
                return Outcome(lost, error=RobotLostError(text))
            if not watch.is_stopping and is_cancelled():
                watch.is_cancelled = True
                if self._stop(watch):
                    return Outcome(watch.disc, True, CancelledError(spoiled=False))
            trouble = watch.waits_for(status)
            if trouble is not None and not watch.is_stopping:
                is_idle = not watch.disc.has_begun
                if trouble.mend is Mend.DISCS and is_idle and may_give_back:
                    watch.stopped_for = trouble
                    if self._stop(watch):
                        return Outcome(watch.disc, True, NoMediumError(str(trouble)))
                elif trouble.mend is Mend.DISCS or watch.is_helpless_long():
                    return Outcome(watch.disc, error=RobotHelpError(str(trouble)))
            if error := watch.overdue(status):
                is_silent = isinstance(error, RobotSilentError)
                return Outcome(watch.disc, error=error, needs_answer=not is_silent)
            watch.tell(status, on_progress)
            self._clock.sleep(self._patience.poll_s)

    def _stop(self, watch: _Watch) -> bool:
        """Take the job back; True if the robot had not seen it."""
        watch.stopped_at = self._clock.monotonic()
        if self._robot.withdraw(watch.disc.name):
            return True
        self._robot.abort(watch.disc.name)
        return False

    def _judge(self, watch: _Watch, status: JobStatus) -> Outcome:
        """What the end of a job means. A wish to cancel that came too late changes nothing."""
        disc, why = watch.disc, status.trouble
        if status.stage is Stage.DONE:
            return Outcome(replace(disc, phase=Phase.DONE, rejected=status.bad))
        spent = status.bad or int(disc.has_begun)
        is_told = status.good == 0 or status.stage is Stage.ABORTED
        if status.stage is Stage.FAILED and not spent and why is None and not is_told:
            spent = 1  # it does not say: a disc that may be written is scrap
        if why is not None and why.mend is Mend.RETRY:
            spent = max(spent, 1)
        if spent:
            spoiled = replace(disc, phase=Phase.SPOILED, rejected=spent)
            if watch.is_cancelled:
                return Outcome(spoiled, error=CancelledError(spoiled=True))
            text = str(why) if why else "the robot's job failed"
            return Outcome(spoiled, error=SpoiledMediumError(text, discs=spent))
        return Outcome(disc, True, _untouched(watch, why))


def _untouched(watch: _Watch, why: Trouble | None) -> BurnerError:
    """Why no disc was made."""
    if watch.is_cancelled:
        return CancelledError(spoiled=False)
    if watch.stopped_for is not None:
        return NoMediumError(str(watch.stopped_for))
    if why is None:
        return RobotHelpError("robot.ended: the robot ended the job without a disc")
    match why.mend:
        case Mend.DISCS:
            return NoMediumError(str(why))
        case Mend.OURS:
            return RobotRefusedError(str(why))
        case _:
            return RobotHelpError(str(why))


def _has_begun(status: JobStatus) -> bool:
    """Whether a disc was touched. A pause alone does not tell."""
    return status.bad > 0 or status.stage not in (
        *UNTOUCHED, Stage.ABSENT, Stage.PAUSED, Stage.ENDING, Stage.FAILED, Stage.ABORTED
    )  # fmt: skip


class _Watch:
    """What one following has seen."""

    def __init__(self, robot: Robot, patience: Patience, clock: Clock, disc: Disc) -> None:
        self._robot, self._patience, self._now = robot, patience, clock.monotonic
        self.disc = disc
        self.is_cancelled = False
        self.stopped_for: Trouble | None = None
        self.stopped_at: float | None = None
        now = self._now()
        self._begun_at = self._alive_at = now
        self._absent_since: float | None = None
        self._helpless_since: float | None = None
        self._pulse = ""
        self._state: RobotState | None = None
        self._told = 0
        self._status, self._changed_at = JobStatus(Stage.ABSENT), now

    @property
    def is_stopping(self) -> bool:
        return self.stopped_at is not None

    def look(self) -> JobStatus:
        """Raises nothing for a robot that cannot be reached: `overdue` counts how long."""
        now = self._now()
        try:
            self._state = self._robot.look()
            if self._state.pulse != self._pulse:
                self._pulse, self._alive_at = self._state.pulse, now
        except (RobotSilentError, RobotStatusError):
            self._state = None
        try:
            status = self._robot.job(self.disc.name)
        except (RobotSilentError, RobotStatusError):
            return JobStatus(Stage.WORKING if self.disc.has_begun else Stage.QUEUED)
        if status != self._status:
            self._status, self._changed_at = status, now
        if status.stage is not Stage.ABSENT:
            self._absent_since = None
        elif self._absent_since is None:
            self._absent_since = now
        return status

    def is_lost(self, status: JobStatus) -> bool:
        if status.stage is not Stage.ABSENT or self._absent_since is None:
            return False
        return self._now() - self._absent_since >= self._patience.vanished_s

    def waits_for(self, status: JobStatus) -> Trouble | None:
        """What the robot waits for, None if it does not wait."""
        found = self._state.trouble if self._state is not None else None
        if status.stage is Stage.PAUSED:
            paused = Trouble("robot.paused", Mend.PERSON, "the robot waits: look at its PC")
            found = status.trouble or found or paused
        elif status.trouble is not None and status.stage not in ENDED:
            found = status.trouble
        if found is None:
            self._helpless_since = None
        elif self._helpless_since is None:
            self._helpless_since = self._now()
        return found

    def is_helpless_long(self) -> bool:
        """Whether nobody came by himself, as for a cover that is opened and closed again."""
        since = self._helpless_since
        return since is not None and self._now() - since >= self._patience.help_s

    def overdue(self, status: JobStatus) -> DriveError | None:
        """What took too long."""
        now, patience = self._now(), self._patience
        if now - self._alive_at >= patience.heartbeat_s:
            return RobotSilentError(
                f"the robot shows no sign of life for {patience.heartbeat_s:g} s, job"
                f" {self.disc.name} is with it"
            )
        if self.stopped_at is not None and now - self.stopped_at >= patience.abort_s:
            return RobotHelpError(f"robot.abort: the robot does not stop job {self.disc.name}")
        if status.stage is Stage.SUBMITTED and now - self._begun_at >= patience.accept_s:
            return RobotHelpError(f"robot.ignored: the robot does not take job {self.disc.name}")
        if now - self._changed_at >= patience.stuck_s:
            return RobotHelpError(f"robot.stuck: nothing happens to job {self.disc.name}")
        return None

    def tell(self, status: JobStatus, on_progress: Callable[[int, int], None]) -> None:
        """Never less than before."""
        low, high = _SPAN.get(status.stage, (STAGED_PERCENT, STAGED_PERCENT))
        percent = low + (high - low) * (status.percent or 0) // 100
        self._told = max(self._told, percent)
        on_progress(self.disc.image_bytes * self._told // 100, self.disc.image_bytes)
