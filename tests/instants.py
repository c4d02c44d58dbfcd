"""Which instants of a sweep are tried: some of them in the suite, all by a switch.

A sweep kills, cancels or crashes at the first instant, the second and so on until there is none.
Each costs a whole run, so the suite takes every so many-th, from a first one that chance chooses
and that is printed; `SENDHOME_ALL_INSTANTS=1 ./sendhome test tests/…` takes them all.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterator

SWITCH = "SENDHOME_ALL_INSTANTS"


def instants(every: int) -> Iterator[int]:
    """1, 2, 3 … or every so many-th of them, without end."""
    return itertools.count(*sampled(every))


def sampled(every: int) -> tuple[int, int]:
    """The first one, printed, and how far it is to the next."""
    step = 1 if os.environ.get(SWITCH) else every
    first = random.SystemRandom().randint(1, step)
    print(f"instants: every {step}. from {first}")
    return first, step
