import assert from "node:assert/strict";
import { test } from "node:test";
import type { FrameInfo } from "../src/dicom/frame.ts";
import { cross, dot, letters, type Plane, toPatient, type Vec3 } from "../src/dicom/geometry.ts";
import { sliceOf } from "../src/volume/resample.ts";
import { type Stack, stackOf } from "../src/volume/stack.ts";
import { planeOfView, viewsOf } from "../src/volume/views.ts";
import { seeded } from "./bytes.ts";

const ROWS = 6;
const COLUMNS = 5;
const MUCH = 1 << 30;

function infos(count: number, at: (z: number) => Vec3, row: Vec3, column: Vec3): FrameInfo[] {
  const normal = cross(row, column);
  return Array.from({ length: count }, (_, z) => {
    const position = at(z);
    const plane: Plane = {
      position,
      row,
      column,
      normal,
      spacing: [0.5, 0.75],
      along: dot(position, normal),
      frameOfReference: "1.2",
    };
    return { plane, rows: ROWS, columns: COLUMNS, samples: 1, allocated: 16 } as FrameInfo;
  });
}

function voxels(stack: Stack, seed: number) {
  const random = seeded(seed);
  const values = new Int16Array(ROWS * COLUMNS * stack.frames.length);
  for (let i = 0; i < values.length; i++) values[i] = Math.floor(random() * 4000) - 1000;
  return { stack, values, empty: -1000 };
}

const made = (all: FrameInfo[]) => stackOf(all, MUCH) as Stack;

test("every voxel of every view lies where its slice has it, whatever the acquisition", () => {
  const ways: [Vec3, Vec3, (z: number) => Vec3][] = [
    [[1, 0, 0], [0, 1, 0], (z) => [-2, -3, 10 - 3 * z]], // axial, downwards
    [[1, 0, 0], [0, 1, 0], (z) => [-2, -3, 3 * z]],
    [[0, 1, 0], [0, 0, -1], (z) => [4 - 3 * z, -3, 8]], // sagittal
    [[1, 0, 0], [0, 0, -1], (z) => [-2, 3 * z, 8]], // coronal
    [[-1, 0, 0], [0, -1, 0], (z) => [2, 3, 3 * z]], // prone
  ];
  for (const [i, [row, column, at]] of ways.entries()) {
    const all = infos(4, at, row, column);
    const stack = made(all);
    const data = voxels(stack, i + 1);
    for (const view of viewsOf(stack)) {
      for (let index = 0; index < view.count; index++) {
        const cells = sliceOf(data, view, index, 1, "max");
        const plane = planeOfView(stack, view, index);
        for (let v = 0; v < view.rows; v++) {
          for (let u = 0; u < view.columns; u++) {
            const point = toPatient(plane, u + 0.5, v + 0.5);
            const expected = lookUp(stack, data.values, point);
            assert.equal(cells[v * view.columns + u], expected, `${view.name} of way ${i}`);
          }
        }
      }
    }
  }
});

/** The voxel at a point of the patient, from the slices' own planes. */
function lookUp(stack: Stack, values: Int16Array, point: Vec3): number {
  const { plane, normal, spacing } = stack;
  const from: Vec3 = [
    point[0] - plane.position[0],
    point[1] - plane.position[1],
    point[2] - plane.position[2],
  ];
  const z = Math.round(dot(from, normal) / spacing[2]);
  const x = Math.round(dot(from, plane.row) / spacing[0]);
  const y = Math.round(dot(from, plane.column) / spacing[1]);
  return values[x + COLUMNS * (y + ROWS * z)]!;
}

test("views are turned as readers expect them", () => {
  const stack = made(infos(4, (z) => [-2, -3, 3 * z], [1, 0, 0], [0, 1, 0]));
  const names = viewsOf(stack).map((view) => {
    const { row, column } = planeOfView(stack, view, 0);
    return `${view.name} ${letters(row)}${letters(column)} ${view.columns}x${view.rows}`;
  });
  assert.deepEqual(names, ["axial LP 5x6", "coronal LF 5x4", "sagittal PF 6x4"]);
  const [, coronal] = viewsOf(stack);
  assert.deepEqual(coronal!.spacing, [0.5, 3, 0.75]);
});

