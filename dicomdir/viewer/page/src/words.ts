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

/** Languages of the wishes that there are. */
export function knownOf(wishes: readonly string[]): string[] {
  const known = languages();
  const all = wishes.map((wish) => wish.toLowerCase().split("-")[0]!);
  return [...new Set(all)].filter((it) => known.includes(it));
}

/** The first of the wishes ("de-AT" takes "de") that there is. */
export function chooseLanguage(wishes: readonly string[]): void {
  language = knownOf(wishes)[0] ?? "en";
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

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
// Written as numbers: the characters themselves cannot be seen.
const MARKS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Without marks that turn what stands around a text: for what an object says. */
export function unmarked(text: string): string {
  return text.replace(MARKS, "");
}

/** For a line on a picture, which runs from left to right: a text that runs the other way turns no other. */
export function apart(text: string): string {
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}

/** The text of a key, {names} in it replaced; plain text, to be set as textContent. */
export function t(
  key: string,
  values: Record<string, string | number> = {},
  code = language,
): string {
  const text = table(code)[key] ?? table("en")[key] ?? key;
  // Names and numbers with their units keep their own direction within a sentence that runs the other way.
  const [open, close] = code === "ar" ? ["\u2068", "\u2069"] : ["", ""];
  return text.replace(/\{(\w+)\}( ?[\w%:/]+)?/g, (whole, name: string, unit = "") =>
    name in values ? `${open}${values[name]}${unit}${close}` : whole,
  );
}
