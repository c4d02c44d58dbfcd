/** CRC-32 (IEEE), eight bytes a step: pixels of every frame pass through here. */
type T = Uint32Array;
type Eight = [T, T, T, T, T, T, T, T];

const tables = make();

function make(): Uint32Array[] {
  const all = [0, 1, 2, 3, 4, 5, 6, 7].map(() => new Uint32Array(256));
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
  const whole = data.length - (data.length % 8);
  let c = -1;
  let i = 0;
  for (; i < whole; i += 8) {
    c ^= data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24);
    c =
      t7[c & 255]! ^
      t6[(c >>> 8) & 255]! ^
      t5[(c >>> 16) & 255]! ^
      t4[c >>> 24]! ^
      t3[data[i + 4]!]! ^
      t2[data[i + 5]!]! ^
      t1[data[i + 6]!]! ^
      t0[data[i + 7]!]!;
  }
  for (; i < data.length; i++) c = t0[(c ^ data[i]!) & 255]! ^ (c >>> 8);
  return ~c >>> 0;
}
