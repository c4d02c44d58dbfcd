"""The app knows whether an engine runs: without one nothing is begun here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from textual import work
from textual.message import Message

from kiosk.domain.model import Job, Medium
from kiosk.lobby.attempt import attempt
from kiosk.lobby.guard import GuardedApp, Visits
from kiosk.ports import Clock
from kiosk.services.pulse import STALE_S, Pulse

LOOK_S: Final = 3.0  # between two looks at its heartbeat


@dataclass
class EngineSeen(Message):
    """Whether an engine runs, and which media are used up; None if the journal did not answer."""

    is_running: bool | None
    empty: Collection[Medium] | None = None


class WatchingApp(GuardedApp, inherit_bindings=False):
    """The guarded app, and in the background the engine's pulse and the stock.

    Attributes:
        is_closed: No engine runs.
        empty_media: There is none of them left.
    """

    def __init__(
        self,
        clock: Clock,
        visits: Visits,
        pulse: Pulse,
        *,
        find_empty: Callable[[], Collection[Medium]],
        warn_s: float,
        visit_s: float,
        demo: bool,
    ) -> None:
        super().__init__(clock, visits, warn_s=warn_s, visit_s=visit_s, demo=demo)
        self._clock, self._pulse = clock, pulse
        self._find_empty = find_empty
        self._is_feeling = False
        self.is_closed = False
        self.empty_media: Collection[Medium] = ()

    def on_mount(self) -> None:
        self._look_for_engine()
        self.set_interval(LOOK_S, self._look_for_engine)

    def closed_or_opened(self) -> None:
        """`is_closed` has changed."""
        raise NotImplementedError

    def has_stopped(self, job: Job) -> bool:
        """Nobody works on it. An engine told to stop beats no more, but finishes its disc."""
        if not self.is_closed or job.progress is None:
            return self.is_closed
        age = self._clock.now() - job.progress.updated_at
        return age.total_seconds() > STALE_S

    def on_engine_seen(self, message: EngineSeen) -> None:
        """Without an answer of the journal what was known stays."""
        self._is_feeling = False
        if message.empty is not None:
            self.empty_media = message.empty
        if message.is_running is not None and message.is_running is self.is_closed:
            self.is_closed = not message.is_running
            self.closed_or_opened()

    def _look_for_engine(self) -> None:
        if not self._is_feeling:  # a journal that hangs gets one question, not many
            self._is_feeling = True
            self._feel_pulse()

    @work(thread=True, group="engine", exit_on_error=False)
    def _feel_pulse(self) -> None:
        heard, _code = attempt(self._pulse.feel)
        empty, _code = attempt(self._find_empty)
        self.post_message(EngineSeen(None if heard is None else heard.is_running, empty))
