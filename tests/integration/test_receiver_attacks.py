"""The receiver under attack: DCMTK's storescu stores within an open retrieval during each, and
memory stays bounded. What must not get in does not."""

from __future__ import annotations

import contextlib
import os
import random
import select
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dicomdir.instance import read_instance
from kiosk.adapters.dimse import pdu
from kiosk.adapters.storage_scp import messages
from kiosk.adapters.storage_scp.limits import Limits
from kiosk.adapters.storage_scp.supervisor import Alert, StorageReceiver
from kiosk.domain.model import Uid
from tests.archive_kit import AE_TITLE, running_receiver
from tests.factories import Patient, make_study, stable_uid
from tests.peers import DCMTK
from tests.raw_dicom import (
    DATA_CONTEXT,
    Client,
    associate_rq,
    data_pdus,
    data_set,
    echo_command,
    store_command,
)

pytestmark = pytest.mark.integration

STUDY = Uid(stable_uid("study", 41))
LIMITS = Limits(associate_s=2.0, pdu_s=2.0, idle_s=4.0, evict_after_s=0.5)
GROWTH_KB = 64 * 1024
STORESCU_S = 60  # generous: the machine may be busy; a receiver that is shut out never answers


class Stage:
    """A receiver with one retrieval open, the attack's port, and what was stored."""

    def __init__(self, receiver: StorageReceiver, alerts: list[Alert], folder: Path) -> None:
        self.receiver = receiver
        self.port = receiver.port
        self.alerts = alerts
        self.folder = folder
        self.stop = threading.Event()
        self.retrieval = receiver.open(STUDY, folder, 1)

    def stored(self) -> int:
        """Objects that came; the retrieval is ended for it, as the engine ends it."""
        return sum(isinstance(each, messages.Stored) for each in self.retrieval.finish())

    def kinds(self) -> dict[str, int]:
        """Alerts by kind; the receiver is stopped for it."""
        self.retrieval.close()
        self.receiver.stop()
        found: dict[str, int] = {}
        for each in self.alerts:
            found[each.kind] = found.get(each.kind, 0) + each.count
        return found

    def resident_kb(self) -> int:
        for line in Path(f"/proc/{self.receiver.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1])
        raise AssertionError("no VmHWM")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return make_study(tmp_path / "honest", ("CT",) * 2, seed=41, rows=256, columns=256)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    alerts: list[Alert] = []
    (tmp_path / "objects").mkdir()
    with running_receiver(limits=LIMITS, on_alert=alerts.append) as receiver:
        stage = Stage(receiver, alerts, tmp_path / "objects")
        yield stage
        stage.stop.set()
        stage.retrieval.close()


def store_honestly(stage: Stage, path: Path) -> subprocess.CompletedProcess[str]:
    command = [str(DCMTK / "storescu"), "-aet", "HONEST", "-aec", AE_TITLE, "127.0.0.1"]
    return subprocess.run(
        [*command, str(stage.port), str(path)],
        capture_output=True,
        text=True,
        timeout=STORESCU_S,
        env=os.environ | {"TCP_NODELAY": "1"},
    )


# --- attacks: each opens what it needs and keeps on until `stage.stop` ----------------------------


def _hold(stage: Stage, sockets: list[socket.socket]) -> None:
    stage.stop.wait()
    for sock in sockets:
        sock.close()


def _connect(stage: Stage, count: int, data: bytes) -> list[socket.socket]:
    sockets = []
    for _ in range(count):
        with contextlib.suppress(OSError):
            sock = socket.create_connection(("127.0.0.1", stage.port), 5)
            sockets.append(sock)
            sock.sendall(data)
    return sockets


def silent_flood(stage: Stage, ready: threading.Event) -> None:
    sockets = _connect(stage, 300, b"")
    ready.set()
    _hold(stage, sockets)


def three_bytes_flood(stage: Stage, ready: threading.Event) -> None:
    sockets = _connect(stage, 300, b"\x01\0\0")
    ready.set()
    _hold(stage, sockets)


def almost_associating_flood(stage: Stage, ready: threading.Event) -> None:
    sockets = _connect(stage, 300, associate_rq()[:-1])
    ready.set()
    _hold(stage, sockets)


def reconnecting_flood(stage: Stage, ready: threading.Event) -> None:
    while not stage.stop.is_set():
        for sock in _connect(stage, 20, b"\x01"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()  # with a reset
        ready.set()


def dripping(stage: Stage, ready: threading.Event) -> None:
    """Slow-loris: a byte of the A-ASSOCIATE-RQ now and then, on many connections."""
    data = associate_rq()
    sockets = _connect(stage, 30, data[:10])
    ready.set()
    for at in range(10, len(data)):
        if stage.stop.wait(0.1):
            break
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.sendall(data[at : at + 1])
    _hold(stage, sockets)


def giant_first_pdu(stage: Stage, ready: threading.Event) -> None:
    while not stage.stop.is_set():
        with contextlib.suppress(OSError), Client(stage.port) as client:
            client.send(pdu.HEADER.pack(1, 0xFFFFFFFF))
            ready.set()
            for _ in range(100):
                client.send(bytes(1 << 20))


def giant_p_data(stage: Stage, ready: threading.Event) -> None:
    while not stage.stop.is_set():
        with contextlib.suppress(OSError), Client(stage.port) as client:
            client.associate()
            client.send(pdu.HEADER.pack(4, 0xFFFFFFFF))
            ready.set()
            for _ in range(100):
                client.send(bytes(1 << 20))


def endless_command(stage: Stage, ready: threading.Event) -> None:
    while not stage.stop.is_set():
        with contextlib.suppress(OSError), Client(stage.port) as client:
            client.associate()
            ready.set()
            for _ in range(1000):
                client.send(pdu.p_data(DATA_CONTEXT, pdu.IS_COMMAND, bytes(16000)))


def _associated(stage: Stage, count: int, data: bytes = b"") -> list[socket.socket]:
    """Sockets of associations, as many as are let in."""
    sockets = []
    for _ in range(count):
        with contextlib.suppress(OSError):
            client = Client(stage.port)
            sockets.append(client.sock)
            client.associate()
            client.send(data)
    return sockets


def half_an_object(stage: Stage, ready: threading.Event) -> None:
    """Associations that begin an object and then fall silent in the middle of a PDU."""
    begun = pdu.HEADER.pack(4, 1006) + pdu.PDV_HEADER.pack(1002, DATA_CONTEXT, 0) + b"half"
    sockets = _associated(stage, 20, store_command(b"1.2.3") + begun)
    ready.set()
    _hold(stage, sockets)


def idle_associations(stage: Stage, ready: threading.Event) -> None:
    sockets = _associated(stage, 40)
    ready.set()
    _hold(stage, sockets)


def unread_answers(stage: Stage, ready: threading.Event) -> None:
    """Asks and asks and never reads an answer."""
    sockets = _associated(stage, 4)
    ready.set()
    for sock in sockets:
        sock.settimeout(1)
        with contextlib.suppress(OSError):
            for _ in range(200):
                sock.sendall(echo_command() * 1000)
    _hold(stage, sockets)


def random_bytes(stage: Stage, ready: threading.Event) -> None:
    rng = random.Random(7)
    while not stage.stop.is_set():
        with contextlib.suppress(OSError), Client(stage.port) as client:
            if rng.random() < 0.5:
                client.associate()
            client.send(rng.randbytes(rng.randrange(1, 4000)))
            ready.set()


def wrong_titles(stage: Stage, ready: threading.Event) -> None:
    while not stage.stop.is_set():
        for called, calling in (("SENDHOME", "EVIL"), ("OTHER", "HONEST"), ("sendhome", "honest")):
            with contextlib.suppress(OSError), Client(stage.port) as client:
                assert client.associate(called, calling) in (pdu.ASSOCIATE_RJ, None)
        ready.set()


def wrong_address(stage: Stage, ready: threading.Event) -> None:
    while not stage.stop.is_set():
        with contextlib.suppress(OSError), Client(stage.port, source="127.0.0.9") as client:
            assert client.associate() is None
        ready.set()


ATTACKS: tuple[Callable[[Stage, threading.Event], None], ...] = (
    silent_flood,
    three_bytes_flood,
    almost_associating_flood,
    reconnecting_flood,
    dripping,
    giant_first_pdu,
    giant_p_data,
    endless_command,
    half_an_object,
    idle_associations,
    unread_answers,
    random_bytes,
    wrong_titles,
    wrong_address,
)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: str(attack.__name__))
def test_an_honest_store_succeeds_during(
    stage: Stage, files: list[Path], attack: Callable[[Stage, threading.Event], None]
) -> None:
    assert store_honestly(stage, files[0]).returncode == 0
    before = stage.resident_kb()
    ready = threading.Event()
    thread = threading.Thread(target=attack, args=(stage, ready))
    thread.start()
    try:
        assert ready.wait(60)
        for _ in range(5):  # an archive asks again too when it is refused for now
            done = store_honestly(stage, files[1])
            if not done.returncode:
                break
            assert not stage.stop.wait(0.3)
    finally:
        stage.stop.set()
        thread.join()
    assert done.returncode == 0, done.stderr
    assert stage.stored() == 2
    assert stage.resident_kb() - before < GROWTH_KB
    stage.kinds()  # everything is closed: what was half-way is gone
    names = [path.name for path in stage.folder.iterdir()]
    assert len(names) == 2
    assert all(name.isdigit() for name in names)


# --- what must not get in -------------------------------------------------------------------------


def test_silent_connections_are_dropped_in_time(stage: Stage) -> None:
    with Client(stage.port) as client:
        client.send(b"\x01\0\0")
        assert client.read_pdu() is None  # the receiver hangs up; the client waits for 20 s
    assert stage.kinds() == {"connection.silent": 1}


def test_a_pdu_must_be_finished_in_time(stage: Stage) -> None:
    with Client(stage.port) as client:
        assert client.associate() == pdu.ASSOCIATE_AC
        client.send(b"\x04\0\0")
        assert client.read_pdu() is None
    assert stage.kinds()["association.silent"] == 1


def test_an_association_may_not_idle_for_ever(stage: Stage) -> None:
    with Client(stage.port) as client:
        assert client.associate() == pdu.ASSOCIATE_AC
        assert client.read_pdu() is None
    assert stage.kinds()["association.silent"] == 1


@pytest.mark.parametrize(
    ("called", "calling", "kind"),
    [("OTHER", "HONEST", "association.called"), (AE_TITLE, "EVIL", "association.calling")],
)
def test_titles_must_match(stage: Stage, called: str, calling: str, kind: str) -> None:
    with Client(stage.port) as client:
        assert client.associate(called, calling) == pdu.ASSOCIATE_RJ
    assert stage.kinds() == {kind: 1}


def test_the_address_must_match(stage: Stage) -> None:
    with Client(stage.port, source="127.0.0.9") as client:
        with contextlib.suppress(ConnectionError):
            client.send(associate_rq())
        assert client.read_pdu() is None
    assert stage.kinds() == {"connection.address": 1}


def test_a_foreign_study_is_refused_and_leaves_nothing(stage: Stage, tmp_path: Path) -> None:
    foreign = make_study(tmp_path / "foreign", ("CT",) * 200, seed=42, patient=Patient("P9"))
    with Client(stage.port) as client:
        client.associate()
        assert {client.store(path) for path in foreign} == {0x0124}
    assert stage.stored() == 0
    assert list(stage.folder.iterdir()) == []
    assert stage.kinds() == {"object.foreign_study": 200}


def test_nothing_is_taken_when_nothing_was_asked_for(stage: Stage, files: list[Path]) -> None:
    stage.retrieval.close()
    with Client(stage.port) as client:
        client.associate()
        assert client.store(files[0]) == 0x0124
    stage.receiver.stop()
    assert [each.kind for each in stage.alerts] == ["object.unasked"]
    assert list(stage.folder.iterdir()) == []


def test_a_move_that_somebody_else_asked_for_is_refused(stage: Stage, files: list[Path]) -> None:
    with Client(stage.port) as client:
        client.associate()
        assert client.store(files[0], originator="SOMEBODY") == 0x0124
        assert client.store(files[0], originator=AE_TITLE) == 0x0000
    assert stage.kinds() == {"object.originator": 1}


@pytest.mark.parametrize("uid", [b"../../escaped", b"/etc/passwd", b"", b"1.2.\n3", b"1" * 65])
def test_uids_that_are_paths(stage: Stage, files: list[Path], uid: bytes) -> None:
    with Client(stage.port) as client:
        client.associate()
        client.send(store_command(uid) + data_pdus(data_set(files[0])))
        assert client.status() == 0x0117
    assert list(stage.folder.iterdir()) == []
    assert stage.kinds() == {"object.uid": 1}


def test_the_command_must_say_what_the_data_set_says(stage: Stage, files: list[Path]) -> None:
    with Client(stage.port) as client:
        client.associate()
        client.send(store_command(b"1.2.3.4") + data_pdus(data_set(files[0])))
        assert client.status() == 0xA900
    assert list(stage.folder.iterdir()) == []
    assert stage.kinds() == {"object.mismatch": 1}


def test_truncated_objects_are_refused(stage: Stage, files: list[Path]) -> None:
    """Every cut: security 0.7, where 1,993 of 1,994 were accepted."""
    whole = data_set(files[0])
    uid = read_instance(files[0]).sop_instance_uid.encode()
    rng = random.Random(3)
    with Client(stage.port) as client:
        client.associate()
        for cut in sorted(rng.sample(range(1, len(whole)), 200)):
            client.send(store_command(uid) + data_pdus(whole[:cut]))
            status = client.status()
            assert status is not None, cut
            assert status >> 12 == 0xC, cut
        assert client.store(files[0]) == 0
    assert stage.stored() == 1
    assert [path.name for path in stage.folder.iterdir()] == ["00000201"]


def test_a_broken_association_leaves_nothing(stage: Stage, files: list[Path]) -> None:
    with Client(stage.port) as client:
        client.associate()
        client.send(store_command(b"1.2.3") + data_pdus(data_set(files[0]))[:20000])
    kinds = stage.kinds()
    assert list(stage.folder.iterdir()) == []
    # which end is seen first, the connection's or the retrieval's, is the kernel's choice
    assert set(kinds) <= {"association.broken", "object.unasked"}


def test_the_preamble_is_ours(stage: Stage, files: list[Path]) -> None:
    with Client(stage.port) as client:
        client.associate()
        assert client.store(files[0]) == 0
    assert stage.stored() == 1
    stored = (stage.folder / "00000001").read_bytes()
    assert stored[:132] == bytes(128) + b"DICM"


def test_two_retrievals_get_each_their_own(stage: Stage, files: list[Path], tmp_path: Path) -> None:
    others = make_study(tmp_path / "others", ("CT",) * 2, seed=43)
    (tmp_path / "second").mkdir()
    second = stage.receiver.open(Uid(stable_uid("study", 43)), tmp_path / "second", 5)
    with Client(stage.port) as client:
        client.associate()
        for path in (files[0], others[0], files[1], others[1]):
            assert client.store(path) == 0
    second.close()
    assert len(list((tmp_path / "second").iterdir())) == 2
    for path in (tmp_path / "second").iterdir():
        assert read_instance(path).study_instance_uid == stable_uid("study", 43)
    assert stage.stored() == 2


def test_the_receiver_ends_with_its_engine(tmp_path: Path) -> None:
    """Killed outright, the engine leaves no receiver behind."""
    script = (
        "import os, sys\n"
        "from tests.archive_kit import settings\n"
        "from kiosk.adapters.storage_scp.supervisor import StorageReceiver\n"
        "receiver = StorageReceiver(settings(), host='127.0.0.1', port=0)\n"
        "receiver.start()\n"
        "print(receiver.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as engine:
        assert engine.stdout is not None
        pid = int(engine.stdout.readline())
        pidfd = os.pidfd_open(pid)
        engine.kill()
        assert select.select([pidfd], [], [], 30)[0] == [pidfd]
        os.close(pidfd)


def test_the_receiver_has_no_secrets_and_few_modules(stage: Stage) -> None:
    environment = Path(f"/proc/{stage.receiver.pid}/environ").read_bytes().split(b"\0")
    names = {each.split(b"=")[0] for each in environment if each}
    assert names <= {b"PYTHONPATH", b"LANG", b"MALLOC_ARENA_MAX", b"LC_CTYPE"}
    maps = Path(f"/proc/{stage.receiver.pid}/maps").read_text()
    assert "numpy" not in maps
    assert "imagecodecs" not in maps
    assert stage.resident_kb() < 40 * 1024
