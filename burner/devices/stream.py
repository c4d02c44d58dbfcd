"""What there is, then what comes and goes: nothing lost between, nothing told twice.

What is told adds up: who only keeps the device of the newest event knows what a fresh look finds.

The monitor listens before the snapshot is taken. A message that the snapshot may already hold (its
number is not above the kernel's count at the end of it, or it lay there then) is a hint only: its
device is read anew, so that no state of the past is told after a newer one. When the kernel's
buffer overflows, a new snapshot is taken and the differences are told.

Reading never makes udev wait: who reads too slowly overflows.
"""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from dataclasses import replace
from types import TracebackType
from typing import Self

from burner.devices.model import (
    NO_DISC,
    Devices,
    DriveAdded,
    DriveChanged,
    DriveRemoved,
    EjectAsked,
    Event,
    MediumChanged,
    MediumIn,
    MediumOut,
    OpticalDrive,
    Stick,
    StickChanged,
    StickIn,
    StickOut,
    Volume,
)
from burner.devices.properties import RawDevice, drive_of, stick_of, volume_of
from burner.devices.source import DeviceSource, OverflowedError, UdevSource


class _Table:
    """Devices by their place, and what a message changes."""

    def __init__(self) -> None:
        self._drives: dict[str, OpticalDrive] = {}
        self._sticks: dict[str, Stick] = {}
        self._volumes: dict[str, Volume] = {}

    def devices(self) -> Devices:
        return Devices(
            tuple(sorted(self._drives.values(), key=lambda it: it.node)),
            tuple(sorted(map(self._whole, self._sticks.values()), key=lambda it: it.node)),
        )

    def apply(self, raw: RawDevice, *, is_news: bool = True) -> list[Event]:
        """What the message means.

        Args:
            is_news: Not out of the database: a change of medium is one even if nothing is told
                to be different.
        """
        if raw.is_partition or (raw.is_gone and raw.sys_path in self._volumes):
            return self._apply_volume(raw)
        return [
            *self._apply_drive(raw, is_news=is_news),
            *self._apply_stick(raw, is_news=is_news),
        ]

    def forget_all_but(self, there: set[str]) -> list[Event]:
        """Devices that are not among these places have gone, partitions first."""
        events: list[Event] = []
        for known in (self._volumes, self._sticks, self._drives):
            for sys_path in [path for path in known if path not in there]:
                events += self.apply(RawDevice(sys_path, "remove"))
        return events

    def _apply_drive(self, raw: RawDevice, *, is_news: bool) -> list[Event]:
        known = self._drives.get(raw.sys_path)
        if known is not None and raw.asks_to_eject and not raw.is_gone:
            # udev does not look into the drive then, and says nothing of the disc in it.
            return [EjectAsked(known)] if is_news else []
        now = None if raw.is_gone else drive_of(raw)
        if now is None:
            return [] if known is None else [DriveRemoved(self._drives.pop(raw.sys_path))]
        self._drives[raw.sys_path] = now
        if known is None:
            return [DriveAdded(now)]
        was = known.disc
        if was == now.disc and not (is_news and raw.is_media_change and was != NO_DISC):
            return [] if now == known else [DriveChanged(now)]
        if now.disc == NO_DISC:
            return [MediumOut(now, was)]
        return [MediumIn(now) if was == NO_DISC else MediumChanged(now, was)]

    def _apply_stick(self, raw: RawDevice, *, is_news: bool) -> list[Event]:
        path = raw.sys_path
        known = self._sticks.get(path)
        was = None if known is None else self._whole(known)
        now = None if raw.is_gone else stick_of(raw)
        if now is None:
            for part in [it for it in self._volumes if _disk_of(it) == path and was is not None]:
                del self._volumes[part]
            self._sticks.pop(path, None)
            return [] if was is None else [StickOut(was)]
        self._sticks[path] = now
        whole = self._whole(now)
        if was is None:
            return [StickIn(whole)]
        return [StickChanged(whole)] if whole != was or (is_news and raw.is_media_change) else []

    def _apply_volume(self, raw: RawDevice) -> list[Event]:
        known = self._volumes.get(raw.sys_path)
        now = None if raw.is_gone else volume_of(raw)
        if known == now:
            return []
        if now is None:
            del self._volumes[raw.sys_path]
        else:
            self._volumes[raw.sys_path] = now
        stick = self._sticks.get(_disk_of(raw.sys_path))
        return [] if stick is None else [StickChanged(self._whole(stick))]

    def _whole(self, stick: Stick) -> Stick:
        parts = [it for path, it in self._volumes.items() if _disk_of(path) == stick.sys_path]
        volumes = (*stick.volumes, *parts)
        return replace(stick, volumes=tuple(sorted(volumes, key=lambda it: (it.number, it.node))))


