/** One picture onto a canvas: only the part that is seen, at the size that is needed. */
import type { Shown } from "../data/source.ts";
import { cellValue } from "../data/source.ts";
import { rescaled } from "../dicom/voi.ts";
import { boundsOf, inverse, type Matrix } from "../view/matrix.ts";
import { type Level, levelFor } from "./pyramid.ts";
import { BLACK, colourOf, colourTable, isWhiteFirst, shadeTable, type Voi } from "./shades.ts";

export interface Paint {
  picture: Shown;
  /** Image coordinates to canvas pixels. */
  matrix: Matrix;
  /** Null: a colour picture as it is. */
  voi: Voi | null;
  invert: boolean;
  /** Interpolate where pixels are magnified. */
  smooth: boolean;
}

interface Region {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Up to here a level is converted whole, so that panning converts nothing anew. */
const WHOLE_PIXELS = 1_500_000;

export class Painter {
  private readonly context: CanvasRenderingContext2D;
  private readonly scratch = document.createElement("canvas");
  private readonly scratchContext: CanvasRenderingContext2D;
  /** What the scratch canvas shows now. */
  private shown: { level: Level; region: Region; voi: Voi | null; invert: boolean } | null = null;
  private table: { key: unknown[]; table: Uint32Array } | null = null;
  private data: ImageData | null = null;

  constructor(canvas: HTMLCanvasElement) {
    // Asking for the fast path of both: no alpha below, and read-back by nobody.
    this.context = canvas.getContext("2d", { alpha: false })!;
    this.scratchContext = this.scratch.getContext("2d", { alpha: false })!;
  }

  clear(): void {
    const { canvas } = this.context;
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    this.context.fillStyle = "#000";
    this.context.fillRect(0, 0, canvas.width, canvas.height);
  }

  paint(job: Paint): void {
    this.clear();
    const { picture, matrix } = job;
    const { canvas } = this.context;
    const scale = Math.max(Math.hypot(matrix.a, matrix.b), Math.hypot(matrix.c, matrix.d));
    const level = levelFor(picture, scale);
    const seen = boundsOf(inverse(matrix), canvas.width, canvas.height);
    const region = visible(level, seen);
    if (!region) return;
    if (!this.isShown(level, region, job)) this.convert(level, region, job);
    const { a, b, c, d } = matrix;
    // Pixel on pixel: half a pixel beside it every value would be a mixture, or the wrong one.
    const [e, f] =
      scale === 1 ? [Math.round(matrix.e), Math.round(matrix.f)] : [matrix.e, matrix.f];
    this.context.setTransform(a, b, c, d, e, f);
    this.context.imageSmoothingEnabled =
      picture.kind === "coarse" || (scale !== 1 && (job.smooth || scale < 1));
    this.context.imageSmoothingQuality = scale < 1 ? "high" : "low";
    const { x, y, width, height } = region;
    const { step } = level;
    this.context.drawImage(
      this.scratch,
      0,
      0,
      width,
      height,
      x * step,
      y * step,
      width * step,
      height * step,
    );
  }

  private isShown(level: Level, region: Region, job: Paint): boolean {
    const now = this.shown;
    return (
      now !== null &&
      now.level === level &&
      now.voi === job.voi &&
      now.invert === job.invert &&
      now.region.x === region.x &&
      now.region.y === region.y &&
      now.region.width === region.width &&
      now.region.height === region.height
    );
  }

  private convert(level: Level, region: Region, job: Paint): void {
    const { width, height } = region;
    if (this.scratch.width !== width || this.scratch.height !== height) {
      this.scratch.width = width;
      this.scratch.height = height;
    }
    if (!this.data || this.data.width !== width || this.data.height !== height) {
      this.data = this.scratchContext.createImageData(width, height);
    }
    const { picture } = job;
    if (picture.kind === "colour") colour(level, region, job, this.data);
    else if (picture.info.allocated > 16) this.wide(level, region, job, this.data);
    else shades(level, region, this.tableFor(job), this.data);
    this.scratchContext.putImageData(this.data, 0, 0);
    this.shown = { level, region, voi: job.voi, invert: job.invert };
  }

