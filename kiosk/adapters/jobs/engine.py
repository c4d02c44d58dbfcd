"""The inside of the durable engine: one process a station that runs the workflows.

    run_engine ── lock ── migrate ── clean ── launch ── beat, rescue, take over … ── stop

dbos keeps what each step returned and starts interrupted workflows again; `services.workflow` is
what they do. `rescue.py` looks after what dbos leaves lying.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from dbos import DBOS, DBOSClient, DBOSConfig

from kiosk.adapters.jobs.client import DbosJobs
from kiosk.adapters.jobs.common import (
    APPLICATION,
    BURN_WORKFLOW,
    ORDER_WORKFLOW,
    VERSION,
    drive_queue,
    migrate,
    prefetch_queue,
    serializer,
    work_queue,
)
from kiosk.adapters.jobs.durable import DbosDurable
from kiosk.adapters.jobs.keeping import Keeper
from kiosk.adapters.jobs.rescue import Rescue
from kiosk.adapters.journal import Journal
from kiosk.adapters.journal.engine import damage_watched, translated
from kiosk.adapters.journal.snapshots import KEPT
from kiosk.adapters.lock import StationLock
from kiosk.adapters.time_sync import wait_for_time
from kiosk.domain.model import OrderId
from kiosk.errors import (
    DatabaseLostError,
    EngineFaultError,
    JournalDamagedError,
    JournalError,
)
from kiosk.services.burning import burn
from kiosk.services.durable import Facts
from kiosk.services.housekeeping import (
    clean_spool,
    purge_calls,
    purge_jobs,
    sweep_forms,
    sweep_reports,
)
from kiosk.services.parts import EngineParts
from kiosk.services.workflow import fulfil

log = logging.getLogger(__name__)

# A kiosk that loses power daily must not use up a job's recoveries; 100 is what dbos allows.
MAX_RECOVERIES = 10_000
_DAY_S = 86_400.0
_LET_GO_S = 30.0
_RECORD_S = 5.0


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How the process behaves.

    Attributes:
        poll_s: Between looks at the queues for waiting patients and drives.
        background_poll_s: At the prefetch queue.
        beat_s: Between heartbeats, and looks at what needs rescue.
        dead_after_s: Silence after which another station takes the work over; long, because there
            is no fence against one that only slept.
        stop_within_s: How long a stop waits for a disc that is being written.
        workflows: Orders under way at once, most of them waiting.
        keep_days: Days until ended jobs are purged.
        snapshots: Hourly copies of the journal's file that are kept.
        clock_wait_s: How long to wait after a boot until the time is set.
    """

    poll_s: float = 0.3
    background_poll_s: float = 5.0
    beat_s: float = 5.0
    dead_after_s: float = 600.0
    stop_within_s: float = 1800.0
    workflows: int = 16
    keep_days: int = 30
    snapshots: int = KEPT
    clock_wait_s: float = 5.0


def station_lock(journal: Journal, state_dir: Path) -> StationLock:
    """What keeps a second engine of this station out."""
    return StationLock(state_dir, journal.engine, journal.station)


