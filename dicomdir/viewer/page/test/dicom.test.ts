import assert from "node:assert/strict";
import { test } from "node:test";
import type { InstanceEntry } from "../src/data/format.ts";
import { Charset } from "../src/dicom/charset.ts";
import { DataSet, DatasetError } from "../src/dicom/dataset.ts";
import { frameInfo } from "../src/dicom/frame.ts";
import { readKeyObject } from "../src/dicom/key_object.ts";
import { readName, shownName } from "../src/dicom/names.ts";
import { overlayMask, overlaysOf } from "../src/dicom/overlay.ts";
import { paletteOf } from "../src/dicom/palette.ts";
import { leftOutOn, readPresentationState, stateVoi } from "../src/dicom/presentation.ts";
import { fits, shutterOf } from "../src/dicom/shutter.ts";
import { T } from "../src/dicom/tags.ts";
import { dataset, type Element, element, item, join, parsed, seeded, sequence } from "./bytes.ts";

const latin = (text: string) => Uint8Array.from(text, (each) => each.charCodeAt(0));

test("values of every kind, and what is missing", () => {
  const ds = parsed(
    [T.PatientName, "PN", "DOE^JANE"],
    [T.PixelSpacing, "DS", "0.5\\0.25 "],
    [T.Rows, "US", [512]],
    [T.PixelPaddingValue, "SS", [-2000]],
    [T.ShutterShape, "CS", "CIRCULAR\\POLYGONAL"],
    [T.PhysicalDeltaX, "FD", [0.0125]],
    [T.SOPInstanceUID, "UI", "1.2.3"],
  );
  assert.equal(ds.string(T.PatientName), "DOE^JANE");
  assert.deepEqual(ds.numbers(T.PixelSpacing), [0.5, 0.25]);
  assert.equal(ds.number(T.Rows), 512);
  assert.equal(ds.number(T.PixelPaddingValue), -2000);
  assert.deepEqual(ds.strings(T.ShutterShape), ["CIRCULAR", "POLYGONAL"]);
  assert.equal(ds.number(T.PhysicalDeltaX), 0.0125);
  assert.equal(ds.string(T.SOPInstanceUID), "1.2.3");
  assert.equal(ds.string(T.Modality), "");
  assert.equal(ds.number(T.Columns), null);
  assert.deepEqual(ds.items(T.VOILUTSequence), []);
});

test("sequences of defined and undefined length, explicit and implicit", () => {
  const inner = dataset([T.LUTExplanation, "LO", "inner"]);
  const defined = element(T.ModalityLUTSequence, "SQ", [item(inner), item(inner)]);
  const undefinedSequence = (vr: string, content: Uint8Array) => {
    const head = element(T.VOILUTSequence, vr, content);
    new DataView(head.buffer).setUint32(8, 0xffffffff, true);
    return join(head, Uint8Array.of(0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0));
  };
  const implicit = Uint8Array.of(0x28, 0, 0x03, 0x30, 4, 0, 0, 0, ...latin("impl"));
  const after = element(T.PatientID, "LO", "x");
  const before = element(T.PatientID, "LO", "id");
  for (const [bytes, text] of [
    [undefinedSequence("SQ", join(item(inner, true), item(inner))), "inner"],
    [undefinedSequence("UN", item(implicit, true)), "impl"],
  ] as const) {
    const ds = new DataSet(join(before, defined, bytes, element(0x60000010, "US", [4])));
    assert.equal(ds.items(T.ModalityLUTSequence).length, 2);
    assert.equal(ds.items(T.VOILUTSequence)[0]!.string(T.LUTExplanation), text);
    assert.equal(ds.number(0x60000010), 4);
  }
  assert.equal(new DataSet(after).string(T.PatientID), "x");
});

