import assert from "node:assert/strict";
import { test } from "node:test";
import type { InstanceEntry } from "../src/data/format.ts";
import { type GreyPicture, type Picture, type Source, storedValue } from "../src/data/source.ts";
import { type FrameInfo, frameInfo } from "../src/dicom/frame.ts";
import { contradictionsOf, firstFrame, masksOf } from "../src/dicom/mask.ts";
import type { PresentationState } from "../src/dicom/presentation.ts";
import { presetsFor } from "../src/dicom/presets.ts";
import { T } from "../src/dicom/tags.ts";
import { unitText } from "../src/dicom/units.ts";
import { rescaled, scaledWindow, windowed } from "../src/dicom/voi.ts";
import { valuesIn } from "../src/measure/region.ts";
import { viewStateOf } from "../src/view/apply_state.ts";
import type { Viewport } from "../src/view/viewport.ts";
import { voiFor } from "../src/view/voi_choice.ts";
import { DifferenceSource } from "../src/volume/difference.ts";
import { dataset, type Element, parsed, sequence } from "./bytes.ts";

const ENTRY: InstanceEntry = {
  uid: "1.2.3",
  class: "",
  number: "1",
  file: "",
  frames: 1,
  first: 0,
  header: [1, 0, 0],
  rows: 2,
  columns: 2,
  samples: 1,
  allocated: 16,
  stored: 16,
  signed: 0,
  photometric: "MONOCHROME2",
  planar: 0,
} as unknown as InstanceEntry;

const info = (elements: Element[], frame = 0): FrameInfo =>
  frameInfo(ENTRY, parsed(...elements), frame);

const DRUG: Element[] = [
  [T.RadionuclideTotalDose, "DS", "370000000"],
  [T.RadionuclideHalfLife, "DS", "6586.2"],
  [T.RadiopharmaceuticalStartDateTime, "DT", "20240311091200"],
];

/** Decay is corrected to the injection: an SUV is the value by 70,000 g for 370 MBq. */
const pet = (...more: Element[]): FrameInfo =>
  info([
    [T.Modality, "CS", "PT"],
    [T.Units, "CS", "BQML"],
    [T.CorrectedImage, "CS", "ATTN\\DECY"],
    [T.DecayCorrection, "CS", "ADMIN"],
    [T.AcquisitionDate, "DA", "20240311"],
    [T.AcquisitionTime, "TM", "101800"],
    [T.PatientWeight, "DS", "70"],
    [T.RescaleSlope, "DS", "2"],
    [T.RescaleIntercept, "DS", "0"],
    sequence(T.RadiopharmaceuticalInformationSequence, dataset(...DRUG)),
    ...more,
  ]);

const FACTOR = 70_000 / 3.7e8;

function grey(about: FrameInfo, ...cells: number[]): GreyPicture {
  const columns = Math.sqrt(cells.length);
  return { kind: "grey", info: about, rows: columns, columns, cells: Uint16Array.from(cells) };
}

test("a PET frame has SUVs, its own values beside them, and windows on SUVs", () => {
  const made = pet([T.WindowCenter, "DS", "5000"], [T.WindowWidth, "DS", "10000"]);
  assert.equal(made.rescale.unit, "SUVbw");
  assert.ok(Math.abs(rescaled(made.rescale, 1000) - 2000 * FACTOR) < 1e-12);
  assert.equal(rescaled(made.recorded!, 1000), 2000);
  const own = { center: 5000, width: 10_000, fn: "LINEAR", name: "" } as const;
  for (const value of [0, 1, 4999, 5000, 9998, 9999.5, 20_000]) {
    const there = windowed(made.windows[0]!, value * FACTOR);
    assert.ok(Math.abs(windowed(own, value) - there) < 1e-9, String(value));
  }
  const soft = { center: 5, width: 3, fn: "SIGMOID", name: "soft" } as const;
  assert.ok(Math.abs(windowed(scaledWindow(soft, 0.25), 1) - windowed(soft, 4)) < 1e-12);
  assert.deepEqual(
    presetsFor("PT", "SUVbw").map(({ window }) => [window.center, window.width]),
    [5, 7, 10, 15, 20].map((most) => [most / 2, most]),
  );
  const capture = { ...ENTRY, samples: 3, photometric: "RGB" };
  const picture = frameInfo(capture, parsed([T.Modality, "CS", "PT"]), 0);
  assert.deepEqual([picture.recorded, picture.noSuv], [null, null]);
  assert.deepEqual([presetsFor("PT", "Bq/mL"), presetsFor("MR", "")], [[], []]);
});

