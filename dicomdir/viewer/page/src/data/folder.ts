/** A folder that a person picked, as studies and series; nothing of it leaves this computer. */
import type { DataSet } from "../dicom/dataset.ts";
import { T } from "../dicom/tags.ts";
import type { Shelf } from "../shelves.ts";
import { readDicomdir } from "./dicomdir.ts";
import { DataError, faultOf } from "./errors.ts";
import { type FolderObject, FolderSeries } from "./folder_series.ts";
import type { Kind, PatientEntry, SeriesEntry, StudyEntry } from "./format.ts";
import { kindOfClass, kindOfRecord } from "./kinds.ts";
import { readPart10 } from "./part10.ts";

export interface PickedFile {
  /** With the folder's own name first, "/" between. */
  path: string;
  file: File;
}

/** Told now and then; says whether to go on. */
export type OnProgress = (done: number, total: number) => boolean;

const AT_ONCE = 4;
const MOST_DICOMDIR = 256 << 20;
const NOT_DICOM = /\.(js|htm|html|css|txt|pdf|jpe?g|png|exe|dll|inf|ini|xml|xsl|zip|jar|ico|gif)$/i;
const UIDS = { study: 0x0020000d, series: 0x0020000e } as const;
const STUDY = {
  date: 0x00080020,
  time: 0x00080030,
  description: 0x00081030,
  accession: 0x00080050,
} as const;
const REFERENCED_UID = 0x00041511;
const REFERENCED_CLASS = 0x00041510;
const REFERENCED_SYNTAX = 0x00041512;

/** @throws DataError "unsupported": there is no DICOM object in it; "encrypted": only sealed ones. */
export async function openFolder(
  files: readonly PickedFile[],
  onProgress: OnProgress,
): Promise<Shelf> {
  const maker = new ShelfMaker(files[0]?.path.split("/")[0] ?? "");
  const isListed = await byDicomdir(files, maker);
  if (!isListed) await byHeaders(files, maker, onProgress);
  return maker.shelf();
}

/** Name of a file as a directory has it: capitals, no version. */
export function plainPath(path: string): string {
  return path.toUpperCase().replace(/;\d+$/, "").replace(/\.$/, "");
}

async function byDicomdir(files: readonly PickedFile[], maker: ShelfMaker): Promise<boolean> {
  const found = files
    .filter(({ path }) => /(^|\/)DICOMDIR$/.test(plainPath(path)))
    .sort((a, b) => a.path.length - b.path.length)[0];
  if (!found || found.file.size > MOST_DICOMDIR) return false;
  let leaves: ReturnType<typeof readDicomdir>;
  try {
    leaves = readDicomdir(new Uint8Array(await found.file.arrayBuffer()));
  } catch {
    return false; // then each file says itself what it is
  }
  const root = found.path.slice(0, found.path.length - "DICOMDIR".length);
  const byPath = new Map(files.map((each) => [plainPath(each.path), each]));
  let isAny = false;
  for (const leaf of leaves) {
    const file = byPath.get(plainPath(root) + plainPath(leaf.file));
    if (!file) {
      maker.leave("missing");
      continue;
    }
    isAny = true;
    const { patient, study, series, record } = leaf;
    maker.add(patient, study, series, kindOfRecord(leaf.type), {
      file: file.file,
      path: file.path,
      uid: record.string(REFERENCED_UID),
      classUid: record.string(REFERENCED_CLASS),
      transferSyntax: record.string(REFERENCED_SYNTAX),
      number: record.number(T.InstanceNumber),
    });
  }
  return isAny;
}

