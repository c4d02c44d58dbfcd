import assert from "node:assert/strict";
import { test } from "node:test";
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
