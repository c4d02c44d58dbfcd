"""The recorder on the simulated robots: every state and fault ends in its class, never in a disc
too many, and never in "success" when there is none.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from burner.drive import MediaStatus
from burner.errors import (
    BurnerError,
    CancelledError,
    DriveError,
    EngineError,
    MediumTooSmallError,
    NoMediumError,
    RobotHelpError,
    RobotLostError,
    RobotRefusedError,
    RobotSilentError,
    SpoiledMediumError,
    UnsuitableMediumError,
    VerificationError,
)
from burner.robots.memory import Phase
from burner.robots.recorder import RecorderSettings, RobotRecorder
from burner.robots.simulated import RobotFaults
from burner.robots.staging import Staging
from kiosk.services.write import ImageFacts
from tests.fakes.media import make_image
from tests.robots import PATIENCE, Rig, make_rig


@pytest.fixture(params=["primera", "epson"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    return make_rig(request.param, tmp_path)


@pytest.fixture
def image(tmp_path: Path) -> ImageFacts:
    return make_image(tmp_path / "image.iso", "PDI_ABCDEFG", blocks=40)


def stage(rig: Rig, image: ImageFacts, label: Path | None = None) -> None:
    rig.recorder.stage(image.path, image.sha256, label=label, on_progress=rig.tell)


def phase(rig: Rig) -> str:
    raw = json.loads((rig.machine.folder.parent / "state" / "robot.json").read_bytes())
    return raw["disc"]["phase"] if raw["disc"] else ""


def nothing(done: int, total: int) -> None:
    """Nobody looks."""


def test_one_disc_from_image_to_output_bin(rig: Rig, image: ImageFacts) -> None:
    assert rig.recorder.inspect().status is MediaStatus.BLANK
    stage(rig, image)
    with rig.recorder.open_reader() as reader:  # what the gate looks at, before anything is made
        assert reader.read(0, image.size_bytes) == image.path.read_bytes()
    assert rig.machine.discs_out() == []
    made = rig.recorder.make(on_progress=rig.tell)
    assert (made.kind, made.sha256, made.rejected) == ("CD-R", image.sha256, 0)
    (disc,) = rig.machine.discs_out()
    assert disc.read_bytes() == image.path.read_bytes()
    state = rig.recorder.inspect()
    assert (state.status, state.volume_id) == (MediaStatus.CLOSED, "PDI_ABCDEFG")
    assert rig.recorder.check(image.size_bytes, image.sha256, on_progress=nothing) == made
    rig.recorder.eject()
    rig.recorder.eject()
    assert rig.recorder.inspect().status is MediaStatus.BLANK
    assert rig.files() == set()
    assert rig.machine.look().discs == 4
    assert rig.progress == sorted(rig.progress)
    assert len(rig.progress) >= 4


def test_copies_are_jobs_of_their_own(rig: Rig, image: ImageFacts) -> None:
    for _ in range(3):
        stage(rig, image)
        rig.recorder.make(on_progress=nothing)
        rig.recorder.eject()
    names = [path.stem for path in rig.machine.discs_out()]
    assert names == [f"SENDHOME-0000{n}-PDI_ABCDEFG" for n in (1, 2, 3)]


def test_label_is_printed_and_removed(rig: Rig, image: ImageFacts, tmp_path: Path) -> None:
    label = tmp_path / f"label{rig.robot.label_suffixes[0]}"
    label.write_bytes(b"label")
    stage(rig, image, label)
    rig.recorder.make(on_progress=nothing)
    (disc,) = rig.machine.discs_out()
    assert disc.with_suffix(label.suffix).read_bytes() == b"label"
    rig.recorder.eject()
    assert rig.files() == set()


def test_label_in_a_design(tmp_path: Path, image: ImageFacts) -> None:
    rig = make_rig("epson", tmp_path, design="C:\\labels\\sendhome.tdd")
    label = tmp_path / "label.png"
    label.write_bytes(b"png")
    stage(rig, image, label)
    rig.recorder.make(on_progress=nothing)
    (disc,) = rig.machine.discs_out()
    assert disc.with_suffix(".png").read_bytes() == b"png"
    rig.recorder.eject()
    assert rig.files() == set()


def test_label_that_the_robot_cannot_print(rig: Rig, image: ImageFacts, tmp_path: Path) -> None:
    label = tmp_path / "label.pdf"
    label.write_bytes(b"%PDF")
    with pytest.raises(RobotRefusedError, match=r"not \.pdf"):
        stage(rig, image, label)
    assert rig.files() == set()


# --- people


@pytest.mark.parametrize("condition", ["ink_empty", "cover_open", "tray_stuck", "unknown"])
def test_a_robot_that_waits_for_a_person_gets_no_job(
    rig: Rig, image: ImageFacts, condition: str
) -> None:
    stage(rig, image)
    rig.faults(RobotFaults(condition=condition))
    rig.clock.tick()
    for ask in (rig.recorder.inspect, lambda: rig.recorder.make(on_progress=nothing)):
        with pytest.raises(RobotHelpError, match=r"^(primera|epson)\."):
            ask()
    assert (rig.machine.discs_out(), rig.files()) == ([], set())
    rig.faults(RobotFaults())
    rig.clock.tick()
    assert rig.recorder.inspect().status is MediaStatus.BLANK


def test_no_discs(rig: Rig, image: ImageFacts) -> None:
    rig.machine.fill(-5)
    rig.clock.tick()
    assert rig.recorder.inspect().status is MediaStatus.NONE
    stage(rig, image)
    with pytest.raises(NoMediumError):
        rig.recorder.make(on_progress=nothing)
    assert rig.files() == set()
    rig.machine.fill(1)
    rig.clock.tick()
    stage(rig, image)
    rig.recorder.make(on_progress=nothing)
    assert len(rig.machine.discs_out()) == 1


@pytest.mark.parametrize("maker", ["primera", "epson"])
def test_discs_that_the_robot_did_not_count(maker: str, tmp_path: Path, image: ImageFacts) -> None:
    """It learns that the bin is empty when it picks: the job is taken back, no disc is spent."""
    rig = make_rig(maker, tmp_path, discs=1)
    picked = threading.Event()

    class Blind(type(rig.machine)):  # type: ignore[misc]  # one of two classes
        def write_status(self, facts: object) -> None:
            waits = any(job.waits_for for job in self.jobs.values())
            super().write_status(facts if waits else replace(facts, discs=9))

        def _finish_stage(self, job: object, facts: object) -> None:
            if job.stage == "queued" and not picked.is_set():
                picked.set()
                self.fill(-1)
            super()._finish_stage(job, facts)

    rig.machine.__class__ = Blind
    stage(rig, image)
    with pytest.raises(NoMediumError):
        rig.recorder.make(on_progress=nothing)
    assert picked.is_set()
    assert (rig.machine.look().rejected, rig.files()) == (0, set())
    rig.machine.fill(1)
    stage(rig, image)
    assert rig.recorder.make(on_progress=nothing).rejected == 0
    assert len(rig.machine.discs_out()) == 1


@pytest.mark.parametrize("condition", ["cover_open", "ink_empty", "unknown"])
def test_waits_in_the_middle_and_goes_on(rig: Rig, image: ImageFacts, condition: str) -> None:
    """Staff are told, the disc stays the robot's, and is waited for again: there is one."""
    stage(rig, image)

    def meanwhile(done: int, total: int) -> None:
        if done * 100 // total >= 15:
            rig.faults(RobotFaults(condition=condition))

    with pytest.raises(RobotHelpError):
        rig.recorder.make(on_progress=meanwhile)
    assert phase(rig) == Phase.PLACED
    after = rig.again()
    assert after.inspect().status is MediaStatus.CLOSED
    with pytest.raises(DriveError, match="still works"):
        after.eject()
    rig.faults(RobotFaults())
    made = after.check(image.size_bytes, image.sha256, on_progress=nothing)
    assert made.rejected == 0
    after.eject()
    assert len(rig.machine.discs_out()) == 1
    assert rig.files() == set()


