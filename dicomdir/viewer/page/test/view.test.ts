import assert from "node:assert/strict";
import { test } from "node:test";
import { attributesOf } from "../src/dicom/functional.ts";
import { letters, opposite, planeOf, toImage, toPatient } from "../src/dicom/geometry.ts";
import { spacingAt, spacingOf } from "../src/dicom/spacing.ts";
import { T } from "../src/dicom/tags.ts";
import { rescaled, rescaleOf, spreadWindow, windowed, windowsOf } from "../src/dicom/voi.ts";
import { Store } from "../src/store.ts";
import { apply, inverse } from "../src/view/matrix.ts";
import { fitScale, INITIAL, type Quarter, viewMatrix } from "../src/view/state.ts";
import { dataset, parsed, seeded, sequence } from "./bytes.ts";

const frame = (...elements: Parameters<typeof dataset>) => attributesOf(parsed(...elements), 0);

test("a slice's plane takes points to the patient and back", () => {
  const plane = planeOf(
    frame(
      [T.ImagePositionPatient, "DS", "-100\\-80\\40"],
      [T.ImageOrientationPatient, "DS", "1\\0\\0\\0\\0\\-1"],
      [T.PixelSpacing, "DS", "2\\0.5"],
      [T.FrameOfReferenceUID, "UI", "1.9"],
    ),
  )!;
  assert.deepEqual(toPatient(plane, 0.5, 0.5), [-100, -80, 40]);
  assert.deepEqual(toPatient(plane, 10.5, 3.5), [-95, -80, 34]);
  const back = toImage(plane, [-95, -75, 34]);
  assert.deepEqual([back.x, back.y], [10.5, 3.5]);
  assert.equal(Math.abs(back.off), 5);
  assert.equal(letters(plane.row) + letters(plane.column), "LF");
  assert.equal(opposite("LF"), "RH");
});

test("no plane without all of it, or with axes that are none", () => {
  const at: [number, string, string] = [T.ImagePositionPatient, "DS", "0\\0\\0"];
  const spaced: [number, string, string] = [T.PixelSpacing, "DS", "1\\1"];
  assert.equal(planeOf(frame(at, spaced)), null);
  const turned = (text: string): [number, string, string] => [
    T.ImageOrientationPatient,
    "DS",
    text,
  ];
  assert.equal(planeOf(frame(at, spaced, turned("1\\0\\0\\1\\0\\0"))), null);
  assert.equal(planeOf(frame(at, spaced, turned("0\\0\\0\\0\\0\\0"))), null);
  assert.equal(planeOf(frame(at, turned("1\\0\\0\\0\\1\\0"))), null);
  assert.ok(planeOf(frame(at, spaced, turned("1\\0\\0\\0\\1\\0"))));
});

test("enhanced objects: the frame's own group before the shared one", () => {
  const ds = parsed(
    sequence(
      T.SharedFunctionalGroupsSequence,
      dataset(sequence(T.PixelMeasuresSequence, dataset([T.PixelSpacing, "DS", "3\\3"]))),
    ),
    sequence(
      T.PerFrameFunctionalGroupsSequence,
      dataset(),
      dataset(sequence(T.PixelMeasuresSequence, dataset([T.PixelSpacing, "DS", "4\\4"]))),
    ),
  );
  assert.equal(spacingOf(attributesOf(ds, 0), "CT").x, 3);
  assert.equal(spacingOf(attributesOf(ds, 1), "CT").x, 4);
});

