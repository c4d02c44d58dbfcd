"""The page and its one session, for a browser on this machine and nobody else.

The drawing is textual-serve's script (xterm.js); its server is not used: it runs its command in a
shell, for any page of any site and as often as it is asked, and prints what the app says on
standard error, which here could be a name. Ours listens on the loopback only, answers to its own
name (a rebound host name is none) and its own page's Origin, and shows one app at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import logging
import re
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

import textual_serve
from aiohttp import WSCloseCode, WSMsgType, web

from kiosk.errors import ConfigError
from kiosk.ports import Clock
from kiosk.restarts import Restarts
from kiosk.serve.session import Cells, PageError, Session
from kiosk.widgets.page_letters import PAGE_LARGE, PAGE_USUAL

LOOPBACK: Final = "127.0.0.1"
IN_USE: Final = 4009  # of a web socket that is closed because another page shows the app
_ENDED: Final = 4000
_HEARTBEAT_S: Final = 10.0
_MAX_MESSAGE_BYTES: Final = 64 << 10
_SCRIPTS: Final = {
    "textual.js": ("js/textual.js", "text/javascript"),
    "xterm.css": ("css/xterm.css", "text/css"),
    "mono.ttf": ("fonts/RobotoMono-VariableFont_wght.ttf", "font/ttf"),
}
_TERMINAL: Final = re.compile(r"this\.terminal=new \w+\.Terminal\(")
_OURS: Final = {"kiosk.js": "text/javascript", "kiosk.css": "text/css"}

logger = logging.getLogger(__name__)


class AppServer:
    """Serves one app at http://127.0.0.1:PORT/.

    Args:
        command: Of the app. Exit status 0 without being asked ends the server too.
        notice: Lines that stand there while the app does not: no word of anybody.
        port: 0 for one that the system chooses.
    """

    def __init__(
        self, command: Sequence[str], notice: Sequence[str], clock: Clock, *, port: int = 0
    ) -> None:
        self._command, self._notice, self._clock, self._port = command, notice, clock, port
        self._page: web.WebSocketResponse | None = None
        self._session: Session | None = None
        self._turn = asyncio.Lock()
        self._restarts = Restarts(clock.monotonic_s)
        self._not_before_s = 0.0
        self._stopped = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def origin(self) -> str:
        return f"http://{LOOPBACK}:{self._port}"

    async def run(self, on_ready: Callable[[str], None] = lambda _address: None) -> None:
        """Until `stop`, SIGTERM or SIGINT.

        Args:
            on_ready: Called with the address once pages are answered.
        Raises:
            ConfigError: The port is taken.
        """
        self._loop = loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopped.set)
        listener = self._listen()
        runner = web.AppRunner(self._routes(), access_log=None, shutdown_timeout=1.0)
        try:
            await runner.setup()
            await web.SockSite(runner, listener).start()
            on_ready(f"{self.origin}/")
            await self._stopped.wait()
            if self._session is not None:
                await self._session.stop()
        finally:
            await runner.cleanup()
            listener.close()

    def stop(self) -> None:
        """End `run` in order; from any thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it is over already
                self._loop.call_soon_threadsafe(self._stopped.set)

    # ----------------------------------------------------------------------------------------------

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, self._port))
        except OSError as error:
            listener.close()
            raise ConfigError(f"port {self._port} cannot be used: {error.strerror}") from error
        self._port = listener.getsockname()[1]
        return listener

    def _routes(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/", self._index)
        app.router.add_get("/ws", self._show)
        app.router.add_get("/{name}", self._file)
        return app

    @web.middleware
    async def _guard(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        own = f"{LOOPBACK}:{self._port}"
        if request.headers.getall("Host", []) != [own]:
            raise web.HTTPForbidden(text="not our name")
        origins = request.headers.getall("Origin", [])
        if origins not in ([], [self.origin]):
            raise web.HTTPForbidden(text="not our page")
        response = await handler(request)
        if not response.prepared:
            response.headers.update(_HEADERS | {"Content-Security-Policy": _policy(own)})
        return response

    async def _index(self, _request: web.Request) -> web.Response:
        page = Template(_own("index.html").decode("utf-8")).substitute(
            socket=html.escape(f"ws://{LOOPBACK}:{self._port}/ws"),
            notice="".join(f"<p>{html.escape(line)}</p>" for line in self._notice if line),
        )
        return web.Response(text=page, content_type="text/html", charset="utf-8")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name in _OURS:
            return web.Response(body=_own(name), content_type=_OURS[name], charset="utf-8")
        if name not in _SCRIPTS:
            raise web.HTTPNotFound
        path, kind = _SCRIPTS[name]
        file = Path(textual_serve.__file__).parent / "static" / path
        if name == "textual.js":
            script = await asyncio.to_thread(file.read_text, encoding="utf-8")
            return web.Response(text=_with_a_way_in(script), content_type=kind, charset="utf-8")
        return web.FileResponse(file, headers={"Content-Type": kind})

    async def _show(self, request: web.Request) -> web.WebSocketResponse:
        if request.headers.get("Origin") != self.origin:  # a browser always says it here
            raise web.HTTPForbidden(text="not our page")
        page = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=_MAX_MESSAGE_BYTES)
        await page.prepare(request)
        if self._page is not None and not self._page.closed:
            await page.close(code=IN_USE)
            return page
        self._page = page
        try:
            cells = Cells.of(_number(request, "width"), _number(request, "height"))
            session = Session(self._command, cells, page.send_bytes, partial(_zoom, page))
            listening = asyncio.create_task(_listen_to(page, session))
            try:
                await self._play(session, listening)
            finally:
                listening.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await listening
        except PageError:
            await page.close(code=WSCloseCode.POLICY_VIOLATION)
        finally:
            await page.close(code=_ENDED)
        return page

    async def _play(self, session: Session, listening: asyncio.Task[None]) -> None:
        """The app on the page until one of them ends, and the other with it.

        Its turn comes when the app of a page that has just gone has ended, and the pause after a
        crash is over. Who waits for it may go meanwhile.
        """
        turn = asyncio.create_task(self._run_in_turn(session))
        try:
            await asyncio.wait((turn, listening), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if session.has_begun:
                await session.stop()
            else:
                turn.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await turn

    async def _run_in_turn(self, session: Session) -> None:
        async with self._turn:
            await asyncio.sleep(max(0.0, self._not_before_s - self._clock.monotonic_s()))
            if not self._stopped.is_set():
                self._session = session
                self._ended(await session.run(), session)

    def _ended(self, status: int, session: Session) -> None:
        if session.was_stopped:
            return
        if status == 0:
            self._stopped.set()
            return
        pause_s = self._restarts.crashed(status)
        self._not_before_s = self._clock.monotonic_s() + pause_s


async def _zoom(page: web.WebSocketResponse, is_large: bool) -> None:
    """As textual.js understands it; kiosk.js makes letters of it and opens nothing."""
    url = PAGE_LARGE if is_large else PAGE_USUAL
    await page.send_json(["open_url", {"url": url, "new_tab": False}])


async def _listen_to(page: web.WebSocketResponse, session: Session) -> None:
    async for message in page:
        if message.type is not WSMsgType.TEXT:
            continue
        try:
            session.take(message.data)
        except PageError as error:
            logger.warning("the page was closed: it sent %s", error)
            await page.close(code=WSCloseCode.POLICY_VIOLATION)
            return


_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def _policy(own: str) -> str:
    """xterm.js writes style elements; everything else comes from us."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
        f"img-src data:; connect-src 'self' ws://{own}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def _own(name: str) -> bytes:
    return files("kiosk.serve").joinpath("page", name).read_bytes()


def _with_a_way_in(script: str) -> str:
    """textual.js keeps its terminal to itself; the letters of one that runs grow only from inside.

    Should another version be written differently, its letters have one size, and all else works.
    """
    return _TERMINAL.sub(r"window.sendhomeTerminal=\g<0>", script, count=1)


def _number(request: web.Request, name: str) -> int | None:
    text = request.query.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else None
