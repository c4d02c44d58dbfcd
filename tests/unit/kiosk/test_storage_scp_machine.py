"""The receiver's protocol without sockets: C-STORE and C-ECHO in any cut, and thousands of
mutants.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from kiosk.adapters.dimse import command as cmd
from kiosk.adapters.dimse import pdu
from kiosk.adapters.dimse.pdu import ProtocolError
from kiosk.adapters.storage_scp.machine import Context, Machine, StoreRequest
from tests.raw_dicom import (
    CT,
    DATA_CONTEXT,
    ECHO_CONTEXT,
    EXPLICIT,
    VERIFICATION,
    data_pdus,
    echo_command,
    store_command,
)

CONTEXTS = {
    DATA_CONTEXT: Context(CT.encode(), EXPLICIT.encode()),
    ECHO_CONTEXT: Context(VERIFICATION.encode(), b"1.2.840.10008.1.2"),
}
FLAGS = pdu.IS_COMMAND | pdu.IS_LAST


class Sink:
    """Keeps what came, and checks the order of calls."""

    def __init__(self) -> None:
        self.objects: list[tuple[StoreRequest, bytes]] = []
        self.current: StoreRequest | None = None
        self.received = b""

    def begin(self, request: StoreRequest) -> None:
        assert self.current is None
        self.current, self.received = request, b""

    def data(self, view: memoryview) -> None:
        assert self.current is not None
        self.received += view

    def end(self) -> int:
        assert self.current is not None
        self.objects.append((self.current, self.received))
        self.current = None
        return 0x0000


def feed(machine: Machine, stream: bytes, cuts: Sequence[int]) -> None:
    """In pieces that end at `cuts`, as sockets deliver them; what is not used comes again."""
    kept, start = b"", 0
    for end in [*cuts, len(stream)]:
        buffer = kept + stream[start:end]
        used = machine.consume(memoryview(buffer))
        kept, start = buffer[used:], end
        assert machine.is_finished or len(kept) <= 10


def statuses(machine: Machine) -> list[int]:
    found = []
    for each in machine.outbox:
        kind, _length = pdu.HEADER.unpack_from(each)
        if kind == pdu.P_DATA:
            command = cmd.decode_command(each[pdu.HEADER.size + pdu.PDV_HEADER.size :])
            found.append(cmd.read_us(command, cmd.STATUS))
    return found


def conversation(rng: random.Random) -> tuple[bytes, list[bytes]]:
    """Some objects, an echo, a release; and the objects' bytes."""
    objects = [rng.randbytes(rng.randrange(1, 3000)) for _ in range(3)]
    stream = echo_command()
    for number, data in enumerate(objects):
        stream += store_command(b"1.2.%d" % (number + 1), message_id=number + 1)
        stream += data_pdus(data, rng.randrange(1, 1000))
    return stream + pdu.release_request(), objects


@pytest.mark.parametrize("seed", range(20))
def test_any_cut_gives_the_same(seed: int) -> None:
    rng = random.Random(seed)
    stream, objects = conversation(rng)
    sink = Sink()
    machine = Machine(CONTEXTS, sink)
    feed(machine, stream, sorted(rng.sample(range(len(stream)), 200)))
    assert [data for _, data in sink.objects] == objects
    assert [each.sop_instance_uid for each, _ in sink.objects] == [b"1.2.1", b"1.2.2", b"1.2.3"]
    assert sink.objects[0][0].transfer_syntax == EXPLICIT.encode()
    assert statuses(machine) == [0, 0, 0, 0]
    assert machine.is_finished
    assert machine.outbox[-1] == pdu.release_response()


def test_byte_by_byte() -> None:
    stream, objects = conversation(random.Random(1))
    sink = Sink()
    feed(Machine(CONTEXTS, sink), stream, range(1, len(stream)))
    assert [data for _, data in sink.objects] == objects


def test_several_fragments_in_one_pdu_and_an_empty_last_one() -> None:
    fragments = b""
    for flags, data in ((0, b"ab"), (0, b"cd"), (pdu.IS_LAST, b"")):
        fragments += pdu.PDV_HEADER.pack(len(data) + 2, DATA_CONTEXT, flags) + data
    sink = Sink()
    machine = Machine(CONTEXTS, sink)
    stream = store_command(b"1.2") + pdu.HEADER.pack(pdu.P_DATA, len(fragments)) + fragments
    feed(machine, stream, ())
    assert sink.objects[0][1] == b"abcd"


def test_a_command_in_two_fragments() -> None:
    whole = store_command(b"1.2.3")[pdu.HEADER.size + pdu.PDV_HEADER.size :]
    stream = pdu.p_data(DATA_CONTEXT, pdu.IS_COMMAND, whole[:20])
    stream += pdu.p_data(DATA_CONTEXT, FLAGS, whole[20:]) + data_pdus(b"xy")
    sink = Sink()
    feed(Machine(CONTEXTS, sink), stream, ())
    assert sink.objects[0][1] == b"xy"


