"""Pages as pictures by poppler's pdftoppm: previews, and label files for robots.

It works through pipes: no files, and nothing of a patient among its arguments.
"""

from __future__ import annotations

import shutil
import subprocess
from enum import Enum
from typing import Final

from kiosk.errors import InvalidValueError, MissingProgramError

_ENVIRONMENT: Final = {"LC_ALL": "C", "PATH": "/usr/bin:/bin:/usr/local/bin"}
_TIMEOUT_S: Final = 60.0
_MAX_DPI: Final = 1200


class Picture(Enum):
    """Forms of a picture."""

    PNG = "png"
    JPEG = "jpeg"


def draw_page(pdf: bytes, *, dpi: int = 300, form: Picture = Picture.PNG) -> bytes:
    """The first page of a PDF of ours.

    Raises:
        InvalidValueError: A resolution that nobody prints in.
        MissingProgramError: poppler is not installed, or cannot draw it.
    """
    if not 30 <= dpi <= _MAX_DPI:
        raise InvalidValueError(f"a resolution is 30 to {_MAX_DPI} dots an inch")
    program = shutil.which("pdftoppm", path=_ENVIRONMENT["PATH"])
    if program is None:
        raise MissingProgramError("pdftoppm is not installed (package poppler-utils)")
    kind = ["-jpeg", "-jpegopt", "quality=95"] if form is Picture.JPEG else ["-png"]
    try:
        done = subprocess.run(
            [program, "-r", str(dpi), "-f", "1", "-l", "1", *kind, "-"],
            input=pdf,
            capture_output=True,
            timeout=_TIMEOUT_S,
            env=_ENVIRONMENT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingProgramError("pdftoppm cannot be run (package poppler-utils)") from error
    if done.returncode or not done.stdout:  # its words may quote what it was given
        raise MissingProgramError(f"pdftoppm ended with {done.returncode}")
    return done.stdout
