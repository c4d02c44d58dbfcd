"""Rules on the files of a medium as they stand there, whatever file system they lie in.

The same for our images, our folders and other people's discs; nothing that is found is believed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dicomdir.findings import Finding, Severity
from dicomdir.pdi import (
    DICOMDIR,
    INDEX,
    OBJECTS_FOLDER,
    README,
    ROOT_NAMES,
    WEB_EXTENSIONS,
    WEB_FOLDER,
    broken_name_rule,
)

HEAD_BYTES: Final = 132  # preamble and prefix of a DICOM file (PS3.10 7.1)
_MAX_PER_RULE: Final = 20
_MAX_README_BYTES: Final = 64 << 10
_SELF_STARTERS: Final = frozenset(("autorun", "autoplay", ".autorun", "autorun_"))
_LITTER: Final = frozenset((".ds_store", "desktop.ini", "thumbs.db"))
_SIGNATURES: Final = ((b"MZ", "a DOS program"), (b"\x7fELF", "a program"), (b"%PDF", "a PDF"))


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A file of a medium: components of the path joined by "/"."""

    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of a medium and how to read them.

    Attributes:
        folders: Paths of all folders, the root left out.
        read: Bytes of the file of that path: path, offset, size; fewer only at the file's end.
            Raises DicomdirError or OSError.
    """

    files: Sequence[TreeFile]
    folders: Sequence[str]
    read: Callable[[str, int, int], bytes]


class Collector:
    """Findings, of which the first few of each rule are kept: a bad disc has thousands alike."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._counts: Counter[tuple[str, Severity]] = Counter()

    def error(self, rule: str, path: str, reason: str) -> None:
        self._add(Finding(rule, path, reason))

    def warn(self, rule: str, path: str, reason: str) -> None:
        self._add(Finding(rule, path, reason, Severity.WARNING))

    def extend(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self._add(finding)

    def _add(self, finding: Finding) -> None:
        if not (finding.path.isascii() and finding.path.isprintable()):
            finding = replace(finding, path=_escaped(finding.path))
        key = (finding.rule, finding.severity)
        self._counts[key] += 1
        if self._counts[key] <= _MAX_PER_RULE:
            self.findings.append(finding)
        elif self._counts[key] == _MAX_PER_RULE + 1:
            self.findings.append(
                Finding(
                    finding.rule, "", "more findings of this rule are not shown", finding.severity
                )
            )


def check_tree(tree: Tree, found: Collector) -> list[TreeFile]:
    """Names, places and first bytes of every file (PDI-01 to PDI-18, PDI-24 to PDI-28, PDI-45).

    Returns:
        The files that are DICOM files, without the DICOMDIR.
    """
    _check_root(tree, found)
    _check_readme(tree, found)
    for folder in tree.folders:
        if rule := broken_name_rule(f"{folder}/X"):
            found.error(rule, folder, "the folder's name or depth is not allowed")
    objects = []
    for file in tree.files:
        if rule := broken_name_rule(file.path):
            found.error(rule, file.path, "the file's name or depth is not allowed")
        head = tree.read(file.path, 0, HEAD_BYTES)
        is_dicom = head[128:] == b"DICM"
        if is_dicom:
            if any(head[:128]):
                found.error("PDI-45", file.path, "the preamble is not all zero")
            if file.path != DICOMDIR:
                objects.append(file)
        _check_place(file, head, is_dicom, found)
    return objects


def _check_root(tree: Tree, found: Collector) -> None:
    directories = [file.path for file in tree.files if _name(file.path).upper() == DICOMDIR]
    if DICOMDIR not in directories:
        found.error("PDI-01", "", "there is no DICOMDIR in the root")
    for path in directories:
        if path != DICOMDIR:
            found.error("PDI-01", path, "a second DICOMDIR")
    names = {path.split("/")[0] for path in tree.folders}
    names |= {file.path.split("/")[0] for file in tree.files}
    if INDEX not in names and WEB_FOLDER not in names:
        found.warn("PDI-07", "", "there is no web content")
    elif INDEX not in names or WEB_FOLDER not in names:
        found.error("PDI-07", "", "of INDEX.HTM and IHE_PDI one is missing")
    for name in sorted(names):
        if name.upper().startswith("IHE") and name not in (WEB_FOLDER, "IHE_XDM"):
            found.error("PDI-15", name, "names in the root may not begin with IHE")
        if name.lower().split(".")[0] in _SELF_STARTERS or name.lower().startswith(".autorun"):
            found.error("PDI-18", name, "nothing on the medium may start by itself")
        elif name.lower() in _LITTER:
            found.error("PDI-18", name, "left behind by an operating system")
        elif name not in ROOT_NAMES:
            found.warn("PDI-17", name, "not one of the usual names in the root")


def _check_readme(tree: Tree, found: Collector) -> None:
    readme = next((file for file in tree.files if file.path == README), None)
    if readme is None:
        found.error("PDI-04", "", "there is no README.TXT in the root")
        return
    data = tree.read(README, 0, _MAX_README_BYTES)
    if not data.strip():
        found.error("PDI-04", README, "it is empty")
    if not data.isascii():
        found.error("PDI-04", README, "it is not plain ASCII")
    if b"\n" in data.replace(b"\r\n", b""):
        found.warn("PDI-04", README, "a line does not end with CR LF")
    if any(len(line) > 80 for line in data.splitlines()):
        found.warn("PDI-04", README, "a line is longer than 80 characters")


def _check_place(file: TreeFile, head: bytes, is_dicom: bool, found: Collector) -> None:
    folder, _, name = file.path.partition("/")
    if is_dicom and not name and file.path != DICOMDIR:
        found.error("PDI-02", file.path, "a DICOM file in the root that is not the DICOMDIR")
    if not is_dicom and file.path == DICOMDIR:
        found.error("PDI-61", file.path, "the DICOMDIR is not a DICOM file")
    if folder == WEB_FOLDER and name:
        _check_web_file(file, head, is_dicom, found)
    elif folder == OBJECTS_FOLDER and name and not is_dicom:
        found.error("PDI-16", file.path, "something else among the DICOM files")
    elif is_dicom and name and folder != OBJECTS_FOLDER:
        found.warn("PDI-17", file.path, "a DICOM file outside of the folder DICOM")


def _check_web_file(file: TreeFile, head: bytes, is_dicom: bool, found: Collector) -> None:
    extension = _name(file.path).partition(".")[2].upper()
    if is_dicom:
        found.error("PDI-13", file.path, "a DICOM file among the web pages")
    for signature, what in _SIGNATURES:
        if head.startswith(signature):
            found.error("PDI-13", file.path, f"{what} among the web pages")
    if extension not in WEB_EXTENSIONS:
        report = found.warn if extension == "CSS" else found.error
        report("PDI-11", file.path, "web content is XHTML and JPEG only")
    elif extension == "JPG" and not head.startswith(b"\xff\xd8\xff"):
        found.error("PDI-11", file.path, "not a JPEG file")


def _escaped(path: str) -> str:
    """Names that others chose may hold what a terminal would obey."""
    return "".join(c if c.isascii() and c.isprintable() else f"\\x{ord(c):02x}" for c in path)


def _name(path: str) -> str:
    return path.rpartition("/")[2]
