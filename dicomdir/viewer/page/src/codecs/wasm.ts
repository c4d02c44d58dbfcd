/** Decoders in WebAssembly (cornerstonejs/codecs), opened when they are needed first. */
import type { Cells } from "../data/codec.ts";
import { StreamError, type Wanted } from "./frame.ts";

type Factory = (options: WasmOptions) => Promise<Record<string, unknown>>;

interface FrameInfo {
  width: number;
  height: number;
  bitsPerSample: number;
  componentCount: number;
  isSigned?: boolean;
}

interface Decoder {
  /** Room for the stream; moves when memory grows. */
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getFrameInfo(): FrameInfo;
  /** A view of the module's memory. */
  getDecodedBuffer(): Uint8ClampedArray<ArrayBuffer>;
  /** JPEG-LS: 0 planes, else by pixel. */
  getInterleaveMode?(): number;
  delete(): void;
}

export class WasmCodec {
  private readonly factory: Factory;
  private readonly binary: () => Uint8Array;
  private readonly name: string;
  private opened: Promise<Record<string, unknown>> | null = null;

  constructor(factory: Factory, binary: () => Uint8Array, name: string) {
    this.factory = factory;
    this.binary = binary;
    this.name = name;
  }

  /** @throws StreamError */
  async decode(bytes: Uint8Array, wanted: Wanted): Promise<Cells> {
    this.opened ??= this.factory({
      wasmBinary: this.binary(),
      locateFile: (name) => name, // nothing is looked for: the binary is given
      print: () => undefined,
      printErr: () => undefined,
    });
    let decoder: Decoder;
    try {
      const made = await this.opened;
      decoder = new (made[this.name] as new () => Decoder)();
    } catch (error) {
      this.opened = null;
      // A browser without WebAssembly, or whose policy forbids it.
      throw new StreamError(String(error), true);
    }
    try {
      decoder.getEncodedBuffer(bytes.length).set(bytes);
      decoder.decode();
      return cellsOf(decoder, wanted);
    } catch (error) {
      this.opened = null; // what it threw out of may be left in any state
      if (error instanceof StreamError) throw error;
      throw new StreamError(typeof error === "number" ? "decoder" : String(error));
    } finally {
      if (this.opened) decoder.delete();
    }
  }
}

function cellsOf(decoder: Decoder, wanted: Wanted): Cells {
  const { width, height, bitsPerSample, componentCount, isSigned } = decoder.getFrameInfo();
  const { rows, columns, samples, allocated } = wanted;
  const bytes = decoder.getDecodedBuffer();
  const count = rows * columns * samples;
  const isWide = bitsPerSample > 8;
  const isAsWanted = width === columns && height === rows && componentCount === samples;
  // After a fault there are no pixels, or those that came before it.
  if (!isAsWanted || bytes.length !== count * (isWide ? 2 : 1)) throw new StreamError("decoder");
  const own = new Uint8Array(bytes.slice().buffer);
  const narrow = isSigned ? new Int8Array(own.buffer) : own;
  const from = isWide ? new (isSigned ? Int16Array : Uint16Array)(own.buffer) : narrow;
  const isPlanar = samples > 1 && decoder.getInterleaveMode?.() === 0;
  if (!isPlanar && allocated === 8) return own;
  if (!isPlanar && allocated === 16 && isWide) return new Uint16Array(own.buffer);
  const out =
    allocated === 8 ? own.slice() : new (allocated === 16 ? Uint16Array : Uint32Array)(count);
  const each = rows * columns;
  for (let i = 0; i < count; i++) {
    out[i] = from[isPlanar ? (i % samples) * each + Math.floor(i / samples) : i]!;
  }
  return out;
}
