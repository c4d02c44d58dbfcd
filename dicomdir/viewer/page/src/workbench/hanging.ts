/** How a study hangs when it is opened: mammograms facing each other; all else one picture. */
import type { App } from "../app.ts";
import type { StudyEntry } from "../data/format.ts";
import type { SeriesData } from "../data/series.ts";
import { Subset } from "../data/subset.ts";
import { cellOf, hang, isMirrored, type MammoView } from "../dicom/mammo.ts";
import { T } from "../dicom/tags.ts";
import type { Viewport } from "../view/viewport.ts";

const MOST = 12;
/** Series of one view each, as many as a screening has: their grid is known from the first one. */
const SCREENING = 4;
/** No optical drive gives a mammogram within it. */
const FAST_MS = 1000;

interface Place {
  source: SeriesData;
  index: number;
  view: MammoView;
}

/** Mammograms of a study, if it has at least two standard views. @returns Whether it has. */
export async function hangMammograms(app: App, study: StudyEntry): Promise<boolean> {
  const entries = study.series.filter(
    (each) => each.modality === "MG" && each.kind === "image" && each.pack === "whole",
  );
  if (!entries.length) return false;
  const places: Place[] = [];
  let early: Place | null = null;
  for (const entry of entries.slice(0, MOST)) {
    const source = await app.disc.series(entry.n);
    await source.ready();
    const own = placesOf(source);
    places.push(...own);
    const [first] = own;
    if (entry === entries[0] && entries.length === SCREENING && first && own.length === 1) {
      // Asked for before the first one's pixels: a coarse picture of each view comes with these.
      if (source.hasCoarse(first.index)) {
        for (const each of entries) app.disc.series(each.n).catch(() => undefined);
      }
      await showEarly(app, first);
      early = first;
    }
  }
  const hung = hang(places.map((each) => each.view));
  if (!hung) return false;
  app.stage.setGrid({ rows: hung.rows, columns: 2 });
  if (early) {
    const { source } = early;
    void firstAlone(
      early,
      places.flatMap((each) => (each.source === source ? [] : [each.source])),
    );
  }
  hung.cells.forEach((cell, i) => {
    show(app.stage.viewports[i]!, cell === null ? null : places[cell]!);
  });
  app.store.set({ study: study.uid });
  app.stage.activate(app.stage.viewports[0]!);
  return true;
}

/** One image of each view; of tomosynthesis the whole stack stays one source. */
function placesOf(source: SeriesData): Place[] {
  return source.meta.instances.flatMap((instance) => {
    const index = source.indexOf(instance.uid, 1);
    const info = index < 0 ? null : source.info(index);
    if (!info) return [];
    const position = info.attributes.root.string(T.ViewPosition);
    const side = info.laterality === "R" || info.laterality === "L" ? info.laterality : "";
    return [{ source, index, view: { side, view: position.toUpperCase() } }];
  });
}

/**
 * The first of four views where it will hang, before the headers of the others are looked for: each
 * is a file more for an optical drive. Resolves when a coarse picture of it is shown, or its pixels
 * are there.
 */
async function showEarly(app: App, place: Place): Promise<void> {
  const cell = cellOf(place.view);
  if (cell === null) return;
  app.stage.setGrid({ rows: 2, columns: 2 });
  const viewport = app.stage.viewports[cell]!;
  const { source } = place;
  await new Promise<void>((done) => {
    const look = () => {
      if (!viewport.coarse && !isThere(source)) return;
      for (const stop of stops) stop();
      done();
    };
    const stops = [source.watch(look), viewport.on(look)];
    show(viewport, place);
    look();
  });
}

/**
 * From a fast medium the others' pixels wait until the first view is shown with all of its own:
 * loading them would take the processor from that. A slow one has to go on reading.
 */
async function firstAlone({ source, index }: Place, others: readonly SeriesData[]): Promise<void> {
  for (const each of others) each.hold(true);
  const shown = source.picture(index).catch(() => undefined); // the viewport says why it is not there
  await Promise.race([shown, new Promise((done) => setTimeout(done, FAST_MS))]);
  if (isThere(source)) {
    await shown;
    await new Promise((done) => requestAnimationFrame(done));
  }
  for (const each of others) each.hold(false);
}

function isThere(source: SeriesData): boolean {
  const { ready, failed } = source.progress();
  return ready + failed > 0;
}

function show(viewport: Viewport, place: Place | null): void {
  if (!place) {
    viewport.show(null);
    return;
  }
  const { source, index } = place;
  const isAlone = source.meta.instances.length === 1;
  if (isAlone && viewport.source === source) return;
  const side = place.view.side as "R" | "L";
  viewport.show(isAlone ? source : new Subset(`${source.key}/${index}`, [place]), {
    index: 0,
    flip: isMirrored(side, source.info(index)?.orientation[0] ?? ""),
    align: side === "R" ? 1 : -1,
  });
}
