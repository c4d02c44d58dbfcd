"""The wall: public numbers of visits for whoever was asked to take a seat. Nothing is pressed here.

It reads jobs and says for each number what is done, how long it takes, or where to come. Its
languages follow one another, and so do its pages where there is no room for all.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rich.console import Console
from textual import events, work
from textual.app import App, ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message
from textual.screen import Screen

from kiosk.domain.model import Job, OrderId
from kiosk.domain.rates import Rates
from kiosk.domain.wall import SHOWN_AFTER, Call, WallRow, wall_rows
from kiosk.lobby.attempt import attempt
from kiosk.lobby.crash import log_error
from kiosk.lobby.estimate import Estimator, MeasuredRates
from kiosk.lobby.terminal import TerminalDriver
from kiosk.ports import Clock
from kiosk.services.pulse import Pulse
from kiosk.widgets.safe_text import safe_text
from kiosk.widgets.shown import Shown
from kiosk.widgets.theme import KIOSK_THEME
from kiosk.widgets.wording import out_of_service_words, step_words, too_small_words
from kiosk.widgets.words import _, is_right_to_left, number_words, use_language

LOOK_S: Final = 2.0
TURN_S: Final = 8.0  # a page in a language is read in less
_LATE_S: Final = 30.0  # without an answer of the journal nothing is shown that may be old
_LEAST: Final = (40, 8)
_NUMBER_CELLS: Final = 7


@dataclass(frozen=True, slots=True)
class WallParts:
    """What the wall is given.

    Attributes:
        jobs: Those with a number that have not ended, or ended after that moment.
        rates: What the engine measured; asked in a worker.
    """

    jobs: Callable[[datetime], Sequence[Job]]
    pulse: Pulse
    clock: Clock
    site_name: str
    rates: Callable[[], Rates] = Rates
    languages: tuple[str, ...] = ("en",)


class Estimates:
    """The time left of every job that is watched."""

    def __init__(self) -> None:
        self._rates = Rates()
        self._of: dict[OrderId, Estimator] = {}

    def learn(self, rates: Rates) -> None:
        self._rates = rates
        for estimator in self._of.values():
            estimator.learn(rates)

    def see(self, jobs: Sequence[Job], now_s: float) -> dict[OrderId, float | None]:
        """Seconds by job; None where nobody knows."""
        left: dict[OrderId, float | None] = {}
        seen: dict[OrderId, Estimator] = {}
        for job in jobs:
            estimator = seen[job.job_id] = self._of.get(job.job_id) or Estimator(self._rates)
            if job.question is not None or job.progress is None:
                estimator.wait(now_s)
            else:
                left[job.job_id] = estimator.see(job, now_s).left_s
        self._of = seen
        return left


def call_words(row: WallRow) -> str:
    """What stands beside the number, with its sign: an arrow calls."""
    if row.call is Call.DESK:
        return _arrow() + _("Please go to the desk")
    if row.call is Call.KIOSK:
        return _arrow() + _("Please come to the kiosk")
    step = _("Your turn comes next") if row.step is None else step_words(row.step)
    if row.left_s is None:
        return step
    minutes = number_words(max(1, round(row.left_s / 60)))  # short: a line has to hold it
    return " · ".join((step, _("about {number} min").format(number=minutes)))


def _arrow() -> str:
    """It points to where reading goes on; a terminal turns no sign round by itself."""
    return "◀ " if is_right_to_left() else "▶ "


def wall_line(row: WallRow, cells: int) -> str:
    """Number and words, at most so many cells; which way round they stand is `Shown`'s affair."""
    words = safe_text(call_words(row), cells - _NUMBER_CELLS)
    return f"{row.number}    {words}"


class WallSeen(Message):
    """What the journal has; `jobs` None if it did not answer."""

    def __init__(
        self, jobs: Sequence[Job] | None, rates: Rates | None, *, is_running: bool | None
    ) -> None:
        super().__init__()
        self.jobs, self.rates, self.is_running = jobs, rates, is_running


class WallScreen(Screen[None], inherit_bindings=False):
    """Head line, a sentence, and a line a visit."""

    ALLOW_SELECT = False

    DEFAULT_CSS = """
    WallScreen {
        background: $background;
        color: $ink;
        overflow: hidden hidden;
        #head { height: 1; width: 1fr; padding: 0 1; background: $primary; color: $on-dark; }
        #title { height: auto; width: 1fr; padding: 1 1 0 1; text-align: center; text-style: bold; }
        #rows { height: 1fr; width: 1fr; align: center top; padding: 1 2 0 2; }
        #lines { width: 1fr; height: auto; }
        #foot { height: 1; width: 1fr; padding: 0 1; text-align: center; }
    }
    """

    def __init__(self, head: str) -> None:
        super().__init__()
        self._head = head

    def compose(self) -> ComposeResult:
        yield Shown(safe_text(self._head, 76), id="head")
        yield Shown("", id="title")
        with Container(id="rows"):
            yield Shown("", id="lines")
        yield Shown("", id="foot")


