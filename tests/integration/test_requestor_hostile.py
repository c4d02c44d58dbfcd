"""An archive that answers with damaged bytes: the asking side says so and nothing else happens."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections.abc import Iterator

import pytest

from kiosk.adapters.dimse import command as cmd
from kiosk.adapters.dimse import pdu
from kiosk.adapters.dimse.requestor import Address, Requestor
from kiosk.adapters.pacs import STUDY_ROOT_FIND
from kiosk.errors import ArchiveAbortedError, ArchiveError, ArchiveRefusedError

pytestmark = pytest.mark.integration


def _accept() -> bytes:
    """A-ASSOCIATE-AC for our one context."""
    context = bytes((1, 0, 0, 0)) + pdu.item(0x40, b"1.2.840.10008.1.2")
    user = pdu.item(0x51, (16384).to_bytes(4, "big")) + pdu.item(0x52, b"1.2.3")
    body = b"\0\1\0\0" + b"ARCHIVE".ljust(16) + b"SENDHOME".ljust(16) + bytes(32)
    body += pdu.item(0x10, pdu.APPLICATION_CONTEXT) + pdu.item(0x21, context)
    body += pdu.item(0x50, user)
    return pdu.HEADER.pack(pdu.ASSOCIATE_AC, len(body)) + body


def _answers() -> bytes:
    """Two C-FIND matches and the end."""
    out = b""
    for status in (0xFF00, 0xFF00, 0x0000):
        command = {
            cmd.COMMAND_FIELD: cmd.us(cmd.C_FIND_RQ | cmd.IS_RESPONSE),
            cmd.MESSAGE_ID_BEING_RESPONDED_TO: cmd.us(1),
            cmd.DATA_SET_TYPE: cmd.us(1 if status else cmd.NO_DATA_SET),
            cmd.STATUS: cmd.us(status),
        }
        out += pdu.p_data(1, pdu.IS_COMMAND | pdu.IS_LAST, cmd.encode_command(command))
        if status:
            out += pdu.p_data(1, pdu.IS_LAST, cmd.encode_elements({0x0020000D: b"1.2.3\0"}))
    return out


class Parrot:
    """Says `script` to whoever connects, the first part after 6 bytes, and hangs up."""

    def __init__(self) -> None:
        self.script = (b"", b"")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            with sock, contextlib.suppress(OSError):
                sock.settimeout(10)
                if not sock.recv(6, socket.MSG_WAITALL):
                    return  # nobody speaks: the end
                sock.sendall(self.script[0])
                sock.sendall(self.script[1])
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536):
                    pass

    def close(self) -> None:
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._listener.close()


@pytest.fixture
def parrot() -> Iterator[Parrot]:
    running = Parrot()
    yield running
    running.close()


def _ask(parrot: Parrot) -> int:
    """How many matches a C-FIND gives."""
    address = Address("127.0.0.1", parrot.port, "ARCHIVE", "SENDHOME")
    count = 0
    with Requestor(address, [STUDY_ROOT_FIND], timeout_s=10) as requestor:
        requestor.request(STUDY_ROOT_FIND, cmd.C_FIND_RQ, {0x0020000D: b"1.2.3\0"})
        while True:
            message = requestor.next_message(10)
            assert message is not None
            if message.status not in cmd.PENDING:
                return count
            message.identifier()
            count += 1


def test_the_script_is_good_as_it_is(parrot: Parrot) -> None:
    parrot.script = (_accept(), _answers())
    assert _ask(parrot) == 2


@pytest.mark.parametrize("seed", [17])
def test_damage_is_an_error_of_the_archive(parrot: Parrot, seed: int) -> None:
    rng = random.Random(seed)
    failed = 0
    for _ in range(400):
        parts = [bytearray(_accept()), bytearray(_answers())]
        part = parts[rng.random() < 0.6]
        for _ in range(rng.randrange(1, 4)):
            part[rng.randrange(len(part))] = rng.randrange(256)
        if rng.random() < 0.2:
            del part[rng.randrange(len(part)) :]
        parrot.script = (bytes(parts[0]), bytes(parts[1]))
        try:
            _ask(parrot)
        except ArchiveError:
            failed += 1
    assert 100 < failed < 400


def test_a_pdu_of_four_gigabytes(parrot: Parrot) -> None:
    parrot.script = (_accept(), pdu.HEADER.pack(4, 0xFFFFFFFF) + bytes(100_000))
    with pytest.raises(ArchiveError):
        _ask(parrot)


def test_a_message_without_end(parrot: Parrot) -> None:
    piece = pdu.p_data(1, pdu.IS_COMMAND, bytes(60_000))
    parrot.script = (_accept(), piece * 40)
    with pytest.raises(ArchiveError, match=r"message.length"):
        _ask(parrot)


@pytest.mark.parametrize(
    ("result", "expected"),
    [(1, ArchiveRefusedError), (2, ArchiveAbortedError)],
    ids=["permanent", "transient"],
)
def test_only_a_permanent_rejection_is_for_staff(
    parrot: Parrot, result: int, expected: type[ArchiveError]
) -> None:
    body = bytes((0, result, 3, 1))  # by the presentation service: congestion (PS3.8 9.3.4)
    parrot.script = (pdu.HEADER.pack(pdu.ASSOCIATE_RJ, len(body)) + body, b"")
    with pytest.raises(expected) as caught:
        _ask(parrot)
    assert type(caught.value) is expected
