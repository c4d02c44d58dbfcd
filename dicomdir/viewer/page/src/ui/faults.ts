/** What went wrong, in a sentence for a person. */
import { DataError, faultOf } from "../data/errors.ts";
import { t } from "../words.ts";

export function faultText(error: unknown): string {
  const file = error instanceof DataError ? error.file : "";
  return t(`fault.${faultOf(error)}`, { file });
}