test("a tilted gantry is straightened: a plumb line stays plumb", () => {
  // Each slice is shifted by a row's distance along its column.
  const tilt = infos(5, (z) => [-2, -3 + 0.75 * z, 3 * z], [1, 0, 0], [0, 1, 0]);
  const stack = made(tilt);
  assert.ok(Math.abs(stack.shear[1] - 1) < 1e-9);
  assert.equal(stack.shear[0], 0);
  const values = new Int16Array(ROWS * COLUMNS * 5).fill(0);
  // A line along z at the patient's y = -3 + 4 * 0.75: row 4 - z of each slice.
  for (let z = 0; z < 5; z++) values[2 + COLUMNS * (4 - z + ROWS * z)] = 100;
  const data = { stack, values, empty: -1000 };
  const sagittal = viewsOf(stack).find((each) => each.name === "sagittal")!;
  const cells = sliceOf(data, sagittal, 2, 1, "max");
  for (let v = 0; v < 5; v++) {
    const line = [...cells.slice(v * sagittal.columns, (v + 1) * sagittal.columns)];
    assert.equal(line.indexOf(100), 4, `row ${v}`);
  }
  const axial = planeOfView(stack, viewsOf(stack)[0]!, 3);
  assert.deepEqual(axial.position, tilt[3]!.plane!.position, "slices keep their own place");
});

test("slabs: the most, the least and the mean of what is in them", () => {
  const stack = made(infos(5, (z) => [0, 0, z], [1, 0, 0], [0, 1, 0]));
  const data = voxels(stack, 9);
  const [axial] = viewsOf(stack);
  const size = ROWS * COLUMNS;
  const at = (z: number, i: number) => data.values[z * size + i]!;
  for (let i = 0; i < size; i++) {
    const three = [at(1, i), at(2, i), at(3, i)];
    assert.equal(sliceOf(data, axial!, 2, 3, "max")[i], Math.max(...three));
    assert.equal(sliceOf(data, axial!, 2, 3, "min")[i], Math.min(...three));
    const mean = three.reduce((a, b) => a + b) / 3;
    assert.equal(sliceOf(data, axial!, 2, 3, "mean")[i], Math.round(mean));
    assert.equal(sliceOf(data, axial!, 0, 3, "max")[i], Math.max(at(0, i), at(1, i)));
  }
});

test("what is no volume is refused by its reason", () => {
  const row: Vec3 = [1, 0, 0];
  const column: Vec3 = [0, 1, 0];
  const good = infos(8, (z) => [0, 0, z], row, column);
  const refused = (all: (FrameInfo | null)[], most = MUCH) => stackOf(all, most);
  assert.equal(refused(good.slice(0, 2)), "few");
  assert.equal(refused(infos(8, (z) => [0, 0, z === 7 ? 9 : z], row, column)), "gaps");
  assert.equal(refused(infos(8, (z) => [0, 0, z >> 1], row, column)), "gaps");
  assert.equal(refused([...good.slice(0, 7), { ...good[7]!, rows: 7 }]), "sizes");
  assert.equal(refused([...good.slice(0, 7), { ...good[7]!, plane: null }]), "geometry");
  const turned = infos(8, (z) => [0, 0, z], row, [0, Math.SQRT1_2, Math.SQRT1_2]);
  assert.equal(refused([...good.slice(0, 7), turned[7]!]), "geometry");
  assert.equal(refused([...good.slice(0, 7), { ...good[7]!, samples: 3 }]), "colour");
  const bytes = 8 * ROWS * COLUMNS * 2;
  assert.equal((refused(good, bytes) as Stack).skip, 1);
  const half = refused(good, bytes / 2) as Stack;
  assert.deepEqual([half.skip, half.frames, half.spacing[2]], [2, [0, 2, 4, 6], 2]);
  assert.equal(refused(good, bytes / 8), "memory");
});
