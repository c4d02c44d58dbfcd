"""The receiver's main loop, in this process: who makes room for whom."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from kiosk.adapters.storage_scp.front_door import FrontDoor
from kiosk.adapters.storage_scp.limits import Limits, Peer, ScpSettings


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def listener(stack: ExitStack) -> socket.socket:
    return stack.enter_context(socket.create_server(("127.0.0.1", 0)))


@pytest.fixture
def door(stack: ExitStack, listener: socket.socket) -> FrontDoor:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    stack.enter_context(ours)
    stack.enter_context(theirs)
    settings = ScpSettings(
        "SENDHOME", (Peer("HONEST", ("127.0.0.1",)),), 0, Limits(pending=2, pending_per_address=2)
    )
    listener.setblocking(False)
    door = FrontDoor(settings, listener, theirs)
    stack.callback(lambda: [door._drop(each) for each in list(door._pending.values())])
    return door


def _connect(stack: ExitStack, listener: socket.socket, said: bytes) -> socket.socket:
    client = stack.enter_context(socket.create_connection(listener.getsockname(), 10))
    client.sendall(said)
    return client


def test_one_that_makes_room_may_be_readable_in_the_same_turn(
    stack: ExitStack, listener: socket.socket, door: FrontDoor
) -> None:
    _connect(stack, listener, b"\x01")
    door._accept(listener)
    (oldest,) = door._pending
    for _ in range(2):
        _connect(stack, listener, b"")
        door._accept(listener)
    assert oldest not in door._pending
    door._read_pending(oldest)  # its event was already in the list of this turn
    assert len(door._pending) == 2


def test_the_one_that_said_least_makes_room_once_it_is_not_young(
    stack: ExitStack, listener: socket.socket, door: FrontDoor
) -> None:
    _connect(stack, listener, b"\x01\0\0\0\0\x60 and some more")
    door._accept(listener)
    _connect(stack, listener, b"\x01")
    door._accept(listener)
    talker, silent = door._pending
    door._read_pending(talker)
    for each in door._pending.values():
        each.deadline -= 1.0  # both are a second older than they are
    _connect(stack, listener, b"")
    door._accept(listener)
    assert talker in door._pending
    assert silent not in door._pending


def test_silent_ones_go_when_their_time_is_over(
    stack: ExitStack, listener: socket.socket, door: FrontDoor
) -> None:
    _connect(stack, listener, b"\x01")
    door._accept(listener)
    (pending,) = door._pending.values()
    door._sweep(pending.deadline - 0.1)
    assert door._pending
    door._sweep(pending.deadline + 0.1)
    assert not door._pending
    assert door._alerts == {("connection.silent", "127.0.0.1"): 1}
