/** Documents inside objects: a PDF as a file of its own, a CDA as its text. */
import type { DataSet } from "../dicom/dataset.ts";
import { t } from "../words.ts";
import { el } from "./dom.ts";
import { markTerms } from "./glossary.ts";

const EncapsulatedDocument = 0x00420011;
const EncapsulatedDocumentLength = 0x00420015;
const MIMETypeOfEncapsulatedDocument = 0x00420012;
const DocumentTitle = 0x00420010;
const MOST_TEXT = 200_000;

/** @returns How to let go of what it holds. */
export function documentView(ds: DataSet, body: HTMLElement): () => void {
  const bytes = contentOf(ds);
  const title = ds.string(DocumentTitle);
  if (title) body.append(el("h3", { dir: "auto" }, title));
  if (!bytes) {
    body.append(el("p", {}, t("document.empty")));
    return () => undefined;
  }
  // What it is says its beginning: the attribute is often wrong or missing.
  if (startsWith(bytes, "%PDF-")) return pdfView(bytes, body);
  const type = ds.string(MIMETypeOfEncapsulatedDocument).toLowerCase();
  const text = xmlText(bytes);
  if (text) {
    body.append(text);
    markTerms(text);
    return () => undefined;
  }
  return saveView(bytes, type, body);
}

function contentOf(ds: DataSet): Uint8Array<ArrayBuffer> | null {
  const raw = ds.raw(EncapsulatedDocument);
  if (!raw?.length) return null;
  const length = ds.number(EncapsulatedDocumentLength);
  const end = length !== null && length > 0 && length <= raw.length ? length : raw.length;
  return raw.slice(0, end) as Uint8Array<ArrayBuffer>;
}

/**
 * As pages in the panel where the browser says that it shows PDFs; and, for those that do not, in a
 * tab of its own or as a file. A frame in a browser without a viewer would only offer the file.
 */
function pdfView(bytes: Uint8Array<ArrayBuffer>, body: HTMLElement): () => void {
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/pdf" }));
  const links = el("p", { class: "links" });
  links.append(
    el(
      "a",
      { href: url, target: "_blank", rel: "noopener", class: "as-button" },
      t("document.open"),
    ),
    " ",
    el("a", { href: url, download: "document.pdf", class: "as-button" }, t("document.save")),
  );
  body.append(links);
  if (canFrame()) {
    const title = t("document.pages");
    // Chromium's own words for "no list of pages, as wide as the frame"; others pass over them.
    body.append(el("iframe", { class: "pdf", title, src: `${url}#navpanes=0&view=FitH` }));
  }
  return () => URL.revokeObjectURL(url);
}

/** WebKit's own viewer is a page under this page's rules, which forbid its styles and scripts. */
function canFrame(): boolean {
  return navigator.pdfViewerEnabled && !navigator.vendor.startsWith("Apple");
}

function saveView(bytes: Uint8Array<ArrayBuffer>, type: string, body: HTMLElement): () => void {
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  body.append(
    el("p", {}, t("document.unknown", { type: type || "?" })),
    el(
      "p",
      {},
      el("a", { href: url, download: "document.bin", class: "as-button" }, t("document.save")),
    ),
  );
  return () => URL.revokeObjectURL(url);
}

const BLOCKS = new Set(["title", "paragraph", "caption", "tr", "item", "br"]);

/** The sections of a CDA (any other XML: its text), as headings and paragraphs; null: no XML. */
function xmlText(bytes: Uint8Array): HTMLElement | null {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 400));
  if (!/^(\xef\xbb\xbf)?\s*<(\?xml|ClinicalDocument)/.test(start)) return null;
  const label = /encoding=["']([\w-]+)["']/.exec(start)?.[1] ?? "utf-8";
  let text: string;
  try {
    text = new TextDecoder(label).decode(bytes);
  } catch {
    text = new TextDecoder().decode(bytes);
  }
  // A parsed document that is never shown runs no script and loads nothing.
  const xml = new DOMParser().parseFromString(text, "application/xml");
  if (xml.querySelector("parsererror")) return null;
  const made = el("article", { class: "report", dir: "auto" });
  const whole = xml.documentElement;
  const title = [...whole.children].find((each) => each.localName === "title");
  if (title?.textContent) made.append(el("h3", {}, title.textContent.trim()));
  const sections = [...whole.getElementsByTagNameNS("*", "section")];
  for (const section of sections) {
    for (const part of section.children) {
      if (part.localName === "title") made.append(el("h4", {}, (part.textContent ?? "").trim()));
      if (part.localName === "text") made.append(...lines(part));
    }
  }
  if (!sections.length) made.append(...lines(whole));
  return made;
}

function lines(part: Element): HTMLElement[] {
  const out: string[] = [""];
  let left = MOST_TEXT;
  const walk = (node: Node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      const text = (node.textContent ?? "").replace(/\s+/g, " ").slice(0, Math.max(0, left));
      left -= text.length;
      out[out.length - 1] += text;
      return;
    }
    const isBlock = BLOCKS.has((node as Element).localName);
    if (isBlock) out.push("");
    for (const child of node.childNodes) walk(child);
    if (isBlock) out.push("");
    else if (["td", "th"].includes((node as Element).localName)) out[out.length - 1] += "  ";
  };
  walk(part);
  return out
    .map((each) => each.trim())
    .filter(Boolean)
    .map((each) => el("p", {}, each));
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return [...text].every((letter, i) => bytes[i] === letter.charCodeAt(0));
}