test("bytes that are cut or turned never hang, and fail as what they are", () => {
  const deep = Array.from({ length: 40 }).reduce<Uint8Array>(
    (content) => element(T.ContentSequence, "SQ", [item(content)]),
    dataset([T.TextValue, "UT", "x"]),
  );
  const whole = join(
    dataset([T.PatientID, "LO", "id"], [T.Rows, "US", [1]]),
    deep,
    element(T.GraphicAnnotationSequence, "SQ", [
      item(dataset([T.GraphicData, "FL", [1, 2]]), true),
    ]),
  );
  const random = seeded(11);
  const walk = (ds: DataSet, depth = 0): void => {
    for (const { tag, vr } of ds.elements.values()) {
      ds.strings(tag);
      ds.numbers(tag);
      if (vr === "SQ" && depth < 50) for (const each of ds.items(tag)) walk(each, depth + 1);
    }
  };
  for (let i = 0; i < 3000; i++) {
    const bytes = whole.slice(0, random() < 0.5 ? Math.floor(random() * whole.length) : undefined);
    for (let k = 0; k < 3 && bytes.length; k++) {
      bytes[Math.floor(random() * bytes.length)] = random() * 256;
    }
    try {
      walk(new DataSet(bytes));
    } catch (error) {
      assert.ok(error instanceof DatasetError, String(error));
    }
  }
});

test("names in the character sets of PS3.5 annexes H to K", () => {
  const decode = (sets: string[], bytes: string) => new Charset(sets).decode(latin(bytes));
  assert.equal(decode(["ISO_IR 100"], "Buc^J\xe9r\xf4me"), "Buc^Jérôme");
  assert.equal(decode(["ISO_IR 144"], "\xbb\xee\xda\x63\x65\xdc\xd1\x79\x70\xd3"), "Люкceмбypг");
  assert.equal(
    decode(["ISO_IR 192"], "Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1="),
    "Wang^XiaoDong=王^小東=",
  );
  assert.equal(
    decode(["GB18030"], "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab="),
    "Wang^XiaoDong=王^小东=",
  );
  assert.equal(
    decode(
      ["", "ISO 2022 IR 87"],
      "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
    ),
    "Yamada^Tarou=山田^太郎=やまだ^たろう",
  );
  assert.equal(
    decode(
      ["ISO 2022 IR 13", "ISO 2022 IR 87"],
      "\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J",
    ),
    "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎",
  );
  assert.equal(
    decode(
      ["", "ISO 2022 IR 149"],
      "Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
    ),
    "Hong^Gildong=洪^吉洞=홍^길동",
  );
  assert.equal(decode(["nonsense"], "Doe"), "Doe");
});

test("person names as people read them", () => {
  assert.equal(shownName("DOE^JANE^^DR"), "DOE, JANE, DR");
  assert.equal(shownName("Yamada^Tarou=山田^太郎=やまだ^たろう"), "Yamada, Tarou (山田 太郎)");
  assert.equal(shownName(""), "");
  assert.equal(readName("A^B=C").ideographic, "C");
});

test("overlays: bits of a plane, a frame of many, bits in the pixels", () => {
  const plane = (more: [number, string, string | number[] | Uint8Array][]) =>
    parsed(
      [0x60000010, "US", [2]],
      [0x60000011, "US", [3]],
      [0x60000040, "CS", "G"],
      [0x60000050, "SS", [1, -1]],
      ...more,
    );
  const [one] = overlaysOf(plane([[0x60003000, "OW", Uint8Array.of(0b101001, 0)]]), 0);
  assert.deepEqual([one!.x, one!.y], [-2, 0]);
  assert.deepEqual([...overlayMask(one!, null)], [1, 0, 0, 1, 0, 1]);
  const many = plane([
    [0x60000015, "IS", "2"],
    [0x60000051, "US", [2]],
    [0x60003000, "OW", Uint8Array.of(0b01000001, 0b100000)],
  ]);
  assert.deepEqual(overlaysOf(many, 0), []);
  assert.deepEqual(
    [...overlayMask(overlaysOf(many, 2)[0]!, null)],
    [1, 0, 0, 0, 0, 0].map((_, i) => +(i === 0)),
  );
  const [inside] = overlaysOf(plane([[0x60000102, "US", [12]]]), 0);
  assert.deepEqual(
    [...overlayMask(inside!, [0x1000, 0, 0x1fff, 0xefff, 0, 0])],
    [1, 0, 1, 0, 0, 0],
  );
  assert.deepEqual(overlaysOf(plane([[0x60003000, "OW", Uint8Array.of()]]), 0), []);
});

