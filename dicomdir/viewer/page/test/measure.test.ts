import assert from "node:assert/strict";
import { test } from "node:test";
import type { GreyPicture } from "../src/data/source.ts";
import type { Spacing } from "../src/dicom/spacing.ts";
import { handlesOf, outline, withHandle } from "../src/measure/hit.ts";
import { angleOf, areaOf, lengthOf } from "../src/measure/lengths.ts";
import { Measurements, ownerOf } from "../src/measure/model.ts";
import { valuesIn } from "../src/measure/region.ts";

const spacing = (source: Spacing["source"], x: number, y: number): Spacing => ({
  source,
  x,
  y,
  regions: [],
});

test("lengths and angles in millimetres, where pixels are not square", () => {
  const true_ = spacing("pixel", 0.5, 2);
  assert.deepEqual(lengthOf(true_, { x: 10, y: 10 }, { x: 16, y: 12 }), {
    value: 5,
    unit: "mm",
    source: "pixel",
  });
  const angle = angleOf(true_, { x: 8, y: 0 }, { x: 0, y: 0 }, { x: 8, y: 2 });
  assert.ok(Math.abs(angle - 45) < 1e-9, "4 mm beside 4 mm");
  const straight = angleOf(true_, { x: -8, y: 0 }, { x: 0, y: 0 }, { x: 8, y: 0 });
  assert.ok(Math.abs(straight - 180) < 1e-9);
});

test("without spacing everything is in pixels, and says so", () => {
  const none = spacing("none", 1, 1);
  const length = lengthOf(none, { x: 0, y: 0 }, { x: 3, y: 4 });
  assert.deepEqual(length, { value: 5, unit: "px", source: "none" });
  const area = areaOf(none, { x: 0, y: 0 }, { x: 3, y: 4 }, "rectangle");
  assert.deepEqual(area, { value: 12, unit: "px2", source: "none" });
  const detector = lengthOf(spacing("detector", 0.1, 0.1), { x: 0, y: 0 }, { x: 30, y: 40 });
  assert.equal(detector.source, "detector");
  assert.ok(Math.abs(detector.value - 5) < 1e-9);
});

test("ultrasound: millimetres in one region, pixels across two that differ", () => {
  const regions = [
    { x0: 0, y0: 0, x1: 99, y1: 99, x: 0.2, y: 0.2 },
    { x0: 100, y0: 0, x1: 199, y1: 99, x: null, y: 0.1 },
  ];
  const us: Spacing = { source: "region", x: 0.2, y: 0.2, regions };
  assert.equal(lengthOf(us, { x: 10, y: 10 }, { x: 40, y: 50 }).value, 10);
  assert.equal(lengthOf(us, { x: 10, y: 10 }, { x: 150, y: 50 }).unit, "px");
  assert.equal(lengthOf(us, { x: 150, y: 10 }, { x: 160, y: 50 }).unit, "px", "time is no length");
  assert.equal(lengthOf(us, { x: 10, y: 150 }, { x: 40, y: 150 }).unit, "px", "outside of all");
});

test("an ellipse's area is pi by a quarter of its box", () => {
  const made = areaOf(spacing("pixel", 0.5, 0.5), { x: 10, y: 30 }, { x: 30, y: 10 }, "ellipse");
  assert.ok(Math.abs(made.value - (Math.PI * 100) / 4) < 1e-9);
});

function picture(rows: number, columns: number, value: (x: number, y: number) => number) {
  const cells = new Uint16Array(rows * columns);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) cells[y * columns + x] = value(x, y);
  }
  const info = {
    uid: "1.2.3",
    number: 4,
    stored: 16,
    allocated: 16,
    shift: 0,
    isSigned: true,
    palette: null,
    padding: [-2000, -2000],
    rescale: { slope: 2, intercept: -10, lut: null, unit: "HU" },
  };
  return { kind: "grey", info, rows, columns, cells } as unknown as GreyPicture;
}

test("values of a region: pixels whose middle is inside, rescaled, padding left out", () => {
  const made = picture(10, 10, (x, y) => (x === 4 && y === 4 ? -2000 : x + 10 * y));
  const box = valuesIn(made, { x: 5.2, y: 5.2 }, { x: 2.9, y: 2.6 }, "rectangle")!;
  // Columns 3 and 4, rows 3 and 4; one of the four is padding.
  assert.equal(box.count, 3);
  assert.deepEqual([box.least, box.most], [2 * 33 - 10, 2 * 43 - 10]);
  const values = [33, 34, 43].map((each) => 2 * each - 10);
  const mean = values.reduce((a, b) => a + b) / 3;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / 3;
  assert.ok(Math.abs(box.mean - mean) < 1e-9);
  assert.ok(Math.abs(box.deviation - Math.sqrt(variance)) < 1e-9);
  assert.equal(box.unit, "HU");
  const round = valuesIn(
    picture(20, 20, () => 7),
    { x: 0, y: 0 },
    { x: 20, y: 20 },
    "ellipse",
  )!;
  assert.ok(Math.abs(round.count - Math.PI * 100) < 8);
  assert.deepEqual([round.mean, round.deviation], [4, 0]);
  assert.equal(valuesIn(made, { x: 50, y: 50 }, { x: 60, y: 60 }, "rectangle"), null);
});

test("a measurement belongs to one frame of one object", () => {
  const all = new Measurements();
  const [a, b] = [picture(2, 2, () => 0), picture(2, 2, () => 0)];
  b.info = { ...b.info, number: 5 };
  const id = all.add({ kind: "length", owner: ownerOf(a), points: [], text: "" });
  assert.equal(all.of(a).length, 1);
  assert.equal(all.of(b).length, 0);
  assert.equal(all.of(null).length, 0);
  all.remove(id);
  assert.deepEqual([all.list.length, all.selected], [0, 0]);
});

test("boxes are changed at all four corners", () => {
  const points = [
    { x: 1, y: 2 },
    { x: 5, y: 8 },
  ];
  const box = { id: 1, kind: "rectangle", owner: "", points, text: "" } as const;
  assert.equal(handlesOf(box).length, 4);
  assert.deepEqual(withHandle(box, 2, { x: 0, y: 9 }), [
    { x: 0, y: 2 },
    { x: 5, y: 9 },
  ]);
  assert.deepEqual(withHandle(box, 3, { x: 6, y: 1 }), [
    { x: 1, y: 1 },
    { x: 6, y: 8 },
  ]);
  assert.equal(outline(box).length, 5);
});
