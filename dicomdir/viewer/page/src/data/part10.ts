/**
 * DICOM files as people have them (PS3.10): the data set up to the pixels, read by slices that
 * grow, brought to Explicit VR Little Endian; and where the pixels lie.
 */
import { DataSet } from "../dicom/dataset.ts";
import { dictionary } from "../dicom/dictionary.ts";
import { toLittleEndian } from "./big_endian.ts";
import { DataError } from "./errors.ts";
import { toExplicit } from "./implicit.ts";
import { inflate, inflateFirst } from "./inflate.ts";
import { SYNTAX } from "./syntaxes.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const FIRST_SLICE = 64 << 10;
const MOST_HEADER = 64 << 20;
const MOST_INFLATED = 512 << 20;
const UNDEFINED = 0xffffffff;
const LONG = /^(OB|OD|OF|OL|OV|OW|SQ|SV|UC|UN|UR|UT|UV)$/;

export interface Part10 {
  transferSyntax: string;
  /** Explicit VR Little Endian, whatever the file has. */
  header: DataSet;
  /** Where (7FE0,0010) has its value; `length` null: encapsulated. Null: no pixels. */
  pixels: { body: Blob; start: number; length: number | null; vr: string } | null;
}

/** More bytes of the file are needed. */
class NeedMore extends Error {}

/** Object identifiers of EnvelopedData and AuthEnvelopedData (RFC 5652 6.1, RFC 5083), their ends. */
const SEALED = ["\x86\xf7\x0d\x01\x07\x03", "\x86\xf7\x0d\x01\x09\x10\x01\x17"];

/**
 * @throws DataError "damaged": no DICOM file; "unsupported": an encoding this page does not read;
 *   "encrypted": a Secure DICOM File (PS3.10 7.4).
 */
export async function readPart10(file: Blob): Promise<Part10> {
  for (let size = FIRST_SLICE; ; size *= 4) {
    const bytes = new Uint8Array(await file.slice(0, size).arrayBuffer());
    const isWhole = bytes.length >= file.size;
    try {
      return await read(file, bytes);
    } catch (error) {
      const isShort = error instanceof NeedMore && !isWhole && size < MOST_HEADER;
      if (isShort) continue;
      throw error instanceof DataError ? error : new DataError("damaged", "", String(error));
    }
  }
}

async function read(file: Blob, bytes: Bytes): Promise<Part10> {
  const top = String.fromCharCode(...bytes.subarray(0, 24));
  if (top[0] === "0" && SEALED.some((each) => top.includes(each))) {
    throw new DataError("encrypted", "");
  }
  if (bytes.length < 132 || String.fromCharCode(...bytes.subarray(128, 132)) !== "DICM") {
    throw new DataError("damaged", "", "no DICM");
  }
  const view = new DataView(bytes.buffer);
  let at = 132;
  let transferSyntax = "";
  while (at + 8 <= bytes.length && view.getUint16(at, true) === 2) {
    const element = elementAt(bytes, view, at, false);
    if (view.getUint16(at + 2, true) === 0x0010) {
      const text = new TextDecoder("latin1").decode(bytes.subarray(element.start, element.next));
      transferSyntax = text.replace(/[\0 ]+$/, "");
    }
    at = element.next;
    if (at > bytes.length) throw new NeedMore();
  }
  if (transferSyntax === SYNTAX.bigEndian) toLittleEndian(bytes, at);
  if (transferSyntax === SYNTAX.deflated) return inflated(file, at);
  return body(file, bytes, at, transferSyntax);
}

async function inflated(file: Blob, at: number): Promise<Part10> {
  const packed = new Uint8Array(await file.slice(at).arrayBuffer());
  // Browsers refuse what others write behind the data: a zero (PS3.5 A.5), or gzip's own end.
  const whole = await inflate(packed, "", null, MOST_INFLATED).catch(() =>
    inflateFirst(packed, "", MOST_INFLATED),
  );
  return body(new Blob([whole]), whole, 0, SYNTAX.deflated);
}

