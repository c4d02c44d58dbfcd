/** Studies on this page that are not of its medium: files that a person picked. */
import type { PatientEntry, SeriesEntry } from "./data/format.ts";
import type { Source } from "./data/source.ts";
import type { DataSet } from "./dicom/dataset.ts";

export interface ShelfHeaders {
  count: number;
  dataset(index: number): Promise<DataSet>;
}

export interface Shelf {
  /** Its files are this medium's originals, or come from elsewhere. */
  origin: "original" | "other";
  /** Name of the folder that was picked. */
  name: string;
  patients: PatientEntry[];
  /** @throws DataError */
  source(entry: SeriesEntry): Promise<Source>;
  headers(entry: SeriesEntry): ShelfHeaders;
  /** Files that are not shown, by reason; keys of words "folder.<reason>". */
  left: Map<string, number>;
}

/** Numbers of their series begin here: those of media are the DICOMDIR's, from 1. */
const FIRST = 1_000_001;

export class Shelves {
  readonly list: Shelf[] = [];
  private next = FIRST;
  private readonly byNumber = new Map<number, { shelf: Shelf; entry: SeriesEntry }>();
  private readonly listeners = new Set<() => void>();

  /** Its series get numbers of their own. */
  add(shelf: Shelf): void {
    this.list.push(shelf);
    for (const entry of seriesOf(shelf)) {
      entry.n = this.next++;
      this.byNumber.set(entry.n, { shelf, entry });
    }
    for (const listener of [...this.listeners]) listener();
  }

  find(n: number): { shelf: Shelf; entry: SeriesEntry } | null {
    return this.byNumber.get(n) ?? null;
  }

  on(listener: () => void): void {
    this.listeners.add(listener);
  }
}

export function seriesOf(shelf: Shelf): SeriesEntry[] {
  return shelf.patients.flatMap((patient) => patient.studies.flatMap((study) => study.series));
}
