/** What of this medium is not shown here: a line where the page opens, for whoever would miss it. */
import type { App } from "../app.ts";
import type { LeftOut } from "../data/format.ts";
import { apart, onLanguage, t } from "../words.ts";
import { shownDate } from "./dates.ts";
import { button, el } from "./dom.ts";
import { kindText } from "./kinds.ts";

/** In the line; the panel has all of them. */
const MOST_NAMED = 3;
const REASONS = new Set(["video", "unknown", "broken"]);

/** Why, in a sentence. */
export function reasonText({ reason, count }: LeftOut): string {
  return t(`left.${REASONS.has(reason) ? reason : "unknown"}`, { count });
}

/** What a series is called that has no place on the medium, and of when it is; "" if nobody knows. */
export function leftName({ series = "", date = "" }: LeftOut): string {
  return [series, shownDate(date)].filter(Boolean).map(apart).join(", ");
}

export function attachLeftOut(app: App): void {
  const left = app.disc.manifest.left_out;
  const hidden = app.disc.places.filter(({ entry }) => entry.pack !== "whole");
  const count = [
    ...left.map((each) => each.count),
    ...hidden.map(({ entry }) => Math.max(entry.frames, entry.instances)),
  ].reduce((sum, each) => sum + each, 0);
  if (!count) return;
  const made = el("p", { class: "note left-out", role: "status" });
  app.slots.bottom.prepend(made);
  const draw = () => {
    const names = [
      ...left.map(leftName),
      ...hidden.map(({ entry, study }) =>
        leftName({
          reason: "",
          count: 0,
          series: entry.description || kindText(entry),
          date: entry.date || study.date,
        }),
      ),
    ].filter(Boolean);
    const shown = names.slice(0, MOST_NAMED).map((each) => `\u2068${each}\u2069`);
    if (names.length > shown.length) shown.push("…");
    made.replaceChildren(
      el("span", {}, t("left.line", { count })),
      el("span", { class: "names" }, shown.join("; ")),
      button(t("left.why"), () => app.commands.run("about", app)),
      button("×", () => made.remove(), { "aria-label": t("panel.close") }),
    );
  };
  onLanguage(draw);
  draw();
}
