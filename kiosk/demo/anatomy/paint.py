"""Brushes: soft ellipses, tubes, smooth random fields. Images are float32, (rows, columns)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the pixels are: centres in mm along a row (`xs`) and down a column (`ys`)."""

    xs: Image
    ys: Image

    @classmethod
    def centred(cls, rows: int, columns: int, spacing_mm: float) -> Grid:
        return cls(
            ((np.arange(columns) - (columns - 1) / 2) * spacing_mm).astype(np.float32),
            ((np.arange(rows) - (rows - 1) / 2) * spacing_mm).astype(np.float32),
        )

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.ys), len(self.xs)

    def box(self, x: float, y: float, reach_x: float, reach_y: float) -> tuple[slice, slice]:
        """The pixels within reach of a point; may be empty."""
        top, bottom = np.searchsorted(self.ys, (y - reach_y, y + reach_y))
        left, right = np.searchsorted(self.xs, (x - reach_x, x + reach_x))
        return slice(int(top), int(bottom)), slice(int(left), int(right))


def ellipse(
    image: Image,
    grid: Grid,
    value: float,
    x: float,
    y: float,
    a: float,
    b: float,
    *,
    edge_mm: float = 0.8,
    turn: float = 0.0,
) -> None:
    """Paint an ellipse over what is there, its border `edge_mm` soft; `turn` in radians."""
    if a <= 0 or b <= 0:
        return
    reach = max(a, b) + edge_mm if turn else 0.0
    rows, columns = grid.box(x, y, reach or a + edge_mm, reach or b + edge_mm)
    part = image[rows, columns]
    if not part.size:
        return
    dx = grid.xs[columns] - np.float32(x)
    dy = (grid.ys[rows] - np.float32(y))[:, None]
    if turn:
        c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
        dx, dy = dx * c + dy * s, dy * c - dx * s
    radius = np.sqrt(np.square(dx / np.float32(a)) + np.square(dy / np.float32(b)))
    cover = np.clip((1 - radius) * np.float32(min(a, b) / edge_mm) + np.float32(0.5), 0, 1)
    part += cover * (np.float32(value) - part)


def balls(image: Image, grid: Grid, value: float, z: float, points: Image) -> None:
    """Paint the cut at height `z` through many balls; `points` is (n, 4): x, y, z, radius in mm."""
    height = points[:, 2] - np.float32(z)
    cut = np.square(points[:, 3]) - np.square(height)
    for x, y, square in zip(
        points[cut > 0, 0].tolist(), points[cut > 0, 1].tolist(), cut[cut > 0].tolist(), strict=True
    ):
        ellipse(image, grid, value, x, y, square**0.5, square**0.5)


def tube_thickness(
    grid: Grid, start: tuple[float, float], end: tuple[float, float], r0: float, r1: float
) -> tuple[tuple[slice, slice], Image]:
    """What an X-ray passes of a tapering rod with round ends, in mm, and where in the image."""
    reach = max(r0, r1)
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    where = grid.box(x, y, abs(end[0] - start[0]) / 2 + reach, abs(end[1] - start[1]) / 2 + reach)
    px = grid.xs[where[1]] - np.float32(start[0])
    py = (grid.ys[where[0]] - np.float32(start[1]))[:, None]
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    length = max(along_x**2 + along_y**2, 1e-6)
    t = np.clip((px * np.float32(along_x) + py * np.float32(along_y)) / np.float32(length), 0, 1)
    distance = np.square(px - t * np.float32(along_x)) + np.square(py - t * np.float32(along_y))
    radius = np.float32(r0) + t * np.float32(r1 - r0)
    return where, 2 * np.sqrt(np.maximum(np.square(radius) - distance, 0))


def add_thickness(image: Image, part: tuple[tuple[slice, slice], Image], factor: float) -> None:
    where, thickness = part
    image[where] += np.float32(factor) * thickness


def max_thickness(image: Image, part: tuple[tuple[slice, slice], Image]) -> None:
    """Union of rods that overlap: the thickest counts."""
    where, thickness = part
    np.maximum(image[where], thickness, out=image[where])


