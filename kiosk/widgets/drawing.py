"""A box to draw in with a finger or the mouse, shown in the dots of Braille characters."""

from __future__ import annotations

from typing import Final

from textual import events
from textual.content import Content
from textual.widget import Widget

Strokes = list[list[tuple[float, float]]]

MAX_STROKES: Final = 200
MAX_POINTS: Final = 5000
_BLANK: Final = 0x2800
# Bits of a Braille character by column and row of its dots (Unicode, Braille Patterns).
_BITS: Final = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


class Drawing(Widget):
    """Strokes of points in cells, x to the right, y down; a cell is twice as high as wide.

    Args:
        strokes: Drawn into; kept by whoever gave them.
    """

    DEFAULT_CSS = """
    Drawing {
        height: 8;
        color: $ink;
        background: $surface;
        border: round $line;
    }
    """

    def __init__(self, strokes: Strokes, *, id: str) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self.strokes = strokes
        self._is_down = False

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height in cells."""
        return float(self.content_size.width), float(self.content_size.height)

    def clear(self) -> None:
        self.strokes.clear()
        self._is_down = False
        self.refresh()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if len(self.strokes) < MAX_STROKES:
            self.capture_mouse()
            self._is_down = True
            self.strokes.append([])
            self._draw_to(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._is_down:
            self._draw_to(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._is_down:
            self._draw_to(event)
            self._is_down = False
            self.release_mouse()

    def _draw_to(self, event: events.MouseEvent) -> None:
        if sum(map(len, self.strokes)) >= MAX_POINTS or not self.strokes:
            return
        edge = self.gutter
        width, height = self.extent
        x = min(max(event.x - edge.left + 0.5, 0.0), width)
        y = min(max(event.y - edge.top + 0.5, 0.0), height)
        self.strokes[-1].append((x, y))
        self.refresh()

    def render(self) -> Content:
        columns, rows = int(self.extent[0]), int(self.extent[1])
        cells = [[0] * columns for _row in range(rows)]
        for stroke in self.strokes:
            for one, other in zip(stroke, [*stroke[1:], stroke[-1]], strict=True):
                for x, y in _line(one, other):
                    if 0 <= x < columns * 2 and 0 <= y < rows * 4:
                        cells[y // 4][x // 2] |= _BITS[x % 2][y % 4]
        return Content(
            "\n".join("".join(chr(_BLANK + it) if it else " " for it in row) for row in cells)
        )


def _line(one: tuple[float, float], other: tuple[float, float]) -> list[tuple[int, int]]:
    """Dots from one point to the other, both in cells."""
    (x0, y0), (x1, y1) = [(x * 2, y * 4) for x, y in (one, other)]
    steps = max(1, int(max(abs(x1 - x0), abs(y1 - y0))))
    return [
        (int(x0 + (x1 - x0) * at / steps), int(y0 + (y1 - y0) * at / steps))
        for at in range(steps + 1)
    ]
