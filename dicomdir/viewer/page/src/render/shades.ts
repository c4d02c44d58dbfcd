/** The colour of every value that a cell can have: one table, made when the window changes. */
import type { FrameInfo } from "../dicom/frame.ts";
import { type Lut, lookUp } from "../dicom/lut.ts";
import type { Palette } from "../dicom/palette.ts";
import type { Tone } from "../dicom/presentation.ts";
import { type Rescale, rescaled, type Window, windowed } from "../dicom/voi.ts";

/** How the modality's values become shades. */
export type Voi = ({ kind: "window"; window: Window } | { kind: "lut"; lut: Lut }) & {
  /** What makes these values of stored ones, where a presentation state has its own. */
  rescale?: Rescale;
  /** Of a presentation state: what becomes of shades. */
  tone?: Tone;
};

export const BLACK = 0xff000000;

/** Whether the lowest value is white, before anybody inverts. */
export function isWhiteFirst(info: FrameInfo): boolean {
  return info.photometric === "MONOCHROME1";
}

/** A value's shade, 0 to 255, before inversion. */
export function shadeOf(voi: Voi, value: number): number {
  const lut = voi.tone?.lut;
  const part = partOf(voi, value);
  const shown = lut ? lut.entries[placeIn(lut.entries, part)]! / (2 ** lut.bits - 1) : part;
  return Math.max(0, Math.min(255, Math.floor(shown * 255 + 0.5)));
}

/** 0 to 1: what comes out of windows and tables of values. */
function partOf(voi: Voi, value: number): number {
  return voi.kind === "window"
    ? windowed(voi.window, value)
    : lookUp(voi.lut, value) / (2 ** voi.lut.bits - 1);
}

/** The first entry is black's, the last one white's (PS3.3 C.11.6); rounded down, as DCMTK does. */
function placeIn({ length }: ArrayLike<number>, part: number): number {
  return Math.max(0, Math.min(length - 1, Math.floor(part * (length - 1) + 1e-9)));
}

/** 0xAABBGGRR of a value. */
export function colourOf(voi: Voi, value: number, isInverse: boolean): number {
  const palette = voi.tone?.palette;
  if (!palette) return grey(shadeOf(voi, value), isInverse);
  return inPalette(palette, placeIn(palette.red, partOf(voi, value)), isInverse);
}

function inPalette({ red, green, blue }: Palette, place: number, isInverse: boolean): number {
  const at = Math.max(0, Math.min(red.length - 1, place));
  const colour = red[at]! | (green[at]! << 8) | (blue[at]! << 16);
  return (BLACK | (colour ^ (isInverse ? 0xffffff : 0))) >>> 0;
}

/** 0xAABBGGRR by cell, for frames of 8 and 16 bits. */
export function shadeTable(info: FrameInfo, voi: Voi, invert: boolean): Uint32Array {
  if (info.palette) return spreadOut(info, paletteShades(info, invert));
  const isInverse = isWhiteFirst(info) !== invert;
  const [low, high] = info.padding ?? [1, 0];
  const extra = info.supplement;
  const shades = new Uint32Array(2 ** Math.min(16, info.stored));
  const rescale = voi.rescale ?? info.rescale;
  const { slope, intercept, lut } = rescale;
  const first = info.isSigned ? -shades.length / 2 : 0;
  for (let i = 0; i < shades.length; i++) {
    const stored = first + i;
    if (extra && stored >= extra.first) {
      shades[i] = inPalette(extra, stored - extra.first, invert);
      continue;
    }
    const value = lut ? rescaled(rescale, stored) : stored * slope + intercept;
    const isImage = stored < low || stored > high;
    shades[i] = isImage ? colourOf(voi, value, isInverse) : BLACK;
  }
  return spreadOut(info, shades);
}

/** From shades by stored value, the lowest first, to shades by cell: a cell has more bits. */
function spreadOut(info: FrameInfo, shades: Uint32Array): Uint32Array {
  const table = new Uint32Array(2 ** Math.min(16, info.allocated));
  const mask = shades.length - 1;
  const first = info.isSigned ? shades.length / 2 : 0;
  for (let cell = 0; cell < table.length; cell++) {
    table[cell] = shades[((cell >>> info.shift) + first) & mask]!;
  }
  return table;
}

export function grey(shade: number, isInverse: boolean): number {
  return (BLACK | ((isInverse ? 255 - shade : shade) * 0x010101)) >>> 0;
}

function paletteShades(info: FrameInfo, invert: boolean): Uint32Array {
  const palette = info.palette!;
  const shades = new Uint32Array(2 ** Math.min(16, info.stored));
  const lowest = info.isSigned ? -shades.length / 2 : 0;
  for (let i = 0; i < shades.length; i++) {
    shades[i] = inPalette(palette, lowest + i - palette.first, invert);
  }
  return shades;
}

/** Of the three colours alike: 8 bits through a window on 0 to 255. */
export function colourTable(voi: Voi | null, invert: boolean): Uint8Array | null {
  if (!voi && !invert) return null;
  return Uint8Array.from({ length: 256 }, (_, value) => {
    const shade = voi ? shadeOf(voi, value) : value;
    return invert ? 255 - shade : shade;
  });
}
