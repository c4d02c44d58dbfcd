/** All that the page needs to know of one frame to show it, read from its header. */
import type { InstanceEntry } from "../data/format.ts";
import type { DataSet } from "./dataset.ts";
import { attributesOf, type FrameAttributes } from "./functional.ts";
import { orientationOf, type Plane, planeOf } from "./geometry.ts";
import type { Lut } from "./lut.ts";
import type { Mask } from "./mask.ts";
import { type Overlay, overlaysOf } from "./overlay.ts";
import { type Palette, paletteOf } from "./palette.ts";
import { fits, type Shutter, shutterOf } from "./shutter.ts";
import { type Spacing, spacingOf } from "./spacing.ts";
import { type NoSuv, suvFactor } from "./suv.ts";
import { T } from "./tags.ts";
import { type RealWorld, realWorldOf } from "./units.ts";
import { type Rescale, rescaleOf, scaledWindow, voiLutsOf, type Window, windowsOf } from "./voi.ts";

export interface FrameInfo {
  uid: string;
  /** Frame number, from 1. */
  number: number;
  modality: string;
  rows: number;
  columns: number;
  samples: number;
  allocated: number;
  stored: number;
  /** Bits below the lowest stored one. */
  shift: number;
  isSigned: boolean;
  photometric: string;
  /** What makes the values that are shown, measured and windowed; of PET these are SUVs. */
  rescale: Rescale;
  /** What makes the object's own values, where others are shown; VOI LUTs and states speak of them. */
  recorded: Rescale | null;
  /** What some stored values are in the real world, where the object's own values have no unit. */
  real: RealWorld | null;
  /** Of PET: why there are no SUVs. */
  noSuv: NoSuv | null;
  /** What was subtracted from it. */
  mask: Mask | null;
  windows: Window[];
  voiLuts: Lut[];
  plane: Plane | null;
  /** Letters of where a row and a column point, such as ["L", "P"]; "" unknown. */
  orientation: [string, string];
  /** "R", "L", "B" or "". */
  laterality: string;
  spacing: Spacing;
  palette: Palette | null;
  /** Colours of stored values from its first one on; those below are grey (PS3.3 C.7.6.3.1.5). */
  supplement: Palette | null;
  overlays: Overlay[];
  shutter: Shutter | null;
  /** Stored values between these (both in) are no image; null: all are. */
  padding: [number, number] | null;
  /** Everything else that a panel may want. */
  attributes: FrameAttributes;
}

/** @param frame From 0. */
export function frameInfo(entry: InstanceEntry, ds: DataSet, frame: number): FrameInfo {
  const attributes = attributesOf(ds, frame);
  const modality = ds.string(T.Modality);
  const isSigned = entry.signed === 1;
  const own = rescaleOf(attributes, modality, isSigned);
  const real = own.unit ? null : realWorldOf(attributes);
  const hasSuv = /^SUV/.test(own.unit || (real?.unit ?? ""));
  const isPet = modality === "PT" && entry.photometric.startsWith("MONOCHROME");
  const suv = isPet && !hasSuv ? suvFactor(ds) : null;
  const factor = typeof suv === "number" && !own.lut ? suv : null;
  const rescale = factor === null ? own : suvScale(own, factor);
  const windows = windowsOf(attributes);
  const plane = planeOf(attributes);
  const shutter = shutterOf(ds, frame);
  const shut = shutter && fits(shutter, entry) ? shutter.bitmap?.group : undefined;
  // One-bit pixels are carried as bytes: what the header says of bits is not true of them.
  const highBit = entry.allocated === (ds.number(0x00280100) ?? 0) ? ds.number(T.HighBit) : null;
  const shift = highBit === null ? 0 : highBit + 1 - entry.stored;
  return {
    uid: entry.uid,
    number: frame + 1,
    modality,
    rows: entry.rows,
    columns: entry.columns,
    samples: entry.samples,
    allocated: entry.allocated,
    stored: entry.stored,
    shift: shift > 0 && shift + entry.stored <= entry.allocated ? shift : 0,
    isSigned,
    photometric: entry.photometric,
    rescale,
    recorded: factor === null ? null : own,
    real,
    noSuv: typeof suv === "string" ? suv : null,
    mask: null,
    windows: factor === null ? windows : windows.map((each) => scaledWindow(each, factor)),
    voiLuts: voiLutsOf(attributes, own.intercept < 0 || (isSigned && !own.lut)),
    plane,
    orientation: orientationOf(attributes, plane),
    laterality: lateralityOf(attributes),
    spacing: spacingOf(attributes, modality),
    palette: entry.photometric === "PALETTE COLOR" ? paletteOf(ds) : null,
    supplement: supplementOf(entry, ds),
    overlays: overlaysOf(ds, frame, shut),
    shutter,
    padding: paddingOf(ds, isSigned),
    attributes,
  };
}

function suvScale({ slope, intercept }: Rescale, factor: number): Rescale {
  return { slope: slope * factor, intercept: intercept * factor, lut: null, unit: "SUVbw" };
}

function supplementOf({ photometric }: InstanceEntry, ds: DataSet): Palette | null {
  const isColoured = /^(COLOR|MIXED)$/.test(ds.string(T.PixelPresentation));
  return isColoured && photometric === "MONOCHROME2" ? paletteOf(ds) : null;
}

function lateralityOf(frame: FrameAttributes): string {
  const anatomy = frame.group(T.FrameAnatomySequence).string(T.FrameLaterality);
  const own = frame.root.string(T.ImageLaterality) || frame.root.string(T.Laterality);
  const found = (own || anatomy).toUpperCase();
  return /^[RLB]$/.test(found) ? found : "";
}

function paddingOf(ds: DataSet, isSigned: boolean): [number, number] | null {
  const value = ds.number(T.PixelPaddingValue);
  if (value === null) return null;
  const limit = ds.number(T.PixelPaddingRangeLimit) ?? value;
  // The VR does not always follow Pixel Representation.
  const signed = (each: number) => (isSigned && each > 32_767 ? each - 65_536 : each);
  const ends = [signed(value), signed(limit)];
  return [Math.min(...ends), Math.max(...ends)];
}
