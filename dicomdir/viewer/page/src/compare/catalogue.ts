/** Planes of all frames of a source, read once its headers are there. */
import type { Source } from "../data/source.ts";
import type { Plane } from "../dicom/geometry.ts";
import { stepOf } from "./planes.ts";

export interface Catalogue {
  planes: readonly (Plane | null)[];
  /** Distance between neighbouring frames in millimetres, 0 unknown. */
  step: number;
}

const known = new WeakMap<Source, Catalogue>();
const asked = new WeakMap<Source, Promise<Catalogue>>();

/** Null until headers are there; they are asked for. */
export function catalogueOf(source: Source): Catalogue | null {
  const made = known.get(source);
  if (!made) void readCatalogue(source).catch(() => undefined); // the viewport tells what fails
  return made ?? null;
}

export function readCatalogue(source: Source): Promise<Catalogue> {
  let made = asked.get(source);
  if (!made) {
    made = read(source);
    made.catch(() => asked.delete(source));
    asked.set(source, made);
  }
  return made;
}

async function read(source: Source): Promise<Catalogue> {
  await source.ready();
  await source.leisure?.(); // of a thousand headers it takes a tenth of a second
  const planes = Array.from({ length: source.count }, (_, i) => planeAt(source, i));
  const catalogue = { planes, step: stepOf(planes) };
  known.set(source, catalogue);
  return catalogue;
}

/** A header that cannot be read has no plane. */
function planeAt(source: Source, index: number): Plane | null {
  try {
    return source.info(index)?.plane ?? null;
  } catch {
    return null;
  }
}
