/** All series of the medium and of opened folders, by study; a press shows one. */
import type { App } from "../app.ts";
import { DataError, type Fault } from "../data/errors.ts";
import type { LeftOut, PatientEntry, SeriesEntry, StudyEntry } from "../data/format.ts";
import type { Progress, Source } from "../data/source.ts";
import { Subset } from "../data/subset.ts";
import { shownName } from "../dicom/names.ts";
import { onLanguage, t } from "../words.ts";
import { toggleClass } from "./audience.ts";
import { shownDate } from "./dates.ts";
import { button, el } from "./dom.ts";
import { faultText } from "./faults.ts";
import { gapsIn, gapText, lookForGaps, missingIn, onGaps } from "./gaps.ts";
import { icon } from "./kind_icons.ts";
import { countText, kindText } from "./kinds.ts";
import { reasonText } from "./left_out.ts";
import type { Panel } from "./panel.ts";
import { say } from "./say.ts";
import { headersOfDisc, seriesPanel } from "./series_panel.ts";
import { type Row, VirtualList } from "./virtual_list.ts";

/** In ems: the list grows with the text. */
const HEIGHTS = { origin: 2.6, patient: 2, study: 3.4, picture: 8.6, plain: 4.7, left: 6 };

/** Sentences in a hint. */
const MOST_GAPS = 9;

interface Notes {
  progress: Map<number, Progress>;
  faults: Map<number, Fault>;
}

export function attachSeriesList(app: App, panel: Panel): void {
  const notes: Notes = { progress: new Map(), faults: new Map() };
  const list = new VirtualList(app.slots.list);
  const away = () => {
    toggleClass("show-list", false);
    app.stage.active.element.focus();
  };
  const close = button("×", away, { class: "close" });
  app.slots.list.replaceChildren(close, list.element);
  app.slots.list.addEventListener("keydown", (event) => {
    if (event.key === "Escape") away();
  });
  const draw = () => {
    app.slots.list.setAttribute("aria-label", t("list.label"));
    close.setAttribute("aria-label", t("panel.close"));
    list.set(rowsOf(app, panel, notes, list));
  };
  onLanguage(draw);
  app.shelves.on(draw);
  onGaps(draw);
  // Larger text is a larger em.
  new ResizeObserver(draw).observe(
    app.slots.list.appendChild(el("i", { class: "em", "aria-hidden": "true" })),
  );
  draw();
  follow(app, notes, list);
}

/** Which series is shown, and how far each has come. */
function follow(app: App, notes: Notes, list: VirtualList): void {
  let shown = "";
  const mark = () => {
    const numbers = app.stage.viewports.map((each) => numberOf(each.source?.key));
    const { panel } = app.store.get();
    const now = [...numbers, panel].join();
    if (now === shown) return;
    shown = now;
    for (const each of list.element.querySelectorAll<HTMLElement>("[data-series]")) {
      each.setAttribute("aria-pressed", String(isShown(app, Number(each.dataset["series"]))));
    }
  };
  let inSight = "";
  /** Once for each series that comes into the chosen viewport: where somebody scrolls, it stays. */
  const reveal = () => {
    const { source, state } = app.stage.active;
    const shownKey = rowOf(source, state.index);
    if (shownKey === inSight) return;
    inSight = shownKey;
    list.show(shownKey);
  };
  app.store.on(mark);
  app.stage.on(mark);
  app.stage.on(reveal);
  app.stage.each((viewport) => {
    let stop = () => {};
    viewport.on((_, change) => {
      if (viewport === app.stage.active) reveal();
      if (change !== "source") return;
      stop();
      mark();
      const { source } = viewport;
      const n = numberOf(source?.key);
      if (!source || !n) return;
      void lookForGaps(source);
      const tell = () => {
        notes.progress.set(n, source.progress());
        list.refresh(`series/${n}`);
      };
      stop = source.watch(tell);
      tell();
    });
  });
}

function numberOf(key: string | undefined): number {
  return Number(/^series\/(\d+)$/.exec(key ?? "")?.[1] ?? 0);
}

/** The row of the series that an image is of: key images and other planes have one too. */
function rowOf(source: Source | null, index: number): string {
  const key = source instanceof Subset ? source.items[index]?.source.key : source?.key;
  return /^series\/\d+/.exec(key ?? "")?.[0] ?? "";
}

function isShown(app: App, n: number): boolean {
  const key = `series/${n}`;
  return app.store.get().panel === key || app.stage.viewports.some((it) => it.source?.key === key);
}

function rowsOf(app: App, panel: Panel, notes: Notes, list: VirtualList): Row[] {
  const em = Number.parseFloat(getComputedStyle(app.slots.list).fontSize) || 16;
  const rows: Row[] = [];
  const heading = (key: string, height: number, draw: () => HTMLElement) =>
    rows.push({ key, height: height * em, isEntry: false, draw });
  const patients = (all: PatientEntry[], prefix: string) => {
    all.forEach((patient, p) => {
      heading(`${prefix}p${p}`, HEIGHTS.patient, () =>
        el("h2", { dir: "auto" }, shownName(patient.name)),
      );
      patient.studies.forEach((study, s) => {
        heading(`${prefix}p${p}s${s}`, HEIGHTS.study, () => studyHeading(study));
        for (const entry of study.series) {
          const height = entry.thumb ? HEIGHTS.picture : HEIGHTS.plain;
          const draw = () => entryButton(app, panel, notes, list, entry);
          rows.push({ key: `series/${entry.n}`, height: height * em, isEntry: true, draw });
        }
      });
    });
  };
  patients(app.disc.manifest.patients, "");
  const left = app.disc.manifest.left_out.filter((each) => each.series && each.count > 0);
  if (left.length) heading("left", HEIGHTS.study, leftHeading);
  left.forEach((each, at) => {
    const draw = () => leftButton(app, each);
    rows.push({ key: `left${at}`, height: HEIGHTS.left * em, isEntry: true, draw });
  });
  app.shelves.list.forEach((shelf, at) => {
    heading(`shelf${at}`, HEIGHTS.origin, () =>
      el(
        "h2",
        { class: `origin ${shelf.origin}`, dir: "auto" },
        t(`shelf.${shelf.origin}`, { name: shelf.name }),
      ),
    );
    patients(shelf.patients, `shelf${at}`);
  });
  return rows;
}

