"""`check_path`: what a path leads to, in any letter case, and hashes out of one read."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dicomdir.check.hashes import VOLUME, listed, parse_list
from dicomdir.check.path import NoMediumError, Report, check_path
from dicomdir.iso import author
from dicomdir.iso_reader import BLOCK_BYTES
from dicomdir.web import LinkCase
from tests.fat_image import fat_image
from tests.unit.dicomdir.test_check_volume import content, rules, unpack, volume_of

CREATED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """iso, fat and folder: the same volume."""
    folder = tmp_path_factory.mktemp("made")
    volume = volume_of(folder)
    author(volume, folder / "iso", created_at=CREATED)
    files = {entry.path: content(entry) for entry in volume.entries}
    (folder / "fat").write_bytes(fat_image(files, label="PDI_CHECK").data)
    unpack(volume, folder / "folder")
    return folder


def wanted(made: Path) -> dict[str, str]:
    root = made / "folder"
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("kind", ["iso", "fat", "folder"])
def test_all_three_are_clean_and_hold_the_same(made: Path, kind: str) -> None:
    report = check_path(made / kind, with_hashes=True, wanted=wanted(made))
    assert report.findings == []
    assert (report.kind, report.files, report.objects) == (kind, len(wanted(made)), 7)
    assert report.volume_id == "PDI_CHECK"
    assert report.hashes is not None
    assert report.hashes.files == wanted(made)
    whole = "" if kind == "folder" else hashlib.sha256((made / kind).read_bytes()).hexdigest()
    assert report.hashes.volume == whole
    size = sum(p.stat().st_size for p in (made / kind).rglob("*") if p.is_file())
    assert report.hashes.read_bytes == (size or (made / kind).stat().st_size)


@pytest.mark.parametrize("kind", ["iso", "fat"])
def test_a_changed_byte_is_found_by_its_hash(made: Path, kind: str, tmp_path: Path) -> None:
    data = bytearray((made / kind).read_bytes())
    at = data.index(b"Telephone 555-0199")
    data[at] ^= 0x20
    (tmp_path / "changed").write_bytes(data)
    own = {**wanted(made), VOLUME: hashlib.sha256((made / kind).read_bytes()).hexdigest()}
    report = check_path(tmp_path / "changed", with_hashes=True, wanted=own)
    found = {(it.rule, it.path) for it in report.findings}
    assert {rule for rule, _ in found} == {"PDI-105"}
    assert len(found) == 2  # a file and the volume
    assert ("PDI-105", "") in found


def test_a_list_may_name_what_is_not_there(made: Path) -> None:
    report = check_path(made / "folder", with_hashes=True, wanted={"OTHER.TXT": "0" * 64})
    assert [(it.rule, it.path) for it in report.findings] == [("PDI-105", "OTHER.TXT")]


def test_lists_as_sha256sum_prints_them() -> None:
    digest = "ab" * 32
    lines = [f"{digest}  DICOMDIR", f"{digest} *./A/B C", "", "# text", f"{digest.upper()}  -"]
    assert dict(parse_list(lines)) == {"DICOMDIR": digest, "A/B C": digest, VOLUME: digest}
    with pytest.raises(ValueError, match="line 1"):
        list(parse_list(["DICOMDIR"]))


def lowered(made: Path, to: Path) -> Path:
    """As Linux shows a plain ISO 9660 disc."""
    root = made / "folder"
    for path in root.rglob("*"):
        if path.is_file():
            target = to / str(path.relative_to(root)).lower()
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return to


def test_a_mounted_disc_in_lower_case(made: Path, tmp_path: Path) -> None:
    root = lowered(made, tmp_path / "cd")
    assert check_path(root).findings == []
    (root / "extra").mkdir()
    (root / "extra" / "ninelettr.txt").write_bytes(b"x")
    assert rules(check_path(root).findings) == {"PDI-27"}


def test_links_in_upper_case_on_a_disc_in_lower_case(tmp_path: Path) -> None:
    unpack(volume_of(tmp_path, LinkCase.UPPER), tmp_path / "folder")
    root = lowered(tmp_path, tmp_path / "cd")
    assert {it.rule for it in check_path(root).findings} == {"PDI-19"}


def test_some_names_in_lower_case_are_no_view(made: Path, tmp_path: Path) -> None:
    root = lowered(made, tmp_path / "mixed")
    (root / "dicomdir").rename(root / "DICOMDIR")
    assert {"PDI-03", "PDI-04"} <= rules(check_path(root).findings)


def test_what_is_no_medium(tmp_path: Path) -> None:
    exfat = bytearray(1 << 16)
    exfat[3:11], exfat[510:512] = b"EXFAT   ", b"\x55\xaa"
    gpt = bytearray(1 << 16)
    gpt[450], gpt[510:512] = 0xEE, b"\x55\xaa"
    raw = b"\0" + b"\xff" * 10 + b"\0" + bytes(1 << 16)
    udf = bytearray(1 << 18)
    udf[18 * 2048 : 18 * 2048 + 6] = b"\0NSR02"
    for data, words in (
        (exfat, "exFAT"), (gpt, "GUID"), (raw, "raw sectors"), (udf, "UDF alone"), (b"", "neither"),
    ):  # fmt: skip
        (tmp_path / "file").write_bytes(data)
        with pytest.raises(NoMediumError, match=words):
            check_path(tmp_path / "file")


def test_a_cut_image_is_said_to_be_cut(made: Path, tmp_path: Path) -> None:
    data = (made / "iso").read_bytes()
    (tmp_path / "cut").write_bytes(data[: -10 * BLOCK_BYTES])
    report: Report = check_path(tmp_path / "cut", with_hashes=True)
    assert {"PDI-29", "PDI-105"} <= rules(report.findings)


def test_every_name_comes_back_from_a_list_and_no_line_has_an_odd_byte() -> None:
    digest = "0" * 64
    names = ["A/B C", "a\\b", "two\nlines", "\r", "\x1b[2Jcafe", "\udcff", "é", "\u202e", "\\n"]
    lines = [listed(name, digest) for name in names]
    assert all(line.isprintable() for line in lines)
    assert [path for path, _ in parse_list(line + "\n" for line in lines)] == names
    assert lines[0] == f"{digest}  A/B C"
    assert lines[1] == f"\\{digest}  a\\\\b"  # as sha256sum itself
