/** A round glass over the picture: what is under the pointer, three times as large. */
import type { Point } from "./matrix.ts";
import type { Tool } from "./tools.ts";
import type { Layer, Viewport } from "./viewport.ts";

const RADIUS = 90;
const TIMES = 3;

let at: { viewport: Viewport; point: Point } | null = null;

function put(viewport: Viewport, point: Point | null): void {
  at = point && { viewport, point };
  viewport.redraw("graphics");
}

export const magnifierTool: Tool = {
  id: "magnify",
  cursor: "none",
  down: ({ viewport, now }) => put(viewport, now),
  move: ({ viewport, now }) => put(viewport, now),
  up: ({ viewport }) => put(viewport, null),
  cancel: ({ viewport }) => put(viewport, null),
};

export const magnifierLayer: Layer = {
  order: 90,
  draw(context, viewport) {
    if (at?.viewport !== viewport) return;
    const { x, y } = at.point;
    context.beginPath();
    context.arc(x, y, RADIUS, 0, 2 * Math.PI);
    context.save();
    context.clip();
    context.fillStyle = "#000";
    context.fillRect(x - RADIUS, y - RADIUS, 2 * RADIUS, 2 * RADIUS);
    viewport.paintPart(context, at.point, TIMES, {
      x: x - RADIUS,
      y: y - RADIUS,
      width: 2 * RADIUS,
      height: 2 * RADIUS,
    });
    context.restore();
    context.lineWidth = 2;
    context.strokeStyle = "#5cc8ff";
    context.stroke();
  },
};
