/** JPEG Lossless, process 14 (ITU-T T.81 Annex H): every predictor, 2 to 16 bits, any components. */
import type { Cells } from "../data/codec.ts";
import { cellsFor, holdAgainst, StreamError, type Wanted } from "./frame.ts";
import { Bits, type Huffman } from "./huffman.ts";
import { readJpeg, type Scan } from "./jpeg_stream.ts";

const LOSSLESS = 0xc3;

/** @throws StreamError */
export function decodeJpegLossless(bytes: Uint8Array, wanted: Wanted): Cells {
  const { rows, columns, samples } = wanted;
  const { frame, scans } = readJpeg(bytes, (found) => {
    if (found.marker !== LOSSLESS) throw new StreamError("process", true);
    holdAgainst(found, wanted);
    const isFull = ({ across, down }: { across: number; down: number }) => across * down === 1;
    if (!found.parts.every(isFull) && samples > 1) throw new StreamError("sampling", true);
  });
  const bits = scans.reduce((sum, each) => sum + each.bytes.length * 8, 0);
  if (bits < rows * columns * samples) throw new StreamError("cut off"); // a bit each at least
  if (scans.reduce((sum, each) => sum + each.parts.length, 0) < samples) {
    throw new StreamError("scans");
  }
  const out = cellsFor(wanted);
  for (const scan of scans) decodeScan(scan, out, wanted, frame.precision);
  return out;
}

function decodeScan(scan: Scan, out: Cells, wanted: Wanted, precision: number): void {
  const { rows, columns, samples } = wanted;
  const { parts, point, interval, start } = scan;
  if (start < 1 || start > 7 || point >= precision) throw new StreamError("predictor");
  if (interval % columns) throw new StreamError("restart interval", true);
  const rowsEach = interval ? interval / columns : rows;
  const tables = parts.map(({ dc }) => {
    if (!dc) throw new StreamError("no table");
    return dc;
  });
  // Samples as they were coded, below 2^16 however many the cells can hold; a line and the one above.
  let line = parts.map(() => new Uint16Array(columns));
  let above = parts.map(() => new Uint16Array(columns));
  let bits = new Bits(scan.bytes, 0, 0);
  let from = 0;
  for (let row = 0; row < rows; row++) {
    const isFirst = row % rowsEach === 0;
    if (isFirst) {
      bits.close();
      const end = scan.ends[row / rowsEach];
      if (end === undefined) throw new StreamError("cut off");
      bits = new Bits(scan.bytes, from, end);
      from = end;
    }
    const predictor = isFirst ? 0 : start;
    const middle = 1 << (precision - point - 1);
    if (tables.length === 1) {
      decodeLine(bits, tables[0]!, line[0]!, above[0]!, predictor, middle);
    } else {
      decodeLines(bits, tables, line, above, predictor, middle);
    }
    if (bits.left < 0) throw new StreamError("cut off");
    for (const [i, { index }] of parts.entries()) {
      const own = line[i]!;
      let to = row * columns * samples + index;
      for (let x = 0; x < columns; x++, to += samples) out[to] = own[x]! << point;
    }
    [line, above] = [above, line];
  }
  bits.close();
}

function decodeLine(
  bits: Bits,
  table: Huffman,
  line: Uint16Array,
  above: Uint16Array,
  predictor: number,
  middle: number,
): void {
  let a = (predictor === 0 ? middle : above[0]!) + difference(bits, table);
  line[0] = a;
  a = line[0]!;
  for (let x = 1; x < line.length; x++) {
    const p = predictor < 2 ? a : predict(predictor, a, above[x]!, above[x - 1]!);
    a = (p + difference(bits, table)) & 0xffff;
    line[x] = a;
  }
}

/** Components take turns at each pixel. */
function decodeLines(
  bits: Bits,
  tables: Huffman[],
  lines: Uint16Array[],
  above: Uint16Array[],
  predictor: number,
  middle: number,
): void {
  const columns = lines[0]!.length;
  for (let x = 0; x < columns; x++) {
    for (let i = 0; i < tables.length; i++) {
      const line = lines[i]!;
      const up = above[i]!;
      let p: number;
      if (x === 0) p = predictor === 0 ? middle : up[0]!;
      else if (predictor < 2) p = line[x - 1]!;
      else p = predict(predictor, line[x - 1]!, up[x]!, up[x - 1]!);
      line[x] = p + difference(bits, tables[i]!);
    }
  }
}

/** T.81 table H.1: a left, b above, c above left. */
function predict(predictor: number, a: number, b: number, c: number): number {
  switch (predictor) {
    case 2:
      return b;
    case 3:
      return c;
    case 4:
      return a + b - c;
    case 5:
      return a + ((b - c) >> 1);
    case 6:
      return b + ((a - c) >> 1);
    default:
      return (a + b) >> 1;
  }
}

function difference(bits: Bits, table: Huffman): number {
  const size = bits.symbol(table);
  if (size === 0) return 0;
  if (size < 16) return bits.difference(size);
  if (size > 16) throw new StreamError("difference");
  return 32_768;
}
