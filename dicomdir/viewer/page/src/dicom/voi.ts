/** From stored values to the modality's values, and windows on them (PS3.3 C.11.1, C.11.2). */
import type { DataSet } from "./dataset.ts";
import type { FrameAttributes } from "./functional.ts";
import { type Lut, lookUp, lutsOf } from "./lut.ts";
import { T } from "./tags.ts";
import { unitText } from "./units.ts";

export type VoiFunction = "LINEAR" | "LINEAR_EXACT" | "SIGMOID";

export interface Window {
  center: number;
  width: number;
  fn: VoiFunction;
  /** The device's name of it, or "". */
  name: string;
}

export interface Rescale {
  slope: number;
  intercept: number;
  lut: Lut | null;
  /** "HU", "SUV" …, or "" where the values have no unit. */
  unit: string;
  /** The object's Rescale Slope is 0, which would make all values one: these are the stored ones. */
  isFlat?: boolean;
}

export function rescaleOf(frame: FrameAttributes, modality: string, isSigned: boolean): Rescale {
  const group = frame.group(T.PixelValueTransformationSequence);
  if (modality === "RTDOSE") return doseOf(frame.root);
  const slope = group.number(T.RescaleSlope);
  const hasRescale = slope !== null && slope !== 0;
  const isFlat = slope === 0 && !frame.root.has(T.ModalityLUTSequence);
  if (isFlat) return { slope: 1, intercept: 0, lut: null, unit: "", isFlat };
  const lut = hasRescale ? null : (lutsOf(frame.root, T.ModalityLUTSequence, isSigned)[0] ?? null);
  // Units of PET is required; its Rescale Type is not what it says.
  const known = modality ? unitOfSeries(frame.root) : "";
  let unit = lut?.type || group.string(T.RescaleType).toUpperCase();
  unit = (modality === "PT" && known) || unitText(unit) || known;
  if (!unit && modality === "CT" && hasRescale) unit = "HU";
  return {
    slope: hasRescale ? slope : 1,
    intercept: group.number(T.RescaleIntercept) ?? 0,
    lut,
    unit,
  };
}

/** Of the PET Series module; values in g/mL are SUVs, by body weight unless it says otherwise. */
function unitOfSeries(root: DataSet): string {
  const units = root.string(T.Units);
  const type = root.string(T.SUVType).toLowerCase();
  return units === "GML" || (units === "CM2ML" && type) ? `SUV${type || "bw"}` : unitText(units);
}

function doseOf(root: DataSet): Rescale {
  const slope = root.number(T.DoseGridScaling) || 0;
  const unit = slope ? unitText(root.string(T.DoseUnits)) : "";
  return { slope: slope || 1, intercept: 0, lut: null, unit };
}

/** The same window on values that are `factor` times as large. */
export function scaledWindow({ center, width, fn, name }: Window, factor: number): Window {
  if (fn !== "LINEAR") return { center: center * factor, width: width * factor, fn, name };
  // LINEAR counts in whole values (PS3.3 C.11.2.1.2), which these are no longer.
  return {
    center: (center - 0.5) * factor,
    width: (width - 1) * factor,
    fn: "LINEAR_EXACT",
    name,
  };
}

export function rescaled(rescale: Rescale, stored: number): number {
  return rescale.lut ? lookUp(rescale.lut, stored) : stored * rescale.slope + rescale.intercept;
}

/** All windows of a frame that are windows. */
export function windowsOf(frame: FrameAttributes): Window[] {
  return windowsIn(frame.group(T.FrameVOILUTSequence));
}

export function windowsIn(group: DataSet): Window[] {
  const named = group.string(T.VOILUTFunction).toUpperCase();
  const fn: VoiFunction = named === "SIGMOID" || named === "LINEAR_EXACT" ? named : "LINEAR";
  const centers = group.numbers(T.WindowCenter);
  const widths = group.numbers(T.WindowWidth);
  const names = group.strings(T.WindowCenterWidthExplanation);
  const least = fn === "LINEAR" ? 1 : 1e-9;
  return centers.flatMap((center, i) => {
    const width = widths[i] ?? 0;
    return width >= least ? [{ center, width, fn, name: names[i] ?? "" }] : [];
  });
}

export function voiLutsOf(frame: FrameAttributes, isSigned: boolean): Lut[] {
  return lutsOf(frame.root, T.VOILUTSequence, isSigned);
}

/** A value's shade, 0 to 1 (PS3.3 C.11.2.1.2, C.11.2.1.3). */
export function windowed(window: Window, value: number): number {
  const { center, width, fn } = window;
  if (fn === "SIGMOID") return 1 / (1 + Math.exp((-4 * (value - center)) / width));
  const [middle, wide] = fn === "LINEAR" ? [center - 0.5, width - 1] : [center, width];
  if (wide <= 0) return value > middle ? 1 : 0;
  return Math.max(0, Math.min(1, (value - middle) / wide + 0.5));
}

/** A window over nearly all of some values, for objects that name none. */
export function spreadWindow(values: number[]): Window {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const at = (part: number) => {
    const place = part * (sorted.length - 1);
    const low = sorted[Math.floor(place)] ?? 0;
    const high = sorted[Math.ceil(place)] ?? low;
    return low + (high - low) * (place - Math.floor(place));
  };
  const ends = [at(0.005), at(0.995)] as const;
  // A spot in the dark: what is left out is all there is to see.
  return ends[0] < ends[1] ? rangeWindow(...ends) : rangeWindow(at(0), at(1));
}

export function rangeWindow(low: number, high: number): Window {
  const width = high > low ? high - low : 1;
  return { center: (low + high) / 2, width, fn: "LINEAR_EXACT", name: "" };
}
