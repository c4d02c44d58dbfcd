"""A PostgreSQL server of Debian's for one test session: own folder, own port, ends with it.

It refuses to run as root; then it runs as `postgres`. Without the programs the tests are skipped.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

_UP_S = 60.0


def find_programs() -> Path | None:
    """The newest Debian version's folder with initdb and postgres in it."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    if found:
        return found[0].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def _user() -> pwd.struct_passwd | None:
    """Who runs it: nobody else than us, unless we are root."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def server(programs: Path) -> Iterator[str]:
    """A running server; yields the URL of its first database."""
    user = _user()
    ids = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    folder = Path(tempfile.mkdtemp(prefix="sendhome-pg-"))
    try:
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        data = folder / "data"
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8",
             "--locale=C"],
            check=True, stdout=subprocess.DEVNULL, cwd=folder, **ids,
        )  # fmt: skip
        port = _free_port()
        log = (folder / "log").open("wb")
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", folder,
             "-c", "max_connections=200", "-c", "fsync=off"],  # the machine stays up
            stdout=log, stderr=log, cwd=folder, **ids,
        )  # fmt: skip
        try:
            url = f"postgresql://test@127.0.0.1:{port}/postgres"
            _await_up(url, process, folder / "log")
            yield url
        finally:
            process.send_signal(signal.SIGQUIT)  # its data go anyway
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            log.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _await_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _UP_S
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text(errors="replace")[-2000:]) from None
            time.sleep(0.05)


def fresh_database(server_url: str, *, template: str = "template1") -> str:
    """A new database on the server, empty or a copy; its URL."""
    name = f"t{os.getpid()}_{time.monotonic_ns()}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')  # type: ignore[call-overload]
    return f"{server_url.rpartition('/')[0]}/{name}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a server that lives as long as the session."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with server(programs) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """URL of an empty database."""
    return fresh_database(postgres_server)
