/** What is to be subtracted from the frames of an object (PS3.3 C.7.6.10, Mask module). */
import type { FrameInfo } from "./frame.ts";
import { T } from "./tags.ts";

/**
 * Frame numbers of the mask that the object names for this frame; empty: it names none.
 *
 * Averaged masks alone (AVG_SUB). An item that shifts its mask or averages frames of contrast says
 * more than is done here, and is passed over: without that its picture would be another one.
 */
export function masksOf({ attributes: { root }, number }: FrameInfo): readonly number[] {
  const count = root.number(T.NumberOfFrames) ?? 1;
  for (const item of root.items(T.MaskSubtractionSequence)) {
    const frames = item.numbers(T.MaskFrameNumbers);
    const isSimple =
      item.string(T.MaskOperation) === "AVG_SUB" &&
      (item.number(T.ContrastFrameAveraging) ?? 1) <= 1 &&
      item.numbers(T.MaskSubPixelShift).every((each) => each === 0);
    const isThere = frames.length > 0 && frames.every((each) => each >= 1 && each <= count);
    if (isSimple && isThere && applies(item.numbers(T.ApplicableFrameRange), number)) return frames;
  }
  return [];
}

/** Pairs of first and last frame; none: all of the object. */
function applies(ranges: readonly number[], number: number): boolean {
  return (
    ranges.length === 0 ||
    ranges.some((first, i) => i % 2 === 0 && number >= first && number <= (ranges[i + 1] ?? first))
  );
}

/** The object's first frame: what a person may choose where the object says nothing. */
export function firstFrame({ attributes: { root }, number }: FrameInfo): readonly number[] {
  return number > 1 && (root.number(T.NumberOfFrames) ?? 1) > 1 ? [1] : [];
}
