/** The segments of a JPEG stream (ITU-T T.81 Annex B): its frame, tables and scans. */
import { type Declared, StreamError } from "./frame.ts";
import { Huffman } from "./huffman.ts";

export interface Component {
  id: number;
  across: number;
  down: number;
  quantisation: number;
}

export interface Frame extends Declared {
  /** Marker of its start: 0xc0, 0xc1 sequential, 0xc3 lossless. */
  marker: number;
  parts: Component[];
}

export interface ScanPart {
  /** Index of its component in the frame. */
  index: number;
  dc: Huffman | undefined;
  ac: Huffman | undefined;
}

export interface Scan {
  parts: ScanPart[];
  /** Selection of a predictor in lossless frames. */
  start: number;
  /** Point transform: bits that were left out below. */
  point: number;
  /** MCUs between restarts; 0: none. */
  interval: number;
  /** Entropy-coded bytes without stuffing, and where each restart interval of them ends. */
  bytes: Uint8Array;
  ends: number[];
}

export interface Jpeg {
  frame: Frame;
  scans: Scan[];
  quantisation: (Uint16Array | undefined)[];
  /** Of Adobe's marker: 0 as it is, 1 YCbCr; null: there is none. */
  transform: number | null;
}

const MOST_SCANS = 16;

/** @param check Called with the frame before anything is made of its size. @throws StreamError */
export function readJpeg(bytes: Uint8Array, check: (frame: Frame) => void): Jpeg {
  const tables: (Huffman | undefined)[] = [];
  const quantisation: (Uint16Array | undefined)[] = [];
  const scans: Scan[] = [];
  let frame: Frame | null = null;
  let interval = 0;
  let transform: number | null = null;
  let at = 2;
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) throw new StreamError("no JPEG");
  for (;;) {
    const { marker, body, next } = segmentAt(bytes, at);
    at = next;
    if (marker === 0xd9) break;
    if (marker === 0xc4) readHuffman(body, tables);
    else if (marker === 0xdb) readQuantisation(body, quantisation);
    else if (marker === 0xdd) interval = word(body, 0);
    else if (marker === 0xee && isAdobe(body)) transform = body[11]!;
    else if (isFrame(marker)) {
      if (frame) throw new StreamError("two frames");
      frame = readFrame(marker, body);
      check(frame);
    } else if (marker === 0xda) {
      if (!frame || scans.length === MOST_SCANS) throw new StreamError("scan");
      const scan = readScan(body, frame, tables, interval);
      at = takeEntropy(bytes, at, scan);
      scans.push(scan);
      if (scans.reduce((sum, each) => sum + each.parts.length, 0) === frame.parts.length) break;
    }
  }
  if (!frame || !scans.length) throw new StreamError("no scan");
  return { frame, scans, quantisation, transform };
}

/**
 * Frame of a JPEG-LS stream (ITU-T T.87) that has its end marker: without one CharLS searches for
 * ever. That the coded data make all samples and no more, it demands itself.
 *
 * @throws StreamError
 */
export function jpegLsFrameOf(bytes: Uint8Array): Frame {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) throw new StreamError("no JPEG");
  let frame: Frame | null = null;
  for (let at = 2; ; ) {
    const { marker, body, next } = segmentAt(bytes, at);
    if (marker === 0xf7) frame = readFrame(marker, body);
    if (marker === 0xd9) break;
    at = marker === 0xda ? afterScan(bytes, next) : next;
  }
  if (!frame) throw new StreamError("no frame");
  return frame;
}

/** A byte with its highest bit does not follow FF in coded data (T.87 A.1). */
function afterScan(bytes: Uint8Array, start: number): number {
  for (let at = bytes.indexOf(0xff, start); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const marker = bytes[at + 1] ?? 0;
    const isRestart = marker >= 0xd0 && marker <= 0xd7;
    if (marker >= 0x80 && marker !== 0xff && !isRestart) return at;
  }
  throw new StreamError("cut off");
}

function isAdobe(body: Uint8Array): boolean {
  return body.length >= 12 && String.fromCharCode(...body.subarray(0, 5)) === "Adobe";
}

