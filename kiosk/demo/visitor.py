"""A visit without a person: touches the lobby's buttons as one would, on a screen nobody sees.

The app, the journal, the engine and the drive are the same as with a person.
"""

from __future__ import annotations

import asyncio
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from string import ascii_lowercase

from textual.pilot import Pilot

from kiosk.adapters.spool import MARK
from kiosk.domain.model import ExecutionStatus, Question
from kiosk.errors import JobFailedError
from kiosk.lobby.app import LobbyApp
from kiosk.lobby.parts import DemoPerson
from kiosk.lobby.screens.base import LobbyScreen
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.cost import CostScreen
from kiosk.lobby.screens.exams import ExamsScreen
from kiosk.lobby.screens.form import FormScreen, NameSignatureScreen
from kiosk.lobby.screens.is_this_you import IsThisYouScreen
from kiosk.lobby.screens.medium import MediumScreen
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.question import QuestionScreen
from kiosk.lobby.screens.receipt import Printing, ReceiptScreen
from kiosk.lobby.screens.sentence import SorryScreen, ThanksScreen
from kiosk.lobby.screens.ticket import TicketScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.lobby.screens.whom import WhomScreen
from kiosk.ports import Jobs

SIZE = (80, 24)
LOOK_S = 0.05


async def visit(
    app: LobbyApp,
    person: DemoPerson,
    say: Callable[[str], None],
    *,
    staff: Callable[[Question], None],
    require_engine: Callable[[], None] = lambda: None,
    patience_s: float = 120.0,
) -> None:
    """Go from welcome to goodbye as `person`.

    Args:
        say: Told each thing that is done.
        staff: Does what is asked of staff, and answers.
        require_engine: Raises EngineGoneError when no screen can be hoped for any more.
        patience_s: For each screen to come.
    Raises:
        JobFailedError: The kiosk said sorry, or a screen did not come in time.
        EngineGoneError: From `require_engine`.
    """
    async with app.run_test(size=SIZE) as pilot:
        visitor = _Visitor(app, pilot, require_engine, staff, patience_s)
        say("Welcome: touch Start")
        await visitor.touch(WelcomeScreen, "#start")
        say(f"Ticket: {person.ticket_code}")
        for character in person.ticket_code.replace("-", ""):
            await visitor.touch(TicketScreen, f"#key-{character}")
        await visitor.touch(TicketScreen, "#go")
        say(f"Birth date: {person.birth_date}")
        for digit in person.birth_date.replace("/", ""):
            await visitor.touch(BirthDateScreen, f"#key-{digit}")
        await visitor.touch(BirthDateScreen, "#go")
        await visitor.touch(IsThisYouScreen, "#yes")
        say("Is this you? Yes")
        await visitor.touch(ExamsScreen, "#go")
        say("The exam is chosen; on a disc, please")
        await visitor.touch(WhomScreen, "#me")
        await visitor.touch(MediumScreen, "#medium-disc")
        say("What it costs is shown")
        await visitor.touch(CostScreen, "#go")
        await visitor.read_the_form()
        await visitor.touch(FormScreen, "#by-name")
        for letter in unicodedata.normalize("NFKD", person.name).lower():
            if letter == " ":
                await visitor.touch(NameSignatureScreen, "#k-space")
            elif letter in ascii_lowercase:
                await visitor.touch(NameSignatureScreen, f"#k-{ascii_lowercase.index(letter)}")
        await visitor.touch(NameSignatureScreen, "#go")
        say("The release form is read and signed")
        await visitor.wait_for_the_disc(say)
        say("The tray opens: take your disc. I have it")
        await visitor.touch(ThanksScreen, "#stop")
        await visitor.sees(ReceiptScreen)
        say("The receipt says what is on it, and whom to call")
        say(await visitor.print_receipt())
        await visitor.touch(ReceiptScreen, "#bye")
        await visitor.sees(WelcomeScreen)


