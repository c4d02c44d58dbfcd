/** The page's skeleton. */
import type { Slots } from "../app.ts";
import { t } from "../words.ts";
import { el } from "./dom.ts";
import { indexLink } from "./pages.ts";

export function buildPage(): Slots {
  const slots: Slots = {
    top: el("header", { id: "top" }),
    list: el("nav", { id: "list", "aria-label": t("list.label") }),
    stage: el("main", { id: "stage", "aria-label": t("stage.label") }),
    panel: el("aside", { id: "panel", hidden: "" }),
    bottom: el("footer", { id: "bottom" }),
    over: el("div", { id: "over" }),
  };
  const app = document.getElementById("app")!;
  app.replaceChildren(slots.top, slots.list, slots.stage, slots.panel, slots.bottom, slots.over);
  app.className = "page";
  return slots;
}

/** One sentence instead of the page: nothing can be shown but the medium's other pages. */
export function stop(text: string): void {
  const app = document.getElementById("app")!;
  app.className = "";
  const index = indexLink("INDEX.HTM", t("about.index"));
  app.replaceChildren(
    el("div", { id: "boot", class: "stop" }, el("p", { role: "alert" }, text), index),
  );
}
