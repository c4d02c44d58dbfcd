/** All that the page needs to know of one frame to show it, read from its header. */
import type { InstanceEntry } from "../data/format.ts";
import type { DataSet } from "./dataset.ts";
import { attributesOf, type FrameAttributes } from "./functional.ts";
import { orientationOf, type Plane, planeOf } from "./geometry.ts";
import type { Lut } from "./lut.ts";
import { type Overlay, overlaysOf } from "./overlay.ts";
import { type Palette, paletteOf } from "./palette.ts";
import { type Shutter, shutterOf } from "./shutter.ts";
import { type Spacing, spacingOf } from "./spacing.ts";
import { T } from "./tags.ts";
import { type Rescale, rescaleOf, voiLutsOf, type Window, windowsOf } from "./voi.ts";

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
  rescale: Rescale;
  windows: Window[];
  voiLuts: Lut[];
  plane: Plane | null;
  /** Letters of where a row and a column point, such as ["L", "P"]; "" unknown. */
  orientation: [string, string];
  /** "R", "L", "B" or "". */
  laterality: string;
  spacing: Spacing;
  palette: Palette | null;
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
  const rescale = rescaleOf(attributes, modality, isSigned);
  const plane = planeOf(attributes);
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
    windows: windowsOf(attributes),
    voiLuts: voiLutsOf(attributes, rescale.intercept < 0 || (isSigned && !rescale.lut)),
    plane,
    orientation: orientationOf(attributes, plane),
    laterality: lateralityOf(attributes),
    spacing: spacingOf(attributes, modality),
    palette: entry.photometric === "PALETTE COLOR" ? paletteOf(ds) : null,
    overlays: overlaysOf(ds, frame),
    shutter: shutterOf(ds),
    padding: paddingOf(ds, isSigned),
    attributes,
  };
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
