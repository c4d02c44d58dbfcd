/** Which kind of series an object makes, where no manifest says so. */
import type { Kind } from "./format.ts";

const STORAGE = "1.2.840.10008.5.1.4.1.1.";
const BY_RECORD: Record<string, Kind> = {
  IMAGE: "image",
  "SR DOCUMENT": "report",
  "ENCAP DOC": "document",
  "KEY OBJECT DOC": "key",
  PRESENTATION: "state",
  WAVEFORM: "waveform",
};

/** By Directory Record Type (PS3.3 F.5). */
export function kindOfRecord(type: string): Kind {
  return BY_RECORD[type] ?? "other";
}

export function kindOfClass(uid: string, hasPixels: boolean): Kind {
  const own = uid.startsWith(STORAGE) ? uid.slice(STORAGE.length) : "";
  if (own === "88.59") return "key";
  if (own.startsWith("88.")) return "report";
  if (own.startsWith("104.")) return "document";
  if (own.startsWith("11.")) return "state";
  if (own.startsWith("9.")) return "waveform";
  return hasPixels ? "image" : "other";
}
