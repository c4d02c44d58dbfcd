import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeStream } from "../src/codecs/decode.ts";
import { cutAtStored, StreamError, type Wanted } from "../src/codecs/frame.ts";
import { codestreamOf } from "../src/codecs/jpeg_2000.ts";
import { jpegLsFrameOf } from "../src/codecs/jpeg_stream.ts";
import { nameOf, SYNTAX } from "../src/data/syntaxes.ts";
import { seeded } from "./bytes.ts";
import { CODECS } from "./codecs.ts";

const GREY: Wanted = {
  transferSyntax: SYNTAX.jpegLossless,
  rows: 7,
  columns: 9,
  samples: 1,
  allocated: 16,
  stored: 16,
  isSigned: false,
  photometric: "MONOCHROME2",
};

const decode = (bytes: Uint8Array, wanted: Wanted) => decodeStream(bytes, wanted, CODECS);
const u16 = (...values: number[]) => values.flatMap((each) => [each >> 8, each & 255]);
const segment = (marker: number, body: number[]) => [
  0xff,
  marker,
  ...u16(body.length + 2),
  ...body,
];

interface Options {
  selection?: number;
  precision?: number;
  point?: number;
  /** Rows between restarts. */
  restart?: number;
  /** Components in scans of their own. */
  isApart?: boolean;
  declared?: [number, number];
}

/** The other side of decodeJpegLossless, written plainly: every difference by a code of 5 bits. */
function encode(pixels: ArrayLike<number>, wanted: Wanted, options: Options = {}): Uint8Array {
  const { rows, columns, samples } = wanted;
  const { selection = 1, precision = 16, point = 0, restart = 0, isApart = false } = options;
  const bits: number[] = [];
  const out: number[] = [0xff, 0xd8];
  const [high, wide] = options.declared ?? [rows, columns];
  const parts = Array.from({ length: samples }, (_, i) => i);
  out.push(
    ...segment(0xc3, [precision, ...u16(high, wide), samples, ...parts.flatMap((i) => [i, 17, 0])]),
    // Lengths: 17 categories of 5 bits each, in order.
    ...segment(0xc4, [0, 0, 0, 0, 0, 17, ...Array(11).fill(0), ...Array(17).keys()]),
  );
  if (restart) out.push(...segment(0xdd, u16(restart * columns)));
  const flush = () => {
    while (bits.length % 8) bits.push(1);
    for (let i = 0; i < bits.length; i += 8) {
      const byte = Number.parseInt(bits.slice(i, i + 8).join(""), 2);
      out.push(byte, ...(byte === 255 ? [0] : []));
    }
    bits.length = 0;
  };
  const put = (value: number, size: number) => {
    for (let i = size - 1; i >= 0; i--) bits.push((value >> i) & 1);
  };
  const sample = (y: number, x: number, i: number) =>
    pixels[(y * columns + x) * samples + i]! >> point;
  const predicted = (y: number, x: number, i: number) => {
    const isFirst = restart ? y % restart === 0 : y === 0;
    if (isFirst && x === 0) return 1 << (precision - point - 1);
    if (isFirst) return sample(y, x - 1, i);
    if (x === 0) return sample(y - 1, x, i);
    const [a, b, c] = [sample(y, x - 1, i), sample(y - 1, x, i), sample(y - 1, x - 1, i)];
    return [0, a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1][
      selection
    ]!;
  };
  for (const scan of isApart ? parts.map((i) => [i]) : [parts]) {
    out.push(...segment(0xda, [scan.length, ...scan.flatMap((i) => [i, 0]), selection, 0, point]));
    for (let y = 0, interval = 0; y < rows; y++) {
      if (restart && y && y % restart === 0) {
        flush();
        out.push(0xff, 0xd0 + (interval++ % 8));
      }
      for (let x = 0; x < columns; x++) {
        for (const i of scan) {
          const difference = ((sample(y, x, i) - predicted(y, x, i)) << 16) >> 16;
          const size = difference === -32_768 ? 16 : 32 - Math.clz32(Math.abs(difference));
          put(size, 5);
          if (size < 16) put(difference < 0 ? difference - 1 : difference, size);
        }
      }
    }
    flush();
  }
  return Uint8Array.from([...out, 0xff, 0xd9]);
}

