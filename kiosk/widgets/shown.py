"""Words on the screen, and what is heard of them."""

from __future__ import annotations

from textual.content import Content
from textual.strip import Strip
from textual.widgets import Static

from kiosk.widgets.balance import Balanced
from kiosk.widgets.script import visual_strip
from kiosk.widgets.words import _, is_right_to_left


class Shown(Static, inherit_bindings=False):
    """Everything that is read on a screen, but for buttons. Never read as markup.

    Attributes:
        spoken: What is said and written in the plain mode instead of what is shown; None for the
            same, "" for nothing (ornaments).
        is_private: A birth date, a code: said aloud only to somebody who asked for it.
    """

    def __init__(
        self,
        content: Content | str,
        *,
        spoken: str | None = None,
        is_private: bool = False,
        id: str | None = None,  # noqa: A002  # Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(_content(content), id=id, classes=classes)
        self.spoken, self.is_private = spoken, is_private

    def on_mount(self) -> None:
        if is_right_to_left() and self.styles.text_align != "center":
            self.styles.text_align = "right"

    def show(self, content: Content | str, *, spoken: str | None = None) -> None:
        """Something else from now on."""
        self.spoken = spoken
        self.update(_content(content))

    def render(self) -> Balanced:
        return Balanced(_content(self.content))

    def render_line(self, y: int) -> Strip:
        return visual_strip(super().render_line(y))

    def heard(self) -> str:
        """What a person hears of it, "" for nothing."""
        return str(self.content) if self.spoken is None else self.spoken

    def heard_instead(self) -> str:
        """What is heard of it, as it is private, by whoever has not asked for it."""
        return _("Something private stands here. It is read out only if you ask for it.")


def _content(content: object) -> Content:
    return content if isinstance(content, Content) else Content(str(content))
