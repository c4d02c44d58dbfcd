"""The app around the visit: which keys get in, what a scan is, when a visit has lasted too long.

Nothing leaves this app: there are no key bindings of Textual's, no palette, no paste, no selection,
and only keys that move the focus or type are let through at all.
"""

from __future__ import annotations

import io
import sys
from typing import Final, Protocol

from rich.console import Console
from textual import events
from textual._context import visible_screen_stack
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import Screen

from kiosk.lobby.crash import log_error
from kiosk.lobby.inactivity import Idle, Inactivity
from kiosk.lobby.scanner import Read, ScanReader
from kiosk.lobby.screens.base import LobbyScreen
from kiosk.lobby.screens.messages import StillHere
from kiosk.lobby.screens.panel import Panel
from kiosk.lobby.screens.sentence import StillThereScreen
from kiosk.lobby.terminal import TerminalDriver
from kiosk.ports import Clock
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.screen import KioskScreen, Touched
from kiosk.widgets.theme import KIOSK_THEME
from kiosk.widgets.wording import end_of_visit_words

EXIT_KEY: Final = "ctrl+q"  # in the demo only, and said on the screen
_TICK_S: Final = 0.25
_PANEL_IDLE_S: Final = 60.0  # of a help page in front of the welcome
_MOVES: Final = frozenset({"enter", "tab", "shift+tab", "up", "down", "left", "right"})
# Functional keys: a keyboard with few large ones can be made of them. A scanner's prefix is F12.
HELP_KEYS: Final = frozenset({"f1", "f2", "f3", "f7", "f8"})
_ERASES: Final = frozenset({"backspace", "delete", "ctrl+h"})


class Visits(Protocol):
    """What the guard asks of the lobby."""

    def scanned(self, text: str) -> None:
        """A scan was finished, on whatever screen."""
        ...

    def dropped(self) -> None:
        """Many characters came as fast as a scan, without its end: nothing was made of them."""
        ...

    def came_slowly(self) -> None:
        """A scan came at a person's speed, and was typed: that has been taken back."""
        ...

    def ticked(self) -> None:
        """Called a few times a second."""
        ...

    def is_busy(self) -> bool:
        """Whether a worker is at it: the visit cannot end for want of touches."""
        ...

    def end_visit(self) -> None:
        """Back to welcome, with everything forgotten."""
        ...

    def pressed_help_key(self, key: str) -> None:
        """One of HELP_KEYS."""
        ...

    def shown(self, screen: Screen[None]) -> None:
        """This one is in front now."""
        ...


