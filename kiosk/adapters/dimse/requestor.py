"""The asking side of an association: C-ECHO, C-FIND and C-MOVE requests on a plain socket.

pynetdicom's PDU classes make the A-ASSOCIATE-RQ and read its answer. Its reactor does not drive the
messages: at 1 ms of polling and 1 ms of decoding a response it would cost more than receiving the
objects (measured: listing 1,000 objects takes it 1.0 s of CPU, this module 0.1 s).
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from kiosk.adapters.dimse import command as cmd
from kiosk.adapters.dimse import pdu
from kiosk.adapters.dimse.pdu import ProtocolError
from kiosk.errors import ArchiveAbortedError, ArchiveRefusedError, ArchiveUnreachableError

_RECEIVE_BYTES: Final = 64 * 1024
_MAX_MESSAGE_BYTES: Final = 1024 * 1024  # a failed UID list of 10,000 objects has 650 KB
_MAX_IDENTIFIER_BYTES: Final = 64 * 1024
_MAX_IDENTIFIER_ELEMENTS: Final = 256
_RELEASE_S: Final = 2.0
_FRAGMENT_BYTES: Final = 16 * 1024 - 12

_REJECTED_BY_USER: Final = {  # PS3.8 table 9-21, source 1
    1: "no reason given",
    2: "application context not supported",
    3: "our AE title is not known to it",
    7: "it has another AE title",
}


@dataclass(frozen=True, slots=True)
class Message:
    """One response: its command set by element number, and its data set's bytes if it has one.

    Reading what is not there raises ArchiveAbortedError: the archive broke the protocol.
    """

    command: Mapping[int, bytes]
    data: bytes | None

    @property
    def status(self) -> int:
        try:
            return cmd.read_us(self.command, cmd.STATUS)
        except ProtocolError as error:
            raise _broken(error) from error

    def counter(self, number: int) -> int:
        """Of sub-operations; 0 where the archive leaves it out."""
        try:
            return cmd.optional_us(self.command, number)
        except ProtocolError as error:
            raise _broken(error) from error

    def identifier(self) -> dict[int, bytes]:
        """The data set's elements by tag; only flat ones, as keys of queries are."""
        data = self.data or b""
        try:
            if not 0 < len(data) <= _MAX_IDENTIFIER_BYTES:
                raise ProtocolError("identifier.length")
            return cmd.decode_elements(data, max_elements=_MAX_IDENTIFIER_ELEMENTS)
        except ProtocolError as error:
            raise _broken(error) from error


