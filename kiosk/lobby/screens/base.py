"""The lobby's screens: one question, buttons, one message to the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from textual.message import Message

from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.screen import KioskScreen


@dataclass(frozen=True, slots=True)
class Frame:
    """Head line of every screen, and the words between the buttons of its bar."""

    head: str
    foot: str


class LobbyScreen(KioskScreen):
    """Turns presses into messages; `answers` says which, by the button's id.

    A screen is made anew when the visitor changes the language or how it looks, from what it was
    made of before: its arguments are data and functions that give words, never finished words.

    Attributes:
        kept: Names of what has changed since and goes along: what was typed, what was chosen.
        is_in_visit: Somebody is at it; his time counts.
        is_making: A medium is being made: the visit's longest time has begun anew. A ticket opens
            it again; its owner may sit, and whose touches these are nobody knows.
        takes_text: Letters and blanks are typed here, not only a code or a date.
        entry: What is typed here, "" for nothing: the plain mode asks for a line of it.
    """

    kept: ClassVar[tuple[str, ...]] = ()
    is_in_visit: ClassVar[bool] = True
    is_making: ClassVar[bool] = False
    takes_text: ClassVar[bool] = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        screen = super().__new__(cls)
        screen._made_of = (args, kwargs)
        return screen

    _made_of: tuple[tuple[Any, ...], dict[str, Any]]

    def __init__(self, frame: Frame, question: str) -> None:
        super().__init__(head=frame.head, question=question, foot=frame.foot)
        self._has_told = False

    @property
    def entry(self) -> str:
        return ""

    def again(self, frame: Frame) -> Self:
        """The same screen in the words and colours of now."""
        (_frame, *rest), kwargs = self._made_of
        screen = type(self)(frame, *rest, **kwargs)
        for name in self.kept:
            setattr(screen, name, getattr(self, name))
        return screen

    def answers(self) -> dict[str, Message]:
        """Button id to what it tells the app."""
        return {}

    def tell(self, message: Message) -> None:
        """Tell the app once: whatever was pressed first on this screen counts."""
        if not self._has_told and self.is_current:
            self._has_told = True
            self.post_message(message)

    def listen_again(self) -> None:
        """The app did not leave the screen: presses count again."""
        self._has_told = False

    def on_touch_button_pressed(self, event: TouchButton.Pressed) -> None:
        event.stop()
        if not self.pressed_aid(event.button):
            self.pressed(event.button)

    def pressed(self, button: TouchButton) -> None:
        """A button of this screen was pressed."""
        answer = self.answers().get(button.id or "")
        if answer is not None:
            self.tell(answer)
