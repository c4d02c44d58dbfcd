/** The report of the study that is looked at, beside its pictures. */
import type { App } from "../app.ts";
import { DataError } from "../data/errors.ts";
import type { SeriesEntry } from "../data/format.ts";
import type { DataSet } from "../dicom/dataset.ts";
import { T } from "../dicom/tags.ts";
import { t } from "../words.ts";
import { button, el } from "./dom.ts";
import { kindText } from "./kinds.ts";
import type { Panel, PanelContent } from "./panel.ts";
import { headersOfDisc, seriesPanel } from "./series_panel.ts";

const MOST_RANKED = 8;
const COMPLETION_FLAG = 0x0040a491;
const VERIFICATION_FLAG = 0x0040a493;

/** Series Number of what was handed in with the order (dicomdir.report.encapsulate). */
const HANDED_IN = "9901";

function isHandedIn({ kind, modality, number }: SeriesEntry): boolean {
  return kind === "document" && modality === "DOC" && String(number) === HANDED_IN;
}

/** What was handed in with the order, then reports, then documents: what a person wants to read. */
export function reportsOf(app: App, study: string): SeriesEntry[] {
  const own = app.disc.places
    .filter(({ study: { uid } }) => uid === study)
    .map(({ entry }) => entry);
  const rank = (entry: SeriesEntry) =>
    isHandedIn(entry) ? -1 : entry.kind === "report" ? 0 : entry.kind === "document" ? 1 : 2;
  return own.filter((each) => rank(each) < 2).sort((a, b) => rank(a) - rank(b) || b.n - a.n);
}

/** Opened by itself it leaves the keys to the picture. */
export async function openReport(app: App, panel: Panel, takeFocus: boolean): Promise<void> {
  const { study } = app.store.get();
  const found = await ranked(app, reportsOf(app, study));
  const [first] = found;
  if (app.store.get().study !== study) return;
  if (first) panel.open(withChoice(app, panel, found, first), takeFocus);
  else if (takeFocus) panel.open(noReport());
}

/** What was handed in; final ones before drafts, then the newest: what counts is read first. */
async function ranked(app: App, found: SeriesEntry[]): Promise<SeriesEntry[]> {
  const keys = new Map<SeriesEntry, string>();
  for (const entry of found.filter(isHandedIn)) keys.set(entry, "9"); // behind the key of any other
  const reports = found.filter((each) => each.kind === "report" && each.pack === "whole");
  for (const entry of reports.length > 1 ? reports.slice(0, MOST_RANKED) : []) {
    try {
      const ds = await (await app.disc.series(entry.n)).headers.dataset(0);
      const isFinal = ds.string(VERIFICATION_FLAG) === "VERIFIED" ? 1 : 0;
      const isWhole = ds.string(COMPLETION_FLAG) === "PARTIAL" ? 0 : 1;
      keys.set(entry, `${isFinal}${isWhole}${ds.string(T.ContentDate)}${ds.string(T.ContentTime)}`);
    } catch {
      keys.set(entry, ""); // it says itself what is wrong with it, when it is opened
    }
  }
  return [...found].sort((a, b) => (keys.get(b) ?? "").localeCompare(keys.get(a) ?? ""));
}

function withChoice(app: App, panel: Panel, all: SeriesEntry[], shown: SeriesEntry): PanelContent {
  const content = seriesPanel(app, shown, headersOfDisc(app, shown));
  if (all.length === 1) return content;
  return {
    ...content,
    fill(body, isOpen) {
      const others = all.map((entry) =>
        button(
          entry.description || kindText(entry),
          () => panel.open(withChoice(app, panel, all, entry)),
          { "aria-pressed": String(entry === shown), class: "tab", dir: "auto" },
        ),
      );
      body.append(el("div", { class: "tabs" }, ...others));
      content.fill(body, isOpen);
    },
  };
}

function noReport(): PanelContent {
  return {
    id: "report",
    title: () => t("kind.report"),
    fill: (body) => body.append(el("p", {}, t("report.none"))),
  };
}

/** The header of the picture that is shown, of sources that have one. */
export async function shownHeader(app: App): Promise<DataSet> {
  const { source, state } = app.stage.active;
  const own = source as { dataset?: (index: number) => Promise<DataSet> } | null;
  if (!own?.dataset) throw new DataError("unsupported", "", "no header");
  return own.dataset(state.index);
}
