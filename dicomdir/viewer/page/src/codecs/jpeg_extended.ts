/** JPEG Baseline and Extended sequential, 8 and 12 bits (ITU-T T.81 Annexes A and F). */
import type { Cells } from "../data/codec.ts";
import { rgbFromYbr } from "../data/colour.ts";
import { cellsFor, cutAtStored, hasYbr, holdAgainst, StreamError, type Wanted } from "./frame.ts";
import { Bits, type Huffman } from "./huffman.ts";
import { type Frame, type Jpeg, readJpeg, type Scan } from "./jpeg_stream.ts";

/** Place in the block of each coefficient of the stream. */
const ZIG_ZAG = Uint8Array.from(
  Array.from({ length: 64 }, (_, i) => i).sort((a, b) => {
    const [p, q] = [(a >> 3) + (a & 7), (b >> 3) + (b & 7)];
    return p - q || (p % 2 ? (a >> 3) - (b >> 3) : (b >> 3) - (a >> 3));
  }),
);

/** What a coefficient adds to a sample of its row: [frequency * 8 + place]. */
const COSINES = Float64Array.from({ length: 64 }, (_, i) => {
  const u = i >> 3;
  return Math.cos(((2 * (i & 7) + 1) * u * Math.PI) / 16) * (u ? 0.5 : Math.SQRT1_2 / 2);
});

/** Of one component, in whole blocks. */
interface Plane {
  samples: Uint16Array;
  stride: number;
  blocksAcross: number;
  blocksDown: number;
}

/** @throws StreamError */
export function decodeJpegExtended(bytes: Uint8Array, wanted: Wanted): Cells {
  const jpeg = readJpeg(bytes, (found) => {
    if (found.marker !== 0xc0 && found.marker !== 0xc1) throw new StreamError("process", true);
    holdAgainst(found, wanted);
    if (found.precision !== 8 && found.precision !== 12) throw new StreamError("precision");
  });
  const { frame, scans } = jpeg;
  const total = scans.reduce((sum, each) => sum + each.bytes.length, 0);
  // Two bits a block at least.
  if (total * 8 < (2 * wanted.rows * wanted.columns) / 64) throw new StreamError("cut off");
  if (scans.reduce((sum, each) => sum + each.parts.length, 0) < frame.components) {
    throw new StreamError("scans");
  }
  const across = Math.max(...frame.parts.map((each) => each.across));
  const down = Math.max(...frame.parts.map((each) => each.down));
  const mcusAcross = Math.ceil(frame.columns / (8 * across));
  const mcusDown = Math.ceil(frame.rows / (8 * down));
  const planes = frame.parts.map((part): Plane => {
    const stride = mcusAcross * part.across * 8;
    return {
      samples: new Uint16Array(stride * mcusDown * part.down * 8),
      stride,
      blocksAcross: Math.ceil(Math.ceil((frame.columns * part.across) / across) / 8),
      blocksDown: Math.ceil(Math.ceil((frame.rows * part.down) / down) / 8),
    };
  });
  for (const scan of scans) decodeScan(scan, jpeg, planes, mcusAcross, mcusDown);
  const cells = joined(frame, planes, across, down, wanted);
  cutAtStored(cells, frame.precision, wanted);
  // Adobe's marker knows better than the attribute.
  const isYbr = jpeg.transform === null ? hasYbr(wanted) : jpeg.transform === 1;
  return isYbr && frame.components === 3 && cells instanceof Uint8Array ? rgbFromYbr(cells) : cells;
}

