/** One frame's stream into cells, by the object's transfer syntax. */
import type { Cells } from "../data/codec.ts";
import { rgbFromYbr } from "../data/colour.ts";
import { SYNTAX } from "../data/syntaxes.ts";
import { holdAgainst, StreamError, type Wanted } from "./frame.ts";
import { codestreamOf } from "./jpeg_2000.ts";
import { decodeJpegExtended } from "./jpeg_extended.ts";
import { decodeJpegLossless } from "./jpeg_lossless.ts";
import { frameOf } from "./jpeg_stream.ts";
import { decodeRle } from "./rle.ts";
import type { WasmCodec } from "./wasm.ts";

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
  const isYbr = wanted.samples === 3 && wanted.photometric.startsWith("YBR_FULL");
  let isDone = false;
  let cells: Cells;
  switch (wanted.transferSyntax) {
    case SYNTAX.rle:
      cells = decodeRle(bytes, wanted);
      break;
    case SYNTAX.jpegBaseline:
    case SYNTAX.jpegExtended:
      cells = decodeJpegExtended(bytes, wanted);
      break;
    case SYNTAX.jpegLossless:
    case SYNTAX.jpegLosslessFirst:
      cells = decodeJpegLossless(bytes, wanted);
      break;
    case SYNTAX.jpegLs:
    case SYNTAX.jpegLsNear:
      holdAgainst(frameOf(bytes, 0xf7), wanted);
      cells = await codecs.jpegLs.decode(bytes, wanted);
      break;
    case SYNTAX.jpeg2000:
    case SYNTAX.jpeg2000Lossless: {
      const stream = codestreamOf(bytes);
      holdAgainst(stream, wanted);
      isDone = stream.isTransformed;
      cells = await codecs.jpeg2000.decode(bytes, wanted);
      break;
    }
    default:
      throw new StreamError("transfer syntax", true);
  }
  return isYbr && !isDone && cells instanceof Uint8Array ? rgbFromYbr(cells) : cells;
}
