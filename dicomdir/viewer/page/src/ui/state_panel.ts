/** A presentation state, in the panel: for which images it is, and how to see them so. */
import type { App } from "../app.ts";
import type { DataSet } from "../dicom/dataset.ts";
import { readPresentationState } from "../dicom/presentation.ts";
import { referencesOf } from "../dicom/reference.ts";
import { T } from "../dicom/tags.ts";
import { t } from "../words.ts";
import { button, el } from "./dom.ts";
import { kindText } from "./kinds.ts";
import { openReference } from "./references.ts";

const SeriesInstanceUID = 0x0020000e;

export function stateView(app: App, ds: DataSet): HTMLElement {
  const state = readPresentationState(ds);
  const made = el("div", {}, el("p", { dir: "auto" }, state.description || state.label));
  made.append(el("p", {}, t("state.for")));
  for (const item of ds.items(T.ReferencedSeriesSequence)) {
    const uid = item.string(SeriesInstanceUID);
    const references = referencesOf(item, T.ReferencedImageSequence);
    const entry = app.disc.places.find((each) => each.entry.uid === uid)?.entry;
    const [first] = references;
    const note = el("span", { class: "quiet", role: "status" });
    if (!entry || !first) {
      note.textContent = t("ref.missing");
      made.append(el("p", {}, note));
      continue;
    }
    const series = entry.description || kindText(entry);
    const evidence = new Map(references.map((each) => [each.uid, { study: "", series: uid }]));
    const show = async () => {
      const isShown = await openReference(app, { ...first, classUid: "" }, evidence);
      note.textContent = isShown ? "" : t("ref.missing");
      if (isShown) app.wear?.(app.stage.active, state);
    };
    const text = t("state.put-on", { series });
    const count = t(references.length > 1 ? "list.count" : "list.count-one", {
      count: references.length,
    });
    made.append(
      el(
        "p",
        {},
        button(text, () => void show()),
        ` ${count} `,
        note,
      ),
    );
  }
  made.append(
    el(
      "p",
      {},
      button(t("states.off"), () => app.wear?.(app.stage.active, null)),
    ),
  );
  const names = state.leftOut.join(", ");
  if (names) made.append(el("p", { class: "warn" }, t("marked.left-out", { names })));
  return made;
}
