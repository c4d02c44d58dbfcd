"""What an accepted association may say, without sockets: P-DATA with C-STORE or C-ECHO, release,
abort.

`Machine.consume` takes whatever bytes are there and says how many it used. Bytes of a data set are
handed on as slices of the caller's buffer, never copied here; commands are collected up to 4 KB.
Everything unexpected raises ProtocolError, upon which the caller aborts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from kiosk.adapters.dimse import command as cmd
from kiosk.adapters.dimse import pdu
from kiosk.adapters.dimse.pdu import ProtocolError

# C-STORE statuses, PS3.4 B.2.3 and PS3.7 annex C
SOP_CLASS_NOT_SUPPORTED: Final = 0x0122


@dataclass(frozen=True, slots=True)
class StoreRequest:
    """One C-STORE-RQ whose data set follows.

    Attributes:
        transfer_syntax: Of the presentation context that it came in.
        sop_instance_uid: b"" if what stands there is no UID.
        move_originator: AE title that asked for the move, b"" if the object comes by itself.
    """

    sop_class_uid: bytes
    sop_instance_uid: bytes
    transfer_syntax: bytes
    move_originator: bytes


class Sink(Protocol):
    """Where objects go. Called in order begin, data..., end; `end` returns the C-STORE status."""

    def begin(self, request: StoreRequest) -> None: ...
    def data(self, view: memoryview) -> None: ...
    def end(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Context:
    """One accepted presentation context."""

    abstract_syntax: bytes
    transfer_syntax: bytes


class Machine:
    """One association from its acceptance to its end.

    Attributes:
        outbox: PDUs to send, in order; the caller takes them out.
        is_finished: Released or aborted by the peer: nothing more is read.
        pdus: How many PDUs were begun.
    """

    def __init__(self, contexts: Mapping[int, Context], sink: Sink) -> None:
        self.outbox: list[bytes] = []
        self.is_finished = False
        self.pdus = 0
        self._contexts = contexts
        self._sink = sink
        self._pdu_left = 0
        self._pdv_left = 0
        self._flags = 0
        self._control = bytearray()
        self._control_context = 0
        self._request: dict[int, bytes] = {}
        self._store: StoreRequest | None = None  # set while its data set is awaited

    @property
    def is_idle(self) -> bool:
        """Between messages."""
        return self._store is None and not self._pdu_left

    @property
    def is_inside_pdu(self) -> bool:
        return self._pdu_left > 0

    def consume(self, view: memoryview) -> int:
        """Use what can be used of `view`; the rest must come again with more behind it (at most 10
        bytes).

        Raises:
            ProtocolError: Abort the association.
        """
        at, end = 0, len(view)
        while not self.is_finished:
            if self._pdv_left:
                if at == end:
                    break
                taken = min(self._pdv_left, end - at)
                self._pdv_left -= taken
                self._pdu_left -= taken
                self._fragment(view[at : at + taken])
                at += taken
            elif self._pdu_left:
                if end - at < pdu.PDV_HEADER.size:
                    break
                self._begin_pdv(*pdu.PDV_HEADER.unpack_from(view, at))
                at += pdu.PDV_HEADER.size
            else:
                if end - at < pdu.HEADER.size:
                    break
                kind, length = pdu.HEADER.unpack_from(view, at)
                if kind != pdu.P_DATA:
                    used = self._control_pdu(kind, length, end - at)
                    if not used:
                        break
                    at += used
                    continue
                if not pdu.PDV_HEADER.size <= length <= pdu.MAX_PDU_BYTES:
                    raise ProtocolError("pdu.length")
                self.pdus += 1
                self._pdu_left = length
                at += pdu.HEADER.size
        return at

    def _control_pdu(self, kind: int, length: int, available: int) -> int:
        """Release or abort: bytes used, 0 if it is not all here."""
        if kind not in (pdu.RELEASE_RQ, pdu.ABORT):
            raise ProtocolError("pdu.unexpected")
        if length != 4:
            raise ProtocolError("pdu.length")
        if available < pdu.HEADER.size + 4:
            return 0
        self.pdus += 1
        if kind == pdu.RELEASE_RQ:
            if self._store is not None or self._control:
                raise ProtocolError("release.early")
            self.outbox.append(pdu.release_response())
        self.is_finished = True
        return pdu.HEADER.size + 4

    def _begin_pdv(self, length: int, context_id: int, flags: int) -> None:
        # `length` counts context id and message control header; both are in _pdu_left, as its own
        # 4 bytes
        if length < 2 or length + 4 > self._pdu_left:
            raise ProtocolError("pdv.length")
        rest = self._pdu_left - length - 4
        if 0 < rest < pdu.PDV_HEADER.size:
            raise ProtocolError("pdu.rest")
        if flags & ~(pdu.IS_COMMAND | pdu.IS_LAST) or context_id not in self._contexts:
            raise ProtocolError("pdv.header")
        is_command = bool(flags & pdu.IS_COMMAND)
        if is_command != (self._store is None):
            raise ProtocolError("pdv.order")
        if is_command and not self._control:
            self._control_context = context_id
        elif context_id != self._control_context:
            raise ProtocolError("pdv.context")
        self._flags = flags
        self._pdu_left -= pdu.PDV_HEADER.size
        self._pdv_left = length - 2
        if not self._pdv_left:
            if not flags & pdu.IS_LAST:
                raise ProtocolError("pdv.empty")  # otherwise a peer may go on for ever with nothing
            self._end_fragment()

    def _fragment(self, data: memoryview) -> None:
        if self._flags & pdu.IS_COMMAND:
            if len(self._control) + len(data) > cmd.MAX_COMMAND_BYTES:
                raise ProtocolError("command.length")
            self._control += data
        else:
            self._sink.data(data)
        if not self._pdv_left and self._flags & pdu.IS_LAST:
            self._end_fragment()

    def _end_fragment(self) -> None:
        if self._flags & pdu.IS_COMMAND:
            command = cmd.decode_command(bytes(self._control))
            self._control.clear()
            self._begin_message(command)
        else:
            self._store = None
            self._answer(cmd.C_STORE_RQ, self._sink.end())

    def _begin_message(self, command: dict[int, bytes]) -> None:
        context = self._contexts[self._control_context]
        field = cmd.read_us(command, cmd.COMMAND_FIELD)
        has_data_set = cmd.read_us(command, cmd.DATA_SET_TYPE) != cmd.NO_DATA_SET
        cmd.read_us(command, cmd.MESSAGE_ID)
        self._request = command
        if field == cmd.C_ECHO_RQ and not has_data_set:
            self._answer(cmd.C_ECHO_RQ, cmd.SUCCESS)
        elif field == cmd.C_STORE_RQ and has_data_set:
            sop_class = cmd.read_uid(command, cmd.AFFECTED_SOP_CLASS)
            self._store = StoreRequest(
                sop_class_uid=sop_class if sop_class == context.abstract_syntax else b"",
                sop_instance_uid=cmd.read_uid(command, cmd.AFFECTED_SOP_INSTANCE),
                transfer_syntax=context.transfer_syntax,
                move_originator=command.get(cmd.MOVE_ORIGINATOR_AE, b"").strip(b" \0"),
            )
            self._sink.begin(self._store)
        else:
            raise ProtocolError("command.field")

    def _answer(self, field: int, status: int) -> None:
        request = self._request
        answer = {
            cmd.AFFECTED_SOP_CLASS: request.get(cmd.AFFECTED_SOP_CLASS, b""),
            cmd.COMMAND_FIELD: cmd.us(field | cmd.IS_RESPONSE),
            cmd.MESSAGE_ID_BEING_RESPONDED_TO: request[cmd.MESSAGE_ID],
            cmd.DATA_SET_TYPE: cmd.us(cmd.NO_DATA_SET),
            cmd.STATUS: cmd.us(status),
        }
        if field == cmd.C_STORE_RQ:
            answer[cmd.AFFECTED_SOP_INSTANCE] = request.get(cmd.AFFECTED_SOP_INSTANCE, b"")
        self.outbox.append(
            pdu.p_data(
                self._control_context, pdu.IS_COMMAND | pdu.IS_LAST, cmd.encode_command(answer)
            )
        )
