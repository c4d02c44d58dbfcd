/** 15 bits a character from U+3000 on, least significant bit first. */
import { DataError } from "./errors.ts";

/** Number of bytes, and the text that carries them. */
export type Packed = [bytes: number, text: string];

const FIRST = 0x3000;

/** The bytes that a text carries, or null where it is not such a text or has another length. */
export function unpack(text: string, bytes: number): Uint8Array<ArrayBuffer> | null {
  if (text.length !== Math.ceil((bytes * 8) / 15)) return null;
  const out = new Uint8Array(bytes);
  const whole = Math.floor(bytes / 15);
  let bad = groups(text, whole, out);
  let bits = 0;
  let held = 0;
  let at = whole * 15;
  for (let i = whole * 8; i < text.length; i++) {
    const value = text.charCodeAt(i) - FIRST;
    bad |= value;
    held |= value << bits;
    bits += 15;
    while (bits >= 8 && at < bytes) {
      out[at++] = held;
      held >>>= 8;
      bits -= 8;
    }
  }
  return bad & ~0x7fff ? null : out;
}

/** Eight characters are 15 bytes. Returns all values or'ed: more than 15 bits means a wrong one. */
function groups(text: string, count: number, out: Uint8Array): number {
  let bad = 0;
  for (let group = 0, i = 0, at = 0; group < count; group++, i += 8, at += 15) {
    const a = text.charCodeAt(i) - FIRST;
    const b = text.charCodeAt(i + 1) - FIRST;
    const c = text.charCodeAt(i + 2) - FIRST;
    const d = text.charCodeAt(i + 3) - FIRST;
    const e = text.charCodeAt(i + 4) - FIRST;
    const f = text.charCodeAt(i + 5) - FIRST;
    const g = text.charCodeAt(i + 6) - FIRST;
    const h = text.charCodeAt(i + 7) - FIRST;
    bad |= a | b | c | d | e | f | g | h;
    out[at] = a;
    out[at + 1] = (a >> 8) | (b << 7);
    out[at + 2] = b >> 1;
    out[at + 3] = (b >> 9) | (c << 6);
    out[at + 4] = c >> 2;
    out[at + 5] = (c >> 10) | (d << 5);
    out[at + 6] = d >> 3;
    out[at + 7] = (d >> 11) | (e << 4);
    out[at + 8] = e >> 4;
    out[at + 9] = (e >> 12) | (f << 3);
    out[at + 10] = f >> 5;
    out[at + 11] = (f >> 13) | (g << 2);
    out[at + 12] = g >> 6;
    out[at + 13] = (g >> 14) | (h << 1);
    out[at + 14] = h >> 7;
  }
  return bad;
}

/** The other way; for tests and for what the page writes itself. */
export function pack(bytes: Uint8Array): string {
  const units: string[] = [];
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held |= byte << bits;
    bits += 8;
    if (bits >= 15) {
      units.push(String.fromCharCode(FIRST + (held & 0x7fff)));
      held >>>= 15;
      bits -= 15;
    }
  }
  if (bits) units.push(String.fromCharCode(FIRST + held));
  return units.join("");
}

/** @throws DataError "damaged": it is not such a text, or not there. */
export function unpacked(carried: Packed | undefined, file: string): Uint8Array<ArrayBuffer> {
  const bytes = carried && unpack(carried[1], carried[0]);
  if (!bytes) throw new DataError("damaged", file, "text");
  return bytes;
}
