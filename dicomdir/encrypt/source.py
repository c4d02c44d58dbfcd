"""The files of a medium that is to be decrypted: a folder, an image, a disc in a drive.

Names are taken as the standard has them: upper case, without version and without a dot at the end,
however a system shows them.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from dicomdir.errors import DamagedMediumError, ImageError
from dicomdir.iso_reader import IsoRecord, open_image

_Value = TypeVar("_Value")
_MAX_FILES: Final = 200_000
_MAX_DEPTH: Final = 16
_VERSION: Final = re.compile(r"\.?(;1)?$")


@dataclass(frozen=True, slots=True)
class Medium:
    """What is there, and how to read it.

    Attributes:
        sizes: By path, "/"-separated.
        read: Path, offset, size; fewer bytes only at the file's end. Raises DamagedMediumError.
    """

    sizes: Mapping[str, int]
    read: Callable[[str, int, int], bytes]


@contextmanager
def open_medium(path: Path) -> Iterator[Medium]:
    """A folder, an ISO 9660 image or a device node.

    Raises:
        ImageError: It is none of these, or holds more than any medium.
        DamagedMediumError: Two files have one name.
        OSError: It cannot be opened.
    """
    with ExitStack() as stack:
        if path.is_dir():
            yield stack.enter_context(_open_folder(path))
        else:
            yield stack.enter_context(_open_image(path))


@contextmanager
def _open_image(path: Path) -> Iterator[Medium]:
    with open_image(path) as reader:
        records: dict[str, IsoRecord] = {}
        for record in reader.files():
            _add(records, record.path, record)

        def read(name: str, offset: int, size: int) -> bytes:
            with _damage():
                return reader.read(records[name], offset, size)

        yield Medium({name: record.size_bytes for name, record in records.items()}, read)


@contextmanager
def _open_folder(folder: Path) -> Iterator[Medium]:
    found: dict[str, tuple[str, int]] = {}
    pending = [("", 0)]
    while pending:
        inside, depth = pending.pop()
        if depth > _MAX_DEPTH:
            continue  # not on a PDI medium; what is missing because of it is said to be missing
        with os.scandir(folder / inside) as entries:
            for entry in entries:
                name = f"{inside}/{entry.name}" if inside else entry.name
                if entry.is_dir(follow_symlinks=False):
                    pending.append((name, depth + 1))
                elif entry.is_file(follow_symlinks=False):
                    _add(found, name, (name, entry.stat(follow_symlinks=False).st_size))
    opened: dict[str, int] = {}  # one at a time: a file is read from front to back

    def read(name: str, offset: int, size: int) -> bytes:
        with _damage():
            if name not in opened:
                close()
                real = folder / found[name][0]
                opened[name] = os.open(real, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            return os.pread(opened[name], size, offset)

    def close() -> None:
        while opened:
            os.close(opened.popitem()[1])

    try:
        yield Medium({name: size for name, (_, size) in found.items()}, read)
    finally:
        close()


def _add(found: dict[str, _Value], path: str, value: _Value) -> None:
    name = "/".join(_VERSION.sub("", part.upper()) for part in path.split("/"))
    if name in found:
        raise DamagedMediumError("two files have one name")
    if len(found) >= _MAX_FILES:
        raise ImageError("there are more files than on any medium")
    found[name] = value


@contextmanager
def _damage() -> Iterator[None]:
    """What reading from a bad medium raises, as damage of it."""
    try:
        yield
    except ImageError as error:
        raise DamagedMediumError(str(error)) from error
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "?")
        raise DamagedMediumError(f"it cannot be read: {name}") from error