test("palettes: whole, of 8 bits in 16, and in segments", () => {
  const three = (make: (part: number) => [number, string, number[]][]) =>
    parsed(...[0, 1, 2].flatMap(make));
  const wide = paletteOf(
    three((part) => [
      [T.RedPaletteDescriptor + part, "US", [3, 10, 16]],
      [T.RedPaletteData + part, "OW", [0, 0x8000, 0xffff]],
    ]),
  )!;
  assert.equal(wide.first, 10);
  assert.deepEqual([...wide.green], [0, 0x80, 0xff]);
  const segmented = paletteOf(
    three((part) => [
      [T.RedPaletteDescriptor + part, "US", [6, 0, 16]],
      [T.SegmentedRedPaletteData + part, "OW", [0, 2, 0, 0x1000, 1, 4, 0x5000]],
    ]),
  )!;
  assert.deepEqual([...segmented.red], [0, 0x10, 0x20, 0x30, 0x40, 0x50]);
  assert.equal(paletteOf(parsed([T.Rows, "US", [1]])), null);
});

test("shutters in image coordinates", () => {
  const ds = parsed(
    [T.ShutterShape, "CS", "RECTANGULAR\\CIRCULAR"],
    [T.ShutterLeftVerticalEdge, "IS", "10"],
    [T.ShutterRightVerticalEdge, "IS", "100"],
    [T.ShutterUpperHorizontalEdge, "IS", "20"],
    [T.ShutterLowerHorizontalEdge, "IS", "50"],
    [T.CenterOfCircularShutter, "IS", "30\\60"],
    [T.RadiusOfCircularShutter, "IS", "25"],
  );
  assert.deepEqual(shutterOf(ds, 0), {
    rectangle: { x0: 10, y0: 20, x1: 99, y1: 49 },
    circle: { x: 59.5, y: 29.5, radius: 25 },
    polygon: null,
    bitmap: null,
    shade: 0,
  });
  assert.equal(shutterOf(parsed([T.ShutterShape, "CS", "CIRCULAR"]), 0), null);
});

test("a bitmap shutter is an overlay plane of the object, and that is no overlay then", () => {
  const plane = (group: number, ...bytes: number[]): Element[] => [
    [group * 65_536 + 0x10, "US", [2]],
    [group * 65_536 + 0x11, "US", [3]],
    [group * 65_536 + 0x3000, "OW", Uint8Array.from(bytes)],
  ];
  const bitmap: Element[] = [
    [T.ShutterShape, "CS", "BITMAP"],
    [T.ShutterPresentationValue, "US", [0xffff]],
    [T.ShutterOverlayGroup, "US", [0x6002]],
  ];
  const planes = [...plane(0x6000, 1, 0), ...plane(0x6002, 0b110, 0)];
  const shutter = shutterOf(parsed(...bitmap, ...planes), 0)!;
  assert.deepEqual([...overlayMask(shutter.bitmap!, null)], [0, 1, 1, 0, 0, 0]);
  assert.deepEqual([shutter.shade, shutter.rectangle], [1, null]);
  assert.ok(fits(shutter, { rows: 2, columns: 3 }));
  assert.ok(!fits(shutter, { rows: 3, columns: 2 }));
  const groups = (rows: number) =>
    frameInfo({ rows, columns: 3 } as InstanceEntry, parsed(...bitmap, ...planes), 0).overlays.map(
      ({ group }) => group,
    );
  assert.deepEqual([groups(2), groups(4)], [[0x6000], [0x6000, 0x6002]]);
  // No plane of that group, no group, and a group that is none of overlays.
  assert.equal(shutterOf(parsed(...bitmap, ...plane(0x6000, 1, 0)), 0), null);
  for (const group of [0, 0x6020, 0x7fe0, 0x0028]) {
    const other = bitmap.map(
      (each): Element =>
        each[0] === T.ShutterOverlayGroup ? [T.ShutterOverlayGroup, "US", [group]] : each,
    );
    assert.equal(shutterOf(parsed(...other, ...planes), 0), null, String(group));
  }
  const state = readPresentationState(parsed(...bitmap, ...planes));
  const [word] = readPresentationState(parsed(...bitmap)).leftOut;
  assert.deepEqual([state.leftOut, word], [[], "Bitmap Display Shutter"]);
  assert.deepEqual(leftOutOn(state, { rows: 2, columns: 3 }), []);
  assert.deepEqual(leftOutOn(state, { rows: 2, columns: 4 }), [word]);
});

