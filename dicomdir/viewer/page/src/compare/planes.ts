/** Planes of different series compared: which frame lies nearest, where one plane cuts another. */
import {
  add,
  dot,
  type Plane,
  sharesSpace,
  subtract,
  times,
  toPatient,
  type Vec3,
} from "../dicom/geometry.ts";

/** Cosine from which two planes count as parallel: sequences of one examination differ by degrees. */
const PARALLEL = 0.94;
/** Beyond half a distance of slices and this, a plane is not "at" a point. Millimetres. */
const SLACK = 0.5;

export function isParallel(a: Plane, b: Plane): boolean {
  return Math.abs(dot(a.normal, b.normal)) > PARALLEL;
}

/** How far a point lies off a plane, in millimetres. */
export function distanceTo(plane: Plane, point: Vec3): number {
  return Math.abs(dot(subtract(point, plane.position), plane.normal));
}

/** The frame whose plane lies nearest to a point; ties (time series) go to the one nearest `from`. */
export function nearestFrame(
  planes: readonly (Plane | null)[],
  like: Plane,
  point: Vec3,
  from: number,
): { index: number; off: number } | null {
  let best: { index: number; off: number } | null = null;
  planes.forEach((plane, index) => {
    if (!plane || !sharesSpace(plane, like)) return;
    const off = distanceTo(plane, point);
    const isNearer = !best || off < best.off - 1e-3;
    const isTie = best && Math.abs(off - best.off) <= 1e-3;
    if (isNearer || (isTie && Math.abs(index - from) < Math.abs(best!.index - from))) {
      best = { index, off };
    }
  });
  return best;
}

/** Typical distance between neighbouring frames in millimetres; 0 where there is none. */
export function stepOf(planes: readonly (Plane | null)[]): number {
  const steps: number[] = [];
  for (let i = 1; i < planes.length; i++) {
    const [a, b] = [planes[i - 1], planes[i]];
    if (a && b && isParallel(a, b)) {
      const step = Math.abs(dot(subtract(b.position, a.position), a.normal));
      if (step > 1e-3) steps.push(step);
    }
  }
  steps.sort((a, b) => a - b);
  return steps[steps.length >> 1] ?? 0;
}

/** Whether a point is in a frame: within half the distance to the next one. */
export function isWithin(plane: Plane, point: Vec3, step: number): boolean {
  return distanceTo(plane, point) <= step / 2 + SLACK;
}

/** The middle of a frame of this size, in the patient. */
export function middleOf(plane: Plane, rows: number, columns: number): Vec3 {
  return toPatient(plane, columns / 2, rows / 2);
}

/**
 * Where the image of one plane cuts another plane: two points in the patient.
 *
 * @returns Null where they are parallel or the image ends before it gets there.
 */
export function cut(
  image: Plane,
  rows: number,
  columns: number,
  other: Plane,
): [Vec3, Vec3] | null {
  if (isParallel(image, other)) return null;
  const corners = [
    toPatient(image, 0, 0),
    toPatient(image, columns, 0),
    toPatient(image, columns, rows),
    toPatient(image, 0, rows),
  ];
  const offs = corners.map((each) => dot(subtract(each, other.position), other.normal));
  const points: Vec3[] = [];
  for (let i = 0; i < 4; i++) {
    const [a, b] = [offs[i]!, offs[(i + 1) % 4]!];
    if (a > 0 === b > 0) continue;
    const from = corners[i]!;
    points.push(add(from, times(subtract(corners[(i + 1) % 4]!, from), a / (a - b))));
  }
  return points.length >= 2 ? [points[0]!, points[1]!] : null;
}
