import assert from "node:assert/strict";
import { test } from "node:test";
import { cross, dot, type Vec3 } from "../src/dicom/geometry.ts";
import { gapsOf, type Slice } from "../src/volume/gaps.ts";
import { seeded } from "./bytes.ts";

const AXES: [Vec3, Vec3] = [
  [1, 0, 0],
  [0, 1, 0],
];

function slice(position: Vec3, number: number | null, [row, column] = AXES): Slice {
  const normal = cross(row, column);
  const along = dot(position, normal);
  const plane = { position, row, column, normal, spacing: [1, 1] as const, along };
  return { plane: { ...plane, frameOfReference: "1.2" }, rows: 8, columns: 8, number };
}

/** Slices at these multiples of 2.5 mm, numbered by their place. */
const stack = (...at: number[]) => at.map((z) => slice([-9, 4, 2.5 * z - 700], z + 1));
const run = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const but = (...left: number[]) => run(0, 40).filter((z) => !left.includes(z));

test("images left out of a stack are counted where they would stand", () => {
  assert.deepEqual(gapsOf(stack(...run(0, 40))), []);
  assert.deepEqual(gapsOf(stack(...but(7))), [{ after: 6, count: 1 }]);
  assert.deepEqual(gapsOf(stack(...but(7, 8, 9, 20))), [
    { after: 6, count: 3 },
    { after: 16, count: 1 },
  ]);
  const back = stack(...but(7)).reverse();
  assert.deepEqual(gapsOf(back), [{ after: 31, count: 1 }]);
  assert.deepEqual(gapsOf(stack(0, 1, 2, 4, 5)), [{ after: 2, count: 1 }]);
  assert.deepEqual(gapsOf(stack(0, 1, 3, 4)), [], "too few to know what is regular");
});

test("Instance Numbers may fall, or rise by twos; without any only few images may be missing", () => {
  const all = stack(...but(7, 8));
  const numbered = (count: (number: number) => number | null) =>
    gapsOf(all.map((each) => ({ ...each, number: count(each.number!) })));
  for (const count of [(n: number) => 900 - n, (n: number) => 2 * n, () => null]) {
    assert.deepEqual(numbered(count), [{ after: 6, count: 2 }]);
  }
  assert.deepEqual(
    numbered(() => 1),
    [],
    "they say nothing",
  );
  assert.deepEqual(
    numbered((n) => (n === 20 ? null : n)),
    [],
  );
  const many = stack(...run(0, 20), ...run(30, 50)).map((each) => ({ ...each, number: null }));
  assert.deepEqual(gapsOf(many), [], "as likely two regions");
});

test("two regions whose numbers go on are as they were scanned", () => {
  const two = [...stack(...run(0, 12)), ...stack(...run(16, 30))];
  assert.equal(gapsOf(two)[0]?.count, 4);
  assert.deepEqual(gapsOf(two.map((each, i) => ({ ...each, number: i + 1 }))), []);
});

test("variable spacing, tilted gantries and several stacks say nothing", () => {
  const variable = [0, 1, 2, 3, 4, 6, 8, 10, 12, 14];
  assert.deepEqual(gapsOf(stack(...variable)), []);
  assert.deepEqual(gapsOf(stack(0, 1, 2, 3.4, 4.4, 5.4, 6.4)), [], "no multiple");
  const tilted = but(7).map((z) => slice([0, 0.4 * z, 2.5 * z], z + 1));
  assert.deepEqual(gapsOf(tilted), []);
  const turned = stack(...but(7));
  turned[30] = slice([-9, 4, 75 - 700], 31, [
    [0, 1, 0],
    [1, 0, 0],
  ]);
  assert.deepEqual(gapsOf(turned), [], "another orientation");
  const larger = stack(...but(7)).map((each, i) => ({ ...each, rows: i === 3 ? 9 : 8 }));
  assert.deepEqual(gapsOf(larger), [], "another size");
  const elsewhere = stack(...but(7));
  elsewhere[3] = { ...elsewhere[3]!, plane: { ...elsewhere[3]!.plane!, frameOfReference: "1.3" } };
  assert.deepEqual(gapsOf(elsewhere), []);
  assert.deepEqual(gapsOf([...stack(...but(7)), ...stack(...but(7))]), [], "two passes");
});

test("an oblique stack has gaps as an upright one has", () => {
  const row: Vec3 = [Math.SQRT1_2, Math.SQRT1_2, 0];
  const normal = cross(row, [0, 0, -1]);
  const all = but(3, 4).map((z) => {
    const place = normal.map((each) => Number((each * 3.3 * z).toFixed(3))) as unknown as Vec3;
    return slice(place, 40 - z, [row, [0, 0, -1]]);
  });
  assert.deepEqual(gapsOf(all), [{ after: 2, count: 2 }]);
});

test("places that are no numbers, equal or out of all bounds say nothing", () => {
  for (const bad of [Number.NaN, Infinity, -Infinity, 1e308, 1e9]) {
    const all = stack(...but(7));
    all[12] = slice([-9, 4, bad], 14);
    assert.deepEqual(gapsOf(all), [], String(bad));
    all[0] = slice([bad, 4, 0], 1);
    assert.deepEqual(gapsOf(all), [], String(bad));
  }
  const all = stack(...but(7));
  all[12] = { ...all[12]!, plane: null };
  assert.deepEqual(gapsOf(all), []);
  assert.deepEqual(gapsOf(run(0, 9).map((z) => slice([0, 0, 5], z))), [], "all at one place");
  assert.deepEqual(gapsOf(stack(0, 1, 1, 2, 3, 5, 6)), [], "two at one place");
  assert.deepEqual(gapsOf(stack(0, 1, 2, 1e7, 1e7 + 1)), [], "kilometres");
  assert.deepEqual(gapsOf(stack(0, 1, 2, 3, 4, 5, 3000)), [], "more missing than there are");
  assert.deepEqual(gapsOf([]), []);
});

test("thousands of slices are counted at once, however they were rounded", () => {
  const random = seeded(3);
  const gone = new Set(Array.from({ length: 200 }, () => 1 + Math.floor(random() * 19_998)));
  const at = run(0, 20_000).filter((z) => !gone.has(z));
  const all = at.map((z) => slice([0, 0, Number((0.625 * z).toFixed(2))], z));
  const gaps = gapsOf(all);
  assert.equal(
    gaps.reduce((sum, each) => sum + each.count, 0),
    gone.size,
  );
  for (const { after, count } of gaps) {
    for (let i = 1; i <= count; i++) assert.ok(gone.has(at[after]! + i));
  }
});
