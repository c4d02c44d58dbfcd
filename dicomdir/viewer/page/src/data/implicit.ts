/** Implicit VR Little Endian written anew with VRs, so that one parser reads every header. */
import type { Dictionary } from "../dicom/dictionary.ts";
import { DataError } from "./errors.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const UNDEFINED = 0xffffffff;
const LONG = /^(OB|OD|OF|OL|OV|OW|SQ|SV|UC|UN|UR|UT|UV)$/;
const MOST_DEPTH = 32;

/** @throws DataError "damaged" */
export function toExplicit(bytes: Bytes, names: Dictionary): Bytes {
  const out = new Writer(bytes.length + 1024);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Pixels may be signed: what US and SS share is told apart by this (PS3.5 A.1).
  copySet(bytes, view, 0, bytes.length, names, out, 0, { isSigned: false });
  return out.bytes();
}

interface Facts {
  isSigned: boolean;
}

/** @returns Where it ended: at `end`, or after an item's delimiter. */
function copySet(
  bytes: Bytes,
  view: DataView,
  start: number,
  end: number,
  names: Dictionary,
  out: Writer,
  depth: number,
  facts: Facts,
): number {
  if (depth > MOST_DEPTH) throw new DataError("damaged", "", "too deep");
  let at = start;
  while (at + 8 <= end) {
    const tag = ((view.getUint16(at, true) << 16) | view.getUint16(at + 2, true)) >>> 0;
    const length = view.getUint32(at + 4, true);
    at += 8;
    if (tag === 0xfffee00d) return at;
    const vr = vrOf(tag, names, facts);
    if (length === UNDEFINED || vr === "SQ") {
      at = copySequence(
        bytes,
        view,
        at,
        length === UNDEFINED ? end : at + length,
        tag,
        length === UNDEFINED,
        names,
        out,
        depth,
        facts,
      );
      continue;
    }
    if (at + length > end) throw new DataError("damaged", "", "cut off");
    if (tag === 0x00280103 && length >= 2) facts.isSigned = view.getUint16(at, true) === 1;
    out.element(tag, vr, bytes.subarray(at, at + length));
    at += length;
  }
  return at;
}

function copySequence(
  bytes: Bytes,
  view: DataView,
  start: number,
  end: number,
  tag: number,
  isOpen: boolean,
  names: Dictionary,
  out: Writer,
  depth: number,
  facts: Facts,
): number {
  if (end > bytes.length) throw new DataError("damaged", "", "cut off");
  out.open(tag);
  let at = start;
  while (at + 8 <= end) {
    const item = ((view.getUint16(at, true) << 16) | view.getUint16(at + 2, true)) >>> 0;
    const length = view.getUint32(at + 4, true);
    at += 8;
    if (item === 0xfffee0dd && isOpen) break;
    if (item !== 0xfffee000) throw new DataError("damaged", "", "no item");
    out.mark(0xfffee000, UNDEFINED);
    const stop = length === UNDEFINED ? end : at + length;
    if (stop > end) throw new DataError("damaged", "", "cut off");
    at = copySet(bytes, view, at, stop, names, out, depth + 1, facts);
    if (length !== UNDEFINED) at = stop;
    out.mark(0xfffee00d, 0);
  }
  out.mark(0xfffee0dd, 0);
  return at;
}

function vrOf(tag: number, names: Dictionary, facts: Facts): string {
  if ((tag & 0xffff) === 0) return "UL";
  const group = tag >>> 16;
  if (group % 2 === 1) return (tag & 0xffff) < 0x100 ? "LO" : "UN";
  if (tag === 0x00281101 || tag === 0x00281102 || tag === 0x00281103) return "US";
  const found =
    names.get(tag)?.vr ?? (group >= 0x6000 && group < 0x6020 ? OVERLAY[tag & 0xffff] : "");
  // "US or SS", "US or OW" of PS3.6 begin with US in the table.
  if (found === "US" && AMBIGUOUS.has(tag)) return facts.isSigned ? "SS" : "US";
  if (found === "US" && tag === 0x00283006) return "OW";
  return found || "UN";
}

const OVERLAY: Record<number, string> = {
  16: "US",
  17: "US",
  21: "IS",
  34: "LO",
  64: "CS",
  80: "SS",
  81: "US",
  256: "US",
  258: "US",
  5376: "LO",
  12288: "OW",
};

/** US or SS, by Pixel Representation. */
const AMBIGUOUS = new Set([
  0x00280106, 0x00280107, 0x00280108, 0x00280109, 0x00280110, 0x00280111, 0x00280120, 0x00280121,
]);

class Writer {
  private buffer: Bytes;
  private view: DataView;
  private at = 0;

  constructor(size: number) {
    this.buffer = new Uint8Array(size);
    this.view = new DataView(this.buffer.buffer);
  }

  bytes(): Bytes {
    return this.buffer.subarray(0, this.at);
  }

  element(tag: number, vr: string, value: Uint8Array): void {
    const known = value.length > 0xffff && !LONG.test(vr) ? "UN" : vr;
    this.room(12 + value.length);
    this.tag(tag);
    this.vr(known);
    if (LONG.test(known)) {
      this.view.setUint32(this.at + 2, value.length, true);
      this.at += 6;
    } else {
      this.view.setUint16(this.at, value.length, true);
      this.at += 2;
    }
    this.buffer.set(value, this.at);
    this.at += value.length;
  }

  /** A sequence of undefined length. */
  open(tag: number): void {
    this.room(12);
    this.tag(tag);
    this.vr("SQ");
    this.view.setUint32(this.at + 2, UNDEFINED, true);
    this.at += 6;
  }

  mark(tag: number, length: number): void {
    this.room(8);
    this.tag(tag);
    this.view.setUint32(this.at, length, true);
    this.at += 4;
  }

  private tag(tag: number): void {
    this.view.setUint16(this.at, tag >>> 16, true);
    this.view.setUint16(this.at + 2, tag & 0xffff, true);
    this.at += 4;
  }

  private vr(vr: string): void {
    this.buffer[this.at++] = vr.charCodeAt(0);
    this.buffer[this.at++] = vr.charCodeAt(1);
  }

  private room(size: number): void {
    if (this.at + size <= this.buffer.length) return;
    const wider = new Uint8Array(Math.max(this.at + size, this.buffer.length * 2));
    wider.set(this.buffer);
    this.buffer = wider;
    this.view = new DataView(wider.buffer);
  }
}
