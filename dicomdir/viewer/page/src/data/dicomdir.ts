/** A DICOMDIR as a table of contents (PS3.3 F.3): what a folder holds without opening each file. */
import { DataSet } from "../dicom/dataset.ts";
import { DataError } from "./errors.ts";

export interface Leaf {
  type: string;
  /** Components joined by "/", as they stand in the directory. */
  file: string;
  patient: DataSet;
  study: DataSet;
  series: DataSet;
  record: DataSet;
}

const D = {
  first: 0x00041200,
  sequence: 0x00041220,
  next: 0x00041400,
  lower: 0x00041420,
  type: 0x00041430,
  file: 0x00041500,
} as const;
const MOST = 500_000;

/** @throws DataError "damaged" */
export function readDicomdir(bytes: Uint8Array<ArrayBuffer>): Leaf[] {
  if (String.fromCharCode(...bytes.subarray(128, 132)) !== "DICM") {
    throw new DataError("damaged", "DICOMDIR", "no DICM");
  }
  let root: DataSet;
  try {
    root = new DataSet(bytes, 132); // File Meta Information is Explicit VR Little Endian, as it is
  } catch (error) {
    throw new DataError("damaged", "DICOMDIR", String(error));
  }
  const records = new Map<number, DataSet>();
  // Offsets are of items, whose headers are 8 bytes.
  for (const item of root.items(D.sequence)) records.set(item.start - 8, item);
  const out: Leaf[] = [];
  const seen = new Set<number>();
  const walk = (offset: number, above: DataSet[]) => {
    for (let at = offset; at > 0 && !seen.has(at) && out.length < MOST; ) {
      seen.add(at);
      const record = records.get(at);
      if (!record) return;
      const type = record.string(D.type);
      const file = record.strings(D.file).join("/");
      const [patient, study, series] = above;
      if (file && patient && study && series) {
        out.push({ type, file, patient, study, series, record });
      }
      const lower = record.number(D.lower) ?? 0;
      if (lower && above.length < 3) walk(lower, [...above, record]);
      at = record.number(D.next) ?? 0;
    }
  };
  walk(root.number(D.first) ?? 0, []);
  return out;
}
