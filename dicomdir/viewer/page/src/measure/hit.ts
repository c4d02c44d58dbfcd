/** What of the measurements on a picture lies under a finger or a pointer. */
import type { Point } from "../view/matrix.ts";
import type { Viewport } from "../view/viewport.ts";
import type { Measurement } from "./model.ts";

export interface Hit {
  measurement: Measurement;
  /** Which of `handlesOf`, or -1: the whole of it. */
  handle: number;
}

/** Points by which a measurement is changed: those of boxes are all four corners. */
export function handlesOf({ kind, points }: Measurement): Point[] {
  const [a, b] = points;
  if ((kind === "ellipse" || kind === "rectangle") && a && b) {
    return [a, b, { x: a.x, y: b.y }, { x: b.x, y: a.y }];
  }
  return [...points];
}

/** The points after a handle was moved. */
export function withHandle(measurement: Measurement, handle: number, to: Point): Point[] {
  const { kind, points } = measurement;
  const [a, b] = points;
  if (handle >= 2 && (kind === "ellipse" || kind === "rectangle") && a && b) {
    return handle === 2
      ? [
          { x: to.x, y: a.y },
          { x: b.x, y: to.y },
        ]
      : [
          { x: a.x, y: to.y },
          { x: to.x, y: b.y },
        ];
  }
  return points.map((each, i) => (i === handle ? to : each));
}

export function hitTest(
  viewport: Viewport,
  measurements: readonly Measurement[],
  at: Point,
  reach: number,
): Hit | null {
  for (const measurement of [...measurements].reverse()) {
    const handles = handlesOf(measurement).map((each) => viewport.toScreen(each));
    const handle = handles.findIndex((each) => Math.hypot(each.x - at.x, each.y - at.y) <= reach);
    if (handle >= 0) return { measurement, handle };
    const way = outline(measurement).map((each) => viewport.toScreen(each));
    for (let i = 1; i < way.length; i++) {
      if (fromSegment(at, way[i - 1]!, way[i]!) <= reach * 0.7) return { measurement, handle: -1 };
    }
  }
  return null;
}

/** The line that is drawn, as a polygon in image coordinates. */
export function outline({ kind, points }: Measurement): Point[] {
  const [a, b] = points;
  if (!a || !b) return [];
  if (kind === "rectangle") return [a, { x: b.x, y: a.y }, b, { x: a.x, y: b.y }, a];
  if (kind !== "ellipse") return [...points];
  const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  return Array.from({ length: 49 }, (_, i) => {
    const turn = (i / 48) * 2 * Math.PI;
    return {
      x: middle.x + (Math.cos(turn) * (b.x - a.x)) / 2,
      y: middle.y + (Math.sin(turn) * (b.y - a.y)) / 2,
    };
  });
}

function fromSegment(at: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length = dx * dx + dy * dy;
  const part = length ? ((at.x - a.x) * dx + (at.y - a.y) * dy) / length : 0;
  const t = Math.max(0, Math.min(1, part));
  return Math.hypot(at.x - a.x - t * dx, at.y - a.y - t * dy);
}
