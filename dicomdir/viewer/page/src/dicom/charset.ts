/** Bytes into text by Specific Character Set (PS3.3 C.12.1.1.2, PS3.5 6.1). */

/** Single sets, by the number in "ISO_IR 100" and "ISO 2022 IR 100". */
const LABELS: Record<string, string> = {
  "6": "windows-1252",
  "100": "windows-1252",
  "101": "iso-8859-2",
  "109": "iso-8859-3",
  "110": "iso-8859-4",
  "144": "iso-8859-5",
  "127": "iso-8859-6",
  "126": "iso-8859-7",
  "138": "iso-8859-8",
  "148": "windows-1254",
  "203": "iso-8859-15",
  "13": "shift_jis",
  "166": "windows-874",
  "192": "utf-8",
  "58": "gb18030",
  "149": "euc-kr",
  "87": "iso-2022-jp",
  "159": "euc-jp",
  GB18030: "gb18030",
  GBK: "gbk",
};

/** What follows ESC, and what it puts where: high bytes (G1) or low ones (G0). */
const ESCAPES: [string, 0 | 1, string][] = [
  ["(B", 0, "ascii"],
  ["(J", 0, "ascii"],
  ["$B", 0, "jis0208"],
  ["$@", 0, "jis0208"],
  ["$(D", 0, "jis0212"],
  [")I", 1, "shift_jis"],
  ["$)C", 1, "euc-kr"],
  ["$)A", 1, "gbk"],
  ["-A", 1, "windows-1252"],
  ["-B", 1, "iso-8859-2"],
  ["-C", 1, "iso-8859-3"],
  ["-D", 1, "iso-8859-4"],
  ["-L", 1, "iso-8859-5"],
  ["-G", 1, "iso-8859-6"],
  ["-F", 1, "iso-8859-7"],
  ["-H", 1, "iso-8859-8"],
  ["-M", 1, "windows-1254"],
  ["-b", 1, "iso-8859-15"],
  ["-T", 1, "windows-874"],
];
const ESC = 0x1b;
/** After these the initial sets hold again: ends of lines and of parts (PS3.5 6.1.2.5.3). */
const RESETS = new Set([0x09, 0x0a, 0x0c, 0x0d, 0x5c, 0x5e, 0x3d]);

const decoders = new Map<string, TextDecoder>();

function decoder(label: string): TextDecoder {
  let made = decoders.get(label);
  if (!made) {
    made = new TextDecoder(label);
    decoders.set(label, made);
  }
  return made;
}

export class Charset {
  private readonly first: string;
  private readonly escapes: boolean;

  /** @param values Of (0008,0005); none is the default repertoire. */
  constructor(values: readonly string[]) {
    const name = (values[0] ?? "").trim();
    const number = /(?:ISO_IR|ISO 2022 IR)\s*(\d+)/.exec(name)?.[1] ?? name;
    // An unknown set is read as Latin 1: letters are lost, words stay.
    this.first = LABELS[number] ?? "windows-1252";
    if (number === "87" || number === "159") this.first = "windows-1252";
    this.escapes = values.length > 1 || name.startsWith("ISO 2022");
  }

  decode(bytes: Uint8Array): string {
    if (!this.escapes || !bytes.includes(ESC)) return decoder(this.first).decode(bytes);
    return this.switched(bytes);
  }

  private switched(bytes: Uint8Array): string {
    let out = "";
    let low = "ascii";
    let high = this.first;
    let start = 0;
    const flush = (end: number) => {
      if (end > start) out += decodeRun(bytes.subarray(start, end), low, high);
    };
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (byte === ESC) {
        flush(i);
        const rest = String.fromCharCode(...bytes.subarray(i + 1, i + 4));
        const found = ESCAPES.find(([text]) => rest.startsWith(text));
        if (found?.[1] === 0) low = found[2];
        else if (found) high = found[2];
        i += found ? found[0].length : 0;
        start = i + 1;
      } else if (low === "ascii" && RESETS.has(byte)) {
        flush(i + 1);
        start = i + 1;
        high = this.first;
      }
    }
    flush(bytes.length);
    return out;
  }
}

/** Bytes between two escapes. */
function decodeRun(run: Uint8Array, low: string, high: string): string {
  if (low === "jis0208") return decoder("euc-jp").decode(run.map((byte) => byte | 0x80));
  if (low === "jis0212") {
    const wide = new Uint8Array((run.length >> 1) * 3);
    for (let i = 0; i < run.length >> 1; i++) {
      wide[3 * i] = 0x8f;
      wide[3 * i + 1] = run[2 * i]! | 0x80;
      wide[3 * i + 2] = run[2 * i + 1]! | 0x80;
    }
    return decoder("euc-jp").decode(wide);
  }
  return decoder(high).decode(run);
}
