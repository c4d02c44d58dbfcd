"""The password of a protected medium, where its owner sees it."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from kiosk.domain.protection import JobPassword
from kiosk.widgets.words import _


class PasswordNote(Static):
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
        super().__init__(_content(password))
        self.password = password

    def show(self, password: JobPassword | None) -> None:
        """Draw it when it is known."""
        if password != self.password:
            self.password = password
            self.update(_content(password))


def _content(password: JobPassword | None) -> Content:
    if password is None:
        return Content(_("Your password will stand here in a moment."))
    shown = _("Your password:  {password}").format(password=password.text)
    return Content("\n").join(
        [
            Content.styled(shown, "bold"),
            Content(_("Please write it down now, with the dashes.")),
            Content(_("Without it nobody can open your images.")),
        ]
    )
