/** Images cut out of a volume: voxels as they are, none made up; slabs by maximum, minimum, mean. */
import type { Stack } from "./stack.ts";
import type { View } from "./views.ts";

export type Blend = "max" | "min" | "mean";

export interface Voxels {
  stack: Stack;
  /** Stored values, column by column, row by row, slice by slice. */
  values: Int16Array | Uint16Array;
  /** What stands where there is nothing: outside of the patient, and what is not loaded yet. */
  empty: number;
}

/**
 * One image of a view.
 *
 * @param slab How many images of the view, about this one, are taken together; 1: this one alone.
 */
export function sliceOf(
  voxels: Voxels,
  view: View,
  index: number,
  slab: number,
  blend: Blend,
): Int16Array | Uint16Array {
  const out = voxels.values.slice(0, 0).constructor as new (n: number) => Int16Array;
  const made = new out(view.rows * view.columns);
  const from = Math.max(0, index - ((slab - 1) >> 1));
  const to = Math.min(view.count - 1, index + (slab >> 1));
  if (from === to) {
    one(voxels, view, index, made);
    return made;
  }
  const next = new out(made.length);
  const sum = blend === "mean" ? new Float64Array(made.length) : null;
  for (let at = from; at <= to; at++) {
    one(voxels, view, at, at === from ? made : next);
    if (sum) {
      const source = at === from ? made : next;
      for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + source[i]!;
    } else if (at > from) merge(made, next, blend === "max");
  }
  if (sum) for (let i = 0; i < sum.length; i++) made[i] = Math.round(sum[i]! / (to - from + 1));
  return made;
}

function merge(
  into: Int16Array | Uint16Array,
  next: Int16Array | Uint16Array,
  isMax: boolean,
): void {
  if (isMax) {
    for (let i = 0; i < into.length; i++) if (next[i]! > into[i]!) into[i] = next[i]!;
  } else {
    for (let i = 0; i < into.length; i++) if (next[i]! < into[i]!) into[i] = next[i]!;
  }
}

function one(voxels: Voxels, view: View, index: number, out: Int16Array | Uint16Array): void {
  const { stack, values } = voxels;
  const size = [stack.columns, stack.rows, stack.frames.length];
  const stride = [1, stack.columns, stack.columns * stack.rows];
  const [x, y, z] = view.axes as [number, number, number];
  const step = (axis: number, turned: boolean) => (turned ? -stride[axis]! : stride[axis]!);
  const start = (axis: number, turned: boolean, at = 0) =>
    (turned ? size[axis]! - 1 - at : at) * stride[axis]!;
  const right = step(x, view.turned[0]);
  const down = step(y, view.turned[1]);
  const origin =
    start(x, view.turned[0]) + start(y, view.turned[1]) + start(z, view.turned[2], index);
  const [shearX, shearY] = stack.shear;
  if (z !== 2 && (shearX || shearY)) {
    sheared(voxels, view, index, out);
    return;
  }
  let to = 0;
  for (let v = 0; v < view.rows; v++) {
    let from = origin + v * down;
    for (let u = 0; u < view.columns; u++, from += right) out[to++] = values[from]!;
  }
}

/** Of a tilted gantry: each slice is looked up where it was, the nearest two pixels mixed. */
function sheared(voxels: Voxels, view: View, index: number, out: Int16Array | Uint16Array): void {
  const { stack, values, empty } = voxels;
  const size = [stack.columns, stack.rows, stack.frames.length] as const;
  const at: [number, number, number] = [0, 0, 0];
  const put = (axis: number, turned: boolean, n: number) => {
    at[axis] = turned ? size[axis]! - 1 - n : n;
  };
  let to = 0;
  for (let v = 0; v < view.rows; v++) {
    for (let u = 0; u < view.columns; u++) {
      put(view.axes[0], view.turned[0], u);
      put(view.axes[1], view.turned[1], v);
      put(view.axes[2], view.turned[2], index);
      const x = at[0] - stack.shear[0] * at[2];
      const y = at[1] - stack.shear[1] * at[2];
      out[to++] = mixed(values, size, x, y, at[2], empty);
    }
  }
}

function mixed(
  values: Int16Array | Uint16Array,
  size: readonly [number, number, number],
  x: number,
  y: number,
  z: number,
  empty: number,
): number {
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - x0, y - y0];
  const read = (i: number, j: number) =>
    i < 0 || j < 0 || i >= size[0] || j >= size[1]
      ? empty
      : values[i + size[0] * (j + size[1] * z)]!;
  if (x0 < -1 || y0 < -1 || x0 >= size[0] || y0 >= size[1]) return empty;
  const top = fx ? read(x0, y0) * (1 - fx) + read(x0 + 1, y0) * fx : read(x0, y0);
  if (!fy) return Math.round(top);
  const low = fx ? read(x0, y0 + 1) * (1 - fx) + read(x0 + 1, y0 + 1) * fx : read(x0, y0 + 1);
  return Math.round(top * (1 - fy) + low * fy);
}
