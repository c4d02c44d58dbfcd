/** The colour of every value that a cell can have: one table, made when the window changes. */
import { cellValue } from "../data/source.ts";
import type { FrameInfo } from "../dicom/frame.ts";
import { type Lut, lookUp } from "../dicom/lut.ts";
import { rescaled, type Window, windowed } from "../dicom/voi.ts";

/** How the modality's values become shades. */
export type Voi = { kind: "window"; window: Window } | { kind: "lut"; lut: Lut };

const BLACK = 0xff000000;

/** Whether the lowest value is white, before anybody inverts. */
export function isWhiteFirst(info: FrameInfo): boolean {
  return info.photometric === "MONOCHROME1";
}

/** A value's shade, 0 to 255, before inversion. */
export function shadeOf(voi: Voi, value: number): number {
  const part =
    voi.kind === "window"
      ? windowed(voi.window, value)
      : lookUp(voi.lut, value) / (2 ** voi.lut.bits - 1);
  return Math.max(0, Math.min(255, Math.floor(part * 255 + 0.5)));
}

/** 0xAABBGGRR by cell, for frames of 8 and 16 bits. */
export function shadeTable(info: FrameInfo, voi: Voi, invert: boolean): Uint32Array {
  const table = new Uint32Array(2 ** Math.min(16, info.allocated));
  if (info.palette) return paletteTable(info, table, invert);
  const isInverse = isWhiteFirst(info) !== invert;
  const [low, high] = info.padding ?? [1, 0];
  for (let cell = 0; cell < table.length; cell++) {
    const stored = cellValue(cell, info.stored, info.shift, info.isSigned);
    table[cell] =
      stored >= low && stored <= high
        ? BLACK
        : grey(shadeOf(voi, rescaled(info.rescale, stored)), isInverse);
  }
  return table;
}

export function grey(shade: number, isInverse: boolean): number {
  return (BLACK | ((isInverse ? 255 - shade : shade) * 0x010101)) >>> 0;
}

function paletteTable(info: FrameInfo, table: Uint32Array, invert: boolean): Uint32Array {
  const { first, red, green, blue } = info.palette!;
  const turn = invert ? 0xffffff : 0;
  for (let cell = 0; cell < table.length; cell++) {
    const stored = cellValue(cell, info.stored, info.shift, info.isSigned);
    const at = Math.max(0, Math.min(red.length - 1, stored - first));
    const colour = red[at]! | (green[at]! << 8) | (blue[at]! << 16);
    table[cell] = (BLACK | (colour ^ turn)) >>> 0;
  }
  return table;
}

/** Of the three colours alike: 8 bits through a window on 0 to 255. */
export function colourTable(voi: Voi | null, invert: boolean): Uint8Array | null {
  if (!voi && !invert) return null;
  return Uint8Array.from({ length: 256 }, (_, value) => {
    const shade = voi ? shadeOf(voi, value) : value;
    return invert ? 255 - shade : shade;
  });
}
