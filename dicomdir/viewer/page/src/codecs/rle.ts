/** RLE Lossless (PS3.5 Annex G): a segment for each byte of each sample, the highest byte first. */
import { asCells, type Cells } from "../data/codec.ts";
import { StreamError, type Wanted } from "./frame.ts";

const HEADER = 64;
/** Two bytes make 128 at most. */
const MOST_GAIN = 64;

/** @throws StreamError */
export function decodeRle(bytes: Uint8Array, wanted: Wanted): Cells {
  const { rows, columns, samples, allocated } = wanted;
  const width = allocated / 8;
  const count = rows * columns;
  if (bytes.length < HEADER) throw new StreamError("cut off");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const segments = view.getUint32(0, true);
  if (segments !== samples * width) throw new StreamError("segments");
  if (count * segments > bytes.length * MOST_GAIN) throw new StreamError("too few bytes");
  const out = new Uint8Array(count * segments);
  for (let segment = 0; segment < segments; segment++) {
    const from = view.getUint32(4 + 4 * segment, true);
    const to = segment + 1 < segments ? view.getUint32(8 + 4 * segment, true) : bytes.length;
    if (from < HEADER || to > bytes.length || from >= to) throw new StreamError("segment");
    const sample = Math.floor(segment / width);
    const first = sample * width + (width - 1 - (segment % width));
    unpack(bytes.subarray(from, to), out, first, samples * width);
  }
  return asCells(out, allocated);
}

/** PackBits into every `step`th byte; what is more than that is padding. */
function unpack(bytes: Uint8Array, out: Uint8Array, first: number, step: number): void {
  let from = 0;
  let to = first;
  while (to < out.length) {
    if (from >= bytes.length) throw new StreamError("cut off");
    const code = bytes[from++]!;
    if (code === 128) continue;
    if (code < 128) {
      if (from + code >= bytes.length) throw new StreamError("cut off");
      for (let i = 0; i <= code && to < out.length; i++, to += step) out[to] = bytes[from + i]!;
      from += code + 1;
    } else {
      if (from >= bytes.length) throw new StreamError("cut off");
      const value = bytes[from++]!;
      for (let i = code; i <= 256 && to < out.length; i++, to += step) out[to] = value;
    }
  }
}
