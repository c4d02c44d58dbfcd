"""A viewer with a file missing, cut or changed, and lists of hashes that nobody honest wrote."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dicomdir.build import ObjectFile, Plan, build_volume
from dicomdir.check.path import check_path
from dicomdir.check.volume import check_volume
from dicomdir.encrypt.restore import restore
from dicomdir.encrypt.volume import encrypt_volume
from dicomdir.findings import Finding, Severity
from dicomdir.instance import read_instance
from dicomdir.iso import author
from dicomdir.pdi import PdiVolume
from dicomdir.viewer import assets
from dicomdir.viewer.maker import ViewerMaker, parted
from dicomdir.viewer.text import data_file
from dicomdir.viewer.worker import deflated
from tests.entries import content
from tests.factories import make_study
from tests.jobs import CREATED, SITE

START = b"""<!DOCTYPE html><html><head><link rel="icon" href="data:,"></head><body>
<p><a href="../INDEX.HTM">x</a></p>
<script>window.SENDHOME_BASE={};i.href="VIEWER.CSS";d("LANG.JS",function(){d("VIEWER.JS")})</script>
</body></html>"""
NAMES = ("START.HTM", "VIEWER.JS", "CODECS.JS", "VIEWER.CSS", "LANG.JS", "LICENSE.TXT")
PASSWORD = "H7KQ-3MXA-9PTD-VW4E"
HASHES = "VIEWER/HASHES.JS"
Change = Callable[[Path], object]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image, a folder of the same, and a protected folder."""
    folder = tmp_path_factory.mktemp("made")
    program = folder / "program"
    program.mkdir()
    sums = []
    for name in NAMES:
        data = START if name == "START.HTM" else f"{name} 'use strict'".encode()
        (program / name).write_bytes(data)
        sums.append(f"{hashlib.sha256(data).hexdigest()}  {name}\n")
    (program / assets.SUMS).write_text("".join(sums))
    for kind, password in (("clear", ""), ("protected", PASSWORD)):
        files = make_study(folder / f"{kind}-in", ("CT", "CT", "SR", "PDF"))
        objects = [ObjectFile(str(it), read_instance(it)) for it in files]
        work = folder / f"{kind}-work"
        work.mkdir()
        options = {"created": "2026-11-22", "version": "1", "password": password, "workers": 1}
        with ViewerMaker(work / "v", **options, program_folder=program) as viewer:
            plan = Plan("PDI_VIEW", "2.25.77", SITE, work, viewer=viewer)
            volume, site = build_volume(objects, plan).volume, viewer.facts_for(SITE)
        if password:
            (folder / "sealed").mkdir()
            plain, own = parted(volume.entries)
            volume = PdiVolume(volume.volume_id, plain)
            volume = encrypt_volume(volume, password, folder / "sealed", site=site, clear=own)
        else:
            author(volume, folder / "disc.iso", created_at=CREATED)
        for entry in volume.entries:
            path = folder / kind / entry.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content(entry))
    return folder


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "clear", tmp_path / "root"))


def remove(path: str) -> Change:
    def change(root: Path) -> None:
        it = root / path
        shutil.rmtree(it) if it.is_dir() else it.unlink()

    return change


def swap(path: str, old: bytes, new: bytes) -> Change:
    def change(root: Path) -> None:
        data = (root / path).read_bytes()
        assert old in data
        (root / path).write_bytes(data.replace(old, new))

    return change


def told(findings: list[Finding], severity: Severity = Severity.ERROR) -> set[tuple[str, str]]:
    return {(it.rule, it.path) for it in findings if it.severity is severity}


@pytest.mark.parametrize("path", ["clear", "protected", "disc.iso"])
@pytest.mark.parametrize("with_hashes", [True, False])
def test_sound_ones_are_clean(made: Path, path: str, with_hashes: bool) -> None:
    assert check_path(made / path, with_hashes=with_hashes).findings == []


@pytest.mark.parametrize("kind", ["clear", "protected"])
@pytest.mark.parametrize("name", ["VIEWER.JS", "LANG.JS", "VIEWER.CSS", "MANIFEST.JS"])
def test_what_the_page_needs(made: Path, tmp_path: Path, kind: str, name: str) -> None:
    root = Path(shutil.copytree(made / kind, tmp_path / "root"))
    (root / "VIEWER" / name).unlink()
    assert ("PDI-21", "VIEWER/START.HTM") in told(check_volume(root))


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (remove("VIEWER/D"), ("PDI-21", "VIEWER/D/S0000001/META.JS")),
        (remove("VIEWER/LICENSE.TXT"), ("PDI-21", "VIEWER/LICENSE.TXT")),
        (swap("VIEWER/VIEWER.JS", b"use strict", b"use  trict"), ("PDI-21", "VIEWER/VIEWER.JS")),
        (swap("VIEWER/D/S0000001/C0000001.JS", b"(\0", b"(\0 \0"),
         ("PDI-21", "VIEWER/D/S0000001/C0000001.JS")),
        (swap("INDEX.HTM", b"Keep it", b"Keep  it"), ("PDI-105", "INDEX.HTM")),
        (lambda root: (root / HASHES).write_bytes(b"\xff\xfex"), ("PDI-21", HASHES)),
    ],
)  # fmt: skip
def test_what_is_missing_or_another(root: Path, change: Change, finding: tuple[str, str]) -> None:
    change(root)
    assert finding in told(check_volume(root))
    assert finding in told(check_path(root, with_hashes=True).findings)


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (swap("VIEWER/D/S0000001/C0000001.JS", b"S\0000\000", b"S\0001\000"),
         ("PDI-21", "VIEWER/D/S0000001/C0000001.JS")),
        (swap("INDEX.HTM", b"Keep it", b"Lose it"), ("PDI-105", "INDEX.HTM")),
    ],
)  # fmt: skip
def test_digests_of_the_rest_cost_a_read(
    root: Path, change: Change, finding: tuple[str, str]
) -> None:
    change(root)
    assert check_volume(root) == []
    assert told(check_path(root, with_hashes=True).findings) == {finding}


