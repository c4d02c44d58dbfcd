"""A screen as somebody hears it: its sentences in their order, and what can be pressed.

The spoken guidance and the plain mode both read screens with it, so neither knows any screen: what
a screen shows as `Shown` and `TouchButton` is heard, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual.screen import Screen
from textual.widget import Widget

from kiosk.widgets.buttons import Key, TouchButton
from kiosk.widgets.safe_text import safe_text
from kiosk.widgets.shown import Shown

_MAX_CELLS = 1200  # a page of a form
_FRAME = ("head", "foot", "too-small")


@dataclass(frozen=True, slots=True)
class Reading:
    """What there is.

    Attributes:
        title: The question, or the first words of a box.
        texts: Everything else that is shown, a paragraph each.
        buttons: What can be pressed now, the bar's last; keys that type a character are left out.
        foot: Head line and whom to ask.
    """

    title: str
    texts: tuple[str, ...]
    buttons: tuple[TouchButton, ...]
    foot: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        return (self.title, *self.texts)


def read(screen: Screen[Any], *, with_private: bool) -> Reading:
    """Look at a screen that is mounted.

    Args:
        with_private: Birth dates, codes and passwords too; else a word that they stand there.
    """
    shown: list[tuple[str, str]] = []
    foot: list[str] = []
    for it in screen.query(Shown):
        if it.id in _FRAME[:2]:
            foot.append(_one_line(it.heard()))
        elif it.id not in _FRAME and _is_visible(it) and (words := _words(it, with_private)):
            shown.append((it.id or "", words))
    titles = [words for name, words in shown if name in ("question", "title")]
    texts = [words for name, words in shown if name not in ("question", "title")]
    buttons = tuple(it for it in screen.query(TouchButton) if is_choice(it) and _is_visible(it))
    return Reading(" ".join(titles), tuple(texts), buttons, tuple(filter(None, foot)))


def is_choice(button: TouchButton) -> bool:
    """Whether it can be pressed now, and is no key that types one character."""
    types = isinstance(button, Key) and len(button.value) == 1
    return not types and not button.disabled


def _words(shown: Shown, with_private: bool) -> str:
    words = _one_line(shown.heard())
    if words and shown.is_private and not with_private:
        return _one_line(shown.heard_instead())
    return words


def _one_line(text: str) -> str:
    return safe_text(" ".join(text.split()), _MAX_CELLS)


def _is_visible(widget: Widget) -> bool:
    return all(it.display for it in widget.ancestors_with_self if isinstance(it, Widget))
