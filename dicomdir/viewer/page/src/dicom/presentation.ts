/** Softcopy presentation states: how somebody wanted images to be seen (PS3.3 A.33, C.10, C.11). */
import { isWhole, type Pair, type Shape, shapeOf } from "./compound.ts";
import type { DataSet } from "./dataset.ts";
import { attributesOf } from "./functional.ts";
import { type Lut, lutsOf } from "./lut.ts";
import { type Palette, paletteOf } from "./palette.ts";
import { type ImageReference, referencesOf, speaksOf } from "./reference.ts";
import { fits, type Shutter, shutterOf } from "./shutter.ts";
import { T } from "./tags.ts";
import { type Rescale, rescaleOf, type Window, windowsIn } from "./voi.ts";

const BITMAP = "Bitmap Display Shutter";

/** A table that shades go through last, by their place between black and white. */
export interface Tone {
  lut?: Lut;
  palette?: Palette;
}

export interface Mark extends Omit<Shape, "kind"> {
  /** Image coordinates, or parts of the displayed area, 0 to 1. */
  units: "image" | "display";
  kind: Shape["kind"] | "point" | "curve" | "text";
  isFilled: boolean;
  text: string;
  /** Of a text: its box, or null where only the anchor is given. */
  box: { x0: number; y0: number; x1: number; y1: number; units: "image" | "display" } | null;
  references: ImageReference[];
}

export interface DisplayedArea {
  references: ImageReference[];
  /** Corners in image coordinates; they may lie outside of the image. */
  x0: number;
  y0: number;
  x1: number;
  y1: number;
  /** Screen pixels to a pixel of the image where the size is true or stated, else null: fitted. */
  magnification: number | null;
}

export interface PresentationState {
  uid: string;
  label: string;
  description: string;
  references: ImageReference[];
  /** Takes the place of the images' own; nothing stated is stored values as they are (PS3.4 N.2.1). */
  rescale: Rescale;
  vois: { references: ImageReference[]; windows: Window[]; luts: Lut[] }[];
  areas: DisplayedArea[];
  marks: Mark[];
  shutter: Shutter | null;
  rotation: 0 | 90 | 180 | 270;
  flip: boolean;
  /** Whether the lowest value is white, whatever the image says; null: the state does not say. */
  isInverse: boolean | null;
  /** What becomes of shades after all windows; null: they are shown as they are. */
  tone: Tone | null;
  /** What the state asks for beyond all this, in the standard's words: it is not shown. */
  leftOut: string[];
}

export function readPresentationState(ds: DataSet): PresentationState {
  const shape = ds.string(T.PresentationLUTShape);
  const tone = toneOf(ds);
  const isToned = tone !== null || ds.has(T.PresentationLUTSequence);
  const turned = Math.round(ds.number(T.ImageRotation) ?? 0);
  return {
    uid: ds.string(T.SOPInstanceUID),
    label: ds.string(T.ContentLabel),
    description: ds.string(T.ContentDescription),
    references: ds
      .items(T.ReferencedSeriesSequence)
      .flatMap((item) => referencesOf(item, T.ReferencedImageSequence)),
    rescale: rescaleOf(attributesOf(ds, 0), "", false),
    vois: ds.items(T.SoftcopyVOILUTSequence).map((item) => ({
      references: referencesOf(item, T.ReferencedImageSequence),
      windows: windowsIn(item),
      luts: lutsOf(item, T.VOILUTSequence, true),
    })),
    areas: ds.items(T.DisplayedAreaSelectionSequence).flatMap((item) => areaOf(item) ?? []),
    marks: ds.items(T.GraphicAnnotationSequence).flatMap(marksOf),
    shutter: shutterOf(ds, 0),
    rotation: ([0, 90, 180, 270] as const).find((each) => each === turned) ?? 0,
    flip: ds.string(T.ImageHorizontalFlip) === "Y",
    tone,
    leftOut: leftOutOf(ds),
    isInverse: shape ? shape === "INVERSE" : isToned ? false : null,
  };
}

/** A Presentation LUT (PS3.3 C.11.6), or the palette of a pseudo-colour state (A.33.3). */
function toneOf(ds: DataSet): Tone | null {
  const [lut] = lutsOf(ds, T.PresentationLUTSequence, false);
  const palette = paletteOf(ds);
  return palette ? { palette } : lut ? { lut } : null;
}

function leftOutOf(ds: DataSet): string[] {
  const found = ds
    .items(T.GraphicAnnotationSequence)
    .flatMap((each) => compoundsOf(each).filter((item) => !isWhole(item) || !drawn(item)))
    .map((item) => item.string(T.CompoundGraphicType));
  if (ds.has(T.PresentationLUTSequence) && !toneOf(ds)) found.push("Presentation LUT");
  if (ds.has(T.RedPaletteDescriptor) && !paletteOf(ds)) found.push("Palette Color");
  const masks = ds.items(T.MaskSubtractionSequence);
  if (masks.some((each) => each.string(T.MaskOperation) !== "NONE")) found.push("Mask Subtraction");
  const shutsMore = ds.strings(T.ShutterShape).includes("BITMAP") && !shutterOf(ds, 0)?.bitmap;
  if (shutsMore) found.push(BITMAP);
  return [...new Set(found)];
}

