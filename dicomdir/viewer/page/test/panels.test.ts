import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readDicomdir } from "../src/data/dicomdir.ts";
import { plainPath } from "../src/data/folder.ts";
import { readGlossary } from "../src/data/glossary.ts";
import { toExplicit } from "../src/data/implicit.ts";
import { readPart10 } from "../src/data/part10.ts";
import { checkFiles, rootOf } from "../src/data/self_check.ts";
import { Sha256, sha256 } from "../src/data/sha256.ts";
import { DataSet } from "../src/dicom/dataset.ts";
import { readDictionary, spaced, tagText } from "../src/dicom/dictionary.ts";
import { readReport } from "../src/dicom/sr.ts";
import { T } from "../src/dicom/tags.ts";
import { readWaveforms } from "../src/dicom/waveform.ts";
import { shownDate, shownTime } from "../src/ui/dates.ts";
import { mediumAddress } from "../src/ui/pages.ts";
import { filterRows, type TagRow } from "../src/ui/tag_browser.ts";
import { firstAbove } from "../src/ui/virtual_list.ts";
import { dataset, element, item, join, parsed, seeded, sequence, type Value } from "./bytes.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Given = [number, string, Value];

const own = (bytes: Uint8Array) => Uint8Array.from(bytes);
const NAMES = readDictionary(readFileSync(new URL("../dictionary.txt", import.meta.url), "utf8"));

// Pages take their place from the browser; these tests need none.
(globalThis as { window?: unknown }).window ??= {};

const code = (meaning: string, value = "1") =>
  dataset([T.CodeValue, "SH", value], [T.CodeMeaning, "LO", meaning]);

function content(type: string, name: string, ...more: Given[]): Uint8Array {
  return dataset(
    [0x0040a010, "CS", "CONTAINS"],
    [T.ValueType, "CS", type],
    sequence(T.ConceptNameCodeSequence, code(name)),
    ...more,
  );
}

test("a report: sections, text, measurements, references and their evidence", () => {
  const unit = dataset([T.CodeValue, "SH", "mm"], [T.CodeMeaning, "LO", "millimeter"]);
  const measured = dataset([0x0040a30a, "DS", "7.2"], sequence(0x004008ea, unit));
  const sop = dataset(
    [T.ReferencedSOPClassUID, "UI", "1.2"],
    [T.ReferencedSOPInstanceUID, "UI", "1.2.3"],
    [T.ReferencedFrameNumber, "IS", "4"],
  );
  const series = dataset([0x0020000e, "UI", "1.9"], sequence(T.ReferencedSOPSequence, sop));
  const study = dataset([0x0020000d, "UI", "1.8"], sequence(T.ReferencedSeriesSequence, series));
  const ds = parsed(
    [T.ValueType, "CS", "CONTAINER"],
    sequence(T.ConceptNameCodeSequence, code("CT Thorax")),
    [0x0040a491, "CS", "PARTIAL"],
    sequence(0x0040a375, study),
    sequence(
      T.ContentSequence,
      content("TEXT", "Finding", [T.TextValue, "UT", "A\\B <b>x</b>"]),
      content("NUM", "Diameter", sequence(0x0040a300, measured)),
      content("IMAGE", "Seen in", sequence(T.ReferencedSOPSequence, sop)),
    ),
  );
  const report = readReport(ds);
  const [text, number, image] = report.root.children;
  assert.equal(report.root.name, "CT Thorax");
  assert.equal(report.completion, "PARTIAL");
  assert.equal(text!.text, "A\\B <b>x</b>");
  assert.deepEqual([number!.text, number!.unit], ["7.2", "mm"]);
  assert.deepEqual(image!.references, [{ classUid: "1.2", uid: "1.2.3", frames: [4] }]);
  assert.deepEqual(report.evidence.get("1.2.3"), { study: "1.8", series: "1.9" });
});

test("a report that never ends is cut, not followed", () => {
  let inner = content("TEXT", "deep", [T.TextValue, "UT", "x"]);
  for (let i = 0; i < 28; i++)
    inner = content("CONTAINER", "c", sequence(T.ContentSequence, inner));
  assert.equal(readReport(new DataSet(inner)).isCut, true);
  const many = Array.from({ length: 6000 }, () => content("TEXT", "n", [T.TextValue, "UT", "x"]));
  const wide = readReport(parsed(sequence(T.ContentSequence, ...many)));
  assert.equal(wide.isCut, true);
  assert.equal(wide.root.children.length, 4999);
});

