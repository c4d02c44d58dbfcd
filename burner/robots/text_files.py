"""The small text files that a robot's service and we exchange, both ways.

What is read was written by another program on another machine, perhaps at this moment: it is
limited in size, taken only if it did not change while it was read, decoded whatever its bytes are,
and parsed as Windows' own INI reader would, without ever failing on a line.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from burner.errors import RobotRefusedError, RobotSilentError, RobotStatusError
from burner.robots.robot import Clock

MAX_STATUS_BYTES: Final = 1 << 20
MAX_SECTIONS: Final = 2000
MAX_LINE: Final = 1024
READ_TRIES: Final = 5
READ_PAUSE_S: Final = 0.1
ANSI: Final = "cp1252"
_NUMBER = re.compile(r"[+-]?\d{1,9}")
JOB_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")

Section = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ini:
    """Sections and keys in lower case; of two with one name the first counts, as Windows does."""

    sections: Mapping[str, Section]

    def section(self, name: str) -> Section | None:
        return self.sections.get(name.lower())


def number(section: Section | None, key: str) -> int | None:
    """A whole number of at most nine digits, None for anything else."""
    text = (section or {}).get(key.lower(), "").strip()
    return int(text) if _NUMBER.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class StatusFile:
    """A status file as it was at one moment.

    Attributes:
        age_s: By our clock; negative if the other one is ahead.
        modified_ns: When it was written, by the other clock.
        digest: Of its bytes.
    """

    ini: Ini
    age_s: float
    modified_ns: int
    digest: str


def read_status(
    path: Path,
    is_whole: Callable[[Ini], bool],
    *,
    root: Path,
    clock: Clock,
    tries: int = READ_TRIES,
) -> StatusFile:
    """Read a file that its owner rewrites every few seconds.

    Args:
        is_whole: Whether everything is in it that always is.
        root: The folder that is there whether the service runs or not.
    Raises:
        RobotSilentError: The folder cannot be reached.
        RobotStatusError: There is none, it was never found whole, is no plain file, or too large.
    """
    why = "it is half written"
    for attempt in range(tries):
        if attempt:
            clock.sleep(READ_PAUSE_S)
        data, modified = _read_stable(path, root)
        if data is None:
            continue
        if len(data) > MAX_STATUS_BYTES:
            why = f"it has more than {MAX_STATUS_BYTES} bytes"
            continue
        ini = parse_ini(decode(data))
        if is_whole(ini):
            digest = hashlib.sha256(data).hexdigest()
            return StatusFile(ini, clock.time() - modified / 1e9, modified, digest)
    raise RobotStatusError(f"the robot's {path.suffix} status file cannot be used: {why}")


def _read_stable(path: Path, root: Path) -> tuple[bytes | None, int]:
    """Bytes and time of change; no bytes if it changed meanwhile."""
    try:
        # never a link to elsewhere, and never waiting on something that is no file
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(path, flags)
    except FileNotFoundError as error:
        if not root.is_dir():
            raise RobotSilentError("the robot's folder cannot be reached") from error
        raise RobotStatusError("the robot's service has written no status file") from error
    except OSError as error:
        if error.errno in (errno.ETXTBSY, errno.EBUSY, errno.EAGAIN, errno.EACCES):
            return None, 0  # its owner has it open for itself alone, perhaps
        raise RobotSilentError(f"the robot's folder cannot be read: {error.strerror}") from error
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        os.close(descriptor)
        raise RobotStatusError("the robot's status file is not a plain file")
    with os.fdopen(descriptor, "rb") as file:
        try:
            data = file.read(MAX_STATUS_BYTES + 1)
        except OSError as error:
            raise RobotSilentError(f"the robot's folder: {error.strerror}") from error
        after = os.fstat(descriptor)
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        return None, 0
    return data, after.st_mtime_ns


def decode(data: bytes) -> str:
    """By its byte order mark, else as Windows' western code page; every byte becomes something."""
    if data[:2] == b"\xff\xfe":
        return data[2:].decode("utf-16-le", "replace")
    if data[:2] == b"\xfe\xff":
        return data[2:].decode("utf-16-be", "replace")
    if data[:3] == b"\xef\xbb\xbf":
        return data[3:].decode("utf-8", "replace")
    return data.decode(ANSI, "replace")


