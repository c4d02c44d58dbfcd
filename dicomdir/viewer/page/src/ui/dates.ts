/** Dates and times of DICOM as people of the page's language write them. */
import { currentLanguage } from "../words.ts";

const formats = new Map<string, Intl.DateTimeFormat>(); // making one takes milliseconds

/** "20260131" as a date; what is none stays as it is. */
export function shownDate(text: string, language = currentLanguage()): string {
  const found = /^(\d{4})[-.]?(\d{2})[-.]?(\d{2})/.exec(text.trim());
  if (!found) return text;
  const [year, month, day] = found.slice(1).map(Number) as [number, number, number];
  const date = new Date(Date.UTC(year, month - 1, day));
  date.setUTCFullYear(year);
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!isReal) return text;
  return formatFor(language).format(date);
}

/** In the Gregorian calendar and with our digits: what stands on the report is found again. */
function formatFor(language: string): Intl.DateTimeFormat {
  let made = formats.get(language);
  if (!made) {
    made = new Intl.DateTimeFormat(`${language}-u-ca-gregory-nu-latn`, {
      // Arabic's shorter one is of numbers and marks of direction, which a sentence takes apart.
      dateStyle: language === "ar" ? "long" : "medium",
      timeZone: "UTC",
    });
    formats.set(language, made);
  }
  return made;
}

/** "20260131" as "2026-01-31", on pictures and their copies: nobody can take it for another day. */
export function isoDate(text: string): string {
  return text.replace(/^(\d{4})(\d\d)(\d\d)$/, "$1-$2-$3");
}

/** "134501.123" as "13:45". */
export function shownTime(text: string): string {
  const found = /^(\d{2}):?(\d{2})/.exec(text.trim());
  return found ? `${found[1]}:${found[2]}` : "";
}

export function shownDateTime(text: string): string {
  const time = shownTime(text.trim().slice(8));
  return [shownDate(text.slice(0, 8)), time].filter(Boolean).join(", ");
}
