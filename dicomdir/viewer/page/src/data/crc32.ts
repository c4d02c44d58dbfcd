/** CRC-32 (IEEE), four bytes a step: pixels of every frame pass through here. */
const tables = make();

function make(): Uint32Array[] {
  const all = [0, 1, 2, 3].map(() => new Uint32Array(256));
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    all[0]![n] = c;
  }
  for (let n = 0; n < 256; n++) {
    for (let t = 1; t < 4; t++) {
      const c = all[t - 1]![n]!;
      all[t]![n] = all[0]![c & 255]! ^ (c >>> 8);
    }
  }
  return all;
}

export function crc32(data: Uint8Array): number {
  const [t0, t1, t2, t3] = tables as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  const whole = data.length - (data.length % 4);
  let c = -1;
  let i = 0;
  for (; i < whole; i += 4) {
    c ^= data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24);
    c = t3[c & 255]! ^ t2[(c >>> 8) & 255]! ^ t1[(c >>> 16) & 255]! ^ t0[c >>> 24]!;
  }
  for (; i < data.length; i++) c = t0[(c ^ data[i]!) & 255]! ^ (c >>> 8);
  return ~c >>> 0;
}
