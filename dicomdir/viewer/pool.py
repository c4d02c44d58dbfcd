"""Worker processes that encode, fed and heard by one thread that never waits for a single one.

Each holds a few tasks at most. One that dies takes only the task it was at with it: the others go
to the one that follows it.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_HELD: Final = 4  # tasks of one worker: enough to keep it busy, few enough to lose
_WAITING: Final = 256  # tasks that no worker has yet
_POLL_S: Final = 0.5
_MAX_ANSWER_BYTES: Final = 64 << 20  # a table of 100,000 frames

Answer = dict[str, Any]
OnAnswer = Callable[[Answer], None]


@dataclass(slots=True)
class _Task:
    request: dict[str, Any]
    done: OnAnswer


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    held: deque[_Task] = field(default_factory=deque)
    heard: bytearray = field(default_factory=bytearray)


class Pool:
    """Workers on all processors; started when the first task comes, ended by `close`.

    Args:
        folder: Theirs, on a disk with room.
        size: How many; 0 for one a processor.
        max_deaths: In all; then what is left is not encoded.
        on_alive: Called whenever something was done.
    """

    def __init__(
        self,
        folder: Path,
        *,
        size: int = 0,
        max_deaths: int = 20,
        on_alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder = folder
        self._size = size or len(os.sched_getaffinity(0))
        self._on_alive = on_alive
        self._workers: list[_Worker] = []
        self._waiting: deque[_Task] = deque()
        self._started = 0
        self._deaths = 0
        self._max_deaths = max_deaths

    def submit(self, request: dict[str, Any], done: OnAnswer) -> None:
        """Have a task done. `done` is called later, from here or from `drain`.

        What a dead worker was at is answered with {"crashed": True}; {"failed": errno} says that
        a file could not be read or written.
        """
        self._waiting.append(_Task(request, done))
        self._feed()
        self._hear(0.0)
        while len(self._waiting) > _WAITING:
            self._hear(_POLL_S)

    def drain(self) -> None:
        """Wait until all tasks are answered."""
        while self._waiting or any(worker.held for worker in self._workers):
            self._feed()
            self._hear(_POLL_S)

    def close(self) -> None:
        """End all workers, whatever they are at."""
        for worker in self._workers:
            self._end(worker)
        self._workers.clear()
        self._waiting.clear()

    def _feed(self) -> None:
        while self._waiting:
            worker = self._next_worker()
            if worker is None:
                if self._deaths >= self._max_deaths and not self._workers:
                    self._waiting.popleft().done({"crashed": True})
                    continue
                return
            task = self._waiting.popleft()
            worker.held.append(task)
            line = json.dumps(task.request).encode("ascii") + b"\n"
            try:
                assert worker.process.stdin is not None
                worker.process.stdin.write(line)
                worker.process.stdin.flush()
            except BrokenPipeError:
                self._bury(worker)

    def _next_worker(self) -> _Worker | None:
        """The one with the fewest tasks, a new one if all have some, None if all have enough."""
        least = min(self._workers, key=lambda it: len(it.held), default=None)
        if least is not None and not least.held:
            return least
        if len(self._workers) < self._size and self._deaths < self._max_deaths:
            return self._start()
        return least if least is not None and len(least.held) < _HELD else None

    def _start(self) -> _Worker:
        self._started += 1
        arguments = (str(self._started), os.fspath(self._folder), str(os.getpid()))
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "dicomdir.viewer.worker", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a traceback may quote what stands in an object
            env=_environment(),
        )
        worker = _Worker(process)
        self._workers.append(worker)
        return worker

    def _hear(self, wait_s: float) -> None:
        by_descriptor = {}
        for worker in self._workers:
            assert worker.process.stdout is not None
            by_descriptor[worker.process.stdout.fileno()] = worker
        if not by_descriptor:
            return
        ready, _, _ = select.select(list(by_descriptor), [], [], wait_s)
        for descriptor in ready:
            worker = by_descriptor[descriptor]
            data = os.read(descriptor, 1 << 16)
            if not data or len(worker.heard) > _MAX_ANSWER_BYTES:
                self._bury(worker)
                continue
            worker.heard += data
            while (end := worker.heard.find(b"\n")) >= 0:
                line = bytes(worker.heard[:end])
                del worker.heard[: end + 1]
                worker.held.popleft().done(json.loads(line))
        self._on_alive()
        if ready:
            self._feed()

    def _bury(self, worker: _Worker) -> None:
        """A worker is dead: its first task is to blame, the others wait again."""
        self._workers.remove(worker)
        self._deaths += 1
        self._end(worker)
        blamed = worker.held.popleft() if worker.held else None
        self._waiting.extendleft(reversed(worker.held))
        if blamed is not None:
            blamed.done({"crashed": True})

    @staticmethod
    def _end(worker: _Worker) -> None:
        process = worker.process
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:  # what it was to hear is of no interest any more
                    continue


def _environment() -> dict[str, str]:
    """Nothing but where our own modules are found."""
    here = Path(__file__).resolve().parents[2]
    return {
        "PYTHONPATH": os.fspath(here),
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",  # none of its threads is ever used
    }
