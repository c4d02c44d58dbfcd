/** All series of the medium, by study; a click shows one. */
import type { App } from "../app.ts";
import type { SeriesEntry } from "../data/format.ts";
import { shownName } from "../dicom/names.ts";
import { onLanguage, t } from "../words.ts";
import { button, el } from "./dom.ts";
import { faultText } from "./faults.ts";
import { notify } from "./notice.ts";

export function attachSeriesList(app: App): void {
  const draw = () => app.slots.list.replaceChildren(...studies(app));
  onLanguage(draw);
  draw();
  const mark = () => {
    const shown = app.stage.viewports.map((each) => each.source?.key);
    for (const each of app.slots.list.querySelectorAll<HTMLElement>("[data-series]")) {
      const isShown = shown.includes(`series/${each.dataset["series"]}`);
      each.setAttribute("aria-pressed", String(isShown));
    }
  };
  app.stage.on(mark);
  app.stage.each((viewport) => viewport.on((_, change) => change === "source" && mark()));
}

function studies(app: App): HTMLElement[] {
  const { patients } = app.disc.manifest;
  return patients.flatMap((patient) => [
    el("h2", {}, shownName(patient.name)),
    ...patient.studies.flatMap((study) => [
      el("h3", {}, [study.date, study.description].filter(Boolean).join(" ")),
      ...study.series.map((series) => entry(app, series)),
    ]),
  ]);
}

function entry(app: App, series: SeriesEntry): HTMLElement {
  const made = button("", () => void show(app, series), {
    class: "series",
    "data-series": String(series.n),
    "aria-pressed": "false",
    draggable: "true",
  });
  if (series.thumb?.startsWith("data:image/jpeg;base64,")) {
    made.append(el("img", { src: series.thumb, alt: "", width: "96", loading: "lazy" }));
  }
  const title = series.description || series.modality;
  made.append(
    el("span", { class: "title" }, title),
    el("span", { class: "count" }, t("list.count", { count: series.frames || series.instances })),
  );
  return made;
}

async function show(app: App, series: SeriesEntry): Promise<void> {
  try {
    await app.open(series.n);
  } catch (error) {
    notify(app, faultText(error));
  }
}
