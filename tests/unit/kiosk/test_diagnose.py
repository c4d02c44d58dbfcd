"""The doctor: each fault is one line that says what to do, and none hides the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.errors import ArchiveUnreachableError
from kiosk.services import diagnose as module
from kiosk.services.diagnose import Probes, State, diagnose


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
