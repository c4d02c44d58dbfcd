/** The page from its first line to the first image. */
import { App } from "./app.ts";
import { Disc } from "./data/disc.ts";
import { faultOf } from "./data/errors.ts";
import { Files } from "./data/files.ts";
import { type Manifest, noManifest, type SeriesEntry, type StudyEntry } from "./data/format.ts";
import { Loader } from "./data/loader.ts";
import { attachFooter } from "./ui/about_panel.ts";
import { attachAudience, isBeside, isSmall } from "./ui/audience.ts";
import { attachCorners } from "./ui/corners.ts";
import { el } from "./ui/dom.ts";
import { faultText } from "./ui/faults.ts";
import { buildPage, stop } from "./ui/frame.ts";
import { keepGlimpse } from "./ui/glimpse.ts";
import { Guide } from "./ui/guide.ts";
import { attachLeftOut } from "./ui/left_out.ts";
import { tellNoManifest } from "./ui/no_manifest.ts";
import { attachPageBar, pageCommands } from "./ui/page_bar.ts";
import { Panel } from "./ui/panel.ts";
import { askPassword, lockedCheck } from "./ui/password.ts";
import { attachSeriesList } from "./ui/series_list.ts";
import { openReport } from "./ui/study_panel.ts";
import { imageCommands } from "./view/commands.ts";
import { pictureLayers } from "./view/picture_layers.ts";
import { panTool, scrollTool, windowTool, zoomTool } from "./view/tools.ts";
import { chooseLanguage, onLanguage, t } from "./words.ts";
import { Bench } from "./workbench/bench.ts";
import { hangMammograms } from "./workbench/hanging.ts";

declare global {
  interface Window {
    /** For tests, and for whoever opens the browser's console. */
    sendhome?: App;
    /** Begins the page: BOOT.JS calls it when all that it loads is there. */
    SENDHOME_MAIN?: () => void;
  }
}

/** Longest time in which the first picture is alone: one that cannot be read holds up no others. */
const MOST_ALONE_MS = 3000;

/** A disc whose first series cannot be read has others; trying all of many would take for ever. */
const MOST_TRIED = 5;

/** On an optical drive the first picture takes longer: the page is built while it comes. */
const MOST_BARE_MS = 400;

async function main(): Promise<void> {
  chooseLanguage(navigator.languages);
  const files = new Files(new Loader(window.SENDHOME_BASE ?? { folder: "", lower: false }));
  let check: HTMLElement | null = null;
  let fault: unknown = null;
  const manifest = await files
    .manifest((wasWrong) => {
      check ??= lockedCheck(files);
      return askPassword(wasWrong, check);
    })
    .catch((error: unknown) => {
      // A scratch in one small file: the originals can still be opened, and the other pages.
      if (!["damaged", "unreadable"].includes(faultOf(error))) throw error;
      fault = error;
      return noManifest();
    });
  const wishes = [...navigator.languages, ...manifest.site.languages];
  chooseLanguage(wishes);
  const name = () => {
    document.title = t("page.title");
  };
  onLanguage(name);
  name();
  const disc = new Disc(manifest, files);
  const release = files.beAlone();
  setTimeout(release, MOST_ALONE_MS);
  const images = firstImages(manifest);
  const [first] = images;
  if (first && first.entry.modality !== "MG") {
    disc.series(first.entry.n, true).catch(() => undefined); // whoever opens it is told
  }
  const app = new App(disc, buildPage());
  app.addTools(scrollTool, windowTool, panTool, zoomTool);
  app.commands.add(...imageCommands);
  app.stage.each((viewport) => {
    for (const layer of pictureLayers) viewport.addLayer(layer);
    attachCorners(viewport);
  });
  app.stage.setGrid({ rows: 1, columns: 1 });
  const removeGlimpse = keepGlimpse(app.stage.active);
  markFirstImage(app, release);
  const opening = openFirst(app, images, fault);
  await Promise.race([files.company, after(MOST_BARE_MS)]);
  const panel = new Panel(app);
  const guide = new Guide(app);
  app.commands.add(...pageCommands(app, panel, guide));
  attachAudience(app);
  attachSeriesList(app, panel);
  attachPageBar(app, guide);
  attachFooter(app);
  attachLeftOut(app);
  new Bench(app);
  app.commands.listen(app);
  for (const each of app.stage.viewports) each.retell();
  window.sendhome = app;
  await opening;
  if (!app.stage.active.source) {
    removeGlimpse();
    release();
  }
  await files.company; // neither may make anybody wait for the picture
  if (isBeside()) void openReport(app, panel, false);
  if (app.stage.active.source && !isSmall.matches) guide.start(false);
  // Who zooms the page or turns the tablet sees the picture first again.
  isSmall.addEventListener("change", () => {
    if (!isSmall.matches) return;
    panel.close();
    guide.end();
  });
  document.documentElement.dataset["state"] = "ready";
}

function after(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}

/**
 * For benchmarks, by performance.getEntriesByName(): when the first image stood on the screen, which
 * BOOT.JS has told where MANIFEST.JS brought a small one, and when the first one did with every pixel.
 *
 * @param seen Called when the first one stands there.
 */
function markFirstImage(app: App, seen: () => void): void {
  const marked = new Set<string>();
  const mark = (name: string) => {
    if (marked.has(name)) return;
    marked.add(name);
    requestAnimationFrame(() =>
      setTimeout(() => {
        if (!performance.getEntriesByName(name).length) performance.mark(name);
        seen();
      }),
    );
  };
  app.stage.each((each) => {
    const stop = each.on((viewport, change) => {
      if (change !== "picture" || !viewport.shown) return;
      mark("sendhome-first");
      if (viewport.picture) {
        stop();
        mark("sendhome-exact");
      }
    });
  });
}

interface Shown {
  study: StudyEntry;
  entry: SeriesEntry;
}

/** Series of images that can be shown, those of the newest study first. */
function firstImages(manifest: Manifest): Shown[] {
  return newestFirst(manifest)
    .flatMap((study) => study.series.map((entry) => ({ study, entry })))
    .filter(({ entry }) => entry.kind === "image" && entry.pack === "whole");
}

function newestFirst(manifest: Manifest): StudyEntry[] {
  const all = manifest.patients.flatMap((patient) => patient.studies);
  return [...all].sort((a, b) => (b.date + b.time).localeCompare(a.date + a.time));
}

/** The first series of images that can be read; then the others' turn. */
async function openFirst(app: App, images: Shown[], fault: unknown): Promise<void> {
  let failed: unknown = null;
  for (const { study, entry } of images.slice(0, MOST_TRIED)) {
    try {
      if (entry.modality === "MG" && (await hangMammograms(app, study))) return;
      await app.open(entry.n);
      return;
    } catch (error) {
      failed = error;
    }
  }
  const [first] = newestFirst(app.disc.manifest);
  if (first) app.store.set({ study: first.uid });
  const text = failed ? faultText(failed) : t("page.no-images");
  const told = el("div", { class: "no-images", role: "status", dir: "auto" });
  if (fault) tellNoManifest(app, fault, told);
  else told.textContent = text;
  app.slots.stage.append(told);
  app.stage.each((each) => {
    each.on((viewport) => {
      if (viewport.source) told.remove();
    });
  });
}

window.SENDHOME_MAIN = () => {
  main().catch((error: unknown) => {
    document.documentElement.dataset["state"] = "stopped";
    stop(faultText(error));
  });
};
