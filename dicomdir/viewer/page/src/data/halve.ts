/** Grey pixels at half the size, each the mean of four stored values. */
import type { Cells } from "./codec.ts";

export interface Stored {
  rows: number;
  columns: number;
  allocated: number;
  stored: number;
  shift: number;
  isSigned: boolean;
}

/** @param from Of at most 16 bits; an odd last row or column is left out. */
export function halved(from: Cells, shape: Stored): Cells {
  const { stored, shift, isSigned, allocated } = shape;
  const rows = shape.rows >> 1;
  const columns = shape.columns >> 1;
  const out = allocated === 8 ? new Uint8Array(rows * columns) : new Uint16Array(rows * columns);
  const mask = 2 ** stored - 1;
  // Sign extension by two shifts, or by none: cells that are whole need no more.
  const up = isSigned ? 32 - stored : 0;
  for (let y = 0; y < rows; y++) {
    let at = 2 * y * shape.columns;
    let below = at + shape.columns;
    for (let x = 0, to = y * columns; x < columns; x++, to++, at += 2, below += 2) {
      const sum =
        ((((from[at]! >>> shift) & mask) << up) >> up) +
        ((((from[at + 1]! >>> shift) & mask) << up) >> up) +
        ((((from[below]! >>> shift) & mask) << up) >> up) +
        ((((from[below + 1]! >>> shift) & mask) << up) >> up);
      out[to] = ((sum >> 2) & mask) << shift;
    }
  }
  return out;
}
