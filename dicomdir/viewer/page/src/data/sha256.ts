/** SHA-256 of files: by the browser where a file fits into memory at once, else piece by piece. */

/** FIPS 180-4, 4.2.2. */
const K = Uint32Array.from(primes(64), (prime) => fraction(Math.cbrt(prime)));
const START = Uint32Array.from(primes(8), (prime) => fraction(Math.sqrt(prime)));

function primes(count: number): number[] {
  const out: number[] = [];
  for (let n = 2; out.length < count; n++) if (out.every((each) => n % each)) out.push(n);
  return out;
}

/** The first 32 bits behind the point. */
function fraction(value: number): number {
  return ((value - Math.floor(value)) * 2 ** 32) >>> 0;
}

/** WebCrypto takes a whole message only; what is longer goes through `Sha256` in slices. */
const MOST_AT_ONCE = 64 << 20;
const SLICE = 4 << 20;

/** Lower-case hex. @throws DOMException The file cannot be read. */
export async function sha256(file: Blob, onBytes: (count: number) => void): Promise<string> {
  if (file.size <= MOST_AT_ONCE && typeof crypto !== "undefined" && crypto.subtle) {
    const bytes = await file.arrayBuffer();
    onBytes(bytes.byteLength);
    return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  }
  const sum = new Sha256();
  for (let at = 0; at < file.size; at += SLICE) {
    const bytes = new Uint8Array(await file.slice(at, at + SLICE).arrayBuffer());
    sum.add(bytes);
    onBytes(bytes.length);
  }
  return sum.hex();
}

export class Sha256 {
  private readonly state = START.slice();
  private readonly words = new Uint32Array(64);
  private readonly block = new Uint8Array(64);
  private held = 0;
  private total = 0;

  add(bytes: Uint8Array): void {
    this.total += bytes.length;
    let at = 0;
    if (this.held) {
      at = Math.min(64 - this.held, bytes.length);
      this.block.set(bytes.subarray(0, at), this.held);
      this.held += at;
      if (this.held < 64) return;
      this.mix(this.block, 0);
      this.held = 0;
    }
    for (; at + 64 <= bytes.length; at += 64) this.mix(bytes, at);
    this.block.set(bytes.subarray(at));
    this.held = bytes.length - at;
  }

  /** The end: nothing may be added after it. */
  hex(): string {
    const { total } = this;
    const rest = new Uint8Array(this.held < 56 ? 64 : 128);
    rest.set(this.block.subarray(0, this.held));
    rest[this.held] = 0x80;
    const view = new DataView(rest.buffer);
    view.setUint32(rest.length - 8, Math.floor(total / 2 ** 29));
    view.setUint32(rest.length - 4, (total * 8) >>> 0);
    for (let at = 0; at < rest.length; at += 64) this.mix(rest, at);
    const out = new DataView(new ArrayBuffer(32));
    this.state.forEach((word, i) => {
      out.setUint32(4 * i, word);
    });
    return hex(new Uint8Array(out.buffer));
  }

  private mix(bytes: Uint8Array, at: number): void {
    const { words, state } = this;
    for (let i = 0; i < 16; i++) {
      const from = at + 4 * i;
      words[i] =
        (bytes[from]! << 24) |
        (bytes[from + 1]! << 16) |
        (bytes[from + 2]! << 8) |
        bytes[from + 3]!;
    }
    for (let i = 16; i < 64; i++) {
      const x = words[i - 15]!;
      const y = words[i - 2]!;
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      words[i] = words[i - 16]! + s0 + words[i - 7]! + s1;
    }
    let a = state[0]!;
    let b = state[1]!;
    let c = state[2]!;
    let d = state[3]!;
    let e = state[4]!;
    let f = state[5]!;
    let g = state[6]!;
    let h = state[7]!;
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i]! + words[i]!) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => {
      state[i] = state[i]! + word;
    });
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");
}
