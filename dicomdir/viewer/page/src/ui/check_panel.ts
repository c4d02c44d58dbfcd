/** "Check this disc": the files of the medium held against the hashes on it. */
import type { App } from "../app.ts";
import type { Files } from "../data/files.ts";
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
      body.append(...checkContent(app.disc.files, app.disc.manifest.hashes, isOpen));
    },
  };
}

/** @param isOpen Whether somebody still wants to know. */
export function checkContent(
  files: Files,
  hashes: string | null,
  isOpen: () => boolean,
): HTMLElement[] {
  if (!hashes) return [el("p", {}, t("check.none"))];
  const outcome = el("div");
  const pick = () =>
    void pickFolder().then((picked) => {
      if (picked.length) void run(files, hashes, picked, outcome, isOpen);
    });
  return [
    el("p", {}, t("check.text")),
    el("p", {}, el("b", {}, t("folder.private"))),
    button(t("check.pick"), pick, { class: "main" }),
    outcome,
  ];
}

async function run(
  files: Files,
  hashes: string,
  picked: PickedFile[],
  outcome: HTMLElement,
  isOpen: () => boolean,
): Promise<void> {
  const root = rootOf(picked.map(({ path }) => path));
  if (root === null) {
    const why = isFolder(picked) ? "check.other-folder" : "folder.none-given";
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
    const listed = await readHashes(files, hashes);
    const result = await checkFiles(listed, picked, root, (done, total) => {
      bar.value = total ? done / total : 1;
      return !isStopped && isOpen();
    });
    outcome.replaceChildren(...told(result));
    outcome.firstElementChild?.scrollIntoView({ block: "nearest" });
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
