/** Transfer syntaxes (PS3.6 Table A-1): what is shown, and by which name what is not. */
export const SYNTAX = {
  implicit: "1.2.840.10008.1.2",
  explicit: "1.2.840.10008.1.2.1",
  encapsulated: "1.2.840.10008.1.2.1.98",
  deflated: "1.2.840.10008.1.2.1.99",
  bigEndian: "1.2.840.10008.1.2.2",
  rle: "1.2.840.10008.1.2.5",
  jpegBaseline: "1.2.840.10008.1.2.4.50",
  jpegExtended: "1.2.840.10008.1.2.4.51",
  jpegLossless: "1.2.840.10008.1.2.4.57",
  jpegLosslessFirst: "1.2.840.10008.1.2.4.70",
  jpegLs: "1.2.840.10008.1.2.4.80",
  jpegLsNear: "1.2.840.10008.1.2.4.81",
  jpeg2000Lossless: "1.2.840.10008.1.2.4.90",
  jpeg2000: "1.2.840.10008.1.2.4.91",
  htj2kLossless: "1.2.840.10008.1.2.4.201",
  htj2kLosslessRpcl: "1.2.840.10008.1.2.4.202",
  htj2k: "1.2.840.10008.1.2.4.203",
} as const;

/** What CODECS.JS decodes; JPEG Baseline only where the browser does not. */
export const CODED: ReadonlySet<string> = new Set([
  SYNTAX.rle,
  SYNTAX.jpegBaseline,
  SYNTAX.jpegExtended,
  SYNTAX.jpegLossless,
  SYNTAX.jpegLosslessFirst,
  SYNTAX.jpegLs,
  SYNTAX.jpegLsNear,
  SYNTAX.jpeg2000Lossless,
  SYNTAX.jpeg2000,
  SYNTAX.htj2kLossless,
  SYNTAX.htj2kLosslessRpcl,
  SYNTAX.htj2k,
]);

const JPEG = "1.2.840.10008.1.2.4.";
const NAMES: [RegExp, string][] = [
  [/^5[01]$/, "JPEG"],
  [/^(57|70)$/, "JPEG Lossless"],
  [/^5[2-9]$|^6[0-6]$/, "JPEG (retired process)"],
  [/^8[01]$/, "JPEG-LS"],
  [/^9[01]$/, "JPEG 2000"],
  [/^9[23]$/, "JPEG 2000 Part 2 Multi-component"],
  [/^9[45]$/, "JPIP Referenced"],
  [/^10[01](\.1)?$/, "MPEG2"],
  [/^10[2-6](\.1)?$/, "MPEG-4 AVC/H.264"],
  [/^10[78]$/, "HEVC/H.265"],
  [/^11[0-2]$/, "JPEG XL"],
  [/^20[1-3]$/, "High-Throughput JPEG 2000"],
  [/^20[45]$/, "JPIP HTJ2K Referenced"],
];

/** For a person; the UID where it has no name here. */
export function nameOf(transferSyntax: string): string {
  if (transferSyntax === SYNTAX.rle) return "RLE Lossless";
  if (transferSyntax === SYNTAX.bigEndian) return "Explicit VR Big Endian";
  if (!transferSyntax.startsWith(JPEG)) return transferSyntax;
  const last = transferSyntax.slice(JPEG.length);
  return NAMES.find(([form]) => form.test(last))?.[1] ?? transferSyntax;
}
