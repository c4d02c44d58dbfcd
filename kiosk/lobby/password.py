"""The password of a protected medium, where its owner sees it."""

from __future__ import annotations

from textual.content import Content

from kiosk.domain.protection import JobPassword
from kiosk.widgets.screen import Heard
from kiosk.widgets.shown import Shown
from kiosk.widgets.words import _


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

    def tell(self, password: JobPassword | None) -> None:
        """Draw it when it is known, and say that it stands there."""
        if password != self.password:
            self.password, self.is_private = password, _is_shown(password)
            self.show(_content(password))
            if password is not None and not password.is_gone:
                words = _("Your password stands on the screen. Please write it down now.")
                self.post_message(Heard(words, " ".join(password.text)))
            elif password is not None:
                self.post_message(Heard(str(_content(password))))


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
