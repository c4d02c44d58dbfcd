"""The server of the kiosk's page: whom it answers, and what it takes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from kiosk.adapters.clock import SystemClock
from kiosk.errors import ConfigError
from kiosk.serve.server import IN_USE, AppServer
from kiosk.serve.session import MAX_TYPED

pytestmark = pytest.mark.integration
# Speaks as Textual's driver for the web does: draws what it is sent, and its size.
APP = textwrap.dedent(
    """
    import json, os, sys
    out, data = sys.stdout.buffer, sys.stdin.buffer

    def draw(payload):
        out.write(b"D" + len(payload).to_bytes(4, "big") + payload)
        out.flush()

    def about(content):
        payload = json.dumps(content).encode()
        out.write(b"M" + len(payload).to_bytes(4, "big") + payload)
        out.flush()

    print("something before", file=sys.stderr)
    out.write(b"__GANGLION__\\n")
    draw(f"pid {os.getpid()} size {os.environ['COLUMNS']}x{os.environ['ROWS']}".encode())
    about({"type": "open_url", "url": "https://example.org/", "new_tab": True})
    about({"type": "deliver_file_start", "key": "k", "path": "/etc/passwd"})
    while kind := data.read(1):
        payload = data.read(int.from_bytes(data.read(4), "big"))
        if kind == b"M":
            told = json.loads(payload)
            if told["type"] == "quit":
                sys.exit(0)
            draw(json.dumps(told).encode())
        elif payload.startswith(b"end "):
            sys.exit(int(payload[4:]))
        elif payload == b"leave":
            sys.exit(0)
        else:
            draw(b"got " + payload)
    """
)


@asynccontextmanager
async def serving(
    app: Path, notice: tuple[str, ...] = ("Ask <b>the</b> desk.",)
) -> AsyncIterator[tuple[AppServer, str, asyncio.Task[None]]]:
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = AppServer([sys.executable, str(app)], notice, SystemClock())
    task = asyncio.create_task(server.run(ready.set_result))
    try:
        yield server, await ready, task
    finally:
        server.stop()
        await asyncio.wait_for(task, 20)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "app.py"
    path.write_text(APP)
    return path


def socket_of(address: str, query: str = "?width=90&height=30") -> str:
    return f"{address.replace('http', 'ws')}ws{query}"


async def drawn(page: aiohttp.ClientWebSocketResponse) -> str:
    message = await page.receive(20)
    assert message.type is aiohttp.WSMsgType.BINARY, message
    return bytes(message.data).decode()


async def test_the_app_and_its_page_talk(app: Path) -> None:
    async with serving(app) as (_, address, _), aiohttp.ClientSession() as web:
        async with web.ws_connect(socket_of(address), origin=address.rstrip("/")) as page:
            assert "size 90x30" in await drawn(page)
            await page.send_str('["stdin", "a\\u00e9\\u001b[A"]')
            assert await drawn(page) == "got aé\x1b[A"
            await page.send_str('["resize", {"width": 100, "height": 40}]')
            assert await drawn(page) == '{"type": "resize", "width": 100, "height": 40}'
            await page.send_str('["resize", {"width": 100000, "height": 0}]')
            assert await drawn(page) == '{"type": "resize", "width": 399, "height": 5}'
            await page.send_str('["ping", "1"]')
            await page.send_str('["focus"]')
            assert await drawn(page) == '{"type": "focus"}'


async def test_the_app_ends_with_its_page(app: Path) -> None:
    async with serving(app) as (_, address, _), aiohttp.ClientSession() as web:
        page = await web.ws_connect(socket_of(address), origin=address.rstrip("/"))
        pid = int((await drawn(page)).split()[1])
        await page.close()
        async with web.ws_connect(socket_of(address), origin=address.rstrip("/")) as next_page:
            assert f"pid {pid} " not in await drawn(next_page)  # after the first has ended
            assert not Path(f"/proc/{pid}").exists()


async def test_one_page_at_a_time(app: Path) -> None:
    async with serving(app) as (_, address, _), aiohttp.ClientSession() as web:
        async with web.ws_connect(socket_of(address), origin=address.rstrip("/")) as page:
            await drawn(page)
            async with web.ws_connect(socket_of(address), origin=address.rstrip("/")) as other:
                assert (await other.receive(20)).type is aiohttp.WSMsgType.CLOSE
                assert other.close_code == IN_USE
            await page.send_str('["stdin", "still here"]')
            assert await drawn(page) == "got still here"


@pytest.mark.parametrize(
    "origin", [None, "null", "http://example.org", "http://localhost:{port}", "https://{own}"]
)
async def test_other_pages_get_no_session(app: Path, origin: str | None) -> None:
    async with serving(app) as (_, address, _), aiohttp.ClientSession() as web:
        own = address.removeprefix("http://").rstrip("/")
        said = origin and origin.format(port=own.partition(":")[2], own=own)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await web.ws_connect(socket_of(address), origin=said)
        assert refused.value.status == 403


@pytest.mark.parametrize("host", ["example.org", "localhost:{port}", "127.0.0.1", "127.0.0.1:1"])
async def test_other_names_are_not_ours(app: Path, host: str) -> None:
    """A host name that somebody rebinds to this machine."""
    async with serving(app) as (_, address, _), aiohttp.ClientSession() as web:
        port = address.rstrip("/").rpartition(":")[2]
        for path in ("", "ws", "kiosk.js"):
            headers = {"Host": host.format(port=port)}
            async with web.get(address + path, headers=headers) as answer:
                assert answer.status == 403


async def test_only_this_machine_can_reach_it(app: Path) -> None:
    async with serving(app) as (_, address, _):
        port = int(address.rstrip("/").rpartition(":")[2])
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().split("\n")[1:] if row]
        listening = [row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")]
        assert listening == [f"0100007F:{port:04X}"]
        assert f":{port:04X} " not in Path("/proc/net/tcp6").read_text()


async def test_the_page_and_nothing_else(app: Path) -> None:
    async with serving(app) as (_, address, _), aiohttp.ClientSession() as web:
        async with web.get(address) as answer:
            text = await answer.text()
            assert "Ask &lt;b&gt;the&lt;/b&gt; desk." in text
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Cache-Control"] == "no-store"
        for name in ("textual.js", "xterm.css", "mono.ttf", "kiosk.js", "kiosk.css"):
            async with web.get(address + name) as answer:
                assert answer.status == 200
                assert len(await answer.read()) > 500
        for path in ("index.html", "..%2fserver.py", "%2e%2e/server.py", "static/", "download/k"):
            async with web.get(address + path) as answer:
                assert answer.status == 404, path
        async with web.post(address, data=b"x") as answer:
            assert answer.status == 405


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{}",
        "[]",
        "7",
        "null",
        '"stdin"',
        '["stdin"]',
        '["stdin", 7]',
        '["resize", {}]',
        '["resize", {"width": true, "height": 3}]',
        '["resize", {"width": 1e9, "height": 3}]',
        '["run", "x"]',
        "[" * 5000,
        f'["stdin", "{"x" * (MAX_TYPED + 1)}"]',
    ],
)
async def test_what_no_page_of_ours_sends_ends_it(app: Path, message: str) -> None:
    async with serving(app) as (_, address, _), aiohttp.ClientSession() as web:
        async with web.ws_connect(socket_of(address), origin=address.rstrip("/")) as page:
            await drawn(page)
            await page.send_str(message)
            assert (await page.receive(20)).type is aiohttp.WSMsgType.CLOSE
            assert page.close_code == aiohttp.WSCloseCode.POLICY_VIOLATION
        async with web.ws_connect(socket_of(address), origin=address.rstrip("/")) as page:
            await drawn(page)


@pytest.mark.parametrize("query", ["", "?width=80", "?width=x&height=24", "?width=-1&height=24"])
async def test_a_page_without_a_size_is_none(app: Path, query: str) -> None:
    async with serving(app) as (_, address, _), aiohttp.ClientSession() as web:
        url = socket_of(address, query)
        async with web.ws_connect(url, origin=address.rstrip("/")) as page:
            assert (await page.receive(20)).type is aiohttp.WSMsgType.CLOSE


async def test_a_crash_closes_the_page_and_the_next_gets_a_new_app(
    app: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(app) as (_, address, task), aiohttp.ClientSession() as web:
        for _ in range(2):
            async with web.ws_connect(socket_of(address), origin=address.rstrip("/")) as page:
                await drawn(page)
                await page.send_str('["stdin", "end 7"]')
                assert (await page.receive(20)).type is aiohttp.WSMsgType.CLOSE
        assert not task.done()
    assert caplog.text.count("the lobby ended with 7 and starts again in 1 s") == 2


async def test_a_page_that_waits_for_its_turn_may_go_and_change_its_size(app: Path) -> None:
    """The second page waits for the pause after a crash; it is not held against the third."""
    async with serving(app) as (_, address, _), aiohttp.ClientSession() as web:
        origin = address.rstrip("/")
        async with web.ws_connect(socket_of(address), origin=origin) as page:
            await drawn(page)
            await page.send_str('["stdin", "end 7"]')
            assert (await page.receive(20)).type is aiohttp.WSMsgType.CLOSE
        await (await web.ws_connect(socket_of(address), origin=origin)).close()
        async with web.ws_connect(socket_of(address), origin=origin) as page:
            await page.send_str('["resize", {"width": 64, "height": 20}]')
            await page.send_str('["stdin", "typed before there was anything to see"]')
            assert "size 64x20" in await drawn(page)
            await page.send_str('["stdin", "x"]')
            assert await drawn(page) == "got x"


async def test_an_app_that_leaves_in_order_ends_the_server(app: Path) -> None:
    async with serving(app) as (_, address, task), aiohttp.ClientSession() as web:
        async with web.ws_connect(socket_of(address), origin=address.rstrip("/")) as page:
            await drawn(page)
            await page.send_str('["stdin", "leave"]')
            await asyncio.wait_for(asyncio.shield(task), 20)


async def test_sigterm_ends_the_app_too(app: Path) -> None:
    async with serving(app) as (_, address, task), aiohttp.ClientSession() as web:
        async with web.ws_connect(socket_of(address), origin=address.rstrip("/")) as page:
            pid = int((await drawn(page)).split()[1])
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(asyncio.shield(task), 20)
            assert not Path(f"/proc/{pid}").exists()


async def test_a_port_that_is_taken_is_named(app: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = AppServer([sys.executable, str(app)], (), SystemClock(), port=port)
        with pytest.raises(ConfigError, match=str(port)):
            await server.run()