test("spacing and where it is from", () => {
  const pixel = (text: string): [number, string, string] => [T.PixelSpacing, "DS", text];
  const imager = (text: string): [number, string, string] => [T.ImagerPixelSpacing, "DS", text];
  const source = (modality: string, ...it: Parameters<typeof dataset>) =>
    spacingOf(frame(...it), modality);
  assert.equal(source("CT", pixel("0.7\\0.6")).source, "pixel");
  assert.deepEqual(
    [source("CT", pixel("0.7\\0.6")).x, source("CT", pixel("0.7\\0.6")).y],
    [0.6, 0.7],
  );
  assert.equal(source("DX", imager("0.2\\0.2")).source, "detector");
  assert.equal(source("DX", imager("0.2\\0.2"), pixel("0.2\\0.2")).source, "detector");
  assert.equal(source("DX", imager("0.2\\0.2"), pixel("0.15\\0.15")).source, "calibrated");
  assert.equal(source("CR", pixel("0.15\\0.15")).source, "detector");
  const magnified = source(
    "XA",
    imager("0.3\\0.3"),
    [T.DistanceSourceToDetector, "DS", "1200"],
    [T.DistanceSourceToPatient, "DS", "800"],
  );
  assert.equal(magnified.source, "magnified");
  assert.ok(Math.abs(magnified.x - 0.2) < 1e-12);
  assert.equal(source("SC", [T.NominalScannedPixelSpacing, "DS", "0.1\\0.1"]).source, "nominal");
  assert.equal(source("OT").source, "none");
  const tall = source("OT", [T.PixelAspectRatio, "IS", "2\\1"]);
  assert.deepEqual([tall.source, tall.y / tall.x], ["none", 2]);
});

test("a slice that was made of projections is measured as a slice", () => {
  const grouped = (...others: Parameters<typeof dataset>) =>
    frame(
      [T.ImagerPixelSpacing, "DS", "0.14\\0.14"],
      [T.DistanceSourceToDetector, "DS", "1200"],
      [T.DistanceSourceToPatient, "DS", "800"],
      sequence(
        T.SharedFunctionalGroupsSequence,
        dataset(
          sequence(T.PixelMeasuresSequence, dataset([T.PixelSpacing, "DS", "0.1\\0.1"])),
          ...others,
        ),
      ),
    );
  const place = sequence(
    T.PlanePositionSequence,
    dataset([T.ImagePositionPatient, "DS", "0\\0\\0"]),
  );
  const turn = sequence(
    T.PlaneOrientationSequence,
    dataset([T.ImageOrientationPatient, "DS", "0\\-1\\0\\0\\0\\-1"]),
  );
  for (const modality of ["MG", "XA"]) {
    const { source, x } = spacingOf(grouped(place, turn), modality);
    assert.deepEqual([source, x], ["pixel", 0.1], modality);
    // Without a plane it is a projection, whatever it is grouped in.
    assert.notEqual(spacingOf(grouped(), modality).source, "pixel");
  }
});

test("ultrasound: each region its own, none between them or where an axis is no length", () => {
  const region = (x0: number, units: number) =>
    dataset(
      [T.RegionLocationMinX0, "UL", [x0]],
      [T.RegionLocationMinY0, "UL", [0]],
      [T.RegionLocationMaxX1, "UL", [x0 + 99]],
      [T.RegionLocationMaxY1, "UL", [99]],
      [T.PhysicalUnitsXDirection, "US", [units]],
      [T.PhysicalUnitsYDirection, "US", [3]],
      [T.PhysicalDeltaX, "FD", [0.02]],
      [T.PhysicalDeltaY, "FD", [-0.03]],
    );
  const spacing = spacingOf(
    frame(sequence(T.SequenceOfUltrasoundRegions, region(0, 3), region(200, 4))),
    "US",
  );
  assert.equal(spacing.source, "region");
  assert.deepEqual(spacingAt(spacing, 50, 50), { x: 0.2, y: 0.3 });
  assert.equal(spacingAt(spacing, 150, 50), null);
  assert.equal(spacingAt(spacing, 250, 50), null);
});

