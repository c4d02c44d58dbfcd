"""Entry of the receiver's process; started by `supervisor.StorageReceiver`, never by hand.

Arguments are three inherited descriptors' numbers and nothing else: settings come over the control
channel.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import sys
import threading
from typing import Final

from kiosk.adapters.storage_scp import messages
from kiosk.adapters.storage_scp.front_door import FrontDoor
from kiosk.adapters.storage_scp.limits import ScpSettings

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38
_ADDRESS_SPACE_BYTES: Final = 768 * 1024 * 1024
_STACK_BYTES: Final = 512 * 1024


def confine() -> None:
    """End with the parent, leave no core file, gain no rights, and stay within bounds."""
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in (
        (_PR_SET_PDEATHSIG, signal.SIGKILL),
        (_PR_SET_DUMPABLE, 0),
        (_PR_SET_NO_NEW_PRIVS, 1),
    ):
        if libc.prctl(option, value, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE_BYTES, _ADDRESS_SPACE_BYTES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
    threading.stack_size(_STACK_BYTES)


def main(arguments: list[str]) -> int:
    parent, listener_fd, control_fd = (int(each) for each in arguments)
    confine()
    if os.getppid() != parent:  # it died before the signal was asked for
        return 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the engine, which then ends us
    control = socket.socket(fileno=control_fd)
    settings = ScpSettings.from_json(control.recv(messages.MAX_CONTROL_BYTES))
    FrontDoor(settings, socket.socket(fileno=listener_fd), control).run()
    os._exit(0)  # threads in the middle of receiving are not waited for


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