def test_the_sop_class_must_be_that_of_the_context() -> None:
    sink = Sink()
    feed(
        Machine(CONTEXTS, sink), store_command(b"1.2", sop_class_uid="1.2.3") + data_pdus(b"x"), ()
    )
    assert sink.objects[0][0].sop_class_uid == b""


def _pdv(length: int, context: int, flags: int, data: bytes = b"", *, total: int = -1) -> bytes:
    body = pdu.PDV_HEADER.pack(length, context, flags) + data
    return pdu.HEADER.pack(pdu.P_DATA, len(body) if total < 0 else total) + body


def _command(elements: dict[int, bytes], context: int = DATA_CONTEXT) -> bytes:
    return pdu.p_data(context, FLAGS, cmd.encode_command(elements))


C_FIND = {
    cmd.COMMAND_FIELD: cmd.us(cmd.C_FIND_RQ),
    cmd.MESSAGE_ID: cmd.us(1),
    cmd.DATA_SET_TYPE: cmd.us(1),
}


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (pdu.HEADER.pack(1, 100), "pdu.unexpected"),
        (pdu.HEADER.pack(2, 100), "pdu.unexpected"),
        (pdu.HEADER.pack(99, 4), "pdu.unexpected"),
        (pdu.HEADER.pack(4, 0xFFFFFFFF), "pdu.length"),
        (pdu.HEADER.pack(4, pdu.MAX_PDU_BYTES + 1), "pdu.length"),
        (pdu.HEADER.pack(4, 0), "pdu.length"),
        (pdu.HEADER.pack(4, 5), "pdu.length"),
        (pdu.HEADER.pack(5, 5), "pdu.length"),
        (pdu.HEADER.pack(7, 0), "pdu.length"),
        (_pdv(1, 1, 3), "pdv.length"),
        (_pdv(0xFFFFFFFF, 1, 3), "pdv.length"),
        (_pdv(100, 1, 3, b"x"), "pdv.length"),
        (_pdv(3, 1, 3, b"x", total=10), "pdu.rest"),
        (_pdv(3, 7, 3, b"x"), "pdv.header"),
        (_pdv(3, 1, 7, b"x"), "pdv.header"),
        (_pdv(3, 1, 0, b"x"), "pdv.order"),
        (_pdv(2, 1, 1), "pdv.empty"),
        (store_command(b"1.2") + echo_command(), "pdv.order"),
        (store_command(b"1.2") + _pdv(3, ECHO_CONTEXT, 0, b"x"), "pdv.context"),
        (store_command(b"1.2") + _pdv(2, 1, 0), "pdv.empty"),
        (store_command(b"1.2") + pdu.release_request(), "release.early"),
        (_pdv(3, 1, 1, b"x") + _pdv(3, ECHO_CONTEXT, 3, b"x"), "pdv.context"),
        (_pdv(4098, 1, 1, bytes(4096)) + _pdv(3, 1, 1, b"x"), "command.length"),
        (_pdv(10, 1, 3, bytes(8)), "command.us"),
        (_command(C_FIND), "command.field"),
        (_command(C_FIND | {cmd.COMMAND_FIELD: cmd.us(cmd.C_CANCEL_RQ)}), "command.field"),
        (
            _command(
                C_FIND | {cmd.COMMAND_FIELD: cmd.us(1), cmd.DATA_SET_TYPE: cmd.us(cmd.NO_DATA_SET)}
            ),
            "command.field",
        ),
    ],
)
def test_everything_else_ends_the_association(stream: bytes, reason: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        feed(Machine(CONTEXTS, Sink()), stream, ())
    assert caught.value.reason == reason


def test_an_abort_ends_it_without_an_answer() -> None:
    machine = Machine(CONTEXTS, Sink())
    feed(machine, store_command(b"1.2") + pdu.abort(), ())
    assert machine.is_finished
    assert machine.outbox == []


@pytest.mark.parametrize("seed", [20240311])
def test_mutants_end_in_order_or_in_a_protocol_error(seed: int) -> None:
    rng = random.Random(seed)
    broken = 0
    for _ in range(6000):
        good, _objects = conversation(rng)
        stream = bytearray(good)
        for _ in range(rng.randrange(1, 4)):
            what, at = rng.random(), rng.randrange(len(stream))
            if what < 0.5:
                stream[at] = rng.randrange(256)
            elif what < 0.7:
                del stream[at : at + rng.randrange(1, 20)]
            elif what < 0.9:
                stream[at:at] = rng.randbytes(rng.randrange(1, 20))
            else:
                stream[at:at] = stream[: rng.randrange(1, 200)]
        sink = Sink()
        try:
            feed(
                Machine(CONTEXTS, sink),
                bytes(stream),
                sorted(rng.sample(range(len(stream)), 4)),
            )
        except ProtocolError:
            broken += 1
        assert sum(len(data) for _, data in sink.objects) <= len(stream)
    assert 500 < broken < 6000
