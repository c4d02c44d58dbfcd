/**
 * CODECS.JS: what is wrapped into a function whose text makes a worker (build.mjs); where there can
 * be none, the page calls the function with a scope of its own.
 */
import openCharls from "@cornerstonejs/codec-charls/decodewasmjs";
import openOpenJpeg from "@cornerstonejs/codec-openjpeg/decodewasmjs";
import { inflateSync } from "fflate";
import type { Cells } from "../data/codec.ts";
import { halved } from "../data/halve.ts";
import { type Codecs, decodeStream } from "./decode.ts";
import { StreamError, type Wanted } from "./frame.ts";
import { WasmCodec } from "./wasm.ts";

/** Deflated, as base64; put in by build.mjs. */
declare const CHARLS: string;
declare const OPENJPEG: string;
/** The function's parameter. */
declare const SCOPE: Scope;

export interface CodedRequest {
  id: number;
  bytes: Uint8Array;
  wanted: Wanted;
  /** Where a picture at half the size is wanted as well. */
  halve: { stored: number; shift: number; isSigned: boolean } | null;
}

export type CodedReply =
  | { id: number; cells: Cells; half: Cells | null }
  | { id: number; isForeign: boolean; detail: string };

export interface Scope {
  onmessage: ((event: { data: CodedRequest }) => void) | null;
  postMessage(reply: CodedReply, transfer: Transferable[]): void;
}

const codecs: Codecs = {
  jpegLs: new WasmCodec(openCharls, () => binary(CHARLS), "JpegLSDecoder"),
  jpeg2000: new WasmCodec(openOpenJpeg, () => binary(OPENJPEG), "J2KDecoder"),
};

function binary(text: string): Uint8Array {
  return inflateSync(Uint8Array.from(atob(text), (each) => each.charCodeAt(0)));
}

/** One after the other: memory for one frame is enough. */
let last: Promise<void> = Promise.resolve();

SCOPE.onmessage = ({ data }) => {
  last = last.then(() => answer(data));
};

async function answer({ id, bytes, wanted, halve }: CodedRequest): Promise<void> {
  try {
    const cells = await decodeStream(bytes, wanted, codecs);
    const half = halve && halved(cells, { ...wanted, ...halve });
    SCOPE.postMessage({ id, cells, half }, half ? [cells.buffer, half.buffer] : [cells.buffer]);
  } catch (error) {
    const isForeign = error instanceof StreamError && error.isForeign;
    SCOPE.postMessage({ id, isForeign, detail: String(error) }, []);
  }
}