async function body(
  file: Blob,
  bytes: Bytes,
  start: number,
  transferSyntax: string,
): Promise<Part10> {
  const isImplicit = transferSyntax === SYNTAX.implicit;
  const { end, pixels } = findPixels(bytes, start, isImplicit, file.size);
  // A copy: the slice may be much longer than the header that is kept.
  const own = bytes.slice(start, end);
  const header = isImplicit ? toExplicit(own, await dictionary()) : own;
  return {
    transferSyntax,
    header: new DataSet(header),
    pixels: pixels && { body: file, ...pixels },
  };
}

/** Top-level elements until the first that may be pixels (7FE0,0008). */
function findPixels(
  bytes: Bytes,
  start: number,
  isImplicit: boolean,
  fileSize: number,
): { end: number; pixels: { start: number; length: number | null; vr: string } | null } {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let at = start;
  let end = -1;
  while (at + 8 <= bytes.length) {
    const tag = tagAt(view, at);
    if (tag >= 0x7fe00008 && end < 0) end = at;
    const element = elementAt(bytes, view, at, isImplicit);
    if (tag === 0x7fe00010) {
      const { vr, start, length } = element;
      return { end, pixels: { start, length: length === UNDEFINED ? null : length, vr } };
    }
    if (tag > 0x7fe00010) break;
    at =
      element.length === UNDEFINED
        ? endOfSequence(bytes, view, element.start, isImplicit || element.vr === "UN")
        : element.next;
    if (at > bytes.length) {
      if (at > fileSize) throw new DataError("damaged", "", "cut off");
      throw new NeedMore();
    }
  }
  if (at + 8 > bytes.length && bytes.length < fileSize) throw new NeedMore();
  return { end: end < 0 ? Math.min(at, bytes.length) : end, pixels: null };
}

function tagAt(view: DataView, at: number): number {
  return ((view.getUint16(at, true) << 16) | view.getUint16(at + 2, true)) >>> 0;
}

interface Place {
  vr: string;
  start: number;
  length: number;
  next: number;
}

function elementAt(bytes: Bytes, view: DataView, at: number, isImplicit: boolean): Place {
  if (at + 8 > bytes.length) throw new NeedMore();
  if (isImplicit || view.getUint16(at, true) === 0xfffe) {
    const length = view.getUint32(at + 4, true);
    return { vr: "UN", start: at + 8, length, next: at + 8 + length };
  }
  const vr = String.fromCharCode(bytes[at + 4]!, bytes[at + 5]!);
  if (!/^[A-Z]{2}$/.test(vr)) throw new DataError("damaged", "", "no VR");
  if (!LONG.test(vr)) {
    const length = view.getUint16(at + 6, true);
    return { vr, start: at + 8, length, next: at + 8 + length };
  }
  if (at + 12 > bytes.length) throw new NeedMore();
  const length = view.getUint32(at + 8, true);
  return { vr, start: at + 12, length, next: at + 12 + length };
}

/** After the delimiter of a sequence of undefined length. */
function endOfSequence(
  bytes: Bytes,
  view: DataView,
  from: number,
  isImplicit: boolean,
  depth = 0,
): number {
  if (depth > 32) throw new DataError("damaged", "", "too deep");
  let at = from;
  for (;;) {
    if (at + 8 > bytes.length) throw new NeedMore();
    const tag = tagAt(view, at);
    const length = view.getUint32(at + 4, true);
    if (tag === 0xfffee0dd) return at + 8;
    if (tag !== 0xfffee000) throw new DataError("damaged", "", "no item");
    at += 8;
    if (length !== UNDEFINED) {
      at += length;
      continue;
    }
    for (;;) {
      if (at + 8 > bytes.length) throw new NeedMore();
      if (tagAt(view, at) === 0xfffee00d) break;
      const element = elementAt(bytes, view, at, isImplicit);
      at =
        element.length === UNDEFINED
          ? endOfSequence(bytes, view, element.start, isImplicit || element.vr === "UN", depth + 1)
          : element.next;
    }
    at += 8;
  }
}