test("a table, and a state's window, are on the values that the object records", () => {
  const table = dataset([T.LUTDescriptor, "US", [2, 0, 8]], [T.LUTData, "OW", [0, 255]]);
  const made = pet(sequence(T.VOILUTSequence, table));
  const voi = voiFor({ count: 1 } as Source, grey(made, 1, 2, 3, 4), null);
  assert.equal(voi?.kind, "lut");
  assert.equal(voi?.rescale, made.recorded);
  const state = {
    rescale: { slope: 2, intercept: 0, lut: null, unit: "" },
    vois: [],
    areas: [],
    rotation: 0,
    flip: false,
    isInverse: null,
  } as unknown as PresentationState;
  const window = { center: 100, width: 50, fn: "LINEAR", name: "" };
  const on = { ...state, vois: [{ references: [], windows: [window], luts: [] }] };
  const viewport = { shown: grey(made, 1, 2, 3, 4), ratio: 1 } as unknown as Viewport;
  const worn = viewStateOf(on as unknown as PresentationState, viewport).voi;
  assert.deepEqual(worn, { kind: "window", window, rescale: state.rescale });
});

test("a region is in the unit of all of its values, with the mean as it was recorded", () => {
  const suv = valuesIn(
    grey(pet(), 100, 200, 300, 400),
    { x: 0, y: 0 },
    { x: 2, y: 2 },
    "rectangle",
  );
  assert.equal(suv!.unit, "SUVbw");
  assert.ok(Math.abs(suv!.mean - 500 * FACTOR) < 1e-12);
  assert.ok(Math.abs(suv!.deviation - Math.sqrt(50_000) * FACTOR) < 1e-12);
  assert.deepEqual([suv!.recorded!.unit, suv!.recorded!.mean.toFixed(6)], ["Bq/mL", "500.000000"]);
  const code = dataset([T.CodeValue, "SH", "g/ml{SUVbw}"]);
  const mapping = dataset(
    [T.RealWorldValueFirstMapped, "US", [0]],
    [T.RealWorldValueLastMapped, "US", [300]],
    [T.RealWorldValueSlope, "FD", [-0.5]],
    [T.RealWorldValueIntercept, "FD", [10]],
    sequence(T.MeasurementUnitsCodeSequence, code),
  );
  const shared = dataset(sequence(T.RealWorldValueMappingSequence, mapping));
  const about = info([
    [T.Modality, "CS", "PT"],
    sequence(T.SharedFunctionalGroupsSequence, shared),
  ]);
  assert.equal(about.noSuv, null);
  const at = (...cells: number[]) =>
    valuesIn(grey(about, ...cells), { x: 0, y: 0 }, { x: 2, y: 2 }, "rectangle")!;
  const inside = at(10, 20, 30, 300);
  assert.deepEqual(
    [inside.mean, inside.least, inside.most, inside.unit, inside.recorded],
    [10 - 45, -140, 5, "SUVbw", { mean: 90, unit: "" }],
  );
  const beyond = at(10, 20, 30, 301);
  assert.deepEqual([beyond.most, beyond.unit, beyond.recorded], [301, "", null]);
});