/** What of a state is not shown on an image, in the standard's words. */
export function leftOutOn(
  { leftOut, shutter }: PresentationState,
  image: { rows: number; columns: number } | null,
): string[] {
  return shutter && image && !fits(shutter, image) ? [...leftOut, BITMAP] : leftOut;
}

/** The first window or table that the state has for a frame. */
export function stateVoi(
  state: PresentationState,
  uid: string,
  frame: number,
): { window: Window | null; lut: Lut | null } {
  const found = state.vois.find((each) => speaksOf(each.references, uid, frame));
  const lut = found?.luts[0] ?? null;
  return { window: lut ? null : (found?.windows[0] ?? null), lut };
}

export function stateArea(state: PresentationState, uid: string, frame: number) {
  return state.areas.find((each) => speaksOf(each.references, uid, frame)) ?? null;
}

function areaOf(item: DataSet): DisplayedArea | null {
  const [x0, y0] = item.numbers(T.DisplayedAreaTopLeft);
  const [x1, y1] = item.numbers(T.DisplayedAreaBottomRight);
  if (x0 === undefined || y0 === undefined || x1 === undefined || y1 === undefined) return null;
  const mode = item.string(T.PresentationSizeMode);
  const ratio = item.number(T.PresentationPixelMagnificationRatio);
  return {
    references: referencesOf(item, T.ReferencedImageSequence),
    // Pixels from 1, both corners in.
    x0: Math.min(x0, x1) - 1,
    y0: Math.min(y0, y1) - 1,
    x1: Math.max(x0, x1),
    y1: Math.max(y0, y1),
    magnification: mode === "MAGNIFY" && ratio && ratio > 0 ? ratio : null,
  };
}

function marksOf(annotation: DataSet): Mark[] {
  const references = referencesOf(annotation, T.ReferencedImageSequence);
  const graphics = annotation.items(T.GraphicObjectSequence).flatMap((item) => {
    const kind = KINDS[item.string(T.GraphicType)];
    const units = unitsOf(item, T.GraphicAnnotationUnits);
    const points = pointsOf(item.numbers(T.GraphicData));
    if (!kind || !points.length) return [];
    const isFilled = item.string(T.GraphicFilled) === "Y";
    return [{ units, kind, points, isFilled, text: "", box: null, references }];
  });
  const compounds = compoundsOf(annotation).flatMap((item) => {
    const shape = drawn(item);
    const isFilled = item.string(T.GraphicFilled) === "Y";
    const units = unitsOf(item, T.CompoundGraphicUnits);
    return shape ? [{ ...shape, units, isFilled, text: "", box: null, references }] : [];
  });
  return [
    ...graphics,
    ...compounds,
    ...annotation.items(T.TextObjectSequence).map((it) => textOf(it, references)),
  ];
}

/** Compound graphics that nothing simple stands for, as it should (PS3.3 C.10.5.1.3.1). */
function compoundsOf(annotation: DataSet): DataSet[] {
  const simple = [T.GraphicObjectSequence, T.TextObjectSequence]
    .flatMap((tag) => annotation.items(tag))
    .map((item) => item.number(T.CompoundGraphicInstanceID));
  return annotation
    .items(T.CompoundGraphicSequence)
    .filter((item) => !simple.includes(item.number(T.CompoundGraphicInstanceID) ?? Number.NaN));
}

function drawn(item: DataSet): Shape | null {
  const units = unitsOf(item, T.CompoundGraphicUnits);
  return shapeOf(item, pointsOf(item.numbers(T.GraphicData)), units === "image");
}

const KINDS: Record<string, Mark["kind"]> = {
  POINT: "point",
  POLYLINE: "line",
  INTERPOLATED: "curve",
  CIRCLE: "circle",
  ELLIPSE: "ellipse",
};

function textOf(item: DataSet, references: ImageReference[]): Mark {
  const units = unitsOf(item, T.AnchorPointAnnotationUnits);
  const boxUnits = unitsOf(item, T.BoundingBoxAnnotationUnits);
  const [start] = pointsOf(item.numbers(T.BoundingBoxTopLeft));
  const [end] = pointsOf(item.numbers(T.BoundingBoxBottomRight));
  const box =
    start && end
      ? {
          x0: Math.min(start[0], end[0]),
          y0: Math.min(start[1], end[1]),
          x1: Math.max(start[0], end[0]),
          y1: Math.max(start[1], end[1]),
          units: boxUnits,
        }
      : null;
  return {
    units,
    kind: "text",
    points: pointsOf(item.numbers(T.AnchorPoint)),
    isFilled: false,
    text: item.string(T.UnformattedTextValue),
    box,
    references,
  };
}

function unitsOf(item: DataSet, tag: number): Mark["units"] {
  return item.string(tag) === "DISPLAY" ? "display" : "image";
}

/** Columns and rows; 0, 0 is the first pixel's corner (PS3.3 C.10.5), as it is on this page. */
function pointsOf(numbers: number[]): Pair[] {
  const out: Pair[] = [];
  for (let i = 0; i + 1 < numbers.length; i += 2) out.push([numbers[i]!, numbers[i + 1]!]);
  return out;
}
