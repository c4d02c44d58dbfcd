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

interface Made {
  /** Made of values once a source: a window that changes from slice to slice flickers. */
  spread: WeakMap<Source | Shown, Voi>;
  /** Sources whose middle was looked at, or is being. */
  settled: WeakMap<Source, Promise<void>>;
}

/** Of frames as they are, and of differences: a source may have both, and their values are apart. */
const OWN: Made = { spread: new WeakMap(), settled: new WeakMap() };
const DIFFERENCES: Made = { spread: new WeakMap(), settled: new WeakMap() };

const madeFor = ({ mask }: FrameInfo): Made => (mask ? DIFFERENCES : OWN);

/** Where to look for values: the ends of a series are often empty. */
const PARTS = [1 / 2, 1 / 4, 3 / 4];
/** The same object for the same frame, so that tables are made once. */
const stated = new WeakMap<FrameInfo, Voi | null>();

/** Null: a colour picture is shown as it is. */
export function voiFor(source: Source, picture: Shown, chosen: Voi | null): Voi | null {
  if (chosen || picture.kind === "colour") return chosen;
  const own = statedVoi(picture.info);
  if (own) return own;
  // That of a coarse picture is its own: the source's is made of true values.
  const key = picture.kind === "coarse" ? picture : source;
  const { spread } = madeFor(picture.info);
  let made = spread.get(key) ?? spread.get(picture);
  if (!made) {
    made = { kind: "window", window: madeWindow(picture) };
    spread.set(isFlat(picture) ? picture : key, made);
  }
  return made;
}

/** Have a source shown through a window of its middle, not of the slice that came first. */
export function settleVoi(source: Source, picture: Shown): Promise<void> | undefined {
  if (source.count < 2 || !isSpread(picture) || statedVoi(picture.info)) return;
  const { settled } = madeFor(picture.info);
  let made = settled.get(source);
  if (!made) {
    made = settle(source, madeFor(picture.info));
    settled.set(source, made);
  }
  return made;
}

async function settle(source: Source, own: Made): Promise<void> {
  for (const part of PARTS) {
    // What cannot be shown says so where it is looked at.
    const other = await source.picture(Math.floor(source.count * part)).catch(() => null);
    if (!other || !isSpread(other) || isFlat(other) || madeFor(other.info) !== own) continue;
    own.spread.set(source, { kind: "window", window: madeWindow(other) });
    return;
  }
}

/** Whether its window is made of its values; that of 8 bits is their range. */
function isSpread(picture: Shown): picture is GreyPicture {
  return picture.kind === "grey" && picture.info.stored > 8;
}

/** A single value says nothing of any other slice. */
function isFlat(picture: Shown): boolean {
  if (!isSpread(picture)) return false;
  const [first, ...others] = valuesOf(picture);
  return others.every((each) => each === first);
}

function statedVoi(info: FrameInfo): Voi | null {
  let made = stated.get(info);
  if (made === undefined) {
    const [lut] = info.voiLuts;
    const [window] = info.windows;
    const { recorded } = info; // a table is of the object's own values
    made = lut
      ? { kind: "lut", lut, ...(recorded && { rescale: recorded }) }
      : window
        ? { kind: "window", window }
        : null;
    stated.set(info, made);
  }
  return made;
}

/** The window that a VOI LUT comes nearest to: where dragging starts from. */
export function asWindow(voi: Voi | null, picture: Shown): Voi & { kind: "window" } {
  if (voi?.kind === "window") return voi;
  if (voi) {
    const { first, entries } = voi.lut;
    const { rescale, tone } = voi;
    const window = rangeWindow(first, first + entries.length - 1);
    return { kind: "window", window, ...(rescale && { rescale }), ...(tone && { tone }) };
  }
  if (picture.kind === "colour") return { kind: "window", window: rangeWindow(0, 255) };
  return { kind: "window", window: madeWindow(picture) };
}

function madeWindow(picture: GreyPicture | CoarsePicture) {
  const { info } = picture;
  if (info.stored <= 8) {
    const top = 2 ** info.stored - 1;
    const [low, high] = info.isSigned ? [-(top + 1) / 2, (top - 1) / 2] : [0, top];
    const ends = [rescaled(info.rescale, low), rescaled(info.rescale, high)];
    return rangeWindow(Math.min(...ends), Math.max(...ends));
  }
  return spreadWindow(valuesOf(picture));
}

function valuesOf(picture: GreyPicture | CoarsePicture): number[] {
  const { info, cells } = picture;
  const step = Math.max(1, Math.floor(cells.length / SAMPLED));
  const [low, high] = info.padding ?? [1, 0];
  const values: number[] = [];
  for (let i = 0; i < cells.length; i += step) {
    const stored = storedValue(picture, i);
    if (stored < low || stored > high) values.push(rescaled(info.rescale, stored));
  }
  return values;
}
