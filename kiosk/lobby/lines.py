"""Lines from a person and to one, for the plain mode."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Final, TextIO

LONGEST_LINE: Final = 16_384  # a scanner gone wild; what is longer comes in pieces
_CLEAR: Final = "\x1b[H\x1b[2J\x1b[3J"  # the screen and its scroll-back


async def lines_of(stream: TextIO) -> AsyncIterator[str]:
    """Its lines without their ends, to its end; undecodable bytes are replaced."""
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), stream)
    while True:
        try:
            line = await reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            line = await reader.read(error.consumed)
        except asyncio.IncompleteReadError as error:
            if error.partial:
                yield error.partial.decode(errors="replace")
            return
        yield line.decode(errors="replace").rstrip("\r\n")


def written(line: str) -> None:
    """Onto standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def forget_lines() -> None:
    """Nothing of a visit stays on a terminal; a pipe keeps nothing of its own."""
    if sys.stdout.isatty():
        sys.stdout.write(_CLEAR)
        sys.stdout.flush()
