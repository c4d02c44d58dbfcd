/** Names and VRs of tags (PS3.6), for people who read headers and for Implicit VR. */
import { inflate } from "../data/inflate.ts";
import { type Packed, unpacked } from "../data/text.ts";

declare global {
  interface Window {
    /** dictionary.txt, deflated; of LANG.JS. */
    SENDHOME_TAGS?: Packed;
  }
}

export interface TagName {
  vr: string;
  keyword: string;
}

export type Dictionary = ReadonlyMap<number, TagName>;

let made: Promise<Dictionary> | null = null;

/** Opened when somebody asks: most people never do. */
export function dictionary(): Promise<Dictionary> {
  made ??= open();
  return made;
}

async function open(): Promise<Dictionary> {
  const packed = unpacked(window.SENDHOME_TAGS, "LANG");
  return readDictionary(new TextDecoder().decode(await inflate(packed, "LANG", null)));
}

/** Lines of "00100010 PN PatientName"; a shorter number is what is added to the one before. */
export function readDictionary(text: string): Dictionary {
  const out = new Map<number, TagName>();
  let before = 0;
  for (const line of text.split("\n")) {
    const [number, vr, keyword] = line.split(" ");
    if (number && vr && keyword && !number.startsWith("#")) {
      const tag = Number.parseInt(number, 16) + (number.length < 8 ? before : 0);
      out.set(tag, { vr, keyword });
      before = tag;
    }
  }
  return out;
}

/** "(0010,0010)". */
export function tagText(tag: number): string {
  const hex = tag.toString(16).padStart(8, "0").toUpperCase();
  return `(${hex.slice(0, 4)},${hex.slice(4)})`;
}

/** "Patient's Name" has no keyword of its own letters: "PatientName" becomes "Patient Name". */
export function spaced(keyword: string): string {
  return keyword.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2");
}

export function tagName(names: Dictionary, tag: number): string {
  const found = names.get(tag);
  if (found) return spaced(found.keyword);
  const group = tag >>> 16;
  if ((tag & 0xffff) === 0) return "Group Length";
  if (group % 2 === 1) return (tag & 0xffff) < 0x100 ? "Private Creator" : "";
  if (group >= 0x6000 && group <= 0x601e) return OVERLAY[tag & 0xffff] ?? "";
  return "";
}

const OVERLAY: Record<number, string> = {
  16: "Overlay Rows",
  17: "Overlay Columns",
  34: "Overlay Description",
  64: "Overlay Type",
  80: "Overlay Origin",
  256: "Overlay Bits Allocated",
  258: "Overlay Bit Position",
  5376: "Overlay Label",
  12288: "Overlay Data",
};
