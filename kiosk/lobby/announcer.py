"""What is said aloud: every screen, where the focus is, what was typed, what has changed.

Only for whoever switched it on. The newest thing to say drops what is outdated; what belongs to the
same moment is said one after the other. It reads what `widgets.reading` finds on the screen.
"""

from __future__ import annotations

from typing import Any

from textual.screen import Screen
from textual.widget import Widget

from kiosk.lobby.comfort import Comfort
from kiosk.ports import Speech
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.reading import read
from kiosk.widgets.words import _


class Announcer:
    """Speaks for one app.

    Args:
        speech: None where the machine cannot speak: then nothing is ever said.
    """

    def __init__(self, speech: Speech | None, comfort: Comfort) -> None:
        self._speech = speech
        self.comfort = comfort
        self._announced: Screen[Any] | None = None

    @property
    def is_on(self) -> bool:
        return self._speech is not None and self.comfort.is_spoken

    def hush(self) -> None:
        """Nothing of one person is said in front of the next."""
        self._announced = None
        if self._speech is not None:
            self._speech.hush()

    def screen(self, screen: Screen[Any], *, with_private: bool = False) -> None:
        """All of it, then what can be pressed, then where the focus is.

        Args:
            with_private: It was asked for; otherwise as the visitor wants it for what he types.
        """
        if not self.is_on:
            return
        reading = read(screen, with_private=with_private or self.comfort.says_typed)
        said = list(reading.lines)
        if names := [button.heard() for button in reading.buttons]:
            said.append(_("You can press: {buttons}.").format(buttons=_("; ").join(names)))
        if isinstance(screen.focused, TouchButton):
            said.append(_("Selected: {button}.").format(button=screen.focused.heard()))
        if with_private:
            said += reading.foot
        self._announced = screen
        self._say(". ".join(it.rstrip(". ") for it in said if it) + ".", drops=True)

    def focus(self, widget: Widget) -> None:
        """The focus went there; not while the screen it is on has not been announced."""
        if not self.is_on or not isinstance(widget, TouchButton):
            return
        if widget.is_attached and widget.screen is self._announced:  # else it is gone already
            self._say(widget.heard(), drops=True)

    def heard(self, text: str, private: str) -> None:
        """Something changed; the private words are for somebody who asked for them."""
        if self.is_on:
            self._say(private if private and self.comfort.says_typed else text, drops=False)

    def _say(self, text: str, *, drops: bool) -> None:
        if self._speech is not None and text:
            comfort = self.comfort
            self._speech.say(text, language=comfort.language, volume=comfort.volume, drops=drops)