function noise(wanted: Wanted, bits: number): Uint16Array {
  const random = seeded(bits);
  const { rows, columns, samples } = wanted;
  return Uint16Array.from({ length: rows * columns * samples }, () => random() * 2 ** bits);
}

test("JPEG Lossless: every predictor, depth, point transform, restarts, colour, scans apart", async () => {
  for (let selection = 1; selection <= 7; selection++) {
    for (const precision of [8, 10, 12, 15, 16]) {
      for (const more of [{}, { restart: 1 }, { restart: 3 }, { point: 2 }]) {
        const pixels = noise(GREY, precision).map((each) => (more.point ? each & ~3 : each));
        const found = await decode(encode(pixels, GREY, { selection, precision, ...more }), GREY);
        assert.deepEqual(found, pixels, JSON.stringify({ selection, precision, ...more }));
      }
    }
    const colour = { ...GREY, samples: 3, allocated: 8, photometric: "RGB" };
    for (const isApart of [false, true]) {
      for (const restart of [0, 2]) {
        const pixels = noise(colour, 8);
        const options = { selection, precision: 8, isApart, restart };
        const found = await decode(encode(pixels, colour, options), colour);
        assert.deepEqual(found, Uint8Array.from(pixels), JSON.stringify(options));
      }
    }
  }
});

test("a difference of 32768 has no bits behind its code", async () => {
  const pixels = Uint16Array.from({ length: 63 }, (_, i) => (i % 2 ? 0 : 32_768));
  assert.deepEqual(await decode(encode(pixels, GREY), GREY), pixels);
});

/** PackBits of runs of any kind, a segment a byte of each sample. */
function runs(planes: number[][]): Uint8Array {
  const packed = planes.map((plane) => {
    const out: number[] = [128]; // which says nothing
    for (let at = 0; at < plane.length; ) {
      let same = 1;
      while (same < 128 && plane[at + same] === plane[at]) same++;
      if (same > 1) out.push(257 - same, plane[at]!);
      else out.push(0, plane[at]!);
      at += same;
    }
    return out.length % 2 ? [...out, 0] : out;
  });
  const header = new Uint32Array(16);
  header[0] = planes.length;
  packed.reduce((at, each, i) => {
    header[i + 1] = at;
    return at + each.length;
  }, 64);
  return Uint8Array.from([...new Uint8Array(header.buffer), ...packed.flat()]);
}

test("RLE: bytes of samples in their order, runs and what is no run", async () => {
  const wanted = { ...GREY, transferSyntax: SYNTAX.rle };
  const pixels = noise(wanted, 16).map((each, i) => (i % 5 ? each : 0x1122));
  const planes = [8, 0].map((shift) => Array.from(pixels, (each) => (each >> shift) & 255));
  assert.deepEqual(await decode(runs(planes), wanted), pixels);
  const colour = { ...wanted, samples: 3, allocated: 8, photometric: "RGB" };
  const parts = [1, 2, 3].map((part) => Array.from({ length: 63 }, (_, i) => (i < 40 ? part : i)));
  const mixed = Array.from({ length: 189 }, (_, i) => parts[i % 3]![Math.floor(i / 3)]!);
  assert.deepEqual(await decode(runs(parts), colour), Uint8Array.from(mixed));
});

/** JPEG Extended of 12 bits: one block each of a mean, and of one wave. */
function waves(): Uint8Array {
  const codes = [0, 0, 0, 16, ...Array(12).fill(0), ...Array(16).keys()];
  const scan = [1, 1, 0, 0, 63, 0];
  // Means by category 11 (4 bits): 1023 and 0 more; then a wave of 400 or the end of the block.
  const bits = ["1011", "11111111111", "1001", "110010000", "0000", "0000", "0000"].join("");
  const bytes: number[] = [];
  for (const each of bits.match(/.{8}/g)!) {
    const byte = Number.parseInt(each, 2);
    bytes.push(byte, ...(byte === 255 ? [0] : []));
  }
  return Uint8Array.from([
    ...[0xff, 0xd8],
    ...segment(0xdb, [0, ...Array(64).fill(1)]),
    ...segment(0xc1, [12, ...u16(8, 16), 1, 1, 17, 0]),
    ...segment(0xc4, [0, ...codes]),
    ...segment(0xc4, [16, ...codes]),
    ...segment(0xda, scan),
    ...bytes,
    ...[0xff, 0xd9],
  ]);
}

