import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync, crc32 as zlibCrc32 } from "node:zlib";
import { type Cells, type Shape, unfilter } from "../src/data/codec.ts";
import { crc32 } from "../src/data/crc32.ts";
import { DataError, faultOf } from "../src/data/errors.ts";
import { readManifest, readMeta } from "../src/data/format.ts";
import { inflate, inflateFirst } from "../src/data/inflate.ts";
import { path } from "../src/data/loader.ts";
import { Bounded } from "../src/data/memory.ts";
import { cellValue } from "../src/data/source.ts";
import { pack, unpack } from "../src/data/text.ts";
import { seeded } from "./bytes.ts";

test("text carries any bytes of any length", () => {
  const random = seeded(1);
  for (let length = 0; length < 64; length++) {
    const bytes = Uint8Array.from({ length }, () => random() * 256);
    const text = pack(bytes);
    assert.match(text, /^[\u3000-\uafff]*$/);
    assert.deepEqual(unpack(text, length), bytes);
  }
});

test("what the contract says of bit order", () => {
  // 0x01 0x80: bit 0 and bit 15; the first unit has bits 0 to 14, the second bit 15.
  assert.equal(pack(Uint8Array.of(0x01, 0x80)), "\u3001\u3001");
});

test("a text that is no such text is none", () => {
  assert.equal(unpack("abc", 5), null);
  assert.equal(unpack("\u3000\u3000", 5), null);
  assert.equal(unpack("\u3000\u2fff\u3000", 5), null);
  assert.equal(unpack("\u3000\ub000\u3000", 5), null);
});

test("CRC-32 of known texts, at every offset from a word", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  assert.equal(crc32(new Uint8Array(0)), 0);
  const many = Uint8Array.from({ length: 41 }, (_, i) => i * 89);
  for (let from = 0; from < 9; from++) {
    for (let to = from; to <= many.length; to++) {
      const part = many.subarray(from, to);
      assert.equal(crc32(part), zlibCrc32(part), `${from} to ${to}`);
    }
  }
  assert.equal(
    crc32(new TextEncoder().encode("The quick brown fox jumps over the lazy dog")),
    0x414fa339,
  );
});

test("inflate knows the length, finds it out, and refuses what is not deflate", async () => {
  const plain = new Uint8Array(100_000).fill(7);
  const packed = new Uint8Array(deflateRawSync(plain));
  assert.deepEqual(await inflate(packed, "x", plain.length), plain);
  assert.deepEqual(await inflate(packed, "x", null), plain);
  const damaged = { name: "DataError", fault: "damaged", file: "x" };
  await assert.rejects(inflate(packed, "x", plain.length + 1), damaged);
  await assert.rejects(inflate(packed, "x", 5), damaged);
  await assert.rejects(inflate(packed, "x", null, 5000), damaged);
  await assert.rejects(inflate(packed.slice(0, -3), "x", null), damaged);
  await assert.rejects(inflate(Uint8Array.of(255, 255, 255, 255), "x", null), damaged);
  const more = new Uint8Array([...packed, 1, 2, 3]);
  assert.deepEqual(inflateFirst(more, "x", plain.length), plain);
  assert.throws(() => inflateFirst(more, "x", plain.length - 1), damaged);
  assert.throws(() => inflateFirst(packed.slice(0, -3), "x", plain.length), damaged);
  assert.throws(() => inflateFirst(Uint8Array.of(255, 255, 255), "x", 100), damaged);
});

/** The other side of unfilter, written plainly after docs/viewer-format.md. */
function filter(pixels: number[], shape: Shape, predictor: number): Uint8Array {
  const { rows, columns, samples, allocated } = shape;
  const modulo = 2 ** allocated;
  const wrap = (value: number) => ((value % modulo) + modulo) % modulo;
  const signed = (value: number) => (value >= modulo / 2 ? value - modulo : value);
  const count = rows * columns;
  const planes: number[] = [];
  for (let part = 0; part < samples; part++) {
    const one = Array.from({ length: count }, (_, i) => {
      if (samples === 1) return pixels[i]!;
      const [r, g, b] = pixels.slice(3 * i, 3 * i + 3) as [number, number, number];
      return part === 0 ? g : wrap((part === 1 ? r : b) - g);
    });
    const compares = shape.isSigned || part > 0 ? signed : (value: number) => value;
    const residuals = one.map((value, i) => {
      const x = i % columns;
      const [a, b, c] = [one[i - 1] ?? 0, one[i - columns] ?? 0, one[i - columns - 1] ?? 0];
      let p: number;
      if (predictor === 0 || i === 0) p = 0;
      else if (i < columns) p = a;
      else if (x === 0) p = b;
      else if (predictor === 1) p = a + b - c;
      else if (predictor === 3) p = a;
      else {
        const [sa, sb, sc] = [compares(a), compares(b), compares(c)];
        p = [sa, sb, sa + sb - sc].sort((m, n) => m - n)[1]!;
      }
      const r = signed(wrap(value - p));
      return r < 0 ? -2 * r - 1 : 2 * r;
    });
    for (let k = 0; k < allocated / 8; k++) {
      planes.push(...residuals.map((z) => Math.floor(z / 256 ** k) % 256));
    }
  }
  return Uint8Array.from(planes);
}

