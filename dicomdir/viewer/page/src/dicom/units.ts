/** Units of values as people write them, from the words that objects have for them. */
import type { FrameAttributes } from "./functional.ts";
import { T } from "./tags.ts";
import type { Rescale } from "./voi.ts";

/** Of Rescale Type (PS3.3 C.11.1.1.2) and Units (C.8.9.1.1.3); other words stay as they are. */
const WRITTEN: Record<string, string> = {
  US: "",
  UNSPECIFIED: "",
  NONE: "",
  BQML: "Bq/mL",
  CNTS: "counts",
  CPS: "counts/s",
  PROPCNTS: "∝ counts",
  PROPCPS: "∝ counts/s",
  PCNT: "%",
  PCT: "%",
  CM2: "cm²",
  CM2ML: "cm²/mL",
  MGMINML: "mg/min/mL",
  UMOLMINML: "µmol/min/mL",
  MLMING: "mL/min/g",
  MLMINML: "mL/min/mL",
  MLG: "mL/g",
  MLML: "mL/mL",
  "1CM": "1/cm",
  UMOLML: "µmol/mL",
  MGML: "mg/mL",
  GML: "g/mL",
  GY: "Gy",
};

export function unitText(word: string): string {
  return WRITTEN[word.toUpperCase()] ?? word;
}

/** A mapping of some stored values onto a quantity of the real world (PS3.3 C.7.6.16.2.11). */
export interface RealWorld extends Rescale {
  first: number;
  last: number;
}

/** The linear one with a unit that the frame names first; null: there is none. */
export function realWorldOf(frame: FrameAttributes): RealWorld | null {
  const tag = T.RealWorldValueMappingSequence;
  const own = frame.group(tag);
  const ds = own === frame.root ? own.item(tag) : own;
  if (!ds) return null;
  const slope = ds.number(T.RealWorldValueSlope);
  const first = ds.number(T.RealWorldValueFirstMapped) ?? ds.number(T.DoubleFirstMapped);
  const last = ds.number(T.RealWorldValueLastMapped) ?? ds.number(T.DoubleLastMapped);
  const unit = ucumText(ds.item(T.MeasurementUnitsCodeSequence)?.string(T.CodeValue) ?? "");
  if (!slope || first === null || last === null || !unit) return null;
  const intercept = ds.number(T.RealWorldValueIntercept) ?? 0;
  return { slope, intercept, lut: null, unit, first, last };
}

/** "g/ml{SUVbw}" is called "SUVbw"; what counts nothing has no unit. */
function ucumText(code: string): string {
  const suv = /SUV\w*/.exec(code);
  if (suv) return suv[0];
  if (code === "1" || /^\{.*\}$/.test(code)) return "";
  return code === "[hnsf'U]" ? "HU" : code.replace(/\bml\b/g, "mL").replace(/\*?\{.*\}/g, "");
}
