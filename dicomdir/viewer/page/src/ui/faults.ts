/** What went wrong, in a sentence for a person. */
import { DataError, faultOf } from "../data/errors.ts";
import { t } from "../words.ts";

export function faultText(error: unknown, language?: string): string {
  const { file, detail } = error instanceof DataError ? error : { file: "", detail: "" };
  return t(`fault.${faultOf(error)}`, { file, detail }, language);
}
