/** Which of a frame's units a value is said in, and which is said beside it. */
import type { FrameInfo } from "./frame.ts";
import type { Rescale } from "./voi.ts";

export interface Scales {
  shown: Rescale;
  /** The object's own, where another is shown. */
  recorded: Rescale | null;
}

/** Of the stored values from `least` to `most`: a mapping onto the real world may have fewer. */
export function scalesOf(
  { rescale, recorded, real }: FrameInfo,
  least: number,
  most = least,
): Scales {
  if (real && !rescale.lut && least >= real.first && most <= real.last) {
    return { shown: real, recorded: rescale };
  }
  return { shown: rescale, recorded: recorded ?? null };
}

/** What is a value of one scale in the other: `value * by + plus`. */
export function between(from: Rescale, to: Rescale): { by: number; plus: number } {
  const by = to.slope / from.slope;
  return { by, plus: to.intercept - from.intercept * by };
}
