/** DICOM by hand, for tests: elements in Explicit VR Little Endian. */
import { DataSet } from "../src/dicom/dataset.ts";

const LONG = new Set(["OB", "OW", "SQ", "UN", "UT", "UC"]);

export type Value = string | number[] | Uint8Array | Uint8Array[];
/** Tag, VR and value. */
export type Element = [number, string, Value];

export function element(tag: number, vr: string, value: Value): Uint8Array {
  const data = body(vr, value);
  const head = new Uint8Array(LONG.has(vr) ? 12 : 8);
  const view = new DataView(head.buffer);
  view.setUint16(0, tag >>> 16, true);
  view.setUint16(2, tag & 0xffff, true);
  head[4] = vr.charCodeAt(0);
  head[5] = vr.charCodeAt(1);
  if (LONG.has(vr)) view.setUint32(8, data.length, true);
  else view.setUint16(6, data.length, true);
  return join(head, data);
}

export function dataset(...elements: Element[]): Uint8Array {
  return join(...elements.sort((a, b) => a[0] - b[0]).map((each) => element(...each)));
}

/** A data set of these elements, as the page reads one. */
export function parsed(...elements: Element[]): DataSet {
  return new DataSet(dataset(...elements));
}

export function join(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** An item; of undefined length where the sequence is to be. */
export function item(content: Uint8Array, isUndefined = false): Uint8Array {
  const head = new Uint8Array([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
  new DataView(head.buffer).setUint32(4, isUndefined ? 0xffffffff : content.length, true);
  const end = new Uint8Array([0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0]);
  return isUndefined ? join(head, content, end) : join(head, content);
}

export function sequence(tag: number, ...items: Uint8Array[]): Element {
  return [tag, "SQ", items.map((each) => item(each))];
}

function body(vr: string, value: Value): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") {
    const bytes = new TextEncoder().encode(value);
    return bytes.length % 2 ? join(bytes, new Uint8Array([vr === "UI" ? 0 : 32])) : bytes;
  }
  if (value[0] instanceof Uint8Array) return join(...(value as Uint8Array[]));
  const width = { US: 2, SS: 2, OW: 2, UL: 4, SL: 4, FL: 4, FD: 8 }[vr] ?? 2;
  const out = new DataView(new ArrayBuffer(width * value.length));
  (value as number[]).forEach((each, i) => {
    if (vr === "SS") out.setInt16(2 * i, each, true);
    else if (vr === "UL") out.setUint32(4 * i, each, true);
    else if (vr === "SL") out.setInt32(4 * i, each, true);
    else if (vr === "FL") out.setFloat32(4 * i, each, true);
    else if (vr === "FD") out.setFloat64(8 * i, each, true);
    else out.setUint16(2 * i, each, true);
  });
  return new Uint8Array(out.buffer);
}

/** The same numbers for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
