/** A series with masks subtracted from its frames, as a Source: digital subtraction angiography. */
import { DataError } from "../data/errors.ts";
import {
  type GreyPicture,
  type Picture,
  type Progress,
  type Source,
  storedValue,
} from "../data/source.ts";
import type { FrameInfo } from "../dicom/frame.ts";
import { lookUp } from "../dicom/lut.ts";
import type { Mask } from "../dicom/mask.ts";

const KEPT = 24;
const KEPT_MASKS = 4;

/** What is subtracted from a frame, of the same object; null: nothing. */
export type MaskRule = (info: FrameInfo) => Mask | null;

/** Where they stand: frames to be averaged, and those of the mask. */
interface Places {
  contrast: number[];
  masks: number[];
  shift: Mask["shift"];
}

/** Parts of a stored value to which a mask is known that is moved by parts of a pixel. */
const PARTS = 8;

export class DifferenceSource implements Source {
  readonly key: string;
  readonly modality: string;
  readonly source: Source;
  readonly rule: MaskRule;
  private readonly places = new Map<string, number>();
  private readonly infos = new Map<number, FrameInfo>();
  private readonly made = new Map<number, GreyPicture>();
  /** Sums of mask frames, where they were moved to, by what they are of. */
  private readonly sums = new Map<string, Float64Array>();

  private constructor(source: Source, rule: MaskRule) {
    this.source = source;
    this.rule = rule;
    this.key = `${source.key}/difference`;
    this.modality = source.modality;
    for (let i = 0; i < source.count; i++) {
      const info = source.info(i);
      if (info) this.places.set(`${info.uid}/${info.number}`, i);
    }
  }

  /** With the headers of all frames: any of them may be a mask. */
  static async of(source: Source, rule: MaskRule): Promise<DifferenceSource> {
    await source.ready();
    return new DifferenceSource(source, rule);
  }

  get count(): number {
    return this.source.count;
  }

  label(): string {
    return this.source.label?.() ?? "";
  }

  info(index: number): FrameInfo | null {
    const known = this.infos.get(index);
    if (known) return known;
    const own = this.source.info(index);
    if (!own) return null;
    const made = this.placesOf(own) ? differenceInfo(own, this.rule(own)!, this.key) : own;
    this.infos.set(index, made);
    return made;
  }

  peek(index: number): Picture | null {
    const known = this.made.get(index);
    if (known) return known;
    const own = this.source.peek(index);
    const places = own && this.placesOf(own.info);
    if (!own || !places) return own;
    const sum = this.sums.get(nameOf(places));
    const [contrast, masks] = [places.contrast, sum ? [] : places.masks].map((all) =>
      all.map((each) => this.source.peek(each)),
    ) as [(Picture | null)[], (Picture | null)[]];
    if (!isWhole(contrast) || !isWhole(masks)) return null;
    return this.subtract(index, contrast, sum ?? this.add(places, masks));
  }

  async picture(index: number): Promise<Picture> {
    const known = this.peek(index);
    if (known) return known;
    const own = await this.source.picture(index);
    const places = this.placesOf(own.info);
    if (!places) return own;
    const all = (which: number[]) => Promise.all(which.map((each) => this.source.picture(each)));
    const contrast = await all(places.contrast);
    const sum = this.sums.get(nameOf(places)) ?? this.add(places, await all(places.masks));
    return this.subtract(index, contrast, sum);
  }

  ready(): Promise<void> {
    return this.source.ready();
  }

  leisure(): Promise<void> {
    return this.source.leisure?.() ?? Promise.resolve();
  }

  focus(who: object, index: number, direction: -1 | 0 | 1): void {
    this.source.focus(who, index, direction);
  }

  blur(who: object): void {
    this.source.blur(who);
  }

  progress(): Progress {
    return this.source.progress();
  }

  watch(listener: () => void): () => void {
    return this.source.watch(listener);
  }

  /** Null: nothing is subtracted. */
  private placesOf(info: FrameInfo): Places | null {
    const mask = this.rule(info);
    if (!mask || info.samples !== 1 || info.palette) return null;
    const [contrast, masks] = [mask.contrast, mask.frames].map((all) =>
      all.map((each) => this.places.get(`${info.uid}/${each}`) ?? -1),
    ) as [number[], number[]];
    const isThere = masks.length > 0 && [...contrast, ...masks].every((each) => each >= 0);
    return isThere ? { contrast, masks, shift: mask.shift } : null;
  }

