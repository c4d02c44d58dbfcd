"""What is checked: the files of a medium, however it is read; and what is found, bounded.

Nothing that is found on a medium is believed, and nothing of it is shown raw.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, Protocol, TypeVar

from dicomdir.errors import DicomdirError
from dicomdir.findings import Finding, Severity

_MAX_PER_RULE: Final = 20
_MAX_PATH: Final = 300  # characters of a path that are shown


class Medium(Enum):
    """What the files lie on, as far as rules differ."""

    DISC = "disc"
    STICK = "stick"
    FOLDER = "folder"


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
        is_lower_view: The names were all in lower case, as Linux shows plain ISO 9660, and stand
            here in upper case.
    """

    files: Sequence[TreeFile]
    folders: Sequence[str]
    read: Callable[[str, int, int], bytes]
    medium: Medium = Medium.FOLDER
    is_lower_view: bool = False


class Record(Protocol):
    """An entry of a file system as its reader tells it: a file or a folder."""

    @property
    def path(self) -> str: ...
    @property
    def is_directory(self) -> bool: ...
    @property
    def size_bytes(self) -> int: ...


_Record = TypeVar("_Record", bound=Record)


class Collector:
    """Findings, of which the first few of each rule are kept: a bad disc has thousands alike."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._counts: dict[Severity, Counter[str]] = {it: Counter() for it in Severity}
        self._errors, self._warnings = (self._counts[it] for it in Severity)

    @property
    def totals(self) -> dict[tuple[str, Severity], int]:
        """By rule and severity."""
        return {
            (rule, severity): count
            for severity, counts in self._counts.items()
            for rule, count in counts.items()
        }

    @property
    def count(self) -> int:
        """Of all findings."""
        return self._errors.total() + self._warnings.total()

    @property
    def findings(self) -> list[Finding]:
        """Those kept, and one more for each rule that has others."""
        more = [
            Finding(rule, "", f"{count - _MAX_PER_RULE} more findings of this rule", severity)
            for (rule, severity), count in self.totals.items()
            if count > _MAX_PER_RULE
        ]
        return self._kept + more

    def error(self, rule: str, path: str, reason: str) -> None:
        self._errors[rule] += 1
        if self._errors[rule] <= _MAX_PER_RULE:
            self._keep(Finding(rule, path, reason))

    def warn(self, rule: str, path: str, reason: str) -> None:
        self._warnings[rule] += 1
        if self._warnings[rule] <= _MAX_PER_RULE:
            self._keep(Finding(rule, path, reason, Severity.WARNING))

    def extend(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            add = self.error if finding.severity is Severity.ERROR else self.warn
            add(finding.rule, finding.path, finding.reason)

    def _keep(self, finding: Finding) -> None:
        path = finding.path
        if len(path) > _MAX_PATH or not (path.isascii() and path.isprintable()):
            finding = replace(finding, path=_shown(path))
        if not (finding.reason.isascii() and finding.reason.isprintable()):
            finding = replace(finding, reason=_shown(finding.reason))
        self._kept.append(finding)


def tree_of(
    records: Iterable[_Record],
    read: Callable[[_Record, int, int], bytes],
    medium: Medium,
    rule: str,
    found: Collector,
) -> tuple[Tree, dict[str, _Record]]:
    """The tree that the records of a file system make, and its files by path.

    Args:
        read: Bytes of a record's file: record, offset, size.
        rule: That two files of one name break; the later one counts.
    """
    files: dict[str, _Record] = {}
    folders = []
    for record in records:
        if record.is_directory:
            folders.append(record.path)
            continue
        if record.path in files:
            found.error(rule, record.path, "two files of one name")
        files[record.path] = record
    tree = Tree(
        files=[TreeFile(path, record.size_bytes) for path, record in files.items()],
        folders=folders,
        read=lambda path, offset, size: read(files[path], offset, size),
        medium=medium,
    )
    return tree, files


def read_or_find(
    tree: Tree, found: Collector, rule: str, path: str, offset: int, size: int
) -> bytes:
    """Bytes of a file; b"" and a finding where the medium has none of it."""
    try:
        return tree.read(path, offset, size)
    except DicomdirError as error:
        found.error(rule, path, f"it cannot be read: {error}")
        return b""


def _shown(text: str) -> str:
    """Names that others chose may hold what a terminal would obey."""
    cut = text if len(text) <= _MAX_PATH else f"{text[:_MAX_PATH]}..."
    return "".join(c if c.isascii() and c.isprintable() else f"\\x{ord(c):02x}" for c in cut)
