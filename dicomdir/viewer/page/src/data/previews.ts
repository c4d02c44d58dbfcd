/** Coarse pictures of a series' large frames: seen while those are on their way from a slow disc. */
import type { FrameInfo } from "../dicom/frame.ts";
import { cellsOf, FILTERED, type Job, RAW } from "./cells.ts";
import { bytesOf, type Cells } from "./codec.ts";
import { DataError } from "./errors.ts";
import type { Files } from "./files.ts";
import type { Meta, PreviewEntry } from "./format.ts";
import { inflateNow } from "./inflate.ts";
import type { Rank } from "./loader.ts";
import type { CoarsePicture } from "./source.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export class Previews {
  private readonly folder: string;
  private readonly meta: Meta;
  private readonly files: Files;
  /** P files: a fiftieth of the pixels, so they stay. */
  private readonly payloads = new Map<number, Promise<Bytes>>();

  constructor(folder: string, meta: Meta, files: Files) {
    this.folder = folder;
    this.meta = meta;
    this.files = files;
  }

  has(index: number): boolean {
    return this.meta.previews.has(index);
  }

  /** The P file that has it. @throws DataError */
  load(index: number, rank: Rank): Promise<Bytes> {
    const { file } = this.meta.previews.get(index)!;
    const name = this.name(file);
    let made = this.payloads.get(file);
    if (made) this.files.urge(name, rank);
    else {
      made = this.files.payload(name, rank);
      made.catch(() => this.payloads.delete(file)); // it may be asked for again
      this.payloads.set(file, made);
    }
    return made;
  }

  /** @throws DataError */
  picture(index: number, info: FrameInfo, payload: Bytes): CoarsePicture | null {
    const entry = this.meta.previews.get(index)!;
    if (info.samples !== 1 || info.palette || info.allocated > 16) return null;
    return coarsePicture(payload, entry, info, this.name(entry.file));
  }

  private name(file: number): string {
    return `${this.folder}/P${String(file).padStart(7, "0")}`;
  }
}

/** @throws DataError "damaged", or "unsupported" for a codec of a later version. */
export function coarsePicture(
  payload: Bytes,
  entry: PreviewEntry,
  info: FrameInfo,
  file: string,
): CoarsePicture {
  const { offset, length, codec, predictor, crc, step } = entry;
  if (offset + length > payload.length) throw new DataError("damaged", file, "place of a preview");
  if (codec !== RAW && codec !== FILTERED) throw new DataError("unsupported", file, "codec");
  const { allocated, isSigned } = info;
  const rows = Math.floor(info.rows / step);
  const columns = Math.floor(info.columns / step);
  const shape = { rows, columns, samples: 1, allocated, isSigned };
  const bytes = payload.slice(offset, offset + length);
  const job: Job = { bytes, shape, codec, predictor, crc, file, halve: null };
  const planes = codec === RAW ? bytes : inflateNow(bytes, file, bytesOf(shape));
  const cells = asStored(cellsOf(job, planes), entry.dropped, info);
  return { kind: "coarse", info, rows: info.rows, columns: info.columns, step, cells };
}

/** Means as they travel into cells as the frame has them, nothing beside the stored bits. */
function asStored(means: Cells, dropped: number, { stored, shift }: FrameInfo): Cells {
  const mask = 2 ** stored - 1;
  return means.map((mean) => ((mean << dropped) & mask) << shift) as Cells;
}
