import assert from "node:assert/strict";
import { test } from "node:test";
import { cut, isWithin, nearestFrame, stepOf } from "../src/compare/planes.ts";
import { cross, dot, type Plane, type Vec3 } from "../src/dicom/geometry.ts";
import { cellOf, hang, isMirrored } from "../src/dicom/mammo.ts";
import { apply } from "../src/view/matrix.ts";
import { advance } from "../src/view/player.ts";
import { niceLength } from "../src/view/scale_bar.ts";
import { centreOf, INITIAL, viewMatrix } from "../src/view/state.ts";

function plane(position: Vec3, row: Vec3, column: Vec3, frameOfReference = "1.2"): Plane {
  const normal = cross(row, column);
  const along = dot(position, normal);
  return { position, row, column, normal, spacing: [1, 1], along, frameOfReference };
}

const axial = (z: number, reference = "1.2") =>
  plane([-50, -50, z], [1, 0, 0], [0, 1, 0], reference);

test("the frame at a place, whatever the distance of slices and the direction", () => {
  const thin = Array.from({ length: 101 }, (_, i) => axial(i * 0.75));
  const back = [...thin].reverse();
  assert.equal(nearestFrame(thin, axial(30), [0, 0, 30], 0)?.index, 40);
  assert.equal(nearestFrame(back, axial(30), [0, 0, 30], 0)?.index, 60);
  assert.equal(stepOf(thin), 0.75);
  assert.equal(nearestFrame(thin, axial(30, "1.3"), [0, 0, 30], 0), null);
  assert.equal(nearestFrame([null, null], axial(30), [0, 0, 30], 0), null);
});

test("of several frames at one place the one that is nearest to what is shown", () => {
  const phases = [0, 0, 0, 5, 5, 5, 10, 10, 10].map((z) => axial(z));
  assert.equal(nearestFrame(phases, axial(5), [0, 0, 5], 8)?.index, 5);
  assert.equal(nearestFrame(phases, axial(5), [0, 0, 5], 0)?.index, 3);
  assert.equal(stepOf(phases), 5);
});

test("a point is in the frame within half a step, and no farther", () => {
  assert.equal(isWithin(axial(0), [3, 4, 2.9], 5), true);
  assert.equal(isWithin(axial(0), [3, 4, 3.1], 5), false);
});

test("an axial plane cuts a coronal image in a level line", () => {
  const coronal = plane([-50, 0, 100], [1, 0, 0], [0, 0, -1]);
  const ends = cut(axial(20), 100, 100, coronal)!;
  for (const [, y, z] of ends) {
    assert.ok(Math.abs(y) < 1e-9);
    assert.ok(Math.abs(z - 20) < 1e-9);
  }
  const across = Math.abs(ends[0][0] - ends[1][0]);
  assert.ok(
    Math.abs(across - 100) < 1e-9,
    "the whole width of the image, to the edge of its pixels",
  );
  assert.equal(cut(axial(20), 100, 100, axial(30)), null, "parallel");
  const beside = plane([-50, 80, 100], [1, 0, 0], [0, 0, -1]);
  assert.equal(cut(axial(20), 100, 100, beside), null, "the image ends before");
});

test("loops go round, sweeps there and back", () => {
  const run = (turn: "loop" | "sweep", steps: number) => {
    const seen: number[] = [];
    let now: { index: number; direction: 1 | -1 } = { index: 0, direction: 1 };
    for (let i = 0; i < 9; i++) {
      now = advance(now.index, now.direction, steps, 4, turn);
      seen.push(now.index);
    }
    return seen.join("");
  };
  assert.equal(run("loop", 1), "123012301");
  assert.equal(run("sweep", 1), "123210123");
  assert.equal(run("sweep", 2), "220220220");
  assert.deepEqual(advance(0, 1, 3, 1, "loop"), { index: 0, direction: 1 });
});

test("mammograms: right beside left, CC above MLO, chest walls together", () => {
  const views = [
    { side: "L", view: "MLO" },
    { side: "R", view: "CC" },
    { side: "R", view: "MLO" },
    { side: "L", view: "CC" },
  ] as const;
  assert.deepEqual(hang(views), { cells: [1, 3, 2, 0], rows: 2 });
  assert.deepEqual(hang(views.slice(0, 3)), { cells: [1, null, 2, 0], rows: 2 });
  assert.equal(hang(views.slice(0, 1)), null);
  // What is known of one alone is where it hangs among four.
  const { cells } = hang(views)!;
  views.slice(0, 4).forEach((view, i) => {
    assert.equal(cellOf(view), cells.indexOf(i));
  });
  assert.equal(cellOf({ side: "", view: "CC" }), null);
  assert.equal(cellOf({ side: "R", view: "ML" }), null);
  assert.equal(isMirrored("R", "P"), false);
  assert.equal(isMirrored("R", "A"), true);
  assert.equal(isMirrored("L", "A"), false);
  assert.equal(isMirrored("L", "P"), true);
  assert.equal(isMirrored("L", ""), false);
});

test("an aligned picture touches its side, turned and flipped too", () => {
  const extent = { rows: 200, columns: 100, aspect: 1 };
  for (const rotation of [0, 90, 180, 270] as const) {
    for (const flip of [false, true]) {
      for (const align of [-1, 1] as const) {
        const state = { ...INITIAL, rotation, flip, align, scale: 1 };
        const m = viewMatrix(state, extent, 400, 300);
        const xs = [apply(m, 0, 0).x, apply(m, 100, 200).x];
        const [least, most] = [Math.min(...xs), Math.max(...xs)];
        assert.ok(Math.abs(align < 0 ? least : most - 400) < 1e-9, `${rotation} ${flip} ${align}`);
        const middle = centreOf(state, extent, 1, 400);
        const at = apply(m, middle.x, middle.y);
        assert.deepEqual([Math.round(at.x), Math.round(at.y)], [200, 150]);
      }
    }
  }
});

test("scale bars have round lengths", () => {
  assert.deepEqual([9.9, 10, 49, 51, 0.3].map(niceLength), [5, 10, 20, 50, 0.2]);
});
