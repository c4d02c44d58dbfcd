"""`sendhome decrypt` as a person runs it: the password through a descriptor or a terminal."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.services.build_folder import build_folder
from kiosk.services.build_set import SetOptions
from tests.factories import make_study
from tests.integration.test_encrypt_medium import (
    PASSWORD,
    copy_out,
    flip,
    plain_volume,
    protect,
    require_equal,
)
from tests.jobs import CREATED, SITE

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def medium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("medium")
    return copy_out(protect(plain_volume(folder / "study"), folder / "work"), folder / "copy")


def decrypt(
    medium: Path, out: Path, password: str, *words: str
) -> subprocess.CompletedProcess[str]:
    """With the password on a pipe."""
    reading, writing = os.pipe()
    os.write(writing, password.encode() + b"\n")
    os.close(writing)
    try:
        return subprocess.run(
            [
                *(sys.executable, "-m", "kiosk.cli.main", "decrypt", medium, "-o", out),
                *("--password-fd", str(reading), *words),
            ],
            cwd=ROOT,
            pass_fds=(reading,),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
    finally:
        os.close(reading)


def test_the_plain_medium_comes_out(medium: Path, tmp_path: Path) -> None:
    done = decrypt(medium, tmp_path / "out", PASSWORD, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    facts = json.loads(done.stdout)
    assert facts["is_authenticated"] is True
    assert facts["ignored"] == 0
    require_equal(tmp_path / "out", plain_volume(tmp_path / "study"))


def test_the_viewer_comes_along_and_every_link_leads_somewhere(tmp_path: Path) -> None:
    make_study(tmp_path / "in", ("CT", "CT"))
    image = tmp_path / "protected.iso"
    build_folder(
        tmp_path / "in",
        image,
        SITE,
        volume_id="PDI_TEST",
        created_at=CREATED,
        options=SetOptions(password=PASSWORD, viewer=True),
    )
    done = decrypt(image, tmp_path / "out", PASSWORD, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["findings"] == []
    assert (tmp_path / "out" / "VIEWER" / "START.HTM").is_file()


@pytest.mark.parametrize(("password", "code"), [("wrong", 97), ("", 97), ("straße", 97)])
def test_a_wrong_password_is_one_line(
    medium: Path, tmp_path: Path, password: str, code: int
) -> None:
    done = decrypt(medium, tmp_path / "out", password)
    assert done.returncode == code
    assert done.stderr == ("sendhome: medium.password: the password does not open this medium\n")
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_damage_is_one_line_that_names_the_file(tmp_path: Path) -> None:
    volume = protect(plain_volume(tmp_path / "study"), tmp_path / "work")
    medium = copy_out(volume, tmp_path / "medium")
    flip(medium / "DICOMDIR", -100)
    done = decrypt(medium, tmp_path / "out", PASSWORD)
    assert done.returncode == 98
    assert done.stderr.startswith("sendhome: medium.damaged: DICOMDIR: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_what_is_no_protected_medium(tmp_path: Path) -> None:
    plain = copy_out(plain_volume(tmp_path / "study"), tmp_path / "plain")
    assert decrypt(plain, tmp_path / "out", PASSWORD).returncode == 99
    assert decrypt(tmp_path / "nowhere", tmp_path / "out", PASSWORD).returncode == 64
    assert decrypt(plain, tmp_path / "study", PASSWORD).returncode == 64
    (tmp_path / "text").write_text("text")
    assert decrypt(tmp_path / "text", tmp_path / "out", PASSWORD).returncode == 99


def test_the_terminal_is_asked_and_shows_nothing(medium: Path, tmp_path: Path) -> None:
    terminal, inside = pty.openpty()
    words = ["decrypt", os.fspath(medium), "-o", os.fspath(tmp_path / "out")]
    with subprocess.Popen(
        ["setsid", "--ctty", "--wait", sys.executable, "-m", "kiosk.cli.main", *words],
        cwd=ROOT,
        stdin=inside,
        stdout=inside,
        stderr=inside,
    ) as command:
        os.close(inside)
        shown = b""
        while b"Password: " not in shown:
            shown += os.read(terminal, 4096)
        os.write(terminal, PASSWORD.encode() + b"\n")
        with contextlib.suppress(OSError):  # EIO: the other side has closed
            while piece := os.read(terminal, 4096):
                shown += piece
        assert command.wait() == 0, shown
    os.close(terminal)
    assert PASSWORD.encode() not in shown
    require_equal(tmp_path / "out", plain_volume(tmp_path / "study"))
