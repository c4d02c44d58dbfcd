/**
 * A data set in Explicit VR Little Endian, read where it lies: what nobody asks for is not looked
 * at. Every length is held against the bytes that are there; depth and number are limited.
 */
import { Charset } from "./charset.ts";
import { T } from "./tags.ts";

const LONG = new Set([
  "OB",
  "OD",
  "OF",
  "OL",
  "OV",
  "OW",
  "SQ",
  "SV",
  "UC",
  "UN",
  "UR",
  "UT",
  "UV",
]);
const TEXTS = new Set(["LO", "LT", "PN", "SH", "ST", "UC", "UT"]);
const UNDEFINED = 0xffffffff;
const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;
const MOST_DEPTH = 32;
const MOST_ELEMENTS = 200_000;
const MOST_ITEMS = 100_000;

/** The bytes of a data set are not a data set. */
export class DatasetError extends Error {}

export interface Element {
  tag: number;
  vr: string;
  /** Where its value lies in the data set's bytes. */
  start: number;
  end: number;
  /** Of a sequence: its items have no VRs of their own (UN of undefined length). */
  isImplicit: boolean;
}

export class DataSet {
  readonly elements: ReadonlyMap<number, Element>;
  readonly charset: Charset;
  /** Where its first element lies in the bytes that it was read from. */
  readonly start: number;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly depth: number;
  private readonly sequences = new Map<number, DataSet[]>();

  /** @throws DatasetError Not a data set, or one beyond the limits. */
  constructor(
    bytes: Uint8Array,
    start = 0,
    end = bytes.length,
    outer: DataSet | null = null,
    isImplicit = false,
  ) {
    this.bytes = bytes;
    this.start = start;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.depth = outer ? outer.depth + 1 : 0;
    if (this.depth > MOST_DEPTH) throw new DatasetError("too deep");
    this.elements = this.scan(start, end, isImplicit);
    const own = this.strings(T.SpecificCharacterSet);
    this.charset = own.length || !outer ? new Charset(own) : outer.charset;
  }

  has(tag: number): boolean {
    const element = this.elements.get(tag);
    return element !== undefined && element.end > element.start;
  }

  raw(tag: number): Uint8Array | null {
    const element = this.elements.get(tag);
    return element ? this.bytes.subarray(element.start, element.end) : null;
  }

  /** All values as text, without padding; empty where there is none. */
  strings(tag: number): string[] {
    const element = this.elements.get(tag);
    if (!element || element.end === element.start || element.vr === "SQ") return [];
    const raw = this.bytes.subarray(element.start, element.end);
    const isText = TEXTS.has(element.vr) || element.vr === "UN";
    const text = (isText && this.charset ? this.charset.decode(raw) : ascii(raw)).replace(
      /\0+$/,
      "",
    );
    if (element.vr === "LT" || element.vr === "ST" || element.vr === "UT") {
      return [text.replace(/\s+$/, "")];
    }
    return text.split("\\").map((each) => each.trim());
  }

  /** The first value as text, or "". */
  string(tag: number): string {
    return this.strings(tag)[0] ?? "";
  }

  /** All values that are numbers, of any VR that holds numbers. */
  numbers(tag: number): number[] {
    const element = this.elements.get(tag);
    if (!element) return [];
    const read = READERS[element.vr];
    if (!read) {
      const texts = this.strings(tag).filter((each) => each !== "");
      return texts.map(Number).filter(Number.isFinite);
    }
    const [width, one] = read;
    const out: number[] = [];
    for (let at = element.start; at + width <= element.end; at += width)
      out.push(one(this.view, at));
    return out;
  }

  number(tag: number): number | null {
    return this.numbers(tag)[0] ?? null;
  }

  /** Items of a sequence; none where it is missing, empty or broken. */
  items(tag: number): DataSet[] {
    let made = this.sequences.get(tag);
    if (!made) {
      made = this.readItems(tag);
      this.sequences.set(tag, made);
    }
    return made;
  }

  item(tag: number): DataSet | null {
    return this.items(tag)[0] ?? null;
  }

