"""A folder that we and a robot's PC both see, each under a name of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from burner.errors import EngineError

MAX_WINDOWS_PATH: Final = 259  # MAX_PATH without the final NUL
_RESERVED_CHARACTERS: Final = frozenset('<>:"/\\|?*')
_RESERVED_NAMES: Final = frozenset(
    ["CON", "PRN", "AUX", "NUL"] + [f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10)]
)
_ROOT = re.compile(r"(?:[A-Za-z]:(?=\\|$)|\\\\(?P<host>[^\\]+)\\(?P<share>[^\\]+))(?P<rest>.*)")


@dataclass(frozen=True, slots=True)
class SharedFolder:
    """One folder.

    Attributes:
        local: Where we see it.
        seen_as: Where the robot's PC sees it: `X:\\folder` or `\\\\host\\share\\folder`.
    """

    local: Path
    seen_as: str

    def __post_init__(self) -> None:
        complaint = complain_of_windows_folder(self.seen_as)
        if complaint:
            raise EngineError(f"the robot's folder {complaint}")

    def translate(self, path: Path) -> str:
        """The same file as the robot's PC calls it.

        Raises:
            EngineError: Not in this folder, a name that Windows does not take, or too long.
        """
        try:
            parts = path.relative_to(self.local).parts
        except ValueError:
            raise EngineError("the file is not in the folder that the robot sees") from None
        if not parts or any(complain_of_windows_name(part) for part in parts):
            raise EngineError("the robot's PC cannot take a file of that name")
        found = "\\".join((self.seen_as.rstrip("\\"), *parts))
        if len(found) > MAX_WINDOWS_PATH:
            raise EngineError(f"the file's path is longer than {MAX_WINDOWS_PATH} characters there")
        return found

    def localize(self, seen: str) -> Path:
        """The way back, for whoever stands for the robot's PC. Raises EngineError."""
        base = self.seen_as.rstrip("\\") + "\\"
        names = seen[len(base) :].split("\\")
        is_inside = seen[: len(base)].lower() == base.lower()
        if not is_inside or any(complain_of_windows_name(name) for name in names):
            raise EngineError("not a file of the shared folder")
        return self.local.joinpath(*names)


def complain_of_windows_folder(text: str) -> str | None:
    """What is wrong with an absolute folder as Windows names it; None if nothing."""
    found = _ROOT.fullmatch(text)
    if not found:
        return "must be a Windows folder such as C:\\Jobs or \\\\host\\share\\folder"
    if len(text) > 160:
        return "must be at most 160 characters, so that files in it have room"
    names = [found["host"], found["share"], *found["rest"].rstrip("\\").split("\\")[1:]]
    for name in names:
        if name is not None and (complaint := complain_of_windows_name(name)):
            return complaint
    return None


def complain_of_windows_name(name: str) -> str | None:
    """What is wrong with one name of a path; None if nothing."""
    if not name or name in (".", ".."):
        return "has an empty name, '.' or '..' in it"
    if any(c in _RESERVED_CHARACTERS or not c.isprintable() for c in name):
        return "has a character in it that Windows does not allow"
    if name[0] == " " or name[-1] in " .":
        return "has a name that begins or ends with a blank or ends with a dot"
    if name.partition(".")[0].upper() in _RESERVED_NAMES:
        return "has a name in it that Windows keeps for itself"
    return None
