/** One frame's stream into cells, by the object's transfer syntax. */
import type { Cells } from "../data/codec.ts";
import { rgbFromYbr } from "../data/colour.ts";
import { SYNTAX } from "../data/syntaxes.ts";
import {
  cutAtStored,
  hasYbr,
  holdAgainst,
  holdAgainstLength,
  StreamError,
  type Wanted,
} from "./frame.ts";
import { codestreamOf, unsigned } from "./jpeg_2000.ts";
import { decodeJpegExtended } from "./jpeg_extended.ts";
import { decodeJpegLossless } from "./jpeg_lossless.ts";
import { jpegLsFrameOf } from "./jpeg_stream.ts";
import { decodeRle } from "./rle.ts";
import type { WasmCodec } from "./wasm.ts";

const LOSSY: ReadonlySet<string> = new Set([SYNTAX.jpegLsNear, SYNTAX.jpeg2000, SYNTAX.htj2k]);

export interface Codecs {
  jpegLs: WasmCodec;
  jpeg2000: WasmCodec;
}

/**
 * @returns Colour by pixel; red, green and blue where the object has YBR_FULL or JPEG 2000's own.
 * @throws StreamError
 */
export async function decodeStream(
  bytes: Uint8Array,
  wanted: Wanted,
  codecs: Codecs,
): Promise<Cells> {
  const isLossy = LOSSY.has(wanted.transferSyntax);
  let cells: Cells;
  switch (wanted.transferSyntax) {
    case SYNTAX.rle:
      cells = decodeRle(bytes, wanted);
      break;
    case SYNTAX.jpegBaseline:
    case SYNTAX.jpegExtended:
      return decodeJpegExtended(bytes, wanted);
    case SYNTAX.jpegLossless:
    case SYNTAX.jpegLosslessFirst:
      cells = decodeJpegLossless(bytes, wanted);
      break;
    case SYNTAX.jpegLs:
    case SYNTAX.jpegLsNear: {
      const frame = jpegLsFrameOf(bytes);
      holdAgainst(frame, wanted);
      holdAgainstLength(bytes, wanted);
      cells = await codecs.jpegLs.decode(bytes, wanted);
      if (isLossy) cutAtStored(cells, frame.precision, wanted);
      break;
    }
    case SYNTAX.jpeg2000:
    case SYNTAX.jpeg2000Lossless:
    case SYNTAX.htj2kLossless:
    case SYNTAX.htj2kLosslessRpcl:
    case SYNTAX.htj2k: {
      const stream = codestreamOf(bytes);
      holdAgainst(stream, wanted);
      holdAgainstLength(bytes, wanted);
      // Undone it would be RGB or, if it was used on top, not: nobody can tell.
      if (stream.isTransformed && hasYbr(wanted)) throw new StreamError("colour transform");
      if (stream.isSigned && stream.precision <= 8) {
        cells = await codecs.jpeg2000.decode(unsigned(bytes, stream), wanted);
        const half = 2 ** (stream.precision - 1);
        for (let i = 0; i < cells.length; i++) cells[i]! -= half;
      } else cells = await codecs.jpeg2000.decode(bytes, wanted);
      if (isLossy) cutAtStored(cells, stream.precision, wanted);
      break;
    }
    default:
      throw new StreamError("transfer syntax", true);
  }
  return hasYbr(wanted) && cells instanceof Uint8Array ? rgbFromYbr(cells) : cells;
}