function decodeScan(
  scan: Scan,
  { frame, quantisation }: Jpeg,
  planes: Plane[],
  mcusAcross: number,
  mcusDown: number,
): void {
  const parts = scan.parts.map(({ index, dc, ac }) => {
    const part = frame.parts[index]!;
    const scale = quantisation[part.quantisation];
    if (!dc || !ac || !scale) throw new StreamError("no table");
    return { ...part, plane: planes[index]!, dc, ac, scale, last: 0 };
  });
  // A component alone has no MCUs: its blocks follow each other (T.81 A.2.2).
  const only = parts.length === 1 ? parts[0]! : null;
  const perRow = only ? only.plane.blocksAcross : mcusAcross;
  const count = perRow * (only ? only.plane.blocksDown : mcusDown);
  const block = new Float64Array(64);
  const scratch = new Float64Array(64);
  let bits = new Bits(scan.bytes, 0, 0);
  let from = 0;
  for (let mcu = 0, segment = 0; mcu < count; mcu++) {
    if (scan.interval ? mcu % scan.interval === 0 : mcu === 0) {
      bits.close();
      const end = scan.ends[segment++];
      if (end === undefined) throw new StreamError("cut off");
      bits = new Bits(scan.bytes, from, end);
      from = end;
      for (const each of parts) each.last = 0;
    }
    const row = Math.floor(mcu / perRow);
    const column = mcu % perRow;
    for (const part of parts) {
      const wide = only ? 1 : part.across;
      const high = only ? 1 : part.down;
      for (let k = 0; k < wide * high; k++) {
        const x = column * wide + (k % wide);
        const y = row * high + Math.floor(k / wide);
        part.last = readBlock(bits, part.dc, part.ac, part.scale, part.last, block);
        invert(block, scratch, part.plane, 8 * (y * part.plane.stride + x), frame.precision);
      }
    }
    if (bits.left < 0) throw new StreamError("cut off");
  }
  bits.close();
}

/** @returns What the next block's first coefficient is counted from. */
function readBlock(
  bits: Bits,
  dc: Huffman,
  ac: Huffman,
  scale: Uint16Array,
  last: number,
  block: Float64Array,
): number {
  block.fill(0);
  const size = bits.symbol(dc);
  if (size > 16) throw new StreamError("coefficient");
  const mean = last + (size ? bits.difference(size) : 0);
  block[0] = mean * scale[0]!;
  for (let k = 1; k < 64; k++) {
    const code = bits.symbol(ac);
    const own = code & 15;
    if (!own) {
      if (code !== 0xf0) break;
      k += 15;
      continue;
    }
    k += code >> 4;
    if (k > 63) throw new StreamError("coefficient");
    block[ZIG_ZAG[k]!] = bits.difference(own) * scale[k]!;
  }
  return mean;
}

function invert(
  block: Float64Array,
  scratch: Float64Array,
  { samples, stride }: Plane,
  start: number,
  precision: number,
): void {
  for (let v = 0; v < 8; v++) {
    for (let x = 0; x < 8; x++) {
      let sum = 0;
      for (let u = 0; u < 8; u++) sum += block[8 * v + u]! * COSINES[8 * u + x]!;
      scratch[8 * v + x] = sum;
    }
  }
  const middle = 2 ** (precision - 1) + 0.5;
  const most = 2 ** precision - 1;
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 8; x++) {
      let sum = middle;
      for (let v = 0; v < 8; v++) sum += scratch[8 * v + x]! * COSINES[8 * v + y]!;
      samples[start + y * stride + x] = Math.max(0, Math.min(sum, most));
    }
  }
}

/** Planes into pixels; a component of fewer samples has each of them stand for several. */
function joined(
  frame: Frame,
  planes: Plane[],
  across: number,
  down: number,
  wanted: Wanted,
): Cells {
  const { rows, columns, samples } = wanted;
  const out = cellsFor(wanted);
  for (const [i, part] of frame.parts.entries()) {
    const { samples: own, stride } = planes[i]!;
    for (let y = 0; y < rows; y++) {
      const from = Math.floor((y * part.down) / down) * stride;
      let to = y * columns * samples + i;
      for (let x = 0; x < columns; x++, to += samples) {
        out[to] = own[from + Math.floor((x * part.across) / across)]!;
      }
    }
  }
  return out;
}
