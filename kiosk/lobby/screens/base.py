"""The lobby's screens: one question, buttons, one message to the app."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.screen import KioskScreen


@dataclass(frozen=True, slots=True)
class Frame:
    """Head and foot line of every screen."""

    head: str
    foot: str


class LobbyScreen(KioskScreen):
    """Turns presses into messages; `answers` says which, by the button's id."""

    def __init__(self, frame: Frame, question: str) -> None:
        super().__init__(head=frame.head, question=question, foot=frame.foot)
        self._has_told = False

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
        self.pressed(event.button)

    def pressed(self, button: TouchButton) -> None:
        """A button of this screen was pressed."""
        answer = self.answers().get(button.id or "")
        if answer is not None:
            self.tell(answer)
