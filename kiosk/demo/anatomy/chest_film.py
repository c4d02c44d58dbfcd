"""The chest of `chest` on film: what X-rays pass through, added up along their way."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from kiosk.demo.anatomy.chest import Chest
from kiosk.demo.anatomy.paint import (
    Grid,
    Image,
    add_thickness,
    blur,
    cloud,
    max_thickness,
    tube_thickness,
)


def _half_chord(offset: Image, radius: float) -> Image:
    return np.asarray(
        np.sqrt(np.maximum(1 - np.square(offset / np.float32(radius)), 0)), np.float32
    )


def radiograph(
    rng: np.random.Generator, view: str, rows: int, columns: int, spacing_mm: float
) -> np.ndarray:
    """Chest radiograph, uint16 with 12 bits, high is white. `view` is "PA" or "LL"."""
    chest = Chest(rng)
    centred = Grid.centred(rows, columns, spacing_mm)
    grid = Grid(centred.xs, centred.ys - np.float32(5))  # rows run down: y here is minus z
    frontal = view == "PA"
    up = -grid.ys[:, None]
    across = grid.xs[None, :]
    air = _lung_air(across, up, frontal=frontal)
    tissue = _trunk(across, up, frontal=frontal)
    bone = np.zeros(grid.shape, np.float32)
    axis = 0 if frontal else 1
    for rib in chest.ribs:
        one = np.zeros(grid.shape, np.float32)
        for start, end in zip(rib[::3], rib[3::3], strict=False):
            a, b = (float(start[axis]), -float(start[2])), (float(end[axis]), -float(end[2]))
            max_thickness(one, tube_thickness(grid, a, b, 5.8, 5.8))
        bone += np.minimum(one, 7) * np.float32(0.55)
    _spine(bone, grid, frontal=frontal)
    lung = np.clip(air / 60, 0, 1)
    marks = np.zeros(grid.shape, np.float32)
    for x, y, z, radius in chest.vessels[::3].tolist():
        place = (x if frontal else y, -z)
        add_thickness(marks, tube_thickness(grid, place, place, radius, radius), 0.6)
    path = tissue - 0.95 * air + 2.2 * bone + 1.7 * np.minimum(marks, 14) * lung
    path += 2.2 * cloud(rng, grid.shape, 2.4) * np.clip(tissue / 60, 0, 1)
    image = 3700 * (1 - np.exp(-blur(np.maximum(path, 0), 1.2) / (125 if frontal else 190)))
    image += rng.standard_normal(grid.shape, dtype=np.float32) * 14
    return np.asarray(np.clip(np.rint(image), 0, 4095), np.uint16)


def _trunk(across: Image, up: Image, *, frontal: bool) -> Image:
    """Soft tissue an X-ray passes, in mm."""
    shoulder = 1 / (1 + np.exp(-(up - 108) / 9))
    if frontal:
        body = 215 * _half_chord(across, 172)
        neck = 118 * _half_chord(across, 58)
        slope = np.clip((192 - up - np.abs(across) * 0.42) / 12, 0, 1)  # shoulders fall to the side
        return np.asarray(
            (body * (1 - shoulder) + shoulder * 170 * _half_chord(across, 215)) * slope
            + neck * (1 - slope) * (up > 90), np.float32,
        )  # fmt: skip
    body = 300 * _half_chord(across, 120)
    return np.asarray(
        body * (1 - 0.25 * shoulder) + 90 * shoulder * _half_chord(across - 20, 70), np.float32
    )


def _lung_air(across: Image, up: Image, *, frontal: bool) -> Image:
    """Air that an X-ray passes, in mm: two lungs over the diaphragm, less what lies between."""
    taper = np.sqrt(np.clip((150 - up) / 130, 0, 1)) * (
        1 - 0.1 * np.square(np.minimum(up + 20, 0) / 90)
    )
    total = np.zeros(np.broadcast_shapes(across.shape, up.shape), np.float32)
    for side, dome, height in ((-1, -66.0, 30.0), (1, -80.0, 26.0)):
        if frontal:
            offset = across - side * (73 - 14 * (1 - taper))
            chord = (
                165 * np.sqrt(np.maximum(1 - np.square(offset / (62 * taper + 1e-3)), 0)) * taper
            )
            floor = dome - 16 + height * (1.5 * _half_chord(across - side * 62, 84) - 0.5)
        else:
            chord = (
                118 * np.sqrt(np.maximum(1 - np.square(across / (88 * taper + 1e-3)), 0)) * taper
            )
            floor = dome - 26 + height * (2.0 * _half_chord(across + 8, 104) - 1.0) - 0.22 * across
        total += chord * np.clip((up - floor) / 2.2, 0, 1)
    if frontal:
        turn = np.float32(0.62)
        dx, dy = across - 22, up + 46
        u, v = dx * np.cos(turn) - dy * np.sin(turn), dx * np.sin(turn) + dy * np.cos(turn)
        heart = 118 * np.sqrt(np.maximum(1 - np.square(u / 68) - np.square(v / 50), 0))
        arch = 60 * np.sqrt(
            np.maximum(1 - np.square((across - 20) / 19) - np.square((up - 66) / 20), 0)
        )
        middle = 150 * np.clip((25 - np.abs(across + 2)) / 8, 0, 1) * (up < 150)
        hila = sum(
            26 * np.exp(-np.square((across - s * 42) / 13) - np.square((up - 14 - 4 * s) / 20))
            for s in (-1, 1)
        )
        windpipe = 16 * np.clip((9 - np.abs(across)) / 2, 0, 1) * (up > 48)
        total = np.maximum(total - heart - arch - middle - hila, 0) + windpipe
    else:
        u, v = across + 38, up + 50
        heart = 120 * np.sqrt(np.maximum(1 - np.square(u / 52) - np.square(v / 58), 0))
        hila = 55 * np.exp(-np.square((across - 6) / 20) - np.square((up - 16) / 22))
        total = np.maximum(total - heart - hila, 0)
    return np.asarray(total, np.float32)


def _spine(bone: Image, grid: Grid, *, frontal: bool) -> None:
    for k in range(17):
        z = 190 - 25.0 * k
        for dz in (-8.0, 0.0, 8.0):
            if frontal:
                part = tube_thickness(grid, (-13, -z - dz), (13, -z - dz), 6.5, 6.5)
            else:
                part = tube_thickness(grid, (58 - 8 * (dz == 0), -z - dz), (72, -z - dz), 7, 7)
            add_thickness(bone, part, 0.42 if frontal else 0.5)
        if frontal:  # processes, one above the other behind the body
            add_thickness(bone, tube_thickness(grid, (0, -z - 6), (0, -z + 8), 3, 4), 1.0)
            for side in (-1, 1):
                add_thickness(
                    bone, tube_thickness(grid, (side * 14, -z), (side * 34, -z - 5), 4, 3), 0.5
                )
    if frontal:
        for side in (-1, 1):
            line = ((12.0, -104.0), (48.0, -120.0), (92.0, -128.0), (140.0, -146.0))
            for start, end in pairwise(line):
                part = tube_thickness(
                    grid, (side * start[0], start[1]), (side * end[0], end[1]), 6.5, 6
                )
                add_thickness(bone, part, 0.55)
    else:
        add_thickness(bone, tube_thickness(grid, (-96, -80), (-104, 50), 5, 4), 1.2)
