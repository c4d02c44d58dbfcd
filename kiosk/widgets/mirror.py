"""Rows that run from right to left: the first widget stands at the right, and has the focus first.

The order of the widgets stays; only where they stand is mirrored. Keypads of digits and the
ticket's keys stay as they are: telephones are made the same way round everywhere.
"""

from __future__ import annotations

from textual.containers import Grid, Horizontal
from textual.geometry import Size
from textual.layout import ArrangeResult
from textual.layouts.grid import GridLayout
from textual.layouts.horizontal import HorizontalLayout
from textual.widget import Widget

from kiosk.widgets.words import is_right_to_left


class _RowFromTheRight(HorizontalLayout):
    """Textual's own row, seen in a mirror as wide as the row's contents."""

    name = "row-from-the-right"

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        return _mirrored(super().arrange(parent, children, size, greedy))


class _TilesFromTheRight(GridLayout):
    """Textual's own grid, seen so."""

    name = "tiles-from-the-right"

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        return _mirrored(super().arrange(parent, children, size, greedy))


def _mirrored(placements: ArrangeResult) -> ArrangeResult:
    edges = [placement.region.grow(placement.margin) for placement in placements]
    width = max((edge.right for edge in edges), default=0)
    return [
        it._replace(region=it.region.at_offset((width - it.region.right, it.region.y)))
        for it in placements
    ]


class Row(Horizontal):
    """A row of buttons or columns, in the direction in which the language is read."""

    def on_mount(self) -> None:
        if is_right_to_left():
            # Textual's property takes only layouts that it knows by name.
            self.styles.inline.set_rule("layout", _RowFromTheRight())
            self.refresh(layout=True)


class Tiles(Grid):
    """A grid of buttons, likewise."""

    def on_mount(self) -> None:
        if is_right_to_left():
            self.styles.inline.set_rule("layout", _TilesFromTheRight())
            self.refresh(layout=True)
