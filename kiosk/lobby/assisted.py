"""The app's side of help and comfort: language, large text, contrast, voice, the call for staff.

All of it lives in one `Comfort` that is thrown away at the end of a visit. A change is shown by
making the screen anew in the words and colours of now; what was typed goes along.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from textual import work
from textual.message import Message
from textual.screen import Screen

from kiosk.lobby.announcer import Announcer
from kiosk.lobby.attempt import attempt
from kiosk.lobby.comfort import LOUDEST, Comfort
from kiosk.lobby.guard import Visits
from kiosk.lobby.parts import LobbyParts
from kiosk.lobby.screens import messages as told
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.panel import HelpPanel, NotePanel, Offer
from kiosk.lobby.watch import WatchingApp
from kiosk.ports import StaffCall
from kiosk.widgets.screen import Focused, Heard, HelpWanted, StaffWanted
from kiosk.widgets.theme import CONTRAST_THEME, KIOSK_THEME
from kiosk.widgets.wording import answered_words, call_words, called_words, not_called_words
from kiosk.widgets.words import _, use_language, use_region

_CALL_LOOK_S: Final = 2.0  # between two looks whether staff have answered
_CALL_LATE_S: Final = 20.0  # a call that is not on record by then is not promised
_LARGE: Final = "-large"


class CallSeen(Message):
    """The call's newest row; None if the journal did not take it or did not answer."""

    def __init__(self, call: StaffCall | None, *, is_new: bool) -> None:
        super().__init__()
        self.call, self.is_new = call, is_new


