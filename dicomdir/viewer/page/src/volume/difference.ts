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

const KEPT = 24;
const KEPT_MASKS = 4;

/** Frame numbers of what is subtracted from a frame of the same object; empty: nothing. */
export type MaskRule = (info: FrameInfo) => readonly number[];

export class DifferenceSource implements Source {
  readonly key: string;
  readonly modality: string;
  readonly source: Source;
  readonly rule: MaskRule;
  private readonly places = new Map<string, number>();
  private readonly infos = new Map<number, FrameInfo>();
  private readonly made = new Map<number, GreyPicture>();
  /** Sums of mask frames, by what they are of. */
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
    const made = this.masksOf(own) ? differenceInfo(own, this.rule(own), this.key) : own;
    this.infos.set(index, made);
    return made;
  }

  peek(index: number): Picture | null {
    const known = this.made.get(index);
    if (known) return known;
    const contrast = this.source.peek(index);
    const masks = contrast && this.masksOf(contrast.info);
    if (!contrast || !masks) return contrast;
    const name = masks.join();
    if (!this.sums.has(name)) {
      const pictures = masks.map((each) => this.source.peek(each));
      if (!pictures.every((each) => each !== null)) return null;
      this.add(name, pictures);
    }
    return this.subtract(index, contrast, this.sums.get(name)!);
  }

  async picture(index: number): Promise<Picture> {
    const known = this.peek(index);
    if (known) return known;
    const contrast = await this.source.picture(index);
    const masks = this.masksOf(contrast.info);
    if (!masks) return contrast;
    const name = masks.join();
    let sum = this.sums.get(name);
    if (!sum) {
      sum = this.add(name, await Promise.all(masks.map((each) => this.source.picture(each))));
    }
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

  /** Where the masks of a frame stand; null: nothing is subtracted. */
  private masksOf(info: FrameInfo): number[] | null {
    const places = this.rule(info).map((each) => this.places.get(`${info.uid}/${each}`) ?? -1);
    const isThere = places.length > 0 && places.every((each) => each >= 0);
    return isThere && info.samples === 1 && !info.palette ? places : null;
  }

  private add(name: string, pictures: readonly Picture[]): Float64Array {
    const sum = new Float64Array(pictures[0]!.rows * pictures[0]!.columns);
    for (const each of pictures) {
      const value = valuesOf(each, this.key);
      for (let i = 0; i < sum.length; i++) sum[i]! += value(i);
    }
    keep(this.sums, name, sum, KEPT_MASKS);
    return sum;
  }

  /** As many times the frame as there are masks, without them: whole numbers, with a slope. */
  private subtract(index: number, contrast: Picture, sum: Float64Array): GreyPicture {
    const info = this.info(index)!;
    const { rows, columns } = contrast;
    const value = valuesOf(contrast, this.key);
    const cells = new (info.allocated > 16 ? Uint32Array : Uint16Array)(sum.length);
    const times = info.masks.length;
    for (let i = 0; i < cells.length; i++) cells[i] = times * value(i) - sum[i]!;
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

function differenceInfo(own: FrameInfo, masks: readonly number[], key: string): FrameInfo {
  const { slope, lut, unit } = own.rescale;
  const bits = (lut?.bits ?? own.stored) + Math.ceil(Math.log2(masks.length)) + 1;
  const cell = bits <= 16 ? 16 : 32;
  return {
    ...own,
    // Measurements and states of the frame itself are not the difference's.
    uid: `${key}/${own.uid}`,
    allocated: cell,
    stored: cell,
    shift: 0,
    isSigned: true,
    rescale: { slope: (lut ? 1 : slope) / masks.length, intercept: 0, lut: null, unit },
    recorded: null,
    real: null,
    masks,
    // Those of the object are for what it stores; a difference gets one of its own values.
    windows: [],
    voiLuts: [],
    padding: null,
  };
}

function keep<K, V>(all: Map<K, V>, key: K, value: V, most: number): void {
  all.set(key, value);
  const [oldest] = all.keys();
  if (all.size > most) all.delete(oldest as K);
}
