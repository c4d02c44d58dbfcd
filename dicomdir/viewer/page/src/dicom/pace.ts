/** How fast a loop was recorded (PS3.3 C.7.6.5), in milliseconds a frame; null: nothing says so. */
import type { FrameAttributes } from "./functional.ts";
import { T } from "./tags.ts";

export function paceOf({ root }: FrameAttributes, frames: number): number | null {
  const recommended = root.number(T.RecommendedDisplayFrameRate) ?? 0;
  const cine = root.number(T.CineRate) ?? 0;
  const time = root.number(T.FrameTime) ?? 0;
  const vector = root.numbers(T.FrameTimeVector).filter((each) => each > 0);
  const mean = vector.length ? vector.reduce((a, b) => a + b, 0) / vector.length : 0;
  for (const ms of [time, mean, recommended && 1000 / recommended, cine && 1000 / cine]) {
    if (frames > 1 && ms >= 4 && ms <= 10_000) return ms;
  }
  return null;
}
