/** What a decoder is told of a frame, and what it may say against it. */
import type { Cells } from "../data/codec.ts";

export interface Wanted {
  transferSyntax: string;
  rows: number;
  columns: number;
  samples: number;
  /** Bits of a cell: 8, 16 or 32. */
  allocated: number;
  stored: number;
  isSigned: boolean;
  /** As the object has it: what the stream's colours are. */
  photometric: string;
}

const MOST_FREE = 1 << 24;
const MOST_GAIN = 1000;

/** Damaged; or, where `isForeign`, a form of the coding that nothing here decodes. */
export class StreamError extends Error {
  readonly isForeign: boolean;

  constructor(message: string, isForeign = false) {
    super(message);
    this.isForeign = isForeign;
  }
}

export interface Declared {
  rows: number;
  columns: number;
  components: number;
  precision: number;
}

/** Before anything is made for it: the stream's own size is the object's. */
export function holdAgainst(declared: Declared, wanted: Wanted): void {
  const { rows, columns, components, precision } = declared;
  if (rows !== wanted.rows || columns !== wanted.columns) throw new StreamError("size");
  if (components !== wanted.samples) throw new StreamError("components");
  if (precision < 1 || precision > wanted.allocated) throw new StreamError("precision");
}

/**
 * Of JPEG-LS and JPEG 2000, which make any size of nothing: a few bytes of a large image are no image,
 * and would cost gigabytes. Up to 16 million samples, blank ones are let through.
 */
export function holdAgainstLength(bytes: Uint8Array, { rows, columns, samples }: Wanted): void {
  const count = rows * columns * samples;
  if (count > MOST_FREE && count > bytes.length * MOST_GAIN) throw new StreamError("too few bytes");
}

/**
 * What was coded with losses overshoots, where the stream has more bits than the object stores:
 * cut at what it can store, for of 4099 its lowest 12 bits are black.
 */
export function cutAtStored(cells: Cells, precision: number, wanted: Wanted): void {
  const { stored, isSigned, allocated } = wanted;
  if (precision <= stored || stored >= allocated) return;
  const most = 2 ** (isSigned ? stored - 1 : stored) - 1;
  const least = isSigned ? -most - 1 : 0;
  const up = isSigned ? 32 - allocated : 0;
  for (let i = 0; i < cells.length; i++) {
    const value = isSigned ? (cells[i]! << up) >> up : cells[i]!;
    if (value > most) cells[i] = most;
    else if (value < least) cells[i] = least;
  }
}

export function hasYbr({ samples, photometric }: Wanted): boolean {
  return samples === 3 && photometric.startsWith("YBR_FULL");
}

/** Cells for a whole frame, colour by pixel. */
export function cellsFor({ rows, columns, samples, allocated }: Wanted): Cells {
  const count = rows * columns * samples;
  if (allocated === 8) return new Uint8Array(count);
  return allocated === 16 ? new Uint16Array(count) : new Uint32Array(count);
}
