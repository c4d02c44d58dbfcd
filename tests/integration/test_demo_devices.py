"""The demo's devices as a newcomer meets them: papers to look at, robots, and what goes wrong when
it is told to. The demo is a process; its drive, robots and printers are the product's own.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from dicomdir.check.image import check_image
from kiosk import bootstrap, config_file
from kiosk.adapters.raster import draw_page
from kiosk.demo.people import demo_people
from kiosk.domain.model import ExecutionStatus
from kiosk.errors import InvalidValueError
from tests.qr import decode

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("demo"),
]
COMMAND = [sys.executable, "-P", "-m", "kiosk.cli.main", "demo"]
ENVIRONMENT = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all: its studies are made once."""
    return tmp_path_factory.mktemp("demo") / "folder"


def demo(folder: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [*COMMAND, "--folder", str(folder), *words],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def paths(said: str, what: str) -> list[Path]:
    return [Path(it) for it in re.findall(rf"^{what}: (/.*)$", said, re.MULTILINE)]


def serial_of(image: Path) -> str:
    with image.open("rb") as file:
        file.seek(16 * 2048 + 40)  # ECMA-119 8.4: volume identifier of the first descriptor
        return file.read(32).decode("ascii").strip()


def code_on_label(label: Path) -> str:
    """In the left of the ring, at the height of the hole."""
    with Image.open(label) as picture:
        assert picture.width == picture.height
        width = picture.width
        place = (0.10 * width, 0.398 * width, 0.33 * width, 0.5735 * width)
        return decode(picture.convert("L").crop(place))


def code_on_slip(slip: Path) -> str:
    """The tallest thing on it."""
    with Image.open(slip) as picture:
        grey = picture.convert("L")
    dark = grey.point(lambda value: 255 - value)
    rows = [dark.crop((0, y, grey.width, y + 1)).getbbox() is not None for y in range(grey.height)]
    ends = [y for y in range(1, grey.height) if rows[y] != rows[y - 1]]
    top, bottom = max(zip(ends[::2], ends[1::2], strict=True), key=lambda it: it[1] - it[0])
    quiet = 4 * 6  # modules of six dots
    return decode(grey.crop((0, top - quiet, grey.width, bottom + quiet)))


def test_disc_and_papers_name_each_other(folder: Path, tmp_path: Path) -> None:
    code, said = demo(folder)
    assert code == 0, said
    (image,), (label,) = paths(said, "Image of the disc"), paths(said, "Label")
    (sheet,), (receipt,) = paths(said, "Cover sheet"), paths(said, "Receipt")
    serial = serial_of(image)
    assert label.name.endswith(f"-{serial}.pdf")
    words = subprocess.run(
        ["pdftotext", label, "-"], capture_output=True, text=True, check=True
    ).stdout
    assert serial in words
    assert "Carter, Helen" in words
    assert draw_page(sheet.read_bytes(), dpi=50)
    assert serial in code_on_slip(receipt)
    assert "The receipt is printed" in said
    assert "Not printed" not in said
    assert all(it.stat().st_mode & 0o077 == 0 for it in (image, label, sheet, receipt))


@pytest.mark.parametrize(("robot", "suffix"), [("primera", ".jpg"), ("epson", ".png")])
def test_a_robot_makes_the_disc_and_its_label(folder: Path, robot: str, suffix: str) -> None:
    code, said = demo(folder, "--robot", robot, "--fault", "robot.rejects=1")
    assert code == 0, said
    (image,), (label,) = paths(said, "Image of the disc"), paths(said, "Label")
    assert check_image(image) == []
    assert label == image.with_suffix(suffix)
    assert code_on_label(label) == serial_of(image)
    facts = json.loads((folder / f"robot-{robot}" / "robot.json").read_text())
    assert (facts["made"], facts["rejected"]) == (1, 1)
    with bootstrap.journal(config_file.load(folder / "sendhome.toml")) as journal:
        (job,) = journal.jobs.newest()
        assert job.status is ExecutionStatus.DONE


def test_staff_reject_the_disc_of_a_job_that_vanished(folder: Path) -> None:
    machine = folder / "robot-epson"
    before = {sub: set(machine.glob(f"{sub}/*.iso")) for sub in ("out", "rejected")}
    code, said = demo(folder, "--robot", "epson", "--fault", "robot.vanishes")
    assert code == 0, said
    (image,) = paths(said, "Image of the disc")
    assert set(machine.glob("out/*.iso")) - before["out"] == {image}
    assert len(set(machine.glob("rejected/*.iso")) - before["rejected"]) == 1


def test_what_goes_wrong_is_said_and_the_disc_is_good(folder: Path) -> None:
    faults = ("drive.write_error_percent=40", "labels.condition=paper_out",
              "receipts.condition=cover_open")  # fmt: skip
    code, said = demo(folder, *(word for fault in faults for word in ("--fault", fault)))
    assert code == 0, said
    (image,) = paths(said, "Image of the disc")
    assert check_image(image) == []
    assert said.count("Wanted: blank disc") + said.count("Wanted: other disc") == 2
    assert "The receipt cannot be printed: it is on the screen" in said
    assert "Not printed: disc (label.paper_out" in said
    assert "Not printed: receipt (receipt.failed" in said
    assert paths(said, "Label") == paths(said, "Receipt") == []
    assert len(paths(said, "Cover sheet")) == 1
    assert "Traceback" not in said
    assert demo_people()[0].identity.patient_id not in said
    spoiled = json.loads((folder / "drive" / "drive.json").read_text())["discs"]
    assert [it["status"] for it in spoiled].count("spoiled") == 1


@contextlib.contextmanager
def played(folder: Path) -> Iterator[None]:
    """A demo that waits for a visitor, at a terminal."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    process = subprocess.Popen(
        [*COMMAND, "--folder", str(folder)],
        cwd=ROOT, env=ENVIRONMENT, stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    try:
        said = b""
        while b"Take your images home" not in said:
            said += os.read(ours, 65536)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(OSError):  # its side of the terminal is closed
            while os.read(ours, 65536):
                pass
        process.wait()
        os.close(ours)


def test_faults_come_and_go_while_it_plays(folder: Path) -> None:
    config = folder / "sendhome.toml"
    with played(folder):
        told = demo(folder, "--now", "--fault", "drive.is_gone", "--fault",
                    "receipts.condition=paper_out", "--fault", "stick.condition=gone")  # fmt: skip
        assert told == (0, "Something is wrong with: drive, receipts, stick\n")
        drive = bootstrap.simulated(config_file.load(config).drive("disc1"))
        assert drive.look().faults.is_gone
        receipts = folder / "printers" / "receipts" / "printer.json"
        assert json.loads(receipts.read_text()) == {"condition": "paper_out"}
        assert not (folder / "stick.img").exists()
        code, said = demo(folder, "--now", "--fault", "robot.rejects=1")
        assert code == InvalidValueError.exit_code
        assert "makes its discs in a drive" in said
        assert drive.look().faults.is_gone
        assert demo(folder, "--now", "--fault", "none") == (0, "All is well\n")
        assert not drive.look().faults.is_gone
        assert json.loads(receipts.read_text()) == {"condition": ""}
        assert (folder / "stick.img").exists()
    code, said = demo(folder, "--now", "--fault", "none")
    assert code == InvalidValueError.exit_code
    assert "no demo plays" in said
