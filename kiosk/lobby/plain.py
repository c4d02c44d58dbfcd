"""The kiosk as numbered lines, for a screen reader or a Braille line: `sendhome kiosk --plain`.

The very same app runs, without a picture; whenever its screen changes, what `widgets.reading` finds
on it is written as lines, and a line that is read presses a button or types. No rule of a visit is
written here: idle limits, locks and neutral answers are the app's.

Lines that are read: a number presses what has this number; on a screen that wants typing, a longer
line is what is typed; an empty line says everything again; a line that is a ticket is a scan.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from textual.screen import Screen

from kiosk.domain.claim import MAX_SCAN_CHARACTERS
from kiosk.domain.ticket import ScannedTicket, parse
from kiosk.lobby.app import LobbyApp
from kiosk.lobby.screens.base import LobbyScreen
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.reading import Reading, read
from kiosk.widgets.safe_text import safe_text
from kiosk.widgets.words import _

SIZE: Final = (80, 24)
_LOOK_S: Final = 0.1
_ERASE_ALL: Final = 400  # more than any entry is long
_LINE_CELLS: Final = 1200
_MENU_DIGITS: Final = 2
_SEPARATORS: Final = str.maketrans("", "", " -–./,")


class PlainKiosk:
    """One app, its lines, and whoever reads and writes them.

    Args:
        app: Run without a picture.
        lines: What the person writes, without line ends; its end ends the kiosk.
        write: Takes a line.
        forget: Called at the end of each visit, before anything else is written.
    """

    def __init__(
        self,
        app: LobbyApp,
        lines: AsyncIterator[str],
        write: Callable[[str], None],
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        self._app, self._lines, self._write, self._forget = app, lines, write, forget
        self._page: tuple[object, ...] = ()
        self._heard: set[str] = set()  # sentences of that page
        self._buttons: tuple[TouchButton, ...] = ()
        self._was_in_visit = False

    async def run(self) -> int:
        """Until the lines end or the app does; its return code."""
        running = asyncio.create_task(self._app.run_async(headless=True, size=SIZE))
        looking = asyncio.create_task(self._look())
        reading = asyncio.create_task(self._read())
        try:
            await asyncio.wait({running, reading, looking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (looking, reading):
                task.cancel()
            await asyncio.gather(looking, reading, return_exceptions=True)
            self._app.exit()
            try:
                await running
            finally:
                self._forget()  # however it ended, nothing of a visit stays on the terminal
        return self._app.return_code or 0

    # --- writing ----------------------------------------------------------------------------------

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            self._say_what_changed()

    def _say_what_changed(self, *, again: bool = False) -> None:
        screen = self._app.screen
        if not screen.is_mounted or not screen.is_attached or not screen.query(TouchButton):
            return
        reading = read(screen, with_private=True)
        menu = tuple(button.heard() for button in reading.buttons)
        page = (id(screen), reading.title, menu)
        before, self._page = self._page, page
        heard, self._heard = self._heard, {_uncounted(text) for text in reading.texts}
        self._buttons = reading.buttons
        fresh = [text for text in reading.texts if _uncounted(text) not in heard]
        is_making = isinstance(screen, LobbyScreen) and screen.is_making
        if again or page != before or (fresh and not is_making):
            self._say(screen, reading)
            return
        for text in fresh:  # what stays, such as a password, is not said at every step
            self._line(text)

    def _say(self, screen: Screen[Any], reading: Reading) -> None:
        is_visit = not isinstance(screen, LobbyScreen) or screen.is_in_visit
        if self._was_in_visit and not is_visit:
            self._forget()
        self._was_in_visit = is_visit
        self._line("")
        for line in reading.lines:
            self._line(line)
        for number, button in enumerate(reading.buttons, 1):
            self._line(f"{number}. {button.heard()}")
        if isinstance(screen, LobbyScreen) and screen.entry:
            self._line(screen.entry)
        self._line(_("Type a number and press Enter."))

    def _line(self, text: str) -> None:
        self._write(safe_text(text, _LINE_CELLS))

    # --- reading ----------------------------------------------------------------------------------

    async def _read(self) -> None:
        async for line in self._lines:
            # In the app's own queue, as a key would be.
            self._app.call_later(self._obey, line[: MAX_SCAN_CHARACTERS + 1].strip())

    def _obey(self, line: str) -> None:
        self._app.touched_from_outside()
        screen = self._app.screen
        # A ticket's seal cannot be made up; a number or a card could be typed as well.
        is_scan = isinstance(parse(line), ScannedTicket)
        if not line:
            self._say_what_changed(again=True)
        elif line.isascii() and line.isdecimal() and len(line) <= _MENU_DIGITS:
            self._press(int(line))
        elif not is_scan and isinstance(screen, LobbyScreen) and screen.entry:
            self._type(screen, line)
        else:
            self._app.scanned(line, is_scanned=is_scan)

    def _press(self, number: int) -> None:
        if 1 <= number <= len(self._buttons) and self._buttons[number - 1].is_attached:
            self._buttons[number - 1].action_press()
        else:
            self._line(_("There is no such number."))

    def _type(self, screen: LobbyScreen, line: str) -> None:
        for _at in range(_ERASE_ALL):
            screen.typed("\b")
        for character in line if screen.takes_text else line.translate(_SEPARATORS):
            screen.typed(character)


def _uncounted(text: str) -> str:
    """Without what changes all the time: countdowns, counts of images."""
    return "".join(character for character in text if not character.isdigit())
