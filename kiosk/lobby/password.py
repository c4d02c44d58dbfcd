"""The password of a protected medium, where its owner sees it."""

from __future__ import annotations

from textual.content import Content

from kiosk.domain.protection import JobPassword
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.shown import Shown
from kiosk.widgets.words import _, sentences


class PasswordNote(Shown, inherit_bindings=False):
    """As long as its owner may need it; as high as a LeftOutNote, whose place it takes."""

    DEFAULT_CSS = """
    PasswordNote {
        width: 1fr;
        height: 3;
        padding: 0 2;
        text-align: center;
    }
    """

    def __init__(self, password: JobPassword | None) -> None:
        super().__init__(_content(password), is_private=_is_shown(password))
        self.password = password

    def heard_instead(self) -> str:
        words = _("Your password stands on the screen. Please write it down now.")
        return sentences(words, super().heard_instead())


def written_button() -> TouchButton:
    """The password is hidden, and counts as told, when its owner says so: not when it was shown."""
    return TouchButton(_("I have written it down"), id="written", classes="primary")


def _is_shown(password: JobPassword | None) -> bool:
    return password is not None and not password.is_gone


def _content(password: JobPassword | None) -> Content:
    if password is None:
        return Content(_("Your password will stand here in a moment."))
    if password.is_gone:
        return Content("\n").join(
            [
                Content(_("Your password was shown before. It is shown only once.")),
                Content.styled(_("If you have not written it down, please ask for help:"), "bold"),
                Content(_("call or see the desk. They can make it anew.")),
            ]
        )
    shown = _("Your password:  {password}").format(password=password.text)
    return Content("\n").join(
        [
            Content.styled(shown, "bold"),
            Content(_("Please write it down now, with the dashes.")),
            Content(_("It is shown once. Without it nobody opens your images.")),
        ]
    )
