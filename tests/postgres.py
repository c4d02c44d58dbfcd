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


class Server:
    """One server in a folder of its own, on a port that it keeps.

    Attributes:
        url: Of its first database.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        user = _user()
        ids = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        data, port = folder / "data", _free_port()
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8",
             "--locale=C"],
            check=True, stdout=subprocess.DEVNULL, cwd=folder, **ids,
        )  # fmt: skip
        self._command = [
            programs / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", folder,
            "-c", "max_connections=200", "-c", "fsync=off",  # the machine stays up
        ]  # fmt: skip
        self._folder, self._ids = folder, ids
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://test@127.0.0.1:{port}/postgres"

    def start(self) -> None:
        """Until it answers."""
        log = self._folder / "log"
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                self._command, stdout=file, stderr=file, cwd=self._folder, **self._ids
            )
        _await_up(self.url, self._process, log)

    def stop(self, number: signal.Signals = signal.SIGQUIT) -> None:
        """SIGINT cuts every session and ends in order; SIGQUIT ends as a crash would."""
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


@contextlib.contextmanager
def server(programs: Path) -> Iterator[Server]:
    """A running server; it and its folder go in the end."""
    folder = Path(tempfile.mkdtemp(prefix="sendhome-pg-"))
    try:
        one = Server(programs, folder)
        try:
            one.start()
            yield one
        finally:
            one.stop()  # its data go anyway
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


def needed_programs() -> Path:
    """The same, or the test is skipped."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    return programs


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a server that lives as long as the session."""
    with server(needed_programs()) as one:
        yield one.url


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """URL of an empty database."""
    return fresh_database(postgres_server)