def test_no_discs_for_a_second_try(rig: Rig, image: ImageFacts) -> None:
    """One is scrap, and there is no other: staff know at once, and the job goes on with more."""
    rig.machine.fill(-4)
    rig.faults(RobotFaults(rejects=1))
    stage(rig, image)
    before = rig.clock.monotonic()
    with pytest.raises(RobotHelpError, match="put blank discs in"):
        rig.recorder.make(on_progress=nothing)
    assert rig.clock.monotonic() - before < PATIENCE.help_s
    assert not rig.recorder.is_well()
    rig.machine.fill(1)
    rig.clock.tick()
    assert rig.recorder.is_well()
    made = rig.recorder.check(image.size_bytes, image.sha256, on_progress=nothing)
    assert made.rejected == 1


def test_a_short_wait_disturbs_nobody(rig: Rig, image: ImageFacts) -> None:
    stage(rig, image)
    looks = 0

    def meanwhile(done: int, total: int) -> None:
        nonlocal looks
        if done * 100 // total >= 15:
            looks += 1
            rig.faults(RobotFaults(condition="cover_open" if looks < 3 else ""))

    assert rig.recorder.make(on_progress=meanwhile).rejected == 0
    assert looks >= 3


# --- bad discs


def test_a_rejected_disc_is_counted(rig: Rig, image: ImageFacts) -> None:
    rig.faults(RobotFaults(rejects=2))
    stage(rig, image)
    assert rig.recorder.make(on_progress=nothing).rejected == 2
    rig.recorder.eject()
    assert len(rig.machine.discs_out()) == 1
    assert rig.machine.look().discs == 2