test("units as people write them; what counts nothing has none", () => {
  assert.deepEqual(["BQML", "GY", "US", "PCT", "Z_EFF"].map(unitText), [
    "Bq/mL",
    "Gy",
    "",
    "%",
    "Z_EFF",
  ]);
  const dose = info([
    [T.Modality, "CS", "RTDOSE"],
    [T.DoseUnits, "CS", "GY"],
    [T.DoseGridScaling, "DS", "0.25"],
  ]);
  assert.deepEqual([rescaled(dose.rescale, 7), dose.rescale.unit], [1.75, "Gy"]);
  const unscaled = info([
    [T.Modality, "CS", "RTDOSE"],
    [T.DoseUnits, "CS", "GY"],
  ]);
  assert.deepEqual([rescaled(unscaled.rescale, 7), unscaled.rescale.unit], [7, ""]);
});

const item = (...more: Element[]) =>
  dataset([T.MaskOperation, "CS", "AVG_SUB"], [T.MaskFrameNumbers, "US", [1, 3]], ...more);

const film = (...items: Uint8Array[]) =>
  Array.from({ length: 4 }, (_, i) =>
    info(
      [
        [T.Modality, "CS", "XA"],
        [T.NumberOfFrames, "IS", "4"],
        [T.RescaleSlope, "DS", "0.5"],
        [T.RescaleIntercept, "DS", "-7"],
        sequence(T.MaskSubtractionSequence, ...items),
      ],
      i,
    ),
  );

const tid = (...more: Element[]) => dataset([T.MaskOperation, "CS", "TID"], ...more);
const range = (...frames: number[]): Element => [T.ApplicableFrameRange, "US", frames];
const still = [0, 0] as const;

test("masks are those of the first item that speaks of the frame and can be done", () => {
  const masks = (...items: Uint8Array[]) =>
    film(...items).map((each) => masksOf(each)?.frames ?? []);
  assert.deepEqual(masks(item()), Array(4).fill([1, 3]));
  assert.deepEqual(masks(item(range(2, 2, 4, 9))), [[], [1, 3], [], [1, 3]]);
  const beyond = dataset([T.MaskOperation, "CS", "AVG_SUB"], [T.MaskFrameNumbers, "US", [5]]);
  assert.deepEqual(masks(beyond, item(range(1, 1))), [[1, 3], [], [], []]);
  assert.deepEqual(masks(dataset([T.MaskOperation, "CS", "NONE"])), Array(4).fill([]));
  const firsts = film(item()).map((each) => firstFrame(each));
  assert.deepEqual(firsts[3], { frames: [1], contrast: [4], shift: still });
  assert.equal(firsts[0], null);
});

test("masks in time, averaged frames of contrast, and masks that are moved", () => {
  const all = (...items: Uint8Array[]) => film(...items).map((each) => masksOf(each));
  const frames = (...items: Uint8Array[]) => all(...items).map((each) => each?.frames[0] ?? 0);
  assert.deepEqual(frames(tid()), [0, 1, 2, 3], "the offset is 1 where it is not said");
  assert.deepEqual(frames(tid([T.TIDOffset, "SS", []])), [0, 1, 2, 3]);
  assert.deepEqual(frames(tid([T.TIDOffset, "SS", [2]])), [0, 0, 1, 2]);
  assert.deepEqual(frames(tid([T.TIDOffset, "SS", [-1]])), [2, 3, 4, 0]);
  assert.deepEqual(frames(tid(range(3, 3))), [0, 0, 2, 0]);
  assert.deepEqual(
    all(item([T.ContrastFrameAveraging, "US", [2]])).map((each) => each?.contrast),
    [[1, 2], [2, 3], [3, 4], undefined],
  );
  const [moved] = all(item([T.MaskSubPixelShift, "FL", [0.5, -1.25]]));
  assert.deepEqual(moved, { frames: [1, 3], contrast: [1], shift: [0.5, -1.25] });
  // Of an enhanced object: the shift of the frame for this item prevails.
  const shift = (id: number, by: number[]) =>
    dataset([T.SubtractionItemID, "US", [id]], [T.MaskSubPixelShift, "FL", by]);
  const group = (...shifts: Uint8Array[]) =>
    dataset(sequence(T.FramePixelShiftSequence, ...shifts));
  const enhanced = item([T.SubtractionItemID, "US", [7]], [T.MaskSubPixelShift, "FL", [1, 1]]);
  const groups = [group(shift(6, [0, 1]), shift(7, [0, 0.5])), group(), group(), group()];
  const shifts = [0, 1].map(
    (n) =>
      masksOf(
        info(
          [
            [T.NumberOfFrames, "IS", "4"],
            sequence(T.PerFrameFunctionalGroupsSequence, ...groups),
            sequence(T.MaskSubtractionSequence, enhanced),
          ],
          n,
        ),
      )?.shift,
  );
  assert.deepEqual(shifts, [
    [0, 0.5],
    [1, 1],
  ]);
});

