"""The real engine on an emulated writer, below an attempt: tray, links, locks. The cases of media
and faults are in `test_mmc_cases`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from burner.children import never
from burner.drive import Drive, MediaState, MediaStatus, Tray
from burner.engine import Engine
from burner.errors import (
    DriveError,
    EngineError,
    NoMediumError,
    SpoiledMediumError,
    UnsuitableMediumError,
)
from burner.record import record, record_and_verify
from burner.verify import Verification, verify
from kiosk.cli import main as cli
from kiosk.errors import MediumWantedError
from kiosk.services.write import ImageFacts
from tests.factories import make_study
from tests.fakes.media import make_image
from tests.integration.mmc.double import MmcDouble, is_available
from tests.integration.udev.bed import ROOT

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not is_available(), reason="needs umockdev, gir1.2-umockdev-1.0 and python3-gi"
    ),
]

BLOCKS = 2000
BLANKS = {"CD-R": 359_844, "DVD-R": 2_298_496, "DVD+R": 2_295_104, "BD-R": 12_219_392}


@pytest.fixture
def double(tmp_path: Path) -> Iterator[MmcDouble]:
    with MmcDouble(tmp_path) as double:
        yield double


@pytest.fixture
def image(tmp_path: Path) -> ImageFacts:
    return make_image(tmp_path / "image.iso", "SH_TEST", blocks=BLOCKS)


def nothing(done: int, total: int) -> None:
    """Nobody looks."""


def burn(double: MmcDouble, image: ImageFacts) -> Verification:
    return record_and_verify(
        double.drive(),
        image.path,
        image.sha256,
        on_progress=nothing,
        on_verify_progress=nothing,
    )


def test_open_tray_stays_open(double: MmcDouble, image: ImageFacts) -> None:
    double.order("insert", kind="CD-R", blocks=359_844)
    double.drive().eject()
    assert double.order("look")["is_open"]
    assert double.drive().inspect().is_tray_open
    with pytest.raises(NoMediumError):
        burn(double, image)
    assert double.order("look")["is_open"]


@pytest.mark.parametrize("kind", ["CD-RW", "DVD-RW"])
def test_a_rewritable_disc_to_try_a_drive_with(
    double: MmcDouble, image: ImageFacts, kind: str
) -> None:
    """Asked for by whoever tries a drive; no caller of the engine's asks."""
    double.order("insert", kind=kind, blocks=359_844)
    drive = double.drive()
    with pytest.raises(UnsuitableMediumError, match="rewritable"):
        record(drive, image.path, on_progress=nothing)
    record(drive, image.path, on_progress=nothing, takes_rewritable=True)
    assert drive.inspect().status is MediaStatus.CLOSED
    assert double.disc_path.read_bytes()[: image.size_bytes] == image.path.read_bytes()
    with pytest.raises(UnsuitableMediumError, match="not blank"):
        record(drive, image.path, on_progress=nothing, takes_rewritable=True)


