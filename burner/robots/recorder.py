"""One disc made by a robot, as if the robot were a drive: its finished disc "is in it" until
`eject`.

A robot burns, compares, prints and puts out in one go. Nothing of ours reads the disc: the image is
proven where the robot reads it, before and after, and the rest is the robot's own word. So whoever
uses this looks at the image (`stage`, `open_reader`) before anything is made, not after.

A job is given to the robot at most once (`memory`). What is found after a restart is waited for;
what has vanished is never called a success, nor simply made again: staff are asked first.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from burner.children import DriveLock, never
from burner.drive import MediaState, MediaStatus, iso_volume_id, require_space
from burner.errors import (
    BurnerError,
    DriveError,
    NoMediumError,
    RobotHelpError,
    RobotLostError,
    RobotRefusedError,
    RobotSilentError,
    RobotStatusError,
    UnsuitableMediumError,
    VerificationError,
)
from burner.record import measure
from burner.robots.follow import STAGED_PERCENT, Follower, Patience, needs_discs
from burner.robots.memory import Disc, Memory, Phase, Remembered
from burner.robots.recording import KINDS, RecorderSettings, RobotDisc
from burner.robots.robot import Clock, Robot, RobotJob, RobotState, Stage, SystemClock
from burner.robots.staging import Staging
from burner.verify import BLOCK_BYTES, MediumReader, verify

__all__ = ["RecorderSettings", "RobotDisc", "RobotRecorder"]

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]")

OnProgress = Callable[[int, int], None]


class RobotRecorder:
    """A robot as a place where discs are made, one at a time."""

    def __init__(
        self,
        robot: Robot,
        staging: Staging,
        memory_file: Path,
        settings: RecorderSettings,
        patience: Patience | None = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        self._robot, self._staging, self._settings = robot, staging, settings
        self._memory = Memory(memory_file)
        self._lock = DriveLock(memory_file.with_suffix(".lock"))
        self._needs_answer = False
        self._follower = Follower(robot, patience or Patience(), clock or SystemClock())

    @property
    def label_suffixes(self) -> tuple[str, ...]:
        """What the robot prints, as its maker has it, the best first."""
        return self._robot.label_suffixes

    @property
    def kind(self) -> str:
        return KINDS[self._settings.disc]

    # --- what is in it

    def inspect(self) -> MediaState:
        """The finished or begun disc, else whether a blank one is at hand.

        Raises:
            RobotSilentError: No sign of life. RobotHelpError: It waits for a person.
        """
        disc = self._memory.load().disc
        if disc is not None and disc.phase is not Phase.STAGED:
            if disc.phase is Phase.SPOILED:
                return MediaState(MediaStatus.APPENDABLE, self.kind)
            blocks = disc.image_bytes // BLOCK_BYTES
            return MediaState(MediaStatus.CLOSED, self.kind, 0, blocks, disc.volume_id)
        if needs_discs(self._ready()):
            return MediaState(MediaStatus.NONE)
        return MediaState(MediaStatus.BLANK, self.kind, self._settings.capacity_blocks)

    def _ready(self) -> RobotState:
        """Alive, and with nothing but discs wanting."""
        state = self._follower.await_life()
        wanted = self._settings.is_kiosk
        if wanted is not None and state.is_kiosk is not None and state.is_kiosk != wanted:
            now, not_now = ("on", "off") if state.is_kiosk else ("off", "on")
            raise RobotHelpError(
                f"robot.kiosk_mode: the robot's kiosk mode is {now}, configured is {not_now}: discs"
                " would come out where they are not meant to"
            )
        if state.trouble is not None and not needs_discs(state):
            raise RobotHelpError(str(state.trouble))
        return state

    def is_well(self) -> bool:
        """Whether the robot says now that nothing is wrong. Never waits, never raises.

        False also if what was wrong is nothing that it would say itself.
        """
        if self._needs_answer:
            return False
        try:
            disc = self._memory.load().disc
            if disc is not None and disc.phase is Phase.LOST:
                return False  # only staff know what they did with the disc
            state = self._robot.look()
            if disc is not None and disc.phase is Phase.PLACED:
                status = self._robot.job(disc.name)
                if status.stage is Stage.PAUSED or status.trouble is not None:
                    return False
        except DriveError:
            return False
        is_meant = self._settings.is_kiosk in (None, state.is_kiosk)
        return self._follower.is_young(state) and state.trouble is None and is_meant

    def examine(self) -> str:
        """Everything that can be looked at without making a disc, in words for staff.

        Raises:
            RobotSilentError, RobotHelpError, NoMediumError: And its family.
        """
        for folder in self._robot.folders():
            try:
                if folder == self._staging.folder:
                    self._staging.make()
                with tempfile.TemporaryFile(prefix="sendhome-doctor-", dir=folder) as file:
                    file.write(b"x")
            except OSError as error:
                raise RobotSilentError(f"{folder}: {error.strerror}") from error
        state = self._ready()
        if needs_discs(state):
            raise NoMediumError("the robot lives, but has no blank discs")
        discs = "an unknown number of" if state.discs < 0 else str(state.discs)
        ink = f", ink {min(state.ink)} % at the least" if state.ink else ""
        disc = self._memory.load().disc
        job = f", job {disc.name} is {disc.phase.value}" if disc else ""
        return f"folders can be written, the robot lives, {discs} {self.kind} in it{ink}{job}"

    # --- making one

    def stage(
        self,
        image: Path,
        sha256: str | None = None,
        *,
        label: Path | None = None,
        on_progress: OnProgress,
        is_cancelled: Callable[[], bool] = never,
    ) -> None:
        """Bring the image to where the robot reads it, and prove it there. No disc is touched.

        Args:
            sha256: What the image must be, None if nobody knows.
            label: A file that the robot prints, None for none; of `Robot.label_suffixes`.
        Raises:
            UnsuitableMediumError: There is a disc of ours that was not taken out.
            VerificationError, EngineError, RobotSilentError, CancelledError: Nothing was made.
        """
        size = measure(image)
        if label is not None and label.suffix.lower() not in self._robot.label_suffixes:
            allowed = ", ".join(self._robot.label_suffixes)
            raise RobotRefusedError(f"the robot prints {allowed}, not {label.suffix.lower()}")
        with self._lock.hold(is_cancelled=is_cancelled):
            known = self._tidied(self._memory.load())
            if known.disc is not None and known.disc.phase is not Phase.STAGED:
                raise UnsuitableMediumError("a disc of ours is in the robot", reason="not_blank")
            if known.disc is not None:
                self._staging.remove(known.disc.name)
            with MediumReader(image) as reader:
                volume_id = iso_volume_id(reader)
            disc = Disc(self._name(known.number + 1, volume_id), volume_id, "", size, Phase.STAGED)
            known = replace(known, number=known.number + 1, disc=disc)
            self._memory.save(known)  # before the first byte: what is left behind has a name
            found = self._staging.put(
                image,
                disc.name,
                sha256,
                on_progress=lambda done, _: on_progress(done * STAGED_PERCENT // 100, size),
                is_cancelled=is_cancelled,
            )
            suffix = self._staging.put_label(label, disc.name) if label is not None else ""
            disc = replace(disc, sha256=found, label_suffix=suffix)
            self._memory.save(replace(known, disc=disc))

    def _name(self, number: int, volume_id: str) -> str:
        short = _NOT_IN_A_NAME.sub("_", volume_id)[:11] or "DISC"
        return f"{self._settings.client}-{number % 100_000:05}-{short}"

    def staged(self) -> Disc | None:
        """What lies ready to be made."""
        disc = self._memory.load().disc
        return disc if disc is not None and disc.phase is Phase.STAGED and disc.sha256 else None

    def make(
        self, *, on_progress: OnProgress, is_cancelled: Callable[[], bool] = never
    ) -> RobotDisc:
        """Have the staged image made, and wait for it.

        Raises:
            NoMediumError, MediumTooSmallError: Nothing was made, the robot has nothing of ours.
            SpoiledMediumError: Discs became scrap and are in the robot's reject bin.
            RobotRefusedError: It takes no such job; nothing was made.
            RobotSilentError, RobotHelpError, RobotLostError: `inspect` says what is known.
            CancelledError: Asked to stop; says whether a disc is spoiled.
        """
        with self._lock.hold(is_cancelled=is_cancelled):
            known = self._memory.load()
            disc = known.disc
            if disc is None or disc.phase is not Phase.STAGED or not disc.sha256:
                raise UnsuitableMediumError("no image lies ready", reason="not_blank")
            try:
                require_space(self._settings.capacity_blocks, disc.image_bytes // BLOCK_BYTES)
                if needs_discs(self._ready()):
                    raise NoMediumError("the robot has no blank discs")
            except BurnerError:
                self._forget(known)  # an image does not wait in a share for a person
                raise
            disc = self._place(known, disc)
            disc = self._follow(disc, on_progress, is_cancelled, may_give_back=True)
            return self._result(disc)

    def _place(self, known: Remembered, disc: Disc) -> Disc:
        """Give the job to the robot, once."""
        label = self._staging.label(disc.name, disc.label_suffix) if disc.label_suffix else None
        image = self._staging.image(disc.name)
        job = RobotJob(disc.name, image, disc.volume_id or "DISC", label, self._settings.speed)
        self._robot.prepare(job)
        disc = replace(disc, phase=Phase.PLACING)
        self._memory.save(replace(known, disc=disc))
        self._robot.launch(disc.name)
        return self._keep(replace(disc, phase=Phase.PLACED))

    def check(self, image_bytes: int, sha256: str, *, on_progress: OnProgress) -> RobotDisc:
        """What became of the disc: waits for a job that is under way, then proves the image again.

        Raises:
            VerificationError: There is no good disc of that image; what there is, is scrap.
            RobotSilentError, RobotHelpError, RobotLostError: As `make`.
        """
        with self._lock.hold():
            disc = self._memory.load().disc
            if disc is None or disc.phase is Phase.STAGED:
                raise VerificationError("the robot has nothing of ours")
            if disc.phase is Phase.PLACING:
                disc = self._settle_placing(disc)
            if disc.phase is Phase.PLACED:
                disc = self._follow(disc, on_progress, never, may_give_back=False)
            if disc.phase is Phase.LOST:
                self._keep(replace(disc, phase=Phase.SPOILED))
                raise VerificationError("nobody can tell what became of the disc: void")
            if disc.phase is Phase.SPOILED:
                raise VerificationError("the robot made no good disc")
            self._prove(disc, image_bytes, sha256, on_progress)
            return self._result(disc)

    def _settle_placing(self, disc: Disc) -> Disc:
        """We died while we placed it. The prepared file is there as long as it was not launched."""
        if not self._robot.is_prepared(disc.name):
            return self._keep(replace(disc, phase=Phase.PLACED))
        self._keep(replace(disc, phase=Phase.SPOILED, rejected=0))
        raise VerificationError("the job was never given to the robot")

    def _prove(self, disc: Disc, image_bytes: int, sha256: str, on_progress: OnProgress) -> None:
        try:
            with self.open_reader() as reader:
                verify(reader, image_bytes, sha256, on_progress=on_progress)
        except (VerificationError, DriveError) as error:
            is_gone = not self._staging.image(disc.name).exists() and self._staging.is_there()
            if not isinstance(error, VerificationError) and not is_gone:
                raise RobotSilentError("the robot's images folder cannot be read") from error
            # A disc is in the output bin, of bytes that are not the image's: it must not be used.
            self._keep(replace(disc, phase=Phase.LOST))
            raise RobotLostError(
                "robot.changed: the image in the shared folder is not what was built: destroy the"
                f" disc of job {disc.name} that came out of the robot"
            ) from error

    def open_reader(self) -> MediumReader:
        """The image where the robot reads it: what the disc is made of, not the disc."""
        disc = self._memory.load().disc
        if disc is None:
            raise NoMediumError("nothing lies ready for the robot")
        return MediumReader(self._staging.image(disc.name))

    def eject(self) -> None:
        """The disc is somebody else's from now on: it has been in the output bin since it was made.

        Files that the robot left are removed; what cannot be removed now is the next time.
        """
        with self._lock.hold():
            known = self._memory.load()
            if known.disc is None:
                return
            if known.disc.phase in (Phase.PLACING, Phase.PLACED):
                raise DriveError("the robot still works on the job")
            self._forget(known)

    def abandon(self) -> None:
        """Give up whatever the robot has of ours, finished or not.

        Raises:
            DriveError: It cannot be stopped.
        """
        disc = self._memory.load().disc
        if disc is not None and disc.phase in (Phase.PLACING, Phase.PLACED):
            with self._lock.hold():
                if disc.phase is Phase.PLACED or not self._robot.is_prepared(disc.name):
                    outcome = self._follower.follow(
                        disc, _nobody_looks, lambda: True, self._keep, may_give_back=False
                    )
                    disc = outcome.disc
                    is_over = outcome.is_untouched or disc.phase is not Phase.PLACED
                    if not is_over and outcome.error is not None:
                        raise outcome.error
                self._keep(replace(disc, phase=Phase.SPOILED))
        self.eject()

    # --- inside

    def _follow(
        self,
        disc: Disc,
        on_progress: OnProgress,
        is_cancelled: Callable[[], bool],
        *,
        may_give_back: bool,
    ) -> Disc:
        """Until the job has ended well. What it raises is on record first."""
        self._needs_answer = False
        outcome = self._follower.follow(
            disc, on_progress, is_cancelled, self._keep, may_give_back=may_give_back
        )
        kept = self._keep(outcome.disc)
        if outcome.is_untouched:
            self._forget(self._memory.load())
        if outcome.error is not None:
            self._needs_answer = outcome.needs_answer
            raise outcome.error
        return kept

    def _keep(self, disc: Disc) -> Disc:
        self._memory.save(replace(self._memory.load(), disc=disc))
        return disc

    def _forget(self, known: Remembered) -> None:
        """The disc is no concern of the robot's any more."""
        left = (*known.left, known.disc.name) if known.disc else known.left
        known = replace(known, disc=None, left=left)
        self._memory.save(known)
        self._tidied(known)

    def _tidied(self, known: Remembered) -> Remembered:
        """Without the files of ended jobs that are still there."""
        left = []
        for name in dict.fromkeys(known.left):
            try:
                self._robot.tidy(name)
                self._staging.remove(name)
            except (RobotSilentError, RobotStatusError):
                left.append(name)
        tidied = replace(known, left=tuple(left))
        if tidied != known:
            self._memory.save(tidied)
        return tidied

    def _result(self, disc: Disc) -> RobotDisc:
        return RobotDisc(self.kind, disc.sha256, disc.image_bytes, disc.rejected)


def _nobody_looks(done: int, total: int) -> None:
    del done, total
