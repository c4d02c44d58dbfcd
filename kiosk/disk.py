"""What must have reached the disk before somebody is told of it, and whether it takes more."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)
_FULL_BYTES: Final = 1 << 20  # less than the journal may want for some pages and its log


def sync(path: Path) -> None:
    """fsync a file, or a folder: the names in it.

    Raises:
        OSError: It cannot be opened, or the disk refuses.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_full(folder: Path) -> bool:
    """Whether the journal may not be written there; False if that cannot be told."""
    try:
        return shutil.disk_usage(folder).free < _FULL_BYTES
    except OSError as error:
        log.warning("free space of %s: %s", folder, error.strerror)
        return False