@pytest.mark.parametrize("kind", ["CD-RW", "DVD-RW", "DVD+RW"])
def test_a_drive_is_tried_out_by_the_command_line(
    double: MmcDouble,
    tmp_path: Path,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A real image: of a DVD+RW, which nothing closes, the engine goes by what is in it."""
    monkeypatch.setattr("burner.drive.Drive", lambda _node: double.drive())  # that is no /dev/sr0
    config = tmp_path / "sendhome.toml"
    config.write_text(
        f'[store]\nstate_dir = "{tmp_path / "state"}"\nspool_dir = "{tmp_path / "spool"}"\n'
    )
    image = tmp_path / "cd.iso"
    make_study(tmp_path / "study")

    def run(*words: object) -> int:
        return cli.main(["--config", str(config), *map(str, words)])

    assert run("build", tmp_path / "study", "-o", image) == 0
    double.order("insert", kind=kind, blocks=359_844)
    burn = ("burn", image, "--drive", "/dev/sr0")
    assert run(*burn) == MediumWantedError.exit_code
    assert "rewritable: " in capsys.readouterr().err
    assert double.order("look")["blocks_taken"] == 0
    assert run(*burn, "--allow-rewritable") == 0
    said = capsys.readouterr()
    assert said.out.startswith(kind)
    assert "not for a patient" in said.err
    assert double.order("look")["is_open"]
    assert double.disc_path.read_bytes()[: image.stat().st_size] == image.read_bytes()
    double.order("set", is_open=False)
    assert run(*burn, "--allow-rewritable") == MediumWantedError.exit_code
    assert "not_blank: " in capsys.readouterr().err


def test_smaller_than_it_said(double: MmcDouble, image: ImageFacts) -> None:
    """Changed between our look and the engine's: the engine refuses by itself."""
    double.order("insert", kind="CD-R", blocks=BLOCKS + 100)
    drive = double.drive()
    run = drive.burn(
        image.path,
        MediaState(MediaStatus.BLANK, "CD-R", 359_844),
        on_event=lambda event: None,
        is_cancelled=lambda: False,
    )
    assert run.exit_code != 0
    assert not run.has_begun
    assert double.order("look")["blocks_taken"] == 0


def test_tray_that_does_not_load_itself(double: MmcDouble, image: ImageFacts) -> None:
    double.order("insert", kind="CD-R", blocks=359_844)
    double.order("set", loads_itself=False)
    with pytest.raises(NoMediumError):
        burn(double, image)
    assert double.order("look")["state"] == "closed"  # it was written all the same


@pytest.mark.parametrize("kind", ["CD-R", "DVD+R"])
def test_drive_unplugged_while_writing(double: MmcDouble, image: ImageFacts, kind: str) -> None:
    """The engine ends by itself; then the drive is gone, and once back it holds a torso."""
    double.order("insert", kind=kind, blocks=BLANKS[kind])
    double.order("set", unplug_at=700)
    drive = double.drive()
    with pytest.raises((SpoiledMediumError, DriveError)):
        record(drive, image.path, on_progress=nothing)
    with pytest.raises(DriveError):
        drive.inspect()
    double.order("set", unplug_at=None, is_unplugged=False, is_changed=True)
    assert drive.inspect().status in (MediaStatus.APPENDABLE, MediaStatus.UNKNOWN)
    with pytest.raises(UnsuitableMediumError):
        burn(double, image)


def test_drive_that_is_found_again_by_its_link(
    double: MmcDouble, image: ImageFacts, tmp_path: Path
) -> None:
    link = tmp_path / "usb-BURNER"
    link.symlink_to("/dev/sr7")
    drive = Drive(
        link,
        engine=Engine(extra_environment=double.environment),
        lock_folder=tmp_path,
        probe=lambda node: Tray.DISC,
    )
    double.order("insert", kind="CD-R", blocks=BLANKS["CD-R"])
    with pytest.raises((DriveError, EngineError)):
        drive.inspect()
    link.unlink()
    link.symlink_to("/dev/sr0")
    assert drive.inspect().status is MediaStatus.BLANK


_SET_DOOR = """
import sys
from pathlib import Path
from burner.door import set_door
print(set_door(Path(sys.argv[1]), sys.argv[2] == "shut"))
"""


def set_door(double: MmcDouble, node: str, word: str) -> str:
    """The product's own call, in a process under the hook."""
    said = subprocess.run(
        [sys.executable, "-P", "-c", _SET_DOOR, node, word],
        env={**os.environ, **double.environment, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return said.stdout.strip()


def test_the_kernel_is_told_to_keep_the_door_shut(double: MmcDouble) -> None:
    double.order("insert", kind="CD-R", blocks=359_844)
    assert set_door(double, "/dev/sr0", "shut") == "True"
    assert double.order("release")["is_locked"]
    assert set_door(double, "/dev/sr0", "open") == "True"
    assert not double.order("look")["is_locked"]
    assert set_door(double, "/dev/sr7", "shut") == "False"
    double.order("set", is_unplugged=True)
    assert set_door(double, "/dev/sr0", "shut") == "False"


def test_the_button_at_every_moment_of_a_disc(double: MmcDouble, image: ImageFacts) -> None:
    """Blank it opens by itself; from the first block on the drive only asks, looked at or not."""
    double.order("insert", kind="CD-R", blocks=359_844)
    drive = double.drive()
    pressed: list[bool] = []

    def press(done: int, total: int) -> None:
        pressed.append(double.order("press")["is_open"])

    assert drive.inspect().status is MediaStatus.BLANK
    assert double.order("press")["is_open"]
    double.order("set", is_open=False)
    record(drive, image.path, on_progress=press)
    drive.reload()
    press(0, 0)
    with drive.open_reader() as reader:
        verify(reader, image.size_bytes, image.sha256, on_progress=press, is_cancelled=never)
    assert drive.inspect().status is MediaStatus.CLOSED
    drive.survey(0, 10)
    press(0, 0)
    assert len(pressed) >= 4
    assert not any(pressed)
    assert double.order("look")["is_eject_asked"]
    assert not drive.open_if(lambda: False)
    assert not double.order("look")["is_open"]
    assert drive.open_if(lambda: True)
    assert double.order("look")["is_open"]