test("what is said of masks and cannot be is named, and not done", () => {
  const said = (...items: Uint8Array[]) => {
    const [first, ...others] = film(...items);
    const done = [first!, ...others].filter((each) => masksOf(each)).length;
    return [contradictionsOf(first!), done];
  };
  assert.deepEqual(said(item()), [[], 4]);
  assert.deepEqual(said(tid()), [[], 3]);
  assert.deepEqual(said(item([T.ContrastFrameAveraging, "US", [3]])), [[], 2]);
  const wrong: [Uint8Array, string, number][] = [
    [tid([T.TIDOffset, "SS", [0]]), "TID Offset 0", 0],
    [tid([T.TIDOffset, "SS", [3]], range(3, 4)), "TID Offset 3", 1],
    [tid([T.ContrastFrameAveraging, "US", [2]]), "Contrast Frame Averaging 2", 0],
    [item([T.ContrastFrameAveraging, "US", [2]], range(3, 4)), "Contrast Frame Averaging 2", 1],
    [item([T.ContrastFrameAveraging, "US", [0]]), "Contrast Frame Averaging 0", 0],
    [item([T.ContrastFrameAveraging, "US", [65_535]]), "Contrast Frame Averaging 65535", 0],
    [item([T.MaskSubPixelShift, "FL", [0, 2]]), "Mask Sub-pixel Shift 0, 2", 0],
    [item([T.MaskSubPixelShift, "FL", [0.5]]), "Mask Sub-pixel Shift 0.5", 0],
    [item([T.MaskSubPixelShift, "FL", [Number.NaN, 0]]), "Mask Sub-pixel Shift NaN, 0", 0],
    [dataset([T.MaskOperation, "CS", "AVG_SUB"]), "Mask Frame Numbers", 0],
    [dataset([T.MaskOperation, "CS", "REV_TID"], range(1, 4)), "REV_TID", 0],
    [dataset(range(1, 4)), "Mask Operation", 0],
  ];
  for (const [one, text, done] of wrong) assert.deepEqual(said(one), [[text], done], text);
});

function sourceOf(pictures: GreyPicture[], decoded: Set<number>): Source {
  return {
    key: "series/1",
    modality: "XA",
    count: pictures.length,
    info: (i: number) => pictures[i]!.info,
    ready: () => Promise.resolve(),
    peek: (i: number) => (decoded.has(i) ? pictures[i]! : null),
    picture: (i: number) => Promise.resolve(decoded.add(i) && pictures[i]!),
  } as unknown as Source;
}

