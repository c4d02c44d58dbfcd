/**
 * Explanations of words of radiology, from VIEWER/GLOSSARY.JS (docs/viewer-format.md): a file that
 * a site edits by hand, so that whatever is wrong in it costs only itself.
 */
interface Entry {
  words: Record<string, string[]>;
  text: Record<string, string>;
}

export interface FoundTerm {
  start: number;
  end: number;
  term: number;
  /** Of the word that was found. */
  language: string;
}

const MOST_TERMS = 5000;
const MOST_TEXT = 1000;
const MOST_TOKENS = 4;
const TOKEN = /[\p{L}\p{M}\p{N}]+/gu;

export class Glossary {
  private readonly entries: Entry[];
  /** Tokens joined by a blank, in lower case. */
  private readonly places = new Map<string, { term: number; language: string }>();

  constructor(entries: Entry[]) {
    this.entries = entries;
    entries.forEach((entry, term) => {
      for (const [language, words] of Object.entries(entry.words)) {
        for (const word of words) {
          const key = tokens(word)
            .map((each) => each.text)
            .join(" ");
          if (key && !this.places.has(key)) this.places.set(key, { term, language });
        }
      }
    });
  }

  get size(): number {
    return this.entries.length;
  }

  /** Longest terms first, none over another. */
  find(text: string): FoundTerm[] {
    const all = tokens(text);
    const out: FoundTerm[] = [];
    for (let i = 0; i < all.length; ) {
      let taken = 1;
      for (let count = Math.min(MOST_TOKENS, all.length - i); count > 0; count--) {
        const run = all.slice(i, i + count);
        const place = this.places.get(run.map((each) => each.text).join(" "));
        if (!place) continue;
        out.push({ start: run[0]!.start, end: run[count - 1]!.end, ...place });
        taken = count;
        break;
      }
      i += taken;
    }
    return out;
  }

  /** In the first language of these that there is, else in any. */
  explain(term: number, ...languages: string[]): string {
    const { text } = this.entries[term]!;
    const found = languages.find((each) => text[each]);
    return (found ? text[found] : Object.values(text)[0]) ?? "";
  }
}

function tokens(text: string): { text: string; start: number; end: number }[] {
  return [...text.matchAll(TOKEN)].map((found) => ({
    text: found[0].toLowerCase(),
    start: found.index,
    end: found.index + found[0].length,
  }));
}

/** What SENDHOME.glossary was called with; null where it is no glossary at all. */
export function readGlossary(value: unknown): Glossary | null {
  if (!isRecord(value) || value["version"] !== 1 || !Array.isArray(value["terms"])) return null;
  const entries: Entry[] = [];
  for (const each of value["terms"].slice(0, MOST_TERMS)) {
    if (!isRecord(each) || !isRecord(each["words"]) || !isRecord(each["text"])) continue;
    const entry: Entry = { words: {}, text: {} };
    for (const [language, words] of Object.entries(each["words"])) {
      if (!Array.isArray(words)) continue;
      entry.words[language] = words.filter((word) => isText(word)).slice(0, 50);
    }
    for (const [language, text] of Object.entries(each["text"])) {
      if (isText(text)) entry.text[language] = text;
    }
    if (Object.keys(entry.text).length) entries.push(entry);
  }
  return entries.length ? new Glossary(entries) : null;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= MOST_TEXT;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

let loading: Promise<Glossary | null> | null = null;

/** Once a page; null where the file is missing or broken. */
export function loadGlossary(): Promise<Glossary | null> {
  loading ??= new Promise((resolve) => {
    const base = window.SENDHOME_BASE ?? { folder: "", lower: false };
    let made: Glossary | null = null;
    const call = window.SENDHOME as unknown as { glossary?: (value: unknown) => void };
    call.glossary = (value) => {
      made = readGlossary(value);
    };
    const inject = (lower: boolean, isRetry: boolean) => {
      const script = document.createElement("script");
      script.src = base.folder + (lower ? "glossary.js" : "GLOSSARY.JS");
      script.onload = () => {
        script.remove();
        resolve(made);
      };
      script.onerror = () => {
        script.remove();
        if (isRetry) resolve(null);
        else inject(!lower, true);
      };
      document.body.append(script);
    };
    inject(base.lower, false);
  });
  return loading;
}