function studyHeading(study: StudyEntry): HTMLElement {
  const made = el("h3", { dir: "auto" }, el("b", {}, shownDate(study.date)));
  if (study.description) made.append(" ", study.description);
  return made;
}

function leftHeading(): HTMLElement {
  return el("h2", { class: "left" }, t("about.not-shown"));
}

/** A series that has no place on the medium, or the part of it that has none. */
function leftButton(app: App, each: LeftOut): HTMLElement {
  const made = button("", () => app.commands.run("about", app), {
    class: "series left",
    title: reasonText(each),
  });
  const objects = t("list.objects", { count: each.count });
  made.append(
    icon("other"),
    el(
      "span",
      { class: "words" },
      el("span", { class: "title", dir: "auto" }, each.series!),
      el(
        "span",
        { class: "count" },
        [objects, shownDate(each.date ?? "")].filter(Boolean).join(" · "),
      ),
      el(
        "span",
        { class: "mark" },
        t(each.reason === "broken" ? "mark.damaged" : "mark.unpackable"),
      ),
    ),
  );
  return made;
}

function entryButton(
  app: App,
  panel: Panel,
  notes: Notes,
  list: VirtualList,
  entry: SeriesEntry,
): HTMLElement {
  const made = button("", () => void show(app, panel, notes, list, entry), {
    class: "series",
    "data-series": String(entry.n),
    "aria-pressed": String(isShown(app, entry.n)),
    draggable: "true",
  });
  if (entry.pack !== "whole") made.classList.add("left");
  const isPicture = entry.thumb?.startsWith("data:image/jpeg;base64,") === true;
  made.append(
    isPicture ? el("img", { src: entry.thumb!, alt: "", draggable: "false" }) : icon(entry.kind),
  );
  const kind = kindText(entry);
  const count = countText(entry);
  made.append(
    el(
      "span",
      { class: "words" },
      el("span", { class: "title", dir: "auto" }, entry.description || kind),
      el(
        "span",
        { class: "count" },
        entry.description ? el("span", {}, kind) : null,
        count && el("b", {}, entry.description ? " · " : "", count),
      ),
      ...marks(notes, entry),
    ),
  );
  return made;
}

/** How far it is loaded, and what is wrong with it. */
function marks(notes: Notes, entry: SeriesEntry): HTMLElement[] {
  const fault = notes.faults.get(entry.n);
  if (fault) return [el("span", { class: "mark bad" }, t(`mark.${fault}`))];
  const key = `series/${entry.n}`;
  const missing = missingIn(key);
  const gaps = missing
    ? [
        el(
          "span",
          { class: "mark gaps", title: gapsIn(key).slice(0, MOST_GAPS).map(gapText).join("\n") },
          t("gap.count", { count: missing }),
        ),
      ]
    : [];
  return [...gaps, ...loaded(notes, entry)];
}

function loaded(notes: Notes, entry: SeriesEntry): HTMLElement[] {
  if (entry.pack !== "whole") return [el("span", { class: "mark" }, t(`mark.${entry.pack}`))];
  const progress = notes.progress.get(entry.n);
  if (!progress || progress.total === 0) return [];
  if (progress.failed)
    return [el("span", { class: "mark bad" }, t("mark.parts", { count: progress.failed }))];
  if (progress.ready >= progress.total) return [];
  const percent = Math.floor((100 * progress.ready) / progress.total);
  const bar = el("progress", { max: "100", value: String(percent) });
  bar.setAttribute("aria-label", t("list.loading"));
  return [bar];
}

async function show(
  app: App,
  panel: Panel,
  notes: Notes,
  list: VirtualList,
  entry: SeriesEntry,
): Promise<void> {
  toggleClass("show-list", false);
  const other = app.shelves.find(entry.n);
  if (entry.kind !== "image" || entry.pack !== "whole") {
    const open = other
      ? async () => {
          const headers = other.shelf.headers(entry);
          const name = (i: number) => t("series.object", { number: i + 1 });
          return {
            ...headers,
            name,
            classOf: () => "",
            dataset: (i: number) => headers.dataset(i),
          };
        }
      : headersOfDisc(app, entry);
    panel.open(seriesPanel(app, entry, open));
    return;
  }
  try {
    await app.open(entry.n);
    notes.faults.delete(entry.n);
    say(t("list.shown", { name: entry.description || kindText(entry), count: countText(entry) }));
  } catch (error) {
    notes.faults.set(entry.n, error instanceof DataError ? error.fault : "damaged");
    say(faultText(error));
  }
  list.refresh(`series/${entry.n}`);
}
