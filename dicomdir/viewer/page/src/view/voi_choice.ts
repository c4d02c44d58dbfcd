/** Which window a picture gets while nobody chose one: the object's first, else one of its values. */
import {
  type CoarsePicture,
  type GreyPicture,
  type Shown,
  type Source,
  storedValue,
} from "../data/source.ts";
import type { FrameInfo } from "../dicom/frame.ts";
import { rangeWindow, rescaled, spreadWindow } from "../dicom/voi.ts";
import type { Voi } from "../render/shades.ts";

const SAMPLED = 32_768;

/** Made of values once a source: a window that changes from slice to slice flickers. */
const spread = new WeakMap<Source | CoarsePicture, Voi>();
/** The same object for the same frame, so that tables are made once. */
const stated = new WeakMap<FrameInfo, Voi | null>();

/** Null: a colour picture is shown as it is. */
export function voiFor(source: Source, picture: Shown, chosen: Voi | null): Voi | null {
  if (chosen || picture.kind === "colour") return chosen;
  const own = statedVoi(picture.info);
  if (own) return own;
  // That of a coarse picture is its own: the source's is made of true values.
  const key = picture.kind === "coarse" ? picture : source;
  let made = spread.get(key);
  if (!made) {
    made = { kind: "window", window: madeWindow(picture) };
    spread.set(key, made);
  }
  return made;
}

function statedVoi(info: FrameInfo): Voi | null {
  let made = stated.get(info);
  if (made === undefined) {
    const [lut] = info.voiLuts;
    const [window] = info.windows;
    made = lut ? { kind: "lut", lut } : window ? { kind: "window", window } : null;
    stated.set(info, made);
  }
  return made;
}

/** The window that a VOI LUT comes nearest to: where dragging starts from. */
export function asWindow(voi: Voi | null, picture: Shown): Voi & { kind: "window" } {
  if (voi?.kind === "window") return voi;
  if (voi) {
    const { first, entries } = voi.lut;
    return { kind: "window", window: rangeWindow(first, first + entries.length - 1) };
  }
  if (picture.kind === "colour") return { kind: "window", window: rangeWindow(0, 255) };
  return { kind: "window", window: madeWindow(picture) };
}

function madeWindow(picture: GreyPicture | CoarsePicture) {
  const { info, cells } = picture;
  if (info.stored <= 8) {
    const top = 2 ** info.stored - 1;
    const [low, high] = info.isSigned ? [-(top + 1) / 2, (top - 1) / 2] : [0, top];
    const ends = [rescaled(info.rescale, low), rescaled(info.rescale, high)];
    return rangeWindow(Math.min(...ends), Math.max(...ends));
  }
  const step = Math.max(1, Math.floor(cells.length / SAMPLED));
  const [low, high] = info.padding ?? [1, 0];
  const values: number[] = [];
  for (let i = 0; i < cells.length; i += step) {
    const stored = storedValue(picture, i);
    if (stored < low || stored > high) values.push(rescaled(info.rescale, stored));
  }
  return spreadWindow(values);
}
