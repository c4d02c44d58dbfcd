"""One process that writes one disc, and dies at the instant it is told: started by test_burn_crash.

Arguments: folder, job id, image's volume id, instant to die at (0 never). An instant is the moment
before or after a call of the ledger or the writer, or a piece of progress. Prints the outcome's
class, the wish and the instants.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from burner.simulated import SimulatedDrive
from kiosk.adapters.media_disc import DiscWriter
from kiosk.domain.model import OrderId
from kiosk.ports import MediumProgress
from kiosk.services.write import DriveOccupied, ImageFacts, NeedsMedium, write_once
from tests.fakes.media import FileLedger


class Instants:
    """Counts, and kills this process at the one asked for."""

    def __init__(self, last: int) -> None:
        self.count = 0
        self._last = last

    def tick(self, *_: object) -> None:
        self.count += 1
        if self.count == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


class Watched:
    """Every call of `inner` is two instants."""

    def __init__(self, inner: Any, instants: Instants) -> None:
        self._inner, self._instants = inner, instants

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if not callable(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            self._instants.tick()
            result = value(*args, **kwargs)
            self._instants.tick()
            return result

        return call


def main(folder: Path, job_id: OrderId, volume_id: str, last: int) -> None:
    import hashlib

    path = folder / f"{volume_id}.iso"
    content = path.read_bytes()
    image = ImageFacts(path, len(content), hashlib.sha256(content).hexdigest(), volume_id)
    instants = Instants(last)
    progress: Callable[[MediumProgress], None] = instants.tick
    outcome = write_once(
        Watched(DiscWriter(SimulatedDrive(folder / "drive")), instants),
        Watched(FileLedger(folder / "ledger.json"), instants),
        job_id,
        image,
        1,
        on_progress=progress,
        is_cancelled=lambda: False,
    )
    match outcome:
        case NeedsMedium():
            word = outcome.wanted.name
        case DriveOccupied():
            word = outcome.owner.job_id
        case _:
            word = "recovered" if outcome.is_recovered else "new"
    print(type(outcome).__name__, word, instants.count)


if __name__ == "__main__":
    main(Path(sys.argv[1]), OrderId(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
