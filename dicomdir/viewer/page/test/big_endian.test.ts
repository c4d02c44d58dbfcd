import assert from "node:assert/strict";
import { test } from "node:test";
import { swapWords } from "../src/data/big_endian.ts";
import { readPart10 } from "../src/data/part10.ts";
import { entryOf, plainCells } from "../src/data/pixels.ts";
import { T } from "../src/dicom/tags.ts";

const LONG = /^(OB|OD|OF|OL|OV|OW|SQ|UN|UT)$/;
const UNDEFINED = 0xffffffff;

/** Explicit VR Big Endian. */
function element(tag: number, vr: string, value: number[], length = value.length): number[] {
  const head = [...word(tag >>> 16, 2), ...word(tag & 0xffff, 2), ...latin(vr)];
  return [...head, ...(LONG.test(vr) ? [0, 0, ...word(length, 4)] : word(length, 2)), ...value];
}

const latin = (text: string) => [...text].map((each) => each.charCodeAt(0));
const word = (value: number, size: number) =>
  Array.from({ length: size }, (_, i) => (value / 2 ** (8 * (size - 1 - i))) & 255);
const mark = (tag: number, length: number) => [
  ...word(tag >>> 16, 2),
  ...word(tag & 0xffff, 2),
  ...word(length, 4),
];

function file(...elements: number[][]): Blob {
  const syntax = latin("1.2.840.10008.1.2.2\0");
  const meta = [2, 0, 16, 0, ...latin("UI"), syntax.length, 0, ...syntax];
  const head = [...new Uint8Array(128), ...latin("DICM"), ...meta];
  return new Blob([Uint8Array.from([...head, ...elements.flat()])]);
}

function image(bits: number, vr: string, bytes: number[], frames = 1): Blob {
  return file(
    element(T.NumberOfFrames, "IS", latin(`${frames} `)),
    element(T.Rows, "US", word(1, 2)),
    element(T.Columns, "US", word(3, 2)),
    element(0x00280100, "US", word(bits, 2)),
    element(0x7fe00010, vr, bytes),
  );
}

async function pixels(blob: Blob, frame = 0): Promise<number[]> {
  const part = await readPart10(blob);
  const object = { file: new File([], ""), path: "", uid: "", classUid: "", number: null };
  const entry = entryOf({ ...object, transferSyntax: part.transferSyntax }, part);
  return [...(await plainCells(part, entry, frame))];
}

test("words are reversed, and what is over is left", () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7);
  swapWords(bytes, 4);
  assert.deepEqual([...bytes], [4, 3, 2, 1, 5, 6, 7]);
  swapWords(bytes, 2);
  assert.deepEqual([...bytes], [3, 4, 1, 2, 6, 5, 7]);
});

test("a header in big endian: numbers of every width, sequences of either length, nested", async () => {
  const code = element(T.CodeMeaning, "LO", latin("inner "));
  const size = element(T.Rows, "US", word(513, 2));
  const open = [
    ...mark(0xfffee000, UNDEFINED),
    ...code,
    ...element(T.ContentSequence, "SQ", [...mark(0xfffee000, size.length), ...size]),
    ...mark(0xfffee00d, 0),
    ...mark(0xfffee0dd, 0),
  ];
  const item = [...mark(0xfffee000, code.length), ...code];
  const { header } = await readPart10(
    file(
      element(T.SOPInstanceUID, "UI", latin("1.2.3\0")),
      element(0x00189219, "SS", word(0xfffe, 2)),
      element(0x00189073, "FD", [0x40, 9, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18]),
      element(T.ConceptNameCodeSequence, "SQ", item),
      element(0x00204000, "LT", latin("x".repeat(40_000))),
      element(0x00204000 + 1, "LT", latin("y".repeat(40_000))),
      element(T.ContentSequence, "SQ", open, UNDEFINED),
    ),
  );
  assert.equal(header.string(T.SOPInstanceUID), "1.2.3");
  assert.equal(header.number(0x00189219), -2);
  assert.equal(header.number(0x00189073), Math.PI);
  assert.equal(header.item(T.ConceptNameCodeSequence)!.string(T.CodeMeaning), "inner");
  const [inner] = header.items(T.ContentSequence);
  assert.equal(inner!.string(T.CodeMeaning), "inner");
  assert.equal(inner!.items(T.ContentSequence)[0]!.number(T.Rows), 513);
});

test("pixels: by their samples, and bytes by the words of OW, where frames meet within one", async () => {
  assert.deepEqual(await pixels(image(16, "OW", [1, 2, 3, 4, 5, 6])), [0x102, 0x304, 0x506]);
  assert.deepEqual(await pixels(image(8, "OB", [1, 2, 3, 0])), [1, 2, 3]);
  const two = image(8, "OW", [2, 1, 4, 3, 6, 5], 2);
  assert.deepEqual(
    [await pixels(two, 0), await pixels(two, 1)],
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
  );
});

test("pixels of 32 bits are not guessed", async () => {
  const wide = image(32, "OW", [0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 5, 6]);
  const fault = { fault: "compressed", detail: "Explicit VR Big Endian, 32 bits" };
  await assert.rejects(pixels(wide), fault);
});

test("a header that is cut off, or is not in big endian, is damaged", async () => {
  const bytes = new Uint8Array(await image(16, "OW", [1, 2, 3, 4, 5, 6]).arrayBuffer());
  for (let length = 166; length < bytes.length - 14; length++) {
    const error = await pixels(new Blob([bytes.slice(0, length)])).then(
      () => null,
      (each: { fault: string }) => each.fault,
    );
    assert.match(error ?? "", /^(damaged|unsupported)$/, `${length}`);
  }
  const little = [...new Uint8Array(await image(16, "OW", []).arrayBuffer())];
  const turned = Uint8Array.from([...little.slice(0, 160), 8, 0, 8, 0, 67, 83, 2, 0, 65, 32]);
  await assert.rejects(readPart10(new Blob([turned])), { fault: "damaged" });
});