def test_a_missing_list_is_a_warning(root: Path) -> None:
    (root / HASHES).unlink()
    assert told(check_volume(root)) == set()
    assert told(check_volume(root), Severity.WARNING) == {("PDI-21", "VIEWER/START.HTM")}


@pytest.fixture
def protected(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "protected", tmp_path / "root"))


def flipped(path: str) -> Change:
    """One bit of what is encrypted: an envelope that cannot be told from a sound one."""

    def change(root: Path) -> None:
        data = bytearray((root / path).read_bytes())
        data[len(data) * 2 // 3] ^= 1
        (root / path).write_bytes(data)

    return change


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (remove("DICOM/P0000001/ST000001/SE000001/I0000001"),
         ("PDI-105", "DICOM/P0000001/ST000001/SE000001/I0000001")),
        (remove("EXTRA/PRIVATE/D000001/F0000001.P7M"),
         ("PDI-105", "EXTRA/PRIVATE/D000001/F0000001.P7M")),
        (remove("VIEWER/D/S0000001/META.JS"), ("PDI-21", "VIEWER/D/S0000001/META.JS")),
        (swap("VIEWER/VIEWER.JS", b"use strict", b"use  trict"), ("PDI-21", "VIEWER/VIEWER.JS")),
    ],
)  # fmt: skip
def test_what_a_protected_medium_lacks(
    protected: Path, change: Change, finding: tuple[str, str]
) -> None:
    change(protected)
    assert finding in told(check_volume(protected))


@pytest.mark.parametrize(
    "path", ["DICOMDIR", "EXTRA/MANIFEST.P7M", "DICOM/P0000001/ST000001/SE000001/I0000001"]
)
def test_what_is_altered_on_a_protected_medium(protected: Path, path: str) -> None:
    flipped(path)(protected)
    assert check_volume(protected) == []
    assert told(check_path(protected, with_hashes=True).findings) == {("PDI-105", path)}


@pytest.mark.parametrize("path", ["DICOM/P0000001/ST000001/SE000001/I0000099", "VIEWER/X.JS"])
def test_what_was_added_to_a_protected_medium(protected: Path, path: str) -> None:
    model = "DICOMDIR" if path.startswith("DICOM/") else "VIEWER/LANG.JS"
    shutil.copy(protected / model, protected / path)
    finding = ("PDI-21" if path.startswith("VIEWER") else "PDI-105", path)
    assert finding in told(check_volume(protected), Severity.WARNING)
    assert told(check_volume(protected)) == set()


def test_a_protected_medium_of_an_earlier_program_has_no_list(protected: Path) -> None:
    (protected / HASHES).unlink()
    missing = told(check_volume(protected), Severity.WARNING)
    assert missing == {("PDI-21", "VIEWER/START.HTM")}
    manifest = protected / "VIEWER" / "MANIFEST.JS"
    stated = '"hashes": "HASHES"'.replace(" ", "").encode("utf-16-le")
    assert stated in manifest.read_bytes()
    manifest.write_bytes(manifest.read_bytes().replace(b"," + b"\0" + stated, b""))
    assert check_volume(protected) == []


def test_a_decrypted_medium_needs_no_list_of_the_sealed_files(made: Path, tmp_path: Path) -> None:
    restored = restore(made / "protected", PASSWORD, tmp_path / "plain")
    assert restored.ignored == 0
    assert not (tmp_path / "plain" / HASHES).exists()
    assert check_volume(tmp_path / "plain") == []


@pytest.mark.parametrize(
    "rows",
    [
        None, {}, {"files": 1}, {"files": [1]}, {"files": [["A", "B", "C"]]}, "[" * 100_000,
        {"files": [["INDEX.HTM", 1, "x" * 64]]}, {"files": [["X" * 400, 1, "0" * 64]] * 10_000},
    ],
    ids=lambda rows: repr(rows)[:40],
)  # fmt: skip
def test_lists_that_are_none(root: Path, rows: object) -> None:
    text = rows if isinstance(rows, str) else json.dumps(rows)
    (root / HASHES).write_bytes(data_file("HASHES", deflated(text.encode())))
    assert told(check_volume(root)) == {("PDI-21", HASHES)}


@pytest.mark.parametrize("page", [b"<![x[" + START, b"<a href='http://[x'>" + START, b"\xff" * 99])
def test_pages_of_others_are_only_warned_of(root: Path, page: bytes) -> None:
    page = page.replace(b"SENDHOME_BASE", b"x").replace(b"../INDEX.HTM", b"../../../GONE.HTM")
    (root / "VIEWER" / "START.HTM").write_bytes(page)
    (root / HASHES).unlink()
    assert told(check_volume(root)) == set()
