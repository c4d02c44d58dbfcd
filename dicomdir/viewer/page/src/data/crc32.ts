/** CRC-32 (IEEE), eight bytes a step: pixels of every frame pass through here. */
type T = Int32Array;
type Eight = [T, T, T, T, T, T, T, T];

const tables = make();
const NONE = new Int32Array(0);

function make(): Int32Array[] {
  const all = [0, 1, 2, 3, 4, 5, 6, 7].map(() => new Int32Array(256));
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    all[0]![n] = c;
  }
  for (let n = 0; n < 256; n++) {
    for (let t = 1; t < 8; t++) {
      const c = all[t - 1]![n]!;
      all[t]![n] = all[0]![c & 255]! ^ (c >>> 8);
    }
  }
  return all;
}

export function crc32(data: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as Eight;
  let c = -1;
  let at = 0;
  // Words are read where words begin; every browser's machine has the low byte first.
  const start = Math.min(data.length, -data.byteOffset & 3);
  for (; at < start; at++) c = t0[(c ^ data[at]!) & 255]! ^ (c >>> 8);
  const count = ((data.length - at) >> 3) << 1;
  const words = count ? new Int32Array(data.buffer, data.byteOffset + at, count) : NONE;
  for (let i = 0; i < words.length; i += 2) {
    const a = c ^ words[i]!;
    const b = words[i + 1]!;
    c =
      t7[a & 255]! ^
      t6[(a >>> 8) & 255]! ^
      t5[(a >>> 16) & 255]! ^
      t4[a >>> 24]! ^
      t3[b & 255]! ^
      t2[(b >>> 8) & 255]! ^
      t1[(b >>> 16) & 255]! ^
      t0[b >>> 24]!;
  }
  for (at += words.length * 4; at < data.length; at++) {
    c = t0[(c ^ data[at]!) & 255]! ^ (c >>> 8);
  }
  return ~c >>> 0;
}