def blur(image: Image, sigma_px: float) -> Image:
    """Gaussian blur; borders repeat the edge."""
    reach = max(1, round(3 * sigma_px))
    steps = np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * np.square(steps / sigma_px)).astype(np.float32)
    kernel /= kernel.sum()
    for axis in (0, 1):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (reach, reach)
        wide = np.pad(image, pad, mode="edge")
        length = image.shape[axis]
        out = np.zeros_like(image)
        for k, weight in enumerate(kernel):
            out += weight * (wide[k : k + length] if axis == 0 else wide[:, k : k + length])
        image = out
    return image


def _spread(count: int, nodes: int) -> Image:
    """Weights of `nodes` evenly spaced values at `count` places: interpolation as a matrix."""
    place = np.linspace(0.5, nodes - 1.5, count)[:, None]
    weights = np.exp(-0.5 * np.square((place - np.arange(nodes)) / 0.6))
    return np.asarray(weights / np.sqrt(np.square(weights).sum(axis=1, keepdims=True)), np.float32)


class Field:
    """A smooth random field in space, mean 0 and about unit deviation, cut at any height."""

    def __init__(
        self, rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, int], layers: int
    ) -> None:
        self._nodes = rng.standard_normal((layers, cells[0], cells[1]), dtype=np.float32)
        self._down, self._across = _spread(shape[0], cells[0]), _spread(shape[1], cells[1])

    def cut(self, height: float) -> Image:
        """The field at a height of 0 (lowest) to 1."""
        layers = len(self._nodes)
        weights = np.exp(
            -0.5 * np.square((0.5 + height * (layers - 2) - np.arange(layers)) / 0.6)
        ).astype(np.float32)
        weights /= np.sqrt(np.square(weights).sum())
        return self._down @ np.tensordot(weights, self._nodes, axes=1) @ self._across.T


def cloud(rng: np.random.Generator, shape: tuple[int, int], slope: float) -> Image:
    """Noise with a power law spectrum, mean 0 and unit deviation: the look of projected tissue.

    Made at half the resolution (what is finer drowns in detector noise) for even shapes.
    """
    rows, columns = shape[0] // 2, shape[1] // 2
    spectrum = np.fft.rfft2(rng.standard_normal((rows, columns), dtype=np.float32))
    fy = np.fft.fftfreq(rows)[:, None].astype(np.float32)
    fx = np.fft.rfftfreq(columns)[None, :].astype(np.float32)
    square = np.square(fy) + np.square(fx)
    square[0, 0] = 1
    spectrum *= square ** np.float32(-slope / 4)
    spectrum[0, 0] = 0
    half = np.fft.irfft2(spectrum, s=(rows, columns))
    half /= half.std()
    image = np.empty((2 * rows, 2 * columns), np.float32)
    right = (half + np.roll(half, -1, axis=1)) / 2  # the spectrum is periodic, so is this
    image[0::2, 0::2], image[0::2, 1::2] = half, right
    image[1::2] = (image[0::2] + np.roll(image[0::2], -1, axis=0)) / 2
    return image


class Noise:
    """A pool of Gaussian noise handed out in pieces: cheaper than new numbers for each slice."""

    def __init__(self, rng: np.random.Generator, sigma: float, *, pixels: int = 1 << 20) -> None:
        pool = rng.standard_normal(pixels + 1, dtype=np.float32)
        # neighbours along a row share some of it, as after a reconstruction kernel
        self._pool = (0.8 * pool[1:] + 0.6 * pool[:-1]) * np.float32(sigma)
        self._rng = rng

    def take(self, shape: tuple[int, int]) -> Image:
        need = shape[0] * shape[1]
        start = int(self._rng.integers(0, len(self._pool)))
        piece = np.resize(np.roll(self._pool, -start) if need > len(self._pool) - start
                          else self._pool[start:], need)  # fmt: skip
        return piece.reshape(shape)
