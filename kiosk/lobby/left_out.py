"""What is not on the medium, in a visitor's words, and the place on the screen for it."""

from __future__ import annotations

from textual.content import Content

from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.model import Job, Medium
from kiosk.widgets.shown import Shown
from kiosk.widgets.words import _, ngettext, sentences


def left_out_words(counts: LeftOutCounts, medium: Medium) -> str:
    """Count and kind, where they are named and whom to ask; "" if nothing was left out."""
    kinds = [
        ngettext("{number} video", "{number} videos", counts.videos),
        ngettext("{number} image", "{number} images", counts.images),
        ngettext("{number} other item", "{number} other items", counts.others),
    ]
    numbers = (counts.videos, counts.images, counts.others)
    items = [kind for kind, number in zip(kinds, numbers, strict=True) if number]
    if not items:
        return ""
    *first, last = items
    if first:
        last = _("{items} and {item}").format(items=_(", ").join(first), item=last)
    place = {"disc": _("the disc"), "stick": _("the USB stick")}[medium.form]
    said = _("{items} could not be put on {medium}.").format(items=last, medium=place)
    also = ngettext(
        "A list there names it. Please ask at the desk for it.",
        "A list there names them. Please ask at the desk for them.",
        counts.total,
    )
    return sentences(said, also)


class LeftOutNote(Shown, inherit_bindings=False):
    """Says what is left out, and `otherwise` as long as nothing is. Always as high as it can get:
    the buttons below may not move under a finger.
    """

    DEFAULT_CSS = """
    LeftOutNote {
        width: 1fr;
        height: 3;
        padding: 0 2;
        text-align: center;
    }
    """

    def __init__(self, job: Job, otherwise: str) -> None:
        super().__init__(_content(job, otherwise))
        self._otherwise = otherwise

    def look(self, job: Job) -> None:
        """Draw the newest row."""
        self.show(_content(job, self._otherwise))


def _content(job: Job, otherwise: str) -> Content:
    return Content(left_out_words(job.left_out, job.choice.medium) or otherwise)
