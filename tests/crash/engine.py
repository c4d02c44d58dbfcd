"""The engine's process as the crash suite runs it: the real one, on a simulated drive.

The journal, the workflow, dbos, the ledger, the drive and xorriso are real. What is retrieved and
built is small and made of the order's id, so that every run of an order makes the same image.

Everything that changes something outside of the process is a *point*; the process can be told to
kill itself at the n-th point of an order, as a power cut would.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import logging
import os
import signal
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbos import DBOS
from dbos import _recovery as recovery
from dbos._sys_db import SystemDatabase

from burner.simulated import SimulatedDrive
from kiosk.adapters.clock import SystemClock
from kiosk.adapters.jobs import DbosJobs
from kiosk.adapters.jobs.durable import DbosDurable
from kiosk.adapters.jobs.engine import EngineOptions, run_engine
from kiosk.adapters.jobs.rescue import Rescue
from kiosk.adapters.journal import Journal, open_journal
from kiosk.adapters.media_disc import DiscWriter
from kiosk.adapters.spool import DirectorySpool
from kiosk.domain.model import Medium, Order, OrderId, ReleaseState
from kiosk.errors import (
    JournalError,
    SpoolFullError,
    SpoolLostError,
    StoppedError,
    WrongPatientError,
)
from kiosk.ports import MediaWriter
from kiosk.services.parts import EngineParts, Image, IsCancelled, OnCount, Policy
from tests.fakes.media import make_image

AUDIT_KEY = b"crash" * 7
STATION, DRIVE = "crash1", "disc1"
OBJECTS, OBJECT_BYTES = 12, 20_000
IMAGE_BLOCKS = 400
LATE: dict[str, tuple[Any, str]] = {
    "launch": (SystemDatabase, "get_pending_workflows"),
    "recovery": (recovery, "_recover_workflow"),
}


@dataclass(frozen=True)
class Setting:
    """Where one station lives, and when it dies.

    Attributes:
        kill: (order, point) to die at; None for never.
        deed: (order, point, "cancel" or "hold"): what a person has done at that point; before the
            kill, if both are there.
        trace: File that gets a line per point.
        late: What of dbos finds that the database has just gone away: `LATE`.
    """

    folder: Path
    url: str = ""
    kill: tuple[str, int] | None = None
    deed: tuple[str, int, str] | None = None
    trace: Path | None = None
    late: str = ""
    spool: Path | None = None
    drive: Path | None = None
    policy: Policy = field(
        default_factory=lambda: Policy(
            delays_s=(0.2,), poll_s=0.05, device_poll_s=0.1, attempts=1000
        )
    )

    @property
    def database_url(self) -> str:
        return self.url or f"sqlite:///{self.folder / 'journal.sqlite'}"

    @property
    def drive_folder(self) -> Path:
        return self.drive or self.folder / "drive"

    @property
    def spool_folder(self) -> Path:
        return self.spool or self.folder / "spool"


def open_crash_journal(setting: Setting) -> Journal:
    return open_journal(
        setting.database_url, station=STATION, audit_key=AUDIT_KEY, clock=SystemClock()
    )


def volume_id(order_id: str) -> str:
    return f"SH{zlib.crc32(order_id.encode()):08X}"


def image_seed(order_id: str) -> int:
    return zlib.crc32(order_id.encode())


class Points:
    """Counts what happens for each order, and ends the process where it was told to."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def at(self, order_id: str, name: str) -> None:
        with self._lock:
            number = self._counts[order_id] = self._counts.get(order_id, 0) + 1
            if self._setting.trace is not None:
                with self._setting.trace.open("a") as file:
                    file.write(f"{order_id} {number} {name}\n")
            if self._setting.deed is not None and self._setting.deed[:2] == (order_id, number):
                _do(self._setting)
            if self._setting.kill == (order_id, number):
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, name: str, call: Callable[..., Any], order_of: Callable[..., str]) -> Any:
        """`call` with a point before and one behind."""

        @functools.wraps(call)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            order_id = order_of(*args, **kwargs)
            self.at(order_id, f"before {name}")
            result = call(*args, **kwargs)
            self.at(order_id, f"after {name}")
            return result

        return wrapped


def _do(setting: Setting) -> None:
    """Somebody else's deed, in a journal of its own; acknowledged when this returns."""
    assert setting.deed is not None
    order_id, _, deed = setting.deed
    journal = open_crash_journal(setting)
    if deed == "cancel":
        jobs = DbosJobs(journal)
        jobs.cancel(OrderId(order_id), actor="patient")
        jobs.close()
    else:
        journal.orders.set_state(OrderId(order_id), ReleaseState.HELD, actor="staff")
    journal.close()


class Watched:
    """An object some of whose methods are points."""

    def __init__(self, inner: Any, points: Points, methods: dict[str, Callable[..., str]]) -> None:
        self._inner = inner
        for name, order_of in methods.items():
            setattr(self, name, points.around(name, getattr(inner, name), order_of))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def retrieve(
    order: Order,
    medium: Medium,
    folder: Path,
    *,
    on_progress: OnCount,
    on_trouble: OnCount,
    is_cancelled: IsCancelled,
) -> str:
    """The archive's part: a handful of files, left to the kernel as the receiver leaves them."""
    target = folder / "objects"
    target.mkdir(exist_ok=True)
    for number in range(OBJECTS):
        if is_cancelled():
            raise StoppedError("cancelled")
        path = target / f"I{number:07}"
        try:
            with path.open("wb") as file:
                file.write(f"{order.order_id} {number}\n".encode().ljust(OBJECT_BYTES, b"."))
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EFBIG):
                raise SpoolFullError("no space for an object") from error
            raise
        on_progress(number + 1, OBJECTS)
    return f"{OBJECTS} objects"


