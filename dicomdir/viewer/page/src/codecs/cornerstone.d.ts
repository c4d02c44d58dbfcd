/** Decoders of cornerstonejs/codecs: what this page uses of them. */
interface WasmOptions {
  wasmBinary: Uint8Array;
  locateFile(name: string): string;
  print(text: string): void;
  printErr(text: string): void;
}

declare module "@cornerstonejs/codec-charls/decodewasmjs" {
  export default function open(options: WasmOptions): Promise<Record<string, unknown>>;
}

declare module "@cornerstonejs/codec-openjpeg/decodewasmjs" {
  export default function open(options: WasmOptions): Promise<Record<string, unknown>>;
}
