"""Rows that run from right to left: the first widget stands at the right, and has the focus first.

The order of the widgets stays; only where they stand is mirrored. Keypads stay as they are: digits
are typed and telephones are made the same way round everywhere.
"""

from __future__ import annotations

from textual.containers import Horizontal
from textual.geometry import Region, Size
from textual.layout import ArrangeResult
from textual.layouts.horizontal import HorizontalLayout
from textual.widget import Widget

from kiosk.widgets.words import is_right_to_left


class _FromTheRight(HorizontalLayout):
    """Textual's own row, seen in a mirror as wide as the row's contents."""

    name = "from-the-right"

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        placements = super().arrange(parent, children, size, greedy)
        edges = [placement.region.grow(placement.margin) for placement in placements]
        width = max((edge.right for edge in edges), default=0)
        return [
            placement._replace(region=_mirrored(placement.region, width))
            for placement in placements
        ]


def _mirrored(region: Region, width: int) -> Region:
    return Region(width - region.right, region.y, region.width, region.height)


class Row(Horizontal):
    """A row of buttons or columns, in the direction in which the language is read."""

    def on_mount(self) -> None:
        if is_right_to_left():
            # Textual's property takes only layouts that it knows by name.
            self.styles.inline.set_rule("layout", _FromTheRight())
            self.refresh(layout=True)
