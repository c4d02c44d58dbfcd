/** What a series is, in plain words. */
import type { SeriesEntry } from "../data/format.ts";
import { t } from "../words.ts";

const MODALITIES = new Set([
  "CR",
  "CT",
  "DX",
  "ECG",
  "ES",
  "IO",
  "MG",
  "MR",
  "NM",
  "OT",
  "PT",
  "PX",
  "RF",
  "SC",
  "US",
  "XA",
  "XC",
]);
const BY_MODALITY: Record<string, string> = {
  RG: "DX",
  BI: "MG",
  IVUS: "US",
  DR: "DX",
  RTIMAGE: "DX",
};

export function kindText(entry: SeriesEntry): string {
  if (entry.kind !== "image" && entry.kind !== "other") return t(`kind.${entry.kind}`);
  const modality = BY_MODALITY[entry.modality] ?? entry.modality;
  if (MODALITIES.has(modality)) return t(`modality.${modality}`);
  return t(`kind.${entry.kind}`);
}

/** "200 images", "1 report" … */
export function countText(entry: SeriesEntry): string {
  const count = entry.frames || entry.instances;
  if (entry.kind === "image") {
    return count === 1 ? t("list.count-one") : t("list.count", { count });
  }
  return entry.instances === 1 ? "" : t("list.objects", { count: entry.instances });
}