test("JPEG Extended: a mean and a wave, as T.81 A.3.3 has them", async () => {
  const wanted = { ...GREY, transferSyntax: SYNTAX.jpegExtended, rows: 8, columns: 16 };
  const found = await decode(waves(), wanted);
  const mean = 2048 + 2047 / 8;
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 16; x++) {
      const wave = x < 8 ? (400 / 8) * Math.SQRT2 * Math.cos(((2 * x + 1) * Math.PI) / 16) : 0;
      assert.ok(Math.abs(found[16 * y + x]! - mean - wave) <= 0.5001, `${x} ${y}`);
    }
  }
});

test("what overshoots is cut at what the object stores, and not masked", async () => {
  const wanted = { ...GREY, transferSyntax: SYNTAX.jpegExtended, rows: 8, columns: 16, stored: 11 };
  const found = await decode(waves(), wanted); // of 12 bits, above and below 2048
  assert.deepEqual([Math.max(...found), found[8]], [2047, 2047]);
  const cells = Uint16Array.of(0x8000, 0xf7ff, 0xf800, 0xffff, 0x07ff, 0x0800, 0x7fff);
  cutAtStored(cells, 16, { ...GREY, stored: 12, isSigned: true });
  const cut = [0xf800, 0xf800, 0xf800, 0xffff, 0x07ff, 0x07ff, 0x07ff];
  assert.deepEqual([...cells], cut);
});

/** Everything that may come of a stream but cells: a StreamError, within the time of a test. */
async function refused(bytes: Uint8Array, wanted: Wanted, what: string): Promise<boolean> {
  try {
    await decode(bytes, wanted);
    return false;
  } catch (error) {
    assert.ok(error instanceof StreamError, `${what}: ${error}`);
    return true;
  }
}

test("streams of every coding that are cut off, of another size, or altered anywhere", async () => {
  const rle = { ...GREY, transferSyntax: SYNTAX.rle };
  const wave = { ...GREY, transferSyntax: SYNTAX.jpegExtended, rows: 8, columns: 16 };
  const zeros = Array.from({ length: 63 }, (_, i) => i);
  const streams: [Uint8Array, Wanted][] = [
    [encode(noise(GREY, 16), GREY), GREY],
    [encode(noise(GREY, 16), GREY, { restart: 2 }), GREY],
    [runs([zeros, zeros]), rle],
    [waves(), wave],
  ];
  for (const [bytes, wanted] of streams) {
    const what = nameOf(wanted.transferSyntax);
    for (let length = 0; length < bytes.length - 8; length++) {
      assert.ok(await refused(bytes.slice(0, length), wanted, what), `${what}, ${length} bytes`);
    }
    for (const size of [{ rows: 9 }, { columns: 65_535, rows: 65_535 }, { samples: 3 }]) {
      assert.ok(await refused(bytes, { ...wanted, ...size }, what), JSON.stringify(size));
    }
    const random = seeded(bytes.length);
    for (let i = 0; i < 2000; i++) {
      const altered = bytes.slice();
      for (let k = 0; k < 3; k++) altered[random() * bytes.length] = random() * 256;
      await refused(altered, wanted, what); // or other pixels
    }
  }
});