def parse_ini(text: str) -> Ini:
    """Whatever is of the form [section] and key=value; the rest says nothing. Never raises.

    A last line without its end may be half a number: it says nothing either.
    """
    sections: dict[str, dict[str, str]] = {}
    current: dict[str, str] | None = None
    for line in text.replace("\0", "").split("\n")[:-1]:
        line = line[:MAX_LINE].strip()
        if line[:1] == "[" and "]" in line:
            name = line[1 : line.index("]")].strip().lower()
            is_new = name not in sections
            current = {} if is_new and len(sections) < MAX_SECTIONS else None
            if current is not None:
                sections[name] = current
        elif current is not None and "=" in line and line[:1] not in ";#":
            key, _, value = line.partition("=")
            current.setdefault(key.strip().lower(), value.strip())
    return Ini(sections)


# --- what we write


def require_value(key: str, value: str, limit: int, encoding: str = ANSI) -> str:
    """A value as it may stand on a line. These files know no escapes: what cannot stand, does not.

    Raises:
        RobotRefusedError: Empty, too long, with a character that breaks the line or that the
            code page does not have, or with blanks around it, which would be lost.
    """
    if not value or len(value) > limit:
        raise RobotRefusedError(f"{key} must have 1 to {limit} characters")
    if value != value.strip():
        raise RobotRefusedError(f"{key} must not begin or end with a blank")
    if not value.isprintable():
        raise RobotRefusedError(f"{key} has a character that cannot stand in a job file")
    try:
        value.encode(encoding)
    except UnicodeEncodeError as error:
        raise RobotRefusedError(f"{key} has a character that a job file cannot hold") from error
    return value


def require_job_name(name: str) -> str:
    """Raises RobotRefusedError; a file of any other name is never touched."""
    if not JOB_NAME.fullmatch(name):
        raise RobotRefusedError("a job's name is 1 to 32 letters, digits, - and _")
    return name


def write_aside(path: Path, data: bytes) -> None:
    """A new file that is safe on its disk when this returns. Raises RobotSilentError."""
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, 0o660), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise RobotSilentError(f"the robot's folder takes no file: {error.strerror}") from error


def move(old: Path, new: Path) -> bool:
    """Rename at once, never onto a file; False if the old one is not there.

    Raises:
        RobotSilentError: The folder, or the new one is there already.
    """
    if new.exists():
        raise RobotSilentError("the robot's folder has a file of that job already")
    try:
        old.rename(new)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise RobotSilentError(f"the robot's folder: {error.strerror}") from error
    sync_folder(new.parent)
    return True


def sync_folder(folder: Path) -> None:
    """A share may know no such thing: then its server keeps its word or does not."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def find_state(folder: Path, name: str, suffixes: tuple[str, ...]) -> str | None:
    """The first of these suffixes, in capitals, that the job's file has, in whichever case.

    Raises:
        RobotSilentError: The folder cannot be reached.
    """
    if not folder.is_dir():
        raise RobotSilentError("the robot's folder cannot be reached")
    for suffix in suffixes:
        if any((folder / f"{name}.{it}").exists() for it in (suffix, suffix.lower())):
            return suffix
    return None


def remove(folder: Path, name: str, suffixes: tuple[str, ...]) -> None:
    """Raises RobotSilentError if one of them stays."""
    for suffix in suffixes:
        for it in (suffix, suffix.lower()):
            try:
                (folder / f"{name}.{it}").unlink(missing_ok=True)
            except OSError as error:
                raise RobotSilentError(f"a job's file stays: {error.strerror}") from error
