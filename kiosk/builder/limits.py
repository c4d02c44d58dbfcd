"""What the builder may use of the machine, set by itself before it reads anything from outside."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from typing import Final

# Honest builds use less than 200 MB; numpy and decoders reserve far more than they use.
ADDRESS_SPACE_BYTES: Final = 4 << 30
OPEN_FILES: Final = 256
CPU_STEP_S: Final = 60  # without any progress; converting the largest frame takes a few
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_NICENESS: Final = 5


def apply(parent: int) -> None:
    """Limits for the life of this process; it dies with the thread that started it.

    Args:
        parent: Process id of who started us.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0 or os.getppid() != parent:
        os._exit(1)  # nobody is left to build for
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    os.nice(_NICENESS)
    extend_cpu()


def extend_cpu() -> None:
    """Allow another CPU_STEP_S seconds from now: only who makes no progress runs out of them."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    allowed = int(used.ru_utime + used.ru_stime) + CPU_STEP_S
    if most != resource.RLIM_INFINITY:
        allowed = min(allowed, most)
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, most))