def test_too_many_rejects(rig: Rig, image: ImageFacts) -> None:
    rig.faults(RobotFaults(rejects=3, max_rejects=3))
    stage(rig, image)
    with pytest.raises(SpoiledMediumError) as caught:
        rig.recorder.make(on_progress=nothing)
    assert caught.value.discs == 3
    state = rig.again().inspect()
    assert (state.status, state.volume_id) == (MediaStatus.APPENDABLE, "")
    rig.recorder.eject()
    assert rig.machine.discs_out() == []
    assert rig.files() == set()


def test_a_job_that_is_refused(rig: Rig, image: ImageFacts) -> None:
    rig.faults(RobotFaults(refuses=True))
    stage(rig, image)
    with pytest.raises(RobotRefusedError, match=r"primera\.job\.25|epson\.JDF0500"):
        rig.recorder.make(on_progress=nothing)
    assert rig.recorder.inspect().status is MediaStatus.BLANK
    assert rig.machine.look().discs == 5
    assert rig.files() == set()


def test_an_image_that_the_robot_does_not_find(rig: Rig, image: ImageFacts) -> None:
    stage(rig, image)
    for path in (rig.machine.folder / "images").iterdir():
        path.unlink()
    with pytest.raises(RobotRefusedError, match=r"primera\.job\.6|epson\.JDF1302"):
        rig.recorder.make(on_progress=nothing)


def test_an_image_that_is_not_what_was_built(rig: Rig, image: ImageFacts) -> None:
    with pytest.raises(VerificationError):
        rig.recorder.stage(image.path, "0" * 64, on_progress=nothing)
    assert rig.files() == set()
    with pytest.raises(UnsuitableMediumError):
        rig.recorder.make(on_progress=nothing)


def test_an_image_that_was_changed_while_the_robot_had_it(rig: Rig, image: ImageFacts) -> None:
    stage(rig, image)
    rig.recorder.make(on_progress=nothing)
    (path,) = (rig.machine.folder / "images").glob("*.iso")
    path.write_bytes(bytes(image.size_bytes))
    with pytest.raises(RobotLostError, match="destroy"):
        rig.recorder.check(image.size_bytes, image.sha256, on_progress=nothing)
    with pytest.raises(VerificationError):  # staff have answered
        rig.again().check(image.size_bytes, image.sha256, on_progress=nothing)
    assert rig.recorder.inspect().volume_id == ""


