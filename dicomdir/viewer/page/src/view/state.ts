/** How one viewport shows its source. Values are never changed, only replaced. */
import type { Voi } from "../render/shades.ts";
import type { Matrix, Point } from "./matrix.ts";

export type Quarter = 0 | 90 | 180 | 270;

export interface ViewState {
  /** Frame in display order, from 0. */
  index: number;
  /** Null: as the object says, or spread over the values of the first picture. */
  voi: Voi | null;
  /** Image point in the middle of the viewport; null: the image's middle. */
  centre: Point | null;
  /** CSS pixels to a pixel of the image, along a row; null: the whole image fits. */
  scale: number | null;
  /** Which side of the viewport a picture without `centre` touches: mammograms meet in the middle. */
  align: -1 | 0 | 1;
  /** Clockwise; then flipped left to right (as PS3.3 C.10.6 orders it). */
  rotation: Quarter;
  flip: boolean;
  invert: boolean;
  /** Interpolate magnified pixels. */
  smooth: boolean;
}

export const INITIAL: ViewState = {
  index: 0,
  voi: null,
  centre: null,
  scale: null,
  align: 0,
  rotation: 0,
  flip: false,
  invert: false,
  smooth: true,
};

/** An image as far as placing it goes: `aspect` is the height of a pixel by its width. */
export interface Extent {
  rows: number;
  columns: number;
  aspect: number;
}

export function fitScale(extent: Extent, rotation: Quarter, width: number, height: number): number {
  const wide = extent.columns;
  const high = extent.rows * extent.aspect;
  const [x, y] = rotation % 180 ? [high, wide] : [wide, high];
  return Math.max(1e-4, Math.min(width / x, height / y));
}

/** Image coordinates to CSS pixels of a viewport. */
export function viewMatrix(
  state: ViewState,
  extent: Extent,
  width: number,
  height: number,
): Matrix {
  const scale = state.scale ?? fitScale(extent, state.rotation, width, height);
  const centre = centreOf(state, extent, scale, width);
  const [cos, sin] = QUARTERS[state.rotation];
  const sign = state.flip ? -1 : 1;
  const down = scale * extent.aspect;
  const a = sign * cos * scale;
  const b = sin * scale;
  const c = sign * -sin * down;
  const d = cos * down;
  return {
    a,
    b,
    c,
    d,
    e: width / 2 - (a * centre.x + c * centre.y),
    f: height / 2 - (b * centre.x + d * centre.y),
  };
}

/** The image point in the middle of the viewport. */
export function centreOf(state: ViewState, extent: Extent, scale: number, width: number): Point {
  if (state.centre) return state.centre;
  const middle = { x: extent.columns / 2, y: extent.rows / 2 };
  const isUpright = state.rotation % 180 === 0;
  const wide = (isUpright ? extent.columns : extent.rows * extent.aspect) * scale;
  const room = Math.max(0, (width - wide) / 2);
  if (!state.align || !room) return middle;
  // To move the image to the right, what is in the middle lies farther left of the image.
  const [cos, sin] = QUARTERS[state.rotation];
  const sign = state.flip ? -1 : 1;
  const off = (-state.align * room) / scale;
  return isUpright
    ? { x: middle.x + off * cos * sign, y: middle.y }
    : { x: middle.x, y: middle.y - (off * sin * sign) / extent.aspect };
}

const QUARTERS: Record<Quarter, [number, number]> = {
  0: [1, 0],
  90: [0, 1],
  180: [-1, 0],
  270: [0, -1],
};