class GuardedApp(App[None], inherit_bindings=False):
    """Base of the lobby.

    Args:
        visits: Says what a scan begins and what the end of a visit is; the app itself. Textual's
            metaclass leaves no room for an abstract base class.
        warn_s: The end of a visit is announced so long before.
        visit_s: No visit lasts longer to its order, nor from there on; 0 for no limit.
        demo: Lets `EXIT_KEY` leave; without it, nothing leaves.
    """

    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    ESCAPE_TO_MINIMIZE = False
    TITLE = "sendhome"

    def __init__(
        self, clock: Clock, visits: Visits, *, warn_s: float, visit_s: float, demo: bool
    ) -> None:
        super().__init__()
        # Textual's own crash text shows local variables, and names with them.
        self.error_console = Console(file=io.StringIO())
        self.register_theme(KIOSK_THEME)
        self.theme = KIOSK_THEME.name
        self._visits = visits
        self._is_demo = demo
        self._scanner = ScanReader()
        self._is_waiting_for_keys = False
        self._idle = Inactivity(clock, warn_s=warn_s, visit_s=visit_s)
        self._warning: StillThereScreen | None = None
        self._was_warned = False  # when the keys came that the scanner still holds
        self._panel: Panel | None = None
        self._has_warned_of_end = False

    def get_driver_class(self) -> type[Driver]:
        found = super().get_driver_class()
        return TerminalDriver if found is LinuxDriver else found

    def on_mount(self) -> None:
        self.animation_level = "none"
        self._visits.end_visit()
        self.set_interval(_TICK_S, self._tick)

    def _fatal_error(self) -> None:
        """Called by Textual in an except block; its own version would print local variables."""
        error = sys.exc_info()[1]
        if error is not None:
            log_error("the lobby crashed", error)
        self._close_messages_no_wait()

    # --- screens ----------------------------------------------------------------------------------

    def current(self) -> LobbyScreen | None:
        """The screen of the visit, below a warning."""
        screens = [it for it in self.screen_stack if isinstance(it, LobbyScreen)]
        return screens[-1] if screens else None

    def go(self, screen: LobbyScreen, *, idle_s: float) -> None:
        """Show a screen and count its time from now; 0 for as long as it likes."""
        self.close_panel()
        self._drop_warning()
        self._idle.start(idle_s, is_making=screen.is_making)
        if screen.is_in_visit:
            self._idle.begin_visit()
        else:
            self._idle.end_visit()
        self._has_warned_of_end = False
        # Tasks of the new screen are born with this; it would keep the one before, and all that
        # was typed there, for as long as the new one is shown.
        visible_screen_stack.set([])
        if self.current() is None:
            self.push_screen(screen)  # Textual's own first screen cannot be switched away from
        else:
            self.switch_screen(screen)
        self._visits.shown(screen)

    def _open(self, panel: Panel) -> None:
        """In front of the screen of the visit; takes the place of another one."""
        self.close_panel()
        self._drop_warning()
        self._panel = panel
        if not self._idle.has_limit:
            self._idle.start(_PANEL_IDLE_S)  # somebody was there, and may go without closing it
        self.push_screen(panel)
        self._visits.shown(panel)

    def close_panel(self) -> None:
        if self._panel is not None:
            self._drop_warning()
            self._panel = None
            self.pop_screen()

    # --- keys, scans, touches ---------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Paste):
            return  # nobody pastes at a kiosk
        if isinstance(event, events.Key) and not event.is_forwarded and not self._is_let_in(event):
            return
        await super().on_event(event)

    def _is_let_in(self, event: events.Key) -> bool:
        """Whether Textual gets this key; typing, scans and everything unknown it does not."""
        if not self.screen_stack:
            return False  # the app ends, and keys are still in its queue
        # A key answers the warning and nothing behind it, which nobody was looking at.
        is_answer = self._warning is not None
        self._was_warned = is_answer or (self._was_warned and self._scanner.is_holding)
        self._touch()
        if self._is_demo and event.key == EXIT_KEY:
            self.exit()
            return False
        read = self._scanner.feed(event.key, event.character, event.time)
        self._obey(read)
        if self._scanner.is_holding:
            self._wait_for_more()
        if read.is_ours or is_answer:
            return False
        if event.key in HELP_KEYS:
            self._visits.pressed_help_key(event.key)
            return False
        if event.key in _ERASES:
            self._type("\b")
        return event.key in _MOVES or (event.key == "escape" and self._panel is not None)

    def _obey(self, read: Read) -> None:
        self._tell_dropped()
        if not self._was_warned:
            self._type(read.typed)
        if read.scan is not None:
            self._visits.scanned(read.scan)
        if read.slow is not None:
            self._type("\b" * read.slow)
            self._visits.came_slowly()

    def _wait_for_more(self) -> None:
        """One timer for all keys of a scan: a card has two thousand."""
        if not self._is_waiting_for_keys:
            self._is_waiting_for_keys = True
            # By the queue: keys that have arrived but were not looked at yet come first.
            self.set_timer(
                self._scanner.gap_s + 0.02, lambda: self.call_later(self._let_typing_through)
            )

    def _let_typing_through(self) -> None:
        self._is_waiting_for_keys = False
        self._obey(self._scanner.flush(events.Event().time))
        if self._scanner.is_holding:
            self._wait_for_more()

    def _tell_dropped(self) -> None:
        if self._scanner.take_dropped():
            self._visits.dropped()

    def _type(self, characters: str) -> None:
        screen = self.screen
        if isinstance(screen, KioskScreen) and (screen.is_too_small or not screen.is_mounted):
            return  # nobody can mean a screen that he does not see yet
        is_text = isinstance(screen, LobbyScreen) and screen.takes_text
        for character in characters:
            if character == " " and not is_text and isinstance(self.focused, TouchButton):
                self.focused.action_press()
            elif isinstance(screen, KioskScreen):
                screen.typed(character)

    def touched_from_outside(self) -> None:
        """Somebody is there who needs no screen: the plain mode's lines."""
        self._touch()

    def on_touched(self, _message: Touched) -> None:
        self._touch()

    def on_still_here(self, _message: StillHere) -> None:
        self._touch()

    def _touch(self) -> None:
        self._idle.touched()
        self._drop_warning()

    # --- time -------------------------------------------------------------------------------------

    def _tick(self) -> None:
        self._visits.ticked()
        self._scanner.rest(events.Event().time)
        state, screen = self._idle.state, self.current()
        if state is Idle.OVER and not self._visits.is_busy():
            self._visits.end_visit()
        elif state is Idle.WARN and screen is not None and screen.warns:
            if self._warning is None:
                self._warning = StillThereScreen()
                self.push_screen(self._warning)
                self.bell()
                self._visits.shown(self._warning)
            elif self._warning.is_mounted:
                self._warning.count_down(max(1, round(self._idle.left_s)))
        elif state is Idle.NO:
            self._drop_warning()
        if self._idle.is_visit_ending and not self._has_warned_of_end and screen is not None:
            self._has_warned_of_end = True
            if screen.is_mounted:
                self.bell()
                screen.notice(end_of_visit_words(has_order=self._idle.is_making))

    def _drop_warning(self) -> None:
        if self._warning is not None:
            self._warning = None
            self.pop_screen()
