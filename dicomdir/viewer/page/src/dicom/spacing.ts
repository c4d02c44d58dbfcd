/** What a pixel measures, and where that is known from: a length is worth as much as its source. */
import type { FrameAttributes } from "./functional.ts";
import { planeOf } from "./geometry.ts";
import { T } from "./tags.ts";

export type SpacingSource =
  | "pixel" // Pixel Spacing of a slice: or of a reconstructed one: true in the plane
  | "calibrated" // Pixel Spacing of a projection that somebody calibrated
  | "magnified" // at the detector, divided by the magnification that the device stated
  | "detector" // at the detector: the patient's structures are smaller than measured
  | "region" // ultrasound: each region has its own
  | "nominal" // of a scanned film or a capture: about right
  | "none"; // pixels only

export interface UltrasoundRegion {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
  /** Millimetres a pixel, or null where the axis is no length (time, velocity). */
  x: number | null;
  y: number | null;
}

export interface Spacing {
  source: SpacingSource;
  /** Millimetres between columns and between rows; with "none" a ratio only. */
  x: number;
  y: number;
  regions: UltrasoundRegion[];
}

const PROJECTIONS = new Set(["CR", "DX", "MG", "IO", "PX", "RF", "XA", "RG", "DF", "XC"]);
const UNITS_CM = 3;

export function spacingOf(frame: FrameAttributes, modality: string): Spacing {
  const regions = regionsOf(frame);
  const made = (source: SpacingSource, pair: [number, number]): Spacing => ({
    source,
    x: pair[1],
    y: pair[0],
    regions,
  });
  if (regions.some((each) => each.x !== null && each.y !== null)) {
    const first = regions.find((each) => each.x !== null && each.y !== null)!;
    return made("region", [first.y!, first.x!]);
  }
  const measures = frame.group(T.PixelMeasuresSequence);
  const pixel = pair(measures.numbers(T.PixelSpacing));
  const imager = pair(frame.root.numbers(T.ImagerPixelSpacing));
  const isProjection = PROJECTIONS.has(modality);
  // Of a volume that was reconstructed of projections: tomosynthesis, rotational angiography.
  if (pixel && measures !== frame.root && planeOf(frame)) return made("pixel", pixel);
  if (pixel && !isProjection && !imager) return made("pixel", pixel);
  if (pixel && imager && !isSame(pixel, imager)) return made("calibrated", pixel);
  if (pixel && frame.root.string(T.PixelSpacingCalibrationType)) return made("calibrated", pixel);
  const detector = imager ?? pixel;
  if (detector) {
    const by = magnification(frame);
    return by
      ? made("magnified", [detector[0] / by, detector[1] / by])
      : made("detector", detector);
  }
  const nominal = pair(frame.root.numbers(T.NominalScannedPixelSpacing));
  if (nominal) return made("nominal", nominal);
  return made("none", pair(frame.root.numbers(T.PixelAspectRatio)) ?? [1, 1]);
}

/** Spacing at a point of the image: the region it lies in, or null where nothing is known. */
export function spacingAt(spacing: Spacing, x: number, y: number): { x: number; y: number } | null {
  if (spacing.source === "none") return null;
  if (spacing.source !== "region") return spacing;
  const inside = spacing.regions.filter(
    (each) => x >= each.x0 && x <= each.x1 + 1 && y >= each.y0 && y <= each.y1 + 1,
  );
  // Where regions overlap, the smallest is the inset.
  inside.sort((a, b) => (a.x1 - a.x0) * (a.y1 - a.y0) - (b.x1 - b.x0) * (b.y1 - b.y0));
  const found = inside[0];
  return found && found.x !== null && found.y !== null ? { x: found.x, y: found.y } : null;
}

function magnification(frame: FrameAttributes): number | null {
  const stated = frame.root.number(T.EstimatedRadiographicMagnificationFactor);
  if (stated !== null && stated >= 1 && stated < 20) return stated;
  const detector = frame.root.number(T.DistanceSourceToDetector);
  const patient = frame.root.number(T.DistanceSourceToPatient);
  if (!detector || !patient || !(detector > patient && patient > 0)) return null;
  return detector / patient;
}

function regionsOf(frame: FrameAttributes): UltrasoundRegion[] {
  return frame.root.items(T.SequenceOfUltrasoundRegions).map((item) => {
    const length = (units: number, delta: number): number | null => {
      const size = Math.abs(item.number(delta) ?? 0) * 10; // centimetres
      return item.number(units) === UNITS_CM && size > 0 ? size : null;
    };
    return {
      x0: item.number(T.RegionLocationMinX0) ?? 0,
      y0: item.number(T.RegionLocationMinY0) ?? 0,
      x1: item.number(T.RegionLocationMaxX1) ?? 0,
      y1: item.number(T.RegionLocationMaxY1) ?? 0,
      x: length(T.PhysicalUnitsXDirection, T.PhysicalDeltaX),
      y: length(T.PhysicalUnitsYDirection, T.PhysicalDeltaY),
    };
  });
}

function pair(numbers: number[]): [number, number] | null {
  const [row = 0, column = row] = numbers;
  return row > 0 && column > 0 ? [row, column] : null;
}

function isSame(a: [number, number], b: [number, number]): boolean {
  return Math.abs(a[0] - b[0]) < 1e-6 * b[0] && Math.abs(a[1] - b[1]) < 1e-6 * b[1];
}
