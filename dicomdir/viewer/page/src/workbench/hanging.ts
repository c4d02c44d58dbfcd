/** How a study hangs when it is opened: mammograms facing each other; all else one picture. */
import type { App } from "../app.ts";
import type { StudyEntry } from "../data/format.ts";
import type { SeriesData } from "../data/series.ts";
import { Subset } from "../data/subset.ts";
import { hang, isMirrored, type MammoView } from "../dicom/mammo.ts";
import { T } from "../dicom/tags.ts";

const MOST = 12;

/** Mammograms of a study, if it has at least two standard views. @returns Whether it has. */
export async function hangMammograms(app: App, study: StudyEntry): Promise<boolean> {
  const entries = study.series.filter(
    (each) => each.modality === "MG" && each.kind === "image" && each.pack === "whole",
  );
  if (!entries.length) return false;
  const places: { source: SeriesData; index: number; view: MammoView }[] = [];
  for (const entry of entries.slice(0, MOST)) {
    const source = await app.disc.series(entry.n);
    await source.ready();
    // One image of each view; of tomosynthesis the whole stack stays one source.
    source.meta.instances.forEach((instance) => {
      const index = source.indexOf(instance.uid, 1);
      const info = index < 0 ? null : source.info(index);
      const position = info?.attributes.root.string(T.ViewPosition) ?? "";
      const side = info?.laterality === "R" || info?.laterality === "L" ? info.laterality : "";
      if (info) places.push({ source, index, view: { side, view: position.toUpperCase() } });
    });
  }
  const hung = hang(places.map((each) => each.view));
  if (!hung) return false;
  app.stage.setGrid({ rows: hung.rows, columns: 2 });
  hung.cells.forEach((cell, i) => {
    const viewport = app.stage.viewports[i]!;
    const place = cell === null ? null : places[cell]!;
    if (!place) {
      viewport.show(null);
      return;
    }
    const side = place.view.side as "R" | "L";
    const info = place.source.info(place.index);
    const flip = isMirrored(side, info?.orientation[0] ?? "");
    const { source } = place;
    const isAlone = source.meta.instances.length === 1;
    viewport.show(isAlone ? source : new Subset(`${source.key}/${place.index}`, [place]), {
      index: 0,
      flip,
      align: side === "R" ? 1 : -1,
    });
  });
  app.store.set({ study: study.uid });
  app.stage.activate(app.stage.viewports[0]!);
  return true;
}
