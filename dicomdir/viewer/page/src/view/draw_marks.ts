/** Marks of a presentation state, drawn over a picture. */
import type { Mark } from "../dicom/presentation.ts";
import { apart } from "../words.ts";
import type { Point } from "./matrix.ts";
import type { Viewport } from "./viewport.ts";

export const MARK_COLOUR = "#ffdd57";
const HALO = "rgb(0 0 0 / 70%)";
const LINE = 1.5;
const LETTERS = 18;
/** Screen pixels. */
const TICK = 8;
const ARROW = 32;
const HEAD = 9;

type Context = CanvasRenderingContext2D;

export function drawMark(context: Context, viewport: Viewport, mark: Mark): void {
  const points = mark.points.map(([x, y]) => place(viewport, x, y, mark.units));
  if (mark.kind === "text") {
    drawText(context, viewport, mark, points[0] ?? null);
    return;
  }
  context.beginPath();
  if (mark.kind === "infinite" || mark.kind === "cross") {
    drawEndless(context, viewport, mark, points);
  } else if (mark.kind === "point") {
    dot(context, points[0]!);
  } else if (mark.kind === "circle" && points.length >= 2) {
    const [middle, edge] = points as [Point, Point];
    const radius = Math.hypot(edge.x - middle.x, edge.y - middle.y);
    context.arc(middle.x, middle.y, radius, 0, 2 * Math.PI);
  } else if (mark.kind === "ellipse" && points.length >= 4) {
    const [a, b, c, d] = points as [Point, Point, Point, Point];
    const half = (p: Point, q: Point) => Math.hypot(q.x - p.x, q.y - p.y) / 2;
    const turn = Math.atan2(b.y - a.y, b.x - a.x);
    context.ellipse((a.x + b.x) / 2, (a.y + b.y) / 2, half(a, b), half(c, d), turn, 0, 2 * Math.PI);
  } else {
    for (const { x, y } of points) context.lineTo(x, y);
  }
  if (mark.isFilled) context.fill();
  context.stroke();
  if (mark.from) drawArrows(context, viewport, mark, points as [Point, Point]);
  if (mark.kind === "ruler") drawTicks(context, mark, points as [Point, Point]);
  if (mark.kind === "ends") {
    for (const each of points) {
      context.beginPath();
      dot(context, each);
      context.fill();
    }
  }
}

function dot(context: Context, { x, y }: Point): void {
  context.arc(x, y, 3, 0, 2 * Math.PI);
}

function place(viewport: Viewport, x: number, y: number, units: Mark["units"]): Point {
  if (units === "image") return viewport.toScreen({ x, y });
  // Parts of the displayed area, which is the viewport here.
  return { x: x * viewport.size.width, y: y * viewport.size.height };
}

