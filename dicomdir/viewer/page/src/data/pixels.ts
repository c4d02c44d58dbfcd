/** Uncompressed pixels of a file as the page's pictures want them: colour by pixel, red green blue. */
import type { DataSet } from "../dicom/dataset.ts";
import { T } from "../dicom/tags.ts";
import { swapWords } from "./big_endian.ts";
import { asCells, type Cells } from "./codec.ts";
import { rgbFromYbr } from "./colour.ts";
import { DataError } from "./errors.ts";
import type { FolderObject } from "./folder_series.ts";
import type { InstanceEntry } from "./format.ts";
import type { Part10 } from "./part10.ts";
import { nameOf, SYNTAX } from "./syntaxes.ts";

type Bytes = Uint8Array<ArrayBuffer>;

interface Layout {
  /** Of one frame, in the file. */
  bits: number;
  /** @param skip Bits of the first byte that belong to the frame before. */
  read(bytes: Bytes, skip: number): Bytes;
}

const MOST_PIXELS = 1 << 28;
const PLANAR = 0x00280006;
const BITS_ALLOCATED = 0x00280100;

/** What META says of an instance, from its own header. @throws DataError "unsupported" */
export function entryOf(object: FolderObject, part: Part10): InstanceEntry {
  const ds = part.header;
  const rows = ds.number(T.Rows) ?? 0;
  const columns = ds.number(T.Columns) ?? 0;
  const samples = ds.number(T.SamplesPerPixel) ?? 1;
  const bits = ds.number(BITS_ALLOCATED) ?? 0;
  const isPossible =
    rows > 0 &&
    columns > 0 &&
    rows * columns <= MOST_PIXELS &&
    (samples === 1 || samples === 3) &&
    [1, 8, 16, 32].includes(bits);
  if (!part.pixels || !isPossible) throw new DataError("unsupported", object.uid, "pixels");
  const photometric = ds.string(T.PhotometricInterpretation);
  return {
    uid: object.uid,
    class: object.classUid,
    number: ds.number(T.InstanceNumber),
    file: object.path,
    frames: Math.max(1, Math.min(100_000, ds.number(T.NumberOfFrames) ?? 1)),
    first: 0,
    header: [0, 0, 0],
    rows,
    columns,
    samples,
    allocated: bits === 1 ? 8 : bits,
    stored: bits === 1 ? 1 : Math.min(bits, ds.number(T.BitsStored) ?? bits),
    signed: ds.number(T.PixelRepresentation) === 1 ? 1 : 0,
    photometric: photometric.startsWith("YBR") ? "RGB" : photometric,
    planar: 0,
  };
}

/** A frame of native pixels, from 0. @throws DataError "damaged", "unsupported" */
export async function plainCells(
  part: Part10,
  entry: InstanceEntry,
  frame: number,
): Promise<Cells> {
  const { body, start, length } = part.pixels!;
  const layout = interleaved(part.header, entry);
  const word = wordOf(part, entry);
  const from = Math.floor((frame * layout.bits) / 8);
  const to = Math.ceil(((frame + 1) * layout.bits) / 8);
  if (to > length!) throw new DataError("damaged", entry.uid, "too few pixels");
  // Whole words, where a frame of one byte a sample may begin within one.
  const first = from - (from % word);
  const last = Math.min(length!, Math.ceil(to / word) * word);
  const held = new Uint8Array(await body.slice(start + first, start + last).arrayBuffer());
  if (held.length !== last - first) throw new DataError("damaged", entry.uid, "cut off");
  if (word > 1) swapWords(held, word);
  const bytes = held.subarray(from - first, to - first);
  return asCells(layout.read(bytes, (frame * layout.bits) % 8), entry.allocated);
}

/**
 * Bytes that stand in reverse together: those of a sample, or of OW's words (PS3.5 8.1.2). Of 32 bits
 * in words of 16 some swap four bytes and some two: a dose must not be guessed.
 */
function wordOf({ transferSyntax, pixels }: Part10, { allocated, uid }: InstanceEntry): number {
  if (transferSyntax !== SYNTAX.bigEndian) return 1;
  if (allocated === 32) {
    throw new DataError("compressed", uid, `${nameOf(transferSyntax)}, 32 bits`);
  }
  return Math.max(allocated / 8, pixels!.vr === "OW" ? 2 : 1);
}

function interleaved(ds: DataSet, entry: InstanceEntry): Layout {
  const count = entry.rows * entry.columns;
  const bits = ds.number(BITS_ALLOCATED) ?? entry.allocated;
  if (bits === 1) return { bits: count, read: (bytes, skip) => unpackBits(bytes, skip, count) };
  const photometric = ds.string(T.PhotometricInterpretation);
  if (entry.samples === 1) return { bits: count * bits, read: (bytes) => bytes };
  if (photometric === "YBR_FULL_422") {
    if (bits !== 8) throw new DataError("unsupported", entry.uid, "4:2:2");
    return { bits: count * 16, read: (bytes) => rgbFromYbr(widened(bytes, count)) };
  }
  const isPlanar = ds.number(PLANAR) === 1;
  return {
    bits: count * bits * 3,
    read(bytes) {
      const mixed = isPlanar ? mix(bytes, count, bits / 8) : bytes;
      return photometric === "YBR_FULL" && bits === 8 ? rgbFromYbr(mixed) : mixed;
    },
  };
}

/** Least significant bit first (PS3.5 8.1.1). */
function unpackBits(bytes: Bytes, skip: number, count: number): Bytes {
  const out = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const at = i + skip;
    out[i] = (bytes[at >> 3]! >> (at & 7)) & 1;
  }
  return out;
}

/** Planes into pixels. */
function mix(bytes: Bytes, count: number, width: number): Bytes {
  const out = new Uint8Array(count * 3 * width);
  for (let part = 0; part < 3; part++) {
    for (let i = 0; i < count; i++) {
      for (let k = 0; k < width; k++) {
        out[(3 * i + part) * width + k] = bytes[(part * count + i) * width + k]!;
      }
    }
  }
  return out;
}

/** Y Y Cb Cr into Y Cb Cr, Y Cb Cr (PS3.3 C.7.6.3.1.2). */
function widened(bytes: Bytes, count: number): Bytes {
  const out = new Uint8Array(count * 3);
  for (let i = 0; i < count; i++) {
    const pair = (i >> 1) * 4;
    out[3 * i] = bytes[pair + (i & 1)]!;
    out[3 * i + 1] = bytes[pair + 2]!;
    out[3 * i + 2] = bytes[pair + 3]!;
  }
  return out;
}
