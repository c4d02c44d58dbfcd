"""Numbers on the command line: out of range is wrong usage (exit code 2); nothing is done then."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final

MOST: Final = 1_000_000
"""No list is longer; keeps what databases and calendars cannot count out of them."""


def whole_number(least: int = 1, most: int = MOST) -> Callable[[str], int]:
    """An argparse type: digits only, from `least` to `most`."""

    def read(text: str) -> int:
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else -1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"a whole number from {least} to {most} is wanted")
        return number

    return read
