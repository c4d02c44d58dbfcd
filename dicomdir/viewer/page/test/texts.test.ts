import assert from "node:assert/strict";
import { test } from "node:test";
import { Texts } from "../src/data/texts.ts";

const MIB = 1 << 20;
const after = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

test("what is little stays; much goes when no more has come for a while", async () => {
  let times = 0;
  const texts = new Texts(() => times++, 60);
  texts.ran(8 * MIB);
  await after(120);
  assert.equal(times, 0);
  texts.ran(8 * MIB);
  await after(10);
  assert.equal(times, 0); // more may be on its way
  await after(120);
  assert.equal(times, 1);
  texts.ran(8 * MIB);
  await after(120);
  assert.equal(times, 1); // counted anew
});

test("very much goes at once, but never while its script runs", async () => {
  let times = 0;
  const texts = new Texts(() => times++, 60_000);
  for (let i = 0; i < 12; i++) texts.ran(4 * MIB);
  assert.equal(times, 0);
  await after(10);
  assert.equal(times, 1);
});