def await_end(jobs: Jobs, spool: Path, *, patience_s: float = 60.0) -> None:
    """The visitor has gone: until every job is DONE, and nothing of it is left in the spool.

    Raises:
        JobFailedError: It failed, or does not come to its end in time.
    """
    for _ in range(int(patience_s / LOOK_S)):
        found = jobs.newest()
        if any(job.status is ExecutionStatus.FAILURE for job in found):
            raise JobFailedError("the job failed after the disc was handed over")
        is_empty = not spool.exists() or all(path.name == MARK for path in spool.iterdir())
        if is_empty and all(job.status is ExecutionStatus.DONE for job in found):
            return
        time.sleep(LOOK_S)
    raise JobFailedError(f"the job did not come to its end within {patience_s:.0f} s")


class _Visitor:
    def __init__(
        self,
        app: LobbyApp,
        pilot: Pilot[None],
        require_engine: Callable[[], None],
        staff: Callable[[Question], None],
        patience_s: float,
    ) -> None:
        self._app, self._pilot, self._patience_s = app, pilot, patience_s
        self._require_engine, self._staff = require_engine, staff

    async def sees(self, *kinds: type[LobbyScreen]) -> LobbyScreen:
        """The screen, once it is one of these. Raises JobFailedError, EngineGoneError."""
        looks = int(self._patience_s / LOOK_S)
        for _ in range(looks):
            self._require_engine()
            screen = self._app.current()
            if isinstance(screen, kinds) and screen.is_mounted:
                await self._pilot.pause()
                return screen
            if isinstance(screen, SorryScreen):
                raise JobFailedError("the kiosk could not go on and sent the visitor to the desk")
            await asyncio.sleep(LOOK_S)
        names = " or ".join(kind.__name__ for kind in kinds)
        shown = type(self._app.current()).__name__
        raise JobFailedError(f"{names} did not come within {self._patience_s:.0f} s, but {shown}")

    async def touch(self, kind: type[LobbyScreen], selector: str) -> None:
        """Press a button on that screen. Raises JobFailedError."""
        await self.sees(kind)
        if not await self._pilot.click(selector):
            raise JobFailedError(f"{selector} cannot be touched on {kind.__name__}")

    async def read_the_form(self) -> None:
        """Page by page, until it may be signed. Raises JobFailedError."""
        screen = await self.sees(FormScreen)
        for _ in range(int(self._patience_s / LOOK_S)):
            if not screen.query_one("#by-name").disabled:
                return
            await self.touch(FormScreen, "#down")
            await asyncio.sleep(LOOK_S)
        raise JobFailedError("the form cannot be signed although all of it was read")

    async def wait_for_the_disc(self, say: Callable[[str], None]) -> None:
        """Do what the kiosk asks for until it says thank you."""
        answered = 0
        while True:
            screen = await self.sees(ProgressScreen, QuestionScreen, ThanksScreen)
            if isinstance(screen, ThanksScreen):
                return
            if isinstance(screen, QuestionScreen) and screen.question.number > answered:
                answered = screen.question.number
                wanted = screen.question.wanted.value.replace("_", " ")
                if screen.query("#demo"):
                    say(f"Wanted: {wanted}. Done")
                    await self.touch(QuestionScreen, "#demo")
                else:
                    say(f"Wanted: {wanted}. Somebody comes and mends it")
                    await asyncio.to_thread(self._staff, screen.question)
            await asyncio.sleep(LOOK_S)

    async def print_receipt(self) -> str:
        """Touch "Print it" if it is there; what came of it."""
        screen = await self.sees(ReceiptScreen)
        if not screen.query("#print"):
            return "No receipt printer: it is on the screen"
        await self.touch(ReceiptScreen, "#print")
        for _ in range(int(self._patience_s / LOOK_S)):
            screen = await self.sees(ReceiptScreen)
            assert isinstance(screen, ReceiptScreen)
            if screen.printing is Printing.DONE:
                return "The receipt is printed"
            if screen.printing is Printing.FAILED:
                return "The receipt cannot be printed: it is on the screen"
            await asyncio.sleep(LOOK_S)
        raise JobFailedError("the receipt was neither printed nor refused in time")
