/** Everything that an object's header says, with a filter; on demand. */
import type { DataSet, Element } from "../dicom/dataset.ts";
import { type Dictionary, dictionary, tagName, tagText } from "../dicom/dictionary.ts";
import { t } from "../words.ts";
import { copyable } from "./copy.ts";
import { el } from "./dom.ts";

export interface TagRow {
  depth: number;
  tag: number;
  vr: string;
  name: string;
  value: string;
}

const MOST_ROWS = 20_000;
const MOST_SHOWN = 500;
const MOST_VALUE = 400;
const MOST_NUMBERS = 24;
const BYTES = new Set(["OB", "OW", "OD", "OF", "OL", "OV", "UN"]);

/** Lines of a data set, items of sequences below them. */
export function tagRows(ds: DataSet, names: Dictionary): TagRow[] {
  const out: TagRow[] = [];
  const walk = (set: DataSet, depth: number) => {
    for (const element of set.elements.values()) {
      if (out.length >= MOST_ROWS) return;
      const items = set.items(element.tag);
      const known = names.get(element.tag);
      out.push({
        depth,
        tag: element.tag,
        vr: element.vr === "UN" && known ? known.vr : element.vr,
        name: tagName(names, element.tag),
        value: element.vr === "SQ" ? "" : valueText(set, element),
      });
      items.forEach((item, i) => {
        out.push({ depth: depth + 1, tag: 0, vr: "", name: `# ${i + 1}`, value: "" });
        walk(item, depth + 1);
      });
    }
  };
  walk(ds, 0);
  return out;
}

function valueText(ds: DataSet, element: Element): string {
  const size = element.end - element.start;
  if (size === 0) return "";
  if (element.vr === "AT") return ds.numbers(element.tag).map(tagText).join(" ");
  const isNumbers = /^(US|SS|UL|SL|FL|FD|OW|OF|OD|OL)$/.test(element.vr);
  if (isNumbers && size <= 8 * MOST_NUMBERS) return ds.numbers(element.tag).join(" \\ ");
  if (BYTES.has(element.vr) && !isPlain(ds.raw(element.tag)!))
    return t("tags.bytes", { count: size });
  if (isNumbers) return t("tags.bytes", { count: size });
  const text = ds.strings(element.tag).join(" \\ ");
  return text.length > MOST_VALUE ? `${text.slice(0, MOST_VALUE)}…` : text;
}

/** Private elements are often text that says it is bytes. */
function isPlain(bytes: Uint8Array): boolean {
  return bytes.length <= 256 && bytes.every((byte) => byte === 0 || (byte >= 32 && byte < 127));
}

/** Those with the words in tag, name or value; what they stand in stays above them. */
export function filterRows(rows: readonly TagRow[], words: string): TagRow[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (!wanted.length) return [...rows];
  const out: TagRow[] = [];
  const above: TagRow[] = [];
  let shown: (TagRow | undefined)[] = [];
  for (const row of rows) {
    const level = row.tag === 0 ? 2 * row.depth - 1 : 2 * row.depth;
    above.length = level;
    shown.length = Math.min(shown.length, level);
    above[level] = row;
    const text = `${tagText(row.tag)} ${row.tag.toString(16).padStart(8, "0")} ${row.vr} ${row.name} ${row.name.replace(/ /g, "")} ${row.value}`;
    const all = text.toLowerCase();
    if (row.tag === 0 || !wanted.every((each) => all.includes(each))) continue;
    above.forEach((each, at) => {
      if (each && shown[at] !== each) out.push(each);
    });
    shown = [...above];
  }
  return out;
}

export function tagBrowser(load: () => Promise<DataSet>): HTMLElement {
  const filter = el("input", { type: "search", id: "tag-filter", spellcheck: "false" });
  const body = el("tbody");
  const note = el("p", { class: "quiet", role: "status" }, t("notice.loading"));
  const made = el(
    "div",
    { class: "tags" },
    el("label", { for: "tag-filter" }, t("tags.filter")),
    filter,
    note,
    el("table", { dir: "ltr" }, body),
  );
  void Promise.all([load(), dictionary()]).then(
    ([ds, names]) => {
      const rows = tagRows(ds, names);
      const draw = () => {
        const found = filterRows(rows, filter.value);
        body.replaceChildren(...found.slice(0, MOST_SHOWN).map(line));
        note.textContent =
          found.length > MOST_SHOWN
            ? t("tags.some", { shown: MOST_SHOWN, count: found.length })
            : t("tags.count", { count: found.length });
      };
      filter.addEventListener("input", draw);
      draw();
    },
    () => {
      note.textContent = t("tags.none");
    },
  );
  return made;
}

function line(row: TagRow): HTMLElement {
  const indent = el("td", {}, row.tag ? tagText(row.tag) : row.name);
  indent.style.paddingInlineStart = `${row.depth * 14 + 4}px`;
  if (!row.tag) {
    indent.colSpan = 3;
    return el("tr", { class: "quiet" }, indent);
  }
  const value =
    row.vr === "UI" && row.value
      ? copyable(row.value, row.name)
      : el("span", { dir: "auto" }, row.value);
  return el(
    "tr",
    {},
    indent,
    el("td", {}, el("b", {}, row.name || "–"), " ", el("span", { class: "quiet" }, row.vr)),
    el("td", {}, value),
  );
}
