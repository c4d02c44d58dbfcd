"""What may be said of faults on the demo's command line, and what becomes of the stick."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from burner.robots.simulated_facts import RobotFaults
from burner.simulated_state import Faults
from kiosk import bootstrap
from kiosk.bootstrap_paper import robot_labels
from kiosk.config import Config
from kiosk.demo.devices import DemoDevices, with_devices
from kiosk.demo.faults import STICK_CONDITIONS, DemoFaults, described, parse
from kiosk.domain.unfit import Unfit
from kiosk.errors import InvalidValueError
from tests.fakes.media import make_image


def test_words_become_faults() -> None:
    found = parse(
        ["drive.write_error_percent=40", "drive.is_jammed", "drive.burns=-1", "robot.rejects=2",
         "robot.condition=ink_empty", "robot.is_silent", "labels.condition=cover_open"]
    )  # fmt: skip
    assert found.drive == Faults(burns=-1, write_error_percent=40, is_jammed=True)
    assert found.robot == RobotFaults(condition="ink_empty", rejects=2, is_silent=True)
    assert found.conditions == {"labels": "cover_open"}
    assert found.devices == {"drive", "robot", "labels"}
    assert parse(["none"]) == parse([]) == DemoFaults()


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("drive.on_fire", "no such fault"), ("", "no such fault"),
        ("drive.write_error_percent", "must be a number"),
        ("drive.write_error_percent=101", "must be 0 to 100"), ("drive.speed=-1", "must be 0 to"),
        ("drive.flip_byte=1e3", "must be a number"), ("drive.is_gone=yes", "takes no value"),
        ("robot.condition=tired", "must be one of no_discs"),
        ("receipts.condition", "must be one of paper_low"), ("stick.condition=", "must be one of"),
    ],
)  # fmt: skip
def test_words_that_are_none(word: str, said: str) -> None:
    with pytest.raises(InvalidValueError, match=said):
        parse([word])


def test_every_fault_that_a_device_has_can_be_asked_for_and_is_described() -> None:
    told = "\n".join(described())
    for device, kind in (("drive", Faults), ("robot", RobotFaults)):
        for it in fields(kind):
            assert f"{device}.{it.name}" in told


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return with_devices(Config(), tmp_path)


def test_a_fault_of_a_device_that_is_not_there(tmp_path: Path, config: Config) -> None:
    with pytest.raises(InvalidValueError, match="robot: this demo makes its discs in a drive"):
        DemoDevices(config).require_known(parse(["robot.refuses"]))
    robot = with_devices(Config(), tmp_path, "epson")
    with pytest.raises(InvalidValueError, match="drive: this demo makes its discs in a robot"):
        DemoDevices(robot).require_known(parse(["drive.is_gone"]))


@pytest.mark.parametrize("condition", STICK_CONDITIONS)
def test_a_stick_that_is_no_use_is_told_as_such(config: Config, condition: str) -> None:
    """By the writer that patients' sticks go through."""
    devices = DemoDevices(config)
    devices.prepare()
    devices.set_faults(parse([f"stick.condition={condition}"]))
    writer = bootstrap.writer(config, config.drive("stick1"))
    if condition == "gone":
        loaded = writer.inspect()
        assert loaded.unfit is None
        assert loaded.wanted is not None
    elif condition == "too_small":
        assert writer.inspect().capacity_blocks < 2000
    else:
        found = writer.inspect().unfit
        assert found is not None
        assert found is Unfit(condition)
    devices.set_faults(DemoFaults())
    assert writer.inspect().wanted is None


def test_a_stick_stays_as_it_is_while_nothing_is_wrong_with_it(config: Config) -> None:
    devices = DemoDevices(config)
    devices.prepare()
    stick = Path(config.drive("stick1").device)
    before = stick.stat().st_ino
    devices.set_faults(parse(["labels.condition=offline"]))
    assert stick.stat().st_ino == before


def test_a_robot_without_a_label_still_makes_the_disc(tmp_path: Path) -> None:
    """What cannot be labelled is in the log, and staff are called."""
    base = with_devices(Config(), tmp_path, "primera")
    store = replace(base.store, state_dir=tmp_path / "state", spool_dir=tmp_path / "sp")
    config = replace(base, store=store)
    folder = tmp_path / "sp" / "job-a"
    folder.mkdir(parents=True)
    image = make_image(folder / "image.iso", "PDI_ABCDEFG", blocks=300)  # of no order
    with bootstrap.journal(config) as journal:
        find = robot_labels(config, journal, config.drives[0])
        assert find is not None
        assert find(image.path) is None
        (call,) = journal.calls.newest(only_open=True)
        assert "job-a" in call.where
        assert robot_labels(config, journal, config.drives[1]) is None
