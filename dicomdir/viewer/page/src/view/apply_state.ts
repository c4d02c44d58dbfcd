/** A presentation state onto a viewport: window, turning, area; its marks and shutter as a layer. */

import type { FrameInfo } from "../dicom/frame.ts";
import { type Mark, type PresentationState, stateArea, stateVoi } from "../dicom/presentation.ts";
import { speaksOf } from "../dicom/reference.ts";
import type { Rescale } from "../dicom/voi.ts";
import { isWhiteFirst } from "../render/shades.ts";
import type { Point } from "./matrix.ts";
import { shut } from "./picture_layers.ts";
import type { ViewState } from "./state.ts";
import type { Layer, Viewport } from "./viewport.ts";

const COLOUR = "#ffdd57";
const HALO = "rgb(0 0 0 / 70%)";

/** All that decides how the state shows a frame, to be compared; null: it does not speak of it. */
export function saidOf(state: PresentationState, info: FrameInfo): unknown[] | null {
  const { uid, number, rows, columns } = info;
  if (!speaksOf(state.references, uid, number)) return null;
  const { window, lut } = stateVoi(state, uid, number);
  return [
    hasRescale(state.rescale, info),
    window,
    lut,
    stateArea(state, uid, number),
    isWhiteFirst(info),
    rows,
    columns,
  ];
}

/** Whether the frame makes the same values of stored ones. */
function hasRescale({ slope, intercept, lut }: Rescale, info: FrameInfo): boolean {
  const own = info.recorded ?? info.rescale;
  if (!lut || !own.lut)
    return lut === own.lut && slope === own.slope && intercept === own.intercept;
  const { first, entries } = own.lut;
  return first === lut.first && entries.join() === lut.entries.join();
}

/** What to update() a viewport with that shows an image of the state. */
export function viewStateOf(state: PresentationState, viewport: Viewport): Partial<ViewState> {
  const picture = viewport.shown;
  if (!picture) return {};
  const { uid, number } = picture.info;
  const { window, lut } = stateVoi(state, uid, number);
  const isOwn = !picture.info.recorded && hasRescale(state.rescale, picture.info);
  const on = isOwn ? {} : { rescale: state.rescale };
  const patch: Partial<ViewState> = {
    voi: lut ? { kind: "lut", lut, ...on } : window ? { kind: "window", window, ...on } : null,
    rotation: state.rotation,
    flip: state.flip,
    // The Presentation LUT is all there is to polarity: MONOCHROME1 does not count (PS3.4 N.2.1).
    invert: state.isInverse !== null && state.isInverse !== isWhiteFirst(picture.info),
    scale: null,
    centre: null,
  };
  const area = stateArea(state, uid, number);
  if (area) {
    const { rows, columns } = picture;
    const isWhole = area.x0 <= 0 && area.y0 <= 0 && area.x1 >= columns && area.y1 >= rows;
    if (area.magnification) patch.scale = area.magnification / viewport.ratio;
    else if (!isWhole) patch.scale = scaleFor(area, state.rotation, viewport);
    if (patch.scale) patch.centre = { x: (area.x0 + area.x1) / 2, y: (area.y0 + area.y1) / 2 };
  }
  return patch;
}

function scaleFor(
  area: { x0: number; y0: number; x1: number; y1: number },
  rotation: number,
  viewport: Viewport,
): number {
  const wide = area.x1 - area.x0;
  const high = (area.y1 - area.y0) * (viewport.extent?.aspect ?? 1);
  const [x, y] = rotation % 180 ? [high, wide] : [wide, high];
  const { width, height } = viewport.size;
  return Math.min(width / Math.max(1, x), height / Math.max(1, y));
}

/** Marks of the state, on those of its images that it marks. */
export function stateLayer(state: PresentationState): Layer {
  return {
    order: 20,
    draw(context, viewport) {
      const { picture } = viewport;
      if (!picture) return;
      const { uid, number } = picture.info;
      if (!speaksOf(state.references, uid, number)) return;
      if (state.shutter) {
        context.save();
        shut(context, viewport, state.shutter);
        context.restore();
      }
      context.strokeStyle = COLOUR;
      context.fillStyle = COLOUR;
      context.lineWidth = 1.5;
      context.font = "15px system-ui, sans-serif";
      context.textBaseline = "top";
      for (const mark of state.marks) {
        if (speaksOf(mark.references, uid, number)) drawMark(context, viewport, mark);
      }
    },
  };
}

function place(viewport: Viewport, x: number, y: number, units: Mark["units"]): Point {
  if (units === "image") return viewport.toScreen({ x, y });
  // Parts of the displayed area, which is the viewport here.
  return { x: x * viewport.size.width, y: y * viewport.size.height };
}

function drawMark(context: CanvasRenderingContext2D, viewport: Viewport, mark: Mark): void {
  const points = mark.points.map(([x, y]) => place(viewport, x, y, mark.units));
  if (mark.kind === "text") {
    drawText(context, viewport, mark, points[0] ?? null);
    return;
  }
  context.beginPath();
  if (mark.kind === "point") {
    context.arc(points[0]!.x, points[0]!.y, 3, 0, 2 * Math.PI);
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
}

function drawText(
  context: CanvasRenderingContext2D,
  viewport: Viewport,
  mark: Mark,
  anchor: Point | null,
): void {
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
    context.lineWidth = 3;
    context.strokeStyle = HALO;
    context.strokeText(line, at.x, at.y + 18 * i);
    context.fillText(line, at.x, at.y + 18 * i);
    context.lineWidth = 1.5;
    context.strokeStyle = COLOUR;
  });
}
