/** A volume as it is loaded, slice by slice, from a source; its views are sources themselves. */
import { type Picture, type Source, storedValue } from "../data/source.ts";
import type { FrameInfo } from "../dicom/frame.ts";
import { rescaled } from "../dicom/voi.ts";
import type { Voxels } from "./resample.ts";
import { type Refusal, type Stack, stackOf } from "./stack.ts";

/** One volume at a time may take this: a page has about 1 GB, pixels of other series are in it too. */
const MOST_BYTES = 320 << 20;
const AT_ONCE = 4;
const TELL_MS = 400;

/** Why a series cannot be reformatted. */
export class VolumeError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal);
    this.refusal = refusal;
  }
}

export class Volume {
  readonly source: Source;
  readonly stack: Stack;
  readonly voxels: Voxels;
  /** Of a slice: what images cut from the volume have in common with it. */
  readonly like: FrameInfo;
  ready = 0;
  failed = 0;
  private readonly listeners = new Set<() => void>();
  private isStopped = false;

  constructor(source: Source, stack: Stack, like: FrameInfo, slope: number) {
    this.source = source;
    this.stack = stack;
    const { rescale, recorded } = like;
    const own = recorded && { ...recorded, slope: (recorded.slope * slope) / rescale.slope };
    this.like = { ...like, rescale: { ...rescale, slope }, recorded: own };
    const count = stack.rows * stack.columns * stack.frames.length;
    const values = like.isSigned ? new Int16Array(count) : new Uint16Array(count);
    const low = like.isSigned ? -(2 ** (like.stored - 1)) : 0;
    const empty = like.padding ? like.padding[0] : Math.max(low, Math.min(0, airOf(like)));
    this.voxels = { stack, values: values.fill(empty), empty };
  }

  /** @throws VolumeError The series is no volume, or too large. */
  static async of(source: Source): Promise<Volume> {
    await source.ready();
    const infos = Array.from({ length: source.count }, (_, i) => source.info(i));
    const stack = stackOf(infos, MOST_BYTES);
    if (typeof stack === "string") throw new VolumeError(stack);
    const used = stack.frames.map((frame) => infos[frame]!);
    const [lead] = used;
    const same = used.every(
      ({ rescale }) => rescale.lut === lead!.rescale.lut && rescale.unit === lead!.rescale.unit,
    );
    if (!same) throw new VolumeError("colour");
    // Slices of PET have a slope each: the largest one holds them all.
    const slope = Math.max(...used.map(({ rescale }) => rescale.slope));
    const mapping = JSON.stringify(lead!.real);
    const isMapped = used.every(
      ({ real, rescale }) => rescale.slope === slope && JSON.stringify(real) === mapping,
    );
    const volume = new Volume(source, stack, { ...lead!, ...(!isMapped && { real: null }) }, slope);
    void volume.fill();
    return volume;
  }

  get total(): number {
    return this.stack.frames.length;
  }

  get bytes(): number {
    return this.voxels.values.byteLength;
  }

  watch(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Nobody looks at it any more. */
  stop(): void {
    this.isStopped = true;
    this.source.blur(this);
    this.listeners.clear();
  }

  /** From the middle outwards: what is looked at first is there first. */
  private async fill(): Promise<void> {
    const middle = this.total >> 1;
    const order = Array.from({ length: this.total }, (_, i) => i);
    order.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
    let told = performance.now();
    const work = async () => {
      for (let z = order.shift(); z !== undefined && !this.isStopped; z = order.shift()) {
        const frame = this.stack.frames[z]!;
        if (z % 16 === 0) this.source.focus(this, frame, 0);
        try {
          this.put(z, await this.source.picture(frame));
          this.ready++;
        } catch {
          this.failed++; // said by progress, and seen as a gap
        }
        const now = performance.now();
        if (now - told > TELL_MS) {
          told = now;
          this.tell();
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    this.source.blur(this);
    this.tell();
  }

  private put(z: number, picture: Picture): void {
    if (picture.kind !== "grey") throw new VolumeError("colour");
    const { values } = this.voxels;
    const size = this.stack.rows * this.stack.columns;
    const { rescale } = picture.info;
    const common = this.like.rescale;
    const by = rescale.slope / common.slope;
    const plus = (rescale.intercept - common.intercept) / common.slope;
    const start = z * size;
    const isSame = by === 1 && plus === 0;
    for (let i = 0; i < size; i++) {
      const stored = storedValue(picture, i);
      values[start + i] = isSame ? stored : Math.round(stored * by + plus);
    }
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

/** The stored value of air in Hounsfield units, else 0. */
function airOf(info: FrameInfo): number {
  if (info.rescale.unit !== "HU" || info.rescale.lut) return 0;
  return Math.round((-1000 - rescaled(info.rescale, 0)) / info.rescale.slope);
}
