/**
 * Images that are missing inside a stack: places along the normal that are regular but for gaps.
 *
 * Said only where nothing else explains it. A study of two regions, variable spacing and a tilted
 * gantry have gaps too; and where Instance Numbers go on over a gap, it was made so.
 */
import { dot, type Plane, subtract, times } from "../dicom/geometry.ts";
import { isLike } from "./stack.ts";

export interface Slice {
  plane: Plane | null;
  rows: number;
  columns: number;
  /** Instance Number; null where there is none. */
  number: number | null;
}

export interface Gap {
  /** Image before it in the order of display, from 0. */
  after: number;
  /** Images that seem to be missing. */
  count: number;
}

/** Four distances, of which three agree. */
const LEAST = 5;
/** Part of the usual distance by which a place may be off. */
const UNEVEN = 0.15;
/** Millimetres to the side for each one along the normal: 3 degrees of a gantry. */
const TILT = 0.05;
const ASIDE_MM = 0.5;

/** @param slices In the order of display. */
export function gapsOf(slices: readonly Slice[]): Gap[] {
  const steps = stepsOf(slices);
  if (!steps) return [];
  const usual = [...steps].sort((a, b) => a - b)[steps.length >> 1]!;
  const whole = steps.map((step) => Math.round(step / usual));
  if (!steps.every((step, i) => Math.abs(step - whole[i]! * usual) <= UNEVEN * usual)) return [];
  const gaps = whole.flatMap((each, after) => (each > 1 ? [{ after, count: each - 1 }] : []));
  const missing = gaps.reduce((sum, each) => sum + each.count, 0);
  // More gaps than that are a way of scanning.
  if (whole.includes(0) || gaps.length * 4 > steps.length || missing > slices.length) return [];
  return isCounted(slices, whole, missing) ? gaps : [];
}

/** Distances along the normal, all above zero; null where it is not one straight stack. */
function stepsOf(slices: readonly Slice[]): number[] | null {
  const [first] = slices;
  const lead = first?.plane;
  if (!lead || slices.length < LEAST) return null;
  const places: number[] = [];
  for (const { plane, rows, columns } of slices) {
    if (!plane || rows !== first.rows || columns !== first.columns) return null;
    if (!isLike(plane, lead) || plane.frameOfReference !== lead.frameOfReference) return null;
    const way = subtract(plane.position, lead.position);
    const along = dot(way, lead.normal);
    const aside = subtract(way, times(lead.normal, along));
    // Also false where something is no number.
    if (!(Math.sqrt(dot(aside, aside)) <= TILT * Math.abs(along) + ASIDE_MM)) return null;
    places.push(along);
  }
  const sign = Math.sign(places[1]! - places[0]!);
  const steps = places.slice(1).map((each, i) => (each - places[i]!) * sign);
  return steps.every((each) => each > 1e-3 && each < 1e6) ? steps : null;
}

/** Whether Instance Numbers leave out what the places do; without any only few may be missing. */
function isCounted(slices: readonly Slice[], whole: readonly number[], missing: number): boolean {
  const numbers = slices.map((each) => each.number);
  if (numbers.some((each) => each === null)) {
    return numbers.every((each) => each === null) && missing * 10 <= slices.length;
  }
  const jumps = whole.map((_, i) => numbers[i + 1]! - numbers[i]!);
  const usual = jumps[whole.indexOf(1)]!;
  return usual !== 0 && jumps.every((each, i) => each === usual * whole[i]!);
}