  private add(places: Places, pictures: readonly Picture[]): Float64Array {
    const { rows, columns } = pictures[0]!;
    const sum = moved(sumOf(pictures, this.key), rows, columns, places.shift);
    keep(this.sums, nameOf(places), sum, KEPT_MASKS);
    return sum;
  }

  /** As many times the frames as there are masks, without as many of these: whole, with a slope. */
  private subtract(index: number, contrast: readonly Picture[], sum: Float64Array): GreyPicture {
    const info = this.info(index)!;
    const { rows, columns } = contrast[0]!;
    const values = sumOf(contrast, this.key);
    const cells = new (info.allocated > 16 ? Uint32Array : Uint16Array)(sum.length);
    const { frames, shift } = info.mask!;
    const parts = partsOf(shift);
    const [times, less] = [parts * frames.length, parts * contrast.length];
    const empty = info.padding?.[0] ?? 0;
    for (let i = 0; i < cells.length; i++) {
      const difference = times * values[i]! - less * sum[i]!;
      cells[i] = Number.isNaN(difference) ? empty : Math.round(difference);
    }
    const made: GreyPicture = { kind: "grey", info, rows, columns, cells };
    keep(this.made, index, made, KEPT);
    return made;
  }
}

/** Values of a frame before their slope; what a table makes of them, where there is one. */
function valuesOf(picture: Picture, key: string): (index: number) => number {
  if (picture.kind !== "grey") throw new DataError("unsupported", key, "colours have no mask");
  const { lut } = picture.info.rescale;
  if (!lut) return (index) => storedValue(picture, index);
  return (index) => lookUp(lut, storedValue(picture, index));
}

function sumOf(pictures: readonly Picture[], key: string): Float64Array {
  const sum = new Float64Array(pictures[0]!.rows * pictures[0]!.columns);
  for (const each of pictures) {
    const value = valuesOf(each, key);
    for (let i = 0; i < sum.length; i++) sum[i]! += value(i);
  }
  return sum;
}

/** Down and to the left, between pixels in straight lines; NaN where there is no mask then. */
function moved(
  sum: Float64Array,
  rows: number,
  columns: number,
  [down, left]: Mask["shift"],
): Float64Array {
  if (!down && !left) return sum;
  const out = new Float64Array(sum.length).fill(Number.NaN);
  const [firstRow, firstColumn] = [Math.floor(-down), Math.floor(left)];
  const [low, right] = [-down - firstRow, left - firstColumn];
  for (let y = 0; y < rows; y++) {
    const row = y + firstRow;
    if (row < 0 || row + (low ? 1 : 0) >= rows) continue;
    for (let x = 0; x < columns; x++) {
      const column = x + firstColumn;
      if (column < 0 || column + (right ? 1 : 0) >= columns) continue;
      const at = row * columns + column;
      const beside = right ? 1 : 0;
      const upper = sum[at]! * (1 - right) + sum[at + beside]! * right;
      const below = low ? at + columns : at;
      const lower = sum[below]! * (1 - right) + sum[below + beside]! * right;
      out[y * columns + x] = upper * (1 - low) + lower * low;
    }
  }
  return out;
}

function nameOf({ masks, shift }: Places): string {
  return [...masks, ...shift].join();
}

function isWhole(pictures: (Picture | null)[]): pictures is Picture[] {
  return pictures.every((each) => each !== null);
}

function partsOf(shift: Mask["shift"]): number {
  return shift.every((each) => each % 1 === 0) ? 1 : PARTS;
}

function differenceInfo(own: FrameInfo, mask: Mask, key: string): FrameInfo {
  const { slope, lut, unit } = own.rescale;
  const times = mask.frames.length * mask.contrast.length * partsOf(mask.shift);
  const bits = (lut?.bits ?? own.stored) + Math.ceil(Math.log2(times)) + 1;
  const cell = bits <= 16 ? 16 : 32;
  const least = -(2 ** (cell - 1));
  return {
    ...own,
    // Measurements and states of the frame itself are not the difference's.
    uid: `${key}/${own.uid}`,
    allocated: cell,
    stored: cell,
    shift: 0,
    isSigned: true,
    rescale: { slope: (lut ? 1 : slope) / times, intercept: 0, lut: null, unit },
    recorded: null,
    real: null,
    mask,
    // Those of the object are for what it stores; a difference gets one of its own values.
    windows: [],
    voiLuts: [],
    // Where a mask was moved away from, there is no difference.
    padding: mask.shift.some((each) => each !== 0) ? [least, least] : null,
  };
}

function keep<K, V>(all: Map<K, V>, key: K, value: V, most: number): void {
  all.set(key, value);
  const [oldest] = all.keys();
  if (all.size > most) all.delete(oldest as K);
}
