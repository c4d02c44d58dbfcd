/** Palette colour (PS3.3 C.7.6.3.1.5) and its segmented form (C.7.9.2). */
import type { DataSet } from "./dataset.ts";
import { descriptor, entriesOf } from "./lut.ts";
import { T } from "./tags.ts";

export interface Palette {
  first: number;
  /** 8 bits a colour, of the same length. */
  red: Uint8Array;
  green: Uint8Array;
  blue: Uint8Array;
}

/** Null where the object has none, or a damaged one. */
export function paletteOf(ds: DataSet): Palette | null {
  const parts = [0, 1, 2].map((part) => partOf(ds, part));
  const [red, green, blue] = parts;
  if (!red || !green || !blue) return null;
  return { first: red.first, red: red.entries, green: green.entries, blue: blue.entries };
}

function partOf(ds: DataSet, part: number): { first: number; entries: Uint8Array } | null {
  const tag = T.RedPaletteDescriptor + part;
  const raw = ds.raw(tag);
  if (!raw || raw.length < 6) return null;
  const { count, first, bits } = descriptor(raw, ds.elements.get(tag)?.vr === "SS");
  const data = ds.raw(T.RedPaletteData + part);
  const segments = ds.raw(T.SegmentedRedPaletteData + part);
  const wide = data?.length ? entriesOf(data, count) : segments ? expand(segments, count) : null;
  if (!wide) return null;
  // 8-bit colours in 16-bit entries stand in either half.
  const shift = bits > 8 && wide.some((each) => each > 255) ? 8 : 0;
  return { first, entries: Uint8Array.from(wide, (each) => Math.min(255, each >> shift)) };
}

function expand(data: Uint8Array, count: number): Uint16Array | null {
  const words = entriesOf(data, data.length >> 1);
  const out = new Uint16Array(count);
  return words && segment(words, 0, words.length, out, 0, 0) > 0 ? out : null;
}

/** Fills `out` from segments between two words; returns how far it is filled. */
function segment(
  words: Uint16Array,
  from: number,
  to: number,
  out: Uint16Array,
  start: number,
  depth: number,
): number {
  let at = from;
  let filled = start;
  while (at + 1 < to && filled < out.length) {
    const kind = words[at]!;
    const length = words[at + 1]!;
    at += 2;
    if (kind === 0) {
      for (let i = 0; i < length && filled < out.length && at < to; i++)
        out[filled++] = words[at++]!;
    } else if (kind === 1) {
      const before = filled ? out[filled - 1]! : 0;
      const target = words[at++] ?? before;
      for (let i = 1; i <= length && filled < out.length; i++) {
        out[filled++] = Math.round(before + ((target - before) * i) / length);
      }
    } else if (kind === 2 && depth === 0) {
      const place = (words[at]! | (words[at + 1]! << 16)) >> 1;
      at += 2;
      filled = repeat(words, place, length, out, filled);
    } else {
      return filled;
    }
  }
  return filled;
}

/** An indirect segment: so many segments from a place on, once more. */
function repeat(
  words: Uint16Array,
  place: number,
  segments: number,
  out: Uint16Array,
  start: number,
): number {
  let at = place;
  let filled = start;
  for (let i = 0; i < segments && at + 1 < words.length; i++) {
    const next = at + 2 + (words[at] === 0 ? words[at + 1]! : 1);
    filled = segment(words, at, next, out, filled, 1);
    at = next;
  }
  return filled;
}
