/** Numbers and dates of the page's language. Making a format costs more than using it a hundred times. */
import { currentLanguage } from "./words.ts";

const numbers = new Map<string, Intl.NumberFormat>();

export function shownNumber(value: number, most: number, least = 0): string {
  const key = `${currentLanguage()}/${most}/${least}`;
  let format = numbers.get(key);
  if (!format) {
    format = new Intl.NumberFormat(currentLanguage(), {
      minimumFractionDigits: least,
      maximumFractionDigits: most,
    });
    numbers.set(key, format);
  }
  return format.format(value);
}

const dates = new Map<string, Intl.DateTimeFormat>();

export function dateFormat(): Intl.DateTimeFormat {
  const language = currentLanguage();
  let format = dates.get(language);
  if (!format) {
    format = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" });
    dates.set(language, format);
  }
  return format;
}
