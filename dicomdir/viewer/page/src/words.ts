/** Words of LANG.JS. English has every key; what a language lacks is said in English. */
import { inflateSync, strFromU8 } from "fflate";
import { type Packed, unpacked } from "./data/text.ts";

type Table = Record<string, string>;

declare global {
  interface Window {
    /**
     * English as keys and texts; the other languages, of which most people need none, as texts in
     * the order of the English ones. JSON, deflated.
     */
    SENDHOME_PACKED?: Record<string, Packed>;
  }
}

let language = "en";
const listeners = new Set<() => void>();

export function languages(): string[] {
  return Object.keys(window.SENDHOME_PACKED ?? {});
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
  document.documentElement.lang = language;
  document.documentElement.dir = language === "ar" ? "rtl" : "ltr";
  for (const listener of [...listeners]) listener();
}

const opened: Record<string, Table> = {};

/** The words of a language, opened when they are asked for; none where LANG.JS has none. */
function table(code: string): Table {
  const known = opened[code];
  const packed = window.SENDHOME_PACKED?.[code];
  if (known || !packed) return known ?? {};
  const told = JSON.parse(strFromU8(inflateSync(unpacked(packed, "LANG")))) as Table | string[];
  let made: Table = {};
  if (Array.isArray(told)) {
    Object.keys(table("en")).forEach((key, i) => {
      made[key] = told[i]!;
    });
  } else made = told;
  opened[code] = made;
  return made;
}

/** Told when the language changes. @returns How to stop. */
export function onLanguage(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The text of a key, {names} in it replaced; plain text, to be set as textContent. */
export function t(key: string, values: Record<string, string | number> = {}): string {
  const text = table(language)[key] ?? table("en")[key] ?? key;
  // Names and numbers keep their own direction within a sentence that runs the other way.
  const [open, close] = language === "ar" ? ["\u2068", "\u2069"] : ["", ""];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in values ? `${open}${values[name]}${close}` : whole,
  );
}