def run_engine(
    parts: EngineParts,
    journal: Journal,
    state_dir: Path,
    options: EngineOptions | None = None,
    *,
    held: StationLock | None = None,
    on_ready: Callable[[], None] = lambda: None,
    stop: threading.Event | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT (main thread only) or until `stop` is set.

    A stop waits for a disc that is being written, everything else is left as it is and goes on with
    the next start. A second signal ends the process at once, as a power cut would.

    Args:
        held: The station's lock, if the caller holds it already.
    Raises:
        ExecutorBusyError: Another process works as this station.
        JournalDamagedError: The journal's file is damaged, or found so while running.
        DatabaseLostError: The database's server went away, and the station's lock with it.
        JournalError: The journal cannot be used.
    """
    options = options or EngineOptions()
    stop = stop or threading.Event()
    lock = held or station_lock(journal, state_dir)
    with contextlib.nullcontext() if held else lock.hold(), _signals(stop):
        keeper = Keeper(journal, options.snapshots)
        keeper.check()
        migrate(journal.engine)
        keeper.check_trail()
        wait_for_time(state_dir, options.clock_wait_s, stop)
        clean_spool(parts.spool, journal.jobs)
        journal.stations.start(journal.station)
        engine = _Engine(parts, journal, options, stop)
        with damage_watched() as damaged:
            let_go_s = _LET_GO_S
            try:
                with translated("used"), _not_for_ever(lock, options.beat_s):
                    engine.launch()
                on_ready()
                engine.serve(lock, keeper, damaged)
            except DatabaseLostError:
                let_go_s = 0.0
                raise
            finally:
                stop.set()
                engine.shut_down(let_go_s)


@contextlib.contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        del frame
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    before = {number: signal.signal(number, ask_to_stop) for number in _STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def _not_for_ever(lock: StationLock, look_s: float) -> Iterator[None]:
    """End the process where dbos waits for a database that has gone away, with our lock.

    It asks again until there is one, in whatever thread it is called; later that is one of its own.
    """
    over = threading.Event()

    def watch() -> None:
        while not over.wait(look_s):
            if not lock.is_held() and not over.wait(_RECORD_S):
                log.error("the database went away while the engine began: ended")
                os._exit(1)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


class _Engine:
    def __init__(
        self,
        parts: EngineParts,
        journal: Journal,
        options: EngineOptions,
        stop: threading.Event,
    ) -> None:
        self._parts, self._journal, self._options, self._stop = parts, journal, options, stop
        self._jobs = DbosJobs(journal)
        self._dbos: DBOS | None = None
        self._running: set[str] = set()
        self._at_work: set[str] = set()  # of those: inside a step, not waiting for the database
        self._running_changed = threading.Condition()

    def launch(self) -> None:
        station = self._journal.station
        self._register_queues(self._jobs.client)
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_engine": self._journal.engine,
            "executor_id": station,
            "application_version": VERSION,
            "serializer": serializer(),
            "log_level": "WARNING",
            "use_listen_notify": False,
            # Nothing of ours waits for a schedule of dbos.
            "scheduler_polling_interval_sec": 3600.0,
            "max_executor_threads": 4 * self._options.workflows,
        }
        self._dbos = DBOS(config=config)
        DBOS.workflow(name=ORDER_WORKFLOW, max_recovery_attempts=MAX_RECOVERIES)(self._order())
        DBOS.workflow(name=BURN_WORKFLOW, max_recovery_attempts=MAX_RECOVERIES)(self._burn())
        DBOS.listen_queues(list(self._queues()))
        DBOS.launch()

    def _queues(self) -> dict[str, tuple[int, float]]:
        """Queue to workflows at once and polling interval."""
        station, options = self._journal.station, self._options
        queues = {
            work_queue(station): (options.workflows, options.poll_s),
            prefetch_queue(station): (2, options.background_poll_s),
        }
        for writers in self._parts.drives.values():
            for writer in writers:
                # One burn a drive, counted in this process: a count in the database would let the
                # next one in while a cancelled one still holds the laser.
                queues[drive_queue(station, writer.name)] = (1, options.poll_s)
        return queues

    def _register_queues(self, client: DBOSClient) -> None:
        for name, (at_once, poll_s) in self._queues().items():
            client.register_queue(name, worker_concurrency=at_once, polling_interval_sec=poll_s)

    # --- the workflows

    def _order(self) -> Callable[[str], str]:
        def order(job_id: str) -> str:
            with self._registered():
                fulfil(self._durable(), self._parts, OrderId(job_id))
            return "ended"

        return order

    def _burn(self) -> Callable[[Facts], Facts]:
        def burn_disc(facts: Facts) -> Facts:
            with self._registered():
                return burn(self._durable(), self._parts, facts)

        return burn_disc

    def _durable(self) -> DbosDurable:
        return DbosDurable(self._journal.station, self._jobs.client, self._stop, self._working)

    @contextlib.contextmanager
    def _counted(self, among: set[str]) -> Iterator[None]:
        """This workflow is one of those meanwhile; `shut_down` waits for changes."""
        workflow_id = str(DBOS.workflow_id)
        with self._running_changed:
            among.add(workflow_id)
        try:
            yield
        finally:
            with self._running_changed:
                among.discard(workflow_id)
                self._running_changed.notify_all()

    def _working(self) -> AbstractContextManager[None]:
        return self._counted(self._at_work)

    @contextlib.contextmanager
    def _registered(self) -> Iterator[None]:
        """So that rescue knows what runs here; faults are named without their text."""
        with self._counted(self._running):
            try:
                yield
            except Exception as error:  # noqa: BLE001 - dbos would keep its text, whatever it quotes
                log.error("workflow %s: %s", DBOS.workflow_id, type(error).__name__)
                raise EngineFaultError(type(error).__name__) from None

    # --- the life of the process

    def serve(self, lock: StationLock, keeper: Keeper, damaged: threading.Event) -> None:
        """Beat until it shall stop. Raises JournalDamagedError, DatabaseLostError."""
        rescue = Rescue(self._journal, self._jobs, self._parts, self._options.dead_after_s)
        purged_at = time.monotonic() - _DAY_S
        while True:
            try:
                self._journal.stations.beat(self._journal.station)
                rescue.look(frozenset(self._running))
                rescue.take_over()
                if time.monotonic() - purged_at >= _DAY_S:
                    purged_at = time.monotonic()
                    purge_jobs(self._jobs, self._parts.clock, self._options.keep_days)
                    purge_calls(self._journal.calls, self._parts.clock, self._options.keep_days)
                    sweep_reports(self._parts, self._options.keep_days)
                    sweep_forms(self._parts)
                keeper.look()
            except JournalDamagedError:
                raise
            except JournalError as error:
                log.warning("heartbeat: %s", error)
            if not lock.is_held():
                raise DatabaseLostError("the station's lock went with the session: stopping")
            if damaged.is_set():
                raise JournalDamagedError("the journal was found damaged: stopping")
            if self._stop.wait(self._options.beat_s):
                return

    def shut_down(self, let_go_s: float = _LET_GO_S) -> None:
        """Nothing new is begun; what waits lets go, a disc being written is finished.

        Without its database dbos holds on to every workflow until there is one again: what no step
        is at work for is not waited for, the next process finds it as after a power cut. So is what
        dbos does beside the workflows (it recovers those of the last process): its threads would
        keep this process alive without the station's lock, at work once there is a database.
        """
        if self._dbos is not None:
            for event in self._dbos.background_thread_stop_events:
                event.set()
        with self._running_changed:
            self._running_changed.wait_for(lambda: not self._running, let_go_s)
            self._running_changed.wait_for(
                lambda: not any(map(_is_burn, self._at_work)), self._options.stop_within_s
            )
            self._running_changed.wait_for(lambda: not self._running, _RECORD_S)
            left = len(self._running)
        if left:
            log.error("%d workflows do not let go: ended as by a power cut", left)
            os._exit(1)
        threads = self._threads()
        DBOS.destroy(destroy_registry=True)
        self._jobs.close()
        until = time.monotonic() + max(let_go_s, _RECORD_S)
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        if any(thread.is_alive() for thread in threads):
            log.error("the recovery of workflows does not let go: ended as by a power cut")
            os._exit(1)

    def _threads(self) -> list[threading.Thread]:
        """Those that Python waits for at its end: dbos' executor, not what looks at its queues."""
        executor = self._dbos._executor_field if self._dbos is not None else None  # noqa: SLF001 - dbos names them nowhere else
        return list(executor._threads) if executor is not None else []  # noqa: SLF001 - nor Python


def _is_burn(workflow_id: str) -> bool:
    return workflow_id.count(".") == 2  # job.run.burn