class WallApp(App[None], inherit_bindings=False):
    """Run it under `lobby.wrapper`, as the kiosk's app."""

    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    TITLE = "sendhome"

    def __init__(self, parts: WallParts) -> None:
        super().__init__()
        self.error_console = Console(file=io.StringIO())
        self.register_theme(KIOSK_THEME)
        self.theme = KIOSK_THEME.name
        self._parts = parts
        self._estimates = Estimates()
        self._rows: list[WallRow] = []
        self._is_looking, self._is_closed = False, False
        self._seen_s: float | None = None
        self._measured = MeasuredRates(parts.rates, parts.clock)
        self._turn = 0

    def get_driver_class(self) -> type[Driver]:
        found = super().get_driver_class()
        return TerminalDriver if found is LinuxDriver else found

    def get_default_screen(self) -> WallScreen:
        return WallScreen(self._parts.site_name)

    def on_mount(self) -> None:
        self.animation_level = "none"
        self._look()
        self.set_interval(LOOK_S, self._look)
        self.set_interval(TURN_S, self._turn_page)

    def _fatal_error(self) -> None:
        error = sys.exc_info()[1]
        if error is not None:
            log_error("the wall crashed", error)
        self._close_messages_no_wait()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.Paste | events.MouseEvent):
            return  # nothing is pressed here
        await super().on_event(event)

    # --- looking ----------------------------------------------------------------------------------

    def _look(self) -> None:
        if not self._is_looking:  # a journal that hangs gets one question, not many
            self._is_looking = True
            self._ask_journal()
        self.draw()

    @work(thread=True, group="wall", exit_on_error=False)
    def _ask_journal(self) -> None:
        since = self._parts.clock.now() - SHOWN_AFTER
        jobs, _code = attempt(lambda: self._parts.jobs(since))
        heard, _code = attempt(self._parts.pulse.feel)
        rates = self._measured.news()
        is_running = None if heard is None else heard.is_running
        self.post_message(WallSeen(jobs, rates, is_running=is_running))

    def on_wall_seen(self, message: WallSeen) -> None:
        self._is_looking = False
        if message.rates is not None:
            self._estimates.learn(message.rates)
        if message.jobs is None or message.is_running is None:
            return
        clock = self._parts.clock
        self._seen_s, self._is_closed = clock.monotonic_s(), not message.is_running
        left_s = self._estimates.see(message.jobs, self._seen_s)
        self._rows = wall_rows(message.jobs, clock.now(), left_s)
        self.draw()

    # --- drawing ----------------------------------------------------------------------------------

    def on_resize(self, _event: events.Resize) -> None:
        self.call_after_refresh(self.draw)

    def _turn_page(self) -> None:
        self._turn += 1
        self.draw()

    def draw(self) -> None:
        """What is known now, in the language and page whose turn it is."""
        screen = self.screen
        if not isinstance(screen, WallScreen) or not screen.is_mounted:
            return
        width, height = self.size.width, self.size.height
        languages = self._parts.languages
        is_late = self._seen_s is None or (self._parts.clock.monotonic_s() - self._seen_s > _LATE_S)
        rows = [] if is_late or self._is_closed else self._rows
        room = max(1, (height - 6) // 2)
        pages = max(1, -(-len(rows) // room))
        at_page = self._turn % pages
        use_language(languages[self._turn // pages % len(languages)])
        title, foot = _("Your number and your images"), ""
        lines: list[Content] = []
        if width < _LEAST[0] or height < _LEAST[1]:
            title = too_small_words()
        elif self._is_closed or is_late:
            sentence = out_of_service_words()
            title, lines = sentence.title, [Content(sentence.text)]
            if self._seen_s is None:
                title, lines = _("One moment, please"), []
        elif not rows:
            lines = [Content(_("Nobody is waiting for images just now."))]
        else:
            shown = rows[at_page * room : (at_page + 1) * room]
            lines = [
                Content.styled(wall_line(row, width - 4), "" if row.call is Call.WAIT else "bold")
                for row in shown
            ]
            if pages > 1:
                foot = _("{page} of {pages}").format(page=at_page + 1, pages=pages)
        screen.query_one("#title", Shown).show(title)
        at_lines = screen.query_one("#lines", Shown)
        at_lines.styles.text_align = "right" if is_right_to_left() else "left"
        at_lines.show(Content("\n\n").join(lines))
        screen.query_one("#foot", Shown).show(foot)