def test_too_large(rig: Rig, image: ImageFacts) -> None:
    small = RobotRecorder(
        rig.robot,
        Staging(rig.machine.folder / "images"),
        rig.machine.folder.parent / "state" / "robot.json",
        RecorderSettings("SENDHOME", "cd", 100),
        PATIENCE,
        clock=rig.clock,
    )
    small.stage(image.path, image.sha256, on_progress=nothing)
    with pytest.raises(MediumTooSmallError):
        small.make(on_progress=nothing)
    assert rig.files() == set()


@pytest.mark.parametrize("content", [None, b"", bytes(3000)], ids=["none", "empty", "ragged"])
def test_no_image(rig: Rig, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "none.iso"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EngineError):
        rig.recorder.stage(path, on_progress=nothing)


# --- cancel


def test_cancel_before(rig: Rig, image: ImageFacts) -> None:
    stage(rig, image)
    with pytest.raises(CancelledError) as caught:
        rig.recorder.make(on_progress=nothing, is_cancelled=lambda: True)
    assert not caught.value.spoiled
    assert rig.machine.look().rejected == 0
    assert rig.files() == set()
    assert rig.recorder.inspect().status is MediaStatus.BLANK


def test_cancel_while_it_is_copied(rig: Rig, image: ImageFacts) -> None:
    with pytest.raises(CancelledError):
        rig.recorder.stage(image.path, on_progress=nothing, is_cancelled=lambda: True)
    assert rig.files() == set()


def test_cancel_in_the_middle(rig: Rig, image: ImageFacts) -> None:
    stage(rig, image)
    with pytest.raises(CancelledError) as caught:
        rig.recorder.make(
            on_progress=rig.tell, is_cancelled=lambda: any(15 <= it < 99 for it in rig.progress)
        )
    assert caught.value.spoiled
    assert rig.recorder.inspect().volume_id == ""
    rig.recorder.eject()
    assert (rig.machine.discs_out(), rig.files()) == ([], set())


def test_cancel_that_comes_too_late(rig: Rig, image: ImageFacts) -> None:
    rig.faults(RobotFaults(ignores_abort=True))
    stage(rig, image)
    made = rig.recorder.make(
        on_progress=rig.tell, is_cancelled=lambda: any(15 <= it < 99 for it in rig.progress)
    )
    assert made.sha256 == image.sha256
    assert len(rig.machine.discs_out()) == 1


def test_a_robot_that_does_not_stop(rig: Rig, image: ImageFacts) -> None:
    stage(rig, image)

    def meanwhile(done: int, total: int) -> None:
        rig.tell(done, total)
        if rig.progress[-1] >= 15:
            rig.faults(RobotFaults(condition="cover_open", ignores_abort=True))

    with pytest.raises(RobotHelpError, match=r"robot\.abort"):
        rig.recorder.make(
            on_progress=meanwhile, is_cancelled=lambda: any(15 <= it < 99 for it in rig.progress)
        )
    assert phase(rig) == Phase.PLACED


# --- the service


def test_never_answers(rig: Rig, image: ImageFacts) -> None:
    stage(rig, image)
    rig.clock.is_running = False
    with pytest.raises(RobotSilentError, match="no sign of life"):
        rig.recorder.make(on_progress=nothing)
    assert phase(rig) == Phase.PLACED


def test_lives_and_does_not_take_the_job(rig: Rig, image: ImageFacts) -> None:
    stage(rig, image)
    rig.clock.is_running = False

    def beat(done: int, total: int) -> None:
        rig.machine.ticks += 1
        rig.machine.write_status(rig.machine.look())
        rig.clock.stamp()

    with pytest.raises(RobotHelpError, match=r"robot\.ignored"):
        rig.recorder.make(on_progress=beat)
    assert phase(rig) == Phase.PLACED


