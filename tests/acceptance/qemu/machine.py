"""The guest as a process: its console, and sticks that are plugged in and pulled out by QMP."""

from __future__ import annotations

import json
import queue
import socket
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.acceptance.qemu.packages import Unpacked

_CPU = {"kvm": "host", "tcg": "max"}  # numpy wants more than the plainest


class GuestError(Exception):
    """The guest ended, or did not say what was waited for."""


class Machine:
    """A running guest; ended with the block."""

    def __init__(self, packages: Unpacked, folder: Path, *, accel: str) -> None:
        """
        Args:
            folder: Has the file `initrd.gz`; a socket is made in it.
            accel: "kvm" or "tcg".
        """
        self._socket_path = folder / "qmp.sock"
        self._socket_path.unlink(missing_ok=True)
        root = packages.root
        share = "local,id=h,path=/,security_model=none,readonly=on,multidevs=remap"
        self._process = subprocess.Popen(
            [
                packages.program("qemu-system-x86_64"), "-accel", accel, "-cpu", _CPU[accel],
                "-m", "3000", "-smp", "2", "-nodefaults", "-no-user-config", "-display", "none",
                "-no-reboot", "-serial", "stdio",
                "-L", root / "usr/share/qemu", "-L", root / "usr/share/seabios",
                "-kernel", root / f"boot/vmlinuz-{packages.version}",
                "-initrd", folder / "initrd.gz",
                "-append", "console=ttyS0 loglevel=3 panic=-1 nokaslr mitigations=off",
                "-fsdev", share, "-device", "virtio-9p-pci,fsdev=h,mount_tag=host",
                "-device", "qemu-xhci,id=xhci",
                "-qmp", f"unix:{self._socket_path},server=on,wait=off",
            ],
            env=packages.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )  # fmt: skip
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self._qmp: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip())
        self._lines.put(None)

    def line(self, patience_s: float) -> str | None:
        """The next one on its console, None when it has ended. Raises GuestError: it is silent."""
        try:
            return self._lines.get(timeout=patience_s)
        except queue.Empty as error:
            raise GuestError(f"nothing on the guest's console for {patience_s:.0f} s") from error

    def plug(self, name: str, image: Path, *, is_read_only: bool = False) -> None:
        """Put a stick in."""
        file = {"driver": "file", "filename": str(image)}
        self._do("blockdev-add", driver="raw", **{"node-name": f"{name}-disk"}, file=file,
                 **{"read-only": is_read_only})  # fmt: skip
        self._do("device_add", driver="usb-storage", id=name, drive=f"{name}-disk", bus="xhci.0",
                 removable=True, serial=name.upper())  # fmt: skip

    def pull(self, name: str) -> None:
        """Pull it out, whatever is written at the moment."""
        self._do("device_del", id=name)

    def _do(self, command: str, **arguments: Any) -> None:
        """Raises GuestError."""
        if self._qmp is None:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(str(self._socket_path))
            self._qmp = connection.makefile("rw")
            self._qmp.readline()
            self._do("qmp_capabilities")
        self._qmp.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._qmp.flush()
        end = time.monotonic() + 30
        while time.monotonic() < end:
            said = json.loads(self._qmp.readline())
            if "return" in said:
                return
            if "error" in said:
                raise GuestError(f"{command}: {said['error']['desc']}")
        raise GuestError(f"{command}: no answer")
