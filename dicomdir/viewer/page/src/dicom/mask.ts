/** What is to be subtracted from the frames of an object (PS3.3 C.7.6.10, Mask module). */
import type { DataSet } from "./dataset.ts";
import type { FrameInfo } from "./frame.ts";
import { T } from "./tags.ts";

export interface Mask {
  /** Frame numbers whose mean is subtracted. */
  frames: readonly number[];
  /** Frame numbers whose mean it is subtracted from, the frame itself first. */
  contrast: readonly number[];
  /** By how many pixels the mask is moved: down, and to the left (C.7.6.10.1.2). */
  shift: readonly [number, number];
}

const STILL = [0, 0] as const;
const MOST_AVERAGED = 64;
const MOST_FRAMES = 10_000;

/** The mask that the object names for this frame, of the first item that does and can be done. */
export function masksOf(info: FrameInfo): Mask | null {
  for (const item of info.attributes.root.items(T.MaskSubtractionSequence)) {
    const mask = maskOf(item, info);
    if (mask && typeof mask === "object") return mask;
  }
  return null;
}

/** By object: each frame of a long film would be asked for anew with every picture. */
const known = new WeakMap<DataSet, string[]>();

/** Items of the object that contradict themselves or are not understood, in the standard's words. */
export function contradictionsOf(info: FrameInfo): string[] {
  const { root } = info.attributes;
  const count = Math.min(root.number(T.NumberOfFrames) ?? 1, MOST_FRAMES);
  let made = known.get(root);
  if (!made) {
    made = findIn(info, count);
    known.set(root, made);
  }
  return made;
}

function findIn(info: FrameInfo, count: number): string[] {
  const found = info.attributes.root
    .items(T.MaskSubtractionSequence)
    .flatMap((item) =>
      Array.from({ length: count }, (_, i) => maskOf(item, { ...info, number: i + 1 })).flatMap(
        (each) => (typeof each === "string" ? each : []),
      ),
    );
  return [...new Set(found)];
}

/** Null: the item does not speak of the frame. A text: what of it cannot be. */
function maskOf(
  item: DataSet,
  {
    attributes: { root },
    number,
    rows,
    columns,
  }: Pick<FrameInfo, "attributes" | "number" | "rows" | "columns">,
): Mask | string | null {
  const operation = item.string(T.MaskOperation);
  if (operation === "NONE") return null;
  const count = root.number(T.NumberOfFrames) ?? 1;
  const ranges = item.numbers(T.ApplicableFrameRange);
  if (!applies(ranges, number)) return null;
  const isThere = (each: number) => each >= 1 && each <= count;
  const averaged = item.number(T.ContrastFrameAveraging) ?? 1;
  const contrast = Array.from({ length: Math.min(averaged, MOST_AVERAGED) }, (_, i) => number + i);
  const isTid = operation === "TID";
  const offset = item.number(T.TIDOffset) ?? 1;
  const frames = isTid ? [number - offset] : item.numbers(T.MaskFrameNumbers);
  const shift = shiftOf(item, root, number);
  if (!isTid && operation !== "AVG_SUB") return operation || "Mask Operation";
  if (isTid && offset === 0) return "TID Offset 0";
  if (!isTid && !(frames.length && frames.every(isThere))) {
    return `Mask Frame Numbers ${frames.join(", ")}`.trim();
  }
  // Whether masks of a time difference are averaged as well, the standard does not say.
  if (averaged < 1 || averaged > MOST_AVERAGED || (isTid && averaged > 1)) {
    return `Contrast Frame Averaging ${averaged}`;
  }
  if (![...frames, ...contrast].every(isThere)) {
    // Without a range the item speaks of those frames alone of which this can be done.
    const which = isTid ? `TID Offset ${offset}` : `Contrast Frame Averaging ${averaged}`;
    return ranges.length ? which : null;
  }
  const [down = Number.NaN, left = Number.NaN, more] = shift;
  if (more !== undefined || !(Math.abs(down) < rows && Math.abs(left) < columns)) {
    return `Mask Sub-pixel Shift ${shift.join(", ")}`;
  }
  return { frames, contrast, shift: [down, left] };
}

/** Of the frame, where its functional groups have one for the item: it prevails (C.7.6.16.2.14). */
function shiftOf(item: DataSet, root: DataSet, number: number): readonly number[] {
  const id = item.number(T.SubtractionItemID);
  const own = [
    root.items(T.PerFrameFunctionalGroupsSequence)[number - 1],
    root.item(T.SharedFunctionalGroupsSequence),
  ]
    .flatMap((group) => group?.items(T.FramePixelShiftSequence) ?? [])
    .find((each) => id !== null && each.number(T.SubtractionItemID) === id);
  const shift = (own ?? item).numbers(T.MaskSubPixelShift);
  return shift.length ? shift : STILL;
}

/** Pairs of first and last frame; none: all of the object. */
function applies(ranges: readonly number[], number: number): boolean {
  return (
    ranges.length === 0 ||
    ranges.some((first, i) => i % 2 === 0 && number >= first && number <= (ranges[i + 1] ?? first))
  );
}

/** The object's first frame: what a person may choose where the object says nothing. */
export function firstFrame({ attributes: { root }, number }: FrameInfo): Mask | null {
  if (number === 1 || (root.number(T.NumberOfFrames) ?? 1) < 2) return null;
  return { frames: [1], contrast: [number], shift: STILL };
}
