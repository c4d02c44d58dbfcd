"""Job files byte for byte, and what must never get into one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from burner.errors import EngineError, RobotRefusedError
from burner.robots import epson, primera
from burner.robots.epson import EpsonSettings
from burner.robots.primera import PrimeraSettings
from burner.robots.robot import RobotJob
from burner.robots.shares import (
    SharedFolder,
    complain_of_windows_folder,
    complain_of_windows_name,
)

GOLDEN = Path(__file__).parent / "golden"
SHARE = SharedFolder(Path("/srv/iso"), "\\\\BURN\\iso")
NAME = "SENDHOME-00001-PDI_ABCDEFG"
JOB = RobotJob(NAME, Path(f"/srv/iso/{NAME}.iso"), "PDI_ABCDEFG")


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def labelled(suffix: str) -> RobotJob:
    return replace(JOB, label=Path(f"/srv/iso/{NAME}{suffix}"))


def test_primera_requests() -> None:
    made = primera.encode_request(JOB, PrimeraSettings(), SHARE.translate)
    assert made == golden("plain.JRQ")
    settings = PrimeraSettings(name="Disc Publisher SE-3", disc="dvd", bin=1)
    job = replace(labelled(".jpg"), speed=8)
    assert primera.encode_request(job, settings, SHARE.translate) == golden("full.JRQ")
    settings = PrimeraSettings(name="Brenner Süd", is_unicode=True)
    assert primera.encode_request(JOB, settings, SHARE.translate) == golden("unicode.JRQ")
    assert primera.encode_abort(PrimeraSettings()) == golden("abort.PTM")


def test_epson_jobs() -> None:
    assert epson.encode_job(JOB, EpsonSettings(), SHARE.translate) == golden("plain.JDF")
    settings = EpsonSettings("Publisher 0", "dvd-dl", 4, "C:\\labels\\sendhome.tdd", "picture")
    fields = SHARE.translate(Path(f"/srv/iso/{NAME}.DAT"))
    job = replace(labelled(".png"), speed=8)
    assert epson.encode_job(job, settings, SHARE.translate, fields) == golden("full.JDF")
    job = labelled(".tdd")
    assert epson.encode_job(job, EpsonSettings(), SHARE.translate) == golden("label.JDF")
    picture = SHARE.translate(Path(f"/srv/iso/{NAME}.png"))
    assert epson.encode_fields("picture", picture) == golden("fields.DAT")
    assert epson.encode_cancel(NAME) == golden("cancel.JCF")


@pytest.mark.parametrize(
    "name", ["", "A" * 33, "a b", "a\nb", "../x", "a.b", "ä", "a\\b", "A\r\nClientID = x"]
)
def test_names_that_are_no_job(name: str) -> None:
    job = replace(JOB, name=name)
    with pytest.raises(RobotRefusedError):
        primera.encode_request(job, PrimeraSettings(), SHARE.translate)
    with pytest.raises(RobotRefusedError):
        epson.encode_job(job, EpsonSettings(), SHARE.translate)
    with pytest.raises(RobotRefusedError):
        epson.encode_cancel(name)


@pytest.mark.parametrize(
    "value",
    [" x", "x ", "a\rb", "a\nCopies = 9", "a\0b", "a\tb", "\u202ea", "東", "x" * 65],
)
def test_values_that_cannot_be_written(value: str) -> None:
    with pytest.raises(RobotRefusedError):
        primera.encode_request(JOB, PrimeraSettings(name=value), SHARE.translate)
    with pytest.raises(RobotRefusedError):
        epson.encode_job(JOB, EpsonSettings(name=value), SHARE.translate)
    with pytest.raises(RobotRefusedError):
        primera.encode_request(replace(JOB, volume_id=value), PrimeraSettings(), SHARE.translate)


def test_a_unicode_service_takes_other_letters() -> None:
    made = primera.encode_request(JOB, PrimeraSettings(name="東", is_unicode=True), SHARE.translate)
    assert made.decode("utf-16").endswith("RobotName = 東\r\n")


def test_a_design_field_with_an_equals_sign() -> None:
    with pytest.raises(RobotRefusedError):
        epson.encode_fields("a=b", "x")


@pytest.mark.parametrize(
    ("seen_as", "expected"),
    [
        ("\\\\BURN\\iso", "\\\\BURN\\iso\\a\\b.iso"),
        ("\\\\burn.local\\iso$\\deep\\er\\", "\\\\burn.local\\iso$\\deep\\er\\a\\b.iso"),
        ("C:\\PTBurnJobs", "C:\\PTBurnJobs\\a\\b.iso"),
        ("d:\\", "d:\\a\\b.iso"),
        ("C:", "C:\\a\\b.iso"),
    ],
)
def test_paths_there_and_back(seen_as: str, expected: str) -> None:
    share = SharedFolder(Path("/mnt/robot"), seen_as)
    path = Path("/mnt/robot/a/b.iso")
    assert share.translate(path) == expected
    assert share.localize(expected) == path
    assert share.localize(expected.upper()) == Path("/mnt/robot/A/B.ISO")


@pytest.mark.parametrize(
    "seen_as",
    ["", "/srv/x", "C", "relative", "C:relative", "\\\\host", "\\\\host\\", "\\\\\\share",
     "C:\\a\nb", "C:\\a|b", "C:\\..\\b", "C:\\CON\\b", "C:\\a.\\b", "C:\\a\\\\b",
     "C:\\" + "x" * 200],
)  # fmt: skip
def test_folders_that_are_none(seen_as: str) -> None:
    assert complain_of_windows_folder(seen_as)
    with pytest.raises(EngineError):
        SharedFolder(Path("/mnt"), seen_as)


@pytest.mark.parametrize(
    "path",
    ["/elsewhere/x", "/mnt", "/mnt/a:b", "/mnt/nul.iso", "/mnt/a.", "/mnt/a ", "/mnt/" + "x" * 252],
)
def test_files_that_the_pc_cannot_have(path: str) -> None:
    with pytest.raises(EngineError):
        SharedFolder(Path("/mnt"), "C:\\Jobs").translate(Path(path))


@pytest.mark.parametrize("seen", ["C:\\Jobs\\..\\x", "C:\\Other\\x", "C:\\Jobs", "", "C:\\Jobs\\"])
def test_files_that_are_not_in_the_share(seen: str) -> None:
    with pytest.raises(EngineError):
        SharedFolder(Path("/mnt"), "C:\\Jobs").localize(seen)


def test_names() -> None:
    assert complain_of_windows_name("SENDHOME-00001-PDI_ABCDEFG.iso") is None
    assert complain_of_windows_name("console.iso") is None
    for name in ("com1", "LPT9.txt", "a?b", "a\x01b", " a"):
        assert complain_of_windows_name(name)