def _disk_of(sys_path: str) -> str:
    """A partition stands in its disk's folder."""
    return sys_path.rpartition("/")[0]


class DeviceStream:
    """One follower of devices; a context manager. Any process may have one, or several.

    Made and read by one thread; `close` may come from another.
    """

    def __init__(self, source: DeviceSource | None = None) -> None:
        """Raises NoUdevError: nothing can be told here."""
        self._source = source or UdevSource()
        self._table = _Table()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._seen_until = 0
        self._is_stale = True
        self._early = self._renew(is_first=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._source.close()
        os.close(self._wake)

    def devices(self) -> Devices:
        """As of the last event that was told; of the snapshot at first."""
        return self._table.devices()

    def close(self) -> None:
        """`follow` ends, now or when it is next waited for."""
        os.eventfd_write(self._wake, 1)

    def pending(self) -> list[Event]:
        """What was told until now, without waiting."""
        events, self._early = self._early, []
        try:
            while (raw := self._source.receive()) is not None:
                events += self._take(raw)
        except OverflowedError:
            # The kernel drops on until everything is read; what is left of before still holds.
            self._is_stale = True
            events += self._rest()
        if self._is_stale:
            events += self._renew()
        return events

    def follow(self) -> Iterator[Event]:
        """Events as they come, until `close`. Raises OSError if udev cannot be listened to."""
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        poll.register(self._source.fileno(), select.POLLIN)
        while True:
            yield from self.pending()
            ready = {descriptor for descriptor, _events in poll.poll(0 if self._is_stale else None)}
            if self._wake in ready:
                return

    def _take(self, raw: RawDevice, *, was_there: bool = False) -> list[Event]:
        is_past = raw.number <= self._seen_until or (was_there and self._seen_until == 0)
        if not is_past or raw.is_gone:
            return self._table.apply(raw)
        anew = self._source.read(raw.sys_path) or RawDevice(raw.sys_path, "remove")
        return self._table.apply(anew, is_news=False)

    def _rest(self) -> list[Event]:
        events: list[Event] = []
        while True:
            try:
                while (raw := self._source.receive()) is not None:
                    events += self._take(raw)
            except OverflowedError:
                continue
            return events

    def _renew(self, *, is_first: bool = False) -> list[Event]:
        """A new snapshot, and what it tells; the first one tells nothing, it is the beginning."""
        found = self._source.snapshot()
        self._seen_until = self._source.counter()
        self._is_stale = False
        events = self._table.forget_all_but({raw.sys_path for raw in found})
        for raw in sorted(found, key=lambda it: it.is_partition):
            events += self._table.apply(raw, is_news=False)
        if is_first:
            events = []
        try:
            # Without the kernel's count: what lies here now is older than what was read, or as old.
            while (raw_early := self._source.receive()) is not None:
                events += self._take(raw_early, was_there=True)
        except OverflowedError:
            self._is_stale = True
        return events


def list_devices() -> Devices:
    """What there is now. Raises NoUdevError."""
    source = UdevSource(listens=False)
    table = _Table()
    for raw in sorted(source.snapshot(), key=lambda it: it.is_partition):
        table.apply(raw, is_news=False)
    return table.devices()
