"""A network line of a stated speed: a TCP relay on loopback, in a process of its own.

On one machine an archive hands over a study in less time than any hospital's network takes. What
is made while objects arrive is judged behind a line of a gigabit a second.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

GIGABIT = 118_000_000  # bytes of payload a second on gigabit Ethernet with frames of 1,500 bytes
_PIECE_BYTES = 64 << 10
_BURST_S = 0.004


@contextlib.contextmanager
def line_to(port: int, bytes_per_s: int = GIGABIT) -> Iterator[int]:
    """The port of a line to a port of this machine."""
    process = subprocess.Popen(
        [
            *("setpriv", "--pdeathsig", "TERM", "--", sys.executable, "-m", "tests.bench.line"),
            *(str(port), str(bytes_per_s)),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _carry(source: socket.socket, target: socket.socket, bytes_per_s: int) -> None:
    """One direction, until it is closed; what one end does not take, the other waits for."""
    buffer = memoryview(bytearray(_PIECE_BYTES))
    free_at = time.monotonic()
    with contextlib.suppress(ConnectionError):  # either end may go; the other one is told so
        while count := source.recv_into(buffer):
            free_at = max(free_at, time.monotonic() - _BURST_S) + count / bytes_per_s
            if (wait := free_at - time.monotonic()) > 0:
                time.sleep(wait)
            target.sendall(buffer[:count])
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _main(port: int, bytes_per_s: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            near, _ = server.accept()
            far = socket.create_connection(("127.0.0.1", port))
            for one, other in ((near, far), (far, near)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=_carry, args=(one, other, bytes_per_s), daemon=True).start()


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]))
