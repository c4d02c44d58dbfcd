"""`sendhome check` as it is typed: real FAT media by mkfs.vfat and mtools, exit codes, output."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dicomdir.iso import author
from kiosk.cli import main as cli
from kiosk.errors import CheckFailedError, InvalidValueError
from tests.unit.dicomdir.test_check_volume import unpack, volume_of

pytestmark = pytest.mark.integration

CREATED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202egpj.txt"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    volume = volume_of(folder)
    author(volume, folder / "disc.iso", created_at=CREATED)
    unpack(volume, folder / "tree")
    return folder


def stick(folder: Path, tree: Path, bits: int, offset: int, label: str = "PDI_CHECK") -> Path:
    """By the real tools; with `offset` behind a partition table made by hand."""
    volume, image = folder / "volume", folder / "stick.img"
    size = 40 << 20 if bits == 32 else 20 << 20 if bits == 16 else 1 << 20
    with volume.open("wb") as file:
        file.truncate(size)
    words = ["/usr/sbin/mkfs.vfat", "-F", str(bits), "-s", "1", "-n", label, str(volume)]
    subprocess.run(words, check=True, capture_output=True)
    copy = ["mcopy", "-s", "-i", str(volume), *map(str, sorted(tree.iterdir())), "::"]
    subprocess.run(copy, check=True, capture_output=True)
    table = bytearray(offset)
    if offset:
        table[450] = 0x0C if bits == 32 else 0x0E
        table[454:458] = (offset // 512).to_bytes(4, "little")
        table[458:462] = (size // 512).to_bytes(4, "little")
        table[510:512] = b"\x55\xaa"
    image.write_bytes(bytes(table) + volume.read_bytes())
    return image


@pytest.mark.parametrize("bits", [16, 32])
@pytest.mark.parametrize("offset", [0, 1 << 20])
def test_a_real_stick(
    made: Path, tmp_path: Path, bits: int, offset: int, capsys: pytest.CaptureFixture[str]
) -> None:
    image = stick(tmp_path, made / "tree", bits, offset)
    assert cli.main(["check", str(image), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["kind"], report["objects"], report["findings"]) == ("fat", 7, [])


def test_a_floppy(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = stick(tmp_path, made / "tree", 12, 0)
    assert cli.main(["check", str(image)]) == CheckFailedError.exit_code
    assert "FAT12" in capsys.readouterr().out


def test_names_as_people_copy_them(made: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "Dicom Images").mkdir(parents=True)
    (tree / "Dicom Images" / "A longer name.dcm").write_bytes(bytes(128) + b"DICM")
    image = stick(tmp_path, tree, 16, 0)
    assert cli.main(["check", str(image)]) == CheckFailedError.exit_code


def test_warnings_alone_are_no_failure(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = stick(tmp_path, made / "tree", 16, 0, label="PDI_0000000")
    assert cli.main(["check", str(image), "--json"]) == 0
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["rule"], finding["severity"]) == ("PDI-44", "warning")


def test_what_its_owner_calls_a_stick_is_his(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = stick(tmp_path, made / "tree", 16, 0, label="MY STICK")
    assert cli.main(["check", str(image), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []


def test_hashes_and_back(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(made / "disc.iso"), "--hashes"]) == 0
    said = capsys.readouterr()
    assert said.err == "no findings\n"
    (tmp_path / "list").write_text(said.out)
    words = ["check", "--compare", str(tmp_path / "list")]
    assert cli.main([*words, str(made / "disc.iso")]) == 0
    assert cli.main([*words, str(made / "tree")]) == 0
    tree = [line for line in said.out.splitlines() if not line.endswith("  -")]
    (tmp_path / "sums").write_text("\n".join(tree) + "\n")
    checked = subprocess.run(
        ["sha256sum", "--quiet", "-c", tmp_path / "sums"], cwd=made / "tree", capture_output=True
    )
    assert checked.returncode == 0
    (tmp_path / "list").write_text(said.out.replace("a", "b", 1))
    assert cli.main([*words, str(made / "disc.iso")]) == CheckFailedError.exit_code


def test_hostile_names_do_not_reach_the_terminal(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unpack(volume_of(tmp_path), tmp_path / "tree")
    (tmp_path / "tree" / HOSTILE).write_bytes(b"x")
    for more in ([], ["--json"], ["--hashes"]):
        assert cli.main(["check", str(tmp_path / "tree"), *more]) == CheckFailedError.exit_code
        said = capsys.readouterr()
        for text in (said.out, said.err):
            assert not set(text) & {"\x1b", "\x07", "\u202e"}


def test_wrong_usage(made: Path, tmp_path: Path) -> None:
    disc = str(made / "disc.iso")
    (tmp_path / "list").write_text("no hash\n")
    for words in (
        ["check", str(tmp_path / "nothing")],
        ["check", str(tmp_path / "list")],
        ["check", "/dev/null"],
        ["check", disc, "--profile", "STD-NONE"],
        ["check", disc, "--compare", str(tmp_path / "list")],
        ["check", disc, "--compare", str(tmp_path / "nothing")],
    ):
        assert cli.main(words) == InvalidValueError.exit_code


def test_a_profile_may_be_asked_for(made: Path) -> None:
    assert cli.main(["check", str(made / "disc.iso"), "--profile", "STD-GEN-USB-JPEG"]) == 0
