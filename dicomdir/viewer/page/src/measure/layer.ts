/** Measurements drawn: lines that are seen on black and on white, numbers on a dark ground. */
import type { Point } from "../view/matrix.ts";
import type { Layer, Viewport } from "../view/viewport.ts";
import { apart } from "../words.ts";
import { handlesOf, outline } from "./hit.ts";
import { labelOf } from "./labels.ts";
import type { Measurement, Measurements } from "./model.ts";

const COLOUR = "#ffe066";
const CHOSEN = "#5cc8ff";
const FONT = 14;
const LINE = 18;

export function measureLayer(measurements: Measurements): Layer {
  return {
    order: 40,
    draw(context, viewport) {
      const { picture } = viewport;
      if (!picture) return;
      for (const each of measurements.of(picture)) {
        const isChosen = each.id === measurements.selected;
        context.strokeStyle = isChosen ? CHOSEN : COLOUR;
        drawShape(context, viewport, each);
        if (isChosen || each.kind === "value") drawHandles(context, viewport, each);
        drawLabel(context, viewport, each, labelOf(each, picture));
      }
    },
  };
}

function drawShape(
  context: CanvasRenderingContext2D,
  viewport: Viewport,
  measurement: Measurement,
): void {
  const way = outline(measurement).map((each) => viewport.toScreen(each));
  if (way.length < 2) return;
  context.beginPath();
  for (const { x, y } of way) context.lineTo(x, y);
  if (measurement.kind === "arrow") arrowHead(context, way[1]!, way[0]!);
  twice(context);
}

/** At `tip`, pointing away from `from`. */
function arrowHead(context: CanvasRenderingContext2D, from: Point, tip: Point): void {
  const turn = Math.atan2(tip.y - from.y, tip.x - from.x);
  for (const side of [-0.4, 0.4]) {
    context.moveTo(tip.x, tip.y);
    context.lineTo(tip.x - 14 * Math.cos(turn + side), tip.y - 14 * Math.sin(turn + side));
  }
}

function twice(context: CanvasRenderingContext2D): void {
  const colour = context.strokeStyle;
  context.lineWidth = 4;
  context.strokeStyle = "rgb(0 0 0 / 55%)";
  context.stroke();
  context.lineWidth = 1.75;
  context.strokeStyle = colour;
  context.stroke();
}

function drawHandles(
  context: CanvasRenderingContext2D,
  viewport: Viewport,
  measurement: Measurement,
): void {
  for (const each of handlesOf(measurement)) {
    const { x, y } = viewport.toScreen(each);
    context.beginPath();
    context.arc(x, y, 5, 0, 2 * Math.PI);
    twice(context);
  }
}

function drawLabel(
  context: CanvasRenderingContext2D,
  viewport: Viewport,
  measurement: Measurement,
  lines: readonly string[],
): void {
  const written = lines.filter(Boolean).map(apart);
  if (!written.length) return;
  context.font = `${FONT}px system-ui, "Segoe UI", "Noto Sans", sans-serif`;
  const width = Math.max(...written.map((each) => context.measureText(each).width)) + 10;
  const height = written.length * LINE + 4;
  const { x, y } = labelPlace(viewport, measurement, width, height);
  context.fillStyle = "rgb(0 0 0 / 65%)";
  context.fillRect(x, y, width, height);
  context.textBaseline = "middle";
  written.forEach((each, i) => {
    context.fillStyle = i === 0 ? "#fff" : "#e6e6e6";
    context.fillText(each, x + 5, y + 2 + (i + 0.5) * LINE);
  });
}

/** Right of and below the measurement, and always inside of the viewport. */
function labelPlace(
  viewport: Viewport,
  measurement: Measurement,
  width: number,
  height: number,
): Point {
  const points = handlesOf(measurement).map((each) => viewport.toScreen(each));
  const last = measurement.kind === "arrow" ? points.slice(1) : points;
  const right = Math.max(...last.map((each) => each.x));
  const low = Math.max(...last.map((each) => each.y));
  const { size } = viewport;
  return {
    x: Math.max(2, Math.min(right + 10, size.width - width - 2)),
    y: Math.max(2, Math.min(low + 6, size.height - height - 2)),
  };
}
