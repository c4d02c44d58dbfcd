import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "../src/data/crc32.ts";
import { DataError } from "../src/data/errors.ts";
import { type PreviewEntry, readMeta } from "../src/data/format.ts";
import { Loader } from "../src/data/loader.ts";
import { coarsePicture } from "../src/data/previews.ts";
import { cellValue } from "../src/data/source.ts";
import { pack } from "../src/data/text.ts";
import type { FrameInfo } from "../src/dicom/frame.ts";
import { levelFor } from "../src/render/pyramid.ts";

/** As far as coarse pictures look at it. */
const info = (values: Partial<FrameInfo>) =>
  ({
    rows: 9,
    columns: 14,
    samples: 1,
    allocated: 16,
    stored: 12,
    shift: 0,
    isSigned: false,
    palette: null,
    ...values,
  }) as FrameInfo;

/** Raw means of a frame of 9 by 14 pixels, four of them to one along each side. */
function travelling(means: number[], values: Partial<PreviewEntry> = {}) {
  const payload = new Uint8Array(Int16Array.from([0, ...means]).buffer);
  const own = payload.slice(2);
  const entry: PreviewEntry = {
    file: 1,
    offset: 2,
    length: own.length,
    codec: 0,
    predictor: 0,
    crc: crc32(own),
    step: 4,
    dropped: 0,
    ...values,
  };
  return { payload, entry };
}

test("means become cells of the frame: bits back in their place, a sign kept", () => {
  const { payload, entry } = travelling([1, 2, 3, -1, -256, 127], { dropped: 3 });
  for (const shift of [0, 4]) {
    const made = coarsePicture(payload, entry, info({ isSigned: true, shift }), "x");
    assert.deepEqual([made.rows, made.columns, made.step], [9, 14, 4]);
    assert.deepEqual(
      Array.from(made.cells, (cell) => cellValue(cell, 12, shift, true)),
      [8, 16, 24, -8, -2048, 1016],
    );
  }
});

test("a coarse picture that is damaged, or of a later version, is not shown", () => {
  const { payload, entry } = travelling([1, 2, 3, 4, 5, 6]);
  const faultOf = (values: Partial<PreviewEntry>) => {
    try {
      coarsePicture(payload, { ...entry, ...values }, info({}), "x");
    } catch (error) {
      return (error as DataError).fault;
    }
    return null;
  };
  assert.equal(faultOf({}), null);
  assert.equal(faultOf({ crc: 1 }), "damaged");
  assert.equal(faultOf({ offset: 4 }), "damaged");
  assert.equal(faultOf({ length: 10 }), "damaged");
  assert.equal(faultOf({ codec: 3 }), "unsupported");
});

test("it is painted at its own size or less, in the place of the whole picture", () => {
  const [rows, columns] = [4 * 160 + 3, 4 * 200 + 1];
  const cells = new Uint16Array(160 * 200).fill(7);
  const coarse = { kind: "coarse", info: info({}), rows, columns, step: 4, cells } as const;
  const size = (scale: number) => {
    const level = levelFor(coarse, scale);
    assert.equal(level.cells!.length, level.rows * level.columns);
    return [level.rows, level.columns, level.step];
  };
  assert.deepEqual(size(1), [160, 200, 4]);
  assert.deepEqual(size(0.2), [160, 200, 4]);
  assert.deepEqual(size(0.125), [80, 100, 8]);
});

test("META of discs without coarse pictures, with them, and with wrong ones", () => {
  const read = (previews: unknown) => {
    const meta = {
      instances: [{ uid: "1", frames: 1 }],
      order: [[0, 0]],
      frames: [[1, 0, 10, 1, 2, 0]],
      chunks: [[10, 20]],
      previews,
    };
    return readMeta(new TextEncoder().encode(JSON.stringify(meta)), "x").previews;
  };
  assert.equal(read(undefined).size, 0);
  const row = [0, 1, 0, 10, 1, 2, 99, 8, 3];
  assert.equal(read([row]).get(0)!.step, 8);
  for (const [place, value] of [
    [0, 1],
    [1, 0],
    [2, -1],
    [3, "10"],
    [7, 0],
    [8, 16],
  ] as const) {
    const bad = row.map((each, i) => (i === place ? value : each));
    assert.throws(() => read([bad]), DataError, `${place}`);
  }
  assert.throws(() => read([row.slice(0, 8)]), DataError);
});

interface Script {
  src: string;
  onload: () => void;
  remove(): void;
}

/** A page in which scripts end when the test says so. */
function page() {
  const injected: Script[] = [];
  const fake = globalThis as unknown as Record<string, unknown>;
  fake["window"] = {};
  fake["document"] = {
    createElement: () => ({ remove: () => undefined }),
    body: { appendChild: (it: Script) => injected.push(it) },
  };
  const loader = new Loader({ folder: "", lower: false });
  const call = (name: string, bytes: number[], crc = crc32(Uint8Array.from(bytes))) =>
    window.SENDHOME!(name, bytes.length, crc, pack(Uint8Array.from(bytes)));
  const sources = () => injected.map((it) => it.src.replace(/^D\/|\.JS$/g, ""));
  return { loader, injected, call, sources };
}

const settled = () => new Promise((done) => setTimeout(done));

test("what another file brought along needs no file", async () => {
  const { loader, injected, call, sources } = page();
  const meta = loader.load("S0000001/META", () => 0);
  await settled();
  call("S0000001/META", [1]);
  call("S0000001/H0000001", [2, 3]);
  call("S0000001/P0000001", [4], 5);
  injected[0]!.onload();
  assert.deepEqual(await meta, Uint8Array.of(1));
  assert.deepEqual(await loader.load("S0000001/H0000001", () => 1), Uint8Array.of(2, 3));
  await assert.rejects(
    loader.load("S0000001/P0000001", () => 1),
    { fault: "damaged" },
  );
  assert.deepEqual(sources(), ["S0000001/META"]);
});

test("what somebody waits for already may be brought too", async () => {
  const { loader, injected, call, sources } = page();
  const names = ["S0000001/META", "S0000002/META", "S0000001/H0000001"];
  const [, , headers] = names.map((name) => loader.load(name, () => 0));
  await settled();
  assert.deepEqual(sources(), names.slice(0, 2)); // two at a time
  call("S0000001/META", [1]);
  call("S0000001/H0000001", [2]);
  injected[0]!.onload();
  assert.deepEqual(await headers, Uint8Array.of(2));
  assert.equal(injected.length, 2);
});

test("a large file waits until what is more urgent has come", async () => {
  const { loader, injected, call, sources } = page();
  const large = 9_000_000;
  void loader.load("S0000001/P0000002", () => 9);
  void loader.load("S0000001/C0000001", () => 10, large);
  void loader.load("S0000002/C0000001", () => 10, large);
  await settled();
  assert.deepEqual(sources(), ["S0000001/P0000002"]);
  call("S0000001/P0000002", [1]);
  injected[0]!.onload();
  await settled();
  assert.deepEqual(sources().slice(1), ["S0000001/C0000001"]); // and of large ones one
});
