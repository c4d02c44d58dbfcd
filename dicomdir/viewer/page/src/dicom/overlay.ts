/** Overlay planes, groups 6000 to 601E (PS3.3 C.9.2). */
import type { DataSet } from "./dataset.ts";

export interface Overlay {
  group: number;
  rows: number;
  columns: number;
  /** Top left pixel of the plane in the image, from 0; may lie outside. */
  x: number;
  y: number;
  /** Graphics, or a region of interest. */
  isRoi: boolean;
  label: string;
  /** One bit a pixel, the lowest first; null where the bits stand in the pixels. */
  bits: Uint8Array | null;
  /** First bit of this frame in `bits`. */
  start: number;
  /** With `bits` null: which bit of a pixel. */
  position: number;
}

const GROUPS = 16;

/**
 * @param frame From 0.
 * @param shutter Group of the plane that is the shutter, and no overlay (PS3.3 C.7.6.15).
 */
export function overlaysOf(ds: DataSet, frame: number, shutter?: number): Overlay[] {
  const out: Overlay[] = [];
  for (let i = 0; i < GROUPS; i++) {
    const group = 0x6000 + 2 * i;
    const made = group === shutter ? null : overlayOf(ds, group, frame);
    if (made) out.push(made);
  }
  return out;
}

export function overlayOf(ds: DataSet, group: number, frame: number): Overlay | null {
  const tag = (element: number) => group * 65_536 + element;
  const rows = ds.number(tag(0x0010)) ?? 0;
  const columns = ds.number(tag(0x0011)) ?? 0;
  if (rows < 1 || columns < 1) return null;
  const [y = 1, x = 1] = ds.numbers(tag(0x0050));
  const frames = ds.number(tag(0x0015)) ?? 1;
  const first = (ds.number(tag(0x0051)) ?? 1) - 1;
  // A plane without a number of frames belongs to all of them.
  const own = frames > 1 ? frame - first : 0;
  if (own < 0 || own >= frames) return null;
  const bits = ds.raw(tag(0x3000));
  const start = own * rows * columns;
  if (bits && bits.length * 8 < start + rows * columns) return null;
  const position = ds.number(tag(0x0102)) ?? 0;
  if (!bits && position === 0) return null;
  return {
    group,
    rows,
    columns,
    x: x - 1,
    y: y - 1,
    isRoi: ds.string(tag(0x0040)) === "R",
    label: ds.string(tag(0x1500)) || ds.string(tag(0x0022)),
    bits,
    start,
    position,
  };
}

/** One byte a pixel of the plane, 0 or 1. */
export function overlayMask(overlay: Overlay, cells: ArrayLike<number> | null): Uint8Array {
  const out = new Uint8Array(overlay.rows * overlay.columns);
  for (let i = 0; i < out.length; i++) {
    if (overlay.bits) {
      const bit = overlay.start + i;
      out[i] = (overlay.bits[bit >> 3]! >> (bit & 7)) & 1;
    } else if (cells) {
      out[i] = (cells[i]! >> overlay.position) & 1;
    }
  }
  return out;
}
