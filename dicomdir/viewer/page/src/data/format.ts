/**
 * The shapes of docs/viewer-format.md, and the one place where what was read is checked against
 * them: below, nobody checks again.
 */
import { DataError } from "./errors.ts";

export const FORMAT_VERSION = 1;

export type Kind = "image" | "report" | "document" | "key" | "state" | "waveform" | "other";
export type Pack = "whole" | "none" | "unpackable";

export interface SeriesEntry {
  n: number;
  uid: string;
  modality: string;
  number: number | null;
  description: string;
  body_part: string;
  laterality: string;
  date: string;
  kind: Kind;
  instances: number;
  frames: number;
  pack: Pack;
  bytes: number;
  text: number;
  thumb: string | null;
  page: string | null;
  /** Chunk of the first image where it may be asked for beside META; media made before have none. */
  first?: number | null;
}

export interface StudyEntry {
  uid: string;
  date: string;
  time: string;
  description: string;
  accession: string;
  physician: string;
  series: SeriesEntry[];
}

export interface PatientEntry {
  name: string;
  id: string;
  birth: string;
  sex: string;
  studies: StudyEntry[];
}

/** Objects that have no place on the medium, of one series where it is known. */
export interface LeftOut {
  reason: string;
  count: number;
  /** What the series is called, and YYYYMMDD; media made before have neither. */
  series?: string;
  date?: string;
}

export interface Manifest {
  version: number;
  program: string;
  disc: string;
  number: number;
  of: number;
  created: string;
  site: { name: string; address: string[]; help: string; languages: string[] };
  index: string;
  files: number;
  hashes: string | null;
  left_out: LeftOut[];
  patients: PatientEntry[];
}

/** Of a protected medium: all that stands in clear. */
export interface Lock {
  version: number;
  disc: string;
  salt: string;
  rounds: number;
  check: string;
  /** Name of the list of hashes; media made before have none. */
  hashes?: string;
}

export interface InstanceEntry {
  uid: string;
  class: string;
  number: number | null;
  file: string;
  frames: number;
  first: number;
  /** H file, offset and length of the data set in its inflated payload. */
  header: [number, number, number];
  rows: number;
  columns: number;
  samples: number;
  allocated: number;
  stored: number;
  signed: 0 | 1;
  photometric: string;
  planar: number;
}

/** C file, offset, length, codec, predictor, CRC-32 of the decoded pixels. */
export type FrameEntry = [number, number, number, number, number, number];

/** Of a coarse picture: P file, place in it, and how it is read. */
export interface PreviewEntry {
  file: number;
  offset: number;
  length: number;
  codec: number;
  predictor: number;
  crc: number;
  /** Pixels of the frame to one of it, along each side. */
  step: number;
  /** Lowest bits that are left out. */
  dropped: number;
}

export interface Meta {
  instances: InstanceEntry[];
  order: [number, number][];
  frames: FrameEntry[];
  chunks: [number, number][];
  /** By place in `order`; few series have any. */
  previews: Map<number, PreviewEntry>;
}

type Loose = Record<string, unknown>;

/** @throws DataError "newer" or "damaged". */
export function readManifest(payload: Uint8Array): Manifest {
  const made = parse(payload, "MANIFEST") as unknown as Manifest;
  checkVersion(made.version);
  need(Array.isArray(made.patients), "MANIFEST", "no patients");
  for (const patient of made.patients) {
    need(Array.isArray(patient?.studies), "MANIFEST", "no studies");
    for (const study of patient.studies) {
      need(Array.isArray(study?.series), "MANIFEST", "no series");
      study.series = study.series.filter((each) => Number.isInteger(each?.n) && each.n > 0);
    }
  }
  const site = (made.site ?? {}) as Partial<Manifest["site"]>;
  made.site = {
    name: String(site.name ?? ""),
    address: Array.isArray(site.address) ? site.address.map(String) : [],
    help: String(site.help ?? ""),
    languages: Array.isArray(site.languages) ? site.languages.map(String) : [],
  };
  const left = Array.isArray(made.left_out) ? made.left_out : [];
  made.left_out = left.map((each) => ({
    reason: String(each?.reason ?? ""),
    count: Math.max(0, Number(each?.count) || 0),
    series: String(each?.series ?? ""),
    date: String(each?.date ?? ""),
  }));
  return made;
}

/** Of a medium whose own cannot be read: its files may still be opened. */
export function noManifest(): Manifest {
  return {
    version: FORMAT_VERSION,
    program: "",
    disc: "",
    number: 1,
    of: 1,
    created: "",
    site: { name: "", address: [], help: "", languages: [] },
    index: "INDEX.HTM",
    files: 0,
    hashes: "HASHES",
    left_out: [],
    patients: [],
  };
}

/** @throws DataError "damaged": some number contradicts another. */
export function readMeta(payload: Uint8Array, file: string): Meta {
  const made = parse(payload, file) as unknown as Meta;
  need(Array.isArray(made.instances) && Array.isArray(made.order), file, "no instances");
  made.frames = Array.isArray(made.frames) ? made.frames : [];
  made.chunks = Array.isArray(made.chunks) ? made.chunks : [];
  for (const [instance, frame] of made.order) {
    const of = made.instances[instance];
    need(of !== undefined && frame >= 0 && frame < Math.max(1, of.frames), file, "order");
  }
  for (const entry of made.frames) {
    need(Array.isArray(entry) && entry.length >= 6, file, "frames");
    need(entry[0] >= 1 && entry[0] <= made.chunks.length, file, "chunk number");
    need(entry[1] >= 0 && entry[2] >= 0, file, "place in the chunk");
  }
  made.previews = readPreviews(made.previews, made.order.length, file);
  return made;
}

function readPreviews(rows: unknown, count: number, file: string): Map<number, PreviewEntry> {
  const made = new Map<number, PreviewEntry>();
  for (const row of Array.isArray(rows) ? (rows as unknown[]) : []) {
    need(Array.isArray(row) && row.length >= 9, file, "previews");
    need(
      row.every((each) => Number.isInteger(each) && each >= 0),
      file,
      "previews",
    );
    const [index, number, offset, length, codec, predictor, crc, step, dropped] = row as number[];
    need(index! < count && number! >= 1 && step! >= 1 && dropped! < 16, file, "a preview");
    made.set(index!, {
      file: number!,
      offset: offset!,
      length: length!,
      codec: codec!,
      predictor: predictor!,
      crc: crc!,
      step: step!,
      dropped: dropped!,
    });
  }
  return made;
}

/** @throws DataError "newer". */
export function checkVersion(version: unknown): void {
  need(typeof version === "number", "MANIFEST", "no version");
  if ((version as number) > FORMAT_VERSION) throw new DataError("newer", "MANIFEST");
}

function parse(payload: Uint8Array, file: string): Loose {
  try {
    const made: unknown = JSON.parse(new TextDecoder().decode(payload));
    if (made !== null && typeof made === "object") return made as Loose;
  } catch (error) {
    throw new DataError("damaged", file, String(error));
  }
  throw new DataError("damaged", file, "not an object");
}

function need(condition: boolean, file: string, detail: string): asserts condition {
  if (!condition) throw new DataError("damaged", file, detail);
}
