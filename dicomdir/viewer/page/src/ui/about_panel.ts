/** What this medium is, what is not shown of it and why, and how to bring it into a PACS. */
import type { App } from "../app.ts";
import { onLanguage, t } from "../words.ts";
import { copyable } from "./copy.ts";
import { shownDate } from "./dates.ts";
import { el } from "./dom.ts";
import { gapsIn, gapText } from "./gaps.ts";
import { kindText } from "./kinds.ts";
import { leftName, reasonText } from "./left_out.ts";
import { indexLink } from "./pages.ts";
import type { PanelContent } from "./panel.ts";

/** Of one series. */
const MOST_GAPS = 20;

export function aboutPanel(app: App): PanelContent {
  const { manifest } = app.disc;
  return {
    id: "about",
    title: () => t("about.title"),
    fill(body) {
      body.append(...helpLines(app));
      body.append(el("p", {}, t("note.diagnosis")));
      const hidden = notShown(app);
      body.append(el("h3", {}, t("about.not-shown")));
      body.append(hidden.length ? el("ul", {}, ...hidden) : el("p", {}, t("about.all-shown")));
      body.append(el("h3", {}, t("about.import-title")), el("p", {}, t("about.import")));
      const uids = el("div", { class: "for-physicians" }, el("h3", {}, t("about.uids")));
      const study = app.disc.places.find(
        ({ study: { uid } }) => uid === app.store.get().study,
      )?.study;
      if (study) uids.append(el("p", {}, copyable(study.uid, t("about.study-uid"))));
      const place = app.disc.places.find(
        ({ entry }) => `series/${entry.n}` === app.stage.active.source?.key,
      );
      if (place) uids.append(el("p", {}, copyable(place.entry.uid, t("about.series-uid"))));
      body.append(uids);
      const index = indexLink(manifest.index, t("about.index"));
      if (index) body.append(el("p", {}, index));
      const facts = [
        manifest.of > 1 ? t("about.number", { number: manifest.number, of: manifest.of }) : "",
        manifest.created ? t("about.created", { date: shownDate(manifest.created) }) : "",
        manifest.disc ? t("about.disc", { disc: manifest.disc, program: manifest.program }) : "",
      ];
      body.append(el("p", { class: "quiet" }, facts.filter(Boolean).join(" ")));
    },
  };
}

/** Whom to call. */
function helpLines(app: App): HTMLElement[] {
  const { site } = app.disc.manifest;
  const made = el("div", { class: "help", dir: "auto" });
  if (site.name) made.append(el("p", {}, el("b", {}, site.name)));
  for (const line of site.address) made.append(el("p", { dir: "auto" }, line));
  if (site.help) made.append(el("p", { class: "call" }, t("about.call", { help: site.help })));
  return made.childElementCount ? [el("h3", {}, t("about.whom")), made] : [];
}

function notShown(app: App): HTMLElement[] {
  const out = app.disc.manifest.left_out
    .filter(({ count }) => count > 0)
    .map((each) => {
      const name = leftName(each);
      return el("li", {}, name && t("report.name", { name }), " ", reasonText(each));
    });
  for (const { entry } of app.disc.places) {
    const name = entry.description || kindText(entry);
    const line = (text: string) =>
      out.push(el("li", { dir: "auto" }, t("report.name", { name }), " ", text));
    for (const gap of gapsIn(`series/${entry.n}`).slice(0, MOST_GAPS)) line(gapText(gap));
    const isOther = entry.kind === "other";
    if (entry.pack === "whole" && !isOther) continue;
    const why = entry.pack === "whole" ? t("mark.other-long") : t(`mark.${entry.pack}-long`);
    line(why);
    if (out.length > 200) break;
  }
  return out;
}

/** The line below everything: it says what the page is not, and blocks nothing. */
export function attachFooter(app: App): void {
  const note = el("p", { class: "note" });
  app.slots.bottom.append(note);
  const draw = () => {
    const { help } = app.disc.manifest.site;
    note.textContent = [t("note.diagnosis"), help && t("about.call", { help })]
      .filter(Boolean)
      .join(" ");
  };
  onLanguage(draw);
  draw();
}
