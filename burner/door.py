"""The lock of a drive's door, as the kernel keeps it.

Whoever ends a piece of work with a drive unlocks its door: the engine when it lets go of the drive,
the kernel when the last one closes the node, be it only for a look at the tray. From then on the
drive opens at its own button, without asking anybody. What the kernel was told to keep shut by
CDROM_LOCKDOOR it leaves shut at that; the button is then a wish, which udev tells of.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

CDROM_LOCKDOOR: Final = 0x5329  # linux/cdrom.h; its argument is 1 to lock, 0 to unlock


def set_door(node: Path, is_shut: bool) -> bool:
    """Lock or unlock the door.

    Returns:
        Whether the drive did. One without a lock, or behind a bridge that does not pass it on,
        does not; neither does one that was unplugged. None of these spoils a disc.
    """
    try:
        descriptor = os.open(node, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False  # whoever needs the drive hears of that when they use it
    try:
        fcntl.ioctl(descriptor, CDROM_LOCKDOOR, int(is_shut))
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
