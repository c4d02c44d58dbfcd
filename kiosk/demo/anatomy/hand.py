"""A right hand, projected: rods of bone in a rod of flesh each."""

from __future__ import annotations

import numpy as np

from kiosk.demo.anatomy.paint import (
    Grid,
    Image,
    add_thickness,
    blur,
    cloud,
    ellipse,
    max_thickness,
    tube_thickness,
)

_Point = tuple[float, float]
# a finger: knuckle (x, y in mm, y down), degrees from straight up, lengths of its bones, radius of
# the first of them
_FINGERS: tuple[tuple[_Point, float, tuple[float, ...], float], ...] = (
    ((-30.0, 18.0), -9.0, (33.0, 19.0, 14.0), 4.3),  # little
    ((-12.0, 6.0), -3.0, (41.0, 26.0, 16.0), 4.9),
    ((7.0, 1.0), 2.5, (45.0, 29.0, 17.0), 5.2),
    ((27.0, 6.0), 8.0, (40.0, 24.0, 16.0), 5.0),  # index
    ((46.0, 52.0), 34.0, (32.0, 23.0), 5.4),  # thumb
)
_BASES: tuple[_Point, ...] = ((-15.0, 66.0), (-4.0, 64.0), (6.0, 62.0), (17.0, 62.0), (24.0, 76.0))
_CARPALS: tuple[tuple[float, float, float, float], ...] = (  # x, y, half axes
    (-12.0, 75.0, 7.0, 6.5), (1.0, 74.0, 7.0, 9.0), (12.0, 72.0, 6.0, 6.5), (21.0, 80.0, 6.5, 6.0),
    (-14.0, 87.0, 6.5, 6.0), (-3.0, 88.5, 7.5, 6.5), (11.0, 86.0, 6.5, 9.0),
)  # fmt: skip


def _bone(bone: Image, grid: Grid, start: _Point, end: _Point, radius: float) -> None:
    """A long bone between two joints: narrow hollow shaft, wide ends, a gap to the next bone."""
    start, end = _short(end, start, radius * 1.25 + 0.5), _short(start, end, radius * 1.15 + 0.5)
    sx, sy = start
    ex, ey = end
    middle = ((sx + ex) / 2, (sy + ey) / 2)
    one = np.zeros(grid.shape, np.float32)
    for a, b, r0, r1 in (
        (start, middle, radius * 1.25, radius * 0.82),
        (middle, end, radius * 0.82, radius * 1.15),
    ):
        max_thickness(one, tube_thickness(grid, a, b, r0, r1))
    hollow = np.zeros(grid.shape, np.float32)
    for a, b, r0, r1 in (
        (start, middle, radius * 0.95, radius * 0.45),
        (middle, end, radius * 0.45, radius * 0.85),
    ):
        max_thickness(hollow, tube_thickness(grid, a, b, r0, r1))
    bone += one - np.float32(0.62) * np.minimum(hollow, one)


def radiograph(
    rng: np.random.Generator, view: str, rows: int, columns: int, spacing_mm: float
) -> np.ndarray:
    """Right hand, uint16 with 12 bits, high is white; `view` "PA" or "OBL" (oblique)."""
    base = Grid.centred(rows, columns, spacing_mm)
    oblique = view == "OBL"
    # an oblique view is the same hand, pushed together across
    grid = Grid(
        (base.xs + np.float32(9)) * np.float32(1.25 if oblique else 1.0), base.ys + np.float32(12)
    )
    flesh = np.zeros(grid.shape, np.float32)
    bone = np.zeros(grid.shape, np.float32)
    for (knuckle, degrees, lengths, radius), start in zip(_FINGERS, _BASES, strict=True):
        turn = np.deg2rad(degrees + (5 if oblique else 0))
        way = (float(np.sin(turn)), -float(np.cos(turn)))
        if oblique:
            knuckle = (knuckle[0] - 5, knuckle[1] - 0.12 * knuckle[0])
        _bone(bone, grid, start, knuckle, radius * 1.05)
        max_thickness(flesh, tube_thickness(grid, start, knuckle, 15, 12.5))
        place, size = knuckle, radius
        for length in lengths:
            end = (place[0] + way[0] * length, place[1] + way[1] * length)
            _bone(bone, grid, place, end, size)
            max_thickness(flesh, tube_thickness(grid, place, end, size + 5.4, size + 3.9))
            place, size = end, size * 0.8
    for side, radius in ((-9.0, 5.2), (9.0, 7.2)):  # ulna, radius
        _bone(bone, grid, (side * 1.05, 100.0), (side * 0.9, 190.0), radius)
        for shift in (-3.0, 3.0):
            max_thickness(
                flesh, tube_thickness(grid, (side + shift, 85), (side + shift, 190), 18, 24)
            )
    for x, y, a, b in _CARPALS:
        one = np.zeros(grid.shape, np.float32)
        ellipse(one, grid, 9.0, x, y, a, b, edge_mm=2.2)
        ellipse(one, grid, 6.8, x, y, a - 1.4, b - 1.4, edge_mm=1.6)
        bone = np.maximum(bone, one) + np.float32(0.25) * np.minimum(bone, one)
    palm = (
        (-14.0, 46.0, 17.0),
        (4.0, 42.0, 18.0),
        (20.0, 50.0, 17.0),
        (30.0, 64.0, 13.0),
        (2.0, 72.0, 20.0),
    )
    for x, y, r in palm:
        max_thickness(flesh, tube_thickness(grid, (x, y), (x * 0.7, y + 18), r, r))
    texture = cloud(rng, grid.shape, 1.6)
    path = blur(flesh, 3.0) * (1 + 0.03 * texture) + 3.4 * bone * (1 + 0.05 * texture)
    add_thickness(
        path, tube_thickness(grid, (-52, 150), (-52, 162), 3, 3), 10
    )  # lead marker on the plate
    image = 3600 * (1 - np.exp(-(blur(path, 0.9) + 3) / 46))
    image += rng.standard_normal(grid.shape, dtype=np.float32) * 15
    return np.asarray(np.clip(np.rint(image), 0, 4095), np.uint16)


def _short(start: _Point, end: _Point, by_mm: float) -> _Point:
    """The end, a little nearer to the start: joints leave a gap."""
    length = max(float(np.hypot(end[0] - start[0], end[1] - start[1])), 1e-3)
    t = 1 - by_mm / length
    return start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * t
