"""A lobby with everything around it in memory, and a person who uses it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import timedelta

from textual import events
from textual.pilot import Pilot
from textual.widgets import Static

from kiosk.domain.model import Order, Wanted
from kiosk.domain.ticket import Ticket, TicketKeys
from kiosk.lobby.app import LobbyApp
from kiosk.lobby.parts import DemoPerson, LobbyParts
from kiosk.lobby.screens.base import LobbyScreen
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.exams import ExamsScreen
from kiosk.lobby.screens.is_this_you import IsThisYouScreen
from kiosk.lobby.screens.medium import MediumScreen
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.services.identify import Identify, IdentifyPolicy, issue_ticket
from kiosk.services.pulse import Pulse
from kiosk.services.request import Request
from tests.fakes.audit import FakeAuditLog
from tests.fakes.calls import FakeCalls
from tests.fakes.clock import FakeClock
from tests.fakes.jobs import FakeJobs
from tests.fakes.orders import FakeOrders, an_order
from tests.fakes.passwords import FakePasswords
from tests.fakes.presence import FakePresence
from tests.fakes.speech import FakeSpeech
from tests.fakes.stations import FakeStations
from tests.fakes.tickets import FakeTickets

KEYS = TicketKeys((b"k" * 32,))
PEOPLE = (
    DemoPerson("Maria Garcia", "7K3M-X9QD", "3 March 1961"),
    DemoPerson("Wei Zhang", "0QWE-RTY2", "12 December 1948"),
    DemoPerson("Aino Mäkelä", "ABCD-EFGH", "29 February 1952"),
    DemoPerson("Patrick O'Brien", "MNPQ-RSTV", "1 January 1990"),
    DemoPerson("Fatima El-Amrani", "9876-5432", "31 October 1975"),
)

SENT_AS = {"\r": "enter", "\n": "ctrl+j", "\t": "tab", "\x1b": "escape", "\x7f": "backspace"}


class Hall:
    """Fakes, services and the parts of one kiosk."""

    def __init__(
        self, *orders: Order, policy: IdentifyPolicy | None = None, **changes: object
    ) -> None:
        self.clock = FakeClock()
        self.order = orders[0] if orders else an_order()
        self.orders = FakeOrders(*(orders or (self.order,)))
        self.tickets = FakeTickets()
        self.jobs = FakeJobs(self.clock)
        self.audit = FakeAuditLog()
        self.presence = FakePresence(self.clock)
        self.passwords = FakePasswords()
        self.calls = FakeCalls(self.clock)
        self.speech = FakeSpeech()
        self.stations = FakeStations(self.clock)
        self.hand: list[Wanted] = []
        self.ticket: Ticket = self.issue(self.order)
        parts = LobbyParts(
            orders=self.orders,
            tickets=self.tickets,
            jobs=self.jobs,
            identify=Identify(
                orders=self.orders,
                tickets=self.tickets,
                jobs=self.jobs,
                clock=self.clock,
                audit=self.audit,
                calls=self.calls,
                keys=KEYS,
                kiosk="hall",
                policy=policy,
            ),
            request=Request(jobs=self.jobs, tickets=self.tickets, clock=self.clock, kiosk="hall"),
            presence=self.presence,
            passwords=self.passwords,
            pulse=Pulse(self.stations, self.clock, "hall"),
            clock=self.clock,
            site_name="Riverside Imaging",
            calls=self.calls,
            speech=self.speech,
            kiosk_name="hall",
            people=PEOPLE,
            demo_hand=self.hand.append,
        )
        self.parts = dataclasses.replace(parts, **changes)  # type: ignore[arg-type]  # by name

    def issue(self, order: Order) -> Ticket:
        return issue_ticket(
            order,
            tickets=self.tickets,
            clock=self.clock,
            keys=KEYS,
            actor="staff:test",
            valid_for=timedelta(hours=24),
        )

    def app(self, *, demo: bool = False) -> LobbyApp:
        return LobbyApp(self.parts, demo=demo)


class Visitor:
    """Uses the app through a Pilot; waits for what should appear instead of sleeping."""

    def __init__(self, pilot: Pilot[None]) -> None:
        self.pilot = pilot
        app = pilot.app
        assert isinstance(app, LobbyApp)
        self.app = app

    @property
    def screen(self) -> LobbyScreen:
        screen = self.app.current()
        assert screen is not None
        return screen

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait at most ten seconds for it."""
        for _ in range(500):
            if condition():
                await self.pilot.pause()
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"never came true; on {type(self.app.screen).__name__}")

    async def sees(self, kind: type[LobbyScreen]) -> None:
        await self.until(lambda: type(self.app.screen) is kind and self.app.screen.is_mounted)

    async def touch(self, selector: str) -> None:
        await self.until(lambda: self._is_on_top(selector))
        assert await self.pilot.click(selector), selector

    async def signs(self, selector: str) -> None:
        """Read the form to its end, page by page, then sign in that way."""
        await self.until(lambda: self._is_on_top(selector))
        for _page in range(20):
            if not self.app.screen.query_one(selector).disabled:
                break
            await self.touch("#down")
        await self.until(lambda: not self.app.screen.query_one(selector).disabled)
        await self.touch(selector)

    def _is_on_top(self, selector: str) -> bool:
        """Whether a finger there would meet it: a new layout takes a moment on a busy machine."""
        found = self.app.screen.query(selector)
        if not found or not found.first().region:
            return False
        centre = found.first().region.center
        x, y = int(centre[0]), int(centre[1])
        widget, _ = self.app.screen.get_widget_at(x, y)
        return found.first() in widget.ancestors_with_self

    async def scan(self, text: str, end: str = "enter", gap_s: float = 0.0001) -> None:
        """All keys within a moment, as a scanner sends them; their times are `gap_s` apart."""
        keys = [events.Key(SENT_AS.get(character, character), character) for character in text]
        if end:
            keys.append(events.Key(end, "\r" if end == "enter" else None))
        for at, key in enumerate(keys):
            key.time = keys[-1].time - gap_s * (len(keys) - at)  # this process may be slow
            key.set_sender(self.app)
            self.app.post_message(key)
        await self.pilot.pause()

    async def until_shown(self, before: str, where: str) -> None:
        """Until the terminal shows these characters again."""
        for _ in range(500):
            strips = self.app.screen._compositor.render_strips()
            now = " ".join(" ".join(strip.text for strip in strips).split())
            if now == before:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{where}: {now}\ninstead of {before}")

    async def types(self, text: str) -> None:
        """As fingers do: each key waits until it has been let through."""
        for character in text:
            await self.pilot.press(character)
            await self.until(lambda: not self.app._scanner.is_holding)

    def text(self) -> str:
        """All that the screen says."""
        parts = [str(it.render()) for it in self.app.screen.query(Static)]
        parts += [str(it.render()) for it in self.app.screen.query("TouchButton")]
        return "\n".join(parts)

    def said(self) -> str:
        """The same in one line: where a sentence breaks is the screen's affair."""
        return " ".join(self.text().split())

    async def wait_s(self, clock: FakeClock, seconds: float) -> None:
        """Let time pass and the app notice."""
        clock.advance(seconds)
        ticks = self.app._ticks
        await self.until(lambda: self.app._ticks >= ticks + 2)

    async def identify(self, ticket: Ticket, digits: str = "03031961") -> None:
        await self.scan(ticket.qr_text)
        await self.birth_date(digits)

    async def birth_date(self, digits: str = "03031961") -> None:
        await self.sees(BirthDateScreen)
        for digit in digits:
            self.screen.typed(digit)  # touching each key is tested once, by hand
        await self.pilot.pause()
        await self.touch("#go")

    async def says_who_he_is(self, hall: Hall) -> None:
        """From welcome past the question whether this is he."""
        await self.sees(WelcomeScreen)
        await self.says_who_he_is_from_anywhere(hall)

    async def says_who_he_is_from_anywhere(self, hall: Hall) -> None:
        """By a scan, past the question whether this is he."""
        await self.identify(hall.ticket)
        await self.sees(IsThisYouScreen)
        await self.touch("#yes")

    async def wants_all_exams(self, hall: Hall) -> None:
        """From welcome to whatever is asked once it is known which exams."""
        await self.says_who_he_is(hall)
        await self.sees(ExamsScreen)
        await self.touch("#go")

    async def makes_a_disc(self, hall: Hall) -> None:
        """From welcome to the progress screen."""
        await self.wants_all_exams(hall)
        await self.sees(MediumScreen)
        await self.touch("#medium-disc")
        await self.sees(ProgressScreen)
