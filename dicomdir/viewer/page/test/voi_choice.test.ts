import assert from "node:assert/strict";
import { test } from "node:test";
import type { GreyPicture, Source } from "../src/data/source.ts";
import type { FrameInfo } from "../src/dicom/frame.ts";
import { spreadWindow } from "../src/dicom/voi.ts";
import type { Voi } from "../src/render/shades.ts";
import { settleVoi, voiFor } from "../src/view/voi_choice.ts";

/** A slice of 16 bits without a window. */
function slice(...values: number[]): GreyPicture {
  const info = {
    stored: 16,
    shift: 0,
    isSigned: false,
    rescale: { slope: 2, intercept: 0, lut: null, unit: "" },
    windows: [],
    voiLuts: [],
    padding: null,
  } as unknown as FrameInfo;
  return { kind: "grey", info, rows: 1, columns: values.length, cells: Uint16Array.from(values) };
}

function series(...pictures: GreyPicture[]): Source {
  const picture = (i: number) =>
    pictures[i] ? Promise.resolve(pictures[i]) : Promise.reject(new Error("scratched"));
  return { count: pictures.length, picture } as unknown as Source;
}

const shown = (voi: Voi | null) =>
  voi?.kind === "window" ? [voi.window.center, voi.window.width] : null;

test("a series without windows: that of its middle, whichever slice came first", async () => {
  const empty = slice(0, 0, 0);
  const noise = slice(0, 1, 2);
  const body = slice(0, 0, 500);
  const pictures = [empty, noise, body, noise];
  for (const [i, first] of pictures.entries()) {
    const source = series(...pictures);
    voiFor(source, first, null);
    await settleVoi(source, first);
    for (const each of pictures) {
      assert.deepEqual(shown(voiFor(source, each, null)), [495, 990], `first ${i}`);
    }
  }
});

test("a window of one value is not kept, nor are empty or damaged slices asked again", async () => {
  const empty = slice(7, 7);
  const body = slice(0, 100);
  const source = series(empty, body, empty, empty);
  assert.deepEqual(shown(voiFor(source, empty, null)), [14, 1]);
  await settleVoi(source, empty); // the middle is empty; a quarter of the way there is something
  assert.deepEqual(shown(voiFor(source, empty, null)), [100, 198]);
  const dark = series(empty, empty, empty);
  await settleVoi(dark, empty);
  assert.deepEqual(shown(voiFor(dark, empty, null)), [14, 1]);
  assert.deepEqual(shown(voiFor(dark, body, null)), [100, 198]);
  const scratched = series(body, empty, undefined as unknown as GreyPicture, body);
  await settleVoi(scratched, body);
  assert.deepEqual(shown(voiFor(scratched, empty, null)), [100, 198]);
});

test("a spot in the dark has a window that shows it", () => {
  const values = Array.from({ length: 1000 }, (_, i) => (i === 500 ? 90 : 10));
  const { center, width } = spreadWindow(values);
  assert.deepEqual([center, width], [50, 80]);
});

test("differences have a window of their own, though the middle is a frame as it is", async () => {
  const plain = slice(1000, 2000, 3000);
  const made = slice(0, 1000, 2000);
  const difference = {
    ...made,
    info: { ...made.info, mask: { frames: [1], contrast: [2], shift: [0, 0] as const } },
  };
  const source = series(plain, difference, plain, plain);
  for (const each of [difference, plain]) {
    voiFor(source, each, null);
    await settleVoi(source, each);
  }
  assert.deepEqual(shown(voiFor(source, difference, null)), [2000, 3960]);
  assert.deepEqual(shown(voiFor(source, plain, null)), [4000, 3960]);
});
