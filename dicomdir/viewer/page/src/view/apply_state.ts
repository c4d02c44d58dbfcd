/** A presentation state onto a viewport: window, turning, area; its marks and shutter as a layer. */

import type { Shown } from "../data/source.ts";
import type { FrameInfo } from "../dicom/frame.ts";
import { type PresentationState, stateArea, stateVoi } from "../dicom/presentation.ts";
import { speaksOf } from "../dicom/reference.ts";
import { type Rescale, rangeWindow, rescaled, type Window } from "../dicom/voi.ts";
import { isWhiteFirst, type Voi } from "../render/shades.ts";
import { drawMark, prepare } from "./draw_marks.ts";
import { shut } from "./picture_layers.ts";
import type { ViewState } from "./state.ts";
import type { Layer, Viewport } from "./viewport.ts";

/** All that decides how the state shows a frame, to be compared; null: it does not speak of it. */
export function saidOf(state: PresentationState, info: FrameInfo): unknown[] | null {
  const { uid, number, rows, columns } = info;
  if (!speaksOf(state.references, uid, number)) return null;
  const { window, lut } = stateVoi(state, uid, number);
  return [
    hasRescale(state.rescale, info),
    window,
    lut,
    stateArea(state, uid, number),
    isWhiteFirst(info),
    rows,
    columns,
  ];
}

/** Whether the frame makes the same values of stored ones. */
function hasRescale({ slope, intercept, lut }: Rescale, info: FrameInfo): boolean {
  const own = info.recorded ?? info.rescale;
  if (!lut || !own.lut)
    return lut === own.lut && slope === own.slope && intercept === own.intercept;
  const { first, entries } = own.lut;
  return first === lut.first && entries.join() === lut.entries.join();
}

/** What to update() a viewport with that shows an image of the state. */
export function viewStateOf(state: PresentationState, viewport: Viewport): Partial<ViewState> {
  const picture = viewport.shown;
  if (!picture) return {};
  const { uid, number } = picture.info;
  const { window, lut } = stateVoi(state, uid, number);
  const isOwn = !picture.info.recorded && hasRescale(state.rescale, picture.info);
  const on = {
    ...(!isOwn && { rescale: state.rescale }),
    ...(state.tone && { tone: state.tone }),
  };
  const chosen = lut
    ? { lut }
    : window || state.tone
      ? { window: window ?? whole(state, picture) }
      : null;
  const patch: Partial<ViewState> = {
    voi: chosen && ({ kind: lut ? "lut" : "window", ...chosen, ...on } as Voi),
    rotation: state.rotation,
    flip: state.flip,
    // The Presentation LUT is all there is to polarity: MONOCHROME1 does not count (PS3.4 N.2.1).
    invert: state.isInverse !== null && state.isInverse !== isWhiteFirst(picture.info),
    scale: null,
    centre: null,
  };
  const area = stateArea(state, uid, number);
  if (area) {
    const { rows, columns } = picture;
    const isWhole = area.x0 <= 0 && area.y0 <= 0 && area.x1 >= columns && area.y1 >= rows;
    if (area.magnification) patch.scale = area.magnification / viewport.ratio;
    else if (!isWhole) patch.scale = scaleFor(area, state.rotation, viewport);
    if (patch.scale) patch.centre = { x: (area.x0 + area.x1) / 2, y: (area.y0 + area.y1) / 2 };
  }
  return patch;
}

/** What a table is read with where the state names no window: each entry for as many values. */
function whole({ rescale, tone }: PresentationState, { info }: Shown): Window {
  const entries = tone?.lut?.entries ?? tone?.palette?.red ?? [];
  const part = (entries.length - 1) / Math.max(1, entries.length);
  if (rescale.lut) return rangeWindow(0, part * 2 ** rescale.lut.bits);
  const count = 2 ** Math.min(16, info.stored);
  const first = info.isSigned ? -count / 2 : 0;
  const ends = [rescaled(rescale, first), rescaled(rescale, first + part * count)];
  return rangeWindow(Math.min(...ends), Math.max(...ends));
}

function scaleFor(
  area: { x0: number; y0: number; x1: number; y1: number },
  rotation: number,
  viewport: Viewport,
): number {
  const wide = area.x1 - area.x0;
  const high = (area.y1 - area.y0) * (viewport.extent?.aspect ?? 1);
  const [x, y] = rotation % 180 ? [high, wide] : [wide, high];
  const { width, height } = viewport.size;
  return Math.min(width / Math.max(1, x), height / Math.max(1, y));
}

/** Marks of the state, on those of its images that it marks. */
export function stateLayer(state: PresentationState): Layer {
  return {
    order: 20,
    draw(context, viewport) {
      const { picture } = viewport;
      if (!picture) return;
      const { uid, number } = picture.info;
      if (!speaksOf(state.references, uid, number)) return;
      if (state.shutter) {
        context.save();
        shut(context, viewport, state.shutter);
        context.restore();
      }
      prepare(context);
      for (const mark of state.marks) {
        if (speaksOf(mark.references, uid, number)) drawMark(context, viewport, mark);
      }
    },
  };
}
