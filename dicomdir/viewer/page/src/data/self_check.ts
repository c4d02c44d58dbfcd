/** The files that a person picked, held against the list of hashes on the medium. */
import { DataError } from "./errors.ts";
import type { Files } from "./files.ts";
import { type PickedFile, plainPath } from "./folder.ts";
import { sha256 } from "./sha256.ts";

export type Verdict = "intact" | "altered" | "missing" | "unreadable" | "uncompared" | "extra";

export interface CheckResult {
  counts: Record<Verdict, number>;
  /** All that are not intact, in the order of the list; then those not on it, extras last. */
  faults: { path: string; verdict: Verdict }[];
  total: number;
  /** Somebody stopped it. */
  isStopped: boolean;
}

export interface Listed {
  path: string;
  bytes: number;
  sha256: string;
}

/** They have to be there, on the list or not: it cannot have itself, nor on old media the first. */
const ALWAYS = ["DICOMDIR", "VIEWER/MANIFEST.JS", "VIEWER/HASHES.JS"];
const MOST_FAULTS = 10_000;
const AT_ONCE = 2;

/** @throws DataError */
export async function readHashes(files: Files, name: string): Promise<Listed[]> {
  const payload = await files.inClear(name);
  let made: unknown;
  try {
    made = (JSON.parse(new TextDecoder().decode(payload)) as { files?: unknown }).files;
  } catch (error) {
    throw new DataError("damaged", name, String(error));
  }
  if (!Array.isArray(made)) throw new DataError("damaged", name, "no files");
  return made.map((row: unknown) => {
    const [path, bytes, hash] = Array.isArray(row) ? row : [];
    if (typeof path !== "string" || typeof bytes !== "number" || typeof hash !== "string") {
      throw new DataError("damaged", name, "row");
    }
    return { path, bytes, sha256: hash.toLowerCase() };
  });
}

/** The part of the paths before the medium's own root; null: it is not this medium's folder. */
export function rootOf(paths: Iterable<string>): string | null {
  let best: string | null = null;
  for (const path of paths) {
    const found = /^(.*?)VIEWER\/MANIFEST\.JS$/.exec(plainPath(path));
    if (found && (best === null || found[1]!.length < best.length)) best = found[1]!;
  }
  return best === null || best === "" || best.endsWith("/") ? best : null;
}

/**
 * One file after the other, two at a time: memory holds two files at most, and a large one in
 * slices.
 *
 * @param onProgress Bytes done and to do; says whether to go on.
 */
export async function checkFiles(
  listed: readonly Listed[],
  picked: readonly PickedFile[],
  root: string,
  onProgress: (done: number, total: number) => boolean,
): Promise<CheckResult> {
  const byPath = new Map<string, File>();
  for (const { path, file } of picked) {
    const plain = plainPath(path);
    if (plain.startsWith(root)) byPath.set(plain.slice(root.length), file);
  }
  const total = listed.reduce((sum, each) => sum + each.bytes, 0);
  const verdicts = new Array<Verdict>(listed.length);
  let next = 0;
  let done = 0;
  let goesOn = true;
  const worker = async () => {
    while (goesOn && next < listed.length) {
      const at = next++;
      const want = listed[at]!;
      const file = byPath.get(plainPath(want.path));
      let counted = 0;
      verdicts[at] = await verdictOf(want, file, (bytes) => {
        counted += bytes;
        done += bytes;
        goesOn = onProgress(done, total) && goesOn;
      });
      done += want.bytes - counted;
      goesOn = onProgress(done, total) && goesOn;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return summed(listed, verdicts, byPath, !goesOn && next < listed.length);
}

async function verdictOf(
  want: Listed,
  file: File | undefined,
  onBytes: (count: number) => void,
): Promise<Verdict> {
  if (!file) return "missing";
  if (file.size !== want.bytes) return "altered";
  try {
    return (await sha256(file, onBytes)) === want.sha256 ? "intact" : "altered";
  } catch {
    return "unreadable"; // a bad sector, or the medium is out
  }
}

function summed(
  listed: readonly Listed[],
  verdicts: readonly Verdict[],
  byPath: ReadonlyMap<string, File>,
  isStopped: boolean,
): CheckResult {
  const counts: CheckResult["counts"] = {
    intact: 0,
    altered: 0,
    missing: 0,
    unreadable: 0,
    uncompared: 0,
    extra: 0,
  };
  const faults: CheckResult["faults"] = [];
  const note = (path: string, verdict: Verdict) => {
    counts[verdict]++;
    if (verdict !== "intact" && faults.length < MOST_FAULTS) faults.push({ path, verdict });
  };
  listed.forEach(({ path }, at) => {
    const verdict = verdicts[at];
    if (verdict) note(path, verdict);
  });
  const known = new Set(listed.map(({ path }) => plainPath(path)));
  for (const path of ALWAYS) {
    if (!known.has(path)) note(path, byPath.has(path) ? "uncompared" : "missing");
  }
  for (const path of byPath.keys()) {
    if (!known.has(path) && !ALWAYS.includes(path)) note(path, "extra");
  }
  return { counts, faults, total: listed.length, isStopped };
}
