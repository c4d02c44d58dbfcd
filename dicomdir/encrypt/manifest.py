"""What is on a protected medium of ours: every plain file, where it lies sealed, and its SHA-256.

The manifest is authenticated under the medium's password. A file of another medium, an older one or
one in another's place opens with the right password too; it cannot be in the manifest.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from dicomdir.errors import DamagedMediumError
from dicomdir.pdi import EXTRA_FOLDER, broken_name_rule

MANIFEST: Final = f"{EXTRA_FOLDER}/MANIFEST.P7M"
MAX_MANIFEST_BYTES: Final = 64 << 20  # 100,000 files take 20
_FORMAT: Final = "sendhome protected medium 1"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LINE_BYTES: Final = 240  # more than a line takes


@dataclass(frozen=True, slots=True)
class ProtectedFile:
    """One file.

    Attributes:
        path: Of the plain file on the plain medium.
        stored: Where it lies on the protected one; the same for DICOM files.
        size_bytes, sha256: Of the plain file.
    """

    path: str
    stored: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """All of a protected medium.

    Attributes:
        clear: Files that lie in clear and are no part of the plain medium; `path` equals `stored`.
    """

    volume_id: str
    files: tuple[ProtectedFile, ...]
    clear: tuple[ProtectedFile, ...]

    def encode(self) -> bytes:
        rows = [
            [[it.path, it.stored, it.size_bytes, it.sha256] for it in group]
            for group in (self.files, self.clear)
        ]
        facts = {"format": _FORMAT, "volume_id": self.volume_id, "files": rows[0], "clear": rows[1]}
        return json.dumps(facts, ensure_ascii=True, separators=(",", ":")).encode("ascii")

    @classmethod
    def decode(cls, data: bytes) -> Manifest:
        """Strict; the paths are legal ones and none comes twice.

        Raises:
            DamagedMediumError: Anything else, or of a later version.
        """
        try:
            facts: dict[str, Any] = json.loads(data)
            if facts["format"] != _FORMAT:
                raise DamagedMediumError("the manifest is of another version")
            files, clear = (tuple(map(_file, facts[name])) for name in ("files", "clear"))
            volume_id = str(facts["volume_id"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DamagedMediumError("the manifest cannot be read") from error
        for group in ([it.path for it in files], [it.stored for it in (*files, *clear)]):
            if len(set(group)) != len(group):
                raise DamagedMediumError("the manifest names a file twice")
        return cls(volume_id, files, clear)


def manifest_bytes(files: int) -> int:
    """No manifest of so many files is longer."""
    return 200 + _LINE_BYTES * files


def _file(row: list[Any]) -> ProtectedFile:
    path, stored, size, sha256 = row
    if not isinstance(size, int) or size < 0 or not _SHA256.fullmatch(sha256):
        raise ValueError("not a file")
    if any(broken_name_rule(name) for name in (path, stored)):
        raise ValueError("not a path on a medium")
    return ProtectedFile(path, stored, size, sha256)
