/** Lengths, angles and areas in what the image's spacing allows to say. */
import { type Spacing, type SpacingSource, spacingAt } from "../dicom/spacing.ts";
import type { Point } from "../view/matrix.ts";

/** Millimetres a pixel at these points and where that is known from; null: pixels only. */
export interface Scale {
  x: number;
  y: number;
  source: SpacingSource;
}

/** A number and its unit; `source` says what it is worth. */
export interface Size {
  value: number;
  unit: "mm" | "px" | "mm2" | "px2";
  source: SpacingSource;
}

/** Of ultrasound all points have to lie in one region, or in regions that measure alike. */
export function scaleFor(spacing: Spacing, points: readonly Point[]): Scale | null {
  const found = points.map((each) => spacingAt(spacing, each.x, each.y));
  const first = found[0];
  if (!first) return null;
  const isOne = found.every((each) => each && close(each.x, first.x) && close(each.y, first.y));
  return isOne ? { x: first.x, y: first.y, source: spacing.source } : null;
}

function close(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-6 * Math.max(a, b);
}

/** Without millimetres, in pixels of the width: a stated aspect ratio still counts. */
function pixels(spacing: Spacing): { x: number; y: number } {
  return spacing.source === "none" ? { x: 1, y: spacing.y / spacing.x || 1 } : { x: 1, y: 1 };
}

export function lengthOf(spacing: Spacing, a: Point, b: Point): Size {
  const scale = scaleFor(spacing, [a, b]);
  const { x, y } = scale ?? pixels(spacing);
  const value = Math.hypot((b.x - a.x) * x, (b.y - a.y) * y);
  return { value, unit: scale ? "mm" : "px", source: scale?.source ?? "none" };
}

/** At the middle point, in degrees; spacing counts where pixels are not square. */
export function angleOf(spacing: Spacing, a: Point, at: Point, b: Point): number {
  const { x, y } = scaleFor(spacing, [a, at, b]) ?? pixels(spacing);
  const one = [(a.x - at.x) * x, (a.y - at.y) * y] as const;
  const two = [(b.x - at.x) * x, (b.y - at.y) * y] as const;
  const across = one[0] * two[1] - one[1] * two[0];
  const along = one[0] * two[0] + one[1] * two[1];
  return (Math.abs(Math.atan2(across, along)) * 180) / Math.PI;
}

export function areaOf(spacing: Spacing, a: Point, b: Point, shape: "ellipse" | "rectangle"): Size {
  const scale = scaleFor(spacing, [a, b]);
  const { x, y } = scale ?? pixels(spacing);
  const box = Math.abs((b.x - a.x) * x * ((b.y - a.y) * y));
  return {
    value: shape === "ellipse" ? (box * Math.PI) / 4 : box,
    unit: scale ? "mm2" : "px2",
    source: scale?.source ?? "none",
  };
}
