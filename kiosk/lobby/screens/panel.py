"""What stands in front of a screen: help and language, and what follows a call for staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.message import Message
from textual.screen import ModalScreen
from textual.widget import Widget

from kiosk.lobby.comfort import LOUDEST, Comfort
from kiosk.lobby.screens import messages as told
from kiosk.widgets.buttons import LowButton, LowToggle, TouchButton
from kiosk.widgets.mirror import Tiles
from kiosk.widgets.screen import (
    FOCUS_BINDINGS,
    LEAST_COLUMNS,
    LEAST_ROWS,
    Focused,
    KioskScreen,
    StaffWanted,
    Touched,
    focus_again,
    paragraph,
)
from kiosk.widgets.shown import Shown
from kiosk.widgets.wording import Sentence
from kiosk.widgets.words import LANGUAGES, _

_CLOSE: Final = Binding("escape", "close", show=False)


class Panel(ModalScreen[None], inherit_bindings=False):
    """Base: keeps the visit alive, tells where the focus is, and closes by Escape."""

    BINDINGS = [*FOCUS_BINDINGS, _CLOSE]  # noqa: RUF012  # as Textual has it
    ALLOW_SELECT = False
    HORIZONTAL_BREAKPOINTS = KioskScreen.HORIZONTAL_BREAKPOINTS
    VERTICAL_BREAKPOINTS = KioskScreen.VERTICAL_BREAKPOINTS
    _had_focus: Widget | None = None

    def on_mouse_down(self, _event: events.MouseDown) -> None:
        self.post_message(Touched())

    def on_resize(self, event: events.Resize) -> None:
        if event.size.width >= LEAST_COLUMNS and event.size.height >= LEAST_ROWS:
            focus_again(self, self._had_focus)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._had_focus = event.widget
        self.post_message(Focused(event.widget))

    def action_close(self) -> None:
        self.post_message(told.PanelClosed())


@dataclass(frozen=True, slots=True)
class Offer:
    """What the help page can offer here.

    Attributes:
        languages: Keys of LANGUAGES, in the site's order.
        has_speech: The machine can speak.
    """

    languages: tuple[str, ...]
    has_speech: bool


class HelpPanel(Panel):
    """Languages in their own words, large text, contrast, spoken guidance, the call."""

    AUTO_FOCUS = ""

    DEFAULT_CSS = """
    HelpPanel {
        background: $background;
        align: center middle;
        #title {
            width: 1fr;
            height: 1;
            text-align: center;
            text-style: bold;
            color: $ink;
        }
        Tiles {
            grid-size: 3;
            grid-gutter: 1 1;
            grid-rows: 3;
            width: 100%;
            max-width: 92;
            height: auto;
        }
        Tiles TouchButton {
            width: 1fr;
        }
        Tiles .primary {
            color: $on-dark;
            background: $primary;
        }
    }
    HelpPanel.-too-narrow, HelpPanel.-too-low {
        Tiles, #title {
            display: none;
        }
    }
    """

    def __init__(self, offer: Offer, comfort: Comfort, *, focus: str = "close") -> None:
        super().__init__()
        self._offer, self._comfort = offer, comfort
        self._focus = focus

    def compose(self) -> ComposeResult:
        comfort, has_speech = self._comfort, self._offer.has_speech
        yield Shown(_("Help and language"), id="title")
        with Tiles():
            for language in self._offer.languages:
                is_now = language == comfort.language
                yield LowButton(
                    f"✓ {LANGUAGES[language]}" if is_now else LANGUAGES[language],
                    id=f"language-{language}",
                )
            yield LowToggle(_("Large text"), id="large", is_on=comfort.is_large)
            yield LowToggle(_("High contrast"), id="contrast", is_on=comfort.has_contrast)
            spoken = LowToggle(
                _("Spoken guidance"), id="spoken", is_on=comfort.is_spoken, disabled=not has_speech
            )
            if not has_speech:
                spoken.note = _("not at this machine")
            yield spoken
            is_quiet = not (has_speech and comfort.is_spoken)
            volume = _("Volume {number} of {of}").format(number=comfort.volume, of=LOUDEST)
            yield LowButton(_("Quieter"), note=volume, id="quieter", disabled=is_quiet)
            yield LowButton(_("Louder"), note=volume, id="louder", disabled=is_quiet)
            yield LowToggle(
                _("Say what I type"), id="typed", is_on=comfort.says_typed, disabled=is_quiet
            )
            yield LowButton(_("Say it all again"), id="again", disabled=is_quiet)
            yield LowButton(_("Call staff"), id="call")
            yield LowButton(_("Close"), id="close", classes="primary")

    def on_mount(self) -> None:
        if self in self.app.screen_stack:  # it may have been closed before it was mounted
            self.query_one(f"#{self._focus}").focus()

    def on_touch_button_pressed(self, event: TouchButton.Pressed) -> None:
        event.stop()
        name = event.button.id or ""
        fixed: dict[str, Message] = {
            "close": told.PanelClosed(),
            "call": StaffWanted(),
            "again": told.SayAgainWanted(),
            "louder": told.VolumeChosen(1),
            "quieter": told.VolumeChosen(-1),
        }
        if name in fixed:
            self.post_message(fixed[name])
        elif name.startswith("language-"):
            self.post_message(told.LanguageChosen(name.removeprefix("language-")))
        else:
            self.post_message(told.ComfortChosen(name))


class NotePanel(Panel):
    """A sentence and OK, in front of whatever was shown."""

    AUTO_FOCUS = "#ok"

    DEFAULT_CSS = """
    NotePanel {
        align: center middle;
        background: $background;
        #box {
            width: 58;
            height: 15;
            padding: 1 2;
            background: $surface;
            color: $ink;
            border: heavy $primary;
            align: center middle;
        }
        #box Shown {
            width: 1fr;
            height: auto;
            text-align: center;
        }
        #title {
            text-style: bold;
        }
        #ok-row {
            width: 1fr;
            height: 5;
            margin-top: 1;
            align: center middle;
        }
    }
    NotePanel.-too-narrow, NotePanel.-too-low {
        #box {
            display: none;
        }
    }
    """

    def __init__(self, sentence: Sentence) -> None:
        super().__init__()
        self._sentence = sentence

    def compose(self) -> ComposeResult:
        with Container(id="box"):
            yield Shown(self._sentence.title, id="title")
            yield Shown(paragraph(self._sentence.text), id="text")
            with Container(id="ok-row"):
                yield TouchButton(_("OK"), id="ok", classes="primary")

    def on_touch_button_pressed(self, event: TouchButton.Pressed) -> None:
        event.stop()
        self.post_message(told.PanelClosed())
