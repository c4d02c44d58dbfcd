"""The pool of builders: spare ones, and builds that were begun while their objects still arrive."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

from kiosk.builder.protocol import ComposedImage, ComposeRequest
from kiosk.errors import ComposeError, KioskError
from kiosk.services.builders import (
    Builder,
    ConversionCrashedError,
    IsCancelled,
    KilledError,
    OnProgress,
)


class EarlyBuild:
    """A build whose objects still arrive: a thread listens to its builder until it is finished.

    Args:
        request: One that follows.
    """

    def __init__(self, request: ComposeRequest, builder: Builder) -> None:
        self.request = request
        self._builder = builder
        self._on_progress: OnProgress | None = None
        self._is_cancelled: IsCancelled = lambda: False
        self._made: ComposedImage | None = None
        self._trouble: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="early-build", daemon=True)
        self._thread.start()

    def finish(
        self, request: ComposeRequest, on_progress: OnProgress, is_cancelled: IsCancelled
    ) -> ComposedImage:
        """All has arrived. Raises as `Builder.run`; whoever calls ends it afterwards."""
        self._on_progress, self._is_cancelled = on_progress, is_cancelled
        self._builder.go_on(request)
        self._thread.join()
        if self._trouble is not None:
            raise self._trouble
        assert self._made is not None
        return self._made

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def end(self) -> None:
        """Kill the builder if it still runs."""
        self._builder.kill()
        self._thread.join()
        self._builder.end()

    def _run(self) -> None:
        try:
            self._made = self._builder.run(self.request, self._tell, self._shall_stop)
        except (KioskError, ConversionCrashedError, KilledError) as trouble:
            self._trouble = trouble
        except Exception as error:  # noqa: BLE001 - this thread's; its text may hold anything
            self._trouble = ComposeError(f"the early build met {type(error).__name__}")

    def _shall_stop(self) -> bool:
        return self._is_cancelled()

    def _tell(self, done: int, total: int) -> None:
        if self._on_progress is not None:
            self._on_progress(done, total)


class ComposerPool:
    """Starts builders ahead of time, so that a patient does not wait for imports; keeps builds that
    were begun while objects still arrive.
    """

    def __init__(self) -> None:
        self._wanted: queue.SimpleQueue[queue.SimpleQueue[Builder | OSError] | None] = (
            queue.SimpleQueue()
        )
        self._spares: list[queue.SimpleQueue[Builder | OSError]] = []
        self._early: dict[Path, EarlyBuild] = {}
        self._lock = threading.Lock()
        self._starter = threading.Thread(target=self._start_all, name="builders", daemon=True)
        self._starter.start()

    def prepare(self) -> None:
        """Have one spare child; returns at once."""
        with self._lock:
            if not self._spares:
                self._spares.append(self._order())

    def take(self) -> Builder:
        """A child of one's own. Raises ComposeError if none can be started."""
        with self._lock:
            started = self._spares.pop() if self._spares else self._order()
        child = started.get()
        if isinstance(child, OSError):
            raise ComposeError("the builder cannot be started") from child
        return child

    def begin(self, request: ComposeRequest) -> None:
        """Build while the objects arrive; whoever composes the same finds it. Returns at once.

        Where no builder can be started now, the build begins when it is asked for.
        """
        with self._lock:
            over = [folder for folder, early in self._early.items() if early.is_over]
        for folder in over:  # of jobs that ended without asking for them
            self.forget(folder)
        with self._lock:
            if request.folder in self._early:
                return
        try:
            builder = self.take()
        except ComposeError:
            return  # nothing is lost but the lead: whoever composes asks again, and is told why not
        with self._lock:
            self._early[request.folder] = EarlyBuild(request, builder)

    def begun(self, final: ComposeRequest) -> EarlyBuild | None:
        """What was begun for this request, now the caller's; None if nothing was."""
        with self._lock:
            early = self._early.pop(final.folder, None)
        if early is not None and not early.request.begins(final):
            early.end()
            return None
        return early

    def forget(self, folder: Path) -> None:
        """The objects of this folder are not to be waited for."""
        with self._lock:
            early = self._early.pop(folder, None)
        if early is not None:
            early.end()

    def close(self) -> None:
        """End spare children, early builds and the thread."""
        with self._lock:
            spares, self._spares = self._spares, []
            folders = list(self._early)
        for folder in folders:
            self.forget(folder)
        for started in spares:
            child = started.get()
            if not isinstance(child, OSError):
                child.end()
        self._wanted.put(None)
        self._starter.join()

    def __enter__(self) -> ComposerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _order(self) -> queue.SimpleQueue[Builder | OSError]:
        started: queue.SimpleQueue[Builder | OSError] = queue.SimpleQueue()
        self._wanted.put(started)
        return started

    def _start_all(self) -> None:
        while (started := self._wanted.get()) is not None:
            try:
                started.put(Builder())
            except OSError as error:
                started.put(error)
