/** A frame's bytes into its cells, checked against their CRC; the part that a worker can do too. */
import { asCells, bytesOf, type Cells, type Shape, unfilter } from "./codec.ts";
import { crc32 } from "./crc32.ts";
import { DataError } from "./errors.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export const RAW = 0;
export const FILTERED = 1;

/** All that has to be known of a frame; plain, so that it can be sent to a worker. */
export interface Job {
  bytes: Bytes;
  shape: Shape;
  codec: number;
  predictor: number;
  crc: number;
  file: string;
  /** Stored bits and their shift where a picture at half the size is wanted as well. */
  halve: { stored: number; shift: number } | null;
}

export interface Made {
  cells: Cells;
  half?: Cells;
}

/**
 * @param planes The bytes inflated; of raw frames the bytes.
 * @throws DataError "damaged".
 */
export function cellsOf(job: Job, planes: Bytes): Cells {
  const { shape, file } = job;
  if (planes.length !== bytesOf(shape)) throw new DataError("damaged", file, "length");
  const cells =
    job.codec === FILTERED
      ? unfilter(planes, shape, job.predictor)
      : asCells(planes, shape.allocated);
  const decoded = new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength);
  if (crc32(decoded) !== job.crc) throw new DataError("damaged", file, "CRC of the pixels");
  return cells;
}