test("a presentation state: windows by image, marks, turning", () => {
  const image = (uid: string) => dataset([T.ReferencedSOPInstanceUID, "UI", uid]);
  const state = readPresentationState(
    parsed(
      [T.ContentLabel, "CS", "LUNG"],
      [T.ImageRotation, "US", [90]],
      [T.ImageHorizontalFlip, "CS", "Y"],
      [T.PresentationLUTShape, "CS", "INVERSE"],
      sequence(
        T.SoftcopyVOILUTSequence,
        dataset(
          sequence(T.ReferencedImageSequence, image("1.1")),
          [T.WindowCenter, "DS", "-600"],
          [T.WindowWidth, "DS", "1500"],
        ),
      ),
      sequence(
        T.GraphicAnnotationSequence,
        dataset(
          sequence(T.ReferencedImageSequence, image("1.1")),
          sequence(
            T.GraphicObjectSequence,
            dataset(
              [T.GraphicAnnotationUnits, "CS", "PIXEL"],
              [T.GraphicType, "CS", "POLYLINE"],
              [T.GraphicData, "FL", [1, 1, 11, 21]],
            ),
          ),
          sequence(
            T.TextObjectSequence,
            dataset(
              [T.UnformattedTextValue, "ST", "here"],
              [T.AnchorPointAnnotationUnits, "CS", "DISPLAY"],
              [T.AnchorPoint, "FL", [0.5, 0.5]],
            ),
          ),
        ),
      ),
    ),
  );
  assert.equal(stateVoi(state, "1.1", 1).window?.center, -600);
  assert.equal(stateVoi(state, "1.2", 1).window, null);
  assert.deepEqual([state.rotation, state.flip, state.isInverse], [90, true, true]);
  assert.deepEqual(state.marks[0]!.points, [
    [1, 1],
    [11, 21],
  ]);
  assert.equal(state.marks[1]!.text, "here");
  assert.equal(state.marks[1]!.units, "display");
});

test("a key object selection: why, what was said, and of which images", () => {
  const code = dataset([T.CodeMeaning, "LO", "Of Interest"]);
  const content = [
    dataset([T.ValueType, "CS", "TEXT"], [T.TextValue, "UT", "the nodule"]),
    dataset(
      [T.ValueType, "CS", "IMAGE"],
      sequence(
        T.ReferencedSOPSequence,
        dataset([T.ReferencedSOPInstanceUID, "UI", "1.2"], [T.ReferencedFrameNumber, "IS", "3\\5"]),
      ),
    ),
  ];
  const evidence = dataset(
    sequence(
      T.ReferencedSeriesSequence,
      dataset(
        sequence(T.ReferencedSOPSequence, dataset([T.ReferencedSOPInstanceUID, "UI", "1.2"])),
        [0x0020000e, "UI", "1.9"],
      ),
    ),
  );
  const made = readKeyObject(
    parsed(
      sequence(T.ConceptNameCodeSequence, code),
      sequence(0x0040a375, evidence),
      sequence(T.ContentSequence, ...content),
    ),
  );
  assert.deepEqual(made, {
    title: "Of Interest",
    text: "the nodule",
    references: [{ uid: "1.2", frames: [3, 5], series: "1.9" }],
  });
});

test("compound graphics: not twice, drawn where they can be, else named", () => {
  const units: [number, string, string] = [T.CompoundGraphicUnits, "CS", "PIXEL"];
  const compound = (id: number, type: string) =>
    dataset(
      [T.CompoundGraphicInstanceID, "UL", [id]],
      [T.CompoundGraphicType, "CS", type],
      [T.GraphicData, "FL", [11, 21, 31, 41]],
      units,
    );
  const simple = dataset(
    [T.CompoundGraphicInstanceID, "UL", [1]],
    [T.GraphicAnnotationUnits, "CS", "DISPLAY"],
    [T.GraphicType, "CS", "POLYLINE"],
    [T.GraphicData, "FL", [0, 0, 1, 1]],
  );
  const state = readPresentationState(
    parsed(
      sequence(
        T.GraphicAnnotationSequence,
        dataset(
          sequence(T.GraphicObjectSequence, simple),
          sequence(
            T.CompoundGraphicSequence,
            compound(1, "RULER"),
            compound(2, "RECTANGLE"),
            compound(3, "ARROW"),
          ),
        ),
      ),
    ),
  );
  assert.deepEqual(state.leftOut, ["ARROW"]);
  assert.equal(state.marks.length, 3);
  const [first] = state.marks[1]!.points;
  const along = state.marks[1]!.points.map(([x, y]) => [x - first![0], y - first![1]]);
  assert.deepEqual(along, [
    [0, 0],
    [20, 0],
    [20, 20],
    [0, 20],
    [0, 0],
  ]);
});
