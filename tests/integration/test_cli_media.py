"""build, check, burn and verify by the command line, with the real recording program."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from pathlib import Path

import pytest

from burner.simulated import Faults, SimulatedDrive
from kiosk import bootstrap, config_file
from kiosk.adapters.jobs.engine import station_lock
from kiosk.cli import doctor
from kiosk.cli import main as cli
from kiosk.domain.model import OrderId
from kiosk.errors import (
    CheckFailedError,
    ConfigError,
    ExecutorBusyError,
    IncompleteBuildError,
    InvalidValueError,
    MediumSpoiledError,
    MediumWantedError,
    VerifyFailedError,
    WrongPatientError,
)
from kiosk.ports import LedgerEntry, LedgerPhase
from kiosk.services.by_hand import BY_HAND
from kiosk.services.diagnose import Doubt
from tests.factories import Patient, make_study
from tests.fakes.media import make_image

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
    ignored = {"path": "notes.txt", "reason": "no DICOM file", "unseen": False}
    assert built["ignored"] == [ignored]
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


@pytest.fixture
def stick(config: Path) -> Path:
    """The image file that stands for the stick of the drive "port"."""
    folder = config.with_name("port")
    folder.mkdir()
    path = folder / "stick.img"
    bootstrap.make_stick_image(path, 64 << 20, "MY_STICK")
    config.write_text(
        config.read_text()
        + f'[[drives]]\nname = "port"\nkind = "simulated-stick"\ndevice = "{path}"\n'
    )
    return path


def test_a_stick_is_compared_with_its_image(
    config: Path, stick: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    study, image = tmp_path / "study", tmp_path / "out.iso"
    make_study(study, kinds=("CT", "CT"))
    assert run(config, "build", study, "-o", image) == 0
    assert run(config, "burn", image, "--drive", "port") == 0
    before = stick.read_bytes()
    stick.chmod(0o444)  # a write-protected one can be compared too
    verify = ("verify", image, "--drive", "port")
    assert run(config, *verify) == 0
    assert stick.read_bytes() == before
    stick.chmod(0o644)
    assert run(config, "check", stick) == 0
    path = (stick, 1 << 20)

    capsys.readouterr()
    with stick.open("r+b") as file:  # the last byte of the second object's pixels
        (objects,) = [it for it in _files(path) if it.endswith("/I0000002")]
        file.seek(before.index(_content(path, objects)[-600:]) + 599)
        file.write(bytes([before[file.tell()] ^ 1]))
    assert run(config, *verify) == VerifyFailedError.exit_code
    said = capsys.readouterr().err
    assert "medium.verify_failed" in said
    assert f"{objects}: other bytes" in said
    assert "README.TXT" not in said

    _mtools("mdel", path, "::/README.TXT")
    assert run(config, *verify) == VerifyFailedError.exit_code
    said = capsys.readouterr().err
    assert "README.TXT: " in said
    assert "missing" in said
    assert objects in said

    bootstrap.make_stick_image(stick, 64 << 20, "EMPTY")
    assert run(config, *verify) == VerifyFailedError.exit_code
    assert "more" in capsys.readouterr().err


def _mtools(program: str, path: tuple[Path, int], *words: str) -> bytes:
    """On the volume at an offset of an image."""
    argv = [program, "-i", f"{path[0]}@@{path[1]}", *words]
    environment = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}
    return subprocess.run(argv, check=True, capture_output=True, env=environment).stdout


def _files(path: tuple[Path, int]) -> list[str]:
    lines = _mtools("mdir", path, "-b", "-/", "::/").decode().split("\n")
    return [line.removeprefix("::/") for line in lines if line and not line.endswith("/")]


def _content(path: tuple[Path, int], name: str) -> bytes:
    return _mtools("mtype", path, f"::/{name}")


def test_why_a_medium_is_not_accepted(
    config: Path,
    drive: SimulatedDrive,
    stick: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    image = tmp_path / "out.iso"
    make_study(tmp_path / "study")
    assert run(config, "build", tmp_path / "study", "-o", image) == 0
    loaded = config_file.load(config)

    def refused(name: str) -> str:
        capsys.readouterr()
        assert run(config, "burn", image, "--drive", name) == MediumWantedError.exit_code
        return capsys.readouterr().err

    def doubted(name: str) -> str:
        found = doctor._others(loaded)[f"drive {name}"]()
        return found.text if isinstance(found, Doubt) else ""

    assert doubted("port") == doubted("disc1") == ""
    drive.insert_blank(capacity_blocks=200)
    assert "wanted: larger_medium; too_small: " in refused("disc1")
    drive.eject()
    drive.take()
    drive.insert_blank()
    for name in ("disc1", "port"):
        assert run(config, "burn", image, "--drive", name) == 0
    drive.press_button()
    assert "wanted: other_disc; not_blank: " in refused("disc1")
    assert "not_blank: " in doubted("disc1")
    assert "wanted: stick; has_dicomdir: " in refused("port")  # our own of before
    assert "has_dicomdir: " in doubted("port")
    stick.chmod(0o444)
    assert "wanted: stick; read_only: " in refused("port")
    assert "read_only: " in doubted("port")
    stick.chmod(0o644)
    stick.write_bytes(bytes(64 << 20))
    assert "wanted: stick; no_file_system: " in refused("port")
    bootstrap.make_stick_image(stick, 64 << 20, "MY_STICK")
    (tmp_path / "photo").write_bytes(bytes(62 << 20))
    _mtools("mcopy", (stick, 1 << 20), str(tmp_path / "photo"), "::/PHOTO")
    assert "wanted: larger_medium; too_small: " in refused("port")
    burn = ("burn", image, "--allow-rewritable", "--drive")
    assert run(config, *burn, "port") == ConfigError.exit_code  # a stick has no such kind
    drive.eject()
    drive.take()
    drive.insert_blank("CD-RW")
    assert "wanted: other_disc; rewritable: " in refused("disc1")
    assert run(config, *burn, "disc1") == 0
    stick.unlink()
    assert refused("port").rstrip().endswith("wanted: stick")
    assert doubted("port") == ""  # nothing is in, as it should be


def test_two_patients_make_no_image(config: Path, tmp_path: Path):
    make_study(tmp_path / "study" / "one", seed=1)
    make_study(tmp_path / "study" / "two", seed=2, patient=Patient(patient_id="OTHER"))
    code = run(config, "build", tmp_path / "study", "-o", tmp_path / "out.iso")
    assert code == WrongPatientError.exit_code
    assert not (tmp_path / "out.iso").exists()


def image_of(folder: Path, image: Path) -> Path:
    """By another program than ours, as one that was made elsewhere."""
    argv = ["xorriso", "-as", "mkisofs", "-quiet", "-o", str(image), str(folder)]
    subprocess.run(argv, check=True, capture_output=True)
    return image


def test_an_image_of_two_patients_is_neither_burned_nor_called_good(
    config: Path, drive: SimulatedDrive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    one, other = tmp_path / "study" / "one", tmp_path / "study" / "two"
    make_study(one, seed=1)
    drive.insert_blank()
    image = image_of(one.parent, tmp_path / "one.iso")
    assert run(config, "burn", image, "--drive", "disc1") == 0
    make_study(other, seed=2, patient=Patient(patient_id="OTHER"))
    image_of(one.parent, image)
    drive.insert_blank()
    before = drive.look()
    for command in ("burn", "verify"):
        code = run(config, command, image, "--drive", "disc1")
        assert code == WrongPatientError.exit_code
        said = capsys.readouterr().err
        assert "the image holds objects of 2 different patients" in said
        assert "OTHER" not in said
    assert drive.look() == before


def test_an_image_of_which_whose_it_is_cannot_be_seen(
    config: Path, drive: SimulatedDrive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    drive.insert_blank()
    study = tmp_path / "study"
    make_study(study, seed=1)
    damaged = bytearray(image_of(study, tmp_path / "out.iso").read_bytes())
    at = damaged.index(b"DICM\x02\x00\x00\x00UL")
    damaged[at + 4 : at + 12] = bytes(8)
    (tmp_path / "out.iso").write_bytes(damaged)
    burn = ("burn", tmp_path / "out.iso", "--drive", "disc1")
    assert run(config, *burn) == CheckFailedError.exit_code
    assert "whose objects are on the image cannot be seen" in capsys.readouterr().err
    made = make_image(tmp_path / "out.iso", "NOTHING")  # no object: nobody's
    assert run(config, *burn) == 0
    assert made.size_bytes


def test_a_protected_image_is_burned(
    config: Path, drive: SimulatedDrive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    make_study(tmp_path / "study", seed=1)
    reading, writing = os.pipe()
    os.write(writing, b"correct horse battery staple\n")
    os.close(writing)
    image = tmp_path / "out.iso"
    build = ("build", tmp_path / "study", "-o", image, "--password-fd", reading)
    assert run(config, *build) == 0
    drive.insert_blank()
    assert run(config, "burn", image, "--drive", "disc1") == 0


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


def test_a_link_that_leads_nowhere_is_no_success(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    study, image = tmp_path / "study", tmp_path / "out.iso"
    make_study(study, kinds=("CT",))
    (study / "gone").symlink_to(tmp_path / "gone")
    assert run(config, "build", study, "-o", image) == IncompleteBuildError.exit_code
    said = capsys.readouterr()
    assert "gone  a link that leads nowhere" in said.out
    assert "links that nobody could look into: 1" in said.err
    assert run(config, "build", study, "-o", image, "--json", "--allow-left-out") == 0
    (ignored,) = json.loads(capsys.readouterr().out)["ignored"]
    assert (ignored["path"], ignored["unseen"]) == ("gone", True)


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


def owner_of(config: Path) -> LedgerEntry | None:
    with bootstrap.journal(config_file.load(config)) as journal:
        return journal.ledger.owner("disc1")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Faults(flip_byte=40_000), VerifyFailedError),
        (Faults(write_error_percent=50), MediumSpoiledError),
    ],
)
def test_a_bad_disc_stays_in_on_record_until_staff_begin_the_next(
    config: Path,
    drive: SimulatedDrive,
    tmp_path: Path,
    fault: Faults,
    error: type[VerifyFailedError | MediumSpoiledError],
):
    image = tmp_path / "out.iso"
    make_study(tmp_path / "study")
    assert run(config, "build", tmp_path / "study", "-o", image) == 0
    assert owner_of(config) is None  # and there is a journal now
    drive.insert_blank()
    drive.set_faults(fault)
    burn = ("burn", image, "--drive", "disc1")
    assert run(config, *burn) == error.exit_code
    assert not drive.look().is_open
    row = owner_of(config)
    assert row is not None
    assert (row.job_id, row.phase) == (BY_HAND, LedgerPhase.SCRAP)
    drive.set_faults(Faults())
    assert run(config, *burn) == MediumWantedError.exit_code
    assert drive.look().is_open
    assert owner_of(config) == row  # what lies in an open tray nobody can tell
    drive.insert_blank()
    assert run(config, *burn) == 0
    assert drive.look().is_open
    assert owner_of(config) is None
    with bootstrap.journal(config_file.load(config)) as journal:
        history = [it.outcome for it in journal.ledger.history(BY_HAND)]
        (counts,) = journal.stock.counts()
    assert history == [LedgerPhase.SCRAP, LedgerPhase.VERIFIED]
    assert (counts.begun, counts.spoiled) == (2, 1)


def test_a_disc_that_verify_refuses_is_scrap(config: Path, drive: SimulatedDrive, tmp_path: Path):
    images = []
    for seed in (1, 2):
        make_study(tmp_path / f"study{seed}", seed=seed)
        images.append(tmp_path / f"{seed}.iso")
        assert run(config, "build", tmp_path / f"study{seed}", "-o", images[-1]) == 0
    assert owner_of(config) is None
    drive.insert_blank()
    assert run(config, "burn", images[0], "--drive", "disc1") == 0
    assert run(config, "verify", images[0], "--drive", "disc1") == 0
    assert owner_of(config) is None
    verify = ("verify", images[1], "--drive", "disc1")
    assert run(config, *verify) == VerifyFailedError.exit_code
    row = owner_of(config)
    assert row is not None
    assert (row.job_id, row.phase) == (BY_HAND, LedgerPhase.SCRAP)
    assert run(config, *verify) == VerifyFailedError.exit_code
    with bootstrap.journal(config_file.load(config)) as journal:
        assert len(journal.ledger.history(BY_HAND)) == 1  # the same disc, counted once


def test_power_fails_while_burning_by_hand(config: Path, drive: SimulatedDrive, tmp_path: Path):
    """The row alone is left. A disc that is still blank is used; one that is not is scrap."""
    image = tmp_path / "out.iso"
    make_study(tmp_path / "study")
    assert run(config, "build", tmp_path / "study", "-o", image) == 0
    burn = ("burn", image, "--drive", "disc1")
    begun = LedgerEntry("disc1", BY_HAND, LedgerPhase.WRITING, 1, "PDI_1", "0" * 64)
    with bootstrap.journal(config_file.load(config)) as journal:
        journal.ledger.put(begun)
    drive.insert_blank()
    assert run(config, *burn) == 0
    drive.insert_blank()
    drive.set_faults(Faults(write_error_percent=50))
    assert run(config, *burn) == MediumSpoiledError.exit_code
    drive.set_faults(Faults())
    row = owner_of(config)
    assert row is not None
    with bootstrap.journal(config_file.load(config)) as journal:
        journal.ledger.put(dataclasses.replace(row, attempt=3, phase=LedgerPhase.WRITING))
    assert run(config, *burn) == MediumWantedError.exit_code
    scrapped = owner_of(config)
    assert scrapped is not None
    assert scrapped.phase == LedgerPhase.SCRAP
