/** Structured reports (PS3.3 C.17.3): the content tree as something to read. */
import type { DataSet } from "./dataset.ts";
import { T } from "./tags.ts";

export interface Reference {
  classUid: string;
  uid: string;
  /** Frame numbers, from 1; empty: all. */
  frames: number[];
}

export interface ContentItem {
  type: string;
  /** RelationshipType: CONTAINS, HAS CONCEPT MOD, INFERRED FROM … */
  relation: string;
  /** Meaning of the concept name, "" for none. */
  name: string;
  /** The value in words; of NUM without its unit; "" where it has none. */
  text: string;
  unit: string;
  /** Of NUM without a number: why. */
  qualifier: string;
  references: Reference[];
  children: ContentItem[];
}

export interface Report {
  root: ContentItem;
  /** COMPLETE or PARTIAL, VERIFIED or UNVERIFIED, "" where it does not say. */
  completion: string;
  verification: string;
  verifiers: { name: string; organization: string; time: string }[];
  author: string;
  date: string;
  time: string;
  /** Study and series of each object that the report refers to, by SOP Instance UID. */
  evidence: Map<string, { study: string; series: string }>;
  /** There was more than is kept. */
  isCut: boolean;
}

const MOST_ITEMS = 5000;
const MOST_DEPTH = 24;
const MOST_TEXT = 100_000;

const S = {
  RelationshipType: 0x0040a010,
  MeasuredValueSequence: 0x0040a300,
  NumericValue: 0x0040a30a,
  NumericValueQualifierCodeSequence: 0x0040a301,
  MeasurementUnitsCodeSequence: 0x004008ea,
  ConceptCodeSequence: 0x0040a168,
  DateTime: 0x0040a120,
  Date: 0x0040a121,
  Time: 0x0040a122,
  PersonName: 0x0040a123,
  UID: 0x0040a124,
  CompletionFlag: 0x0040a491,
  VerificationFlag: 0x0040a493,
  VerifyingObserverSequence: 0x0040a073,
  VerifyingOrganization: 0x0040a027,
  VerificationDateTime: 0x0040a030,
  VerifyingObserverName: 0x0040a075,
  AuthorObserverSequence: 0x0040a078,
  CurrentRequestedProcedureEvidenceSequence: 0x0040a375,
  PertinentOtherEvidenceSequence: 0x0040a385,
  LongCodeValue: 0x00080119,
  UrnCodeValue: 0x00080120,
  StudyInstanceUID: 0x0020000d,
  SeriesInstanceUID: 0x0020000e,
  TemporalRangeType: 0x0040a130,
} as const;

/** Whether an object has a content tree: reports, key object selections. */
export function hasContent(ds: DataSet): boolean {
  return ds.has(T.ContentSequence) || ds.string(T.ValueType) === "CONTAINER";
}

export function readReport(ds: DataSet): Report {
  const budget = { left: MOST_ITEMS };
  const root = readItem(ds, budget, 0);
  return {
    root,
    completion: ds.string(S.CompletionFlag),
    verification: ds.string(S.VerificationFlag),
    verifiers: ds.items(S.VerifyingObserverSequence).map((each) => ({
      name: each.string(S.VerifyingObserverName),
      organization: each.string(S.VerifyingOrganization),
      time: each.string(S.VerificationDateTime),
    })),
    author: ds.item(S.AuthorObserverSequence)?.string(S.PersonName) ?? "",
    date: ds.string(T.ContentDate),
    time: ds.string(T.ContentTime),
    evidence: readEvidence(ds),
    isCut: budget.left <= 0,
  };
}

function readItem(ds: DataSet, budget: { left: number }, depth: number): ContentItem {
  budget.left--;
  const type = ds.string(T.ValueType);
  const item: ContentItem = {
    type,
    relation: ds.string(S.RelationshipType),
    name: meaning(ds.item(T.ConceptNameCodeSequence)),
    text: "",
    unit: "",
    qualifier: "",
    references: [],
    children: [],
  };
  readValue(ds, type, item);
  if (depth >= MOST_DEPTH) {
    budget.left = Math.min(budget.left, ds.has(T.ContentSequence) ? 0 : budget.left);
    return item;
  }
  for (const child of ds.items(T.ContentSequence)) {
    if (budget.left <= 0) break;
    item.children.push(readItem(child, budget, depth + 1));
  }
  return item;
}

function readValue(ds: DataSet, type: string, item: ContentItem): void {
  const first = (tag: number) => ds.string(tag);
  if (type === "TEXT") item.text = ds.strings(T.TextValue).join("\\").slice(0, MOST_TEXT);
  else if (type === "CODE") item.text = meaning(ds.item(S.ConceptCodeSequence));
  else if (type === "NUM") readNumber(ds, item);
  else if (type === "DATE") item.text = first(S.Date);
  else if (type === "TIME") item.text = first(S.Time);
  else if (type === "DATETIME") item.text = first(S.DateTime);
  else if (type === "PNAME") item.text = first(S.PersonName);
  else if (type === "UIDREF") item.text = first(S.UID);
  else if (type === "SCOORD" || type === "SCOORD3D") item.text = first(T.GraphicType);
  else if (type === "TCOORD") item.text = first(S.TemporalRangeType);
  else if (type === "IMAGE" || type === "COMPOSITE" || type === "WAVEFORM") {
    item.references = ds.items(T.ReferencedSOPSequence).map(readReference);
  }
}

function readNumber(ds: DataSet, item: ContentItem): void {
  const measured = ds.item(S.MeasuredValueSequence);
  item.text = measured?.string(S.NumericValue) ?? "";
  const unit = measured?.item(S.MeasurementUnitsCodeSequence) ?? null;
  const code = unit?.string(T.CodeValue) ?? "";
  // UCUM: "1" is no unit, "{ratio}" a note; the code is shorter than its meaning ("mm").
  item.unit = code === "1" || /^\{.*\}$/.test(code) ? "" : code || meaning(unit);
  item.qualifier = meaning(ds.item(S.NumericValueQualifierCodeSequence));
}

export function readReference(ds: DataSet): Reference {
  return {
    classUid: ds.string(T.ReferencedSOPClassUID),
    uid: ds.string(T.ReferencedSOPInstanceUID),
    frames: ds.numbers(T.ReferencedFrameNumber).filter((each) => each >= 1),
  };
}

function meaning(code: DataSet | null): string {
  if (!code) return "";
  const codes = [T.CodeValue, S.LongCodeValue, S.UrnCodeValue].map((tag) => code.string(tag));
  return code.string(T.CodeMeaning) || codes.find(Boolean) || "";
}

/** In which series the objects are that one names (PS3.3 C.17.2), by SOP Instance UID. */
export function readEvidence(ds: DataSet): Report["evidence"] {
  const out: Report["evidence"] = new Map();
  const all = [
    ...ds.items(S.CurrentRequestedProcedureEvidenceSequence),
    ...ds.items(S.PertinentOtherEvidenceSequence),
  ];
  for (const study of all) {
    for (const series of study.items(T.ReferencedSeriesSequence)) {
      const place = {
        study: study.string(S.StudyInstanceUID),
        series: series.string(S.SeriesInstanceUID),
      };
      for (const sop of series.items(T.ReferencedSOPSequence)) {
        out.set(sop.string(T.ReferencedSOPInstanceUID), place);
      }
    }
  }
  return out;
}
