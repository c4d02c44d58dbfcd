"""pyudev: one netlink monitor for block devices, and the device database behind it.

Only here is pyudev imported, and only what `properties.KEYS` names is read of a device. libudev
takes messages of root alone. Where no udev runs, devices are known to the kernel, but nobody says
what they are: then there is nothing to list and nothing will be told.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pyudev

from burner.devices.properties import KEYS, RawDevice
from burner.errors import NoUdevError

_CONTROL = Path("/run/udev/control")
_COUNTER = Path("/sys/kernel/uevent_seqnum")
_RECEIVE_BYTES = 4 << 20
_MAX_VALUE = 16_384  # characters; udev's own limit of a line is as long
_MAX_PATH = 1024
_kept = threading.local()


class OverflowedError(Exception):
    """The kernel had no room for messages any more: some are lost, nobody knows which."""


class DeviceSource(Protocol):
    """Where devices are told of; the real one is `UdevSource`."""

    def fileno(self) -> int:
        """Becomes readable when `receive` has something."""
        ...

    def counter(self) -> int:
        """The kernel's number of the newest message of all; 0 if it does not tell."""
        ...

    def snapshot(self) -> list[RawDevice]:
        """All block devices as the database has them."""
        ...

    def read(self, sys_path: str) -> RawDevice | None:
        """One of them; None if it has gone."""
        ...

    def receive(self) -> RawDevice | None:
        """The next message, None if there is none now. Raises OverflowedError."""
        ...

    def close(self) -> None: ...


class UdevSource:
    """Listens from the moment it is made; not to be shared between threads."""

    def __init__(self, *, listens: bool = True) -> None:
        """Raises NoUdevError: no udev runs, or libudev is not installed."""
        try:
            self._context = _context()
        except (ImportError, OSError) as error:  # pyudev finds no libudev.so.1
            raise NoUdevError("libudev cannot be used") from error
        if not self._is_running():
            raise NoUdevError("no udev runs here")
        self._monitor = self._listen() if listens else None

    def fileno(self) -> int:
        assert self._monitor is not None
        return int(self._monitor.fileno())

    def counter(self) -> int:
        try:
            return int(_COUNTER.read_text())
        except (OSError, ValueError):
            return 0

    def snapshot(self) -> list[RawDevice]:
        return [raw for raw in map(self._raw, self._listed()) if raw is not None]

    def read(self, sys_path: str) -> RawDevice | None:
        try:
            found = pyudev.Devices.from_sys_path(self._context, sys_path)
        except pyudev.DeviceNotFoundError:
            return None
        return self._raw(found)

    def receive(self) -> RawDevice | None:
        assert self._monitor is not None
        while True:
            # pyudev's own poll turns every error of the socket into an OSError without its number.
            ready = _ready(self.fileno())
            if ready & select.POLLERR:
                self._raise_error()
            if not ready & select.POLLIN:
                return None
            try:
                device = self._monitor.poll(timeout=0)
            except OSError as error:
                if error.errno == errno.ENOBUFS:
                    raise OverflowedError from error
                if error.errno is None:
                    continue  # the error came between the two looks
                raise
            raw = None if device is None else self._raw(device)
            if raw is not None:
                return raw

    def _raise_error(self) -> None:
        """What the socket has to say; asking for it takes it away."""
        with socket.socket(fileno=os.dup(self.fileno())) as asked:
            number = asked.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number == errno.ENOBUFS:
            raise OverflowedError
        if number:
            raise OSError(number, os.strerror(number))

    def close(self) -> None:
        # The socket goes with the last reference; pyudev has no other way.
        self._monitor = None

    def _listen(self) -> pyudev.Monitor:
        try:
            monitor = pyudev.Monitor.from_netlink(self._context)
            monitor.filter_by("block")
            with contextlib.suppress(OSError):  # needs CAP_NET_ADMIN; overflow is survived
                monitor.set_receive_buffer_size(_RECEIVE_BYTES)
            monitor.start()
        except OSError as error:
            raise NoUdevError(f"udev cannot be listened to: {error.strerror}") from error
        return monitor

    def _is_running(self) -> bool:
        """The daemon's socket, or what only udev can have said of a device (a mocked one)."""
        if _CONTROL.exists():
            return True
        told = (raw.properties for raw in map(self._raw, self._listed()) if raw is not None)
        return any("ID_BUS" in properties or "ID_CDROM" in properties for properties in told)

    def _listed(self) -> Iterator[pyudev.Device]:
        return iter(self._context.list_devices(subsystem="block"))

    def _raw(self, device: pyudev.Device) -> RawDevice | None:
        """None if its place is no text: such a name the kernel does not give."""
        try:
            sys_path, action = str(device.sys_path), str(device.action or "")
        except UnicodeDecodeError:
            return None
        if len(sys_path) > _MAX_PATH or not sys_path.isprintable() or not sys_path.isascii():
            return None
        properties = {}
        for key in KEYS:
            with contextlib.suppress(KeyError, UnicodeDecodeError):
                properties[key] = str(device.properties[key])[:_MAX_VALUE]
        is_usb = properties.get("ID_BUS") == "usb"
        return RawDevice(
            sys_path=sys_path,
            action=action,
            number=int(device.sequence_number) if action else 0,
            properties=properties,
            sectors=_number(device, "size"),
            is_removable=is_usb and _number(device, "removable") == 1,
            is_read_only=_number(device, "ro") == 1,
            port=_port(device) if is_usb else "",
        )


def _context() -> pyudev.Context:
    """libudev's, one a thread: to find the library pyudev starts a program every time."""
    if not hasattr(_kept, "context"):
        _kept.context = pyudev.Context()
    return _kept.context


def _ready(descriptor: int) -> int:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return next((events for _descriptor, events in poll.poll(0)), 0)


def _number(device: pyudev.Device, name: str) -> int:
    """A number of sysfs; 0 if there is none, as of a device that has gone meanwhile."""
    try:
        text = device.attributes.get(name)
        return int(text) if text is not None and len(text) <= 24 else 0
    except (OSError, ValueError):
        return 0


def _port(device: pyudev.Device) -> str:
    parent = device.find_parent("usb", "usb_device")
    if parent is None:
        return ""
    try:
        text = (parent.attributes.get("removable") or b"").strip()
    except OSError:
        return ""
    known = {b"removable": "removable", b"fixed": "fixed", b"unknown": "unknown"}
    return known.get(text, "")