function waveform(...more: Given[]): DataSet {
  const microvolts = dataset([T.CodeValue, "SH", "uV"]);
  const lead = dataset(
    sequence(0x003a0208, code("Lead aVR")),
    [0x003a0210, "DS", "2.5"],
    sequence(0x003a0211, microvolts),
    [0x003a0212, "DS", "2"],
    [0x003a0213, "DS", "100"],
  );
  const plain = dataset([0x003a0203, "SH", "Pulse"]);
  const group = dataset(
    [0x003a0005, "US", [2]],
    [0x003a0010, "UL", [3]],
    [0x003a001a, "DS", "500"],
    [0x54001004, "US", [16]],
    [0x54001006, "CS", "SS"],
    [0x5400100a, "OW", own(Uint8Array.of(0, 0x80))],
    sequence(0x003a0200, lead, plain),
    [0x54001010, "OW", own(new Uint8Array(Int16Array.of(0, 1, 200, 2, -32768, 3).buffer))],
    ...more,
  );
  return parsed(sequence(0x54000100, group));
}

test("curves in millivolts, with what the device left out", () => {
  const [group] = readWaveforms(waveform());
  const [lead, pulse] = group!.channels;
  assert.deepEqual([group!.frequency, group!.samples], [500, 3]);
  assert.deepEqual([lead!.name, lead!.unit], ["aVR", "mV"]);
  assert.ok(Math.abs(lead!.values[0]! - 0.1) < 1e-6);
  assert.ok(Math.abs(lead!.values[1]! - 1.1) < 1e-6);
  assert.ok(Number.isNaN(lead!.values[2]!));
  assert.deepEqual([pulse!.name, pulse!.unit, [...pulse!.values]], ["Pulse", "", [1, 2, 3]]);
});

test("curves whose numbers contradict each other are none", () => {
  assert.deepEqual(readWaveforms(waveform([0x003a0010, "UL", [400_000_000]])), []);
  assert.deepEqual(readWaveforms(waveform([0x003a001a, "DS", "0"])), []);
  assert.deepEqual(readWaveforms(waveform([0x54001004, "US", [24]])), []);
});

test("SHA-256 of any length and cut is Node's", async () => {
  const random = seeded(20261122);
  for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 70_001]) {
    const bytes = Uint8Array.from({ length }, () => random() * 256);
    const wanted = createHash("sha256").update(bytes).digest("hex");
    const sum = new Sha256();
    for (let at = 0; at < length; ) {
      const end = Math.min(length, at + 1 + Math.floor(random() * 200));
      sum.add(bytes.subarray(at, end));
      at = end;
    }
    assert.equal(sum.hex(), wanted, String(length));
    assert.equal(await sha256(new Blob([bytes]), () => undefined), wanted);
  }
});

const hashed = (path: string, text: string) => ({
  path,
  bytes: text.length,
  sha256: createHash("sha256").update(text).digest("hex"),
});
const picked = (path: string, text: string) => ({ path, file: new File([text], "x") });

test("the self-check says of each file whether it is what was written", async () => {
  const listed = [
    hashed("DICOM/A", "aa"),
    hashed("DICOM/B", "bb"),
    hashed("C.TXT", "c"),
    hashed("D.TXT", "d"),
  ];
  const files = [
    picked("disc/dicom/a", "aa"),
    picked("disc/DICOM/B", "bx"),
    picked("disc/C.TXT;1", "cc"),
    picked("disc/VIEWER/MANIFEST.JS", "m"),
    picked("disc/DICOMDIR", "d"),
    picked("disc/VIEWER/HASHES.JS", "h"),
    picked("disc/NEW.EXE", "n"),
  ];
  const root = rootOf(files.map(({ path }) => path));
  assert.equal(root, "DISC/");
  const seen: number[] = [];
  const result = await checkFiles(listed, files, root!, (done) => seen.push(done) > 0);
  const told = ({ faults }: typeof result) => faults.map((each) => `${each.path} ${each.verdict}`);
  const sum = { altered: 2, missing: 1, unreadable: 0, extra: 1 };
  assert.deepEqual(result.counts, { ...sum, intact: 1, uncompared: 3 });
  assert.deepEqual(told(result), [
    "DICOM/B altered",
    "C.TXT altered",
    "D.TXT missing",
    "DICOMDIR uncompared",
    "VIEWER/MANIFEST.JS uncompared",
    "VIEWER/HASHES.JS uncompared",
    "NEW.EXE extra",
  ]);
  assert.equal(seen.at(-1), 6);
  const go = () => true;
  const without = files.filter(({ path }) => !path.endsWith("DICOMDIR"));
  assert.ok(told(await checkFiles(listed, without, root!, go)).includes("DICOMDIR missing"));
  const more = [...listed, hashed("DICOMDIR", "x")];
  assert.ok(told(await checkFiles(more, files, root!, go)).includes("DICOMDIR altered"));
  assert.equal(rootOf(["x/DICOM/A"]), null);
});

