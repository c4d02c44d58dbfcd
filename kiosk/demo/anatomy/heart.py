"""A beating heart in ultrasound: a sector of speckle, four chambers, flow in colour."""

from __future__ import annotations

import numpy as np

from kiosk.demo.anatomy.paint import Image, blur

_OPENING = 0.72  # half angle of the sector, radians
_NEAR, _FAR = 0.03, 1.0  # depth as part of the picture


def _chamber(x: Image, depth: Image, cx: float, cy: float, a: float, b: float) -> Image:
    return np.asarray(np.square((x - cx) / a) + np.square((depth - cy) / b), np.float32)


def _echo(x: Image, depth: Image, beat: float) -> Image:
    """Echo strength without speckle; x across and depth downwards as parts of the depth."""
    squeeze = 1 - 0.16 * beat
    left = _chamber(x, depth, 0.13, 0.40, 0.115 * squeeze, 0.20 * squeeze)
    right = _chamber(x, depth, -0.14, 0.42, 0.085 * squeeze, 0.17 * squeeze)
    left_atrium = _chamber(x, depth, 0.14, 0.76, 0.13, 0.105 * (1 + 0.12 * beat))
    right_atrium = _chamber(x, depth, -0.13, 0.75, 0.12, 0.10 * (1 + 0.12 * beat))
    heart = np.square(x / 0.40) + np.square((depth - 0.54) / 0.42)
    strength = 42 + 48 * np.exp(-np.square((heart - 1.0) / 0.16)) + 58 * (heart < 1)
    for chamber in (left, right, left_atrium, right_atrium):
        edge = np.clip((np.sqrt(chamber) - 1) / 0.10, 0, 1)
        strength = np.minimum(strength, 5 + 150 * edge)
        strength = strength + 60 * np.exp(-np.square((np.sqrt(chamber) - 1.1) / 0.07))
    for cx, side in ((0.13, 1), (-0.14, -1)):  # valve leaflets, opening and closing
        swing = 0.075 * (1 - beat)
        for leaf in (-1, 1):
            way = np.abs(x - (cx + leaf * (0.055 + swing * (0.62 - depth) * side * 4)))
            strength = strength + 130 * np.exp(-np.square(way / 0.010)) * (
                (depth > 0.57) & (depth < 0.645)
            )
    return np.asarray(strength, np.float32)


def cine(
    rng: np.random.Generator, frames: int, rows: int, columns: int, *, with_flow: bool
) -> np.ndarray:
    """A loop of one beat, uint8 RGB (frames, rows, columns, 3), with a grey or colour bar."""
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    scale = np.float32(rows * 0.96)
    apex_x, apex_y = np.float32(columns / 2), np.float32(rows * 0.015)
    depth = np.hypot(x - apex_x, y - apex_y) / scale
    angle = np.arctan2(x - apex_x, y - apex_y)
    sector = (np.abs(angle) < _OPENING) & (depth > _NEAR) & (depth < _FAR)
    # speckle lives on beams: fine along the depth, ever wider across it
    beams, samples = 128, 420
    lines = blur(rng.standard_normal((samples + 64, beams), dtype=np.float32), 1.0)
    quadrature = blur(rng.standard_normal((samples + 64, beams), dtype=np.float32), 1.0)
    row = np.clip((depth * samples).astype(np.int32), 0, samples - 1)[sector]
    beam = np.clip(((angle / _OPENING + 1) / 2 * (beams - 1)).astype(np.int32), 0, beams - 1)[
        sector
    ]
    across, down = ((x - apex_x) / scale)[sector], ((y - apex_y) / scale)[sector]
    fade = (0.72 + 0.5 * np.exp(-np.square((depth[sector] - 0.45) / 0.4))).astype(np.float32)
    loop = np.zeros((frames, rows, columns, 3), np.uint8)
    amplitude = np.hypot(lines, quadrature)
    amplitude /= amplitude.mean()
    for k in range(frames):
        phase = 2 * np.pi * k / frames
        beat = float(0.5 - 0.5 * np.cos(phase))
        shift = round(3 * float(np.sin(phase))) + 8
        grain = amplitude[row + shift, beam]
        grey = np.clip(_echo(across, down, beat) * fade * grain**0.75, 0, 255)
        colour = np.repeat(grey[:, None], 3, axis=1)
        if with_flow:
            _flow(colour, across, down, beat, grain)
        loop[k][sector] = colour.astype(np.uint8)
        _bars(loop[k], with_flow=with_flow)
    return loop


def _flow(colour: Image, across: Image, down: Image, beat: float, grain: Image) -> None:
    """Doppler colours in jets: red towards the probe while filling, blue away while emptying."""
    for cx, cy, a, b, filling in ((0.13, 0.56, 0.05, 0.16, True), (0.09, 0.36, 0.05, 0.15, False),
                                  (-0.14, 0.56, 0.04, 0.13, True)):  # fmt: skip
        speed = (1 - beat) if filling else beat
        inside = _chamber(across, down, cx, cy, a * (0.5 + 0.5 * speed), b)
        jet = (inside < 1) & (grain < 1.9) & (speed > 0.25)
        strength = (1 - inside[jet]) * speed
        bright, warm = 120 + 135 * strength, 200 * strength**1.5
        low = np.zeros_like(bright)
        channels = (bright, warm, low) if filling else (low, warm, bright)
        colour[jet] = np.stack(channels, axis=1)


def _bars(frame: np.ndarray, *, with_flow: bool) -> None:
    rows = frame.shape[0]
    height = rows // 4
    ramp = np.linspace(255, 0, height).astype(np.uint8)
    frame[20 : 20 + height, 16:28] = ramp[:, None, None]
    if with_flow:
        half = height // 2
        up = np.linspace(255, 0, half)
        bar = np.zeros((2 * half, 3))
        bar[:half, 0], bar[:half, 1] = up, up * up / 400
        bar[half:, 2], bar[half:, 1] = up[::-1], (up * up / 400)[::-1]
        frame[40 + height : 40 + height + 2 * half, 16:28] = bar.astype(np.uint8)[:, None, :]
