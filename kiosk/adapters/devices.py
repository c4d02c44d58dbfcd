"""Devices as the engine needs them: somebody put something in, look now; somebody pressed the
button of a drive that is locked.

Where no udev runs nothing is told, and the engine looks from time to time as it does anyway.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from burner.devices import DeviceStream, DriveChanged, EjectAsked, StickChanged
from burner.devices.model import Event, device_of, is_at
from burner.errors import NoUdevError

log = logging.getLogger(__name__)


class UdevWatch:
    """Keeps `kiosk.ports.DeviceWatch`; a context manager, whose thread follows udev meanwhile.

    Whatever becomes of the thread, `sleep_s` ends: the worst is a look a second later.
    """

    def __init__(self, places: Mapping[str, Path]) -> None:
        """`places`: the configured device of each drive, by the drive's name."""
        self._places = dict(places)
        self._counts: Counter[str] = Counter()
        self._pressed: list[str] = []  # drives whose button was not answered yet, once each
        self._has_answers = False
        self._changed = threading.Condition()
        self._stream: DeviceStream | None = None
        self._is_ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="devices", daemon=True)

    def __enter__(self) -> Self:
        if self._places:
            self._thread.start()
            self._is_ready.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._places:
            return
        with self._changed:
            if self._stream is not None:
                self._stream.close()
        self._thread.join()

    def changes(self, drive: str) -> int:
        with self._changed:
            return self._counts[drive]

    def sleep_s(self, drive: str, seen: int, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with self._changed:
            while self._counts[drive] == seen and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)

    @contextmanager
    def answering(self, answer: Callable[[str], object]) -> Iterator[None]:
        """Meanwhile `answer` is called with the name of each drive whose button was pressed, in a
        thread of that drive's own: it may take its time, and what is pressed there in that time
        counts once. No drive waits for another's answer.
        """
        with self._changed:
            self._has_answers = True
        threads = [
            threading.Thread(
                target=self._answer, args=(answer, drive), name=f"button {drive}", daemon=True
            )
            for drive in self._places
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            with self._changed:
                self._has_answers = False
                self._changed.notify_all()
            for thread in threads:
                thread.join()

    def _answer(self, answer: Callable[[str], object], drive: str) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: drive in self._pressed or not self._has_answers)
                if not self._has_answers:
                    return
            try:
                answer(drive)
            except Exception as error:  # noqa: BLE001 - the next button must be answered, too
                log.error("%s: its button was not answered: %s", drive, type(error).__name__)
            with self._changed:
                self._pressed.remove(drive)

    def _press(self, drives: list[str]) -> None:
        with self._changed:
            if self._has_answers:
                self._pressed += [name for name in drives if name not in self._pressed]
                self._changed.notify_all()

    def _run(self) -> None:
        """libudev's objects are one thread's: made, read and let go of here."""
        try:
            with DeviceStream() as stream:
                with self._changed:
                    self._stream = stream
                self._is_ready.set()
                try:
                    for event in stream.follow():
                        self._take(event)
                finally:
                    with self._changed:
                        self._stream = None
        except NoUdevError as error:
            log.info("drives are looked into from time to time only: %s", error)
        except OSError as error:
            log.error("devices are not told of any more: %s", error.strerror)
        finally:
            self._is_ready.set()

    def _take(self, event: Event) -> None:
        # A look at a stick makes udev look at its partitions, too: that must not wake us again.
        if isinstance(event, DriveChanged | StickChanged):
            return
        device = device_of(event)
        drives = [name for name, place in self._places.items() if is_at(device, place)]
        if drives:
            log.info("%s: %s", ", ".join(drives), event.word)
        if isinstance(event, EjectAsked):
            self._press(drives)
        elif drives:
            with self._changed:
                self._counts.update(drives)
                self._changed.notify_all()