def _broken(error: ProtocolError) -> ArchiveAbortedError:
    return ArchiveAbortedError(f"the archive broke the protocol: {error.reason}")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the archive is, and who we are to it."""

    host: str
    port: int
    called: str
    calling: str


class Requestor:
    """One association with the archive; a context manager that releases it.

    Args:
        sop_class_uids: Asked for in this order, all with Implicit VR Little Endian.
        timeout_s: For connecting, for the association's answer and for the rest of a begun PDU.
    Raises:
        ArchiveUnreachableError: No connection.
        ArchiveRefusedError: Rejected; the text says which title is not known.
        ArchiveAbortedError: It hung up instead of answering, or does not speak DICOM.
    """

    def __init__(
        self, address: Address, sop_class_uids: Sequence[str], *, timeout_s: float = 15.0
    ) -> None:
        self._timeout_s = timeout_s
        self._contexts: dict[str, int] = {}
        self._peer_max_pdu = 0
        self._received = bytearray()
        self._command: dict[int, bytes] | None = None
        self._fragments = bytearray()
        self._next_message_id = 1
        self._is_over = False
        try:
            self._sock = socket.create_connection((address.host, address.port), timeout_s)
        except OSError as error:
            raise ArchiveUnreachableError(
                f"no connection to the archive {address.called}: {error.strerror or 'timed out'}"
            ) from error
        try:
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._associate(address, sop_class_uids)
        except BaseException:
            self._sock.close()
            raise

    def __enter__(self) -> Requestor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.release()
        else:
            self.abort()

    def fileno(self) -> int:
        return self._sock.fileno()

    # --- association -----------------------------------------------------------------------------

    def _associate(self, address: Address, sop_class_uids: Sequence[str]) -> None:
        self._send(associate_request(address, sop_class_uids))
        kind, body = self._wait_pdu(time.monotonic() + self._timeout_s)
        if kind == pdu.ASSOCIATE_RJ and len(body) == 4:
            is_transient = body[1] == _TRANSIENT
            raise (ArchiveAbortedError if is_transient else ArchiveRefusedError)(_rejection(body))
        if kind != pdu.ASSOCIATE_AC:
            raise ArchiveAbortedError("the archive does not answer the association")
        from pynetdicom.pdu import A_ASSOCIATE_AC  # late: 0.4 s

        answer = A_ASSOCIATE_AC()
        try:
            answer.decode(pdu.HEADER.pack(kind, len(body)) + body)
            results = {each.context_id: each.result for each in answer.presentation_context}
            user = answer.user_information
            self._peer_max_pdu = (user.maximum_length or 0) if user is not None else 0
        # whatever the peer's bytes make of a foreign parser is one thing to us
        except Exception as error:
            raise ArchiveAbortedError("the archive's association answer is malformed") from error
        for number, uid in enumerate(sop_class_uids):
            context_id = 2 * number + 1
            if results.get(context_id) == pdu.ACCEPTED:
                self._contexts[uid] = context_id
        if not self._contexts:
            raise ArchiveRefusedError("the archive accepts none of our presentation contexts")

    def release(self) -> None:
        """Say goodbye; a peer that does not answer is left without."""
        if self._is_over:
            return
        self._is_over = True
        try:
            self._send(pdu.release_request())
            self._wait_pdu(time.monotonic() + _RELEASE_S)
        except ArchiveAbortedError:
            return  # it hung up first: gone is gone
        finally:
            self._sock.close()

    def abort(self) -> None:
        """A-ABORT and close."""
        if self._is_over:
            return
        self._is_over = True
        try:
            self._sock.settimeout(_RELEASE_S)
            self._sock.sendall(pdu.abort(is_provider=False))
        except OSError:
            return  # closing says the same
        finally:
            self._sock.close()

    # --- messages --------------------------------------------------------------------------------

    def request(
        self,
        sop_class_uid: str,
        field: int,
        identifier: Mapping[int, bytes] | None,
        more: Mapping[int, bytes] | None = None,
    ) -> int:
        """Send one request; returns its message id.

        Raises:
            ArchiveRefusedError: The presentation context was not accepted.
            ArchiveAbortedError: The connection is gone.
        """
        context_id = self._contexts.get(sop_class_uid)
        if context_id is None:
            raise ArchiveRefusedError(f"the archive does not offer {sop_class_uid}")
        message_id = self._next_message_id
        self._next_message_id = message_id % 0xFFFF + 1
        command = {
            cmd.AFFECTED_SOP_CLASS: cmd.ui(sop_class_uid.encode()),
            cmd.COMMAND_FIELD: cmd.us(field),
            cmd.MESSAGE_ID: cmd.us(message_id),
            cmd.DATA_SET_TYPE: cmd.us(cmd.NO_DATA_SET if identifier is None else 1),
            **(more or {}),
        }
        flags = pdu.IS_COMMAND | pdu.IS_LAST
        out = pdu.p_data(context_id, flags, cmd.encode_command(command))
        if identifier is not None:
            out += self._data_pdus(context_id, cmd.encode_elements(identifier))
        self._send(out)
        return message_id

    def _data_pdus(self, context_id: int, data: bytes) -> bytes:
        size = (
            min(_FRAGMENT_BYTES, self._peer_max_pdu - 6) if self._peer_max_pdu else _FRAGMENT_BYTES
        )
        size = max(size, 256)
        starts = range(0, len(data), size)
        return b"".join(
            pdu.p_data(
                context_id, pdu.IS_LAST if at + size >= len(data) else 0, data[at : at + size]
            )
            for at in starts
        )

    def cancel(self, sop_class_uid: str, message_id: int) -> None:
        """C-CANCEL (PS3.7 9.3.4.3); its answer is the final response of what is cancelled."""
        command = {
            cmd.COMMAND_FIELD: cmd.us(cmd.C_CANCEL_RQ),
            cmd.MESSAGE_ID_BEING_RESPONDED_TO: cmd.us(message_id),
            cmd.DATA_SET_TYPE: cmd.us(cmd.NO_DATA_SET),
        }
        flags = pdu.IS_COMMAND | pdu.IS_LAST
        self._send(pdu.p_data(self._contexts[sop_class_uid], flags, cmd.encode_command(command)))

    def next_message(self, timeout_s: float) -> Message | None:
        """The next response, None if none is whole by then; 0 looks only at what is here.

        Raises:
            ArchiveAbortedError: It aborted, hung up, or broke the protocol.
        """
        deadline = time.monotonic() + timeout_s
        try:
            while True:
                while (found := self._take_pdu()) is not None:
                    message = self._take_message(*found)
                    if message is not None:
                        return message
                if not self._receive(deadline):
                    return None
        except ProtocolError as error:
            raise _broken(error) from error

    def _take_message(self, kind: int, body: bytes) -> Message | None:
        if kind == pdu.ABORT:
            raise ArchiveAbortedError("the archive aborted the association")
        if kind != pdu.P_DATA:
            raise ProtocolError("pdu.unexpected")
        at, message = 0, None
        while at < len(body):
            if message is not None or len(body) - at < pdu.PDV_HEADER.size:
                raise ProtocolError("pdv.order")
            length, _context_id, flags = pdu.PDV_HEADER.unpack_from(body, at)
            if length < 2 or length + 4 > len(body) - at:
                raise ProtocolError("pdv.length")
            self._fragments += body[at + pdu.PDV_HEADER.size : at + length + 4]
            at += length + 4
            if len(self._fragments) > _MAX_MESSAGE_BYTES:
                raise ProtocolError("message.length")
            if bool(flags & pdu.IS_COMMAND) != (self._command is None):
                raise ProtocolError("pdv.order")
            if not flags & pdu.IS_LAST:
                continue
            data = bytes(self._fragments)
            self._fragments.clear()
            if self._command is None:
                self._command = cmd.decode_command(data)
                if cmd.read_us(self._command, cmd.DATA_SET_TYPE) == cmd.NO_DATA_SET:
                    message, self._command = Message(self._command, None), None
            else:
                message, self._command = Message(self._command, data), None
        return message

    # --- bytes -----------------------------------------------------------------------------------

    def _send(self, data: bytes) -> None:
        try:
            self._sock.settimeout(self._timeout_s)
            self._sock.sendall(data)
        except OSError as error:
            raise ArchiveAbortedError("the connection to the archive broke") from error

    def _wait_pdu(self, deadline: float) -> tuple[int, bytes]:
        try:
            while (found := self._take_pdu()) is None:
                if not self._receive(deadline):
                    raise ArchiveAbortedError("the archive does not answer")
        except ProtocolError as error:
            raise _broken(error) from error
        return found

    def _take_pdu(self) -> tuple[int, bytes] | None:
        received = self._received
        if len(received) < pdu.HEADER.size:
            return None
        kind, length = pdu.HEADER.unpack_from(received)
        if length > pdu.MAX_PDU_BYTES:
            raise ProtocolError("pdu.length")
        end = pdu.HEADER.size + length
        if len(received) < end:
            return None
        body = bytes(received[pdu.HEADER.size : end])
        del received[:end]
        return kind, body

    def _receive(self, deadline: float) -> bool:
        """False if nothing came until the deadline. Raises ArchiveAbortedError."""
        left = max(0.0, deadline - time.monotonic())
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        if not poll.poll(left * 1000):
            return False
        try:
            data = self._sock.recv(_RECEIVE_BYTES)
            # C-MOVE and C-FIND responses come in small writes, each waiting for our ACK
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        except OSError as error:
            raise ArchiveAbortedError("the connection to the archive broke") from error
        if not data:
            raise ArchiveAbortedError("the archive closed the connection")
        self._received += data
        return True


def associate_request(address: Address, sop_class_uids: Sequence[str]) -> bytes:
    from pynetdicom.pdu import A_ASSOCIATE_RQ  # late: 0.4 s
    from pynetdicom.pdu_primitives import (
        A_ASSOCIATE,
        ImplementationClassUIDNotification,
        ImplementationVersionNameNotification,
        MaximumLengthNotification,
    )
    from pynetdicom.presentation import PresentationContext

    primitive = A_ASSOCIATE()
    primitive.application_context_name = pdu.APPLICATION_CONTEXT.decode()
    primitive.calling_ae_title = address.calling
    primitive.called_ae_title = address.called
    contexts = []
    for number, uid in enumerate(sop_class_uids):
        context = PresentationContext()
        context.context_id = 2 * number + 1
        context.abstract_syntax = uid
        context.transfer_syntax = ["1.2.840.10008.1.2"]
        contexts.append(context)
    primitive.presentation_context_definition_list = contexts
    length = MaximumLengthNotification()
    length.maximum_length_received = pdu.OUR_MAX_PDU_BYTES
    implementation = ImplementationClassUIDNotification()
    implementation.implementation_class_uid = pdu.IMPLEMENTATION_UID.decode()
    version = ImplementationVersionNameNotification()
    version.implementation_version_name = pdu.IMPLEMENTATION_VERSION.decode()
    primitive.user_information = [length, implementation, version]
    request = A_ASSOCIATE_RQ()
    request.from_primitive(primitive)
    encoded: bytes = request.encode()
    return encoded


_TRANSIENT: Final = 2  # result of an A-ASSOCIATE-RJ (PS3.8 9.3.4): the same may go well later


def _rejection(body: bytes) -> str:
    _, result, source, reason = struct.unpack("4B", body)
    how = "for now" if result == _TRANSIENT else "permanently"
    why = _REJECTED_BY_USER.get(reason, "") if source == 1 else ""
    return (
        f"the archive rejected the association {how}: {why or f'source {source}, reason {reason}'}"
    )
