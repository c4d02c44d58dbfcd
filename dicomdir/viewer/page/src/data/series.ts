/** A series of the medium as a Source: chunks loaded outwards from what is looked at. */
import type { DataSet } from "../dicom/dataset.ts";
import { type FrameInfo, frameInfo } from "../dicom/frame.ts";
import { decodeFrame } from "./decode.ts";
import type { Pools } from "./disc.ts";
import { DataError } from "./errors.ts";
import type { Files } from "./files.ts";
import { type InstanceEntry, type Meta, readMeta, type SeriesEntry } from "./format.ts";
import { Headers } from "./headers.ts";
import { AWAITED } from "./loader.ts";
import { Previews } from "./previews.ts";
import type { CoarsePicture, Picture, Progress, Source } from "./source.ts";
import { isLarge, warmUp } from "./workers.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const DECODE_AHEAD = 6;
/** A chunk may be empty because it was written so. */
const MOST_AGAIN = 3;
/** Rank of a frame that is asked for where nobody looks: after what is near to somebody's eyes. */
const WANTED_UNSEEN = 1000;

export class SeriesData implements Source {
  readonly key: string;
  readonly modality: string;
  readonly entry: SeriesEntry;
  meta!: Meta;
  headers!: Headers;
  private previews!: Previews;
  private readonly files: Files;
  private readonly pools: Pools;
  private readonly folder: string;
  private opening: Promise<void> | null = null;
  private infos: (FrameInfo | undefined)[] = [];
  private readonly loading = new Map<number, Promise<Bytes>>();
  private readonly decoding = new Map<number, Promise<Picture>>();
  private readonly failures = new Map<number, DataError>();
  private readonly listeners = new Set<() => void>();
  /** Who looks at which frame. */
  private readonly eyes = new Map<object, number>();
  private direction: -1 | 0 | 1 = 0;
  private isHeld = false;
  /** First and last frame of each chunk; those of two may overlap. */
  private readonly spans = new Map<number, [number, number]>();

  constructor(entry: SeriesEntry, files: Files, pools: Pools) {
    this.key = `series/${entry.n}`;
    this.modality = entry.modality;
    this.entry = entry;
    this.files = files;
    this.pools = pools;
    this.folder = `S${String(entry.n).padStart(7, "0")}`;
  }

  get count(): number {
    return this.meta.order.length;
  }

  /**
   * Load META.
   *
   * @param isLookedAt The chunk of the first image comes beside it.
   * @throws DataError
   */
  open(isLookedAt = false): Promise<void> {
    this.opening ??= this.load(isLookedAt);
    return this.opening;
  }

  private load(isLookedAt: boolean): Promise<void> {
    const made = this.files
      .inflated(`${this.folder}/META`, () => 0)
      .then((payload) => {
        this.meta = readMeta(payload, `${this.folder}/META`);
        this.meta.frames.forEach(([c], index) => {
          this.spans.set(c, [this.spans.get(c)?.[0] ?? index, index]);
        });
        if (this.meta.instances.some((each) => isLarge({ ...each, isSigned: false }))) warmUp();
        this.headers = new Headers(this.folder, this.meta.instances, this.files);
        this.previews = new Previews(this.folder, this.meta, this.files);
      })
      .catch((error: unknown) => {
        this.opening = null;
        throw error;
      });
    const { first } = this.entry;
    if (isLookedAt && Number.isInteger(first)) this.chunk(first!, true).catch(() => undefined);
    return made;
  }

  instance(index: number): InstanceEntry {
    return this.meta.instances[this.meta.order[index]![0]]!;
  }

  /** Where a frame of an object stands in the display order; -1: not in this series. */
  indexOf(uid: string, frame = 1): number {
    const instance = this.meta.instances.findIndex((each) => each.uid === uid);
    return this.meta.order.findIndex(([i, f]) => i === instance && f === frame - 1);
  }

  /** The data set of a frame's object, for panels. */
  dataset(index: number): Promise<DataSet> {
    return this.headers.dataset(this.meta.order[index]![0]);
  }

  ready(): Promise<void> {
    return this.headers.all();
  }

  leisure(): Promise<void> {
    return this.files.company;
  }

  info(index: number): FrameInfo | null {
    const known = this.infos[index];
    if (known) return known;
    const place = this.meta.order[index];
    if (!place) return null;
    const ds = this.headers.peek(place[0]);
    return ds ? this.makeInfo(index, ds) : null;
  }

  peek(index: number): Picture | null {
    return this.pools.pictures.get(this.pictureKey(index)) ?? null;
  }

  picture(index: number): Promise<Picture> {
    const known = this.peek(index);
    if (known) return Promise.resolve(known);
    let made = this.decoding.get(index);
    if (!made) {
      made = this.decode(index).finally(() => this.decoding.delete(index));
      this.decoding.set(index, made);
    }
    return made;
  }

  hasCoarse(index: number): boolean {
    return this.previews.has(index);
  }

  async coarse(index: number): Promise<CoarsePicture | null> {
    const chunk = this.meta.frames[index]?.[0] ?? 0;
    if (!this.previews.has(index) || this.pools.chunks.has(this.chunkKey(chunk))) return null;
    // Before the pixels of the same distance, which take fifty times as long.
    const rank = () => AWAITED - 1 + Math.min(this.chunkDistance(chunk), WANTED_UNSEEN);
    const coming = this.previews.load(index, rank);
    const ds = await this.dataset(index);
    const info = this.infos[index] ?? this.makeInfo(index, ds);
    return this.previews.picture(index, info, await coming);
  }

