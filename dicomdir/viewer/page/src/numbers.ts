/** Numbers of the page's language. Making a format costs more than using it a hundred times. */
import { currentLanguage } from "./words.ts";

/** From here on as a power of ten: what an object says may have three hundred digits. */
const LARGE = 1e10;

const numbers = new Map<string, Intl.NumberFormat>();

/** With our digits in every language: what stands on the report is found again. */
export function shownNumber(value: number, most: number, least = 0): string {
  const isLarge = Math.abs(value) >= LARGE;
  const key = isLarge ? currentLanguage() : `${currentLanguage()}/${most}/${least}`;
  let format = numbers.get(key);
  if (!format) {
    format = new Intl.NumberFormat(
      `${currentLanguage()}-u-nu-latn`,
      isLarge
        ? { notation: "scientific", maximumSignificantDigits: 4 }
        : { minimumFractionDigits: least, maximumFractionDigits: most },
    );
    numbers.set(key, format);
  }
  return format.format(value);
}
