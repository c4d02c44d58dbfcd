"""One run of an app, and the page that shows it.

The app is a process whose driver is Textual's for the web: packets of a letter, four bytes of
length (big endian) and a payload go both ways, D what a terminal would get and send, M a JSON
object about it. Beside the drawing only the wish for larger letters reaches the page: no link is
opened, no file is delivered.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kiosk.app_process import LogPipe, child_environment, tied_to_us
from kiosk.widgets.page_letters import PAGE_LARGE, PAGE_USUAL

MAX_TYPED: Final = 4096  # characters of one message; a scanner's keys come one by one
_COLUMNS: Final = range(20, 400)
_ROWS: Final = range(5, 200)
_STOP_S: Final = 5.0  # for an orderly end, before the app is killed
_MAX_WAITING_BYTES: Final = 1 << 20  # of what is sent to an app that does not read
_MAX_PACKET_BYTES: Final = 8 << 20
_READY: Final = b"__GANGLION__\n"
_MAX_LINES_BEFORE: Final = 10


class PageError(ValueError):
    """The page sent what no page of ours sends; the text says what."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Size of the page's terminal."""

    columns: int
    rows: int

    @classmethod
    def of(cls, columns: Any, rows: Any) -> Cells:
        """What a page asks for, within limits.

        Raises:
            PageError: They are no numbers.
        """
        if type(columns) is not int or type(rows) is not int:
            raise PageError("a size that is none")
        return cls(_within(columns, _COLUMNS), _within(rows, _ROWS))


class Session:
    """Start it with `run`; what the page sends goes into `take`.

    Args:
        command: Of the app.
        draw: Sends bytes to the page's terminal.
        zoom: Asks the page for large letters, or for the usual ones.
    """

    def __init__(
        self,
        command: Sequence[str],
        cells: Cells,
        draw: Callable[[bytes], Awaitable[None]],
        zoom: Callable[[bool], Awaitable[None]],
    ) -> None:
        self._command, self._cells = list(command), cells
        self._draw, self._zoom = draw, zoom
        self._process: asyncio.subprocess.Process | None = None
        self.has_begun = self.was_stopped = False

    async def run(self) -> int:
        """Until the app ends, or the page is gone: its exit status.

        Raises:
            OSError: It cannot be started.
        """
        self.has_begun = True
        process = await self._start()
        try:
            if self.was_stopped:  # while it was being started
                return 0
            await self._forward(process)
            return await process.wait()
        finally:
            await self.stop()

    async def stop(self) -> None:
        """End the app in order, at the latest after some seconds; again and again if asked."""
        process = self._process
        if process is not None and process.returncode is not None:
            return
        self.was_stopped = True
        if process is None:
            return
        with contextlib.suppress(PageError):  # one that hangs does not even read
            self._send_meta({"type": "quit"})
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()

    def take(self, message: str) -> None:
        """One message of the page.

        Raises:
            PageError: It is none that a page of ours sends.
        """
        try:
            kind, *rest = json.loads(message)
            content = rest[0] if rest else None
        except (ValueError, TypeError, RecursionError):
            raise PageError("a message that cannot be read") from None
        if kind == "stdin" and isinstance(content, str) and len(content) <= MAX_TYPED:
            self._send(b"D", content.encode("utf-8", errors="replace"))
        elif kind == "resize" and isinstance(content, dict):
            self._cells = cells = Cells.of(content.get("width"), content.get("height"))
            self._send_meta({"type": "resize", "width": cells.columns, "height": cells.rows})
        elif kind in ("focus", "blur"):
            self._send_meta({"type": kind})
        elif kind != "ping":  # nobody needs its answer
            raise PageError("a message of an unknown kind")

    # ----------------------------------------------------------------------------------------------

    async def _start(self) -> asyncio.subprocess.Process:
        with LogPipe() as log:
            self._process = await asyncio.create_subprocess_exec(
                *tied_to_us(self._command),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,  # a crash text names people
                pass_fds=(log.writing,),
                env=child_environment() | log.environment | self._terminal(),
            )
        return self._process

    def _terminal(self) -> dict[str, str]:
        return {
            "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver",
            "TEXTUAL_COLOR_SYSTEM": "truecolor",
            "COLUMNS": str(self._cells.columns),
            "ROWS": str(self._cells.rows),
        }

    async def _forward(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        read = process.stdout.readexactly
        with contextlib.suppress(asyncio.IncompleteReadError, ValueError, ConnectionError):
            for _ in range(_MAX_LINES_BEFORE):
                if await process.stdout.readline() == _READY:
                    break
            while True:
                kind, size = await read(1), int.from_bytes(await read(4), "big")
                if size > _MAX_PACKET_BYTES:
                    raise ValueError("the app does not speak as it should")
                payload = await read(size)
                if kind == b"D":
                    await self._draw(payload)
                elif kind == b"M" and (is_large := _wishes_large(payload)) is not None:
                    await self._zoom(is_large)

    def _send_meta(self, content: Mapping[str, object]) -> None:
        self._send(b"M", json.dumps(content).encode("ascii"))

    def _send(self, kind: bytes, payload: bytes) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return  # not yet started: its size is kept, what is typed before has no meaning
        with contextlib.suppress(ConnectionError, RuntimeError):  # it is just ending
            if process.stdin.transport.get_write_buffer_size() > _MAX_WAITING_BYTES:
                raise PageError("more than the app takes")
            process.stdin.write(kind + len(payload).to_bytes(4, "big") + payload)


def _wishes_large(payload: bytes) -> bool | None:
    """Whether the app asks for large letters; None if it is about something else.

    Raises:
        ValueError: It is no JSON.
    """
    meta = json.loads(payload)
    if not isinstance(meta, dict) or meta.get("type") != "open_url":
        return None
    return {PAGE_LARGE: True, PAGE_USUAL: False}.get(str(meta.get("url")))


def _within(number: int, limits: range) -> int:
    return max(limits.start, min(number, limits.stop - 1))
