"""mtools on a device node or an image file: FAT is written without a mount, so no kernel parses a
stranger's stick.

Exit codes are not enough: mcopy returns 0 for a file that is too big and for a device that fails.
Whoever writes must fsync the node and read everything back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from burner.children import never, run_lines
from burner.errors import (
    EngineError,
    MediumTooSmallError,
    NoMediumError,
    SpoiledMediumError,
)

MAX_ARGUMENTS = 400  # names in one call
_KEPT_LINES = 20
_STOP_PATIENCE_S = 20.0  # from SIGTERM, which lets it write its tables, to SIGKILL


@dataclass(frozen=True, slots=True)
class FatTarget:
    """A FAT volume at `offset` bytes of a node or file."""

    path: Path
    offset: int = 0

    def __str__(self) -> str:
        return f"{self.path}@@{self.offset}"


def make_directories(target: FatTarget, folders: Sequence[str]) -> None:
    """`folders` in an order that has parents first; none may exist."""
    for start in range(0, len(folders), MAX_ARGUMENTS):
        names = [f"::/{folder}" for folder in folders[start : start + MAX_ARGUMENTS]]
        _run(target, ["mmd", "-D", "s", "-i", str(target), *names])


def copy_in(
    target: FatTarget,
    files: Sequence[Path],
    folder: str,
    *,
    is_stuck: Callable[[], bool] = never,
) -> None:
    """Files under their own names into an existing folder, "" the root; nothing is overwritten.

    Args:
        is_stuck: Whether a file, a pipe, will never end: then mcopy is stopped.
    """
    for start in range(0, len(files), MAX_ARGUMENTS):
        names = [str(file) for file in files[start : start + MAX_ARGUMENTS]]
        place = f"::/{folder}/" if folder else "::/"
        _run(target, ["mcopy", "-Q", "-D", "s", "-i", str(target), *names, place], is_stuck)


def delete_file(target: FatTarget, name: str) -> None:
    _run(target, ["mdel", "-i", str(target), f"::/{name}"])


def delete_tree(target: FatTarget, name: str) -> None:
    _run(target, ["mdeltree", "-i", str(target), f"::/{name}"])


def _run(target: FatTarget, argv: Sequence[str], is_stuck: Callable[[], bool] = never) -> None:
    """Raises:
    MediumTooSmallError: Full.
    NoMediumError: The node is gone.
    SpoiledMediumError: Anything else that mtools did not manage, or it was stopped.
    """
    lines: list[str] = []

    def keep(line: str) -> None:
        if len(lines) < _KEPT_LINES:
            lines.append(line)

    code, was_stopped = run_lines(
        argv,
        keep,
        is_cancelled=is_stuck,
        cancel_patience_s=_STOP_PATIENCE_S,
        # its own plausibility checks refuse sticks that every system reads; ours are in burner.fat
        extra_environment={"MTOOLS_SKIP_CHECK": "1", "MTOOLSRC": "/dev/null"},
    )
    said = "\n".join(lines)
    if code == 127:
        raise EngineError(f"program cannot be run: {argv[0]}")
    if "Disk full" in said or "No free cluster" in said:
        raise MediumTooSmallError("the stick is full")
    if not target.path.exists() or "No such device" in said or "No medium found" in said:
        raise NoMediumError("the stick was taken out")
    if was_stopped:
        raise SpoiledMediumError(f"{argv[0]} waited in vain and was stopped")
    if code != 0 or "too big" in said or "Input/output error" in said:
        raise SpoiledMediumError(f"{argv[0]} failed, exit code {code}")
