"""DICOM messages byte by byte, for tests that must send what no toolkit would."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

from dicomdir.instance import read_instance
from kiosk.adapters.dimse import command as cmd
from kiosk.adapters.dimse import pdu

CT = "1.2.840.10008.5.1.4.1.1.2"
VERIFICATION = "1.2.840.10008.1.1"
EXPLICIT = "1.2.840.10008.1.2.1"
DATA_CONTEXT, ECHO_CONTEXT = 1, 3


def associate_rq(
    called: str = "SENDHOME",
    calling: str = "HONEST",
    contexts: Sequence[tuple[int, str, Sequence[str]]] = (
        (DATA_CONTEXT, CT, (EXPLICIT,)),
        (ECHO_CONTEXT, VERIFICATION, ("1.2.840.10008.1.2",)),
    ),
) -> bytes:
    items = pdu.item(0x10, pdu.APPLICATION_CONTEXT)
    for context_id, abstract, syntaxes in contexts:
        inner = pdu.item(0x30, abstract.encode())
        inner += b"".join(pdu.item(0x40, syntax.encode()) for syntax in syntaxes)
        items += pdu.item(0x20, bytes((context_id, 0, 0, 0)) + inner)
    items += pdu.item(0x50, pdu.item(0x51, (16384).to_bytes(4, "big")))
    body = b"\0\1\0\0" + called.encode().ljust(16) + calling.encode().ljust(16) + bytes(32) + items
    return pdu.HEADER.pack(pdu.ASSOCIATE_RQ, len(body)) + body


def store_command(
    sop_instance_uid: bytes, *, sop_class_uid: str = CT, originator: str = "", message_id: int = 1
) -> bytes:
    """A C-STORE-RQ as one P-DATA PDU."""
    elements = {
        cmd.AFFECTED_SOP_CLASS: cmd.ui(sop_class_uid.encode()),
        cmd.COMMAND_FIELD: cmd.us(cmd.C_STORE_RQ),
        cmd.MESSAGE_ID: cmd.us(message_id),
        cmd.PRIORITY: cmd.us(0),
        cmd.DATA_SET_TYPE: cmd.us(1),
        cmd.AFFECTED_SOP_INSTANCE: cmd.ui(sop_instance_uid),
    }
    if originator:
        elements[cmd.MOVE_ORIGINATOR_AE] = cmd.ae(originator.encode())
        elements[cmd.MOVE_ORIGINATOR_MESSAGE_ID] = cmd.us(1)
    return pdu.p_data(DATA_CONTEXT, pdu.IS_COMMAND | pdu.IS_LAST, cmd.encode_command(elements))


def echo_command() -> bytes:
    elements = {
        cmd.AFFECTED_SOP_CLASS: cmd.ui(VERIFICATION.encode()),
        cmd.COMMAND_FIELD: cmd.us(cmd.C_ECHO_RQ),
        cmd.MESSAGE_ID: cmd.us(9),
        cmd.DATA_SET_TYPE: cmd.us(cmd.NO_DATA_SET),
    }
    return pdu.p_data(ECHO_CONTEXT, pdu.IS_COMMAND | pdu.IS_LAST, cmd.encode_command(elements))


def data_set(path: Path) -> bytes:
    """Of a Part 10 file, without its meta information."""
    return path.read_bytes()[read_instance(path).data_offset :]


def data_pdus(data: bytes, size: int = 16000) -> bytes:
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(
        pdu.p_data(DATA_CONTEXT, pdu.IS_LAST if number == len(pieces) - 1 else 0, piece)
        for number, piece in enumerate(pieces)
    )


class Client:
    """A connection that says just what it is told."""

    def __init__(self, port: int, *, source: str = "127.0.0.1", timeout_s: float = 20.0) -> None:
        self.sock = socket.create_connection(
            ("127.0.0.1", port), timeout_s, source_address=(source, 0)
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def read_pdu(self) -> tuple[int, bytes] | None:
        """None at the end of the connection."""
        header = self._read(pdu.HEADER.size)
        if header is None:
            return None
        kind, length = pdu.HEADER.unpack(header)
        body = self._read(length)
        return None if body is None else (kind, body)

    def _read(self, count: int) -> bytes | None:
        data = b""
        while len(data) < count:
            try:
                more = self.sock.recv(count - len(data))
            except ConnectionResetError:
                return None
            if not more:
                return None
            data += more
        return data

    def associate(self, called: str = "SENDHOME", calling: str = "HONEST") -> int | None:
        """Type of the answering PDU, None if the connection ended instead."""
        self.send(associate_rq(called, calling))
        answer = self.read_pdu()
        return answer and answer[0]

    def status(self) -> int | None:
        """Of the next response; None if the association ended instead."""
        answer = self.read_pdu()
        if answer is None or answer[0] != pdu.P_DATA:
            return None
        return cmd.read_us(cmd.decode_command(answer[1][pdu.PDV_HEADER.size :]), cmd.STATUS)

    def store(self, path: Path, **options: str) -> int | None:
        """C-STORE of a file; its status."""
        uid = read_instance(path).sop_instance_uid.encode()
        self.send(store_command(uid, **options) + data_pdus(data_set(path)))  # type: ignore[arg-type]
        return self.status()