/** Lines to the border; within their circle, and without the gap in its middle. */
function drawEndless(context: Context, viewport: Viewport, mark: Mark, points: Point[]): void {
  const { width, height } = viewport.size;
  const { middle, gap = 0, seen = 0 } = mark;
  // Both are parts of the displayed area, whatever the points are (PS3.3 C.10.5.1.3.6).
  const far = seen > 0 ? (seen * width) / 2 : 2 * (width + height);
  const near = Math.max(0, (gap * width) / 2);
  for (let i = 0; i + 1 < points.length; i += 2) {
    const [a, b] = [points[i]!, points[i + 1]!];
    const long = Math.hypot(b.x - a.x, b.y - a.y);
    if (!(long > 0)) continue;
    const [ux, uy] = [(b.x - a.x) / long, (b.y - a.y) / long];
    const at = middle
      ? place(viewport, ...middle, mark.units)
      : { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
    // The line's point that is nearest to the middle.
    const along = (at.x - a.x) * ux + (at.y - a.y) * uy;
    const foot = { x: a.x + ux * along, y: a.y + uy * along };
    for (const side of [-1, 1]) {
      context.moveTo(foot.x + side * ux * near, foot.y + side * uy * near);
      context.lineTo(foot.x + side * ux * far, foot.y + side * uy * far);
    }
  }
}

/** At the middle of either half of what is seen of the line, pointing at it (C.10.5.1.3.6). */
function drawArrows(context: Context, viewport: Viewport, mark: Mark, [a, b]: [Point, Point]) {
  const { width, height } = viewport.size;
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const long = Math.hypot(dx, dy);
  if (!(long > 0)) return;
  const along = ({ x, y }: Point) => ((x - a.x) * dx + (y - a.y) * dy) / long ** 2;
  // Parts of the way from a to b, between which the line is seen.
  const spans = [
    [-a.x / dx, (width - a.x) / dx],
    [-a.y / dy, (height - a.y) / dy],
  ].filter((ends) => ends.every(Number.isFinite));
  const enters = Math.max(...spans.map((ends) => Math.min(...ends)));
  const leaves = Math.min(...spans.map((ends) => Math.max(...ends)));
  const turn = mark.middle ? along(place(viewport, ...mark.middle, mark.units)) : 0.5;
  const middle = turn > enters && turn < leaves ? turn : (enters + leaves) / 2;
  const from = place(viewport, ...mark.from!, mark.units);
  const side = Math.sign((from.y - a.y) * dx - (from.x - a.x) * dy) / long;
  context.beginPath();
  for (const at of [(enters + middle) / 2, (middle + leaves) / 2]) {
    const to = (away: number, beside: number): [number, number] => [
      a.x + dx * (at + beside / long) - dy * side * away,
      a.y + dy * (at + beside / long) + dx * side * away,
    ];
    context.moveTo(...to(ARROW, 0));
    context.lineTo(...to(0, 0));
    context.moveTo(...to(HEAD, HEAD / 2));
    context.lineTo(...to(0, 0));
    context.lineTo(...to(HEAD, -HEAD / 2));
  }
  context.stroke();
}

function drawTicks(context: Context, mark: Mark, [a, b]: [Point, Point]): void {
  const long = Math.hypot(b.x - a.x, b.y - a.y);
  if (!(long > 0)) return;
  // Across the line: below it where it runs to the right.
  const [nx, ny] = [-(b.y - a.y) / long, (b.x - a.x) / long];
  const { ticks = [], tickSide = 0, labelSide = 1 } = mark;
  const [from, to] = tickSide ? [0, tickSide * TICK] : [-TICK / 2, TICK / 2];
  context.beginPath();
  for (const { at } of ticks) {
    const [x, y] = [a.x + (b.x - a.x) * at, a.y + (b.y - a.y) * at];
    context.moveTo(x + nx * from, y + ny * from);
    context.lineTo(x + nx * to, y + ny * to);
  }
  context.stroke();
  context.textAlign = "center";
  for (const { at, label } of ticks) {
    const off = (TICK + LETTERS / 2) * (labelSide || 1);
    const x = a.x + (b.x - a.x) * at + nx * off;
    write(context, label, x, a.y + (b.y - a.y) * at + ny * off - LETTERS / 2);
  }
  context.textAlign = "start";
}

function drawText(context: Context, viewport: Viewport, mark: Mark, anchor: Point | null): void {
  const { box } = mark;
  const at = box ? place(viewport, box.x0, box.y0, box.units) : anchor;
  if (!at) return;
  if (box && anchor) {
    context.beginPath();
    context.moveTo(anchor.x, anchor.y);
    context.lineTo(at.x, at.y);
    context.stroke();
  }
  mark.text.split(/\r\n|\r|\n/).forEach((line, i) => {
    write(context, line, at.x, at.y + LETTERS * i);
  });
}

/** Read on any picture. */
function write(context: Context, line: string, x: number, y: number): void {
  const text = apart(line);
  context.lineWidth = 3;
  context.strokeStyle = HALO;
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
  context.lineWidth = LINE;
  context.strokeStyle = MARK_COLOUR;
}

/** What all marks are drawn with. */
export function prepare(context: Context): void {
  context.strokeStyle = MARK_COLOUR;
  context.fillStyle = MARK_COLOUR;
  context.lineWidth = LINE;
  context.font = "15px system-ui, sans-serif";
  context.textBaseline = "top";
}
