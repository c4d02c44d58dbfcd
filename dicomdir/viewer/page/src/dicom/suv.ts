/**
 * Standardised uptake values by body weight of PET (QIBA's vendor-neutral pseudo-code, the private
 * factors of Philips and GE's private time of the scan included).
 *
 * What is missing or cannot be true is said, and no value is made of it.
 */
import type { DataSet } from "./dataset.ts";
import { T } from "./tags.ts";

/** Why there is none; the word's key in LANG.JS is "suv.<why>". */
export type NoSuv = "units" | "corrections" | "drug" | "dose" | "half-life" | "weight" | "time";

const DAY_S = 86_400;
/** Of so many half-lives nothing is left to be seen: a clock or a date is wrong. */
const MOST_HALF_LIVES = 10;
/** Whether a DT's time and a TM are of one clock, in seconds. */
const SAME_CLOCK_S = 60;

/** What a value in the object's own unit is to be multiplied with to be an SUV, or why not. */
export function suvFactor(root: DataSet): number | NoSuv {
  let scale = 1; // to Bq/mL
  const units = root.string(T.Units);
  if (!root.number(T.RescaleSlope)) return "units"; // what is stored is in none
  if (units === "CNTS") {
    const [suv, activity] = [0x00, 0x09].map((element) =>
      Number(ownText(root, 0x7053, "Philips PET Private Group", element)),
    ) as [number, number];
    if (suv > 0 && isCorrected(root)) return suv;
    if (!(suv > 0 || activity > 0)) return "units";
    scale = activity;
  } else if (units !== "BQML") return "units";
  if (!isCorrected(root)) return "corrections";
  const [drug, ...others] = root.items(T.RadiopharmaceuticalInformationSequence);
  if (!drug || others.length) return "drug";
  const dose = drug.number(T.RadionuclideTotalDose) ?? 0;
  // Bq by the standard; some write MBq, which nobody could measure as Bq.
  if (!(dose >= 1e5 && dose <= 1e12)) return "dose";
  const halfLife = drug.number(T.RadionuclideHalfLife) ?? 0;
  if (!(halfLife >= 1 && halfLife <= 1e8)) return "half-life";
  const weight = root.number(T.PatientWeight) ?? 0;
  if (!(weight >= 0.005 && weight <= 700)) return "weight";
  const isAdmin = root.string(T.DecayCorrection) === "ADMIN";
  const acquired = instant(root.string(T.AcquisitionDate), root.string(T.AcquisitionTime));
  const scan = isAdmin ? acquired : scanStart(root, acquired, halfLife);
  const elapsed = scan === null ? null : sinceInjection(root, drug, scan, halfLife);
  if (elapsed === null) return "time";
  return (scale * weight * 1000) / (isAdmin ? dose : dose * 2 ** (-elapsed / halfLife));
}

function isCorrected(root: DataSet): boolean {
  const done = root.strings(T.CorrectedImage);
  const decay = root.string(T.DecayCorrection);
  return done.includes("ATTN") && done.includes("DECY") && /^(START|ADMIN)$/.test(decay);
}

/** What decay is corrected to: the beginning of the scan, in seconds. */
function scanStart(root: DataSet, acquired: number | null, halfLife: number): number | null {
  const series = instant(root.string(T.SeriesDate), root.string(T.SeriesTime));
  if (acquired === null) return null;
  if (series !== null && series <= acquired) return series;
  // A series that was made later: its time says nothing of the scan.
  const ge = zoned(ownText(root, 0x0009, "GEMS_PETD_01", 0x0d), root);
  if (ge !== null) return ge <= acquired ? ge : null;
  const reference = (root.number(T.FrameReferenceTime) ?? 0) / 1000;
  const duration = (root.number(T.ActualFrameDuration) ?? 0) / 1000;
  if (!(reference > 0 && duration > 0)) return null;
  const decay = Math.LN2 / halfLife;
  const during = decay * duration;
  return acquired - reference + Math.log(during / (1 - Math.exp(-during))) / decay;
}

/** Seconds; null where the times are missing, contradict each other or leave the day open. */
function sinceInjection(
  root: DataSet,
  drug: DataSet,
  scan: number,
  halfLife: number,
): number | null {
  const dated = zoned(drug.string(T.RadiopharmaceuticalStartDateTime), root);
  const time = instant("19700101", drug.string(T.RadiopharmaceuticalStartTime));
  let elapsed: number;
  if (dated !== null) {
    const off = time === null ? 0 : (((dated - time) % DAY_S) + DAY_S) % DAY_S;
    if (Math.min(off, DAY_S - off) > SAME_CLOCK_S) return null;
    elapsed = scan - dated;
  } else {
    // The day is not said: of what decays slowly it may be days ago.
    if (time === null || halfLife > DAY_S / 2) return null;
    elapsed = (((scan - time) % DAY_S) + DAY_S) % DAY_S;
  }
  return elapsed >= 0 && elapsed <= MOST_HALF_LIVES * halfLife ? elapsed : null;
}

/** A date and a time in seconds, of one clock. */
function instant(date: string, time: string): number | null {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)$/.exec(date) ?? [];
  const [, hours, minutes, seconds] = /^(\d\d)(\d\d)(\d\d(?:\.\d+)?)?$/.exec(time) ?? [];
  if (!day || !minutes || !(Number(hours) < 24 && Number(minutes) < 60)) return null;
  const start = Date.UTC(Number(year), Number(month) - 1, Number(day)) / 1000;
  return start + 3600 * Number(hours) + 60 * Number(minutes) + Number(seconds ?? 0);
}

/** A DT on the clock of the object's own dates, which may have an offset from UTC as well. */
function zoned(text: string, root: DataSet): number | null {
  const [, date, time, offset] = /^(\d{8})(\d{4,6}(?:\.\d+)?)([+-]\d{4})?$/.exec(text) ?? [];
  const made = instant(date ?? "", time ?? "");
  const own = root.string(T.TimezoneOffsetFromUTC);
  return made === null || !offset || !own ? made : made - east(offset) + east(own);
}

/** Seconds of "+0130". */
function east(offset: string): number {
  const value = Number(offset);
  return 60 * (60 * Math.trunc(value / 100) + (value % 100));
}

/** Of a private element, by its creator; "" where it is missing. */
function ownText(root: DataSet, group: number, creator: string, element: number): string {
  for (let block = 0x10; block <= 0xff; block++) {
    const at = group * 65_536;
    if (root.string(at + block) !== creator) continue;
    const tag = at + block * 256 + element;
    return root.string(tag) || String(root.number(tag) ?? "");
  }
  return "";
}
