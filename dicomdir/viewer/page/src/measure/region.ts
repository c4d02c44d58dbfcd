/** What is in a region: pixels whose middle lies inside, in the modality's values. */
import { type Picture, storedValue } from "../data/source.ts";
import { between, scalesOf } from "../dicom/scales.ts";
import { rescaled } from "../dicom/voi.ts";
import type { Point } from "../view/matrix.ts";

export interface RegionValues {
  count: number;
  mean: number;
  /** Of all pixels of the region (divided by their number). */
  deviation: number;
  least: number;
  most: number;
  unit: string;
  /** Smallest step between two values; 1 of whole numbers. */
  step: number;
  /** The mean in the object's own unit, where another is shown. */
  recorded: { mean: number; unit: string } | null;
}

/** Null of a colour or palette picture, and where no pixel lies inside. */
export function valuesIn(
  picture: Picture,
  a: Point,
  b: Point,
  shape: "ellipse" | "rectangle",
): RegionValues | null {
  if (picture.kind !== "grey" || picture.info.palette) return null;
  const [x0, x1] = [Math.min(a.x, b.x), Math.max(a.x, b.x)];
  const [y0, y1] = [Math.min(a.y, b.y), Math.max(a.y, b.y)];
  const middle = { x: (x0 + x1) / 2, y: (y0 + y1) / 2 };
  const [rx, ry] = [(x1 - x0) / 2, (y1 - y0) / 2];
  const { rescale, padding } = picture.info;
  const [low, high] = padding ?? [1, 0];
  let [count, sum, least, most] = [0, 0, Infinity, -Infinity];
  // About the first value, so that squares of large numbers do not swallow their difference.
  let [first, squares] = [0, 0];
  let [lowest, highest] = [Infinity, -Infinity];
  const top = Math.max(0, Math.ceil(y0 - 0.5));
  const bottom = Math.min(picture.rows - 1, Math.floor(y1 - 0.5));
  const left = Math.max(0, Math.ceil(x0 - 0.5));
  const right = Math.min(picture.columns - 1, Math.floor(x1 - 0.5));
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      if (shape === "ellipse") {
        const [u, v] = [(x + 0.5 - middle.x) / rx, (y + 0.5 - middle.y) / ry];
        if (u * u + v * v > 1) continue;
      }
      const stored = storedValue(picture, y * picture.columns + x);
      if (stored >= low && stored <= high) continue;
      const value = rescaled(rescale, stored);
      if (count === 0) first = value;
      const off = value - first;
      count++;
      sum += off;
      squares += off * off;
      lowest = Math.min(lowest, stored);
      highest = Math.max(highest, stored);
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
  }
  if (count === 0) return null;
  const part = sum / count;
  const deviation = Math.sqrt(Math.max(0, squares / count - part * part));
  const mean = first + part;
  const { shown, recorded } = scalesOf(picture.info, lowest, highest);
  const { by, plus } = shown === rescale ? { by: 1, plus: 0 } : between(rescale, shown);
  const ends = [least * by + plus, most * by + plus];
  const own = recorded && between(rescale, recorded);
  return {
    count,
    mean: mean * by + plus,
    deviation: deviation * Math.abs(by),
    least: Math.min(...ends),
    most: Math.max(...ends),
    unit: shown.unit,
    step: shown.lut ? 1 : Math.abs(shown.slope),
    recorded: own && { mean: mean * own.by + own.plus, unit: recorded.unit },
  };
}
