"""Mammograms of the four standard views."""

from __future__ import annotations

import numpy as np

from kiosk.demo.anatomy.paint import Grid, add_thickness, blur, cloud, ellipse, tube_thickness


def mammogram(
    rng: np.random.Generator, side: str, view: str, rows: int, columns: int, spacing_mm: float
) -> np.ndarray:
    """One view, uint16 with 12 bits, high is white.

    Args:
        side: "L" or "R"; the chest wall is at the left border for L, at the right one for R.
        view: "CC" or "MLO".
    """
    oblique = view == "MLO"
    centred = Grid.centred(rows, columns, spacing_mm)
    grid = Grid(
        (np.arange(columns) * spacing_mm).astype(np.float32), centred.ys
    )  # x from the chest wall
    x, y = grid.xs[None, :], grid.ys[:, None]
    tall = rows * spacing_mm
    width = columns * spacing_mm * 0.72
    height = tall * (0.36 if oblique else 0.40)
    middle = tall * 0.12 if oblique else 0.0
    along = (y - middle) / height
    outline = np.sqrt(np.maximum(1 - np.square(along), 1e-4))
    if oblique:  # upwards the breast runs out into the axilla instead of ending
        rise = np.clip((middle - y) / (tall * 0.62), 0, 1)
        outline = np.where(along < 0, 0.34 + 0.66 * np.sqrt(1 - np.square(rise)) ** 1.4, outline)
    radius = (
        np.where(np.abs(along) > 1, 2.0, x / (width * outline))
        if not oblique
        else np.where(along > 1, 2.0, x / (width * outline))
    )
    radius = np.asarray(1 - (1 - radius) * np.minimum(1, outline * 1.6), np.float32)
    inside = np.clip((1 - radius) * width / 0.6, 0, 1)
    thickness = (
        np.clip((1 - radius) * width / 13, 0, 1) ** 0.6
    )  # compressed flat, thinner at the skin
    tissue = cloud(rng, grid.shape, 3.1)
    strands = cloud(rng, grid.shape, 2.2)
    gland = np.exp(-np.square((x - width * 0.5) / (width * 0.36)) - np.square(along / 0.55))
    dense = np.clip(gland * 1.15 + 0.26 * tissue * (0.35 + gland), 0, 1.3)
    path = thickness * (0.42 + 0.62 * dense + 0.07 * strands * (0.4 + gland))
    skin = np.exp(-np.square(((1 - radius) * width - 1.0) / 0.9))
    path = path + 0.2 * skin * inside
    nipple = np.zeros(grid.shape, np.float32)
    ellipse(nipple, grid, 0.75, width + 1.0, middle, 5, 4.5, edge_mm=1.6)
    path = np.maximum(path, nipple)
    if oblique:  # the pectoral muscle, down from the corner
        border = (tall * 0.10 - y) * 0.42
        muscle = np.clip((border - x) / 2.5, 0, 1)
        path = path + muscle * (0.5 + 0.05 * strands)
    for _ in range(7):  # vessels
        place = np.array([rng.uniform(4, width * 0.3), middle + rng.uniform(-0.8, 0.8) * height])
        way = np.array([1.0, rng.uniform(-0.5, 0.5)])
        for _ in range(14):
            end = place + way / np.linalg.norm(way) * 4
            start_point, end_point = (
                (float(place[0]), float(place[1])),
                (float(end[0]), float(end[1])),
            )
            add_thickness(path, tube_thickness(grid, start_point, end_point, 0.55, 0.5), 0.05)
            place, way = end, way + np.array([0, rng.normal(0, 0.18)])
    path = path * inside
    if side == "L":  # one round mass and a few specks of chalk, for something to look at
        ellipse(path, grid, 1.28, width * 0.42, middle - 0.22 * height, 5.5, 4.8, edge_mm=2.2)
        for _ in range(14):
            speck = (width * 0.58 + rng.normal(0, 2.5), middle + 0.25 * height + rng.normal(0, 2.5))
            add_thickness(path, tube_thickness(grid, speck, speck, 0.25, 0.25), 0.9)
    image = 3300 * (1 - np.exp(-1.25 * blur(path.astype(np.float32), 0.7)))
    image += rng.standard_normal(grid.shape, dtype=np.float32) * 12 * inside
    image = np.clip(np.rint(image), 0, 4095).astype(np.uint16)
    return image if side == "L" else np.ascontiguousarray(image[:, ::-1])