  get isSeen(): boolean {
    return this.eyes.size > 0;
  }

  focus(who: object, index: number, direction: -1 | 0 | 1): void {
    this.eyes.set(who, index);
    if (direction) this.direction = direction;
    this.files.reconsider();
    void this.ahead(who, index);
    this.outwards();
  }

  /** Pixels of this series wait, those that somebody looks at too; coarse pictures do not. */
  hold(isHeld: boolean): void {
    this.isHeld = isHeld;
    this.files.reconsider();
  }

  blur(who: object): void {
    this.eyes.delete(who);
  }

  progress(): Progress {
    let ready = 0;
    let failed = 0;
    for (const [c] of this.meta.frames) {
      if (this.pools.chunks.has(this.chunkKey(c))) ready++;
      else if (this.failures.has(c)) failed++;
    }
    return { ready, failed, total: this.count };
  }

  watch(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Of a key in the pools: how far it is from what is looked at. */
  distance(key: string): number {
    const [, name = ""] = key.split("/");
    if (name.startsWith("C")) return this.chunkDistance(Number(name.slice(1)));
    return this.spanDistance(Number(name), Number(name));
  }

  private chunkDistance(c: number): number {
    const [first, last] = this.spans.get(c) ?? [Infinity, Infinity];
    return this.spanDistance(first, last);
  }

  private spanDistance(first: number, last: number): number {
    let least = Infinity;
    for (const at of this.eyes.values()) {
      least = Math.min(least, at < first ? first - at : Math.max(0, at - last));
    }
    return least;
  }

  private async decode(index: number): Promise<Picture> {
    const frame = this.meta.frames[index];
    if (!frame) throw new DataError("unsupported", this.folder, "no pixels carried");
    // Both at once: the header of the first image is in another file than its pixels.
    let [ds, chunk] = await Promise.all([this.dataset(index), this.chunk(frame[0], true)]);
    for (let i = 0; i < MOST_AGAIN && !chunk.length; i++) {
      chunk = await this.chunk(frame[0], true); // it had to go while the header came
    }
    const file = this.chunkKey(frame[0]);
    const info = this.infos[index] ?? this.makeInfo(index, ds);
    const picture = await decodeFrame(chunk, frame, info, file);
    const size = picture.kind === "grey" ? picture.cells.byteLength : picture.rgba.byteLength;
    this.pools.pictures.put(
      this.pictureKey(index),
      picture,
      size,
      (key) => -this.pools.distance(key),
    );
    return picture;
  }

  /**
   * A chunk's payload, loaded unless it is there.
   *
   * @param isWanted Somebody waits for it; else it is loaded ahead, and waits while nobody looks.
   */
  private chunk(c: number, isWanted: boolean): Promise<Bytes> {
    const key = this.chunkKey(c);
    const known = this.pools.chunks.get(key);
    if (known) return Promise.resolve(known);
    const rank = () => {
      if (this.isHeld) return Infinity;
      if (!this.spans.size) return AWAITED; // asked for beside META
      return Math.min(AWAITED + this.chunkDistance(c), isWanted ? WANTED_UNSEEN : Infinity);
    };
    let made = this.loading.get(c);
    if (made && isWanted) this.files.urge(key, rank);
    if (!made) {
      made = this.files
        .payload(key, rank, this.meta?.chunks[c - 1]?.[1]) // beside META there is no META yet
        .then(
          (payload) => {
            this.pools.chunks.put(
              key,
              payload,
              payload.length,
              (other) => -this.pools.distance(other),
            );
            this.failures.delete(c);
            return payload;
          },
          (error: DataError) => {
            this.failures.set(c, error);
            throw error;
          },
        )
        .finally(() => {
          this.loading.delete(c);
          for (const listener of this.listeners) listener();
        });
      this.loading.set(c, made);
    }
    return made;
  }

  /** Ask for what memory holds, nearest first; the loader takes them by their rank of the moment. */
  private outwards(): void {
    const chunks = [...this.spans.keys()].map((c) => ({ c, far: this.chunkDistance(c) }));
    let room = this.pools.share();
    for (const { c } of chunks.sort((a, b) => a.far - b.far)) {
      room -= this.meta.chunks[c - 1]?.[0] ?? 0;
      if (room < 0) break;
      if (!this.failures.has(c)) this.chunk(c, false).catch(() => undefined); // kept in `failures`
    }
  }

  /** Decode the next few frames in the direction of scrolling. */
  private async ahead(who: object, from: number): Promise<void> {
    const step = this.direction || 1;
    for (let i = 0; i <= DECODE_AHEAD; i++) {
      const index = from + i * step;
      if (index < 0 || index >= this.count || this.eyes.get(who) !== from) return;
      await this.picture(index).catch(() => undefined); // the viewport that shows it will tell
      await this.files.company;
    }
  }

  private makeInfo(index: number, ds: DataSet): FrameInfo {
    const [instance, frame] = this.meta.order[index]!;
    const made = frameInfo(this.meta.instances[instance]!, ds, frame);
    this.infos[index] = made;
    return made;
  }

  private chunkKey(c: number): string {
    return `${this.folder}/C${String(c).padStart(7, "0")}`;
  }

  private pictureKey(index: number): string {
    return `${this.folder}/${index}`;
  }
}
