/** Display shutters (PS3.3 C.7.6.11, C.7.6.15): what of the image is shown. Image coordinates. */
import type { DataSet } from "./dataset.ts";
import { type Overlay, overlayOf } from "./overlay.ts";
import { T } from "./tags.ts";

export interface Shutter {
  rectangle: { x0: number; y0: number; x1: number; y1: number } | null;
  circle: { x: number; y: number; radius: number } | null;
  polygon: [number, number][] | null;
  /** What is covered, a bit a pixel of the image. */
  bitmap: Overlay | null;
  /** Shade outside, 0 to 1. */
  shade: number;
}

/**
 * Null where nothing is shut.
 *
 * @param frame From 0: which of a bitmap's planes, where it has several.
 */
export function shutterOf(ds: DataSet, frame: number): Shutter | null {
  const shapes = ds.strings(T.ShutterShape);
  const made: Shutter = {
    rectangle: shapes.includes("RECTANGULAR") ? rectangle(ds) : null,
    circle: shapes.includes("CIRCULAR") ? circle(ds) : null,
    polygon: shapes.includes("POLYGONAL") ? polygon(ds) : null,
    bitmap: shapes.includes("BITMAP") ? bitmap(ds, frame) : null,
    shade: (ds.number(T.ShutterPresentationValue) ?? 0) / 65_535,
  };
  return made.rectangle || made.circle || made.polygon || made.bitmap ? made : null;
}

/** An overlay plane of the same object, with its data (C.9.2). */
function bitmap(ds: DataSet, frame: number): Overlay | null {
  const group = ds.number(T.ShutterOverlayGroup) ?? 0;
  const made = group >= 0x6000 && group <= 0x601e ? overlayOf(ds, group, frame) : null;
  return made?.bits ? made : null;
}

/** A bitmap is of images that have as many rows and columns (C.7.6.15). */
export function fits({ bitmap }: Shutter, image: { rows: number; columns: number }): boolean {
  return !bitmap || (bitmap.rows === image.rows && bitmap.columns === image.columns);
}

/** Edges are columns and rows from 1; the edge itself is not shown. */
function rectangle(ds: DataSet): Shutter["rectangle"] {
  const left = ds.number(T.ShutterLeftVerticalEdge);
  const right = ds.number(T.ShutterRightVerticalEdge);
  const upper = ds.number(T.ShutterUpperHorizontalEdge);
  const lower = ds.number(T.ShutterLowerHorizontalEdge);
  if (left === null || right === null || upper === null || lower === null) return null;
  return right > left && lower > upper
    ? { x0: left, y0: upper, x1: right - 1, y1: lower - 1 }
    : null;
}

function circle(ds: DataSet): Shutter["circle"] {
  const [row, column] = ds.numbers(T.CenterOfCircularShutter);
  const radius = ds.number(T.RadiusOfCircularShutter);
  if (row === undefined || column === undefined || !radius || radius <= 0) return null;
  return { x: column - 0.5, y: row - 0.5, radius };
}

function polygon(ds: DataSet): Shutter["polygon"] {
  const numbers = ds.numbers(T.VerticesOfThePolygonalShutter);
  const points: [number, number][] = [];
  for (let i = 0; i + 1 < numbers.length; i += 2) {
    points.push([numbers[i + 1]! - 0.5, numbers[i]! - 0.5]);
  }
  return points.length >= 3 ? points : null;
}