test("a difference is of values, exact, and of frames wherever they stand", async () => {
  const infos = film(item([T.ApplicableFrameRange, "US", [2, 4]]));
  const order = [3, 0, 2, 1];
  const pictures = order.map((n) => grey(infos[n]!, 0, 65_535, 10 * n + 1, n * n));
  const decoded = new Set<number>();
  const source = sourceOf(pictures, decoded);
  const made = await DifferenceSource.of(source, masksOf);
  const value = (picture: Picture, i: number) => {
    const { info: about, cells } = picture as GreyPicture;
    return rescaled(about.rescale, (cells[i]! | 0) as number);
  };
  decoded.add(0);
  assert.equal(made.peek(0), null, "its masks are not there");
  const last = await made.picture(0);
  const expected = (n: number) => [0, 0, 0.5 * (10 * n - 10), 0.5 * (n * n - 2)];
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => value(last, i)),
    expected(3),
  );
  assert.deepEqual([last.info.mask?.frames, last.info.number], [[1, 3], 4]);
  assert.equal(made.peek(0), last);
  assert.equal(await made.picture(1), pictures[1], "the first frame has no mask");
  assert.equal(made.peek(3), null);
  decoded.add(3);
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => value(made.peek(3)!, i)),
    expected(1),
  );
  assert.notEqual(last.info.uid, infos[3]!.uid);
  const colour = { kind: "colour", info: infos[3], rows: 2, columns: 2 } as unknown as Picture;
  const mixed = { ...source, peek: () => null, picture: () => Promise.resolve(colour) } as Source;
  await assert.rejects((await DifferenceSource.of(mixed, firstFrame)).picture(3));
});

/** Of a difference from the first frame: values, Number.NaN where there is none. */
async function differenceOf(stored: number, ...more: Element[]): Promise<[number[], GreyPicture]> {
  const infos = film(
    dataset([T.MaskOperation, "CS", "AVG_SUB"], [T.MaskFrameNumbers, "US", [1]], ...more),
  );
  const pictures = infos.map((each, n) =>
    grey(
      { ...each, stored, rows: 3, columns: 3 },
      ...[0, 1, 2, 10, 11, 12, 40, 41, 42].map((c) => c + 100 * n),
    ),
  );
  const made = await DifferenceSource.of(sourceOf(pictures, new Set()), masksOf);
  const picture = (await made.picture(1)) as GreyPicture;
  const { rescale, padding } = picture.info;
  const values = Array.from(picture.cells, (_, i) => storedValue(picture, i)).map((each) =>
    each === padding?.[0] ? Number.NaN : rescaled(rescale, each),
  );
  return [values, picture];
}

test("a mask goes down and to the left by what its shift says, with parts of pixels between", async () => {
  const none = Number.NaN;
  for (const stored of [8, 16]) {
    const [down] = await differenceOf(stored, [T.MaskSubPixelShift, "FL", [1, 0]]);
    // The row above is subtracted: 50 = 100 by the slope, and what a row is more than the last.
    assert.deepEqual(down, [none, none, none, 55, 55, 55, 65, 65, 65]);
    const [left] = await differenceOf(stored, [T.MaskSubPixelShift, "FL", [0, 1]]);
    assert.deepEqual(left, [49.5, 49.5, none, 49.5, 49.5, none, 49.5, 49.5, none]);
    const [part, picture] = await differenceOf(stored, [T.MaskSubPixelShift, "FL", [0.5, -0.25]]);
    const right = 50 + 0.25 * 0.5;
    assert.deepEqual(part, [
      none,
      none,
      none,
      none,
      right + 2.5,
      right + 2.5,
      none,
      right + 7.5,
      right + 7.5,
    ]);
    assert.equal(picture.info.allocated, stored === 8 ? 16 : 32);
  }
});

test("frames of contrast are averaged before their mask is subtracted", async () => {
  const [values, { info: about }] = await differenceOf(12, [T.ContrastFrameAveraging, "US", [3]]);
  assert.deepEqual(values, Array(9).fill(100)); // 100, 200 and 300 by the slope of a half
  assert.deepEqual(about.mask?.contrast, [2, 3, 4]);
  assert.equal(about.padding, null);
});
