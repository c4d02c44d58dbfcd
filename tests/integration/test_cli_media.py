"""build, check, burn and verify by the command line, with the real recording program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from burner.simulated import SimulatedDrive
from kiosk import bootstrap, config_file
from kiosk.adapters.jobs.engine import station_lock
from kiosk.cli import main as cli
from kiosk.domain.model import OrderId
from kiosk.errors import (
    CheckFailedError,
    ExecutorBusyError,
    IncompleteBuildError,
    InvalidValueError,
    MediumWantedError,
    VerifyFailedError,
    WrongPatientError,
)
from kiosk.ports import LedgerEntry, LedgerPhase
from tests.factories import Patient, make_study

pytestmark = pytest.mark.integration


@pytest.fixture
def drive(tmp_path: Path) -> SimulatedDrive:
    return SimulatedDrive(tmp_path / "drive")


@pytest.fixture
def config(tmp_path: Path, drive: SimulatedDrive) -> Path:
    path = tmp_path / "sendhome.toml"
    path.write_text(
        f'[store]\nstate_dir = "{tmp_path / "state"}"\n'
        f'[[drives]]\nkind = "simulated"\ndevice = "{tmp_path / "drive"}"\n'
    )
    return path


def run(config: Path, *words: object) -> int:
    return cli.main(["--config", str(config), *map(str, words)])


def test_from_a_folder_to_a_verified_disc(
    config: Path, drive: SimulatedDrive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    study, image = tmp_path / "study", tmp_path / "out.iso"
    make_study(study, kinds=("CT", "CT", "SR"))
    (study / "notes.txt").write_text("not DICOM")
    assert run(config, "build", study, "-o", image, "--json") == 0
    built = json.loads(capsys.readouterr().out)
    assert (built["instances"], built["left_out"]) == (3, [])
    assert built["ignored"] == [{"path": "notes.txt", "reason": "no DICOM file"}]
    assert run(config, "check", image) == 0
    assert run(config, "burn", image, "--drive", "disc1") == MediumWantedError.exit_code
    drive.insert_blank()
    assert run(config, "burn", image, "--drive", "disc1", "--json") == 0
    capsys.readouterr()
    assert run(config, "verify", image, "--drive", "disc1", "--json") == 0
    assert json.loads(capsys.readouterr().out)["sha256"] == built["sha256"]
    drive.eject()
    disc = drive.take()
    assert disc is not None
    assert disc.read_bytes()[: built["size_bytes"]] == image.read_bytes()


def test_another_image_is_not_on_the_disc(config: Path, drive: SimulatedDrive, tmp_path: Path):
    images = []
    for seed in (1, 2):
        make_study(tmp_path / f"study{seed}", seed=seed)
        images.append(tmp_path / f"{seed}.iso")
        assert run(config, "build", tmp_path / f"study{seed}", "-o", images[-1]) == 0
    drive.insert_blank()
    assert run(config, "burn", images[0], "--drive", "disc1") == 0
    assert run(config, "verify", images[1], "--drive", "disc1") == VerifyFailedError.exit_code


def test_two_patients_make_no_image(config: Path, tmp_path: Path):
    make_study(tmp_path / "study" / "one", seed=1)
    make_study(tmp_path / "study" / "two", seed=2, patient=Patient(patient_id="OTHER"))
    code = run(config, "build", tmp_path / "study", "-o", tmp_path / "out.iso")
    assert code == WrongPatientError.exit_code
    assert not (tmp_path / "out.iso").exists()


def test_a_refusal_is_json_too_and_an_older_image_is_not_taken_for_the_new_one(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    image = tmp_path / "out.iso"
    make_study(tmp_path / "study" / "one", seed=1)
    assert run(config, "build", tmp_path / "study", "-o", image) == 0
    before = image.read_bytes()
    make_study(tmp_path / "study" / "two", seed=2, patient=Patient(patient_id="OTHER"))
    capsys.readouterr()
    code = run(config, "build", tmp_path / "study", "-o", image, "--json")
    said = capsys.readouterr()
    assert json.loads(said.out)["error"] | {"text": ""} == {
        "code": WrongPatientError.code,
        "exit_code": code,
        "again": "after_staff",
        "text": "",
    }
    assert "left as it was" in said.err
    assert image.read_bytes() == before


def test_a_damaged_image_is_found(config: Path, tmp_path: Path):
    make_study(tmp_path / "study")
    image = tmp_path / "out.iso"
    assert run(config, "build", tmp_path / "study", "-o", image) == 0
    data = bytearray(image.read_bytes())
    at = data.index(b"1.2.840.10008.1.3.10")
    data[at : at + 1] = b"2"
    image.write_bytes(data)
    assert run(config, "check", image) == CheckFailedError.exit_code


def test_what_is_no_image_is_not_burned(config: Path, drive: SimulatedDrive, tmp_path: Path):
    (tmp_path / "text.iso").write_text("x" * 100_000)
    drive.insert_blank()
    for name in ("text.iso", "none.iso"):
        code = run(config, "burn", tmp_path / name, "--drive", "disc1")
        assert code == InvalidValueError.exit_code


def test_an_incomplete_image_is_no_success(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    study, image = tmp_path / "study", tmp_path / "out.iso"
    files = make_study(study, kinds=("CT", "CT"))
    files[1].write_bytes(files[1].read_bytes()[:-100])
    (study / "notes.txt").write_text("not DICOM")
    assert run(config, "build", study, "-o", image) == IncompleteBuildError.exit_code
    said = capsys.readouterr()
    assert "notes.txt  no DICOM file" in said.out
    assert any(files[1].name in line and "pixels.short" in line for line in said.out.splitlines())
    assert "build.left_out" in said.err
    assert run(config, "check", image) == 0
    capsys.readouterr()
    assert run(config, "build", study, "-o", image, "--json", "--allow-left-out") == 0
    (left,) = json.loads(capsys.readouterr().out)["left_out"]
    assert (left["path"], left["reason"]) == (files[1].name, "pixels.short")


def test_what_is_no_image_is_not_checked(config: Path, tmp_path: Path):
    (tmp_path / "text").write_text("x" * 100_000)
    (tmp_path / "empty").touch()
    for path in ("/etc/passwd", tmp_path / "text", tmp_path / "empty", "/dev/null"):
        assert run(config, "check", path) == InvalidValueError.exit_code


def test_a_drive_of_a_running_engine_or_of_a_job_is_left_alone(
    config: Path, drive: SimulatedDrive, tmp_path: Path
):
    image = tmp_path / "out.iso"
    make_study(tmp_path / "study")
    assert run(config, "build", tmp_path / "study", "-o", image) == 0
    drive.insert_blank()
    burn = ("burn", image, "--drive", "disc1")
    verify = ("verify", image, "--drive", "disc1")
    loaded = config_file.load(config)
    with bootstrap.journal(loaded) as journal:
        with station_lock(journal, loaded.store.state_dir).hold():
            assert run(config, *burn) == ExecutorBusyError.exit_code
            assert run(config, *verify) == ExecutorBusyError.exit_code
        journal.ledger.put(
            LedgerEntry("disc1", OrderId("job-1"), LedgerPhase.WRITING, 1, "PDI_1", "0" * 64)
        )
        assert run(config, *burn) == ExecutorBusyError.exit_code
        assert run(config, *verify) == ExecutorBusyError.exit_code
        out = LedgerEntry("disc1", OrderId("job-1"), LedgerPhase.OUT, 1, "PDI_1", "0" * 64)
        journal.ledger.put(out)
        drive.eject()  # what was handed over may lie there still
        assert run(config, *burn) == ExecutorBusyError.exit_code
        drive.press_button()
    assert run(config, *burn) == 0  # a blank disc in the closed tray: it has gone
    assert run(config, *verify) == 0
