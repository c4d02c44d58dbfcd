"""Each rule on a folder tree is broken once, and found; the good tree has no finding."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dicomdir.build import ObjectFile, Plan, build_volume
from dicomdir.check.volume import check_volume
from dicomdir.findings import Finding, Severity
from dicomdir.instance import read_instance
from dicomdir.pdi import Entry, FileSource, PdiVolume
from dicomdir.web import LinkCase
from tests.factories import make_study
from tests.jobs import SITE

KINDS = ("CT", "CT", "MR", "SR", "KO", "PR", "PDF")


def volume_of(folder: Path, links: LinkCase = LinkCase.LOWER) -> PdiVolume:
    files = make_study(folder / "in", KINDS)
    objects = [ObjectFile(str(path), read_instance(path)) for path in files]
    (folder / "work").mkdir()
    plan = Plan("PDI_CHECK", "2.25.77", SITE, folder / "work", links)
    return build_volume(objects, plan).volume


def content(entry: Entry) -> bytes:
    if isinstance(entry.source, FileSource):
        return Path(entry.source.path).read_bytes()
    return entry.source


def unpack(volume: PdiVolume, root: Path) -> None:
    for entry in volume.entries:
        path = root / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(entry))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> PdiVolume:
    return volume_of(tmp_path_factory.mktemp("volume"))


@pytest.fixture
def root(made: PdiVolume, tmp_path: Path) -> Iterator[Path]:
    unpack(made, tmp_path / "root")
    return tmp_path / "root"


def rules(findings: list[Finding], severity: Severity = Severity.ERROR) -> set[str]:
    return {it.rule for it in findings if it.severity is severity}


def test_our_own_volume_is_clean(root: Path) -> None:
    assert check_volume(root) == []


def replace_text(path: Path, old: str, new: str) -> None:
    text = path.read_bytes().decode("ascii")
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode("ascii"))


def index(old: str, new: str) -> Callable[[Path], None]:
    return lambda root: replace_text(root / "INDEX.HTM", old, new)


def add(path: str, data: bytes = b"x") -> Callable[[Path], None]:
    def change(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)

    return change


def remove(path: str) -> Callable[[Path], None]:
    return lambda root: (root / path).unlink()


def rename(old: str, new: str) -> Callable[[Path], None]:
    return lambda root: (root / old).rename(root / new)


def first_object(root: Path) -> Path:
    return min(path for path in (root / "DICOM").rglob("*") if path.is_file())


def preamble(root: Path) -> None:
    path = first_object(root)
    path.write_bytes(b"MZ" + path.read_bytes()[2:])


def duplicate(root: Path) -> None:
    path = first_object(root)
    (path.parent / "I9999999").write_bytes(path.read_bytes())


DICOM_HEAD = bytes(128) + b"DICM"
PLANTED: list[tuple[str, Callable[[Path], None]]] = [
    ("PDI-01", remove("DICOMDIR")),
    ("PDI-01", add("EXTRA/DICOMDIR")),
    ("PDI-02", add("STRAY", DICOM_HEAD)),
    ("PDI-03", duplicate),
    ("PDI-03", lambda root: first_object(root).unlink()),
    ("PDI-04", remove("README.TXT")),
    ("PDI-04", add("README.TXT", b" \r\n")),
    ("PDI-04", add("README.TXT", "Müller\r\n".encode())),
    ("PDI-07", remove("INDEX.HTM")),
    ("PDI-08", index('id="readme"', 'id="other"')),
    ("PDI-08", index('id="institution"', 'id="else"')),
    ("PDI-08", index(">7</span>", ">8</span>")),
    ("PDI-08", add("VIEWER/START.EXE", b"MZ")),
    ("PDI-09", index("</p>", "")),
    ("PDI-09", index("XHTML Basic 1.1", "HTML 4.01")),
    ("PDI-09", index("<h2>", '<h2 style="color:red">')),
    ("PDI-09", index("<h2>", "<iframe></iframe><h2>")),
    ("PDI-09", index("<h2>", "&unknown;<h2>")),
    ("PDI-09", index('basic11.dtd">', 'basic11.dtd" [<!ENTITY a "b">]>')),
    ("PDI-10", index("<h2>", "<script>1</script><h2>")),
    ("PDI-10", index("<h2>", '<h2 onclick="x()">')),
    ("PDI-10", index('href="readme.txt"', 'href="javascript:alert(1)"')),
    ("PDI-11", add("IHE_PDI/X.PNG")),
    ("PDI-11", add("IHE_PDI/X.JPG", b"GIF89a")),
    ("PDI-13", add("IHE_PDI/X.HTM", DICOM_HEAD)),
    ("PDI-13", add("IHE_PDI/X.HTM", b"%PDF-1.7")),
    ("PDI-13", add("IHE_PDI/X.HTM", b"MZ\x90")),
    ("PDI-15", add("IHE_MORE/X.TXT")),
    ("PDI-16", add("DICOM/P0000001/NOTE")),
    ("PDI-18", add("AUTORUN.INF")),
    ("PDI-18", add("autorun.sh")),
    ("PDI-18", add(".DS_Store")),
    ("PDI-19", index('href="readme.txt"', 'href="nowhere.txt"')),
    ("PDI-19", index('href="readme.txt"', 'href="README.TXT"')),
    ("PDI-19", index('href="readme.txt"', 'href="Readme.txt"')),
    ("PDI-19", index('href="readme.txt"', 'href="/readme.txt"')),
    ("PDI-19", index('href="readme.txt"', 'href="http://example.org/x"')),
    ("PDI-19", index('href="readme.txt"', 'href="ihe_pdi\\index.htm"')),
    ("PDI-19", index('href="readme.txt"', 'href="../../readme.txt"')),
    ("PDI-25", add("DICOM/P0000001/I-1", DICOM_HEAD)),
    ("PDI-25", add("DICOM/P0000001/I1.DCM", DICOM_HEAD)),
    ("PDI-27", add("EXTRA/lower.txt")),
    ("PDI-27", add("EXTRA/NINELETTR.TXT")),
    ("PDI-27", add("EXTRA/A.B.C")),
    ("PDI-27", add("EXTRA/SOME DIR/A.TXT")),
    ("PDI-28", add("EXTRA/B/C/D/E/F/G/H/I.TXT")),
    ("PDI-03", lambda root: (root / "EXTRA").symlink_to("DICOM")),
    ("PDI-45", preamble),
    ("PDI-61", add("DICOMDIR", b"")),
    ("PDI-61", add("DICOMDIR", b"x" * 5000)),
]


@pytest.mark.parametrize(("rule", "change"), PLANTED)
def test_a_planted_fault_is_found(root: Path, rule: str, change: Callable[[Path], None]) -> None:
    change(root)
    assert rule in rules(check_volume(root))


WARNED: list[tuple[str, Callable[[Path], None]]] = [
    ("PDI-04", add("README.TXT", b"unix\n")),
    ("PDI-04", add("README.TXT", b"x" * 81 + b"\r\n")),
    ("PDI-11", add("IHE_PDI/X.CSS")),
    ("PDI-17", add("SOFTWARE/X.TXT")),
    ("PDI-17", add("EXTRA/OBJECT", DICOM_HEAD)),
]


@pytest.mark.parametrize(("rule", "change"), WARNED)
def test_what_is_only_advised_is_a_warning(
    root: Path, rule: str, change: Callable[[Path], None]
) -> None:
    change(root)
    assert rule in rules(check_volume(root), Severity.WARNING)


def test_media_without_web_content_are_warned_of(root: Path) -> None:
    (root / "INDEX.HTM").unlink()
    shutil.rmtree(root / "IHE_PDI")
    findings = check_volume(root)
    assert rules(findings) == set()
    assert rules(findings, Severity.WARNING) == {"PDI-07"}


def test_upper_case_links_are_as_good(tmp_path: Path) -> None:
    unpack(volume_of(tmp_path, LinkCase.UPPER), tmp_path / "root")
    assert check_volume(tmp_path / "root") == []


def test_html_entities_of_other_makers_are_no_fault(root: Path) -> None:
    replace_text(root / "INDEX.HTM", "<h2>", "&nbsp;&eacute;<h2>")
    assert check_volume(root) == []


def test_thousands_alike_are_few_findings(root: Path) -> None:
    (root / "EXTRA").mkdir()
    for number in range(300):
        (root / "EXTRA" / f"bad name {number}").write_bytes(b"x")
    findings = [it for it in check_volume(root) if it.rule == "PDI-27"]
    assert len(findings) == 21


def test_a_fifo_does_not_stop_the_check(root: Path) -> None:
    os.mkfifo(root / "PIPE")
    assert "PDI-03" in rules(check_volume(root))


def test_names_with_control_characters_are_shown_escaped(root: Path) -> None:
    (root / "A\x1b[2J").write_bytes(b"x")
    (root / "\udcff").write_bytes(b"x")
    for finding in check_volume(root):
        assert finding.path.isascii()
        assert finding.path.isprintable()


def test_an_empty_folder(tmp_path: Path) -> None:
    assert {"PDI-01", "PDI-04"} <= rules(check_volume(tmp_path))
