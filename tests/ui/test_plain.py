"""The visit as numbered lines: the same app, read and answered line by line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from kiosk.domain.claim import Reading
from kiosk.domain.model import Step, Wanted
from kiosk.domain.protection import Protect
from kiosk.lobby.plain import PlainKiosk
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.services.identify import IdentifyPolicy
from tests.fakes.hostile import HOSTILE
from tests.fakes.lobby import Hall
from tests.fakes.orders import an_order
from tests.fakes.passwords import PASSWORD


class Reader:
    """Somebody with a Braille line: reads what comes, types lines."""

    def __init__(self, hall: Hall) -> None:
        self.lines: list[str] = []
        self.forgotten = 0
        self._typed: asyncio.Queue[str | None] = asyncio.Queue()
        self.app = hall.app()
        self.kiosk = PlainKiosk(self.app, self._input(), self.lines.append, self._forget)

    def _forget(self) -> None:
        self.lines.clear()
        self.forgotten += 1

    async def _input(self) -> AsyncIterator[str]:
        while (line := await self._typed.get()) is not None:
            yield line

    def types(self, line: str | None) -> None:
        self._typed.put_nowait(line)

    async def reads(self, text: str) -> None:
        for _ in range(500):
            if any(text in line for line in self.lines):
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{text!r} never came:\n" + "\n".join(self.lines))

    async def presses(self, label: str) -> None:
        """The newest line with that label has its number in front."""
        await self.reads(f". {label}")
        line = next(it for it in reversed(self.lines) if f". {label}" in it)
        self.lines.clear()
        self.types(line.split(".")[0])

    async def reads_to_the_end(self) -> None:
        """A paper of several pages."""
        for page in range(1, 40):
            await self.reads(f"page {page} of")
            if any(f"page {page} of {page}" in line for line in self.lines):
                return
            await self.presses("Next page")


async def run(hall: Hall, person: Callable[[Reader], Awaitable[None]]) -> Reader:
    reader = Reader(hall)
    running = asyncio.create_task(reader.kiosk.run())
    try:
        await person(reader)
    finally:
        reader.types(None)
        assert await running == 0
    return reader


async def test_a_whole_visit(hall: Hall) -> None:
    job_id = hall.order.order_id

    async def person(reader: Reader) -> None:
        await reader.reads("Take your images home")
        await reader.presses("Start")
        await reader.reads("Type the 8 characters")
        reader.types(hall.ticket.code[:4] + "-" + hall.ticket.code[4:])
        await reader.presses("Next")
        await reader.reads("Type 8 digits: Day, Month, Year.")
        reader.types("03 03 1961")
        await reader.reads("3 March 1961")
        await reader.presses("Continue")
        await reader.reads("Maria G.")
        await reader.presses("Yes")
        await reader.presses("Continue")
        await reader.presses("Disc")
        await reader.reads("We are making your disc")
        hall.jobs.at_step(job_id, Step.WRITE, 1, 10)
        await reader.reads("Writing")
        hall.jobs.at_step(job_id, Step.HAND_OVER, 1, 1)
        hall.jobs.ask(job_id, Wanted.TAKE_MEDIUM)
        await reader.reads("The tray is open")
        await reader.presses("I have it")
        await reader.presses("Goodbye")
        await reader.reads("Take your images home")

    reader = await run(hall, person)
    assert reader.forgotten == 2  # at the end of the visit and of the kiosk
    assert "Maria" not in "\n".join(reader.lines)
    assert hall.jobs.submitted[0][0] == job_id


async def test_a_password_is_said_once_and_not_at_every_step() -> None:
    hall = Hall(protect=Protect.ALWAYS)
    job_id = hall.order.order_id

    def passwords(reader: Reader) -> list[str]:
        return [line for line in reader.lines if PASSWORD.text in line]

    async def person(reader: Reader) -> None:
        await reader.reads("Take your images home")
        reader.types(hall.ticket.qr_text)
        await reader.reads("When were you born?")
        reader.types("03 03 1961")
        await reader.presses("Continue")
        await reader.presses("Yes")
        await reader.presses("Continue")
        await reader.presses("Disc")
        await reader.reads(PASSWORD.text)
        for step, words in (
            (Step.COMPOSE, "Putting them in order"),
            (Step.WRITE, "Writing"),
            (Step.VERIFY, "Reading"),
        ):
            hall.jobs.at_step(job_id, step, 1, 10)
            await reader.reads(words)
        assert len(passwords(reader)) == 1
        reader.types("")  # everything again
        await reader.reads("Type a number")
        for _ in range(500):
            if len(passwords(reader)) == 2:
                return
            await asyncio.sleep(0.02)
        raise AssertionError("an empty line did not say it again")

    await run(hall, person)


async def test_a_scan_a_wrong_number_and_another_language(hall: Hall) -> None:
    async def person(reader: Reader) -> None:
        await reader.reads("Take your images home")
        reader.types("99")
        await reader.reads("no such number")
        reader.types(hall.ticket.qr_text)
        await reader.reads("When were you born?")
        reader.types("04.03.1961")
        await reader.presses("Continue")
        await reader.reads("We could not match those details.")
        await reader.presses("Help, language")
        await reader.presses("Deutsch")
        await reader.reads("Diese Angaben passen nicht zusammen.")
        await reader.presses("Personal rufen")
        await reader.reads("Wir rufen jemanden.")

    await run(hall, person)
    assert len(hall.calls.rows) == 1


async def test_idle_is_announced_and_ends_the_visit(hall: Hall) -> None:
    async def person(reader: Reader) -> None:
        await reader.reads("Take your images home")
        reader.types(hall.ticket.qr_text)
        await reader.reads("When were you born?")
        hall.clock.advance(30)
        await reader.reads("Are you still there?")
        reader.lines.clear()
        reader.types("")  # any line will do
        await reader.reads("When were you born?")
        hall.clock.advance(50)
        await reader.reads("Take your images home")

    reader = await run(hall, person)
    assert reader.forgotten == 2


async def test_hostile_lines_and_hostile_names_are_harmless() -> None:
    hall = Hall(an_order(name="Gar\x1b[2Jcia^[bold]Ma\u202eria"))

    async def person(reader: Reader) -> None:
        await reader.reads("Take your images home")
        for line in (*HOSTILE, "x" * 10_000, "\x00\x1b]52;c;eA==\x07", "٣", "1" * 500):
            reader.types(line)
        for _ in range(500):
            if reader._typed.empty():
                break
            await asyncio.sleep(0.02)
        assert isinstance(reader.app.current(), WelcomeScreen)
        reader.types(hall.ticket.qr_text)
        await reader.reads("When were you born?")
        reader.types("03031961")
        await reader.presses("Continue")
        await reader.reads("Is this you?")
        for line in reader.lines:
            assert line.isprintable()

    await run(hall, person)


async def test_a_number_is_no_scan() -> None:
    """Nobody can tell a line that was typed from one that was scanned, but by a ticket's seal."""
    hall = Hall(policy=IdentifyPolicy(reading=Reading(True, True)))

    async def person(reader: Reader) -> None:
        await reader.reads("Take your images home")
        reader.types(str(hall.order.accession_number))
        await asyncio.sleep(0.5)
        assert isinstance(reader.app.screen, WelcomeScreen)
        reader.types(hall.ticket.qr_text)
        await reader.reads("When were you born?")

    await run(hall, person)


async def test_an_address_is_no_ticket() -> None:
    hall = Hall(for_whom=True)

    async def person(reader: Reader) -> None:
        await reader.reads("Take your images home")
        reader.types(hall.ticket.qr_text)
        await reader.reads("When were you born?")
        reader.types("03031961")
        for label in ("Continue", "Yes", "Continue", "For someone I name"):
            await reader.presses(label)
        await reader.reads("Type first and last name")
        reader.types("Dr Maria Garcia")
        await reader.presses("Next")
        await reader.reads("Type the address")
        reader.types("maria.garcia61@hospital.example.org")
        await reader.presses("Next")
        await reader.reads("Is this right?")
        await reader.reads("maria.garcia61@hospital.example.org")

    await run(hall, person)