  /** Slices of a series mostly share one. */
  private tableFor({ picture: { info }, voi, invert }: Paint): Uint32Array {
    const { slope, intercept, lut } = info.rescale;
    const key = [
      ...voiKey(voi),
      invert,
      slope,
      intercept,
      lut,
      info.photometric,
      info.stored,
      info.shift,
      info.isSigned,
      info.allocated,
      info.palette,
      info.supplement,
      info.padding?.[0],
      info.padding?.[1],
    ];
    if (!this.table?.key.every((each, i) => Object.is(each, key[i]))) {
      this.table = { key, table: shadeTable(info, voi!, invert) };
    }
    return this.table!.table;
  }

  /** 32 bits: no table holds them. */
  private wide(level: Level, region: Region, job: Paint, data: ImageData): void {
    const { info } = job.picture;
    const out = new Uint32Array(data.data.buffer);
    const isInverse = isWhiteFirst(info) !== job.invert;
    const rescale = job.voi!.rescale ?? info.rescale;
    const [low, high] = info.padding ?? [1, 0];
    each(level, region, (from, to) => {
      const stored = cellValue(level.cells![from]!, info.stored, info.shift, info.isSigned);
      const isImage = stored < low || stored > high;
      out[to] = isImage ? colourOf(job.voi!, rescaled(rescale, stored), isInverse) : BLACK;
    });
  }
}

/** Equal for equal windows: each slice has its own, and most have the same. */
function voiKey(voi: Voi | null): unknown[] {
  if (voi?.kind !== "window" || voi.rescale || voi.tone) return [voi];
  const { center, width, fn } = voi.window;
  return [center, width, fn];
}

/** The part of a level that is seen, a pixel wider; null where nothing is. */
function visible(
  level: Level,
  seen: { x0: number; y0: number; x1: number; y1: number },
): Region | null {
  const { step, columns, rows } = level;
  const x0 = Math.max(0, Math.floor(seen.x0 / step) - 1);
  const y0 = Math.max(0, Math.floor(seen.y0 / step) - 1);
  const x1 = Math.min(columns, Math.ceil(seen.x1 / step) + 1);
  const y1 = Math.min(rows, Math.ceil(seen.y1 / step) + 1);
  if (x1 <= x0 || y1 <= y0) return null;
  if (columns * rows <= WHOLE_PIXELS) return { x: 0, y: 0, width: columns, height: rows };
  return { x: x0, y: y0, width: x1 - x0, height: y1 - y0 };
}

function shades(level: Level, region: Region, table: Uint32Array, data: ImageData): void {
  const out = new Uint32Array(data.data.buffer);
  const cells = level.cells!;
  let to = 0;
  for (let y = region.y; y < region.y + region.height; y++) {
    let from = y * level.columns + region.x;
    for (let x = 0; x < region.width; x++) out[to++] = table[cells[from++]!]!;
  }
}

function colour(level: Level, region: Region, job: Paint, data: ImageData): void {
  const from = new Uint32Array(level.rgba!.buffer);
  const out = new Uint32Array(data.data.buffer);
  const table = colourTable(job.voi, job.invert);
  each(level, region, (at, to) => {
    const c = from[at]!;
    out[to] = table
      ? table[c & 255]! |
        (table[(c >>> 8) & 255]! << 8) |
        (table[(c >>> 16) & 255]! << 16) |
        0xff000000
      : c;
  });
}

function each(level: Level, region: Region, one: (from: number, to: number) => void): void {
  let to = 0;
  for (let y = region.y; y < region.y + region.height; y++) {
    let from = y * level.columns + region.x;
    for (let x = 0; x < region.width; x++) one(from++, to++);
  }
}
