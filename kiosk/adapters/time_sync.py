"""Waiting for the right time after a boot: machines without a battery start in the past.

Waits of jobs, tickets and the audit trail go by the wall clock. Where no systemd or no time service
runs, as in a container, there is nothing to wait for.
"""

from __future__ import annotations

import ctypes
import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from kiosk.services.arrivals import boot_id

log = logging.getLogger(__name__)

_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_TIMEX_BYTES = 512  # struct timex is 208 bytes on 64 bits
_POLL_S = 0.2


def _kernel_says_synchronised() -> bool:
    """What chrony, ntpd and timesyncd have told the kernel."""
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)  # modes 0: only asks
    state: int = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    return 0 <= state < _TIME_ERROR


@dataclass(frozen=True, slots=True)
class TimeService:
    """Where a machine tells of its time service; other folders in tests.

    Attributes:
        booted: Exists if systemd is the init, sd_booted(3).
        services: One of them exists if a time service runs.
        done: Touched by systemd-timesyncd when it has set the clock.
    """

    booted: Path = Path("/run/systemd/system")
    services: tuple[Path, ...] = (
        Path("/run/systemd/timesync"),
        Path("/run/chrony"),
        Path("/run/ntpd.pid"),
    )
    done: Path = Path("/run/systemd/timesync/synchronized")

    def is_there(self) -> bool:
        return self.booted.exists() and any(path.exists() for path in self.services)

    def is_synchronised(self) -> bool:
        return self.done.exists() or _kernel_says_synchronised()


def wait_for_time(
    state_dir: Path, within_s: float, stop: threading.Event, service: TimeService | None = None
) -> bool:
    """Wait until the clock is right, at most so long, once a boot; say so.

    Args:
        state_dir: Keeps the name of the boot in which the wait was over.
        stop: Ends the wait.
    Returns:
        Whether the clock can be believed; True also where nothing sets it.
    Raises:
        OSError: The state folder cannot be written.
    """
    service = service or TimeService()
    if not service.is_there() or service.is_synchronised():
        return True
    seen = state_dir / "clock-waited"
    if within_s <= 0 or (seen.exists() and seen.read_text("ascii", "replace") == boot_id()):
        return False
    log.info("waiting up to %g s for the time to be set after the start", within_s)
    end = time.monotonic() + within_s
    is_set = service.is_synchronised()
    while not is_set and time.monotonic() < end and not stop.wait(_POLL_S):
        is_set = service.is_synchronised()
    if is_set:
        log.info("the time is set")
    else:
        log.warning("nobody has set the time in %g s: going on with the clock as it is", within_s)
        seen.write_text(boot_id(), "ascii")
    return is_set