test("a glossary finds the longest words, whole ones, in any language", () => {
  const glossary = readGlossary({
    version: 1,
    terms: [
      { words: { en: ["effusion"], de: ["Erguss"] }, text: { en: "Fluid.", de: "Wasser." } },
      { words: { en: ["pleural effusion"] }, text: { en: "Fluid around the lung." } },
      { words: { en: ["broken"] }, text: "no table" },
      "nothing",
    ],
  })!;
  assert.equal(glossary.size, 2);
  const text = "PLEURAL  effusion, no effusions; Erguss.";
  const found = glossary.find(text);
  assert.deepEqual(
    found.map((each) => text.slice(each.start, each.end)),
    ["PLEURAL  effusion", "Erguss"],
  );
  assert.equal(glossary.explain(found[1]!.term, "tr", "de"), "Wasser.");
  for (const wrong of [null, 3, "x", {}, { version: 2, terms: [] }, { version: 1, terms: {} }]) {
    assert.equal(readGlossary(wrong), null);
  }
});

test("the glossary that comes with the page: sixty words at least, each in both languages", () => {
  let given: unknown;
  const call = { glossary: (value: unknown) => (given = value) };
  const source = readFileSync(new URL("../static/GLOSSARY.JS", import.meta.url), "utf8");
  new Function("SENDHOME", source)(call);
  const glossary = readGlossary(given)!;
  assert.ok(glossary.size >= 60);
  const { terms } = given as {
    terms: { words: Record<string, string[]>; text: Record<string, string> }[];
  };
  for (const { words, text } of terms) {
    assert.deepEqual(
      [Object.keys(words), Object.keys(text)],
      [
        ["en", "de"],
        ["en", "de"],
      ],
    );
  }
});

/** Implicit VR Little Endian. */
function implicit(tag: number, value: Uint8Array): Uint8Array {
  const head = new Uint8Array(8);
  const view = new DataView(head.buffer);
  view.setUint16(0, tag >>> 16, true);
  view.setUint16(2, tag & 0xffff, true);
  view.setUint32(4, value.length, true);
  return join(head, value);
}

const latin = (text: string) => Uint8Array.from(text, (each) => each.charCodeAt(0));

test("implicit VR is written anew: numbers, sequences, signed padding, private ones", () => {
  const inner = implicit(T.CodeMeaning, latin("inner "));
  const bytes = join(
    implicit(T.SOPInstanceUID, latin("1.2\0")),
    implicit(0x00091001, latin("??")),
    implicit(T.Rows, Uint8Array.of(0, 2)),
    implicit(0x00280103, Uint8Array.of(1, 0)),
    implicit(T.PixelPaddingValue, Uint8Array.of(0x30, 0xf8)),
    implicit(T.ConceptNameCodeSequence, item(inner, true)),
    implicit(T.ContentSequence, join(item(inner), item(inner))),
  );
  const ds = new DataSet(toExplicit(own(bytes), NAMES));
  assert.equal(ds.string(T.SOPInstanceUID), "1.2");
  assert.equal(ds.number(T.Rows), 512);
  assert.equal(ds.number(T.PixelPaddingValue), -2000);
  assert.equal(ds.item(T.ConceptNameCodeSequence)!.string(T.CodeMeaning), "inner");
  assert.equal(ds.items(T.ContentSequence).length, 2);
  assert.equal(ds.elements.get(0x00091001)!.vr, "UN");
  assert.throws(() => toExplicit(own(bytes.subarray(0, bytes.length - 3)), NAMES));
});

function file(syntax: string, body: Uint8Array): Blob {
  const meta = element(0x00020010, "UI", syntax);
  return new Blob([own(join(new Uint8Array(128), latin("DICM"), meta, body))]);
}

