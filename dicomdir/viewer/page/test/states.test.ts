import assert from "node:assert/strict";
import { test } from "node:test";
import { isWhole, shapeOf } from "../src/dicom/compound.ts";
import type { FrameInfo } from "../src/dicom/frame.ts";
import { readPresentationState } from "../src/dicom/presentation.ts";
import { T } from "../src/dicom/tags.ts";
import { shadeTable, type Voi } from "../src/render/shades.ts";
import { dataset, type Element, parsed, sequence } from "./bytes.ts";

const item = (type: string, ...more: Element[]) =>
  parsed([T.CompoundGraphicType, "CS", type], ...more);
const shape = (type: string, points: [number, number][], ...more: Element[]) =>
  shapeOf(item(type, ...more), points, true);
const rounded = (points: [number, number][] | undefined) =>
  points?.map((each) => each.map((n) => Math.round(n * 1e6) / 1e6 + 0));
const turned: Element[] = [
  [T.RotationAngle, "FD", [90]],
  [T.RotationPoint, "FL", [10, 10]],
];

test("each type of compound graphic is the marks that the standard makes of it", () => {
  const ellipse = shape("ELLIPSE", [
    [0, 0],
    [20, 10],
  ]);
  assert.deepEqual(ellipse, {
    kind: "ellipse",
    points: [
      [0, 5],
      [20, 5],
      [10, 0],
      [10, 10],
    ],
  });
  assert.deepEqual(
    shape("RECTANGLE", [
      [0, 0],
      [4, 2],
    ])?.points,
    [
      [0, 0],
      [4, 0],
      [4, 2],
      [0, 2],
      [0, 0],
    ],
  );
  assert.equal(
    shape("POLYGON", [
      [0, 0],
      [4, 2],
      [1, 1],
    ])?.points.length,
    4,
  );
  assert.deepEqual(
    shape("CIRCLE", [
      [5, 5],
      [5, 9],
    ])?.kind,
    "circle",
  );
  const line = shape(
    "INFINITELINE",
    [
      [0, 0],
      [1, 1],
    ],
    [T.GapLength, "FL", [0.25]],
    [T.RotationPoint, "FL", [10, 10]],
  );
  assert.deepEqual([line?.kind, line?.gap, line?.middle], ["infinite", 0.25, [10, 10]]);
  const cross = shape("CROSSHAIR", [[7, 8]], [T.DiameterOfVisibility, "FL", [0.5]]);
  assert.deepEqual([cross?.kind, cross?.seen, cross?.middle], ["cross", 0.5, [7, 8]]);
  assert.deepEqual(cross?.points, [
    [6, 8],
    [8, 8],
    [7, 7],
    [7, 9],
  ]);
});

test("a rotation is counter-clockwise, and of the displayed area it is not drawn", () => {
  // From three o'clock to twelve.
  assert.deepEqual(
    rounded(
      shape(
        "MULTILINE",
        [
          [10, 10],
          [20, 10],
        ],
        ...turned,
      )?.points,
    ),
    [
      [10, 10],
      [10, 0],
    ],
  );
  assert.equal(
    shapeOf(
      item("MULTILINE", ...turned),
      [
        [0, 0],
        [1, 1],
      ],
      false,
    ),
    null,
  );
  assert.equal(
    shape(
      "MULTILINE",
      [
        [0, 0],
        [1, 1],
      ],
      [T.RotationAngle, "FD", [90]],
    ),
    null,
  );
});

test("a ruler has its ticks and labels on the sides that it names", () => {
  const tick = (at: number, label: string) =>
    dataset([T.TickPosition, "FL", [at]], [T.TickLabel, "SH", label]);
  const ticks = (...all: Uint8Array[]) => sequence(T.MajorTicksSequence, ...all);
  const ruler = shape(
    "RULER",
    [
      [0, 0],
      [10, 0],
    ],
    ticks(tick(0, "0"), tick(0.5, "5 cm"), tick(1, "10 cm")),
    [T.TickAlignment, "CS", "TOP"],
    [T.TickLabelAlignment, "CS", "BOTTOM"],
    [T.ShowTickLabel, "CS", "Y"],
  );
  assert.deepEqual(
    [ruler?.ticks?.map(({ label }) => label), ruler?.tickSide, ruler?.labelSide],
    [["0", "5 cm", "10 cm"], -1, 1],
  );
  const silent = shape(
    "AXIS",
    [
      [0, 0],
      [1, 0],
    ],
    ticks(tick(0, "0")),
    [T.ShowTickLabel, "CS", "N"],
  );
  assert.deepEqual(silent?.ticks, [{ at: 0, label: "" }]);
  for (const at of [-0.1, 1.1, 200, Number.NaN]) {
    assert.equal(
      shape(
        "RULER",
        [
          [0, 0],
          [1, 0],
        ],
        ticks(tick(at, "x")),
      ),
      null,
      String(at),
    );
  }
  const many = Array.from({ length: 2000 }, () => tick(0.5, "x"));
  assert.equal(
    shape(
      "RULER",
      [
        [0, 0],
        [1, 0],
      ],
      ticks(...many),
    ),
    null,
  );
});

