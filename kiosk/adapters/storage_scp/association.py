"""One association: a thread that receives into a buffer and lets the machine take it from there."""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from kiosk.adapters.dimse import pdu
from kiosk.adapters.storage_scp.incoming import StoreSink
from kiosk.adapters.storage_scp.limits import Limits
from kiosk.adapters.storage_scp.machine import Context, Machine

# Holds most objects whole, so that they are written after they were answered. Memory is taken only
# as far as a peer fills it.
BUFFER_BYTES: Final = 1024 * 1024
_ROOM_BYTES: Final = 128 * 1024  # less is not worth a receive
_QUICK: Final = (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


class Association:
    """An accepted association and its thread.

    Deadlines are kept by the front door, which shuts the socket down when `deadline` has passed;
    the thread then receives nothing and ends. So receiving costs one system call, not two.

    Attributes:
        deadline: Monotonic seconds; infinite while we work and the peer waits.
        last_seen: Monotonic seconds when something came last.
    """

    def __init__(
        self,
        sock: socket.socket,
        address: str,
        contexts: Mapping[int, Context],
        sink: StoreSink,
        *,
        limits: Limits,
        alert: Callable[[str], None],
        on_end: Callable[[Association], None],
    ) -> None:
        self.address = address
        self.last_seen = time.monotonic()
        self.deadline = self.last_seen + limits.idle_s
        self._pdu_until = math.inf
        self._sock = sock
        self._limits = limits
        self._sink = sink
        self._machine = Machine(contexts, sink)
        self._alert = alert
        self._on_end = on_end

    def start(self) -> None:
        threading.Thread(target=self._run, name="association", daemon=True).start()

    @property
    def has_stored(self) -> bool:
        return self._sink.stored > 0

    @property
    def is_fruitless(self) -> bool:
        """It brought nothing yet and is not about to: the first to go when places are short."""
        return not self.has_stored and self._machine.is_idle

    def shut_down(self) -> None:
        """From the front door: the thread wakes up and ends."""
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it ended by itself

    def _run(self) -> None:
        try:
            self._serve()
        except pdu.ProtocolError as error:
            self._alert("protocol." + error.reason)
            self._abort()
        except (ConnectionError, TimeoutError, BlockingIOError):
            self._alert("association.broken")
        finally:
            self._sink.abandon()
            self._sock.close()
            self._on_end(self)

    def _serve(self) -> None:
        sock, machine, sink = self._sock, self._machine, self._sink
        buffer = memoryview(bytearray(BUFFER_BYTES))
        start = end = 0  # what the machine has not used yet
        while not machine.is_finished:
            got = sock.recv_into(buffer[end:])
            if not got:
                return
            end += got
            if end < BUFFER_BYTES:
                # A sender with Nagle's algorithm on waits for our ACK between its small writes.
                # Not sticky; and not needed where more is here already.
                sock.setsockopt(*_QUICK)
            self.deadline = math.inf
            pdus = machine.pdus
            start += machine.consume(buffer[start:end])
            if machine.outbox:
                sock.sendall(b"".join(machine.outbox))
                machine.outbox.clear()
                sink.settle()
            if BUFFER_BYTES - end < _ROOM_BYTES:
                sink.flush()
            if not sink.is_holding:
                kept = end - start
                if kept:
                    buffer[:kept] = bytes(buffer[start:end])
                start, end = 0, kept
            self._set_deadline(machine.pdus != pdus, machine.is_inside_pdu or end > start)

    def _set_deadline(self, is_new_pdu: bool, is_inside_pdu: bool) -> None:
        now = time.monotonic()
        self.last_seen = now
        if not is_inside_pdu:
            self._pdu_until = math.inf
            self.deadline = now + self._limits.idle_s
            return
        if is_new_pdu or self._pdu_until == math.inf:
            self._pdu_until = now + self._limits.pdu_s
        self.deadline = self._pdu_until

    def _abort(self) -> None:
        try:
            self._sock.send(pdu.abort(), socket.MSG_DONTWAIT)
        except OSError:
            return  # it does not listen any more: closing says the same