test("windows as PS3.3 C.11.2 has them", () => {
  const linear = { center: 2048, width: 4096, fn: "LINEAR" as const, name: "" };
  assert.equal(windowed(linear, 0), 0);
  assert.equal(windowed(linear, 4095), 1);
  assert.equal(windowed({ ...linear, center: 100, width: 1 }, 99), 0);
  assert.equal(windowed({ ...linear, center: 100, width: 1 }, 100), 1);
  const exact = { ...linear, fn: "LINEAR_EXACT" as const };
  assert.equal(windowed(exact, 2048), 0.5);
  const sigmoid = { ...linear, fn: "SIGMOID" as const, center: 0, width: 4 };
  assert.equal(windowed(sigmoid, 0), 0.5);
  assert.ok(Math.abs(windowed(sigmoid, 1) - 1 / (1 + Math.exp(-1))) < 1e-12);
  const made = windowsOf(
    frame(
      [T.WindowCenter, "DS", "40\\-600\\5"],
      [T.WindowWidth, "DS", "400\\1500\\0"],
      [T.WindowCenterWidthExplanation, "LO", "SOFT\\LUNG\\BAD"],
    ),
  );
  assert.deepEqual(
    made.map((each) => each.name),
    ["SOFT", "LUNG"],
  );
  const spread = spreadWindow(Array.from({ length: 1001 }, (_, i) => i));
  assert.deepEqual([spread.center, spread.width], [500, 990]);
});

test("rescale: slope, table, and what unit is known", () => {
  const ct = rescaleOf(
    frame([T.RescaleSlope, "DS", "1"], [T.RescaleIntercept, "DS", "-1024"]),
    "CT",
    false,
  );
  assert.equal(rescaled(ct, 1024), 0);
  assert.equal(ct.unit, "HU");
  const table = rescaleOf(
    frame(
      sequence(
        T.ModalityLUTSequence,
        dataset(
          [T.LUTDescriptor, "US", [3, 10, 16]],
          [T.ModalityLUTType, "LO", "OD"],
          [T.LUTData, "OW", [5, 6, 900]],
        ),
      ),
    ),
    "CR",
    false,
  );
  assert.deepEqual(
    [0, 11, 99].map((each) => rescaled(table, each)),
    [5, 6, 900],
  );
  assert.equal(table.unit, "OD");
  assert.equal(rescaleOf(frame([T.RescaleType, "LO", "US"]), "MR", false).unit, "");
});

test("the view's matrix: fitted, turned, flipped, and back", () => {
  const extent = { rows: 100, columns: 200, aspect: 1 };
  const random = seeded(3);
  const corners = (rotation: Quarter, flip: boolean) => {
    const m = viewMatrix({ ...INITIAL, rotation, flip }, extent, 400, 400);
    const { x, y } = apply(m, 0, 0);
    return [Math.round(x), Math.round(y)];
  };
  assert.deepEqual(corners(0, false), [0, 100]);
  assert.deepEqual(corners(90, false), [300, 0]);
  assert.deepEqual(corners(180, false), [400, 300]);
  assert.deepEqual(corners(0, true), [400, 100]);
  assert.deepEqual(corners(90, true), [100, 0]);
  assert.equal(fitScale({ rows: 100, columns: 100, aspect: 2 }, 0, 300, 400), 2);
  for (const rotation of [0, 90, 180, 270] as const) {
    const state = {
      ...INITIAL,
      rotation,
      flip: random() < 0.5,
      scale: 1.7,
      centre: { x: 3, y: 9 },
    };
    const m = viewMatrix(state, { ...extent, aspect: 1.3 }, 640, 480);
    const there = apply(m, 17, 23);
    const back = apply(inverse(m), there.x, there.y);
    assert.ok(Math.hypot(back.x - 17, back.y - 23) < 1e-9);
    assert.deepEqual(apply(m, 3, 9), { x: 320, y: 240 });
  }
});

test("a store tells of changes, and of nothing else", () => {
  const store = new Store({ a: 1, b: 2 });
  const told: number[] = [];
  const stop = store.on((state, before) => told.push(state.a - before.a));
  store.set({ a: 1 });
  store.set({ a: 5 });
  stop();
  store.set({ a: 9 });
  assert.deepEqual(told, [4]);
});
