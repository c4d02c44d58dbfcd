/** Which objects an object speaks of (PS3.3 10.8, C.17.6). */
import type { DataSet } from "./dataset.ts";
import { T } from "./tags.ts";

export interface ImageReference {
  uid: string;
  /** Frame numbers from 1; empty: all frames. */
  frames: number[];
}

export function referenceOf(item: DataSet): ImageReference | null {
  const uid = item.string(T.ReferencedSOPInstanceUID);
  return uid ? { uid, frames: item.numbers(T.ReferencedFrameNumber) } : null;
}

export function referencesOf(ds: DataSet, sequence: number): ImageReference[] {
  return ds.items(sequence).flatMap((item) => referenceOf(item) ?? []);
}

/** An empty list speaks of everything. */
export function speaksOf(references: ImageReference[], uid: string, frame: number): boolean {
  if (!references.length) return true;
  return references.some(
    (each) => each.uid === uid && (!each.frames.length || each.frames.includes(frame)),
  );
}
