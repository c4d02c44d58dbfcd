"""The receiver's main loop: who gets in, how long anything may take, and what the engine says.

Connections have no thread until their A-ASSOCIATE-RQ is whole and right, so a flood of silent ones
costs little, and the one that said least makes room for the next.
"""

from __future__ import annotations

import json
import selectors
import socket
import struct
import threading
import time
from collections import Counter
from typing import Any, Final

from kiosk.adapters.dimse import pdu
from kiosk.adapters.dimse.pdu import ProtocolError
from kiosk.adapters.storage_scp import messages
from kiosk.adapters.storage_scp.association import Association
from kiosk.adapters.storage_scp.contexts import answer
from kiosk.adapters.storage_scp.incoming import StoreSink, tell
from kiosk.adapters.storage_scp.limits import ScpSettings
from kiosk.adapters.storage_scp.machine import Context
from kiosk.adapters.storage_scp.retrievals import Retrieval, RetrievalTable

_TICK_S: Final = 0.25
_SEND_S: Final = 20  # a peer that does not take a response of 200 bytes for so long is gone
_ACCEPTS_A_TURN: Final = 64
_GRACE_S: Final = 0.5  # for an honest peer to say who it is, however many others come

# A-ASSOCIATE-RJ source and reason, PS3.8 table 9-21
_CALLING_UNKNOWN: Final = (1, 3)
_CALLED_UNKNOWN: Final = (1, 7)
_LIMIT_EXCEEDED: Final = (3, 2)


class _Pending:
    """A connection that has not said who it is."""

    def __init__(self, sock: socket.socket, address: str, deadline: float) -> None:
        self.sock = sock
        self.address = address
        self.deadline = deadline
        self.said = bytearray()

    @property
    def wanted(self) -> int:
        """Bytes still missing. Raises ProtocolError for what cannot be an A-ASSOCIATE-RQ."""
        if len(self.said) < pdu.HEADER.size:
            return pdu.HEADER.size - len(self.said)
        kind, length = pdu.HEADER.unpack_from(self.said)
        if kind != pdu.ASSOCIATE_RQ:
            raise ProtocolError("first.unexpected")
        if length > pdu.MAX_ASSOCIATE_BYTES:
            raise ProtocolError("first.length")
        return int(pdu.HEADER.size + length - len(self.said))


