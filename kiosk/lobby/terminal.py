"""The terminal that the app draws on: Textual's driver, asking the right descriptor for its size.

Textual draws on standard error and reads standard input, but takes the size from standard output,
which is nowhere in the lobby's process: nothing that a library prints may reach the terminal.
"""

from __future__ import annotations

import os

from textual.drivers.linux_driver import LinuxDriver

_FALLBACK = (80, 24)


class TerminalDriver(LinuxDriver):
    """Of the terminal on standard input."""

    def _get_terminal_size(self) -> tuple[int, int]:
        try:
            columns, rows = os.get_terminal_size(self.fileno)
        except OSError:  # it has just gone: the hang-up follows
            return _FALLBACK
        return (columns or _FALLBACK[0], rows or _FALLBACK[1])  # a serial line may say 0