test("a file: header without its pixels, where they are, however long the header is", async () => {
  const long = element(0x00204000, "LT", "x".repeat(300));
  const big = element(0x00880200, "SQ", [item(element(0x7fe00010, "OW", new Uint8Array(200_000)))]);
  const pixels = element(0x7fe00010, "OW", new Uint8Array(64));
  const body = join(element(T.Rows, "US", [8]), long, big, pixels);
  const { header, pixels: found } = await readPart10(file("1.2.840.10008.1.2.1", body));
  assert.equal(header.number(T.Rows), 8);
  assert.equal(header.has(0x7fe00010), false);
  assert.equal(found!.length, 64);
  const whole = await readPart10(
    file("1.2.840.10008.1.2.1", join(element(T.Rows, "US", [8]), long)),
  );
  assert.equal(whole.pixels, null);
  const fault = (blob: Blob) =>
    readPart10(blob).then(
      () => "",
      (error: { fault: string }) => error.fault,
    );
  assert.equal(await fault(new Blob(["no DICOM"])), "damaged");
  for (const oid of ["06092a864886f70d010703", "060b2a864886f70d0109100117"]) {
    for (const head of ["308206c2", "3080"]) {
      const sealed = Buffer.from(`${head}${oid}a080`.padEnd(400, "0"), "hex");
      assert.equal(await fault(new Blob([sealed])), "encrypted");
    }
  }
  assert.equal(await fault(file("1.2.840.10008.1.2.1", body.subarray(0, 90))), "damaged");
});

test("a DICOMDIR: leaves with what stands above them; a circle ends", () => {
  const record = (type: string, next: number, lower: number, ...more: Given[]) =>
    item(
      dataset(
        [0x00041400, "UL", [next]],
        [0x00041420, "UL", [lower]],
        [0x00041430, "CS", type],
        ...more,
      ),
    );
  const make = (offsets: number[], circle: boolean): Bytes => {
    const items = [
      record("PATIENT", 0, offsets[1]!, [T.PatientName, "PN", "DOE"]),
      record("STUDY", 0, offsets[2]!),
      record("SERIES", 0, offsets[3]!, [T.Modality, "CS", "CT"]),
      record("IMAGE", circle ? offsets[3]! : offsets[4]!, 0, [0x00041500, "CS", "DICOM\\A1"]),
      record("IMAGE", 0, 0, [0x00041500, "CS", "DICOM\\A2"]),
    ];
    const first = element(0x00041200, "UL", [offsets[0]!]);
    const start = 132 + first.length + 12;
    let at = start;
    items.forEach((each, i) => {
      offsets[i] = at;
      at += each.length;
    });
    return own(join(new Uint8Array(128), latin("DICM"), first, element(0x00041220, "SQ", items)));
  };
  for (const circle of [false, true]) {
    const offsets = [1, 1, 1, 1, 1];
    make(offsets, circle);
    const leaves = readDicomdir(make(offsets, circle));
    assert.deepEqual(
      leaves.map((each) => each.file),
      circle ? ["DICOM/A1"] : ["DICOM/A1", "DICOM/A2"],
    );
    assert.equal(leaves[0]!.patient.string(T.PatientName), "DOE");
    assert.equal(leaves[0]!.series.string(T.Modality), "CT");
  }
});

test("rows of tags are found by words, with what they stand in", () => {
  const row = (depth: number, tag: number, name: string, value = ""): TagRow => ({
    depth,
    tag,
    vr: "LO",
    name,
    value,
  });
  const rows = [
    row(0, 0x00100010, "Patient Name", "DOE"),
    row(0, 0x00081140, "Referenced Image Sequence"),
    { ...row(1, 0, "# 1") },
    row(1, 0x00081155, "Referenced SOP Instance UID", "1.2.3"),
    row(0, 0x00080060, "Modality", "CT"),
  ];
  const names = (words: string) => filterRows(rows, words).map((each) => each.name);
  assert.deepEqual(names("patientname"), ["Patient Name"]);
  assert.deepEqual(names("00080060"), ["Modality"]);
  assert.deepEqual(names("1.2.3 sop"), [
    "Referenced Image Sequence",
    "# 1",
    "Referenced SOP Instance UID",
  ]);
  assert.equal(filterRows(rows, " ").length, rows.length);
  assert.equal(tagText(0x7fe00010), "(7FE0,0010)");
  assert.equal(spaced("SOPInstanceUID"), "SOP Instance UID");
});

test("dates, paths and places", () => {
  assert.equal(shownDate("20260131", "en"), "Jan 31, 2026");
  assert.equal(shownDate("20260231", "en"), "20260231");
  assert.equal(shownDate("<b>", "en"), "<b>");
  assert.equal(shownTime("134501.5"), "13:45");
  assert.equal(plainPath("dicom/im1.;1"), "DICOM/IM1");
  assert.equal(mediumAddress("IHE_PDI/REPORT1.HTM"), "IHE_PDI/REPORT1.HTM");
  for (const bad of ["javascript:alert(1)", "../X", "//h/x", "A B", "/etc/passwd", "https://x"]) {
    assert.equal(mediumAddress(bad), null, bad);
  }
  assert.deepEqual(
    [firstAbove([0, 5, 9], -1), firstAbove([0, 5, 9], 5), firstAbove([0], 7)],
    [0, 2, 1],
  );
});