def test_no_service_was_ever_there(tmp_path: Path) -> None:
    for maker in ("primera", "epson"):
        rig = make_rig(maker, tmp_path / maker)
        rig.clock.is_running = False
        for path in (*rig.machine.folder.glob("Status/*"), *rig.machine.folder.glob("TDB*")):
            path.unlink()
        with pytest.raises(RobotSilentError, match="no status file"):
            rig.recorder.inspect()
        rig.machine.folder.rename(tmp_path / f"{maker}-gone")
        with pytest.raises(RobotSilentError, match="cannot be reached"):
            rig.recorder.inspect()


@pytest.mark.parametrize("hours", [-1, 1])
def test_stale_status(rig: Rig, hours: int) -> None:
    """A file that is there proves no life, and one of a PC with another time no death."""
    file = rig.machine.folder / {"primera": "Status/SystemStatus.txt"}.get(
        rig.maker, "TDBStatus.txt"
    )
    now = rig.clock.time()
    rig.clock.is_running = False
    os.utime(file, (now, now + hours * 3600))
    before = rig.clock.monotonic()
    with pytest.raises(RobotSilentError, match="no sign of life"):
        rig.recorder.inspect()
    assert rig.clock.monotonic() - before >= PATIENCE.heartbeat_s
    rig.clock.is_running = True
    assert rig.recorder.inspect().status is MediaStatus.BLANK


@pytest.mark.parametrize("stage_name", ["queued", "loading", "recording", "verifying"])
def test_the_service_dies_and_comes_back(rig: Rig, image: ImageFacts, stage_name: str) -> None:
    rig.faults(RobotFaults(dies_in=stage_name))
    stage(rig, image)
    with pytest.raises(RobotSilentError, match="no sign of life"):
        rig.recorder.make(on_progress=nothing)
    assert rig.again().inspect().status is MediaStatus.CLOSED
    with pytest.raises(RobotSilentError):
        rig.again().check(image.size_bytes, image.sha256, on_progress=nothing)
    rig.machine.begin()  # tries the job again by itself
    rig.again().check(image.size_bytes, image.sha256, on_progress=nothing)
    rig.again().eject()
    assert len(rig.machine.discs_out()) == 1
    assert rig.files() == set()


def test_half_written_status(rig: Rig, image: ImageFacts) -> None:
    rig.faults(RobotFaults(cuts_status=True))
    with pytest.raises(RobotSilentError, match=r"half written|no robot yet"):
        rig.recorder.inspect()
    rig.faults(RobotFaults())
    stage(rig, image)
    times = 0

    def meanwhile(done: int, total: int) -> None:
        nonlocal times
        times += 1
        rig.faults(RobotFaults(cuts_status=times % 2 == 1))  # now and then

    assert rig.recorder.make(on_progress=meanwhile).rejected == 0
    assert times >= 2


def test_unknown_stages(rig: Rig, image: ImageFacts) -> None:
    """Words that nobody knows are no end: the job's name tells that."""
    rig.faults(RobotFaults(says_nonsense=True))
    stage(rig, image)
    assert rig.recorder.make(on_progress=rig.tell).sha256 == image.sha256


def test_a_job_that_vanishes(rig: Rig, image: ImageFacts) -> None:
    """A good disc may be out there: staff first, then it is void, and only then another."""
    rig.faults(RobotFaults(vanishes=True))
    stage(rig, image)
    with pytest.raises(RobotLostError, match="destroy"):
        rig.recorder.make(on_progress=nothing)
    assert phase(rig) == Phase.LOST
    with pytest.raises(VerificationError):
        rig.again().check(image.size_bytes, image.sha256, on_progress=nothing)
    rig.recorder.eject()
    assert rig.recorder.inspect().status is MediaStatus.BLANK


