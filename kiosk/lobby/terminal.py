"""The terminal that the app draws on: Textual's driver, asking the right descriptor for its size.

Textual draws on standard error and reads standard input, but takes the size from standard output,
which is nowhere in the lobby's process: nothing that a library prints may reach the terminal.
"""

from __future__ import annotations

import os
from typing import Final

from textual.drivers.linux_driver import LinuxDriver

_FALLBACK = (80, 24)
_COLOURS: Final = 8  # fewer are shades of one


def let_terminal_be_without_colour() -> None:
    """Send no colours to a terminal that has none: VT100 makes blinking of some.

    Textual itself goes by NO_COLOR alone (no-color.org); here terminfo has a say too. Call it
    before the app is made.
    """
    import curses  # not in every Python

    try:
        curses.setupterm(fd=0)
    except curses.error:
        return  # unknown to terminfo: most are of today
    if curses.tigetnum("colors") < _COLOURS:
        os.environ["NO_COLOR"] = "1"


class TerminalDriver(LinuxDriver):
    """Of the terminal on standard input."""

    def _get_terminal_size(self) -> tuple[int, int]:
        try:
            columns, rows = os.get_terminal_size(self.fileno)
        except OSError:  # it has just gone: the hang-up follows
            return _FALLBACK
        return (columns or _FALLBACK[0], rows or _FALLBACK[1])  # a serial line may say 0