test("a stream that declares 65535 by 65535 costs nothing", async () => {
  const size = { rows: 65_535, columns: 65_535 };
  const bytes = encode(noise(GREY, 16), GREY, { declared: [65_535, 65_535] });
  assert.ok(await refused(bytes, GREY, "another size"));
  assert.ok(await refused(bytes, { ...GREY, ...size }, "a bit each at least"));
  const header = new Uint8Array(70);
  header[0] = 2;
  assert.ok(await refused(header, { ...GREY, ...size, transferSyntax: SYNTAX.rle }, "RLE"));
  for (const syntax of [SYNTAX.jpegLs, SYNTAX.jpeg2000]) {
    assert.ok(await refused(bytes, { ...GREY, transferSyntax: syntax }, syntax));
  }
  const large = { ...GREY, rows: 16_384, columns: 16_384 };
  const frame = segment(0xf7, [16, ...u16(16_384, 16_384), 1, 1, 17, 0]);
  const empty = [0xff, 0xd8, ...frame, ...segment(0xda, [1, 1, 0, 0, 0, 0]), 0xff, 0xd9];
  const jpegLs = { ...large, transferSyntax: SYNTAX.jpegLs };
  await assert.rejects(decode(Uint8Array.from(empty), jpegLs), { message: "too few bytes" });
  const stream = codestream(16_384, 16_384, [0], [0xff, 0xd9], 16_384);
  const jpeg2000 = { ...large, transferSyntax: SYNTAX.jpeg2000 };
  await assert.rejects(decode(Uint8Array.from(stream), jpeg2000), { message: "too few bytes" });
});

/** One tile-part for each tile number given, of no packets. */
function codestream(
  across: number,
  down: number,
  parts: number[],
  end = [0xff, 0xd9],
  size = 0,
): number[] {
  const numbers = [size || 9, size || 7, 0, 0, across, down, 0, 0].flatMap((each) =>
    u16(each >>> 16, each),
  );
  return [
    ...[0xff, 0x4f, ...segment(0x51, [...u16(0), ...numbers, ...u16(1), 15, 1, 1])],
    ...segment(0x52, [0, 0, 0, 1, 1, 5]),
    ...parts.flatMap((tile) => [...segment(0x90, [...u16(tile, 0, 14), 0, 1]), 0xff, 0x93]),
    ...end,
  ];
}

test("JPEG 2000: what its markers have to say, and may not", () => {
  const whole = codestream(9, 7, [0]);
  const known = { rows: 7, columns: 9, components: 1, precision: 16, isTransformed: true };
  assert.deepEqual(codestreamOf(Uint8Array.from(whole)), { ...known, isSigned: false, start: 0 });
  const boxed = Uint8Array.from([...Array(80).fill(255), ...whole]);
  assert.deepEqual(codestreamOf(boxed), { ...known, isSigned: false, start: 80 });
  assert.equal(codestreamOf(Uint8Array.from(codestream(5, 7, [1, 0]))).columns, 9);
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => codestreamOf(Uint8Array.from(whole.slice(0, length))), StreamError);
  }
  for (const bad of [
    codestream(0, 7, [0]),
    codestream(5, 7, [0]), // one tile of two
    codestream(9, 7, []),
    codestream(9, 7, [0], [0, 0]),
  ]) {
    assert.throws(() => codestreamOf(Uint8Array.from(bad)), StreamError);
  }
});

test("JPEG-LS without its end marker is never given to its decoder", () => {
  const frame = segment(0xf7, [8, ...u16(7, 9), 1, 1, 17, 0]);
  const scan = segment(0xda, [1, 1, 0, 0, 0, 0]);
  const coded = [1, 0xff, 0x7f, 2, 0xff, 0xd0, 3];
  const whole = [0xff, 0xd8, ...frame, ...scan, ...coded, 0xff, 0xd9, 0];
  assert.equal(jpegLsFrameOf(Uint8Array.from(whole)).columns, 9);
  for (let length = 0; length < whole.length - 1; length++) {
    assert.throws(() => jpegLsFrameOf(Uint8Array.from(whole.slice(0, length))), StreamError);
  }
});

test("every transfer syntax that is not shown has a name, or is called by its UID", () => {
  const last = (number: string) => nameOf(`1.2.840.10008.1.2.4.${number}`);
  assert.equal(last("201"), "High-Throughput JPEG 2000");
  assert.equal(last("92"), "JPEG 2000 Part 2 Multi-component");
  assert.equal(last("102"), "MPEG-4 AVC/H.264");
  assert.equal(last("108"), "HEVC/H.265");
  assert.equal(last("110"), "JPEG XL");
  assert.equal(last("55"), "JPEG (retired process)");
  assert.equal(last("999"), "1.2.840.10008.1.2.4.999");
  assert.equal(nameOf("1.2.3"), "1.2.3");
});