class AssistedApp(WatchingApp, inherit_bindings=False):
    """The watching app with help on every screen."""

    def __init__(self, visits: Visits, parts: LobbyParts, *, demo: bool) -> None:
        super().__init__(
            parts.clock,
            visits,
            parts.pulse,
            find_empty=parts.find_empty,
            warn_s=parts.warn_s,
            visit_s=parts.visit_s,
            demo=demo,
        )
        self._parts = parts
        self._usual = Comfort(parts.languages[0])
        self.comfort = self._usual
        self.announcer = Announcer(parts.speech, self.comfort)
        self._call: StaffCall | None = None
        self._looked_s = float("-inf")
        self._is_looking = False
        self._called_s: float | None = None  # while it is not known whether the journal has it
        use_region(parts.region)
        use_language(self.comfort.language)
        self.register_theme(CONTRAST_THEME)

    # --- words of the frame -----------------------------------------------------------------------

    @property
    def _frame(self) -> Frame:
        foot = call_words(self._parts.phone)
        if self._is_demo:
            foot = _("{text}  ·  Demo: Ctrl+Q leaves").format(text=foot)
        return Frame(self._parts.site_name, foot)

    # --- what was chosen --------------------------------------------------------------------------

    def forget_comfort(self) -> None:
        """The visit is over: silence, the site's language, the usual look; its call is history."""
        self.announcer.hush()
        self._call = self._called_s = None
        self._take(self._usual)

    def _take(self, comfort: Comfort) -> None:
        before, self.comfort = self.comfort, comfort
        self.announcer.comfort = comfort
        use_language(comfort.language)
        self.theme = CONTRAST_THEME.name if comfort.has_contrast else KIOSK_THEME.name
        self.set_class(comfort.is_large, _LARGE)
        if before.is_large is not comfort.is_large and self._parts.zoom is not None:
            self._parts.zoom(self, comfort.is_large)

    def change_comfort(self, comfort: Comfort, *, focus: str | None = None) -> None:
        """Make it so, and show it.

        Args:
            focus: Of the help page's buttons, if that is to stay open.
        """
        self.announcer.hush()
        self._take(comfort)
        if (screen := self.current()) is not None:
            self.show_again(screen.again(self._frame))
        if focus is not None:
            self._open(HelpPanel(self._offer, comfort, focus=focus))

    def show_again(self, screen: LobbyScreen) -> None:
        """The same screen, made anew."""
        raise NotImplementedError

    @property
    def _offer(self) -> Offer:
        return Offer(self._parts.languages, self._parts.speech is not None)

    def on_help_wanted(self, _message: HelpWanted) -> None:
        self._open(HelpPanel(self._offer, self.comfort))

    def on_panel_closed(self, _message: told.PanelClosed) -> None:
        self.close_panel()
        if (screen := self.current()) is not None:
            self._announce(screen)

    def on_language_chosen(self, message: told.LanguageChosen) -> None:
        if message.language in self._parts.languages:
            self.change_comfort(replace(self.comfort, language=message.language))

    def on_comfort_chosen(self, message: told.ComfortChosen) -> None:
        comfort = self.comfort
        changed = {
            "large": lambda: replace(comfort, is_large=not comfort.is_large),
            "contrast": lambda: replace(comfort, has_contrast=not comfort.has_contrast),
            "spoken": lambda: replace(comfort, is_spoken=not comfort.is_spoken, says_typed=False),
            "typed": lambda: replace(comfort, says_typed=not comfort.says_typed),
        }
        if message.what in changed:
            self.change_comfort(changed[message.what](), focus=message.what)

    def on_volume_chosen(self, message: told.VolumeChosen) -> None:
        volume = max(1, min(LOUDEST, self.comfort.volume + message.step))
        comfort = replace(self.comfort, volume=volume)
        self.change_comfort(comfort, focus="louder" if message.step > 0 else "quieter")

    def on_say_again_wanted(self, _message: told.SayAgainWanted) -> None:
        self.close_panel()
        if (screen := self.current()) is not None:
            self.announcer.screen(screen, with_private=True)

    def pressed_help_key(self, key: str) -> None:
        """F1 help, F2 call, F3 all again, F7 quieter, F8 louder; volume only if it speaks."""
        is_on = self.announcer.is_on
        keys: dict[str, Callable[[], Message]] = {"f1": HelpWanted, "f2": StaffWanted}
        if is_on:
            keys |= {
                "f3": told.SayAgainWanted,
                "f7": lambda: told.VolumeChosen(-1),
                "f8": lambda: told.VolumeChosen(1),
            }
        if key in keys:
            self.post_message(keys[key]())

    # --- what is said -----------------------------------------------------------------------------

    def shown(self, screen: Screen[None]) -> None:
        """Said when it is drawn: then its focus is known."""
        screen.call_after_refresh(self._announce, screen)

    def _announce(self, screen: Screen[None]) -> None:
        if screen.is_attached and screen is self.screen:
            self.announcer.screen(screen)

    def on_focused(self, message: Focused) -> None:
        self.announcer.focus(message.widget)

    def on_heard(self, message: Heard) -> None:
        self.announcer.heard(message.text, message.private)

    # --- the call ---------------------------------------------------------------------------------

    def on_staff_wanted(self, _message: StaffWanted) -> None:
        screen = self.current()
        has_order = screen is not None and screen.is_making
        self._open(NotePanel(called_words(is_open=self._call is not None, has_order=has_order)))
        self.call_staff("" if screen is None else type(screen).__name__)

    def call_staff(self, where: str) -> None:
        """Say nothing of it unless it fails."""
        self._called_s = self._parts.clock.monotonic_s()
        self._call_staff(where)

    @work(thread=True, group="call", exit_on_error=False)
    def _call_staff(self, where: str) -> None:
        call, _code = attempt(lambda: self._parts.calls.call(self._parts.kiosk_name, where))
        self.post_message(CallSeen(call, is_new=True))

    @work(thread=True, group="call", exit_on_error=False)
    def _look_at_call(self, number: int) -> None:
        call, _code = attempt(lambda: self._parts.calls.get(number))
        self.post_message(CallSeen(call, is_new=False))

    def look_at_call(self) -> None:
        """A few times a second; asks the journal now and then while a call is open."""
        now_s = self._parts.clock.monotonic_s()
        if self._called_s is not None and now_s - self._called_s >= _CALL_LATE_S:
            self._called_s = None
            self._open(NotePanel(not_called_words()))
        is_time = now_s - self._looked_s >= _CALL_LOOK_S
        if self._call is not None and is_time and not self._is_looking:
            self._looked_s, self._is_looking = now_s, True
            self._look_at_call(self._call.number)

    def on_call_seen(self, message: CallSeen) -> None:
        self._is_looking = self._is_looking and message.is_new
        if message.is_new:
            is_late, self._called_s = self._called_s is None, None
            self._call = message.call
            if message.call is None and not is_late:
                self._open(NotePanel(not_called_words()))
        elif message.call is not None and message.call.is_answered and self._call is not None:
            self._call = None
            self._open(NotePanel(answered_words()))
