/** Attributes of one frame, wherever they stand: per-frame group, shared group, or the object. */
import type { DataSet } from "./dataset.ts";
import { T } from "./tags.ts";

export interface FrameAttributes {
  root: DataSet;
  /** Frame number, from 1. */
  number: number;
  /** The item of a functional group macro; the object itself where it has no such group. */
  group(macro: number): DataSet;
}

/** @param frame From 0. */
export function attributesOf(root: DataSet, frame: number): FrameAttributes {
  const own = root.items(T.PerFrameFunctionalGroupsSequence)[frame];
  const shared = root.item(T.SharedFunctionalGroupsSequence);
  return {
    root,
    number: frame + 1,
    group: (macro) => own?.item(macro) ?? shared?.item(macro) ?? root,
  };
}