class FrontDoor:
    """Owns the listener, the control channel, and everything that came through them.

    Args:
        listener: Listening already.
        control: SOCK_SEQPACKET to the engine; its end of file ends the process.
    """

    def __init__(
        self, settings: ScpSettings, listener: socket.socket, control: socket.socket
    ) -> None:
        self._settings = settings
        self._limits = settings.limits
        # PS3.7 9.1.1.1 wants the mover's title there, ours; archives built on pynetdicom say theirs
        titles = (settings.ae_title, *(peer.ae_title for peer in settings.peers))
        self._originators = frozenset(title.encode() for title in titles)
        self._listener = listener
        self._control = control
        self._table = RetrievalTable()
        self._selector = selectors.DefaultSelector()
        self._pending: dict[socket.socket, _Pending] = {}
        self._associations: set[Association] = set()
        self._lock = threading.Lock()  # of the two below and of the set above
        self._alerts: Counter[tuple[str, str]] = Counter()
        self._allowed = {address for peer in settings.peers for address in peer.addresses}

    def run(self) -> None:
        """Until the engine closes the control channel."""
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._control, selectors.EVENT_READ, self._read_control)
        self._send_control({"ready": True})
        next_tick = 0.0
        self._is_running = True
        while self._is_running:
            for key, _ in self._selector.select(_TICK_S):
                key.data(key.fileobj)
            now = time.monotonic()
            if now >= next_tick:
                self._sweep(now)
                next_tick = now + _TICK_S
            self._report_alerts()

    # --- connections -----------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_ACCEPTS_A_TURN):
            try:
                sock, (address, _port, *_) = listener.accept()
            except BlockingIOError:
                return
            except OSError:  # it was gone before we looked, or descriptors are short
                self._alert("connection.failed", "")
                return
            address = address.removeprefix("::ffff:")
            if address not in self._allowed:
                self._alert("connection.address", address)
                sock.close()
                continue
            self._make_room(address)
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pending = _Pending(sock, address, time.monotonic() + self._limits.associate_s)
            self._pending[sock] = pending
            self._selector.register(sock, selectors.EVENT_READ, self._read_pending)
            self._read_pending(sock)

    def _make_room(self, address: str) -> None:
        """Before one more is taken: drop an old one that said least; one just made may yet
        speak.
        """
        same = [each for each in self._pending.values() if each.address == address]
        if len(same) >= self._limits.pending_per_address:
            crowd = same
        elif len(self._pending) >= self._limits.pending:
            crowd = list(self._pending.values())
        else:
            return
        young = time.monotonic() + self._limits.associate_s - _GRACE_S

        def worth(each: _Pending) -> tuple[bool, bool, float]:
            return each.deadline > young, len(each.said) > pdu.HEADER.size, each.deadline

        victim = min(crowd, key=worth)
        self._alert("connection.flood", victim.address)
        self._drop(victim)

    def _drop(self, pending: _Pending) -> None:
        self._forget(pending)
        pending.sock.close()

    def _forget(self, pending: _Pending) -> None:
        if self._pending.pop(pending.sock, None) is not None:
            self._selector.unregister(pending.sock)

    def _read_pending(self, sock: socket.socket) -> None:
        pending = self._pending.get(sock)
        if pending is None:  # made to go by a newcomer in the same turn
            return
        try:
            while wanted := pending.wanted:
                data = sock.recv(min(wanted, 65536))
                if not data:
                    self._drop(pending)
                    return
                pending.said += data
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            self._associate(pending)
        except BlockingIOError:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        except ProtocolError as error:
            self._alert("protocol." + error.reason, pending.address)
            self._drop(pending)
        except OSError:
            self._alert("association.broken", pending.address)
            self._drop(pending)

    def _associate(self, pending: _Pending) -> None:
        """The A-ASSOCIATE-RQ is here: accept it and give it a thread, or reject it."""
        body = bytes(pending.said[pdu.HEADER.size :])
        request = pdu.parse_associate_request(body)
        refusal = self._judge(request, pending.address)
        if refusal is not None:
            source, reason = refusal
            is_permanent = refusal != _LIMIT_EXCEEDED
            _send_at_once(
                pending.sock,
                pdu.associate_reject(is_permanent=is_permanent, source=source, reason=reason),
            )
            self._drop(pending)
            return
        answers = tuple(answer(proposed) for proposed in request.contexts)
        accepted = {
            each.context_id: Context(each.abstract_syntax, each.transfer_syntax)
            for each in answers
            if each.result == pdu.ACCEPTED
        }
        sock = pending.sock
        self._forget(pending)
        sock.setblocking(True)
        if not _send_at_once(sock, pdu.associate_accept(body, answers)):
            self._alert("association.broken", pending.address)
            sock.close()
            return
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _SEND_S, 0))
        address = pending.address
        association = Association(
            sock,
            address,
            accepted,
            StoreSink(
                self._table,
                originators=self._originators,
                reserve_bytes=self._settings.reserve_bytes,
                alert=lambda kind: self._alert(kind, address),
            ),
            limits=self._limits,
            alert=lambda kind: self._alert(kind, address),
            on_end=self._ended,
        )
        with self._lock:
            self._associations.add(association)
        self._table.tell_all(lambda each: tell(each, messages.CONNECTED))
        association.start()

    def _judge(self, request: pdu.AssociateRequest, address: str) -> tuple[int, int] | None:
        if request.called != self._settings.ae_title.encode():
            self._alert("association.called", address)
            return _CALLED_UNKNOWN
        calling = request.calling
        if not any(
            peer.ae_title.encode() == calling and address in peer.addresses
            for peer in self._settings.peers
        ):
            self._alert("association.calling", address)
            return _CALLING_UNKNOWN
        if not self._has_place(address):
            self._alert("association.limit", address)
            return _LIMIT_EXCEEDED
        return None

    def _has_place(self, address: str) -> bool:
        with self._lock:
            everyone = list(self._associations)
        same = [each for each in everyone if each.address == address]
        if len(same) >= self._limits.associations_per_address:
            crowd = same
        elif len(everyone) >= self._limits.associations:
            crowd = everyone
        else:
            return True
        since = time.monotonic() - self._limits.evict_after_s
        idle = [each for each in crowd if each.is_fruitless or each.last_seen < since]
        if not idle:
            return False
        victim = min(idle, key=lambda each: (each.has_stored, each.last_seen))
        self._alert("association.evicted", victim.address)
        victim.shut_down()
        with self._lock:
            self._associations.discard(victim)
        return True

    def _ended(self, association: Association) -> None:
        with self._lock:
            self._associations.discard(association)

    def _sweep(self, now: float) -> None:
        for pending in [each for each in self._pending.values() if each.deadline < now]:
            self._alert("connection.silent", pending.address)
            self._drop(pending)
        with self._lock:
            late = [each for each in self._associations if each.deadline < now]
        for association in late:
            self._alert("association.silent", association.address)
            association.shut_down()
            self._ended(association)

    # --- the engine ------------------------------------------------------------------------------

    def _read_control(self, control: socket.socket) -> None:
        data, fds, _flags, _address = socket.recv_fds(control, messages.MAX_CONTROL_BYTES, 2)
        if not data:
            self._is_running = False
            return
        message = json.loads(data)["open"]
        channel = socket.socket(fileno=fds[0])
        retrieval = Retrieval(
            message["study_instance_uid"].encode(),
            channel,
            fds[1],
            message["first_number"],
            self._table.files_lock,
        )
        if not self._table.add(retrieval):
            retrieval.close()
            return
        self._selector.register(
            channel, selectors.EVENT_READ, lambda _sock: self._close_retrieval(retrieval)
        )
        channel.send(messages.OPENED)

    def _close_retrieval(self, retrieval: Retrieval) -> None:
        """The engine sends nothing on this channel: it is readable when its end is closed."""
        self._selector.unregister(retrieval.channel)
        self._table.remove(retrieval)
        retrieval.close()

    def _alert(self, kind: str, address: str) -> None:
        with self._lock:
            self._alerts[kind, address] += 1

    def _report_alerts(self) -> None:
        with self._lock:
            if not self._alerts:
                return
            newest = self._alerts.most_common(64)
        alerts = [
            {"kind": kind, "address": address, "count": count} for (kind, address), count in newest
        ]
        if self._send_control({"alerts": alerts}):
            with self._lock:
                self._alerts -= Counter(dict(newest))

    def _send_control(self, message: dict[str, Any]) -> bool:
        """False if the engine is behind with reading: the next turn tries again."""
        try:
            self._control.send(json.dumps(message).encode(), socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        return True

    _is_running = False


def _send_at_once(sock: socket.socket, data: bytes) -> bool:
    """False if the peer is gone or leaves us no room for a few kilobytes: this loop waits for
    nobody.
    """
    try:
        return sock.send(data, socket.MSG_DONTWAIT) == len(data)
    except OSError:
        return False
