"""A monkey at the kiosk: `python -m tests.ui.monkey --events 10000 [--seed N]`.

Random keys, touches, scans, resizes, job and engine changes and clock jumps against the real app
under Pilot, with some events that a visitor would send on purpose so that it comes further than the
first screens. After the end of each visit nothing of any visitor may be left: not on the screen,
not in what can be reached from the app, not in the log. Idling must always lead to welcome.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import contextvars
import dataclasses
import gc
import logging
import random
import sys
import types
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

from textual import events
from textual.errors import NoWidget
from textual.pilot import OutOfBounds

from kiosk.domain.claim import Reading
from kiosk.domain.facts import PHONE_DIGITS, SecondFacts
from kiosk.domain.fee import AverageSchedule, FeePolicy
from kiosk.domain.model import Medium, OrderId, Step, Wanted
from kiosk.domain.protection import Protect
from kiosk.domain.recipient import Doctor
from kiosk.domain.ticket import TicketKeys
from kiosk.domain.unfit import Unfit
from kiosk.errors import ReceiptPaperOutError
from kiosk.lobby.screens.base import LobbyScreen
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.form import HandSignatureScreen
from kiosk.lobby.screens.question import QuestionScreen
from kiosk.lobby.screens.stopped import OutOfServiceScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.services.identify import IdentifyPolicy, issue_ticket
from kiosk.widgets.buttons import TouchButton
from tests.fakes.clock import START
from tests.fakes.lobby import SENT_AS, Hall, Visitor
from tests.fakes.orders import an_order
from tests.fakes.papers import FakeForms, FakeMedia, FakePrinter, receipts_of
from tests.fakes.passwords import PASSWORD
from tests.fakes.tickets import FakeTickets
from tests.licences import SAMPLE, card
from tests.ui.measure import painted
from tests.ui.screens import every_screen

SIZES: Final = [(80, 24), (64, 20), (120, 36), (200, 60), (63, 24), (80, 19), (20, 5), (1, 1)]
KEYS: Final = [
    "tab", "shift+tab", "enter", "space", "escape", "up", "down", "left", "right", "backspace",
    "delete", "home", "pageup", "ctrl+c", "ctrl+d", "ctrl+q", "ctrl+z", "ctrl+p", "ctrl+v",
    *(f"f{number}" for number in range(1, 13)),
]  # fmt: skip
POLICY: Final = IdentifyPolicy(
    kiosk_tries=10**6, reading=Reading(True, True), order_days=10**4, alert_after=10**6
)
FEES: Final = FeePolicy(patient=AverageSchedule(dict.fromkeys(Medium, 500)))
FAILURES: Final = (
    "archive.incomplete", "medium.failed", "label.failed", "label.paper_out",
    "medium.not_protected", "x[/]",
)  # fmt: skip
DOCTORS: Final = (Doctor("d1", "Dr. Ann Lee", ("1 Main St",), "Riverside Practice"),)
ONWARD: Final = ".primary, #yes, #me, #medium-disc, #medium-stick, #copies-1, #by-hand"
EVERY: Final = 250  # events between two times of idling
NAMES: Final = ("QUOKKA^XYLIA", "ZEBRAFINK^WOLMAR", "OCELOTTI^BRUNHILD", "KATYDIDO^ISKANDER")
BORN: Final = ("19310713", "19471129", "19520229", "19680817")


@dataclasses.dataclass(frozen=True)
class Person:
    """A visitor, and all texts that must be gone after him."""

    order_id: OrderId
    born: str  # as it is typed
    phone: str
    scans: tuple[str, ...]
    code: str
    canaries: tuple[str, ...]


class Monkey:
    """One app, one seed.

    Raises:
        AssertionError: With the seed and the number of the event.
    """

    def __init__(self, seed: int, events_wanted: int) -> None:
        self._draw = random.Random(seed)
        self.seed, self._wanted = seed, events_wanted
        today = START.astimezone().strftime("%Y%m%d")
        orders = [
            an_order(
                number + 1,
                name=name,
                birth_date=born,
                study_date=today,
                send_home=True,
                facts=SecondFacts(f"VISIT-{7301 + number}", f"{8642 + number}", f"QZ{number}XJ9"),
            )
            for number, (name, born) in enumerate(zip(NAMES, BORN, strict=True))
        ]
        self.forms, self._printer = FakeForms(), FakePrinter()
        self.hall = Hall(
            *orders,
            policy=POLICY,
            fees=FEES,
            protect=Protect.OPTIONAL,
            for_whom=True,
            doctors=DOCTORS,
            max_copies=2,
            forms=self.forms,
        )
        receipts = receipts_of(self.hall, self._printer, FakeMedia())
        self.hall.parts = dataclasses.replace(self.hall.parts, receipts=receipts)
        self.people = [self._person(at) for at in range(len(orders))]
        self._strange = [issue_elsewhere(self.hall), *STRANGE]
        self.counts: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.asked: Counter[Wanted] = Counter()
        self.visits = self.crawls = self.at = 0
        self._last = ""
        self._log = _Log()

    def _person(self, number: int) -> Person:
        order = list(self.hall.orders.rows.values())[number]
        ticket = self.hall.ticket if number == 0 else self.hall.issue(order)
        family, given = order.patient.name.split("^")
        year, month, day = (
            order.patient.birth_date[at] for at in (slice(4), slice(4, 6), slice(6, 8))
        )
        facts = order.facts
        licence = card(("DCS", family), ("DAC", given), ("DBB", month + day + year))
        typed = day + month + year
        return Person(
            order.order_id,
            typed,
            facts.phone_digits,
            (ticket.qr_text, facts.visit_number, licence),
            ticket.code,
            (
                family,
                given.title(),
                given,
                ticket.code,
                ticket.qr_text,
                facts.visit_number,
                facts.phone_digits,
                facts.postcode,
                typed,
                order.patient.birth_date,
                " ".join(typed[:2]) + "  ",
                order.accession_number,
            ),
        )

    # --- the run ----------------------------------------------------------------------------------

    async def run(self) -> None:
        logger = logging.getLogger()
        logger.addHandler(self._log)
        try:
            async with self.hall.app().run_test() as pilot:
                visitor = Visitor(pilot)
                await visitor.sees(WelcomeScreen)
                try:
                    await self._events(visitor)
                except Exception as error:
                    said = f"seed {self.seed}, event {self.at}, {self._last}: {error!r}"
                    raise AssertionError(f"{said}\n{self._log.text[-3000:]}") from error
        finally:
            logger.removeHandler(self._log)
        self._check_log()

    async def _events(self, visitor: Visitor) -> None:
        for at in range(1, self._wanted + 1):
            self.at = at
            await self._one(visitor)
            self._look(visitor)
            if at % EVERY == 0 or at == self._wanted:
                await self._idle(visitor)

    async def _one(self, visitor: Visitor) -> None:
        choices: list[tuple[int, int, Callable[[Visitor], Awaitable[None]]]] = [
            (20, 4, self._key),
            (16, 4, self._touch_anywhere),
            (18, 6, self._press_button),
            (14, 50, self._sensible),
            (12, 1, self._scan),
            (4, 2, self._resize),
            (10, 25, self._job),
            (4, 1, self._clock),
            (2, 0, self._engine),
            (2, 4, self._paper),
        ]
        # Wildness alone never comes past the form: every second stretch is a visitor with a plan.
        has_plan = self.at // EVERY % 2 == 1
        weights = [planned if has_plan else wild for wild, planned, _event in choices]
        *_weights, event = self._draw.choices(choices, weights)[0]
        self._last = event.__name__.strip("_")
        self.counts[self._last] += 1
        await event(visitor)
        if (
            has_plan or self._draw.random() < 0.3
        ):  # else the next one comes while this one is still worked at
            await visitor.pilot.pause()
        assert visitor.app.is_running, "the app has ended"

    def _look(self, visitor: Visitor) -> None:
        screen = visitor.app.current()
        self.seen[type(screen).__name__] += 1
        if isinstance(screen, QuestionScreen):
            self.asked[screen.question.wanted] += 1

    def not_met(self) -> list[str]:
        """Screens and questions that no event came to."""
        kinds = {type(make()).__name__ for make in every_screen().values()}
        return [
            *sorted(kinds - set(self.seen)),
            *(f"question {it.value}" for it in Wanted if it not in self.asked),
        ]

    # --- what a person or a machine does ----------------------------------------------------------

    async def _key(self, visitor: Visitor) -> None:
        if self._draw.random() < 0.5:
            key = self._draw.choice(KEYS)
            self._post(visitor, events.Key(key, {"enter": "\r", "space": " "}.get(key)))
        else:
            character = chr(self._draw.choice([*range(32, 127), 0x0663, 0x4E2D, 0x1F600, 0x202E]))
            self._post(visitor, events.Key(character, character))

    async def _touch_anywhere(self, visitor: Visitor) -> None:
        size = visitor.app.size
        at = (self._draw.randrange(max(1, size.width)), self._draw.randrange(max(1, size.height)))
        try:
            await visitor.pilot.click(offset=at, times=self._draw.choice((1, 1, 1, 2, 3)))
        except NoWidget:  # Pilot looks what is there, and just then the screen changes
            self.counts["touches beside a screen"] += 1

    async def _press_button(self, visitor: Visitor) -> None:
        buttons = [it for it in visitor.app.screen.query(TouchButton) if not it.disabled]
        if buttons:
            self._draw.choice(buttons).action_press()

    async def _sensible(self, visitor: Visitor) -> None:
        """What brings a visit on: a good scan, the right answer, or the button that goes on."""
        self.hall.stations.run()
        person = self._draw.choice(self.people)
        screen = visitor.app.current()
        if screen is None or not screen.is_mounted:
            return
        if isinstance(screen, WelcomeScreen):
            await self._send(visitor, self._draw.choice(person.scans))
        elif screen.entry:
            for character in "\b" * 80 + self._text_for(screen, visitor, person):
                screen.typed(character)
        elif isinstance(screen, HandSignatureScreen):
            with contextlib.suppress(NoWidget, OutOfBounds):  # a resize comes between
                await visitor.pilot.mouse_down("#drawing", offset=(2, 2))
                await visitor.pilot.hover("#drawing", offset=(12, 4))
                await visitor.pilot.mouse_up("#drawing", offset=(20, 2))
        onward = [it for it in visitor.app.screen.query(ONWARD) if not it.disabled]
        if not onward:  # a form is signed once it was read
            onward = [it for it in visitor.app.screen.query("#down") if not it.disabled]
        if onward and isinstance(onward[-1], TouchButton):
            onward[-1].action_press()

    def _text_for(self, screen: LobbyScreen, visitor: Visitor, person: Person) -> str:
        """What whoever is at the screen would type there."""
        visit = visitor.app._visit
        if screen.takes_text and visit.release is not None:
            family, given = visit.release.order.patient.name.split("^")
            return f"{given} {family}"
        if visit.claim is None:
            return person.code
        return self._answer_for(visit.claim.parsed, is_date=isinstance(screen, BirthDateScreen))

    def _answer_for(self, parsed: object, *, is_date: bool) -> str:
        """Of the person whose scan it was, mostly."""
        said = [str(getattr(parsed, name, "")) for name in ("handle", "code", "text", "family")]
        mine = next(
            (
                it
                for it in self.people
                if any(one and one in "".join(it.scans) + it.code for one in said)
            ),
            self._draw.choice(self.people),
        )
        return mine.born if is_date else mine.phone

    async def _scan(self, visitor: Visitor) -> None:
        known = [scan for person in self.people for scan in person.scans]
        text = self._draw.choice([self._draw.choice(known), self._draw.choice(self._strange)])
        if self._draw.random() < 0.15:  # torn, or with something in it
            at = self._draw.randrange(len(text) + 1)
            text = (
                text[:at]
                + self._draw.choice(("", "\x1b", "\x1b[A", "\n", "\x7f", "\u202e"))
                + text[at:]
            )
        await self._send(visitor, text)

    async def _send(self, visitor: Visitor, text: str) -> None:
        gap_s = self._draw.choice((0.0, 0.001, 0.02, 0.05, 0.09, 0.12))
        text = text if gap_s < 0.06 else text[:60]
        end = self._draw.choice(("\r", "\r", "\r", "\r\n", "\t", ""))
        keys = [events.Key(SENT_AS.get(it, it), it) for it in text + end]
        for at, key in enumerate(keys):
            key.time = keys[-1].time - gap_s * (len(keys) - at)
            self._post(visitor, key)

    async def _resize(self, visitor: Visitor) -> None:
        await visitor.pilot.resize_terminal(*self._draw.choice(SIZES))

    async def _job(self, visitor: Visitor) -> None:
        jobs = self.hall.jobs
        running = [job_id for job_id, job in jobs.rows.items() if not job.has_ended]
        if not running:
            return
        job_id, what = self._draw.choice(running), self._draw.random()
        if what < 0.4:
            step = self._draw.choice(list(Step))
            jobs.at_step(job_id, step, self._draw.randrange(101), 100)
        elif what < 0.8:
            unfit = self._draw.choice([None, *Unfit])
            question = jobs.ask(job_id, self._draw.choice(list(Wanted)))
            question = dataclasses.replace(question, unfit=unfit)
            jobs.rows[job_id] = dataclasses.replace(jobs.get(job_id), question=question)
        elif what < 0.9:
            jobs.done(job_id)
        else:
            jobs.fail(job_id, self._draw.choice(FAILURES))

    async def _clock(self, visitor: Visitor) -> None:
        self.hall.clock.advance(self._draw.choice((0.5, 5, 26, 46, 121, 700, 4000)))
        await asyncio.sleep(0.01)

    async def _engine(self, visitor: Visitor) -> None:
        stations = self.hall.stations
        self._draw.choice((stations.run, stations.run, stations.run, stations.stop))()

    async def _paper(self, visitor: Visitor) -> None:
        """The printer of receipts has none, or has some again."""
        trouble = self._printer.trouble is None and self._draw.random() < 0.5
        self._printer.trouble = ReceiptPaperOutError("receipt.paper_out") if trouble else None

    @staticmethod
    def _post(visitor: Visitor, event: events.Key) -> None:
        event.set_sender(visitor.app)
        visitor.app.post_message(event)

    # --- what must hold ---------------------------------------------------------------------------

    async def _idle(self, visitor: Visitor) -> None:
        """Nobody is there any more: the welcome comes, and with it everything is gone."""
        app = visitor.app
        await visitor.pilot.resize_terminal(80, 24)
        self.hall.stations.run()
        await visitor.until(lambda: not app._scanner.is_holding)
        for _ in range(40):
            await visitor.wait_s(self.hall.clock, 130)
            await app.workers.wait_for_complete()
            screen = app.current()
            is_home = isinstance(screen, WelcomeScreen | OutOfServiceScreen)
            if is_home and app.screen is screen and app.comfort == app._usual:
                break
        else:
            stack = [type(it).__name__ for it in app.screen_stack]
            raise AssertionError(
                f"idling does not lead to welcome: {stack}, {app._idle.state}, {app.is_busy()}, "
                f"closed: {app.is_closed}, {app.comfort}, {app._idle.left_s} s left"
            )
        await visitor.until(lambda: not app._scanner.is_holding)
        await visitor.pilot.pause()
        self.visits += 1
        self._check_screen(visitor)
        self._check_memory(app)
        self._check_log()
        self._renew()

    def _check_screen(self, visitor: Visitor) -> None:
        shown = painted(visitor.app) + visitor.text() + visitor.app.export_screenshot()
        left = [it for it in self._canaries() if it in shown and not it.isdigit()]
        assert not left, f"on the screen: {left}"

    def _check_memory(self, app: Any) -> None:
        """All strings that can be reached from the app, but through the fakes of the hall.

        Nor through the event loop: Python's contexts of old timers may hold a screen for a while.
        """
        self.crawls += 1
        hall = {id(self.hall), id(self.hall.parts), id(self), *map(id, vars(self.hall).values())}
        hall |= {
            id(getattr(self.hall.parts, it.name)) for it in dataclasses.fields(self.hall.parts)
        }
        canaries, found = self._canaries(), []
        queue: list[tuple[Any, str]] = [(vars(app), "app")]
        seen = {*hall, id(gc.get_objects)}
        while queue:
            one, way = queue.pop()
            for other in held_by(one):
                if id(other) in seen or isinstance(other, SKIPPED):
                    continue
                seen.add(id(other))
                if isinstance(other, str | bytes):
                    text = other if isinstance(other, str) else other.decode("latin-1")
                    found += [f"{way}: {it}" for it in canaries if is_in(it, text)]
                else:
                    queue.append((other, f"{way[-200:]} > {type(other).__name__}"))
        assert not found, f"in memory: {found[:5]}"

    def _check_log(self) -> None:
        left = [it for it in self._canaries() if len(it) > PHONE_DIGITS and it in self._log.text]
        assert not left, f"in the log: {left}"
        for word in ("crashed", "broke", "uncaught", "Traceback"):
            assert word not in self._log.text, self._log.text[-3000:]

    def _canaries(self) -> list[str]:
        people = [it for person in self.people for it in person.canaries]
        return [*people, PASSWORD.text]

    def _renew(self) -> None:
        """Locks and finished jobs would leave only refusals."""
        self.hall.tickets.refusals.clear()
        self.hall.tickets.tries.clear()
        self.hall.jobs.rows.clear()
        self.hall.passwords.password = PASSWORD
        self.hall.tickets.rows = {
            key: dataclasses.replace(
                row,
                failures=0,
                used_at=None,
                expires_at=self.hall.clock.now() + timedelta(days=1),
            )
            for key, row in self.hall.tickets.rows.items()
        }

    def report(self) -> str:
        done = ", ".join(f"{name} {count}" for name, count in self.counts.most_common())
        seen = ", ".join(f"{name} {count}" for name, count in self.seen.most_common())
        return (
            f"seed {self.seed}: {self.at} events ({done}); {self.visits} times idle to welcome, "
            f"{self.crawls} searches of memory; screens: {seen}; "
            f"not met: {', '.join(self.not_met()) or 'none'}"
        )


def is_in(canary: str, text: str) -> bool:
    """Four digits stand in many places, such as the number of a style."""
    return canary == text if len(canary) <= PHONE_DIGITS else canary in text


def held_by(one: object) -> list[Any]:
    """What it refers to; of a function what it closes over, not its module."""
    if isinstance(one, types.FunctionType):
        return [one.__closure__, one.__defaults__, one.__kwdefaults__]
    return gc.get_referents(one)


SKIPPED: Final = (
    type,
    types.ModuleType,
    types.CodeType,
    logging.Logger,
    asyncio.AbstractEventLoop,
    contextvars.Context,
)
STRANGE: Final = [
    "4006381333931", "https://example.org/a?b=c", "P1001*", "x" * 2500, SAMPLE, SAMPLE[:200], "@",
    "\x1b[2J\x1b[A\x1b[B", "[bold]red[/]", "\x00\x01\x02abcdef", "SH1" + "0" * 44, "@\nANSI 63",
]  # fmt: skip


def issue_elsewhere(hall: Hall) -> str:
    """A ticket of another site."""
    return issue_ticket(
        an_order(99),
        tickets=FakeTickets(),
        clock=hall.clock,
        keys=TicketKeys((b"o" * 32,)),
        actor="staff:test",
    ).qr_text


class _Log(logging.Handler):
    """Everything that is logged, as text."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += record.getMessage() + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    chosen = parser.parse_args()
    sys.stdout.write(f"seed {chosen.seed}\n")
    sys.stdout.flush()
    monkey = Monkey(chosen.seed, chosen.events)
    asyncio.run(monkey.run())
    sys.stdout.write(monkey.report() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