test("every predictor, depth and sign comes back bit for bit", () => {
  const random = seeded(7);
  for (const allocated of [8, 16, 32]) {
    for (const samples of allocated === 32 ? [1] : [1, 3]) {
      for (const isSigned of [false, true]) {
        for (const predictor of [0, 1, 2, 3]) {
          for (const [rows, columns] of [
            [1, 1],
            [1, 5],
            [5, 1],
            [7, 9],
          ] as const) {
            const shape: Shape = { rows, columns, samples, allocated, isSigned };
            const wild = Array.from({ length: rows * columns * samples }, () =>
              Math.floor(random() * 2 ** allocated),
            );
            const made: Cells = unfilter(filter(wild, shape, predictor), shape, predictor);
            assert.deepEqual([...made], wild, JSON.stringify({ ...shape, predictor }));
          }
        }
      }
    }
  }
});

test("stored values: sign, bits above and below", () => {
  assert.equal(cellValue(0xf800, 12, 0, true), -2048);
  assert.equal(cellValue(0xf7ff, 12, 0, true), 2047);
  assert.equal(cellValue(0xffff, 12, 0, false), 4095);
  assert.equal(cellValue(0xfff0, 12, 4, true), -1);
  assert.equal(cellValue(0xffffffff, 32, 0, true), -1);
  assert.equal(cellValue(0xffffffff, 32, 0, false), 4294967295);
});

test("a bounded store lets go what was used longest ago, or matters least", () => {
  const store = new Bounded<string>(10);
  store.put("a", "a", 4);
  store.put("b", "b", 4);
  assert.equal(store.get("a"), "a");
  assert.deepEqual(store.put("c", "c", 4), ["b"]);
  assert.deepEqual(
    store.put("d", "d", 4, (key) => (key === "a" ? -1 : -2)),
    ["c"],
  );
  assert.deepEqual(store.put("big", "big", 50), ["a", "d"]);
  assert.equal(store.size, 50);
});

test("a bounded store tells what is held no more, once, and not of what is put again", () => {
  const gone: string[] = [];
  const store = new Bounded<string>(10, (value) => gone.push(value));
  store.put("a", "a", 6);
  store.put("a", "a", 6);
  assert.deepEqual(gone, []);
  store.put("a", "a anew", 6);
  assert.deepEqual(gone, ["a"]);
  store.put("b", "b", 6);
  store.drop("b");
  store.drop("b");
  assert.deepEqual(gone, ["a", "a anew", "b"]);
});

test("what is looked at stays, however much it is", () => {
  const store = new Bounded<string>(10);
  const distance = (key: string) => (key.startsWith("seen") ? -0 : -3);
  for (const key of ["seen1", "far", "seen2", "seen3"]) store.put(key, key, 6, distance);
  assert.deepEqual(
    ["seen1", "far", "seen2", "seen3"].filter((key) => store.has(key)),
    ["seen1", "seen2", "seen3"],
  );
  assert.equal(store.size, 18);
});

test("names of data files in both cases", () => {
  assert.equal(path("S0000001/C0000002", false), "D/S0000001/C0000002.JS");
  assert.equal(path("MANIFEST", true), "manifest.js");
});

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

test("a manifest of a later version is not guessed at", () => {
  const faultOf = (value: unknown) => {
    try {
      readManifest(json(value));
    } catch (error) {
      return (error as DataError).fault;
    }
    return null;
  };
  assert.equal(faultOf({ version: 2, patients: [] }), "newer");
  assert.equal(faultOf({ patients: [] }), "damaged");
  assert.equal(faultOf({ version: 1 }), "damaged");
  assert.equal(faultOf(null), "damaged");
  assert.equal(faultOf({ version: 1, patients: [] }), null);
});

test("numbers of a META that contradict each other are damage", () => {
  const good = {
    instances: [{ uid: "1", frames: 1 }],
    order: [[0, 0]],
    frames: [[1, 0, 10, 1, 2, 0]],
    chunks: [[10, 20]],
  };
  assert.equal(readMeta(json(good), "x").order.length, 1);
  for (const bad of [
    { ...good, order: [[1, 0]] },
    { ...good, order: [[0, 1]] },
    { ...good, frames: [[2, 0, 10, 1, 2, 0]] },
    { ...good, frames: [[1, -1, 10, 1, 2, 0]] },
    { ...good, instances: 7 },
  ]) {
    assert.throws(() => readMeta(json(bad), "x"), DataError);
  }
});

test("what the browser lacks is not laid to the medium", () => {
  assert.equal(faultOf(new TypeError("x.flatMap is not a function")), "unsupported");
  assert.equal(faultOf(new RangeError("offset")), "damaged");
  assert.equal(faultOf(new DataError("password", "x")), "password");
});