async function byHeaders(
  files: readonly PickedFile[],
  maker: ShelfMaker,
  onProgress: OnProgress,
): Promise<void> {
  const waiting = files.filter(
    ({ path }) => !NOT_DICOM.test(path) && !/DICOMDIR$/.test(plainPath(path)),
  );
  let next = 0;
  let done = 0;
  let goesOn = true;
  const worker = async () => {
    while (goesOn && next < waiting.length) {
      const { path, file } = waiting[next++]!;
      await take(path, file, maker);
      goesOn = onProgress(++done, waiting.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function take(path: string, file: File, maker: ShelfMaker): Promise<void> {
  try {
    const { header, pixels, transferSyntax } = await readPart10(file);
    const classUid = header.string(T.SOPClassUID);
    maker.add(
      header,
      header,
      header,
      kindOfClass(classUid, pixels !== null && header.has(T.Rows)),
      {
        file,
        path,
        uid: header.string(T.SOPInstanceUID),
        classUid,
        transferSyntax,
        number: header.number(T.InstanceNumber),
      },
    );
  } catch (error) {
    const fault = faultOf(error);
    if (fault === "encrypted") maker.leave(fault);
    else maker.leave(fault === "unsupported" ? "encoding" : "no-dicom");
  }
}

class ShelfMaker {
  private readonly name: string;
  private readonly patients = new Map<string, PatientEntry>();
  private readonly studies = new Map<string, StudyEntry>();
  private readonly series = new Map<string, { entry: SeriesEntry; objects: FolderObject[] }>();
  private readonly seen = new Set<string>();
  private readonly left = new Map<string, number>();

  constructor(name: string) {
    this.name = name;
  }

  leave(reason: string): void {
    this.left.set(reason, (this.left.get(reason) ?? 0) + 1);
  }

  add(patient: DataSet, study: DataSet, series: DataSet, kind: Kind, object: FolderObject): void {
    if (object.uid && this.seen.has(object.uid)) return;
    this.seen.add(object.uid);
    const uid = series.string(UIDS.series) || `?${object.path}`;
    let made = this.series.get(uid);
    if (!made) {
      made = { entry: seriesEntry(series, uid, kind), objects: [] };
      this.series.set(uid, made);
      this.study(patient, study).series.push(made.entry);
    }
    made.entry.instances++;
    made.objects.push(object);
  }

  private study(patient: DataSet, study: DataSet): StudyEntry {
    const uid = study.string(UIDS.study);
    const who = `${patient.string(T.PatientID)}\n${patient.string(T.PatientName)}`;
    const known = this.studies.get(`${who}\n${uid}`);
    if (known) return known;
    const made: StudyEntry = {
      uid,
      date: study.string(STUDY.date),
      time: study.string(STUDY.time),
      description: study.string(STUDY.description),
      accession: study.string(STUDY.accession),
      physician: "",
      series: [],
    };
    this.studies.set(`${who}\n${uid}`, made);
    let owner = this.patients.get(who);
    if (!owner) {
      owner = {
        name: patient.string(T.PatientName),
        id: patient.string(T.PatientID),
        birth: patient.string(T.PatientBirthDate),
        sex: patient.string(T.PatientSex),
        studies: [],
      };
      this.patients.set(who, owner);
    }
    owner.studies.push(made);
    return made;
  }

  shelf(): Shelf {
    if (!this.series.size) {
      const fault = this.left.has("encrypted") ? "encrypted" : "unsupported";
      throw new DataError(fault, this.name, "no objects");
    }
    const patients = [...this.patients.values()];
    for (const patient of patients) {
      patient.studies.sort((a, b) => (b.date + b.time).localeCompare(a.date + a.time));
      for (const study of patient.studies) {
        study.series.sort((a, b) => (Number(a.number) || 0) - (Number(b.number) || 0));
      }
    }
    const open = new Map<string, Promise<FolderSeries>>();
    const source = (entry: SeriesEntry) => {
      let made = open.get(entry.uid);
      if (!made) {
        made = FolderSeries.open(entry, this.series.get(entry.uid)!.objects);
        made.catch(() => open.delete(entry.uid));
        open.set(entry.uid, made);
      }
      return made;
    };
    return {
      origin: "other",
      name: this.name,
      patients,
      left: this.left,
      source,
      headers: (entry) => {
        const { objects } = this.series.get(entry.uid)!;
        return {
          count: objects.length,
          dataset: async (i) => (await readPart10(objects[i]!.file)).header,
        };
      },
    };
  }
}

function seriesEntry(ds: DataSet, uid: string, kind: Kind): SeriesEntry {
  return {
    n: 0,
    uid,
    modality: ds.string(T.Modality),
    number: ds.number(T.SeriesNumber),
    description: ds.string(T.SeriesDescription),
    body_part: ds.string(T.BodyPartExamined),
    laterality: ds.string(T.Laterality),
    date: ds.string(0x00080021),
    kind,
    instances: 0,
    frames: 0,
    pack: "whole",
    bytes: 0,
    text: 0,
    thumb: null,
    page: null,
  };
}
