/** From an object that a report or a selection names to its picture on this page. */
import type { App } from "../app.ts";
import type { SeriesEntry } from "../data/format.ts";
import { SeriesData } from "../data/series.ts";
import type { DataSet } from "../dicom/dataset.ts";
import { readKeyObject } from "../dicom/key_object.ts";
import type { ImageReference } from "../dicom/reference.ts";
import { type Reference, type Report, readReport } from "../dicom/sr.ts";
import { t } from "../words.ts";
import { button, el } from "./dom.ts";
import { kindText } from "./kinds.ts";
import { say } from "./say.ts";

interface Found {
  entry: SeriesEntry;
  /** In display order, from 0. */
  index: number;
}

const MOST_FRAMES = 200;

/** Each of its frames alone: there is a button for one frame. Very many stay together. */
export function singly(reference: Reference): Reference[] {
  const { frames } = reference;
  if (frames.length > MOST_FRAMES) return [{ ...reference, frames: [] }];
  return frames.length > 1 ? frames.map((each) => ({ ...reference, frames: [each] })) : [reference];
}

/** How many of a selection's images are not to be found, said once that is known. */
export function missingNote(app: App, ds: DataSet): HTMLElement {
  const made = el("p", { class: "warn", role: "status", hidden: "" });
  const all = readKeyObject(ds).references.map((each) => ({ ...each, classUid: "" }));
  const { evidence } = readReport(ds);
  const count = async () => {
    let missing = 0;
    for (const each of all) if (!(await find(app, each, evidence))) missing += countOf(each);
    made.hidden = !missing;
    if (missing) made.textContent = missingText(missing, all);
  };
  void count();
  return made;
}

/** @param all The references that were looked for. */
export function missingText(missing: number, all: readonly ImageReference[]): string {
  return t("marked.missing", { missing, count: all.reduce((sum, each) => sum + countOf(each), 0) });
}

export function countOf({ frames }: ImageReference): number {
  return Math.max(1, frames.length);
}

/** A button for it; it says itself where the object is not on this medium. */
export function referenceButton(
  app: App,
  reference: Reference,
  evidence: Report["evidence"],
): HTMLElement {
  const place = evidence.get(reference.uid);
  const entry = place ? seriesOf(app, place.series) : null;
  const [frame] = reference.frames;
  const name = entry ? entry.description || kindText(entry) : "";
  const values = { series: name, frame: frame ?? "" };
  const text = t(
    name ? (frame ? "ref.frame-of" : "ref.of") : frame ? "ref.frame" : "ref.image",
    values,
  );
  const note = el("span", { class: "quiet", role: "status" });
  const made = button(text, () => void run(), { class: "reference" });
  const run = async () => {
    made.disabled = true;
    const isShown = await openReference(app, reference, evidence);
    made.disabled = false;
    note.textContent = isShown ? "" : ` ${t("ref.missing")}`;
  };
  return el("span", { class: "reference-line" }, made, note);
}

/** @returns Whether it is on this medium and can be shown. */
export async function openReference(
  app: App,
  reference: Reference,
  evidence: Report["evidence"],
): Promise<boolean> {
  const found = await find(app, reference, evidence);
  if (!found) return false;
  try {
    await app.open(found.entry.n, app.stage.active, { index: found.index });
  } catch {
    return false; // the viewport or the list says why; here it is enough that it is not shown
  }
  say(t("ref.shown", { series: found.entry.description || kindText(found.entry) }));
  return true;
}

/** Where the evidence says; else in every series of images, those of the study looked at first. */
async function find(
  app: App,
  reference: Reference,
  evidence: Report["evidence"],
): Promise<Found | null> {
  const place = evidence.get(reference.uid);
  const known = place ? seriesOf(app, place.series) : null;
  if (known) return look(app, known, reference);
  const { study } = app.store.get();
  const all = [...app.disc.places].sort(
    (a, b) => Number(b.study.uid === study) - Number(a.study.uid === study),
  );
  for (const { entry } of all) {
    if (!(await app.disc.searched(entry, true))) continue;
    const found = await look(app, entry, reference);
    if (found) return found;
  }
  return null;
}

function seriesOf(app: App, uid: string): SeriesEntry | null {
  return app.disc.places.find(({ entry }) => entry.uid === uid)?.entry ?? null;
}

async function look(app: App, entry: SeriesEntry, reference: Reference): Promise<Found | null> {
  if (entry.pack !== "whole") return null;
  let series: unknown;
  try {
    series = await app.disc.series(entry.n);
  } catch {
    return null; // unreadable: the list marks it
  }
  if (!(series instanceof SeriesData)) return null;
  const { instances, order } = series.meta;
  const at = instances.findIndex((each) => each.uid === reference.uid);
  if (at < 0) return null;
  const frame = (reference.frames[0] ?? 1) - 1;
  const index = order.findIndex(([instance, each]) => instance === at && each === frame);
  const any = order.findIndex(([instance]) => instance === at);
  return index >= 0 ? { entry, index } : any >= 0 ? { entry, index: any } : null;
}
