/**
 * Frames as they travel: planes of zig-zag residuals back into pixels (docs/viewer-format.md).
 *
 * All arithmetic is modulo 2^allocated, which the typed arrays do by themselves.
 */
export type Cells = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

export interface Shape {
  rows: number;
  columns: number;
  samples: number;
  /** Bits of a sample: 8, 16 or 32. */
  allocated: number;
  /** Whether the median compares samples as two's complement; nothing else depends on it. */
  isSigned: boolean;
}

export function bytesOf(shape: Shape): number {
  return shape.rows * shape.columns * shape.samples * (shape.allocated / 8);
}

type SignedCells = Int8Array | Int16Array | Int32Array;

function signedView(out: Cells): SignedCells {
  const { buffer, byteOffset, length } = out;
  if (out instanceof Uint8Array) return new Int8Array(buffer, byteOffset, length);
  if (out instanceof Uint16Array) return new Int16Array(buffer, byteOffset, length);
  return new Int32Array(buffer, byteOffset, length);
}

function cells(count: number, allocated: number): Cells {
  if (allocated === 8) return new Uint8Array(count);
  return allocated === 16 ? new Uint16Array(count) : new Uint32Array(count);
}

/** Little-endian bytes as unsigned numbers; copies only where it must. */
export function asCells(bytes: Uint8Array<ArrayBuffer>, allocated: number): Cells {
  if (allocated === 8) return bytes;
  const width = allocated / 8;
  const even = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  const count = even.length / width;
  return allocated === 16
    ? new Uint16Array(even.buffer, even.byteOffset, count)
    : new Uint32Array(even.buffer, even.byteOffset, count);
}

/** Samples of a frame, colour by pixel, from the inflated residuals. */
export function unfilter(planes: Uint8Array, shape: Shape, predictor: number): Cells {
  const { rows, columns, samples, allocated } = shape;
  const count = rows * columns;
  if (samples === 1 && allocated === 16 && (predictor === 1 || predictor === 2)) {
    return atOnce(planes, shape, predictor);
  }
  if (samples === 1) {
    const out = joined(planes, 0, count, allocated);
    predict(out, columns, predictor, shape.isSigned);
    return out;
  }
  const parts = [0, 1, 2].map((part) => {
    const one = joined(planes, part * count * (allocated / 8), count, allocated);
    predict(one, columns, predictor, part > 0 || shape.isSigned);
    return one;
  }) as [Cells, Cells, Cells];
  const out = cells(count * 3, allocated);
  const [green, red, blue] = parts;
  for (let i = 0, to = 0; i < count; i++, to += 3) {
    const g = green[i]!;
    out[to] = red[i]! + g;
    out[to + 1] = g;
    out[to + 2] = blue[i]! + g;
  }
  return out;
}

/** Grey of 16 bits, which all large images are: one way through memory in place of two. */
function atOnce(planes: Uint8Array, shape: Shape, predictor: 1 | 2): Cells {
  const { columns } = shape;
  const out = new Uint16Array(shape.rows * columns);
  if (out.length === 0) return out;
  let a = 0;
  for (let i = 0; i < columns; i++) {
    a += residual16(planes, i, out.length);
    out[i] = a;
  }
  const numbers = shape.isSigned ? new Int16Array(out.buffer) : out;
  for (let row = columns; row < out.length; row += columns) {
    out[row] = out[row - columns]! + residual16(planes, row, out.length);
    if (predictor === 1) gradient16(planes, out, row, columns);
    else median16(planes, numbers, row, columns);
  }
  return out;
}

function residual16(planes: Uint8Array, i: number, count: number): number {
  const z = planes[i]! | (planes[count + i]! << 8);
  return (z >>> 1) ^ -(z & 1);
}

function gradient16(planes: Uint8Array, out: Uint16Array, row: number, columns: number): void {
  const count = out.length;
  let a = out[row]!;
  let c = out[row - columns]!;
  for (let i = row + 1; i < row + columns; i++) {
    const z = planes[i]! | (planes[count + i]! << 8);
    const b = out[i - columns]!;
    a = (a + b - c + ((z >>> 1) ^ -(z & 1))) & 0xffff;
    out[i] = a;
    c = b;
  }
}

function median16(
  planes: Uint8Array,
  out: Uint16Array | Int16Array,
  row: number,
  columns: number,
): void {
  const count = out.length;
  // Back to what the array would give: of 16 bits, with a sign or without.
  const up = out instanceof Int16Array ? 16 : 0;
  const mask = up ? -1 : 0xffff;
  let a = out[row]!;
  let c = out[row - columns]!;
  for (let i = row + 1; i < row + columns; i++) {
    const z = planes[i]! | (planes[count + i]! << 8);
    const b = out[i - columns]!;
    const p = Math.max(Math.min(a, b), Math.min(Math.max(a, b), a + b - c));
    a = (((p + ((z >>> 1) ^ -(z & 1))) << up) >> up) & mask;
    out[i] = a;
    c = b;
  }
}

/** Byte planes into zig-zag numbers into residuals. */
function joined(planes: Uint8Array, start: number, count: number, allocated: number): Cells {
  const out = cells(count, allocated);
  if (allocated === 8) {
    for (let i = 0; i < count; i++) {
      const z = planes[start + i]!;
      out[i] = (z >>> 1) ^ -(z & 1);
    }
  } else if (allocated === 16) {
    const high = start + count;
    for (let i = 0; i < count; i++) {
      const z = planes[start + i]! | (planes[high + i]! << 8);
      out[i] = (z >>> 1) ^ -(z & 1);
    }
  } else {
    for (let i = 0; i < count; i++) {
      let z = 0;
      for (let k = 0; k < 4; k++) z |= planes[start + k * count + i]! << (8 * k);
      out[i] = (z >>> 1) ^ -(z & 1);
    }
  }
  return out;
}

function predict(out: Cells, columns: number, predictor: number, isSigned: boolean): void {
  if (predictor === 0 || out.length === 0) return;
  const numbers = isSigned ? signedView(out) : out;
  for (let x = 1; x < columns; x++) out[x] = out[x]! + out[x - 1]!;
  for (let row = columns; row < out.length; row += columns) {
    out[row] = out[row]! + out[row - columns]!;
    if (predictor === 1) gradient(out, row, columns);
    else if (predictor === 2) median(numbers, row, columns);
    else left(out, row, columns);
  }
}

function gradient(out: Cells, row: number, columns: number): void {
  let a = out[row]!;
  let c = out[row - columns]!;
  for (let i = row + 1; i < row + columns; i++) {
    const b = out[i - columns]!;
    out[i] = out[i]! + a + b - c;
    a = out[i]!;
    c = b;
  }
}

function median(out: Cells | SignedCells, row: number, columns: number): void {
  let a = out[row]!;
  let c = out[row - columns]!;
  for (let i = row + 1; i < row + columns; i++) {
    const b = out[i - columns]!;
    // The median of a, b and a + b - c: the lesser neighbour where c is the greatest, and so on.
    let p: number;
    if (a < b) p = c >= b ? a : c <= a ? b : a + b - c;
    else p = c >= a ? b : c <= b ? a : a + b - c;
    out[i] = out[i]! + p;
    a = out[i]!;
    c = b;
  }
}

function left(out: Cells, row: number, columns: number): void {
  for (let i = row + 1; i < row + columns; i++) out[i] = out[i]! + out[i - 1]!;
}
