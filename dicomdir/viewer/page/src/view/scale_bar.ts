/** A length to compare with, where the picture's spacing is known. */

import { t } from "../words.ts";
import type { Layer } from "./viewport.ts";

const TICK = 5;
const BOTTOM = 10;

/** The largest 1, 2 or 5 with zeros that is not more than this. */
export function niceLength(most: number): number {
  const ten = 10 ** Math.floor(Math.log10(most));
  return [5, 2, 1].map((each) => each * ten).find((each) => each <= most) ?? ten;
}

export const scaleBar: Layer = {
  order: 35,
  draw(context, viewport) {
    const spacing = viewport.shown?.info.spacing;
    if (!spacing || spacing.source === "none") return;
    const { width, height } = viewport.size;
    // Of a picture that was turned by a quarter, the screen's right is the image's down.
    const isTurned = viewport.state.rotation % 180 !== 0;
    const { a, b, c, d } = viewport.matrix;
    const perMm = isTurned ? Math.hypot(c, d) / spacing.y : Math.hypot(a, b) / spacing.x;
    if (!(perMm > 0) || !Number.isFinite(perMm)) return;
    const mm = niceLength((0.25 * width) / perMm);
    const [x0, x1, y] = [
      width / 2 - (mm * perMm) / 2,
      width / 2 + (mm * perMm) / 2,
      height - BOTTOM,
    ];
    const name = mm >= 10 ? `${mm / 10} cm` : `${mm} mm`;
    const worth = t(`scale.${spacing.source}`);
    const text = worth ? `${name} (${worth})` : name;
    context.beginPath();
    context.moveTo(x0, y - TICK);
    context.lineTo(x0, y);
    context.lineTo(x1, y);
    context.lineTo(x1, y - TICK);
    for (const [line, colour] of [
      [4, "rgb(0 0 0 / 60%)"],
      [1.5, "#fff"],
    ] as const) {
      context.lineWidth = line;
      context.strokeStyle = colour;
      context.stroke();
    }
    context.font = '12px system-ui, "Segoe UI", "Noto Sans", sans-serif';
    context.textAlign = "center";
    context.textBaseline = "bottom";
    context.lineWidth = 3;
    context.strokeStyle = "rgb(0 0 0 / 70%)";
    context.strokeText(text, width / 2, y - 4);
    context.fillStyle = "#fff";
    context.fillText(text, width / 2, y - 4);
  },
};
