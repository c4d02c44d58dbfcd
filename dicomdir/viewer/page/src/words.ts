/** Words of LANG.JS. English has every key; what a language lacks is said in English. */
type Table = Record<string, string>;

declare global {
  interface Window {
    SENDHOME_WORDS?: Record<string, Table>;
  }
}

let language = "en";
const listeners = new Set<() => void>();

export function languages(): string[] {
  return Object.keys(window.SENDHOME_WORDS ?? {});
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

/** Told when the language changes. @returns How to stop. */
export function onLanguage(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The text of a key, {names} in it replaced; plain text, to be set as textContent. */
export function t(key: string, values: Record<string, string | number> = {}): string {
  const text =
    window.SENDHOME_WORDS?.[language]?.[key] ?? window.SENDHOME_WORDS?.["en"]?.[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
