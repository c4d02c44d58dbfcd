/** Images that seem to be missing in the series that were opened, and how the page says so. */
import type { Source } from "../data/source.ts";
import type { DataSet } from "../dicom/dataset.ts";
import { attributesOf } from "../dicom/functional.ts";
import { planeOf } from "../dicom/geometry.ts";
import { T } from "../dicom/tags.ts";
import { type Gap, gapsOf, type Slice } from "../volume/gaps.ts";
import { t } from "../words.ts";

/** Headers read in one go: a frame of the screen. */
const AT_ONCE = 50;

const known = new Map<string, Gap[]>();
const asked = new WeakSet<Source>();
const listeners = new Set<() => void>();

/** Told when a series turns out to have any. */
export function onGaps(listener: () => void): void {
  listeners.add(listener);
}

/** Of a series that was opened and read; none where there is nothing to say. */
export function gapsIn(key: string): readonly Gap[] {
  return known.get(key) ?? [];
}

/** Look for them once the headers are there. */
export async function lookForGaps(source: Source): Promise<void> {
  if (asked.has(source)) return;
  asked.add(source);
  try {
    const gaps = gapsOf(await slicesOf(source));
    if (!gaps.length) return;
    known.set(source.key, gaps);
    for (const listener of listeners) listener();
  } catch {
    asked.delete(source); // whoever shows the image says what is wrong with its header
  }
}

async function slicesOf(source: Source): Promise<Slice[]> {
  const { dataset } = source as { dataset?: (index: number) => Promise<DataSet> };
  const slices: Slice[] = [];
  if (!dataset) return slices;
  await source.leisure?.();
  await source.ready();
  for (let i = 0; i < source.count; i++) {
    if (i % AT_ONCE === 0) await new Promise((next) => setTimeout(next));
    const ds = await dataset.call(source, i);
    // Frames of one object are all there; localizers lie as they please.
    if ((ds.number(T.NumberOfFrames) ?? 1) > 1 || isLocalizer(ds)) return [];
    slices.push({
      plane: planeOf(attributesOf(ds, 0)),
      rows: ds.number(T.Rows) ?? 0,
      columns: ds.number(T.Columns) ?? 0,
      number: ds.number(T.InstanceNumber),
    });
  }
  return slices;
}

function isLocalizer(ds: DataSet): boolean {
  return ds.strings(T.ImageType).some((each) => /^(LOCALI[SZ]ER|SCOUT)/i.test(each));
}

/** "Between image 3 and 4 …" */
export function gapText({ after, count }: Gap): string {
  return t("gap.between", { from: after + 1, to: after + 2, count });
}

export function missingIn(key: string): number {
  return gapsIn(key).reduce((sum, each) => sum + each.count, 0);
}
