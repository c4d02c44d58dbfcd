/** A series that is no picture, in the panel: report, key images, document, waveform, or why not. */
import type { App } from "../app.ts";
import type { SeriesEntry } from "../data/format.ts";
import type { SeriesData } from "../data/series.ts";
import { className } from "../dicom/classes.ts";
import type { DataSet } from "../dicom/dataset.ts";
import { hasContent } from "../dicom/sr.ts";
import { T } from "../dicom/tags.ts";
import { t } from "../words.ts";
import { documentView } from "./document.ts";
import { el } from "./dom.ts";
import { faultText } from "./faults.ts";
import { kindText } from "./kinds.ts";
import { mediumAddress } from "./pages.ts";
import type { PanelContent } from "./panel.ts";
import { missingNote } from "./references.ts";
import { reportView } from "./report.ts";
import { stateView } from "./state_panel.ts";
import { tagBrowser } from "./tag_browser.ts";
import { waveformView } from "./waveform.ts";

const WaveformSequence = 0x54000100;
const KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59";
/** Of grey, colour, pseudo-colour and X-ray images; blending is none of one image. */
const STATES = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.11\.[1235]$/;
const EncapsulatedDocument = 0x00420011;

/** The objects of a series whose headers can be read. */
export interface HeaderSeries {
  count: number;
  name(index: number): string;
  classOf(index: number): string;
  dataset(index: number): Promise<DataSet>;
}

export type OpenHeaders = () => Promise<HeaderSeries>;

export function headersOfDisc(app: App, entry: SeriesEntry): OpenHeaders {
  return async () => {
    const series: SeriesData = await app.disc.series(entry.n);
    const { instances } = series.meta;
    return {
      count: instances.length,
      name: (i) => t("series.object", { number: instances[i]!.number ?? i + 1 }),
      classOf: (i) => instances[i]!.class,
      dataset: (i) => series.headers.dataset(i),
    };
  };
}

export function seriesPanel(app: App, entry: SeriesEntry, open: OpenHeaders): PanelContent {
  let letGo = () => {};
  return {
    id: `series/${entry.n}`,
    title: () => entry.description || kindText(entry),
    isWide: entry.kind === "waveform",
    closed: () => letGo(),
    fill(body, isOpen) {
      letGo();
      body.append(...pageLink(entry));
      const status = el("p", { class: "quiet", role: "status" }, t("notice.loading"));
      const place = el("div");
      body.append(status, place);
      if (entry.pack !== "whole") {
        status.textContent = t(`mark.${entry.pack}-long`);
        return;
      }
      const show = async (series: HeaderSeries, at: number) => {
        letGo();
        letGo = () => {};
        place.replaceChildren();
        const ds = await series.dataset(at);
        if (!isOpen()) return;
        status.remove();
        letGo = fillWith(app, entry, ds, series.classOf(at), place);
        place.append(tagsOf(() => Promise.resolve(ds)));
      };
      open()
        .then(async (series) => {
          if (!isOpen()) return;
          if (series.count > 1) body.insertBefore(chooser(series, show, status), place);
          await show(series, 0);
        })
        .catch((error: unknown) => {
          if (isOpen()) status.textContent = faultText(error);
        });
    },
  };
}

/** @returns How to let go of what it holds. */
function fillWith(
  app: App,
  entry: SeriesEntry,
  ds: DataSet,
  classUid: string,
  place: HTMLElement,
): () => void {
  if (ds.has(EncapsulatedDocument)) return documentView(ds, place);
  if (ds.has(WaveformSequence)) place.append(waveformView(ds));
  else if (hasContent(ds)) {
    place.append(reportView(app, ds));
    if (classUid === KEY_OBJECTS) place.append(missingNote(app, ds));
  } else if (STATES.test(classUid) && app.disc.place(entry.n)) place.append(stateView(app, ds));
  else {
    const name = className(classUid || ds.string(T.SOPClassUID));
    const description = ds.string(T.ContentDescription);
    place.append(el("p", {}, t("series.not-shown", { name })));
    if (description) place.append(el("p", { dir: "auto" }, description));
  }
  return () => undefined;
}

function chooser(
  series: HeaderSeries,
  show: (series: HeaderSeries, at: number) => Promise<void>,
  status: HTMLElement,
): HTMLElement {
  const options = Array.from({ length: Math.min(series.count, 2000) }, (_, i) =>
    el("option", {}, series.name(i)),
  );
  const select = el("select", {}, ...options);
  select.addEventListener("change", () => {
    show(series, select.selectedIndex).catch((error: unknown) => {
      status.textContent = faultText(error);
      select.parentElement?.before(status);
    });
  });
  return el(
    "label",
    { class: "chooser" },
    `${t("series.choose", { count: series.count })} `,
    select,
  );
}

function pageLink(entry: SeriesEntry): HTMLElement[] {
  const address = entry.page && mediumAddress(entry.page);
  if (!address) return [];
  const link = el(
    "a",
    { href: address, target: "_blank", rel: "noopener", class: "as-button" },
    t("document.page"),
  );
  return [el("p", {}, link)];
}

function tagsOf(load: () => Promise<DataSet>): HTMLElement {
  const made = el("details", { class: "for-physicians" }, el("summary", {}, t("tags.title")));
  made.addEventListener("toggle", () => {
    if (made.open && made.childElementCount === 1) made.append(tagBrowser(load));
  });
  return made;
}
