/** Whether a series is a volume: slices of one size, parallel, evenly spaced. All in millimetres. */
import type { FrameInfo } from "../dicom/frame.ts";
import { add, dot, type Plane, subtract, times, type Vec3 } from "../dicom/geometry.ts";

export type Refusal =
  | "few" // fewer than three slices
  | "colour"
  | "geometry" // no place in space, or not parallel
  | "sizes"
  | "gaps" // unevenly spaced, or several at one place
  | "memory";

export interface Stack {
  /** Frames used, in the order along `normal`. */
  frames: number[];
  rows: number;
  columns: number;
  /** Of the first slice used. */
  plane: Plane;
  /** Unit vector from slice to slice, perpendicular to them. */
  normal: Vec3;
  /** Between columns, rows and slices. */
  spacing: readonly [number, number, number];
  /** How far each slice lies off the first along its rows and columns, in pixels: gantry tilt. */
  shear: readonly [number, number];
  /** Only every n-th slice is used, so that it fits into memory. */
  skip: number;
}

/** Part of a slice distance by which positions may be off. */
const UNEVEN = 0.15;
const SAME = 1e-3;

/** @param mostBytes A volume of 16-bit values may take. */
export function stackOf(infos: readonly (FrameInfo | null)[], mostBytes: number): Stack | Refusal {
  if (infos.length < 3) return "few";
  const first = infos[0];
  if (!first) return "geometry";
  if (infos.some((each) => each && (each.samples !== 1 || each.palette || each.supplement)))
    return "colour";
  if (infos.some((each) => each && each.allocated > 16)) return "colour";
  if (infos.some((each) => each?.rows !== first.rows || each.columns !== first.columns)) {
    return "sizes";
  }
  const planes = infos.map((each) => each?.plane ?? null);
  const lead = planes[0];
  if (!lead || !planes.every((each) => each && isLike(each, lead))) return "geometry";
  const sorted = (planes as Plane[])
    .map((plane, frame) => ({ frame, along: dot(plane.position, lead.normal) }))
    .sort((a, b) => a.along - b.along);
  const steps = sorted.slice(1).map((each, i) => each.along - sorted[i]!.along);
  const middle = [...steps].sort((a, b) => a - b)[steps.length >> 1]!;
  if (middle < 0.01 || steps.some((each) => Math.abs(each - middle) > UNEVEN * middle)) {
    return "gaps";
  }
  // In the direction in which the series is scrolled.
  const isBackwards = sorted[0]!.frame > sorted[sorted.length - 1]!.frame;
  if (isBackwards) sorted.reverse();
  const size = first.rows * first.columns * 2;
  const skip = Math.ceil((sorted.length * size) / mostBytes);
  if (skip > 4) return "memory";
  const frames = sorted.filter((_, i) => i % skip === 0).map((each) => each.frame);
  if (frames.length < 3) return "memory";
  const plane = planes[frames[0]!]!;
  const end = planes[frames[frames.length - 1]!]!;
  const way = subtract(end.position, plane.position);
  const normal = times(lead.normal, isBackwards ? -1 : 1);
  const gaps = frames.length - 1;
  const shear = [
    dot(way, plane.row) / plane.spacing[0] / gaps,
    dot(way, plane.column) / plane.spacing[1] / gaps,
  ] as const;
  return {
    frames,
    rows: first.rows,
    columns: first.columns,
    plane,
    normal,
    spacing: [plane.spacing[0], plane.spacing[1], dot(way, normal) / gaps],
    shear: shear.map((each) => (Math.abs(each * gaps) < 0.5 ? 0 : each)) as [number, number],
    skip,
  };
}

export function isLike(a: Plane, b: Plane): boolean {
  return (
    dot(a.row, b.row) > 1 - SAME &&
    dot(a.column, b.column) > 1 - SAME &&
    Math.abs(a.spacing[0] - b.spacing[0]) < SAME * b.spacing[0] &&
    Math.abs(a.spacing[1] - b.spacing[1]) < SAME * b.spacing[1]
  );
}

/** The middle of a voxel; x, y, z count from 0. */
export function voxelAt(stack: Stack, x: number, y: number, z: number): Vec3 {
  const { plane, spacing, normal, shear } = stack;
  const across = times(plane.row, (x + shear[0] * z) * spacing[0]);
  const down = times(plane.column, (y + shear[1] * z) * spacing[1]);
  return add(add(plane.position, add(across, down)), times(normal, z * spacing[2]));
}
