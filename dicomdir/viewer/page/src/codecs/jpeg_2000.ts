/** The main header of a JPEG 2000 codestream (ITU-T T.800 Annex A): what has to be known before. */
import { type Declared, StreamError } from "./frame.ts";

export interface Codestream extends Declared {
  /** Red, green and blue were made one of luminance and differences, and will be made three again. */
  isTransformed: boolean;
}

const MOST_TILES = 4096;

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
  for (let i = 0; i < components; i++) {
    const place = start + 42 + 3 * i;
    if (place + 3 > bytes.length) throw new StreamError("cut off");
    precision = Math.max(precision, (bytes[place]! & 0x7f) + 1);
    const isFull = bytes[place + 1] === 1 && bytes[place + 2] === 1;
    if (!isFull && components > 1) throw new StreamError("sampling", true);
  }
  const isTransformed = isMultiple(bytes, view, start + 4 + view.getUint16(start + 4));
  if (precision > 16) throw new StreamError("precision", true);
  return { rows: bottom - top, columns: right - left, components, precision, isTransformed };
}

/** Behind the boxes of a file that some put into their objects (JP2, T.800 Annex I). */
function startOf(bytes: Uint8Array): number {
  const most = Math.min(bytes.length - 4, 1 << 16);
  for (let at = bytes.indexOf(0xff); at >= 0 && at <= most; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === 0x4f && bytes[at + 2] === 0xff && bytes[at + 3] === 0x51) return at;
  }
  throw new StreamError("no codestream");
}

/** Looked up in COD, before the first tile. */
function isMultiple(bytes: Uint8Array, view: DataView, from: number): boolean {
  for (let at = from; at + 9 <= bytes.length; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at);
    if (marker === 0xff52) return bytes[at + 8] === 1;
    if (marker === 0xff90 || marker < 0xff00) break;
  }
  throw new StreamError("no coding style");
}
