/** Key Object Selections: images that somebody marked, and why (PS3.3 A.35.4, C.17.6). */
import type { DataSet } from "./dataset.ts";
import { type ImageReference, referenceOf } from "./reference.ts";
import { readEvidence } from "./sr.ts";
import { T } from "./tags.ts";

export interface KeyReference extends ImageReference {
  /** Series Instance UID, or "" where it is not said. */
  series: string;
}

export interface KeyObjectSelection {
  /** Such as "Of Interest" or "For Referring Provider". */
  title: string;
  /** What was written about them, or "". */
  text: string;
  references: KeyReference[];
}

export function readKeyObject(ds: DataSet): KeyObjectSelection {
  const content = ds.items(T.ContentSequence);
  const evidence = readEvidence(ds);
  const texts = content.filter((item) => item.string(T.ValueType) === "TEXT");
  return {
    title: ds.item(T.ConceptNameCodeSequence)?.string(T.CodeMeaning) ?? "",
    text: texts.map((item) => item.string(T.TextValue)).join("\n"),
    references: content.flatMap((item) =>
      item.items(T.ReferencedSOPSequence).flatMap((each) => {
        const made = referenceOf(each);
        return made ? { ...made, series: evidence.get(made.uid)?.series ?? "" } : [];
      }),
    ),
  };
}
