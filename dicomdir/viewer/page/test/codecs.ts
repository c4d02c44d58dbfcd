/** Decoders as CODECS.JS has them, in Node. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import openCharls from "@cornerstonejs/codec-charls/decodewasmjs";
import openOpenJpeg from "@cornerstonejs/codec-openjpeg/decodewasmjs";
import type { Codecs } from "../src/codecs/decode.ts";
import { WasmCodec } from "../src/codecs/wasm.ts";

const { resolve } = createRequire(import.meta.url);
const binary = (name: string) => () => readFileSync(resolve(`@cornerstonejs/${name}/decodewasm`));

export const CODECS: Codecs = {
  jpegLs: new WasmCodec(openCharls, binary("codec-charls"), "JpegLSDecoder"),
  jpeg2000: new WasmCodec(openOpenJpeg, binary("codec-openjpeg"), "J2KDecoder"),
};