/** SOF0 to SOF15 without DHT, JPG and DAC, which have numbers between them. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

function segmentAt(
  bytes: Uint8Array,
  start: number,
): { marker: number; body: Uint8Array; next: number } {
  let at = start;
  if (bytes[at] !== 0xff) throw new StreamError("no marker");
  while (bytes[at] === 0xff) at++; // fill bytes
  const marker = bytes[at++];
  if (marker === undefined) throw new StreamError("cut off");
  if (marker === 0xd9) return { marker, body: bytes.subarray(at, at), next: at };
  const length = word(bytes, at);
  if (length < 2 || at + length > bytes.length) throw new StreamError("cut off");
  return { marker, body: bytes.subarray(at + 2, at + length), next: at + length };
}

function word(bytes: Uint8Array, at: number): number {
  if (at + 2 > bytes.length) throw new StreamError("cut off");
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function readFrame(marker: number, body: Uint8Array): Frame {
  const components = body[5] ?? 0;
  if (!components || body.length < 6 + 3 * components) throw new StreamError("frame");
  const parts = Array.from({ length: components }, (_, i) => {
    const [id, factors, quantisation] = body.subarray(6 + 3 * i, 9 + 3 * i);
    return { id: id!, across: factors! >> 4, down: factors! & 15, quantisation: quantisation! };
  });
  const isPossible = (factor: number) => factor >= 1 && factor <= 4;
  if (!parts.every(({ across, down }) => isPossible(across) && isPossible(down))) {
    throw new StreamError("sampling");
  }
  return {
    marker,
    precision: body[0]!,
    rows: word(body, 1),
    columns: word(body, 3),
    components,
    parts,
  };
}

function readHuffman(body: Uint8Array, tables: (Huffman | undefined)[]): void {
  for (let at = 0; at < body.length; ) {
    const place = body[at]!;
    const counts = body.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, each) => sum + each, 0);
    const values = body.subarray(at + 17, at + 17 + total);
    if (values.length !== total || total > 256) throw new StreamError("Huffman table");
    tables[place & 0x13] = new Huffman(counts, values);
    at += 17 + total;
  }
}

/** In the zig-zag order of the stream. */
function readQuantisation(body: Uint8Array, out: (Uint16Array | undefined)[]): void {
  for (let at = 0; at < body.length; ) {
    const isWide = body[at]! >> 4 !== 0;
    const place = body[at++]! & 3;
    if (at + (isWide ? 128 : 64) > body.length) throw new StreamError("quantisation");
    out[place] = Uint16Array.from({ length: 64 }, (_, i) =>
      isWide ? word(body, at + 2 * i) : body[at + i]!,
    );
    at += isWide ? 128 : 64;
  }
}

function readScan(
  body: Uint8Array,
  frame: Frame,
  tables: (Huffman | undefined)[],
  interval: number,
): Scan {
  const count = body[0] ?? 0;
  if (count < 1 || count > 4 || body.length < 4 + 2 * count) throw new StreamError("scan");
  const parts = Array.from({ length: count }, (_, i) => {
    const index = frame.parts.findIndex(({ id }) => id === body[1 + 2 * i]);
    if (index < 0) throw new StreamError("scan");
    const places = body[2 + 2 * i]!;
    return { index, dc: tables[(places >> 4) & 3], ac: tables[16 + (places & 3)] };
  });
  const start = body[1 + 2 * count]!;
  const point = body[3 + 2 * count]! & 15;
  return { parts, start, point, interval, bytes: body.subarray(0, 0), ends: [] };
}

/** @returns Where the marker after it is; at the end of the bytes there may be none. */
function takeEntropy(bytes: Uint8Array, start: number, scan: Scan): number {
  const out = new Uint8Array(bytes.length - start);
  let from = start;
  let to = 0;
  for (;;) {
    const found = bytes.indexOf(0xff, from);
    const stop = found < 0 ? bytes.length : found;
    out.set(bytes.subarray(from, stop), to);
    to += stop - from;
    const marker = found < 0 ? undefined : bytes[stop + 1];
    if (marker === 0) out[to++] = 0xff;
    else if (marker !== undefined && marker >= 0xd0 && marker <= 0xd7) scan.ends.push(to);
    else if (marker === 0xff) {
      from = stop + 1; // fill bytes
      continue;
    } else {
      scan.ends.push(to);
      scan.bytes = out.subarray(0, to);
      return stop;
    }
    from = stop + 2;
  }
}