test("a cut line is looked at from its right, where it is known which side that is", () => {
  const line = (points: [number, number][], ...more: Element[]) =>
    shape("CUTLINE", points, ...more);
  // Straight up: right of it.
  const up = line([
    [10, 20],
    [10, 0],
  ]);
  assert.deepEqual([up?.kind, up?.from], ["infinite", [30, 10]]);
  const aslant = line([
    [0, 10],
    [4, 8],
  ]);
  assert.deepEqual(aslant?.from, [4, 13]);
  // Turned with the line: by 90 degrees against the clock, right becomes up.
  const lain = line(
    [
      [10, 20],
      [10, 0],
    ],
    ...turned,
  );
  assert.deepEqual(rounded([lain!.from!]), [[10, -10]]);
  for (const end of [
    [10, 40],
    [20, 20],
    [10, 20],
  ] as [number, number][]) {
    assert.equal(line([[10, 20], end])?.from, undefined, String(end));
  }
  const data = (...points: number[]) => item("CUTLINE", [T.GraphicData, "FL", points]);
  assert.deepEqual([data(10, 20, 10, 0), data(10, 0, 10, 20), data(10, 20), data()].map(isWhole), [
    true,
    false,
    false,
    false,
  ]);
  const other = shape("INFINITELINE", [
    [10, 20],
    [10, 0],
  ]);
  assert.equal(other?.from, undefined);
});

test("what is hostile or not known for certain is not drawn, and named", () => {
  for (const type of ["RANGELINE", "MY_OWN", ""]) {
    assert.equal(
      shape(type, [
        [0, 0],
        [1, 1],
      ]),
      null,
      type,
    );
  }
  assert.equal(
    shape("MULTILINE", [
      [0, 0],
      [1, 1],
      [2, 2],
    ]),
    null,
  );
  for (const type of ["RECTANGLE", "ELLIPSE", "CIRCLE", "RULER", "ARROW", "INFINITELINE"]) {
    assert.equal(shape(type, []), null, type);
    assert.equal(shape(type, [[0, 0]]), null, type);
    assert.equal(
      shape(type, [
        [Number.NaN, 0],
        [1, Infinity],
      ]),
      null,
      type,
    );
  }
  const compound = (type: string) =>
    dataset(
      [T.CompoundGraphicType, "CS", type],
      [T.CompoundGraphicUnits, "CS", "PIXEL"],
      [T.GraphicData, "FL", [1, 1, 3, 3]],
    );
  const state = readPresentationState(
    parsed(
      sequence(
        T.GraphicAnnotationSequence,
        dataset(
          sequence(
            T.CompoundGraphicSequence,
            ...["CUTLINE", "ARROW", "ELLIPSE", "CUTLINE"].map(compound),
          ),
        ),
      ),
      sequence(T.PresentationLUTSequence, dataset([T.LUTDescriptor, "US", [4, 0, 8]])),
      [T.RedPaletteDescriptor, "US", [4, 0, 8]],
      sequence(T.MaskSubtractionSequence, dataset([T.MaskOperation, "CS", "TID"])),
    ),
  );
  assert.deepEqual(state.leftOut, [
    "CUTLINE",
    "ARROW",
    "Presentation LUT",
    "Palette Color",
    "Mask Subtraction",
  ]);
  assert.deepEqual(
    state.marks.map(({ kind }) => kind),
    ["infinite", "ends", "ellipse", "infinite"],
  );
  assert.deepEqual([state.tone, state.isInverse], [null, false]);
});

const grey8 = (more: object = {}) =>
  ({
    photometric: "MONOCHROME2",
    stored: 8,
    allocated: 8,
    shift: 0,
    isSigned: false,
    rescale: { slope: 1, intercept: 0, lut: null, unit: "" },
    palette: null,
    supplement: null,
    padding: null,
    ...more,
  }) as unknown as FrameInfo;
const full: Voi = {
  kind: "window",
  window: { center: 127.5, width: 255, fn: "LINEAR_EXACT", name: "" },
};
const entries = (...all: number[]) => Uint16Array.from(all);

test("a Presentation LUT is read with the shades that a window makes", () => {
  const lut = { first: 0, bits: 8, entries: entries(0, 255, 51), explanation: "", type: "" };
  const table = shadeTable(grey8(), { ...full, tone: { lut } }, false);
  assert.deepEqual(
    [0, 127, 128, 254, 255].map((value) => table[value]! & 255),
    [0, 0, 255, 255, 51],
  );
  const inverse = shadeTable(grey8(), { ...full, tone: { lut } }, true);
  assert.equal(inverse[255]! & 255, 204);
});

test("a pseudo-colour state's palette, and colours that an image has of its own", () => {
  const palette = {
    first: 0,
    red: Uint8Array.of(0, 255),
    green: Uint8Array.of(10, 20),
    blue: Uint8Array.of(30, 40),
  };
  const pseudo = shadeTable(grey8(), { ...full, tone: { palette } }, false);
  assert.deepEqual([pseudo[0], pseudo[255]], [0xff1e0a00, 0xff2814ff]);
  const supplement = { ...palette, first: 200 };
  const table = shadeTable(grey8({ supplement }), full, false);
  assert.deepEqual(
    [0, 199, 200, 201, 255].map((value) => table[value]),
    [0xff000000, 0xffc7c7c7, 0xff1e0a00, 0xff2814ff, 0xff2814ff],
  );
});
