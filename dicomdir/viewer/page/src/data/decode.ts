/** One frame of a chunk into a picture, checked against its CRC. */
import type { FrameInfo } from "../dicom/frame.ts";
import { cellsOf, FILTERED, type Job, RAW } from "./cells.ts";
import { bytesOf, type Cells } from "./codec.ts";
import { DataError } from "./errors.ts";
import type { FrameEntry } from "./format.ts";
import { inflate } from "./inflate.ts";
import { decodeJpeg } from "./jpeg.ts";
import { giveBack } from "./memory.ts";
import type { Picture } from "./source.ts";
import { decodeBeside } from "./workers.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const JPEG = 2;

/**
 * @param chunk Copied from at once: its owner may give it back at any time.
 * @throws DataError "damaged", or "unsupported" for a codec of a later version.
 */
export async function decodeFrame(
  chunk: Bytes,
  entry: FrameEntry,
  info: FrameInfo,
  file: string,
): Promise<Picture> {
  const [, offset, length, codec, predictor, crc] = entry;
  if (offset + length > chunk.length) throw new DataError("damaged", file, "place of a frame");
  const bytes = chunk.slice(offset, offset + length);
  if (codec === JPEG) return fromJpeg(bytes, info, file);
  if (codec !== RAW && codec !== FILTERED) throw new DataError("unsupported", file, "codec");
  const { rows, columns, samples, allocated, isSigned, stored, shift } = info;
  const shape = { rows, columns, samples, allocated, isSigned };
  const isGrey = samples === 1 && allocated <= 16 && !info.palette;
  const halve = isGrey ? { stored, shift } : null;
  const job: Job = { bytes, shape, codec, predictor, crc, file, halve };
  const made = (await decodeBeside(job)) ?? { cells: await decodeHere(job) };
  const shown = picture(made.cells, info);
  return shown.kind === "grey" && made.half ? { ...shown, half: made.half } : shown;
}

async function decodeHere(job: Job): Promise<Cells> {
  const { bytes, file, shape } = job;
  if (job.codec === RAW) return cellsOf(job, bytes); // which may be the cells
  const planes = await inflate(bytes, file, bytesOf(shape));
  const cells = cellsOf(job, planes);
  giveBack(bytes.buffer);
  giveBack(planes.buffer);
  return cells;
}

/** Samples, colour by pixel, as something to show. */
export function picture(cells: Cells, info: FrameInfo): Picture {
  const { rows, columns, samples } = info;
  if (samples === 1) return { kind: "grey", info, rows, columns, cells };
  const count = rows * columns;
  const rgba = new Uint8ClampedArray(count * 4);
  const shift = info.allocated > 8 ? Math.max(0, info.stored - 8) : 0;
  for (let i = 0, from = 0, to = 0; i < count; i++, from += 3, to += 4) {
    rgba[to] = cells[from]! >>> shift;
    rgba[to + 1] = cells[from + 1]! >>> shift;
    rgba[to + 2] = cells[from + 2]! >>> shift;
    rgba[to + 3] = 255;
  }
  return { kind: "colour", info, rows, columns, rgba };
}

export async function fromJpeg(bytes: Bytes, info: FrameInfo, file: string): Promise<Picture> {
  const { rows, columns } = info;
  const rgba = await decodeJpeg(bytes, rows, columns, file);
  if (info.samples !== 1) return { kind: "colour", info, rows, columns, rgba };
  const cells = new Uint8Array(rows * columns);
  for (let i = 0; i < cells.length; i++) cells[i] = rgba[4 * i]!;
  return { kind: "grey", info, rows, columns, cells };
}