def compose(
    order: Order,
    medium: Medium,
    folder: Path,
    *,
    inventory: str,
    on_progress: OnCount,
    is_cancelled: IsCancelled,
) -> Image:
    """The builder's part: the same image for the same order, after a look at what is there."""
    del medium
    assert inventory == f"{OBJECTS} objects"
    for number in range(OBJECTS):
        if is_cancelled():
            raise StoppedError("cancelled")
        path = folder / "objects" / f"I{number:07}"
        if not path.exists() or path.stat().st_size != OBJECT_BYTES:
            raise SpoolLostError(f"object {number}")
        on_progress(number + 1, OBJECTS)
    part, path = folder / "image.part", folder / "image.iso"
    facts = make_image(
        part, volume_id(order.order_id), blocks=IMAGE_BLOCKS, seed=image_seed(order.order_id)
    )
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.rename(path)
    return Image(path.name, facts.size_bytes, facts.sha256, facts.volume_id, OBJECTS, 0, STATION)


def gate(order: Order, medium: Medium, writer: MediaWriter) -> None:
    del medium
    label = writer.read(16 * 2048 + 40, 32).decode("ascii").strip()
    if label != volume_id(order.order_id):
        raise WrongPatientError("another order's disc")


def find(order: Order) -> str:
    raise AssertionError(order.order_id)


def make_parts(setting: Setting, journal: Journal, points: Points) -> EngineParts:
    """The station's parts, with points around all that reaches outside."""
    writer = DiscWriter(SimulatedDrive(setting.drive_folder, name=DRIVE))

    def owner(*_: Any, **__: Any) -> str:
        entry = journal.ledger.owner(DRIVE)
        return str(entry.job_id) if entry else "nobody"

    def first(order_id: Any, *_: Any, **__: Any) -> str:
        return str(order_id)

    return EngineParts(
        station=STATION,
        clock=SystemClock(),
        orders=journal.orders,
        jobs=Watched(journal.jobs, points, {"begin": first, "finish": first, "fail": first}),
        progress=journal.progress,
        step_times=journal.step_times,
        presence=journal.presence,
        questions=Watched(journal.questions, points, {"ask": first, "close": first}),
        ledger=Watched(
            journal.ledger, points, {"put": lambda entry: str(entry.job_id), "free": owner}
        ),
        media=Watched(journal.ledger, points, {"deliver": lambda entry, **_: str(entry.job_id)}),
        spool=Watched(DirectorySpool(setting.spool_folder), points, {"wipe": first}),
        drives={
            Medium.DISC: [
                Watched(writer, points, {"write": owner, "verify": owner, "eject": owner})
            ]
        },
        find=find,
        retrieve=points.around("retrieve", retrieve, lambda order, *_, **__: order.order_id),
        compose=points.around("compose", compose, lambda order, *_, **__: order.order_id),
        gate=points.around("gate", gate, lambda order, *_, **__: order.order_id),
        policy=setting.policy,
    )


def _be_late(journal: Journal, setting: Setting) -> None:
    def late(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any) -> Any:
            (setting.folder / "late").touch()
            with contextlib.suppress(JournalError):
                while True:
                    journal.stations.beats()
                    time.sleep(0.05)
            return call(*args)

        return wrapped

    owner, name = LATE[setting.late]
    setattr(owner, name, late(getattr(owner, name)))
    Rescue.look = late(Rescue.look)  # type: ignore[method-assign]  # it takes work up as well


def serve(setting: Setting) -> None:
    """Be the engine until killed or told to stop."""
    os.umask(0o077)
    os.setsid()  # so that a power cut takes its children along
    errors = os.open(setting.folder / "engine.err", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(errors, 2)
    logging.basicConfig(
        filename=setting.folder / "engine.log",
        level=logging.INFO,
        format=f"%(asctime)s {os.getpid()} %(levelname)s %(name)s %(message)s",
    )
    journal = open_crash_journal(setting)
    if setting.late:
        _be_late(journal, setting)
    points = Points(setting)
    real_step = DbosDurable.step

    def step(self: Any, name: str, work: Callable[[], Any]) -> Any:
        order_id = str(DBOS.workflow_id).split(".")[0]
        points.at(order_id, f"before step {name}")

        def inside() -> Any:
            result = work()
            points.at(order_id, f"step {name} done, not recorded")
            return result

        result = real_step(self, name, inside)
        points.at(order_id, f"after step {name}")
        return result

    DbosDurable.step = step  # type: ignore[method-assign]
    run_engine(
        make_parts(setting, journal, points),
        journal,
        setting.folder,
        EngineOptions(poll_s=0.05, background_poll_s=1.0, beat_s=1.0, stop_within_s=30.0),
    )
    journal.close()
