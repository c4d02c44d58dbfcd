/**
 * Explicit VR Big Endian (retired, PS3.5 A.3) brought to little endian where it lies: both have the
 * same lengths, so one parser reads every header.
 */
import { DataError } from "./errors.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const UNDEFINED = 0xffffffff;
const MOST_DEPTH = 32;
const PIXELS = 0x7fe00010;
const LONG = /^(OB|OD|OF|OL|OV|OW|SQ|SV|UC|UN|UR|UT|UV)$/;
const WORDS: Record<string, number> = {
  AT: 2,
  OW: 2,
  SS: 2,
  US: 2,
  FL: 4,
  OF: 4,
  OL: 4,
  SL: 4,
  UL: 4,
  FD: 8,
  OD: 8,
  OV: 8,
  SV: 8,
  UV: 8,
};

/** Reverse the bytes of each word; of what is over, nothing. */
export function swapWords(bytes: Uint8Array, width: number): void {
  for (let at = 0; at + width <= bytes.length; at += width) {
    for (let low = at, high = at + width - 1; low < high; low++, high--) {
      const kept = bytes[low]!;
      bytes[low] = bytes[high]!;
      bytes[high] = kept;
    }
  }
}

/**
 * Elements up to the pixels, whose value stays as it is; what the bytes do not have whole stays too,
 * so that who reads them asks for more.
 *
 * @throws DataError "damaged"
 */
export function toLittleEndian(bytes: Bytes, start: number): void {
  swapSet(bytes, new DataView(bytes.buffer, bytes.byteOffset), start, bytes.length, 0);
}

/** @returns Where it ended: at `end`, after an item's delimiter, or at pixels. */
function swapSet(bytes: Bytes, view: DataView, start: number, end: number, depth: number): number {
  if (depth > MOST_DEPTH) throw new DataError("damaged", "", "too deep");
  let at = start;
  while (at + 8 <= end) {
    const tag = swapTag(bytes, view, at);
    if (tag === 0xfffee00d) return at + 8; // its length is 0 in either
    const vr = String.fromCharCode(bytes[at + 4]!, bytes[at + 5]!);
    const isLong = LONG.test(vr);
    if (isLong && at + 12 > end) return end;
    const place = isLong ? at + 8 : at + 6;
    swapWords(bytes.subarray(place, isLong ? place + 4 : place + 2), isLong ? 4 : 2);
    const length = isLong ? view.getUint32(place, true) : view.getUint16(place, true);
    at = isLong ? at + 12 : at + 8;
    if (tag === PIXELS && depth === 0) return at;
    if (vr === "SQ") {
      at = swapItems(bytes, view, at, length === UNDEFINED ? end : at + length, depth);
    } else if (length === UNDEFINED) {
      throw new DataError("damaged", "", "length"); // fragments are little endian always
    } else {
      const width = WORDS[vr];
      if (width) swapWords(bytes.subarray(at, Math.min(at + length, end)), width);
      at += length;
    }
  }
  return at;
}

function swapItems(bytes: Bytes, view: DataView, start: number, to: number, depth: number): number {
  const end = Math.min(to, bytes.length);
  let at = start;
  while (at + 8 <= end) {
    const tag = swapTag(bytes, view, at);
    swapWords(bytes.subarray(at + 4, at + 8), 4);
    const length = view.getUint32(at + 4, true);
    at += 8;
    if (tag === 0xfffee0dd) return at;
    if (tag !== 0xfffee000) throw new DataError("damaged", "", "no item");
    if (length === UNDEFINED) at = swapSet(bytes, view, at, end, depth + 1);
    else {
      swapSet(bytes, view, at, Math.min(at + length, end), depth + 1);
      at += length;
    }
  }
  return Math.max(at, to);
}

function swapTag(bytes: Bytes, view: DataView, at: number): number {
  swapWords(bytes.subarray(at, at + 4), 2);
  return ((view.getUint16(at, true) << 16) | view.getUint16(at + 2, true)) >>> 0;
}
