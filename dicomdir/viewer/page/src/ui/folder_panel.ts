/** "Open the original files" and "Compare with another disc". */
import type { App } from "../app.ts";
import { faultOf } from "../data/errors.ts";
import { openFolder, type PickedFile } from "../data/folder.ts";
import type { PatientEntry } from "../data/format.ts";
import { shownName } from "../dicom/names.ts";
import { type Shelf, seriesOf } from "../shelves.ts";
import { t } from "../words.ts";
import { button, el } from "./dom.ts";
import { faultText } from "./faults.ts";
import { notify } from "./notice.ts";
import type { Panel, PanelContent } from "./panel.ts";
import { isFolder, onDrop, pickFolder } from "./picking.ts";
import { say } from "./say.ts";

export type Purpose = "original" | "other";

export class FolderPanels {
  private readonly app: App;
  private readonly panel: Panel;
  private readonly made: Record<Purpose, PanelContent>;

  constructor(app: App, panel: Panel) {
    this.app = app;
    this.panel = panel;
    this.made = { original: this.content("original"), other: this.content("other") };
    onDrop((files) => {
      if (!files.length) {
        notify(app, t("folder.none-given"));
        return;
      }
      this.panel.open(this.made.other, false);
      this.started(files, app.slots.panel.querySelector(".panel-body")!, "other");
    });
    app.stage.each((viewport) => {
      const badge = el("div", { class: "elsewhere", hidden: "" });
      viewport.element.append(badge);
      viewport.on((_, change) => {
        if (change !== "source") return;
        const n = Number(/^series\/(\d+)$/.exec(viewport.source?.key ?? "")?.[1] ?? 0);
        const found = app.shelves.find(n);
        badge.hidden = found?.shelf.origin !== "other";
        badge.textContent = badge.hidden ? "" : t("shelf.badge");
      });
    });
  }

  get(purpose: Purpose): PanelContent {
    return this.made[purpose];
  }

  private content(purpose: Purpose): PanelContent {
    return {
      id: purpose === "original" ? "files" : "compare",
      title: () => t(`folder.${purpose}-title`),
      fill: (body) => {
        body.append(
          el("p", {}, t(`folder.${purpose}-text`)),
          el("p", {}, el("b", {}, t("folder.private"))),
          button(
            t("folder.pick"),
            () => {
              void pickFolder().then((files) => files.length && this.started(files, body, purpose));
            },
            { class: "main" },
          ),
          el("p", { class: "quiet" }, t("folder.drop")),
        );
      },
    };
  }

  private started(files: PickedFile[], body: HTMLElement, purpose: Purpose): void {
    body.querySelector(".outcome")?.remove();
    const outcome = el("div", { class: "outcome" });
    const status = el("p", { role: "status" }, t("folder.reading"));
    let isStopped = false;
    const stop = button(t("folder.stop"), () => {
      isStopped = true;
    });
    outcome.append(status, stop);
    body.append(outcome);
    const onProgress = (done: number, total: number) => {
      if (done % 20 === 0) status.textContent = t("folder.progress", { done, total });
      return !isStopped;
    };
    openFolder(files, onProgress).then(
      (shelf) => {
        const uids = new Set(this.app.disc.places.map(({ study }) => study.uid));
        const isOwn = shelf.patients.some((each) => each.studies.some(({ uid }) => uids.has(uid)));
        // Where nobody knows what is on this medium, it is what it was picked as.
        const isUnknown = !uids.size && purpose === "original";
        shelf.origin = isOwn || isUnknown ? "original" : "other";
        this.app.shelves.add(shelf);
        outcome.replaceChildren(...this.told(shelf));
        void this.showFirst(shelf);
      },
      (error: unknown) => {
        const isSealed = faultOf(error) === "encrypted";
        const why = isFolder(files) ? faultText(error) : t("folder.none-given");
        outcome.replaceChildren(
          el("p", { role: "alert", class: "warn" }, isSealed ? why : t("folder.nothing")),
        );
        if (!isSealed) outcome.append(el("p", { class: "quiet" }, why));
      },
    );
  }

  /** What was found, whose it is, and what is not shown. */
  private told(shelf: Shelf): HTMLElement[] {
    const series = seriesOf(shelf).length;
    const objects = seriesOf(shelf).reduce((sum, each) => sum + each.instances, 0);
    const found = t("folder.found", { series, objects });
    say(found);
    const out = [el("p", {}, found)];
    const others = shelf.patients.filter((each) => !this.isSamePerson(each));
    if (others.length && this.app.disc.manifest.patients.length) {
      const name = others
        .map((each) => [shownName(each.name), each.id].filter(Boolean).join(", "))
        .join("; ");
      const own = this.app.disc.manifest.patients.map((each) => shownName(each.name)).join("; ");
      out.push(el("p", { role: "alert", class: "warn" }, t("folder.other-person", { name, own })));
    }
    for (const [reason, count] of shelf.left) {
      const text = reason === "encrypted" ? t("fault.encrypted") : t(`folder.${reason}`, { count });
      out.push(el("p", { class: "quiet" }, text));
    }
    return out;
  }

  private isSamePerson(other: PatientEntry): boolean {
    const plain = (text: string) =>
      shownName(text)
        .toLowerCase()
        .replace(/[\s,.]+/g, " ")
        .trim();
    return this.app.disc.manifest.patients.some(
      (own) =>
        plain(own.name) === plain(other.name) &&
        own.id === other.id &&
        (!own.birth || !other.birth || own.birth === other.birth),
    );
  }

  private async showFirst(shelf: Shelf): Promise<void> {
    const first = seriesOf(shelf).find((each) => each.kind === "image");
    if (!first || this.app.stage.active.source) return;
    await this.app.open(first.n).catch((error: unknown) => say(faultText(error)));
  }
}