def test_kiosk_mode_that_is_not_as_configured(tmp_path: Path, image: ImageFacts) -> None:
    rig = make_rig("primera", tmp_path, is_kiosk=False)
    assert rig.recorder.inspect().status is MediaStatus.BLANK
    rig.machine.set_kiosk(is_on=True)
    rig.clock.tick()
    with pytest.raises(RobotHelpError, match=r"robot\.kiosk_mode"):
        rig.recorder.inspect()


# --- restarts of ours


def test_killed_while_the_robot_worked(rig: Rig, image: ImageFacts) -> None:
    stage(rig, image)

    class PowerCut(BaseException):
        pass

    def meanwhile(done: int, total: int) -> None:
        raise PowerCut

    with pytest.raises(PowerCut):
        rig.recorder.make(on_progress=meanwhile)
    after = rig.again()
    state = after.inspect()
    assert (state.status, state.volume_id) == (MediaStatus.CLOSED, "PDI_ABCDEFG")
    with pytest.raises(UnsuitableMediumError):
        after.stage(image.path, image.sha256, on_progress=nothing)
    assert after.check(image.size_bytes, image.sha256, on_progress=nothing).rejected == 0
    after.eject()
    assert len(rig.machine.discs_out()) == 1


@pytest.mark.parametrize("is_launched", [False, True])
def test_killed_between_two_instructions(
    rig: Rig, image: ImageFacts, is_launched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before or right after the rename that gives the job to the robot: once, or not at all."""
    stage(rig, image)
    launch = rig.robot.launch

    def cut(name: str) -> None:
        if is_launched:
            launch(name)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rig.robot, "launch", cut)
        with pytest.raises(KeyboardInterrupt):
            rig.recorder.make(on_progress=nothing)
    assert phase(rig) == Phase.PLACING
    after = rig.again()
    assert after.inspect().volume_id == "PDI_ABCDEFG"
    if is_launched:
        after.check(image.size_bytes, image.sha256, on_progress=nothing)
    else:
        with pytest.raises(VerificationError, match="never given"):
            after.check(image.size_bytes, image.sha256, on_progress=nothing)
    after.eject()
    assert len(rig.machine.discs_out()) == int(is_launched)
    assert rig.files() == set()


def test_left_behind_files_go_later(
    rig: Rig, image: ImageFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(rig, image)
    rig.recorder.make(on_progress=nothing)
    with monkeypatch.context() as patch:
        patch.setattr(rig.robot, "tidy", raise_silent)
        rig.recorder.eject()
    assert rig.files()
    stage(rig, image)
    assert all("-00002-" in name for name in rig.files())


def raise_silent(name: str) -> None:
    raise RobotSilentError(f"{name} stays")


def test_abandon(rig: Rig, image: ImageFacts) -> None:
    rig.recorder.abandon()
    stage(rig, image)

    def meanwhile(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rig.recorder.make(on_progress=meanwhile)
    rig.again().abandon()
    assert rig.recorder.inspect().status is MediaStatus.BLANK
    assert (rig.machine.discs_out(), rig.files()) == ([], set())


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"\xff\xfe", b'{"version": 9}', b"[" * 5000],
    ids=["empty", "keyless", "binary", "later", "deep"],
)
def test_a_damaged_memory_is_no_empty_one(rig: Rig, content: bytes) -> None:
    path = rig.machine.folder.parent / "state" / "robot.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(BurnerError, match="cannot be read"):
        rig.recorder.inspect()


def test_examine(rig: Rig, tmp_path: Path) -> None:
    assert "5 CD-R" in rig.recorder.examine()
    rig.machine.fill(-5)
    rig.clock.tick()
    with pytest.raises(NoMediumError, match="no blank discs"):
        rig.recorder.examine()
    (rig.machine.folder / "images").rmdir()
    (rig.machine.folder / "images").touch()
    with pytest.raises(RobotSilentError, match="File exists"):
        rig.recorder.examine()
