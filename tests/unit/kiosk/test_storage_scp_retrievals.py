"""An object answered as stored is kept and told of, even when the engine closes meanwhile."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.adapters.storage_scp.retrievals import ClosedError, Retrieval


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Retrieval, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    folder_fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    with ours:
        yield Retrieval(b"1.2.3", theirs, folder_fd, 7, threading.Lock()), ours


def test_closing_waits_for_what_was_answered(
    pair: tuple[Retrieval, socket.socket], tmp_path: Path
) -> None:
    retrieval, engine = pair
    answered, half = retrieval.create_part(), retrieval.create_part()
    retrieval.expect(answered)
    engine.shutdown(socket.SHUT_WR)
    retrieval.close()
    assert half.is_abandoned
    assert [each.name for each in tmp_path.iterdir()] == [answered.name]
    with pytest.raises(ClosedError):
        retrieval.create_part()
    number = retrieval.keep_part(answered)
    retrieval.report(answered, number, b"stored")
    assert engine.recv(64) == b"stored"
    assert engine.recv(64) == b""  # and only then the channel ends
    assert [each.name for each in tmp_path.iterdir()] == ["00000007"]
    retrieval.remove_part(half)  # its thread finds out later


def test_what_was_answered_may_still_fail(
    pair: tuple[Retrieval, socket.socket], tmp_path: Path
) -> None:
    retrieval, engine = pair
    part = retrieval.create_part()
    retrieval.expect(part)
    retrieval.close()
    retrieval.remove_part(part)  # the disk was full after all
    assert engine.recv(64) == b""
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_answered_once_it_closes(pair: tuple[Retrieval, socket.socket]) -> None:
    retrieval, _engine = pair
    part = retrieval.create_part()
    retrieval.close()
    with pytest.raises(ClosedError):
        retrieval.expect(part)


def test_an_object_of_another_study_is_owed_by_its_own(tmp_path: Path) -> None:
    lock = threading.Lock()
    made = []
    for uid in (b"1", b"2"):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        folder = tmp_path / uid.decode()
        folder.mkdir()
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        made.append((Retrieval(uid, theirs, fd, 1, lock), ours, folder))
    (first, first_engine, _), (second, second_engine, folder) = made
    part = first.create_part()
    second.expect(part)
    first.close()
    second.close()
    number = second.keep_part(part)
    assert first_engine.recv(64) == b""  # it held the part until then
    second.report(part, number, b"stored")
    assert second_engine.recv(64) == b"stored"
    assert second_engine.recv(64) == b""
    assert [each.name for each in folder.iterdir()] == ["00000001"]
    first_engine.close()
    second_engine.close()


def test_an_engine_that_is_gone_leaves_nothing(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    folder_fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    retrieval = Retrieval(b"1.2.3", theirs, folder_fd, 1, threading.Lock())
    part = retrieval.create_part()
    retrieval.expect(part)
    ours.close()
    number = retrieval.keep_part(part)
    with pytest.raises(ClosedError):
        retrieval.report(part, number, b"stored")
    retrieval.close()
    assert list(tmp_path.iterdir()) == []
