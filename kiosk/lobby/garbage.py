"""When Python looks for garbage in cycles: after a visit, and otherwise seldom.

A screen and its widgets hold each other, so only the collector frees them. As Python is set it
looks through everything after a few thousand new objects, most of them the toolkit's, which stay:
three tenths of the processor time that the screens took.
"""

from __future__ import annotations

import gc


def settle() -> None:
    """Call before the app runs: what is there now stays, and is not looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def free_what_was_left() -> None:
    """Some hundredths of a second; what a visit held is not left to chance."""
    gc.collect()
