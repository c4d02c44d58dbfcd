"""A chest with lungs, heart, great vessels, ribs and spine, cut across for CT."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from kiosk.demo.anatomy.paint import Field, Grid, Image, Noise, balls, ellipse

# Hounsfield units
_AIR, _LUNG, _FAT, _MUSCLE, _LIVER, _BLOOD = -1000, -860, -105, 55, 95, 210
_CORTEX, _MARROW, _DISC = 700, 260, 90

BOTTOM_MM, TOP_MM = -150.0, 150.0


def _smooth(value: float, low: float, high: float) -> float:
    t = min(max((value - low) / (high - low), 0.0), 1.0)
    return t * t * (3 - 2 * t)


def _tube(*stations: tuple[float, float, float, float], step_mm: float = 3.0) -> list[list[float]]:
    """Balls along a polyline of (x, y, z, radius)."""
    out: list[list[float]] = []
    for start, end in pairwise(stations):
        count = max(2, int(np.linalg.norm(np.subtract(end[:3], start[:3])) / step_mm))
        for k in range(count):
            out.append([s + (e - s) * k / count for s, e in zip(start, end, strict=True)])
    out.append(list(stations[-1]))
    return out


def _rib(level: int, side: int) -> np.ndarray:
    """Centre line of a rib, from the spine round to the front, falling as it goes: (n, 4)."""
    size = min(1.0, 0.55 + 0.16 * level)  # the upper ones are short
    reach = 2.75 if level < 8 else 2.75 - 0.35 * (level - 7)  # the lowest float
    turn = np.linspace(0.35, reach, 110)
    x = side * 143 * size * np.sin(turn)
    y = 2 + 88 * (0.75 + 0.25 * size) * np.cos(turn)
    z = 138 - 23.5 * level - (20 + 46 * size) * ((turn - 0.35) / 2.4) ** 1.25
    return np.stack([x, y, z, np.full_like(x, 5.6)], axis=1)


def _vessels(rng: np.random.Generator, side: int) -> list[list[float]]:
    """Lung vessels branching from the hilum outward until they are too thin to see."""
    points: list[list[float]] = []
    start = np.array([side * 38.0, 8.0, 12.0])
    todo = []
    for _ in range(18):
        way = np.array([side * rng.uniform(0.1, 1), rng.uniform(-1, 1), rng.uniform(-1.6, 1.5)])
        todo.append((start.copy(), way / np.linalg.norm(way), rng.uniform(4.0, 5.5)))
    while todo:
        place, way, radius = todo.pop()
        for _ in range(int(rng.integers(6, 11))):
            way = way + rng.normal(0, 0.12, 3)
            way /= np.linalg.norm(way)
            place = place + way * 2.6
            points.append([*place.tolist(), radius])
            radius *= 0.979
        if radius > 1.0:
            for _ in range(2 if radius > 1.3 else 1):
                bend = way + rng.normal(0, 0.45, 3)
                todo.append(
                    (place.copy(), bend / np.linalg.norm(bend), radius * rng.uniform(0.62, 0.88))
                )
    return points


class Chest:
    """One person's chest; two of the same seed are the same."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.ribs = [_rib(level, side) for level in range(12) for side in (-1, 1)]
        bones = np.concatenate(self.ribs)
        self._ribs = bones.astype(np.float32)
        self._rib_marrow = (bones * [1, 1, 1, 0.52]).astype(np.float32)
        self.vessels = np.array(_vessels(rng, -1) + _vessels(rng, 1), np.float32)
        self._aorta = np.array(
            _tube((-8, -22, -8, 15), (-10, -24, 40, 15), (-4, -12, 66, 14), (12, 12, 78, 13),
                  (22, 34, 68, 12), (24, 46, 48, 12), (20, 48, -20, 11.5), (12, 46, -150, 11)),
            np.float32,
        )  # fmt: skip
        self._veins = np.array(
            _tube((-30, -16, 100, 8), (-28, -18, 40, 9), (-28, -20, 0, 11))
            + _tube((10, -40, 0, 12), (14, -30, 26, 13), (34, 0, 24, 10), (46, 10, 18, 7))
            + _tube((14, -28, 26, 13), (-6, -6, 20, 10), (-30, 4, 16, 8), (-44, 8, 10, 6)),
            np.float32,
        )
        self._airway = np.array(
            _tube((0, 6, 150, 9), (0, 14, 52, 9), (-20, 18, 30, 7), (-38, 18, 8, 5.5))
            + _tube((0, 14, 52, 8), (24, 20, 26, 6.5), (40, 20, 8, 5)),
            np.float32,
        )
        self._clavicles = np.array(
            _tube((-14, -70, 108, 6), (-60, -66, 126, 5.5), (-120, -24, 138, 6))
            + _tube((14, -70, 108, 6), (60, -66, 126, 5.5), (120, -24, 138, 6)),
            np.float32,
        )

    def slice(self, grid: Grid, z: float) -> Image:
        """Hounsfield units of one cut at height `z` mm, without noise."""
        hu = np.full(grid.shape, _AIR, np.float32)
        upper = _smooth(z, 70, 150)  # towards the shoulders the trunk is wide and flat
        a, b = 168 + 14 * upper, 116 - 20 * upper
        ellipse(hu, grid, _FAT, 0, 0, a, b, edge_mm=1.2)
        ellipse(hu, grid, _MUSCLE, 0, 1, a - 17 + 4 * upper, b - 14)
        self._organs(hu, grid, z)
        self._skeleton(hu, grid, z)
        self._table(hu, grid)
        return hu

    def _organs(self, hu: Image, grid: Grid, z: float) -> None:
        apex = _smooth(z, 150, 40)  # 0 at the top, 1 from the hila down
        fill = max(apex, 0.0) ** 0.5
        if fill > 0.3:
            ellipse(hu, grid, _FAT + 20, 0, 0, 132 * (0.62 + 0.38 * fill), 88 * fill)
            for side in (-1, 1):
                ellipse(
                    hu,
                    grid,
                    _LUNG,
                    side * (68 - 14 * (1 - fill)),
                    0,
                    62 * fill,
                    86 * fill,
                    turn=side * 0.12,
                )
            balls(hu, grid, 30, z, self.vessels)
        if z > -60:  # mediastinal fat between the lungs
            ellipse(hu, grid, _FAT, 0, -20, 24 - 8 * (1 - apex), 66 * fill)
            ellipse(hu, grid, 20, 0, 30, 22, 26)
        balls(hu, grid, _BLOOD, z, self._veins)
        self._heart(hu, grid, z)
        self._abdomen(hu, grid, z)
        balls(hu, grid, _BLOOD + 90, z, self._aorta)
        balls(hu, grid, -960, z, self._airway)
        ellipse(hu, grid, 40, 9, 36 - 6 * (1 - apex), 7, 6)
        ellipse(hu, grid, -500, 9, 36 - 6 * (1 - apex), 2, 1.5)

    @staticmethod
    def _ball(
        hu: Image, grid: Grid, z: float, value: float, centre: tuple[float, float, float],
        radii: tuple[float, float, float], turn: float = 0.0,
    ) -> None:  # fmt: skip
        cut = 1 - ((z - centre[2]) / radii[2]) ** 2
        if cut > 0:
            r = cut**0.5
            ellipse(hu, grid, value, centre[0], centre[1], radii[0] * r, radii[1] * r, turn=turn)

    def _heart(self, hu: Image, grid: Grid, z: float) -> None:
        for value, centre, radii in (
            (_FAT, (20, -34, -48), (64, 50, 62)),  # pericardial fat
            (70, (20, -34, -48), (60, 46, 58)),  # muscle
            (_BLOOD, (46, -30, -54), (22, 19, 40)),  # left ventricle
            (_BLOOD - 40, (14, -58, -48), (30, 13, 36)),  # right ventricle
            (_BLOOD - 30, (-22, -32, -38), (18, 24, 32)),  # right atrium
            (_BLOOD, (10, 0, -22), (32, 14, 22)),  # left atrium
        ):
            self._ball(hu, grid, z, value, centre, radii, turn=0.45)

    def _abdomen(self, hu: Image, grid: Grid, z: float) -> None:
        self._ball(hu, grid, z, _LIVER, (-58, -6, -152), (84, 84, 76))
        self._ball(hu, grid, z, _LIVER, (0, -48, -160), (70, 36, 56))
        self._ball(hu, grid, z, 40, (66, 6, -158), (66, 78, 68))
        self._ball(hu, grid, z, -880, (62, -44, -146), (28, 22, 34))  # gas in the stomach
        self._ball(hu, grid, z, 120, (96, 44, -150), (28, 36, 46), turn=0.5)  # spleen

    def _skeleton(self, hu: Image, grid: Grid, z: float) -> None:
        balls(hu, grid, _CORTEX, z, self._ribs)
        balls(hu, grid, _MARROW, z, self._rib_marrow)
        balls(hu, grid, _CORTEX - 60, z, self._clavicles)
        phase = (z % 25) / 25
        if phase < 0.18:
            ellipse(hu, grid, _DISC, 0, 64, 20, 15)
        else:
            ellipse(hu, grid, _CORTEX - 120, 0, 64, 20.5, 15.5)
            ellipse(hu, grid, _MARROW - 40, 0, 64, 18.5, 13.5)
        ellipse(hu, grid, _CORTEX - 150, 0, 85, 13, 10)
        ellipse(hu, grid, 25, 0, 85, 9.5, 7.5)
        if phase > 0.45:
            ellipse(hu, grid, _CORTEX - 200, 0, 100, 3.5, 11)
            for side in (-1, 1):
                ellipse(hu, grid, _CORTEX - 250, side * 24, 88, 14, 4.5, turn=side * 0.3)
        if -50 < z < 96:
            ellipse(hu, grid, _CORTEX - 200, 0, -93 + 6 * _smooth(z, 0, 96), 19, 6)
            ellipse(hu, grid, _MARROW - 60, 0, -93 + 6 * _smooth(z, 0, 96), 16.5, 4)
        if 5 < z < 128:  # shoulder blades
            for side in (-1, 1):
                ellipse(hu, grid, _CORTEX - 100, side * 112, 70, 34, 4.5, turn=-side * 0.75)
                ellipse(hu, grid, _MARROW, side * 112, 70, 31, 2.2, turn=-side * 0.75)

    @staticmethod
    def _table(hu: Image, grid: Grid) -> None:
        curve = 118 + 22 * (1 - np.square(grid.xs / 260))
        distance = np.abs(grid.ys[:, None] - curve[None, :])
        top = np.clip(2.6 - distance, 0, 1)
        hu += top * (np.float32(-330) - hu) * (hu < -900)


def ct_slices(
    rng: np.random.Generator, count: int, size: int, spacing_mm: float
) -> list[tuple[float, np.ndarray]]:
    """CT of the chest from the bottom up: (z in mm, int16 Hounsfield units) of each slice."""
    chest, noise = Chest(rng), Noise(rng, 13)
    grid = Grid.centred(size, size, spacing_mm)
    grain = 7 * Field(rng, grid.shape, (40, 40), 3).cut(0.5)
    field_of_view = np.hypot(grid.xs[None, :], grid.ys[:, None]) <= size * spacing_mm / 2
    gap = (TOP_MM - BOTTOM_MM) / count
    out = []
    for k in range(count):
        z = BOTTOM_MM + gap * (k + 0.5)
        hu = chest.slice(grid, z)
        inside = hu > -950
        hu += noise.take(grid.shape)
        hu += grain * inside
        hu[~field_of_view] = -1024
        out.append((z, np.clip(np.rint(hu), -1024, 3071).astype(np.int16)))
    return out
