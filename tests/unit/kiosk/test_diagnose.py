"""The doctor: each fault is one line that says what to do, and none hides the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.domain.model import Uid
from kiosk.errors import ArchiveAbortedError, ArchiveUnreachableError, UnknownDestinationError
from kiosk.services import diagnose as module
from kiosk.services.diagnose import (
    Destination,
    Doubt,
    Probes,
    State,
    check_destination,
    diagnose,
)
from tests.factories import make_study, stable_uid
from tests.fakes.pacs import FakePacs, Round


def states(probes: Probes) -> dict[str, State]:
    return {check.name: check.state for check in diagnose(probes)}


def test_a_failing_probe_is_a_fault_and_the_rest_goes_on(tmp_path: Path):
    def unreachable() -> str:
        raise ArchiveUnreachableError("no connection to 127.0.0.1:1")

    probes = Probes({"state": tmp_path}, 0, {"archive": unreachable, "drive": lambda: "blank CD-R"})
    found = {check.name: check for check in diagnose(probes)}
    assert found["archive"].state is State.FAULT
    assert found["archive"].text.startswith("archive.unreachable: ")
    assert found["drive"].state is State.OK
    assert found["python"].state is State.OK


def test_a_missing_program_names_its_package(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "SYSTEM_PATH", "/nonexistent")
    monkeypatch.setenv("PATH", "/nonexistent")
    found = {check.name: check for check in diagnose(Probes({}, 0, {}))}
    assert found["mcopy"].state is State.FAULT
    assert "mtools" in found["mcopy"].text


US = Destination("SENDHOME", 11112)


def files(tmp_path: Path) -> list[Path]:
    return make_study(tmp_path / "archive", ("CT", "CT"), seed=5)


def probed(pacs: FakePacs, study: str | None, tmp_path: Path) -> str | Doubt:
    """What is said; nothing of what came may stay."""
    folder = tmp_path / "spool"
    folder.mkdir()
    try:
        return check_destination(pacs, US, None if study is None else Uid(study), folder)
    finally:
        assert list(folder.iterdir()) == []


def test_one_object_that_comes_shows_that_the_archive_knows_us(tmp_path: Path):
    pacs = FakePacs(files(tmp_path))
    found = probed(pacs, stable_uid("study", 5), tmp_path)
    assert found == "one object was sent to SENDHOME on port 11112, and thrown away"
    assert pacs.asked == [1]


@pytest.mark.parametrize("is_certain", [True, False])
def test_an_archive_that_does_not_know_us_is_a_fault_with_advice(tmp_path: Path, is_certain: bool):
    error = UnknownDestinationError("unknown", is_certain=is_certain)
    pacs = FakePacs(files(tmp_path), [Round(send=0, error=error)])
    with pytest.raises(UnknownDestinationError, match=r"enter SENDHOME .* port 11112"):
        probed(pacs, stable_uid("study", 5), tmp_path)


def test_an_archive_that_says_success_and_sends_nothing_is_a_fault(tmp_path: Path):
    pacs = FakePacs(files(tmp_path), [Round(send=0)])
    with pytest.raises(ArchiveAbortedError, match="firewalls"):
        probed(pacs, stable_uid("study", 5), tmp_path)


@pytest.mark.parametrize("study", [None, "1.2.3.4"])
@pytest.mark.parametrize(
    "error", [None, UnknownDestinationError("cannot tell", is_certain=False)], ids=["", "unsure"]
)
def test_without_a_study_it_cannot_be_told(
    tmp_path: Path, study: str | None, error: Exception | None
):
    found = probed(FakePacs(files(tmp_path), [Round(send=0, error=error)]), study, tmp_path)
    assert isinstance(found, Doubt)
    assert "enter SENDHOME" in found.text
    checks = {it.name: it for it in diagnose(Probes({}, 0, {"move destination": lambda: found}))}
    assert checks["move destination"].state is State.WARNING


def test_without_a_study_some_archives_still_say_that_they_do_not_know_us(tmp_path: Path):
    pacs = FakePacs(files(tmp_path), [Round(send=0, error=UnknownDestinationError("0xA801"))])
    with pytest.raises(UnknownDestinationError):
        probed(pacs, None, tmp_path)


def test_folders(tmp_path: Path):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    (tmp_path / "file").touch()
    folders = {"private": private, "shared": shared, "no": tmp_path / "file" / "below"}
    found = states(Probes(folders, 0, {}))
    assert [found[name] for name in folders] == [State.OK, State.WARNING, State.FAULT]
    assert states(Probes({"private": private}, 1 << 60, {}))["private"] is State.FAULT
    assert list(private.iterdir()) == []
