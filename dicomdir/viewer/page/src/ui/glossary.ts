/** Words of a report that have an explanation: marked, and explained where they stand. */
import { type Glossary, loadGlossary } from "../data/glossary.ts";
import { currentLanguage, t } from "../words.ts";
import { button, el } from "./dom.ts";

const SKIPPED = "button, table.measures td, code, .quiet, .bubble";
/** The same word marked everywhere makes a text hard to read. */
const MOST_OF_ONE = 3;

let bubble: HTMLElement | null = null;
let owner: HTMLElement | null = null;

/** Marks later, when the glossary is there; a missing or broken one marks nothing. */
export function markTerms(root: HTMLElement): void {
  void loadGlossary().then((glossary) => glossary && mark(root, glossary));
}

function mark(root: HTMLElement, glossary: Glossary): void {
  const counts = new Map<number, number>();
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.parentElement?.closest(SKIPPED)) texts.push(node as Text);
  }
  for (const node of texts) {
    const text = node.data;
    const made: (Node | string)[] = [];
    let at = 0;
    for (const found of glossary.find(text)) {
      const before = counts.get(found.term) ?? 0;
      if (before >= MOST_OF_ONE) continue;
      counts.set(found.term, before + 1);
      made.push(text.slice(at, found.start), termButton(text.slice(found.start, found.end), found));
      at = found.end;
    }
    if (made.length) node.replaceWith(...made, text.slice(at));
  }

  function termButton(word: string, found: { term: number; language: string }): HTMLElement {
    const made: HTMLButtonElement = button(word, () => show(made, explain()), {
      class: "term",
      "aria-expanded": "false",
      title: t("glossary.hint"),
    });
    const explain = () => glossary.explain(found.term, currentLanguage(), found.language);
    made.addEventListener("focus", () => made.matches(":focus-visible") && show(made, explain()));
    made.addEventListener("blur", hide);
    made.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || owner !== made) return;
      event.preventDefault();
      hide();
    });
    return made;
  }
}

function show(term: HTMLElement, text: string): void {
  if (owner === term) return;
  hide();
  owner = term;
  bubble = el("span", { class: "bubble", id: "bubble", role: "status", dir: "auto" }, text);
  // Below the paragraph: between a word and its full stop it would tear the sentence apart.
  (term.closest("p, td, th, li, h3, h4, h5, h6") ?? term).append(bubble);
  term.setAttribute("aria-expanded", "true");
  term.setAttribute("aria-describedby", "bubble");
}

function hide(): void {
  owner?.setAttribute("aria-expanded", "false");
  owner?.removeAttribute("aria-describedby");
  bubble?.remove();
  owner = null;
  bubble = null;
}
