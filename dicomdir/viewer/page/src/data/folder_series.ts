/** A series of files as a Source: headers when it is opened, pixels as they are looked at. */
import type { DataSet } from "../dicom/dataset.ts";
import { type FrameInfo, frameInfo } from "../dicom/frame.ts";
import { T } from "../dicom/tags.ts";
import { decodeCoded } from "./coded.ts";
import { fromJpeg, picture } from "./decode.ts";
import { DataError } from "./errors.ts";
import type { InstanceEntry, SeriesEntry } from "./format.ts";
import { frameBytes } from "./fragments.ts";
import { Bounded } from "./memory.ts";
import { type Part10, readPart10 } from "./part10.ts";
import { entryOf, plainCells } from "./pixels.ts";
import type { Picture, Progress, Source } from "./source.ts";
import { CODED, nameOf, SYNTAX } from "./syntaxes.ts";

export interface FolderObject {
  file: File;
  path: string;
  uid: string;
  classUid: string;
  transferSyntax: string;
  number: number | null;
}

interface Opened {
  object: FolderObject;
  part: Part10;
  entry: InstanceEntry;
}

const PLAIN: ReadonlySet<string> = new Set([
  SYNTAX.implicit,
  SYNTAX.explicit,
  SYNTAX.deflated,
  SYNTAX.bigEndian,
]);
const AHEAD = 3;
const AT_ONCE = 4;
/** Of all opened folders together. */
const pictures = new Bounded<Picture>(192 << 20);

export class FolderSeries implements Source {
  readonly modality: string;
  private readonly entry: SeriesEntry;
  private readonly objects: Opened[];
  private readonly order: [number, number][];
  private readonly infos: (FrameInfo | undefined)[] = [];
  private readonly decoding = new Map<number, Promise<Picture>>();
  private readonly eyes = new Map<object, number>();

  private constructor(entry: SeriesEntry, objects: Opened[]) {
    this.entry = entry;
    this.modality = entry.modality;
    this.objects = sorted(objects);
    this.order = this.objects.flatMap(({ entry: { frames } }, i) =>
      Array.from({ length: frames }, (_, frame): [number, number] => [i, frame]),
    );
    entry.frames = this.order.length;
  }

  /** Headers of all its files. @throws DataError None of them can be shown. */
  static async open(entry: SeriesEntry, objects: readonly FolderObject[]): Promise<FolderSeries> {
    const opened: Opened[] = [];
    let failed: unknown = null;
    let next = 0;
    const worker = async () => {
      while (next < objects.length) {
        const object = objects[next++]!;
        try {
          const part = await readPart10(object.file);
          opened.push({ object, part, entry: entryOf(object, part) });
        } catch (error) {
          failed = error; // the others are shown
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    if (!opened.length) throw failed ?? new DataError("unsupported", entry.uid, "no objects");
    return new FolderSeries(entry, opened);
  }

  get key(): string {
    return `series/${this.entry.n}`;
  }

  get count(): number {
    return this.order.length;
  }

  /** The data set of a frame's object, for panels. */
  dataset(index: number): Promise<DataSet> {
    return Promise.resolve(this.objects[this.order[index]![0]]!.part.header);
  }

  peek(index: number): Picture | null {
    return pictures.get(`${this.key}/${index}`) ?? null;
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

  info(index: number): FrameInfo | null {
    const known = this.infos[index];
    if (known) return known;
    const place = this.order[index];
    if (!place) return null;
    const { entry, part } = this.objects[place[0]]!;
    const made = frameInfo(entry, part.header, place[1]);
    this.infos[index] = made;
    return made;
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  focus(who: object, index: number, direction: -1 | 0 | 1): void {
    this.eyes.set(who, index);
    void this.ahead(who, index, direction || 1);
  }

  blur(who: object): void {
    this.eyes.delete(who);
  }

  /** Files are at hand: nothing has to be loaded before it is looked at. */
  progress(): Progress {
    return { ready: this.count, failed: 0, total: this.count };
  }

  watch(): () => void {
    return () => undefined;
  }

  private async ahead(who: object, from: number, step: number): Promise<void> {
    for (let i = 1; i <= AHEAD; i++) {
      const index = from + i * step;
      if (index < 0 || index >= this.count || this.eyes.get(who) !== from) return;
      await this.picture(index).catch(() => undefined); // the viewport that shows it will tell
    }
  }

  private async decode(index: number): Promise<Picture> {
    const [instance, frame] = this.order[index]!;
    const { object, part, entry } = this.objects[instance]!;
    const info = this.info(index)!;
    if (!part.pixels) throw new DataError("unsupported", object.uid, "no pixels");
    let made: Picture;
    try {
      made = await this.decodeBy(part, entry, frame, info);
    } catch (error) {
      // The medium is pulled out, or the file was changed since.
      if (error instanceof DataError) throw error;
      throw new DataError("unreadable", object.uid, String(error));
    }
    const size = made.kind === "grey" ? made.cells.byteLength : made.rgba.byteLength;
    pictures.put(`${this.key}/${index}`, made, size);
    return made;
  }

  private async decodeBy(
    part: Part10,
    entry: InstanceEntry,
    frame: number,
    info: FrameInfo,
  ): Promise<Picture> {
    const { transferSyntax } = part;
    const { body, start, length } = part.pixels!;
    if (length !== null) {
      if (PLAIN.has(transferSyntax)) return picture(await plainCells(part, entry, frame), info);
    } else if (CODED.has(transferSyntax)) {
      const bytes = await frameBytes(body, start, frame, entry.frames);
      const isBrowsers = transferSyntax === SYNTAX.jpegBaseline && entry.allocated === 8;
      if (isBrowsers) return fromJpeg(bytes, info, entry.uid);
      const photometric = part.header.string(T.PhotometricInterpretation);
      return decodeCoded(bytes, transferSyntax, photometric, info);
    }
    throw new DataError("compressed", entry.uid, nameOf(transferSyntax));
  }
}

/** Along the normal where all are slices of one plane with a place of their own, else by number. */
function sorted(objects: Opened[]): Opened[] {
  const numbered = [...objects].sort(
    (a, b) =>
      (a.entry.number ?? Infinity) - (b.entry.number ?? Infinity) ||
      (a.object.path < b.object.path ? -1 : 1),
  );
  const places = numbered.map(({ part, entry }) =>
    entry.frames === 1 ? placeOf(part.header) : null,
  );
  const isVolume =
    numbered.length > 1 &&
    places.every((each) => each !== null && each.plane === places[0]!.plane) &&
    new Set(places.map((each) => each!.along)).size === places.length;
  if (!isVolume) return numbered;
  const half = numbered.length >> 1;
  const mean = (all: typeof places) => all.reduce((sum, each) => sum + each!.along, 0) / all.length;
  const sign = mean(places.slice(half)) < mean(places.slice(0, half)) ? -1 : 1;
  const along = new Map(numbered.map((each, i) => [each, places[i]!.along * sign]));
  return numbered.sort((a, b) => along.get(a)! - along.get(b)!);
}

function placeOf(ds: DataSet): { along: number; plane: string } | null {
  const position = ds.numbers(T.ImagePositionPatient);
  const axes = ds.numbers(T.ImageOrientationPatient);
  if (position.length !== 3 || axes.length !== 6) return null;
  const [a, b, c, d, e, f] = axes as [number, number, number, number, number, number];
  const normal = [b * f - c * e, c * d - a * f, a * e - b * d];
  const along = normal.reduce((sum, each, i) => sum + each * position[i]!, 0);
  return { along, plane: normal.map((each) => (each + 0).toFixed(2)).join() };
}