  private readItems(tag: number): DataSet[] {
    const element = this.elements.get(tag);
    if (!element || (element.vr !== "SQ" && !element.isImplicit)) return [];
    const out: DataSet[] = [];
    let at = element.start;
    while (at + 8 <= element.end && out.length < MOST_ITEMS) {
      if (this.tagAt(at) !== ITEM) break;
      const length = this.view.getUint32(at + 4, true);
      const start = at + 8;
      const end =
        length === UNDEFINED
          ? this.endOfItem(start, element.end, element.isImplicit, this.depth + 1)
          : start + length;
      if (end > element.end) break;
      out.push(new DataSet(this.bytes, start, end, this, element.isImplicit));
      at = length === UNDEFINED ? end + 8 : end;
    }
    return out;
  }

  private tagAt(at: number): number {
    return ((this.view.getUint16(at, true) << 16) | this.view.getUint16(at + 2, true)) >>> 0;
  }

  private scan(start: number, end: number, isImplicit: boolean): Map<number, Element> {
    const out = new Map<number, Element>();
    let at = start;
    while (at + 8 <= end) {
      const element = this.elementAt(at, end, isImplicit, this.depth);
      if (element.tag === ITEM_END) break;
      out.set(element.tag, element);
      at = element.next;
      if (out.size > MOST_ELEMENTS) throw new DatasetError("too many elements");
    }
    return out;
  }

  private elementAt(
    at: number,
    end: number,
    isImplicit: boolean,
    depth: number,
  ): Element & { next: number } {
    const tag = this.tagAt(at);
    let vr = "UN";
    let start = at + 8;
    let length: number;
    if (isImplicit || tag >>> 16 === 0xfffe) {
      length = this.view.getUint32(at + 4, true);
    } else {
      vr = String.fromCharCode(this.bytes[at + 4]!, this.bytes[at + 5]!);
      if (!/^[A-Z]{2}$/.test(vr)) throw new DatasetError("no VR");
      if (LONG.has(vr)) {
        if (at + 12 > end) throw new DatasetError("cut off");
        length = this.view.getUint32(at + 8, true);
        start = at + 12;
      } else {
        length = this.view.getUint16(at + 6, true);
      }
    }
    if (length !== UNDEFINED) {
      if (start + length > end) throw new DatasetError("cut off");
      return { tag, vr, start, end: start + length, isImplicit: false, next: start + length };
    }
    const inner = isImplicit || vr === "UN";
    const stop = this.endOfSequence(start, end, inner, depth + 1);
    return { tag, vr: inner ? "SQ" : vr, start, end: stop, isImplicit: inner, next: stop + 8 };
  }

  /** Where a sequence of undefined length ends, before its delimiter. */
  private endOfSequence(from: number, end: number, isImplicit: boolean, depth: number): number {
    if (depth > MOST_DEPTH) throw new DatasetError("too deep");
    let at = from;
    while (at + 8 <= end) {
      const tag = this.tagAt(at);
      const length = this.view.getUint32(at + 4, true);
      if (tag === SEQUENCE_END) return at;
      if (tag !== ITEM) throw new DatasetError("no item");
      at += 8;
      at = length === UNDEFINED ? this.endOfItem(at, end, isImplicit, depth) + 8 : at + length;
    }
    throw new DatasetError("cut off");
  }

  private endOfItem(from: number, end: number, isImplicit: boolean, depth: number): number {
    let at = from;
    while (at + 8 <= end) {
      if (this.tagAt(at) === ITEM_END) return at;
      at = this.elementAt(at, end, isImplicit, depth).next;
    }
    throw new DatasetError("cut off");
  }
}

type Reader = [number, (view: DataView, at: number) => number];
const READERS: Record<string, Reader> = {
  US: [2, (view, at) => view.getUint16(at, true)],
  SS: [2, (view, at) => view.getInt16(at, true)],
  OW: [2, (view, at) => view.getUint16(at, true)],
  UL: [4, (view, at) => view.getUint32(at, true)],
  SL: [4, (view, at) => view.getInt32(at, true)],
  OL: [4, (view, at) => view.getUint32(at, true)],
  FL: [4, (view, at) => view.getFloat32(at, true)],
  OF: [4, (view, at) => view.getFloat32(at, true)],
  FD: [8, (view, at) => view.getFloat64(at, true)],
  OD: [8, (view, at) => view.getFloat64(at, true)],
  OB: [1, (view, at) => view.getUint8(at)],
  AT: [4, (view, at) => view.getUint16(at, true) * 65536 + view.getUint16(at + 2, true)],
};

function ascii(bytes: Uint8Array): string {
  let out = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    out += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return out;
}
