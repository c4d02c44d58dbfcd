/** 15 bits a character from U+3000 on, least significant bit first. */
const FIRST = 0x3000;

/**
 * The bytes that a text carries, or null where it is not such a text or has another length.
 *
 * Eight characters are 15 bytes, so whole groups need no bit buffer.
 */
export function unpack(text: string, bytes: number): Uint8Array<ArrayBuffer> | null {
  if (text.length !== Math.ceil((bytes * 8) / 15)) return null;
  const out = new Uint8Array(bytes);
  let bad = 0;
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const value = text.charCodeAt(i) - FIRST;
    bad |= value & ~0x7fff;
    held |= value << bits;
    bits += 15;
    while (bits >= 8 && at < bytes) {
      out[at++] = held;
      held >>>= 8;
      bits -= 8;
    }
  }
  return bad || at !== bytes ? null : out;
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
