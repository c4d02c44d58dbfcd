import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "../src/data/crc32.ts";
import { Disc } from "../src/data/disc.ts";
import { DataError } from "../src/data/errors.ts";
import type { Files } from "../src/data/files.ts";
import type { Manifest, SeriesEntry } from "../src/data/format.ts";

const entry = (n: number, more: Partial<SeriesEntry> = {}) =>
  ({ n, uid: `1.${n}`, kind: "image", pack: "whole", ...more }) as SeriesEntry;

function discOf(series: SeriesEntry[], meta: (name: string) => Promise<Uint8Array>) {
  const asked: string[] = [];
  const files = {
    inflated: (name: string) => {
      asked.push(name);
      return meta(name);
    },
    payload: (name: string) => {
      asked.push(name);
      return Promise.resolve(new Uint8Array(1));
    },
  } as unknown as Files;
  const study = { uid: "1", series };
  const manifest = { patients: [{ studies: [study] }] } as unknown as Manifest;
  return { asked, study: manifest.patients[0]!.studies[0]!, disc: new Disc(manifest, files) };
}

const META = { instances: [], order: [], frames: [], chunks: [[1, 1]] };
const asBytes = (it: unknown) => new TextEncoder().encode(JSON.stringify(it));

test("the first image's chunk is asked for beside META, before it answers", async () => {
  let answer = (_: Uint8Array) => {};
  const { asked, disc } = discOf(
    [entry(3, { first: 2 })],
    () => new Promise((done) => (answer = done)),
  );
  const opening = disc.series(3, true);
  assert.deepEqual(asked, ["S0000003/META", "S0000003/C0000002"]);
  answer(asBytes(META));
  assert.equal((await opening).count, 0);
});

test("a META that cannot be read is told to who asked for it, and to nobody else", async () => {
  const loose: unknown[] = [];
  const note = (error: unknown) => loose.push(error);
  process.on("unhandledRejection", note);
  const { disc } = discOf([entry(3, { first: 1 })], () =>
    Promise.reject(new DataError("unreadable", "S0000003/META")),
  );
  await assert.rejects(disc.series(3, true), { name: "DataError", fault: "unreadable" });
  await new Promise((done) => setTimeout(done));
  process.off("unhandledRejection", note);
  assert.deepEqual(loose, []);
});

const metaOf = (uid: string) => ({
  instances: [{ uid, frames: 1, header: [1, 0, 0] }],
  order: [[0, 0]],
});

test("a chunk that had to go before its header came is asked for again", async () => {
  const size = 60 << 20; // two are more than what may be held
  const pixels = (c: number) => {
    const made = new Uint8Array(size);
    made.set([c, c, c, c]);
    return made;
  };
  const meta = {
    instances: [1, 2, 3].map((n) => ({
      uid: `1.${n}`,
      frames: 1,
      header: [n, 0, 0],
      rows: 2,
      columns: 2,
      samples: 1,
      allocated: 8,
      stored: 8,
      signed: 0,
      photometric: "MONOCHROME2",
    })),
    order: [0, 1, 2].map((i) => [i, 0]),
    frames: [1, 2, 3].map((c) => [c, 0, 4, 0, 0, crc32(pixels(c).subarray(0, 4))]),
    chunks: [1, 2, 3].map(() => [size, size]),
  };
  let answer = (_: Uint8Array) => {};
  const asked: string[] = [];
  const files = {
    company: Promise.resolve(),
    reconsider: () => undefined,
    urge: () => undefined,
    inflated: (name: string) => {
      if (name.endsWith("META")) return Promise.resolve(asBytes(meta));
      if (!name.endsWith("H0000001")) return Promise.resolve(new Uint8Array(0));
      return new Promise((done) => (answer = done));
    },
    payload: (name: string) => {
      asked.push(name.slice(-1));
      return Promise.resolve(pixels(Number(name.slice(-1))));
    },
  } as unknown as Files;
  const manifest = { patients: [{ studies: [{ uid: "1", series: [entry(1)] }] }] };
  const series = await new Disc(manifest as unknown as Manifest, files).series(1);
  const first = series.picture(0);
  for (const index of [1, 2]) await series.picture(index);
  assert.deepEqual(asked, ["1", "2", "3"]);
  answer(new Uint8Array(0));
  const picture = await first;
  assert.deepEqual(asked, ["1", "2", "3", "1"]);
  assert.deepEqual(picture.kind === "grey" && [...picture.cells], [1, 1, 1, 1]);
});

test("an object is looked for in series that have a copy alone, and each is asked for once", async () => {
  const all = [
    entry(1, { pack: "unpackable" }),
    entry(2, { pack: "none" }),
    entry(3, { kind: "key" }),
    entry(4),
    entry(5),
    entry(6),
  ];
  const { asked, study, disc } = discOf(all, (name) =>
    name === "S0000004/META"
      ? Promise.reject(new DataError("unreadable", name))
      : Promise.resolve(asBytes(metaOf(`object ${name[7]}`))),
  );
  const [series, index] = (await disc.find("object 5", 1, study))!;
  assert.deepEqual([series.entry.n, index], [5, 0]);
  assert.equal(await disc.find("not here", 1, study), null);
  assert.equal(await disc.find("nor is this", 1, study), null);
  assert.deepEqual(asked, ["S0000004/META", "S0000005/META", "S0000006/META"]);
});

test("objects that are not here do not have thousands of series loaded", async () => {
  const all = Array.from({ length: 3000 }, (_, i) => entry(i + 1));
  const { asked, study, disc } = discOf(all, (name) =>
    Promise.resolve(asBytes(metaOf(`object ${Number(name.slice(1, 8))}`))),
  );
  for (let i = 0; i < 3; i++) assert.equal(await disc.find(`missing ${i}`, 1, study), null);
  assert.equal(asked.length, 50);
  const found = await disc.find("object 2500", 1, study, "1.2500");
  assert.equal(found?.[0].entry.n, 2500);
  assert.equal((await disc.find("object 20", 1, study, "1.changed"))?.[0].entry.n, 20);
  assert.equal(await disc.find("object 2600", 1, study, "1.elsewhere"), null);
  assert.equal(asked.length, 51);
});
