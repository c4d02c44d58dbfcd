/**
 * The marker segments of a JPEG 2000 or HTJ2K codestream (ITU-T T.800 Annex A): what has to be known
 * before. OpenJPEG takes what is missing for zero.
 */
import { type Declared, StreamError } from "./frame.ts";

export interface Codestream extends Declared {
  /** Red, green and blue were made one of luminance and differences, and will be made three again. */
  isTransformed: boolean;
  isSigned: boolean;
  /** Where it begins. */
  start: number;
}

const MOST_TILES = 65_535;
const [SOT, COD, EOC] = [0xff90, 0xff52, 0xffd9]; // T.800 table A.2

/** @throws StreamError */
export function codestreamOf(bytes: Uint8Array): Codestream {
  const start = startOf(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (start + 42 > bytes.length) throw new StreamError("cut off");
  const at = (offset: number) => view.getUint32(start + 2 + offset);
  const [right, bottom, left, top] = [at(6), at(10), at(14), at(18)];
  const [across, down] = [at(22), at(26)];
  const components = view.getUint16(start + 40);
  if (left >= right || top >= bottom || !across || !down) throw new StreamError("size");
  if (Math.ceil(right / across) * Math.ceil(bottom / down) > MOST_TILES) {
    throw new StreamError("tiles");
  }
  let precision = 0;
  let isSigned = false;
  for (let i = 0; i < components; i++) {
    const place = start + 42 + 3 * i;
    if (place + 3 > bytes.length) throw new StreamError("cut off");
    precision = Math.max(precision, (bytes[place]! & 0x7f) + 1);
    isSigned ||= bytes[place]! > 0x7f;
    const isFull = bytes[place + 1] === 1 && bytes[place + 2] === 1;
    if (!isFull && components > 1) throw new StreamError("sampling", true);
  }
  if (precision > 16) throw new StreamError("precision", true);
  const [tile, style] = mainHeader(bytes, view, start + 4 + view.getUint16(start + 4));
  const tiles = Math.ceil((right - at(30)) / across) * Math.ceil((bottom - at(34)) / down);
  walkTiles(bytes, view, tile, tiles);
  const isTransformed = bytes[style + 8] === 1;
  const [rows, columns] = [bottom - top, right - left];
  return { rows, columns, components, precision, isTransformed, isSigned, start };
}

/**
 * The same without its sign, its values higher by half of what they can be (T.800 G.1): signed ones
 * of 8 bits and less are cut off at 0 by the decoder's wrapper.
 */
export function unsigned(bytes: Uint8Array, { start, components }: Codestream): Uint8Array {
  const own = bytes.slice(start);
  for (let i = 0; i < components; i++) own[42 + 3 * i]! &= 0x7f;
  return own;
}

/** Behind the boxes of a file that some put into their objects (JP2, T.800 Annex I). */
function startOf(bytes: Uint8Array): number {
  const most = Math.min(bytes.length - 4, 1 << 16);
  for (let at = bytes.indexOf(0xff); at >= 0 && at <= most; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === 0x4f && bytes[at + 2] === 0xff && bytes[at + 3] === 0x51) return at;
  }
  throw new StreamError("no codestream");
}

/** @returns Where the first tile-part is, and COD. */
function mainHeader(bytes: Uint8Array, view: DataView, from: number): [number, number] {
  let style = 0;
  for (let at = from; at + 9 <= bytes.length; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at);
    if (marker === COD) style = at;
    if (marker === SOT && style) return [at, style];
    if (marker < 0xff00) break;
  }
  throw new StreamError("main header");
}

/** Tile-parts are as long as they say, hold a part of each tile, and end in EOC. */
function walkTiles(bytes: Uint8Array, view: DataView, from: number, count: number): void {
  const seen = new Set<number>();
  for (let at = from; ; ) {
    if (at + 2 > bytes.length) throw new StreamError("cut off");
    const marker = view.getUint16(at);
    if (marker === EOC) break;
    if (marker !== SOT || at + 12 > bytes.length) throw new StreamError("tile-part");
    seen.add(view.getUint16(at + 4));
    const length = view.getUint32(at + 6);
    if (length && length < 14) throw new StreamError("tile-part");
    if (length) at += length;
    else at = lastEnd(bytes); // A.4.2: up to the end of the codestream
  }
  for (let tile = 0; tile < count; tile++) if (!seen.has(tile)) throw new StreamError("tiles");
}

function lastEnd(bytes: Uint8Array): number {
  for (let at = bytes.lastIndexOf(0xff); at > 0; at = bytes.lastIndexOf(0xff, at - 1)) {
    if (bytes[at + 1] === 0xd9) return at;
  }
  throw new StreamError("cut off");
}
