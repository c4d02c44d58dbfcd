"""A head cut across, as T1- and T2-weighted MR see it."""

from __future__ import annotations

import numpy as np

from kiosk.demo.anatomy.paint import Field, Grid, Image, Noise, ellipse

# signal of each tissue: T1-weighted, T2-weighted
_SIGNAL = {
    "fat": (1050.0, 760.0), "bone": (60.0, 50.0), "marrow": (620.0, 380.0), "csf": (170.0, 1350.0),
    "grey": (520.0, 660.0), "white": (720.0, 430.0), "muscle": (430.0, 250.0),
    "nucleus": (560.0, 540.0),
    "vitreous": (180.0, 1400.0), "lesion": (380.0, 1050.0), "air": (8.0, 8.0),
}  # fmt: skip

BOTTOM_MM, TOP_MM = -62.0, 78.0


class Head:
    """One person's head; the folds of the brain come from the seed."""

    def __init__(self, rng: np.random.Generator, size: int, spacing_mm: float) -> None:
        self.grid = Grid.centred(size, size, spacing_mm)
        self._folds = Field(rng, self.grid.shape, (26, 26), 12)
        self._fine = Field(rng, self.grid.shape, (44, 44), 16)

    def slice(self, z: float, weighting: int) -> Image:
        """Signal of one cut at height `z` mm; `weighting` 0 is T1, 1 is T2."""

        def signal(tissue: str) -> float:
            return _SIGNAL[tissue][weighting]

        grid = self.grid
        image = np.full(grid.shape, signal("air"), np.float32)
        cut = max(1 - (z / 92) ** 2, 0.02) ** 0.5 if z > 0 else max(1 - (z / 165) ** 2, 0.1) ** 0.5
        a, b = 76 * cut, 96 * cut
        ellipse(image, grid, signal("fat"), 0, 0, a, b)
        ellipse(image, grid, signal("bone"), 0, 0, a - 6, b - 6)
        ellipse(image, grid, signal("marrow"), 0, 0, a - 8.5, b - 8.5)
        ellipse(image, grid, signal("bone"), 0, 0, a - 10.5, b - 10.5)
        if z < -38:
            self._base(image, z, weighting, a, b)
            return image
        self._brain(image, z, weighting, a - 13, b - 13)
        if z < -12:
            self._face(image, z, weighting)
        return image

    def _brain(self, image: Image, z: float, weighting: int, a: float, b: float) -> None:
        csf, grey, white = (np.float32(_SIGNAL[t][weighting]) for t in ("csf", "grey", "white"))
        grid = self.grid
        x, y = grid.xs[None, :], grid.ys[:, None]
        height = (z - BOTTOM_MM) / (TOP_MM - BOTTOM_MM)
        folds, fine = self._folds.cut(height), self._fine.cut(height)
        # distance to the inner table in mm, about right near the border
        radius = np.sqrt(np.square(x / a) + np.square(y / b))
        depth = (1 - radius) * min(a, b)
        inside = np.clip(depth + 0.5, 0, 1)
        crease = np.abs(folds + 0.35 * fine)  # near zero along winding lines: the sulci
        sulcus = np.clip((0.30 - crease) / 0.12, 0, 1) * np.clip((17 - depth) / 6, 0, 1)
        fissure = np.clip((1.6 + 0.5 * folds - np.abs(x + 1.2 * fine)) / 0.8, 0, 1)
        fissure = fissure * np.clip((np.abs(y) - 26) / 5, 0, 1)
        gap = np.maximum(np.maximum(sulcus, fissure), np.clip(2.2 - depth, 0, 1))
        ribbon = np.maximum(np.clip((0.78 - crease) / 0.2, 0, 1) * np.clip((21 - depth) / 5, 0, 1),
                            np.clip((6.0 + 1.8 * fine - depth) / 1.2, 0, 1))  # fmt: skip
        ribbon = np.maximum(ribbon, np.clip((4.2 - np.abs(x)) / 1.2, 0, 1) * (np.abs(y) > 24))
        brain = white + ribbon * (grey - white)
        brain = brain + gap * (csf - brain)
        image += inside * (brain - image)
        self._deep(image, z, weighting)

    def _deep(self, image: Image, z: float, weighting: int) -> None:
        def paint(tissue: str, x: float, y: float, a: float, b: float, middle: float, half: float,
                  turn: float = 0.0) -> None:  # fmt: skip
            cut = 1 - ((z - middle) / half) ** 2
            if cut > 0:
                r = cut**0.5
                for side in (-1, 1):
                    ellipse(image, self.grid, _SIGNAL[tissue][weighting], side * x, y, a * r, b * r,
                            turn=side * turn, edge_mm=1.4)  # fmt: skip

        paint("nucleus", 23, -2, 7, 22, 4, 14, 0.25)  # putamen
        paint("nucleus", 11, 10, 8, 13, 5, 12, -0.4)  # thalamus
        paint("nucleus", 12, -22, 6, 9, 10, 14, -0.3)  # caudate
        paint("csf", 7, -20, 5, 14, 17, 13, -0.35)  # frontal horns
        paint("csf", 11, 4, 5.5, 24, 25, 11, 0.1)  # bodies
        paint("csf", 22, 30, 6, 15, 10, 14, -0.45)  # occipital horns
        paint("csf", 0, 8, 2.2, 13, 2, 12)  # third ventricle
        paint("csf", 33, -14, 2.2, 16, -4, 16, 0.2)  # Sylvian fissure
        if (
            abs(z - 34) < 7
        ):  # a small spot of the white matter, so that there is something to report
            r = (1 - ((z - 34) / 7) ** 2) ** 0.5
            ellipse(
                image, self.grid, _SIGNAL["lesion"][weighting], 24, -18, 5 * r, 4 * r, edge_mm=1.5
            )

    def _face(self, image: Image, z: float, weighting: int) -> None:
        grid = self.grid
        cut = 1 - ((z + 27) / 14) ** 2
        if cut > 0:
            r = cut**0.5
            for side in (-1, 1):
                ellipse(image, grid, _SIGNAL["fat"][weighting], side * 31, -66, 18 * r, 22 * r)
                ellipse(
                    image,
                    grid,
                    _SIGNAL["muscle"][weighting],
                    side * 25,
                    -58,
                    3 * r,
                    16 * r,
                    turn=side * 0.4,
                )
                ellipse(
                    image, grid, _SIGNAL["vitreous"][weighting], side * 31, -76, 12.5 * r, 12.5 * r
                )
                ellipse(image, grid, _SIGNAL["bone"][weighting], side * 31, -85, 4 * r, 2 * r)
            for x in (-7, 7):
                ellipse(image, grid, _SIGNAL["air"][weighting], x, -66, 5, 15 * r)

    def _base(self, image: Image, z: float, weighting: int, a: float, b: float) -> None:
        """Posterior fossa with cerebellum and brain stem; muscle and sinus in front."""
        grid = self.grid

        def paint(tissue: str, x: float, y: float, rx: float, ry: float) -> None:
            ellipse(image, grid, _SIGNAL[tissue][weighting], x, y, rx, ry, edge_mm=1.2)

        shrink = 1 - max(-z - 38, 0) / 80
        paint("muscle", 0, -4, a - 9, b - 9)
        paint("bone", 0, 44, 54 * shrink, 42 * shrink)
        paint("csf", 0, 44, 50 * shrink, 38 * shrink)
        for side in (-1, 1):
            paint("grey", side * 23 * shrink, 52, 22 * shrink, 24 * shrink)
            paint("white", side * 20 * shrink, 48, 10 * shrink, 12 * shrink)
            paint("air", side * 24, -58, 14 * shrink, 17 * shrink)  # maxillary sinus
            paint("bone", side * 46, 14, 13, 10)
        folia = np.sin(
            self._fine.cut(0.2) * 2 + np.hypot(grid.xs[None, :], grid.ys[:, None] - 40) * 1.9
        )
        zone = ((np.square(grid.xs[None, :] / (44 * shrink))
                 + np.square((grid.ys[:, None] - 54) / (24 * shrink))) < 1)  # fmt: skip
        image += zone * folia.astype(np.float32) * 60
        paint("white", 0, 18, 13, 11)
        paint("csf", 0, 33, 6, 4)
        paint("muscle", 0, -62, 5, 18)


def mr_slices(
    rng: np.random.Generator, count: int, size: int, spacing_mm: float
) -> tuple[list[float], list[list[np.ndarray]]]:
    """Heights in mm from the bottom up, and for T1 and T2 the uint16 slices (12 bits)."""
    head, noise = Head(rng, size, spacing_mm), Noise(rng, 17)
    grid = head.grid
    shade = 1 + 0.06 * Field(rng, grid.shape, (4, 4), 3).cut(0.5)  # receive coil
    gap = (TOP_MM - BOTTOM_MM) / count
    heights = [BOTTOM_MM + gap * (k + 0.5) for k in range(count)]
    series = []
    for weighting in (0, 1):
        stack = []
        for z in heights:
            signal = head.slice(z, weighting) * shade
            magnitude = np.hypot(signal + noise.take(grid.shape), noise.take(grid.shape))
            stack.append(np.clip(np.rint(magnitude), 0, 4095).astype(np.uint16))
        series.append(stack)
    return heights, series
