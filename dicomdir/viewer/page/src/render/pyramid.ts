/**
 * A picture at half, a quarter … of its size, made of means of stored values when first wanted: a
 * mammogram of 50 million pixels fitted to a screen costs what the screen costs.
 */
import type { Cells } from "../data/codec.ts";
import { halved } from "../data/halve.ts";
import type { CoarsePicture, ColourPicture, GreyPicture, Shown } from "../data/source.ts";

export interface Level {
  rows: number;
  columns: number;
  /** Pixels of the picture to one of this level, along each side. */
  step: number;
  cells: Cells | null;
  rgba: Uint8ClampedArray<ArrayBuffer> | null;
}

const made = new WeakMap<Shown, Level[]>();

/** The smallest level that has at least `scale` pixels to one of the picture. */
export function levelFor(picture: Shown, scale: number): Level {
  const levels = made.get(picture) ?? [base(picture)];
  made.set(picture, levels);
  // Means of indices or of 32 bits make no sense or cost too much.
  const canHalve =
    picture.kind === "colour" || (!picture.info.palette && picture.info.allocated <= 16);
  let at = 0;
  while (canHalve && scale * levels[at]!.step * 2 <= 1) {
    const from = levels[at]!;
    if (Math.min(from.rows, from.columns) < 64) break;
    at++;
    levels[at] ??= picture.kind === "colour" ? halfColour(picture, from) : halfGrey(picture, from);
  }
  return levels[at]!;
}

function base(picture: Shown): Level {
  const { rows, columns } = picture;
  if (picture.kind === "coarse") {
    const { step, cells } = picture;
    const down = Math.floor(rows / step);
    return { rows: down, columns: Math.floor(columns / step), step, cells, rgba: null };
  }
  const cells = picture.kind === "grey" ? picture.cells : null;
  return { rows, columns, step: 1, cells, rgba: picture.kind === "colour" ? picture.rgba : null };
}

function halfGrey(picture: GreyPicture | CoarsePicture, from: Level): Level {
  const { rows, columns } = from;
  const ready = picture.kind === "grey" && from.step === 1 ? picture.half : undefined;
  const cells = ready ?? halved(from.cells!, { ...picture.info, rows, columns });
  return { rows: rows >> 1, columns: columns >> 1, step: from.step * 2, cells, rgba: null };
}

function halfColour(_: ColourPicture, from: Level): Level {
  const rows = from.rows >> 1;
  const columns = from.columns >> 1;
  const rgba = from.rgba!;
  const out = new Uint8ClampedArray(rows * columns * 4);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const at = 4 * (2 * y * from.columns + 2 * x);
      const below = at + 4 * from.columns;
      const to = 4 * (y * columns + x);
      for (let k = 0; k < 4; k++) {
        const sum = rgba[at + k]! + rgba[at + 4 + k]! + rgba[below + k]! + rgba[below + 4 + k]!;
        out[to + k] = sum >> 2;
      }
    }
  }
  return { rows, columns, step: from.step * 2, cells: null, rgba: out };
}
