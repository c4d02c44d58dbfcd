"""Words to the service manager (sd_notify(3)), if there is one."""

from __future__ import annotations

import os
import socket


def tell_ready() -> None:
    """The service does what it is for.

    Raises:
        OSError: Nobody listens where the service manager said it would.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # an abstract name
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.sendto(b"READY=1", address)
