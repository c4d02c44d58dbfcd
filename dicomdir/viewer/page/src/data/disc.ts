/** A medium: its manifest, and its series as they are asked for. */
import type { Files } from "./files.ts";
import type { Manifest, PatientEntry, SeriesEntry, StudyEntry } from "./format.ts";
import { Bounded, giveBack } from "./memory.ts";
import { SeriesData } from "./series.ts";
import type { Picture } from "./source.ts";

// Browsers' pages take 250 MB by themselves, and leave more rubbish lying the more is held: with these
// going through 3,000 slices stays below 1 GB in Chromium and Firefox (python -m tests.bench --only page).
const COMPRESSED_BYTES = 96 << 20;
const DECODED_BYTES = 64 << 20;

/** META files that are loaded to look for objects: 5 s of an optical drive. */
const MOST_GUESSES = 50;

/** What all series of a page share. */
export interface Pools {
  /** Payloads of C files, by "S0000001/C0000001". */
  chunks: Bounded<Uint8Array<ArrayBuffer>>;
  /** Frames, by "S0000001/17". */
  pictures: Bounded<Picture>;
  /** How far from what is looked at a key of either pool is; more is farther. */
  distance: (key: string) => number;
  /** Bytes of compressed pixels that each series being looked at may keep. */
  share: () => number;
}

export interface Place {
  patient: PatientEntry;
  study: StudyEntry;
  entry: SeriesEntry;
}

export class Disc {
  readonly manifest: Manifest;
  readonly files: Files;
  /** Every series with its study and patient, studies newest first as in the manifest. */
  readonly places: Place[];
  private readonly made = new Map<number, SeriesData>();
  private readonly guesses = new Map<number, Promise<SeriesData | null>>();
  private readonly pools: Pools;

  constructor(manifest: Manifest, files: Files) {
    this.manifest = manifest;
    this.files = files;
    this.places = manifest.patients.flatMap((patient) =>
      patient.studies.flatMap((study) => study.series.map((entry) => ({ patient, study, entry }))),
    );
    this.pools = {
      chunks: new Bounded(COMPRESSED_BYTES, (payload) => giveBack(payload.buffer)),
      pictures: new Bounded(DECODED_BYTES),
      distance: (key) => this.made.get(Number(key.slice(1, 8)))?.distance(key) ?? Infinity,
      share: () => {
        const seen = [...this.made.values()].filter((each) => each.isSeen).length;
        return COMPRESSED_BYTES / Math.max(1, seen);
      },
    };
  }

  place(n: number): Place | null {
    return this.places.find((each) => each.entry.n === n) ?? null;
  }

  /**
   * Where an object's frame (from 1) is on this medium, or null.
   *
   * @param among Series Instance UID that it is said to be of. Where there is no such series, for
   *   archives change UIDs, those of the study are looked into one after the other.
   */
  async find(
    uid: string,
    frame: number,
    study: StudyEntry,
    among = "",
  ): Promise<[SeriesData, number] | null> {
    const named = study.series.filter((each) => each.uid === among);
    for (const entry of named.length ? named : study.series) {
      const series = await this.searched(entry, !named.length);
      const index = series?.indexOf(uid, frame) ?? -1;
      if (series && index >= 0) return [series, index];
    }
    return null;
  }

  /**
   * A series of images that a reference may lead into; null: not shown here, damaged, or one too many.
   *
   * @param isGuess Nothing says that the object is in it. Each is asked for once then, and not
   *   thousands: what is named may be on another medium.
   */
  async searched(entry: SeriesEntry, isGuess: boolean): Promise<SeriesData | null> {
    if (entry.kind !== "image" || entry.pack !== "whole") return null;
    const known = this.made.get(entry.n);
    if (known?.meta) return known;
    let made = this.guesses.get(entry.n);
    if (!made || !isGuess) {
      if (isGuess && this.guesses.size >= MOST_GUESSES) return null;
      made = this.series(entry.n).catch(() => null); // the list of series marks it
      if (isGuess) this.guesses.set(entry.n, made);
    }
    return made;
  }

  /**
   * The series, its META loaded.
   *
   * @param isLookedAt The pixels of its first image are asked for at once.
   */
  async series(n: number, isLookedAt = false): Promise<SeriesData> {
    let made = this.made.get(n);
    if (!made) {
      const place = this.place(n);
      if (!place) throw new RangeError("no such series");
      made = new SeriesData(place.entry, this.files, this.pools);
      this.made.set(n, made);
    }
    await made.open(isLookedAt);
    return made;
  }
}
