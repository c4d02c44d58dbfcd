/** A structured report or a key object selection, as a text with headings. */
import type { App } from "../app.ts";
import type { DataSet } from "../dicom/dataset.ts";
import { shownName } from "../dicom/names.ts";
import { type ContentItem, type Report, readReport } from "../dicom/sr.ts";
import { t } from "../words.ts";
import { shownDate, shownDateTime, shownTime } from "./dates.ts";
import { el } from "./dom.ts";
import { markTerms } from "./glossary.ts";
import { referenceButton, singly } from "./references.ts";

const REFERENCES = new Set(["IMAGE", "COMPOSITE", "WAVEFORM"]);
/** Of headings: above it are the panel's and the report's own. */
const FIRST_LEVEL = 4;
/** Deeper ones stand below each other: a narrow column is not read. */
const MOST_INDENTED = 9;
/** Said of the report as a whole, not part of what it says. */
const ABOUT = "HAS OBS CONTEXT";
const MODIFIER = "HAS CONCEPT MOD";

export function reportView(app: App, ds: DataSet): HTMLElement {
  const report = readReport(ds);
  const { root } = report;
  const made = el("article", { class: "report", dir: "auto" });
  if (root.name) made.append(el("h3", {}, root.name));
  made.append(status(report));
  children(app, report, root, made, FIRST_LEVEL);
  const context = root.children.filter((each) => each.relation === ABOUT);
  if (context.length) {
    const list = el("ul");
    for (const each of context) list.append(plain(each));
    made.append(el("details", {}, el("summary", {}, t("report.about")), list));
  }
  if (report.isCut) made.append(el("p", { class: "warn" }, t("report.cut")));
  markTerms(made);
  return made;
}

/** Who wrote it and whether it is final: a draft must not look like a report. */
function status(report: Report): HTMLElement {
  const lines: string[] = [];
  const date = [shownDate(report.date), shownTime(report.time)].filter(Boolean).join(", ");
  if (date) lines.push(date);
  if (report.author) lines.push(t("report.author", { name: shownName(report.author) }));
  for (const { name, organization, time } of report.verifiers) {
    const who = [shownName(name), organization].filter(Boolean).join(", ");
    lines.push(t("report.verifier", { name: who, date: shownDateTime(time) }));
  }
  const made = el(
    "div",
    { class: "quiet" },
    ...lines.map((line) => el("p", { dir: "auto" }, line)),
  );
  if (report.completion === "PARTIAL") {
    made.append(el("p", { class: "warn" }, t("report.partial")));
  }
  if (report.verification === "UNVERIFIED") {
    made.append(el("p", { class: "warn" }, t("report.unverified")));
  }
  return made;
}

function children(
  app: App,
  report: Report,
  item: ContentItem,
  into: HTMLElement,
  level: number,
): void {
  let table: HTMLTableSectionElement | null = null;
  let pictures: HTMLElement | null = null;
  for (const child of item.children) {
    if (child.relation === ABOUT || child.relation === MODIFIER) continue;
    if (child.type === "NUM") {
      if (!table) {
        table = el("tbody");
        into.append(el("table", { class: "measures" }, table));
      }
      table.append(...measure(app, report, child, level));
      pictures = null;
      continue;
    }
    table = null;
    if (REFERENCES.has(child.type)) {
      if (!pictures) {
        pictures = el("p", { class: "references" });
        into.append(pictures);
      }
      for (const each of child.references.flatMap(singly)) {
        pictures.append(referenceButton(app, each, report.evidence), " ");
      }
      continue;
    }
    pictures = null;
    block(app, report, child, into, level, item.name);
  }
}

function block(
  app: App,
  report: Report,
  item: ContentItem,
  into: HTMLElement,
  level: number,
  outer: string,
): void {
  if (item.type === "CONTAINER") {
    const part = el("section");
    if (item.name) part.append(heading(level, item.name));
    if (level > FIRST_LEVEL && level <= FIRST_LEVEL + MOST_INDENTED) part.classList.add("inner");
    children(app, report, item, part, level + 1);
    if (part.childElementCount > (item.name ? 1 : 0)) into.append(part);
    return;
  }
  const text = valueText(item);
  const isLong = item.type === "TEXT" && (text.length > 80 || text.includes("\n"));
  const name = isSame(item.name, outer) ? "" : item.name;
  const part = el("div", { class: "item" });
  if (isLong) {
    if (name) part.append(heading(level, name));
    for (const each of paragraphs(text)) part.append(el("p", { dir: "auto" }, each));
  } else if (text || name) {
    part.append(
      el(
        "p",
        { dir: "auto" },
        name && el("b", {}, t("report.name", { name })),
        " ",
        el("bdi", {}, text),
      ),
    );
  }
  children(app, report, item, part, level + 1);
  into.append(part);
}

function measure(app: App, report: Report, item: ContentItem, level: number): HTMLElement[] {
  const value = item.text
    ? [item.text, unitText(item.unit)].filter(Boolean).join(" ")
    : item.qualifier;
  const notes = item.children
    .filter((each) => each.relation === MODIFIER && each.text)
    .map((each) => each.text);
  const name = [item.name, notes.length ? `(${notes.join(", ")})` : ""].filter(Boolean).join(" ");
  const row = el(
    "tr",
    {},
    el("th", { scope: "row" }, name),
    el("td", { dir: "ltr" }, value || "–"),
  );
  const below = el("td", { colspan: "2" });
  children(app, report, item, below, level + 1);
  return below.childNodes.length ? [row, el("tr", {}, below)] : [row];
}

function plain(item: ContentItem): HTMLElement {
  const text = valueText(item);
  const made = el(
    "li",
    { dir: "auto" },
    item.name ? t("report.name", { name: item.name }) : "",
    " ",
    el("bdi", {}, text),
  );
  const inner = item.children.filter((each) => valueText(each) || each.children.length);
  if (inner.length) made.append(el("ul", {}, ...inner.map(plain)));
  return made;
}

function valueText(item: ContentItem): string {
  if (item.type === "PNAME") return shownName(item.text);
  if (item.type === "DATE") return shownDate(item.text);
  if (item.type === "TIME") return shownTime(item.text);
  if (item.type === "DATETIME") return shownDateTime(item.text);
  if (item.type === "NUM") return [item.text, unitText(item.unit)].filter(Boolean).join(" ");
  // A shape's numbers say nothing; the image it lies in follows.
  if (item.type.startsWith("SCOORD") || item.type === "TCOORD") return "";
  return item.text;
}

function heading(level: number, text: string): HTMLElement {
  // HTML ends at six; what reads the page aloud does not.
  const deeper: Record<string, string> = level > 6 ? { "aria-level": String(level) } : {};
  return el(`h${Math.min(6, level)}` as "h4", { dir: "auto", ...deeper }, text);
}

/** "Finding" below "Findings" says nothing new. */
function isSame(name: string, outer: string): boolean {
  return outer.toLowerCase().startsWith(name.toLowerCase());
}

/** UCUM as people write it. */
function unitText(unit: string): string {
  if (unit === "[hnsf'U]") return "HU";
  return unit
    .replace(/(m|\])2\b/g, "$1²")
    .replace(/m3\b/g, "m³")
    .replace(/^Cel$/, "°C")
    .replace(/^deg$/, "°");
}

function paragraphs(text: string): string[] {
  return text
    .replace(/\r\n?/g, "\n")
    .split("\n")
    .map((each) => each.trim())
    .filter(Boolean);
}
