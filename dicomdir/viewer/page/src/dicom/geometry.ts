/** Where a frame lies in the patient (PS3.3 C.7.6.2). Millimetres; x to the left, y back, z up. */
import type { FrameAttributes } from "./functional.ts";
import { T } from "./tags.ts";

export type Vec3 = readonly [number, number, number];

export const add = (a: Vec3, b: Vec3): Vec3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const subtract = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const times = (a: Vec3, by: number): Vec3 => [a[0] * by, a[1] * by, a[2] * by];
export const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

export interface Plane {
  /** Centre of the first pixel. */
  position: Vec3;
  /** Unit vectors: along a row (columns grow), down a column (rows grow), and across. */
  row: Vec3;
  column: Vec3;
  normal: Vec3;
  /** Millimetres between columns (along `row`) and between rows (along `column`). */
  spacing: readonly [number, number];
  /** Position along the normal. */
  along: number;
  /** "" where the object names none: then it compares with no other. */
  frameOfReference: string;
}

/** Null where the frame has no place in space. */
export function planeOf(frame: FrameAttributes): Plane | null {
  const at = vector(frame.group(T.PlanePositionSequence).numbers(T.ImagePositionPatient));
  const turned = frame.group(T.PlaneOrientationSequence).numbers(T.ImageOrientationPatient);
  const row = unit(turned.slice(0, 3));
  const rough = unit(turned.slice(3, 6));
  const measures = frame.group(T.PixelMeasuresSequence).numbers(T.PixelSpacing);
  if (!at || !row || !rough || Math.abs(dot(row, rough)) > 0.02) return null;
  const [between = 0, columns = between] = measures;
  if (!(between > 0 && columns > 0)) return null;
  const normal = unit(cross(row, rough))!;
  return {
    position: at,
    row,
    column: cross(normal, row),
    normal,
    spacing: [columns, between],
    along: dot(at, normal),
    frameOfReference: frame.root.string(T.FrameOfReferenceUID),
  };
}

/** A point of the image (x, y in pixels, 0.5, 0.5 in the middle of the first) in the patient. */
export function toPatient(plane: Plane, x: number, y: number): Vec3 {
  const across = times(plane.row, (x - 0.5) * plane.spacing[0]);
  return add(plane.position, add(across, times(plane.column, (y - 0.5) * plane.spacing[1])));
}

/** The other way: the point's foot on the plane, and how far it lies off it in millimetres. */
export function toImage(plane: Plane, point: Vec3): { x: number; y: number; off: number } {
  const from = subtract(point, plane.position);
  return {
    x: dot(from, plane.row) / plane.spacing[0] + 0.5,
    y: dot(from, plane.column) / plane.spacing[1] + 0.5,
    off: dot(from, plane.normal),
  };
}

/** Whether two planes can be compared point by point. */
export function sharesSpace(a: Plane | null, b: Plane | null): boolean {
  return !!a && !!b && a.frameOfReference !== "" && a.frameOfReference === b.frameOfReference;
}

/** "A", "RF" …: where a direction points, its strongest part first (PS3.3 C.7.6.1.1.1). */
export function letters(direction: Vec3): string {
  const parts: [number, string][] = [
    [Math.abs(direction[0]), direction[0] < 0 ? "R" : "L"],
    [Math.abs(direction[1]), direction[1] < 0 ? "A" : "P"],
    [Math.abs(direction[2]), direction[2] < 0 ? "F" : "H"],
  ];
  const strong = parts.filter(([size]) => size > 0.25).sort((a, b) => b[0] - a[0]);
  return strong.map(([, letter]) => letter).join("");
}

const OPPOSITE: Record<string, string> = { R: "L", L: "R", A: "P", P: "A", F: "H", H: "F" };

export function opposite(text: string): string {
  return text.replace(/[RLAPFH]/g, (letter) => OPPOSITE[letter]!);
}

/** What Patient Orientation says of the row's and the column's direction, or the plane does. */
export function orientationOf(frame: FrameAttributes, plane: Plane | null): [string, string] {
  if (plane) return [letters(plane.row), letters(plane.column)];
  const [row = "", column = ""] = frame.root.strings(T.PatientOrientation);
  return /^[RLAPFH]{0,3}$/.test(row + column) || /^[A-Z]{0,6}$/.test(row + column)
    ? [row, column]
    : ["", ""];
}

function vector(numbers: number[]): Vec3 | null {
  return numbers.length === 3 && numbers.every(Number.isFinite)
    ? (numbers as unknown as Vec3)
    : null;
}

function unit(numbers: readonly number[]): Vec3 | null {
  const made = vector([...numbers]);
  const length = made ? Math.sqrt(dot(made, made)) : 0;
  return made && length > 1e-6 ? times(made, 1 / length) : null;
}
