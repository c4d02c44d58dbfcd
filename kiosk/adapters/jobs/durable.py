"""A step of a workflow, and a burn on a drive's queue, by dbos."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from dbos import DBOS, DBOSClient, EnqueueOptions

from kiosk.adapters.jobs.common import BURN_WORKFLOW, VERSION, drive_queue
from kiosk.adapters.journal.job_rows import run_of
from kiosk.domain.model import Priority
from kiosk.services.durable import BurnLostError, EngineStopping, Facts

_ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


class DbosDurable:
    """Keeps `kiosk.services.durable.Durable` inside a running workflow."""

    def __init__(
        self,
        station: str,
        client: DBOSClient,
        stop: threading.Event,
        working: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._station, self._client, self._stop, self._working = station, client, stop, working

    @property
    def job_id(self) -> str:
        return str(DBOS.workflow_id).partition(".")[0]

    @property
    def run(self) -> int:
        return run_of(str(DBOS.workflow_id))

    def step(self, name: str, work: Callable[[], Facts]) -> Facts:
        def at_work() -> Facts:
            with self._working():
                return work()

        return DBOS.run_step({"name": name}, at_work)

    def burn(self, drive: str, number: int, priority: Priority, facts: Facts) -> Facts:
        burn_id = f"{DBOS.workflow_id}.{number}"
        options: EnqueueOptions = {
            "workflow_name": BURN_WORKFLOW,
            "queue_name": drive_queue(self._station, drive),
            "workflow_id": burn_id,
            "app_version": VERSION,
            "priority": max(1, int(priority)),
        }
        DBOS.enqueue_workflow_with_options(options, facts)
        done = DBOS.run_step({"name": "burn"}, self._wait_for, burn_id)
        if "ended" in done:
            raise BurnLostError(done["ended"])
        return done

    def _wait_for(self, burn_id: str) -> dict[str, Any]:
        """Not dbos' own wait: that one cannot be interrupted by a stop."""
        while True:
            if self._stop.is_set():
                raise EngineStopping
            found = self._client.list_workflows(workflow_ids=[burn_id], load_input=False)
            if found and found[0].status == "SUCCESS":
                return dict(found[0].output or {})
            if found and found[0].status in _ENDED:
                return {"ended": found[0].status}
            self._stop.wait(0.5)

    def is_stopping(self) -> bool:
        return self._stop.is_set()
