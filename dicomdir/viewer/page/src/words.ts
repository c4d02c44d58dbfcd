/** Words of LANG.JS. English has every key; what a language lacks is said in English. */
import { inflateSync, strFromU8 } from "fflate";

type Table = Record<string, string>;

declare global {
  interface Window {
    SENDHOME_WORDS?: Record<string, Table>;
    /**
     * The other languages, of which most people need none: texts in the order of the English ones,
     * as JSON, deflated, as base64.
     */
    SENDHOME_PACKED?: Record<string, string>;
  }
}

let language = "en";
const listeners = new Set<() => void>();

export function languages(): string[] {
  return [
    ...new Set([
      ...Object.keys(window.SENDHOME_WORDS ?? {}),
      ...Object.keys(window.SENDHOME_PACKED ?? {}),
    ]),
  ];
}

export function currentLanguage(): string {
  return language;
}

/** The first of the wishes ("de-AT" takes "de") that there is. */
export function chooseLanguage(wishes: readonly string[]): void {
  const known = languages();
  const found = wishes
    .map((wish) => wish.toLowerCase().split("-")[0]!)
    .find((it) => known.includes(it));
  language = found ?? "en";
  unpack(language);
  document.documentElement.lang = language;
  document.documentElement.dir = language === "ar" ? "rtl" : "ltr";
  for (const listener of [...listeners]) listener();
}

function unpack(code: string): void {
  const packed = window.SENDHOME_PACKED?.[code];
  const words = window.SENDHOME_WORDS;
  if (!packed || !words || words[code]) return;
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const texts = JSON.parse(strFromU8(inflateSync(bytes))) as string[];
  const made: Table = {};
  Object.keys(words["en"]!).forEach((key, i) => {
    made[key] = texts[i]!;
  });
  words[code] = made;
}

/** Told when the language changes. @returns How to stop. */
export function onLanguage(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The text of a key, {names} in it replaced; plain text, to be set as textContent. */
export function t(key: string, values: Record<string, string | number> = {}): string {
  const text =
    window.SENDHOME_WORDS?.[language]?.[key] ?? window.SENDHOME_WORDS?.["en"]?.[key] ?? key;
  // Names and numbers keep their own direction within a sentence that runs the other way.
  const [open, close] = language === "ar" ? ["\u2068", "\u2069"] : ["", ""];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in values ? `${open}${values[name]}${close}` : whole,
  );
}
