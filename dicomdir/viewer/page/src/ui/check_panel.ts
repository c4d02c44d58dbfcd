/** "Check this disc": the files of the medium held against the hashes on it. */
import type { App } from "../app.ts";
import type { PickedFile } from "../data/folder.ts";
import {
  type CheckResult,
  checkFiles,
  readHashes,
  rootOf,
  type Verdict,
} from "../data/self_check.ts";
import { currentLanguage, t } from "../words.ts";
import { button, el } from "./dom.ts";
import { faultText } from "./faults.ts";
import type { PanelContent } from "./panel.ts";
import { isFolder, pickFolder } from "./picking.ts";

const MOST_SHOWN = 500;
const ORDER: Verdict[] = ["intact", "altered", "missing", "unreadable", "uncompared", "extra"];

export function checkPanel(app: App): PanelContent {
  return {
    id: "check",
    title: () => t("check.title"),
    fill(body, isOpen) {
      const { hashes } = app.disc.manifest;
      if (!hashes) {
        body.append(el("p", {}, t("check.none")));
        return;
      }
      const outcome = el("div");
      body.append(
        el("p", {}, t("check.text")),
        el("p", {}, el("b", {}, t("folder.private"))),
        button(
          t("check.pick"),
          () => {
            void pickFolder().then((files) => {
              if (files.length) void run(app, hashes, files, outcome, isOpen);
            });
          },
          { class: "main" },
        ),
        outcome,
      );
    },
  };
}

async function run(
  app: App,
  hashes: string,
  files: PickedFile[],
  outcome: HTMLElement,
  isOpen: () => boolean,
): Promise<void> {
  const root = rootOf(files.map(({ path }) => path));
  if (root === null) {
    const why = isFolder(files) ? "check.other-folder" : "folder.none-given";
    outcome.replaceChildren(el("p", { role: "alert", class: "warn" }, t(why)));
    return;
  }
  let isStopped = false;
  const bar = el("progress", { max: "1", value: "0" });
  const status = el("p", { role: "status" }, t("check.busy"));
  const stop = button(t("folder.stop"), () => {
    isStopped = true;
  });
  outcome.replaceChildren(status, bar, el("p", {}, stop));
  try {
    const listed = await readHashes(app.disc.files, hashes);
    const result = await checkFiles(listed, files, root, (done, total) => {
      bar.value = total ? done / total : 1;
      return !isStopped && isOpen();
    });
    outcome.replaceChildren(...told(result));
  } catch (error) {
    outcome.replaceChildren(el("p", { role: "alert", class: "warn" }, faultText(error)));
  }
}

function told(result: CheckResult): HTMLElement[] {
  const { counts } = result;
  const isWhole = counts.intact === result.total && !counts.missing;
  const key = result.isStopped
    ? "check.stopped"
    : isWhole
      ? "check.intact"
      : counts.altered
        ? "check.altered"
        : "check.incomplete";
  const head = el(
    "p",
    { role: "alert", class: isWhole ? "good" : "warn" },
    t(key, { count: result.total }),
  );
  const rows = ORDER.filter((each) => counts[each] > 0).map((each) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, t(`check.is-${each}`)),
      el("td", {}, counts[each].toLocaleString(currentLanguage())),
    ),
  );
  const out: HTMLElement[] = [head, el("table", { class: "measures" }, el("tbody", {}, ...rows))];
  if (result.faults.length) {
    const lines = result.faults
      .slice(0, MOST_SHOWN)
      .map(({ path, verdict }) =>
        el(
          "tr",
          {},
          el("td", {}, el("code", { dir: "ltr" }, path)),
          el("td", {}, t(`check.is-${verdict}`)),
        ),
      );
    out.push(el("table", { class: "measures" }, el("tbody", {}, ...lines)));
    if (result.faults.length > MOST_SHOWN) {
      out.push(
        el("p", { class: "quiet" }, t("check.more", { count: result.faults.length - MOST_SHOWN })),
      );
    }
  }
  return out;
}
